"""Adapters of real companies' exports to the raw contract; their data are not shipped."""
