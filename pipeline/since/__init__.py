"""Why a plan changed between any two nights: the stages are run again with inputs swapped.

groups.py   which inputs belong together, and how an earlier night's are laid onto a later date
rerun.py    forecast, optimize, buy and place over tables in memory, by the stages' own functions
changes.py  Shapley shares of every order, transfer and level          bridge.py  stock, identity
words.py    the shares in sentences                                    told.py    for a terminal

Nothing is published and no plan is made here; the stages' functions are the only planner.
"""
