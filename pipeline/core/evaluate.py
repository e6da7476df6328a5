"""Cost and resource use of a given integer plan, straight from the definition.

Shares no code with the solver: it never builds a list of marginal values, it adds up what is short
in every set. The upper bound and the violation of the certificate come from here.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.core.item import ItemTables
from pipeline.core.network import Forest

Array = NDArray[Any]


@njit(nogil=True, cache=True)
def _evaluate(
    tree: Array, profile: Array, start: Array, count: Array, knots: Array, place_usd: Array,
    use: Array, members: Array, position: Array, cost: Array, used: Array,
) -> None:  # fmt: skip
    for k in range(len(position)):
        p = start[k]
        for s in range(count.shape[1]):
            covered = 0.0
            for j in range(position.shape[1]):
                if members[tree[k], s, j]:
                    covered += position[k, j]
            for q in range(p, p + count[k, s]):
                units = np.float64(knots[q, 0])
                cost[k] += np.float64(knots[q, 1]) * max(units - max(covered, 0.0), 0.0)
                covered -= units
            p += count[k, s]
        for j in range(position.shape[1]):
            if position[k, j] > 0:
                cost[k] += np.float64(place_usd[k, j]) * position[k, j]
                for r in range(use.shape[1]):
                    used[profile[k], r, j] += np.float64(use[k, r]) * position[k, j]


def evaluate(
    woods: Forest, items: ItemTables, position: NDArray[np.int32], n_profiles: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cost [items] in usd of positions [items, nodes] without capacity prices, and what they use.

    The second result has shape [profiles, resources, nodes]. Everything in float64.
    """
    width = items.count.shape[1]
    members = np.zeros((len(woods.trees), width, woods.n_nodes), dtype=np.bool_)
    for t, tree in enumerate(woods.trees):
        members[t, : tree.n_sets] = tree.members
    cost = np.zeros(len(items))
    used = np.zeros((n_profiles, items.use.shape[1], woods.n_nodes))
    _evaluate(
        items.tree, items.profile, items.start, items.count, items.knots, items.place_usd,
        items.use, members, position, cost, used,
    )  # fmt: skip
    return cost, used


def shortage(
    woods: Forest,
    items: ItemTables,
    position: NDArray[np.int32],
    gap_usd: NDArray[np.float64],
    mean: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Expected units [items, sets] that spill out of each set under the positions.

    gap_usd: [items, sets] as the tables were built with; mean: expected demand [items, sets], which
    stands in for the distribution where spilling is free and the tables hold none.
    """
    short = np.zeros(items.count.shape)
    before = np.cumsum(items.count, axis=1, dtype=np.int64) - items.count
    for s in range(items.count.shape[1]):
        held = np.zeros(len(items))
        for t, tree in enumerate(woods.trees):
            if s < tree.n_sets:
                mine = items.tree == t
                held[mine] = position[mine][:, tree.members[s]].sum(axis=1)
        covered = held.copy()
        for i in range(int(items.count[:, s].max(initial=0))):
            has = np.flatnonzero(items.count[:, s] > i)
            knot = items.knots[items.start[has] + before[has, s] + i].astype(np.float64)
            chance = knot[:, 1] / gap_usd[has, s]
            short[has, s] += chance * np.maximum(knot[:, 0] - np.maximum(covered[has], 0.0), 0.0)
            covered[has] -= knot[:, 0]
        bare = items.count[:, s] == 0
        short[bare, s] = np.maximum(mean[bare, s] - held[bare], 0.0)
    return short
