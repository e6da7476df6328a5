"""Raw files to clean tables: readers, adapters, validation, demand history and lead times.

A dataset (sample, m5, raw) becomes frames in the raw contract; one path cleans them all. Everything
that says what a table is stands in `pipeline.contracts`; nothing here decides or forecasts.
"""
