"""Cost and resource use of a given integer plan, straight from the definition.

Shares no code with the solver: it never builds a list of marginal values, it adds up what is short
in every set, or not served though it is there, and follows what is served on its way in, week by
week: what waits at a node is held there, and pays for it. The upper bound and the violation of the
certificate come from here.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.serve import Placed
from pipeline.kernels import njit

Array = NDArray[Any]


@njit(nogil=True, cache=True)
def _evaluate(
    tree: Array, week: Array, start: Array, count: Array, knots: Array, place_usd: Array,
    use: Array, gap_usd: Array, turn: Array, rise: Array, members: Array, feeder: Array,
    position: Array, served: Array, entered: Array, cost: Array, used: Array,
) -> None:  # fmt: skip
    n_nodes, kinds = position.shape[1], use.shape[1]
    for k in range(len(position)):
        p = start[k]
        for s in range(count.shape[1]):
            covered, through = 0.0, 0.0
            for j in range(n_nodes):
                if members[tree[k], s, j]:
                    covered += position[k, j]
                    through += min(served[k, j], np.float64(position[k, j]))
            short, asked = 0.0, 0.0
            for q in range(p, p + count[k, s]):
                units, usd = np.float64(knots[q, 0]), np.float64(knots[q, 1])
                short += usd * max(units - max(covered, 0.0), 0.0)
                asked += usd * units
                covered -= units
            p += count[k, s]
            cost[k] += max(short, asked - through * gap_usd[k, s])
        for j in range(n_nodes):
            if position[k, j] <= 0:
                continue
            cost[k] += np.float64(place_usd[k, j]) * position[k, j]
            used[week[k], 0, j] += np.float64(use[k, 0]) * position[k, j]
            if kinds == 1:
                continue
            out = min(served[k, j], np.float64(position[k, j]))
            used[week[k], 1, j] += use[k, 1] * out
            units = out + rise[k, j] * position[k, j]
            at, until, d = j, np.int64(week[k]), 0
            while at >= 0:
                came = np.int64(entered[k, j, d])
                for t in range(came, until):  # it waits here
                    cost[k] += turn[k] * np.float64(place_usd[k, at]) * units
                    used[t, 0, at] += turn[k] * np.float64(use[k, 0]) * units
                for r in range(2, kinds):
                    used[came, r, at] += use[k, r] * units
                if feeder[at] >= 0:
                    used[came, 1, feeder[at]] += use[k, 1] * units
                at, until, d = feeder[at], came, d + 1


def evaluate(
    woods: Forest, items: ItemTables, placed: Placed, weeks: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cost [items] in usd of a plan without capacity prices, and what it uses.

    The second result has shape [weeks, kinds, nodes]. Everything in float64.
    """
    cost = np.zeros(len(items))
    used = np.zeros((weeks, items.use.shape[1], woods.n_nodes))
    _evaluate(
        items.tree, items.week, items.start, items.count, items.knots, items.place_usd, items.use,
        items.gap_usd, items.turn, items.rise, woods.members, woods.feeder, placed.position,
        placed.served, placed.entered, cost, used,
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
