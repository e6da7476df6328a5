"""Columns by the stage that writes them; `pipeline.contracts.columns` joins them."""
