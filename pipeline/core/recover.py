"""From shares of stored answers to an integer plan that violates nothing.

Every item takes one stored answer of its block (answers are stored as prices; solving again is
cheaper than keeping positions). Then the least valuable units are trimmed where a row is exceeded,
and the most valuable units are added where something is left: here units of level; what is served
of them follows in core.settle.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.capped import cover_of, serve_best
from pipeline.core.flow import HELD, LEAVING, gates, is_priced, ways
from pipeline.core.item import ItemTables, kernel_arrays
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity
from pipeline.core.serve import node_usd
from pipeline.kernels import njit

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
    n_sets: int, parent: Array, home: Array, p: int, count: Array, knots: Array, share: Array,
    position: Array, held: Array, last: Array, after: Array,
) -> None:  # fmt: skip
    """Usd that the last unit in each set saves, sets above included, and that one more would, each
    set by its share of its gap."""
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
                last[s] = share[s] * knots[q, 1]
            if begin <= held[s] < end:
                after[s] = share[s] * knots[q, 1]
        p += count[s]
    for s in range(n_sets - 2, -1, -1):
        last[s] += last[parent[s]]
        after[s] += after[parent[s]]


@njit(nogil=True, cache=True)
def _margins(
    n_sets: Array, n_children: Array, parent: Array, above: Array, home: Array, feeder: Array,
    order: Array, tree: Array, week: Array, start: Array, count: Array, knots: Array,
    place_usd: Array, use: Array, gap_usd: Array, turn: Array, rise: Array, price: Array,
    position: Array, loss: Array, gain: Array,
) -> None:  # fmt: skip
    n_nodes, width = position.shape[1], count.shape[1] + 2
    last, after, held = np.zeros(width), np.zeros(width), np.zeros(width)
    low, share, gate = np.empty(width), np.ones(width), np.zeros(width, np.int64)
    usd, way = np.empty(n_nodes), np.zeros((price.shape[0], n_nodes))
    waits, none = np.zeros((price.shape[0], n_nodes), np.bool_), np.zeros(n_nodes)
    priced = use.shape[1] > LEAVING and is_priced(price)
    for k in range(len(position)):
        t = tree[k]
        if priced:
            ways(week[k], turn[k], place_usd[k], use[k], price, priced, feeder, order, way, waits)
            gates(n_sets[t], parent[t], home[t], week[k], place_usd[k], use[k], price, gap_usd[k],
                  way, priced, none, usd, low, share, gate)  # fmt: skip
        unit_steps(n_sets[t], parent[t], home[t], start[k], count[k], knots, share, position[k],
                   held, last, after)  # fmt: skip
        for j in range(n_nodes):
            loss[k, j], gain[k, j] = np.inf, -np.inf
            if home[t, j] >= 0:
                entry = rise[k, j] * way[week[k], j]
                gain[k, j] = after[home[t, j]] - place_usd[k, j] - entry
                if position[k, j] > 0:
                    loss[k, j] = last[home[t, j]] - place_usd[k, j] - entry


def margins(
    woods: Forest,
    items: ItemTables,
    position: NDArray[np.int32],
    price: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Usd [items, nodes] lost with the last unit at a node, and gained by one unit more.

    Infinite loss where there is no unit, minus infinite gain where none may be put. price: [weeks,
    kinds, nodes], of which those of what flows count.
    """
    loss, gain = np.empty(position.shape), np.empty(position.shape)
    if price is None:
        price = np.zeros((int(items.week.max(initial=0)) + 1, items.use.shape[1], woods.n_nodes))
    _margins(*kernel_arrays(woods, items), price, position, loss, gain)
    return loss, gain


@njit(nogil=True, cache=True)
def _removals(
    n_sets: Array, parent: Array, home: Array, tree: Array, start: Array, count: Array,
    knots: Array, gap_usd: Array, level: Array, serving: Array, position: Array, loss: Array,
) -> None:  # fmt: skip
    n_nodes, width = position.shape[1], count.shape[1] + 2
    sets, served, y = np.empty((6, width)), np.empty(n_nodes), np.empty(n_nodes)
    more = np.empty(n_nodes)
    for k in range(len(position)):
        t = tree[k]
        y[:] = position[k]
        whole = 0.0
        for j in range(-1, n_nodes):
            if j >= 0:
                loss[k, j] = np.inf
                if position[k, j] <= 0:
                    continue
                y[j] -= 1.0
            cover_of(n_sets[t], parent[t], home[t], start[k], count[k], knots, gap_usd[k], y,
                     sets[0], sets[1], sets[2], sets[3])  # fmt: skip
            gain = serve_best(n_sets[t], parent[t], home[t], gap_usd[k], y, serving[k], sets[1],
                              served, sets[4], sets[5], more)  # fmt: skip
            if j < 0:
                whole = gain
            else:
                loss[k, j] = whole - gain - level[k, j]
                y[j] += 1.0


