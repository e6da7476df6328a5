"""Published benchmark records: read them, solve each with the project's code, compare.

`checks` (record, answer, row) · `demand_specs` (what records write for a demand) · one module for
each family of models (which parameters mean what) · `families` (which record belongs where).
Nothing here solves a model; that is `pipeline.core.inventory`.
"""
