"""From shares of stored answers to an integer plan that violates nothing.

Every item takes one stored answer of its block (answers are stored as prices; solving again is
cheaper than keeping positions). Then the least valuable units are trimmed where a row is exceeded,
and the most valuable units are added where something is left.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity

Array = NDArray[Any]

GOLDEN = 0.6180339887498949


def choose(share: NDArray[np.float64], n: int, lottery: float = 0.0) -> NDArray[np.int64]:
    """Column [n] for each of a block's n items so that columns get their shares evenly spread.

    A single item takes the column of the largest share, or draws one where ``lottery`` (0 to 1) is
    not zero.
    """
    if n == 1 and not lottery:
        return np.array([int(share.argmax())])
    spread = (np.arange(n) * GOLDEN + 0.5 + lottery) % 1.0
    return np.minimum(np.searchsorted(np.cumsum(share), spread, side="right"), len(share) - 1)


@njit(nogil=True, cache=True, inline="always")
def unit_steps(
    n_sets: int, parent: Array, home: Array, p: int, count: Array, knots: Array, position: Array,
    held: Array, last: Array, after: Array,
) -> None:  # fmt: skip
    """Usd that the last unit in each set saves, sets above included, and that one more would."""
    held[:n_sets] = 0.0
    for j in range(len(position)):
        if home[j] >= 0:
            held[home[j]] += position[j]
    for s in range(n_sets):
        if parent[s] >= 0:
            held[parent[s]] += held[s]
        last[s] = after[s] = 0.0
        end = 0.0
        for q in range(p, p + count[s]):
            begin, end = end, end + knots[q, 0]
            if begin < held[s] <= end:
                last[s] = knots[q, 1]
            if begin <= held[s] < end:
                after[s] = knots[q, 1]
        p += count[s]
    for s in range(n_sets - 2, -1, -1):
        last[s] += last[parent[s]]
        after[s] += after[parent[s]]


@njit(nogil=True, cache=True)
def _margins(
    n_sets: Array, parent: Array, home: Array, tree: Array, start: Array, count: Array,
    knots: Array, place_usd: Array, position: Array, loss: Array, gain: Array,
) -> None:  # fmt: skip
    width = count.shape[1]
    last, after, held = np.zeros(width), np.zeros(width), np.zeros(width)
    for k in range(len(position)):
        t = tree[k]
        unit_steps(
            n_sets[t], parent[t], home[t], start[k], count[k], knots, position[k], held, last, after
        )
        for j in range(position.shape[1]):
            loss[k, j], gain[k, j] = np.inf, -np.inf
            if home[t, j] >= 0:
                gain[k, j] = after[home[t, j]] - place_usd[k, j]
                if position[k, j] > 0:
                    loss[k, j] = last[home[t, j]] - place_usd[k, j]


def margins(
    woods: Forest, items: ItemTables, position: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Usd [items, nodes] lost with the last unit at a node, and gained by one unit more.

    Infinite loss where there is no unit, minus infinite gain where none may be put.
    """
    loss, gain = np.empty(position.shape), np.empty(position.shape)
    _margins(
        woods.n_sets, woods.parent, woods.home, items.tree, items.start, items.count, items.knots,
        items.place_usd, position, loss, gain,
    )  # fmt: skip
    return loss, gain


@njit(nogil=True, cache=True)
def _in_row(
    n_sets: Array, parent: Array, home: Array, tree: Array, profile: Array, start: Array,
    count: Array, knots: Array, place_usd: Array, use: Array, position: Array, row: Array,
    nodes: Array, at: Array, loss: Array, per_unit: Array,
) -> int:  # fmt: skip
    """Units that use the row: their item and node, usd lost with them, use; returns how many."""
    width = count.shape[1]
    last, after, held = np.zeros(width), np.zeros(width), np.zeros(width)
    n = 0
    for k in range(len(position)):
        t, f = tree[k], profile[k]
        known = False
        for j in nodes:
            if position[k, j] <= 0:
                continue
            each = 0.0
            for r in range(use.shape[1]):
                each += row[f, r, j] * use[k, r]
            if each <= 0.0:
                continue
            if not known:
                known = True
                unit_steps(
                    n_sets[t], parent[t], home[t], start[k], count[k], knots, position[k], held,
                    last, after,
                )  # fmt: skip
            at[n, 0], at[n, 1], per_unit[n] = k, j, each
            loss[n] = (last[home[t, j]] - place_usd[k, j]) / each
            n += 1
    return n


