"""The certificate of a night, recomputed from its published tables by code of its own.

Nothing here is imported by the solver, and nothing of the solver is imported here: arrays, sorting
and sums alone. docs/formulation.md has the model.
"""
