"""Which of a group of substitutes to carry, how many, and what the others win back.

`products` and `asked` read a one-off question from CSV files, `answer` decides it, `report` tells
it. The mathematics is `core.assortment`; files of choices and prices belong here, models do not.
"""