@njit(nogil=True, cache=True)
def _remove(
    order: Array, position: Array, at: Array, per_unit: Array, excess: float, profile: Array,
    use: Array, used: Array,
) -> None:  # fmt: skip
    for i in order:
        if excess <= 0.0:
            break
        k, j = at[i, 0], at[i, 1]
        position[k, j] -= 1
        excess -= per_unit[i]
        for r in range(use.shape[1]):
            used[profile[k], r, j] += np.float64(use[k, r])


def trim(
    woods: Forest,
    items: ItemTables,
    position: NDArray[np.int32],
    capacity: Capacity,
    usage: NDArray[np.float64],
    limit: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Take away the cheapest units in place until usage <= limit; returns the new row usage.

    One unit of an item and node at most goes between two valuations. A row that still exceeds its
    limit when no unit is left to take stays exceeded, and the certificate shows it.
    """
    usage = usage.copy()
    at = np.empty((position.size, 2), np.int64)
    loss, per_unit = np.empty(position.size), np.empty(position.size)
    for row in np.argsort(-(usage - limit) / np.maximum(np.abs(limit), 1.0), kind="stable"):
        cells = capacity.rows[row].toarray().reshape(capacity.shape)
        nodes = np.flatnonzero((cells > 0).any(axis=(0, 1)))
        while usage[row] > limit[row]:
            n = _in_row(
                woods.n_sets, woods.parent, woods.home, items.tree, items.profile, items.start,
                items.count, items.knots, items.place_usd, items.use, position, cells, nodes, at,
                loss, per_unit,
            )  # fmt: skip
            if not n:
                break
            order = np.argsort(loss[:n], kind="stable")
            used = np.zeros(capacity.shape)
            excess = usage[row] - limit[row]
            _remove(order, position, at, per_unit, excess, items.profile, items.use, used)
            usage -= capacity.usage(used)
    return usage


def fill(
    woods: Forest,
    items: ItemTables,
    position: NDArray[np.int32],
    capacity: Capacity,
    usage: NDArray[np.float64],
    limit: NDArray[np.float64],
    price: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Add units in place that pay and still fit, best gain for priced use first."""
    _, gain = margins(woods, items, position)
    on_items = capacity.on_items(price)
    priced = np.einsum("krj,kr->kj", on_items[items.profile], items.use.astype(np.float64))
    k_of, j_of = np.nonzero(gain > 0.0)
    if not len(k_of):
        return usage
    order = np.argsort(-(gain / np.maximum(priced, 1e-12))[k_of, j_of], kind="stable")
    rows = capacity.rows.tocsc()
    room = limit - usage
    _, resources, nodes = capacity.shape
    column = (items.profile[k_of].astype(np.int64) * resources) * nodes + j_of
    _add(
        order, position, k_of, j_of, column, resources, nodes, items.use,
        rows.indptr, rows.indices, rows.data, room,
    )  # fmt: skip
    return limit - room


@njit(nogil=True, cache=True)
def _add(
    order: Array, position: Array, k_of: Array, j_of: Array, column: Array, resources: int,
    nodes: int, use: Array, indptr: Array, indices: Array, data: Array, room: Array,
) -> None:  # fmt: skip
    for i in order:
        fits = True
        for r in range(resources):
            c = column[i] + r * nodes
            for q in range(indptr[c], indptr[c + 1]):
                if data[q] * use[k_of[i], r] > 0.0 and room[indices[q]] < data[q] * use[k_of[i], r]:
                    fits = False
        if fits:
            position[k_of[i], j_of[i]] += 1
            for r in range(resources):
                c = column[i] + r * nodes
                for q in range(indptr[c], indptr[c + 1]):
                    room[indices[q]] -= data[q] * use[k_of[i], r]
