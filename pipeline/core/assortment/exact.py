"""Tiny groups exactly: every stock vector's expected profit by dynamic programming.

The number of customers is known; each arrives, buys the first product in stock on her way through
the chain, or leaves. The slow obvious twin of `climb`; also what benchmarks compare it with.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Chain, Floats, offer


def exact_profits(
    chain: Chain, price_usd: Floats, unit_cost_usd: Floats, customers: int, most: NDArray[np.int64]
) -> Floats:
    """Expected profit of every stock vector up to `most` [products], as an array of that shape + 1.

    Work and memory grow with Π (most + 1): meant for five products or so.
    """
    shape = tuple(int(units) + 1 for units in most)
    n = len(chain)
    grid = np.indices(shape)
    value = np.zeros(shape)
    buys = np.zeros((n, *shape))
    for offered in itertools.product((False, True), repeat=n):
        mask = np.array(offered)
        here = np.logical_and.reduce([(grid[i] > 0) == mask[i] for i in range(n)])
        flow, _ = offer(chain, mask)
        for i in range(n):
            buys[i][here] = flow[i]
    leaves = 1.0 - buys.sum(axis=0)
    for _ in range(customers):
        after = leaves * value
        for i in range(n):
            left = np.roll(value, 1, axis=i)  # the value with a unit of i fewer; unused where none
            after += buys[i] * (price_usd[i] + left)
        value = after
    cost = sum(unit * own for unit, own in zip(unit_cost_usd, grid, strict=True))
    return np.asarray(value - cost)
