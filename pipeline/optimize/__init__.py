"""Stage optimize: where to hold how much of every item, and what each capacity is worth.

Here: turning the night's tables into the arrays of pipeline.core, and its answers into tables. The
mathematics itself is in pipeline.core.
"""
