"""Purchase orders: what to buy from whom tonight, in whole cases, under terms and budget.

Belongs here: positions, the worth of candidate quantities, planners' order overrides, and the
tables of orders and alternatives. The choice itself is core.ordering; levels come from optimize.
"""
