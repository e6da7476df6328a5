"""Why the plan is what it is: additive drivers of every order and transfer, in units and words.

Only reads the plan and takes it apart; decides nothing. What is drawn or ranked is in `review`.
"""