def removals(
    woods: Forest, items: ItemTables, position: NDArray[np.int32], price: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Usd [items, nodes] lost with the last unit at a node, at prices [weeks, kinds, nodes] of all
    that it uses and with the best service of what is left; infinite where there is none."""
    more, serving = node_usd(woods, items, price)
    loss = np.empty(position.shape)
    _removals(
        woods.n_sets, woods.parent, woods.home, items.tree, items.start, items.count, items.knots,
        items.gap_usd, items.place_usd.astype(np.float64) + more, serving, position, loss,
    )  # fmt: skip
    return loss


def trim(
    woods: Forest,
    items: ItemTables,
    position: NDArray[np.int32],
    capacity: Capacity,
    usage: NDArray[np.float64],
    limit: NDArray[np.float64],
    price: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Take away the cheapest units in place until what stands at nodes keeps usage <= limit;
    returns the new row usage.

    Units go by usd for what they use; as many of an item and node between two valuations as its
    step of equal value has at most. A row that still exceeds its limit when no unit is left to take
    stays exceeded, and the certificate shows it. price: as for margins; where it is of flows, units
    are valued with what else they use, at these prices.
    """
    usage = usage.copy()
    is_flowing = price is not None and bool((price[:, LEAVING:] > 0.0).any())
    if not len(items):
        return usage
    for row in np.argsort(-(usage - limit) / np.maximum(np.abs(limit), 1.0), kind="stable"):
        if usage[row] <= limit[row]:
            continue
        cells = capacity.rows[row].toarray().reshape(capacity.shape)[:, HELD]
        if not cells.any():
            continue
        while usage[row] > limit[row]:
            each = cells[items.week] * items.use[:, HELD].astype(float)[:, None]
            at = np.flatnonzero((each > 0.0) & (position > 0))
            if not len(at):
                break
            some = np.unique(at // position.shape[1])
            loss = np.full(position.shape, np.inf)
            mine = items.take(some), position[some]
            if is_flowing and price is not None:
                loss[some] = removals(woods, *mine, price)
            else:
                loss[some] = margins(woods, *mine, price)[0]
            per_unit = each.ravel()[at]
            order = np.argsort(loss.ravel()[at] / per_unit, kind="stable")
            used = np.zeros(capacity.shape)
            _remove(
                at[order], per_unit[order], position.reshape(-1), usage[row] - limit[row],
                items.week, items.use, used,
            )  # fmt: skip
            usage -= capacity.usage(used)
    return usage


@njit(nogil=True, cache=True)
def _remove(
    at: Array, per_unit: Array, position: Array, excess: float, week: Array, use: Array, used: Array
) -> None:
    """Take from each (item, node) in turn a thousandth of its units, and one at least."""
    nodes = used.shape[2]
    for i in range(len(at)):
        if excess <= 0.0:
            break
        k, j = at[i] // nodes, at[i] % nodes
        units = min(max(position[at[i]] // 1000, 1), np.int64(np.ceil(excess / per_unit[i])))
        position[at[i]] -= units
        excess -= per_unit[i] * units
        used[week[k], HELD, j] += np.float64(use[k, HELD]) * units


def fill(
    woods: Forest,
    items: ItemTables,
    position: NDArray[np.int32],
    capacity: Capacity,
    usage: NDArray[np.float64],
    limit: NDArray[np.float64],
    price: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Add units of level in place that pay and still fit, best gain for priced use first."""
    on_items = capacity.on_items(price)
    _, gain = margins(woods, items, position, on_items)
    priced, _ = node_usd(woods, items, on_items)
    k_of, j_of = np.nonzero(gain > 0.0)
    if not len(k_of):
        return usage
    order = np.argsort(-(gain / np.maximum(priced, 1e-12))[k_of, j_of], kind="stable")
    rows = capacity.rows.tocsc()
    room = limit - usage
    _, kinds, nodes = capacity.shape
    column = (items.week[k_of].astype(np.int64) * kinds + HELD) * nodes + j_of
    _add(order, position, k_of, j_of, column, items.use, rows.indptr, rows.indices, rows.data, room)
    return limit - room


@njit(nogil=True, cache=True)
def _add(
    order: Array, position: Array, k_of: Array, j_of: Array, column: Array, use: Array,
    indptr: Array, indices: Array, data: Array, room: Array,
) -> None:  # fmt: skip
    for i in order:
        fits, each = True, np.float64(use[k_of[i], HELD])
        for q in range(indptr[column[i]], indptr[column[i] + 1]):
            if data[q] * each > 0.0 and room[indices[q]] < data[q] * each:
                fits = False
        if fits:
            position[k_of[i], j_of[i]] += 1
            for q in range(indptr[column[i]], indptr[column[i] + 1]):
                room[indices[q]] -= data[q] * each
