"""Which products to carry and how many, when customers who miss their first choice take another.

Arrays and small dataclasses in and out. `chain` how customers substitute · `stopping` the bound
that a chain gives without chance · `lists` customers as preference lists, drawn once ·
`marginals` what one unit more or fewer is worth on them · `climb` quantities · `season_bound` the
bound that knows chance · `exact` tiny groups by dynamic programming · `logit`, `learn` what choices
say about a chain. No tables, no files; nothing here knows a warehouse.
"""
