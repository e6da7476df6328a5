"""What happens: a network, its stock, shipments and money, one day after the other (`day`).

Arrays only, made from tables once (`model`, `truth`, `start`). How decisions are made, and what is
told of them, does not belong here.
"""
