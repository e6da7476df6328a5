"""How large items are: what they cost when nothing is placed, and what they could use at most."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.kernels import njit

Array = NDArray[Any]


@njit(nogil=True, cache=True)
def _shortage(bounds: Array, start: Array, count: Array, knots: Array, total: Array) -> None:
    for b in range(len(bounds) - 1):
        for k in range(bounds[b], bounds[b + 1]):
            for p in range(start[k], start[k] + count[k].sum()):
                total[b] += np.float64(knots[p, 0]) * knots[p, 1]


def empty_cost(items: ItemTables, bounds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Expected shortage cost in usd of each block when nothing is added anywhere."""
    total = np.zeros(len(bounds) - 1)
    _shortage(bounds, items.start, items.count, items.knots, total)
    return total


@njit(nogil=True, cache=True)
def _most_units(
    n_sets: Array, parent: Array, tree: Array, start: Array, count: Array, knots: Array,
    total: Array,
) -> None:  # fmt: skip
    units = np.empty(count.shape[1])
    for k in range(len(tree)):
        t, p = tree[k], start[k]
        units[:] = 0.0
        for s in range(n_sets[t]):
            if count[k, s] > 0:  # else what the sets within ask for, which nothing outside serves
                units[s] = 0.0
            for q in range(p, p + count[k, s]):
                units[s] += knots[q, 0]
            p += count[k, s]
            if parent[t, s] >= 0:
                units[parent[t, s]] += units[s]
        total[k] = units[n_sets[t] - 1]


def largest_demand(woods: Forest, items: ItemTables) -> NDArray[np.float64]:
    """[items] units that the network asks for in the largest scenario, beyond its stock."""
    units = np.zeros(len(items))
    _most_units(
        woods.n_sets, woods.parent, items.tree, items.start, items.count, items.knots, units
    )
    return units


def potential(woods: Forest, items: ItemTables) -> NDArray[np.float64]:
    """[items] how much of all resources an item could use: largest demand times use per unit."""
    return largest_demand(woods, items) * items.use.astype(np.float64).sum(axis=1)
