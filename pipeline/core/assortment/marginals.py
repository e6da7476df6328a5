"""What one unit more and one unit fewer of each product are worth, exactly, in one pass each way.

Forward, every customer takes the first product on her list that is in stock. Backward, V_i is what
one unit more of i would earn from here on and U_i what one fewer would lose:

- a customer took j: for each i above j on her list (all sold out) V_i ← p_i − p_j + V_j, and if
  hers was the last j, U_j ← p_j − (p_k − U_k), k the next in stock on her list (none: p_j);
- she left: V_i ← p_i for each i on her list.

Both equal finite differences of the sampled earnings (design of this project, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.core.assortment.chain import Array, Floats
from pipeline.core.assortment.lists import Seasons
from pipeline.kernels import njit


@dataclass(frozen=True)
class Outcome:
    """Means over seasons: earned_usd: sales and salvage, the cost of units not deducted;
    more_usd, fewer_usd: [products] gained by a unit more, lost by a unit fewer (0 without units);
    sold: [products] units sold."""

    earned_usd: float
    more_usd: Floats
    fewer_usd: Floats
    sold: Floats


@njit(nogil=True, cache=True)
def _forward(
    first: int, last: int, start: Array, items: Array, price: Array, stock: Array, taken: Array,
    sold: Array,
) -> float:  # fmt: skip
    earned = 0.0
    for c in range(first, last):
        end = start[c + 1]
        at = start[c]
        while at < end and stock[items[at]] == 0:
            at += 1
        taken[c - first] = at
        if at < end:
            j = items[at]
            stock[j] -= 1
            sold[j] += 1
            earned += price[j]
    return earned


@njit(nogil=True, cache=True)
def _backward(
    first: int, last: int, start: Array, items: Array, price: Array, stock: Array, taken: Array,
    more: Array, fewer: Array,
) -> None:  # fmt: skip
    for c in range(last - 1, first - 1, -1):
        at, end = taken[c - first], start[c + 1]
        if at == end:
            for p in range(start[c], end):
                more[items[p]] = price[items[p]]
            continue
        j = items[at]
        gained = more[j] - price[j]
        for p in range(start[c], at):
            more[items[p]] = price[items[p]] + gained
        if stock[j] == 0:
            fewer[j] = price[j]
            for p in range(at + 1, end):
                k = items[p]
                if stock[k] > 0:
                    fewer[j] += fewer[k] - price[k]
                    break
        stock[j] += 1


@njit(nogil=True, cache=True)
def _seasons(
    first: Array, start: Array, items: Array, price: Array, salvage: Array, units: Array,
    with_marginals: bool, sold: Array, total_more: Array, total_fewer: Array,
) -> float:  # fmt: skip
    n, seasons = len(units), len(first) - 1
    longest = 0
    for w in range(seasons):
        longest = max(longest, first[w + 1] - first[w])
    taken = np.empty(longest, np.int64)
    earned = 0.0
    for w in range(seasons):
        stock = units.copy()
        earned += _forward(first[w], first[w + 1], start, items, price, stock, taken, sold)
        for i in range(n):
            earned += salvage[i] * stock[i]
        if with_marginals:
            more, fewer = salvage.copy(), salvage.copy()
            _backward(
                first[w], first[w + 1], start, items, price, stock, taken, more, fewer
            )  # fmt: skip
            for i in range(n):
                total_more[i] += more[i]
                if units[i] > 0:
                    total_fewer[i] += fewer[i]
    return earned


def play(
    seasons: Seasons, price_usd: Floats, salvage_usd: Floats, units: Array,
    with_marginals: bool = True,
) -> Outcome:  # fmt: skip
    """Let all seasons' customers choose from `units` [products]; prices and salvage [products].

    with_marginals=False leaves both marginals zero and takes about half the time.
    """
    n = seasons.products
    sold, more, fewer = np.zeros((3, n))
    earned = _seasons(
        seasons.first, seasons.start, seasons.items, price_usd, salvage_usd,
        np.asarray(units, np.int64), with_marginals, sold, more, fewer,
    )  # fmt: skip
    each = 1.0 / max(len(seasons), 1)
    return Outcome(earned * each, more * each, fewer * each, sold * each)
