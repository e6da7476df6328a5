"""Shapley values of a few players: what each adds, averaged over the orders in which they come.

Exact over all subsets while there are few players; with more, the mean over a fixed set of
orders, each with its reverse. Either way the shares of any order add up to the whole change, so
the means do: the shares are exact in sum. Source: Shapley (1953); orders with their reverses:
Mitchell et al., Sampling Permutations for Shapley Value Estimation (JMLR 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Worth = Callable[[frozenset[str]], Floats]
"""What a coalition is worth: one figure for each thing explained, the same shape every time."""

EXACT_PLAYERS, ORDERS = 5, 3
"""Up to so many players all subsets are asked; above, so many orders and their reverses."""


def shapley(
    players: Sequence[str], worth: Worth, exact_players: int = EXACT_PLAYERS, orders: int = ORDERS
) -> dict[str, Floats]:
    """Share of each player in worth(all) - worth(none).

    With more than `exact_players`, `orders` rotations of the players and their reverses are
    averaged instead of all subsets. `worth` is asked once for each coalition.
    """
    known: dict[frozenset[str], Floats] = {}

    def value(chosen: frozenset[str]) -> Floats:
        if chosen not in known:
            known[chosen] = np.asarray(worth(chosen), dtype=np.float64)
        return known[chosen]

    if len(players) <= exact_players:
        return {player: _exact(player, players, value) for player in players}
    shares = {player: np.zeros_like(value(frozenset())) for player in players}
    chosen_orders = list(_orders(players, orders))
    for order in chosen_orders:
        before = value(frozenset())
        for place, player in enumerate(order):
            after = value(frozenset(order[: place + 1]))
            shares[player] = shares[player] + (after - before)
            before = after
    return {player: share / len(chosen_orders) for player, share in shares.items()}


def coalitions_asked(players: Sequence[str], exact_players: int = EXACT_PLAYERS,
                     orders: int = ORDERS) -> list[frozenset[str]]:  # fmt: skip
    """Every coalition that `shapley` will ask for, each once, small ones first."""
    if len(players) <= exact_players:
        found = {
            frozenset(chosen)
            for size in range(len(players) + 1)
            for chosen in combinations(players, size)
        }
    else:
        found = {
            frozenset(order[:place])
            for order in _orders(players, orders)
            for place in range(len(players) + 1)
        }
    return sorted(found, key=lambda chosen: (len(chosen), sorted(chosen)))


def _exact(player: str, players: Sequence[str], value: Worth) -> Floats:
    others = [other for other in players if other != player]
    share = np.zeros_like(value(frozenset()))
    for size in range(len(others) + 1):
        weight = 1.0 / (len(players) * comb(len(others), size))
        for chosen in combinations(others, size):
            group = frozenset(chosen)
            share = share + weight * (value(group | {player}) - value(group))
    return share


def _orders(players: Sequence[str], count: int) -> Iterator[tuple[str, ...]]:
    step = max(1, len(players) // count)
    for start in range(0, step * min(count, len(players)), step):
        order = (*players[start:], *players[:start])
        yield order
        yield order[::-1]
