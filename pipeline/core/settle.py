"""What is served from a given integer position, within the rows on what flows.

Levels are whole; what is served of them is an expected flow, any number up to the level. Where a
row is exceeded the least valuable flow is given up, and where something is left the most valuable
is added, from whichever node has units left. Moving flow from one node to another is both.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.flow import ENTERING, HELD, LEAVING
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity
from pipeline.core.serve import Placed, node_usd
from pipeline.kernels import njit

Array = NDArray[Any]

PASSES = 60
"""Valuations of all flows at most, of one row that is exceeded or of all that has room."""
TINY = 1e-9
"""Units that are none."""


@njit(nogil=True, cache=True)
def _rates(
    tree: Array, start: Array, count: Array, knots: Array, gap_usd: Array, members: Array,
    position: Array, served: Array, loss: Array, least: Array, gain: Array, most: Array,
) -> None:  # fmt: skip
    """[items, nodes] usd lost by a unit less served from a node, how many units less until that
    rises; usd gained by a unit more, and how many."""
    for k in range(len(position)):
        p = start[k]
        for j in range(position.shape[1]):
            loss[k, j], gain[k, j], least[k, j] = 0.0, 0.0, served[k, j]
            most[k, j] = max(position[k, j] - served[k, j], 0.0)
        for s in range(count.shape[1]):
            if count[k, s] == 0:
                continue
            held, through, wanted = 0.0, 0.0, 0.0
            for j in range(position.shape[1]):
                if members[tree[k], s, j]:
                    held += position[k, j]
                    through += served[k, j]
            for q in range(p, p + count[k, s]):
                wanted += min(max(held, 0.0), np.float64(knots[q, 0])) * knots[q, 1]
                held -= knots[q, 0]
            p += count[k, s]
            short = wanted / gap_usd[k, s] - through
            for j in range(position.shape[1]):
                if not members[tree[k], s, j]:
                    continue
                if short >= -TINY:
                    loss[k, j] += gap_usd[k, s]
                else:
                    least[k, j] = min(least[k, j], -short)
                if short > TINY:
                    gain[k, j] += gap_usd[k, s]
                    most[k, j] = min(most[k, j], short)


@njit(nogil=True, cache=True)
def _way(
    week: int, turn: float, use: Array, feeder: Array, entered: Array, j: int, nodes: int,
    cell: Array, units: Array,
) -> int:  # fmt: skip
    """Cells (of weeks, kinds, nodes) and what a unit served from node j, which entered for it, uses
    of each; returns how many. A cell may come twice."""
    kinds = len(use)
    cell[0], units[0], n = (week * kinds + LEAVING) * nodes + j, use[LEAVING], 1
    at, until, d = j, week, 0
    while at >= 0:
        came = int(entered[d])
        for t in range(came, until):
            cell[n], units[n], n = (t * kinds + HELD) * nodes + at, turn * use[HELD], n + 1
        for r in range(ENTERING, kinds):
            cell[n], units[n], n = (came * kinds + r) * nodes + at, use[r], n + 1
        if feeder[at] >= 0:
            cell[n], units[n] = (came * kinds + LEAVING) * nodes + feeder[at], use[LEAVING]
            n += 1
        at, until, d = feeder[at], came, d + 1
    return n


@njit(nogil=True, cache=True)
def _uses(
    week: Array, turn: Array, use: Array, feeder: Array, entered: Array, at: Array, row: Array,
    nodes: int, each: Array,
) -> None:  # fmt: skip
    """What a unit at each (item, node) uses of a row [cells]."""
    cell, units = np.empty(len(row), np.int64), np.empty(len(row))
    for i in range(len(at)):
        k, j = at[i] // nodes, at[i] % nodes
        n = _way(int(week[k]), turn[k], use[k], feeder, entered[k, j], j, nodes, cell, units)
        each[i] = 0.0
        for c in range(n):
            each[i] += row[cell[c]] * units[c]


@njit(nogil=True, cache=True)
def _booked(
    week: Array, turn: Array, use: Array, feeder: Array, entered: Array, at: Array, flow: Array,
    nodes: int, used: Array,
) -> None:  # fmt: skip
    """Add what flows at each (item, node) use to used [cells]."""
    cell, units = np.empty(len(used), np.int64), np.empty(len(used))
    for i in range(len(at)):
        k, j = at[i] // nodes, at[i] % nodes
        n = _way(int(week[k]), turn[k], use[k], feeder, entered[k, j], j, nodes, cell, units)
        for c in range(n):
            used[cell[c]] += units[c] * flow[i]


@njit(nogil=True, cache=True)
def _taken(
    week: Array, turn: Array, use: Array, feeder: Array, entered: Array, at: Array, flow: Array,
    nodes: int, indptr: Array, indices: Array, data: Array, room: Array,
) -> None:  # fmt: skip
    """Cut the flows, each in turn, to what fits into the room [rows] that those before leave."""
    cells = len(indptr) - 1
    cell, units = np.empty(cells, np.int64), np.empty(cells)
    each, touched = np.zeros(len(room)), np.empty(len(room), np.int64)
    for i in range(len(at)):
        k, j = at[i] // nodes, at[i] % nodes
        n = _way(int(week[k]), turn[k], use[k], feeder, entered[k, j], j, nodes, cell, units)
        rows = 0
        for c in range(n):
            for q in range(indptr[cell[c]], indptr[cell[c] + 1]):
                if each[indices[q]] == 0.0 and data[q] * units[c] > 0.0:
                    touched[rows], rows = indices[q], rows + 1
                each[indices[q]] += data[q] * units[c]
        for r in range(rows):
            flow[i] = min(flow[i], max(room[touched[r]], 0.0) / each[touched[r]] * (1.0 - 1e-12))
        flow[i] = flow[i] if flow[i] > TINY else 0.0
        for r in range(rows):
            room[touched[r]] -= each[touched[r]] * flow[i]
            each[touched[r]] = 0.0


def settle(
    woods: Forest,
    items: ItemTables,
    placed: Placed,
    capacity: Capacity,
    usage: NDArray[np.float64],
    limit: NDArray[np.float64],
    price: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Change what is served in place so that rows on flows keep usage <= limit; returns the usage.

    price: [rows], by which flows that compete for room are ranked.
    """
    if not len(items) or items.use.shape[1] <= LEAVING:
        return usage
    np.minimum(placed.served, placed.position, out=placed.served)
    usage = usage.copy()
    serving = node_usd(woods, items, capacity.on_items(price))[1].ravel()
    for row in np.flatnonzero(capacity.is_on_flows & (usage > limit)).tolist():
        for _ in range(PASSES):
            if usage[row] <= limit[row]:
                break
            if not _give_up(woods, items, placed, capacity, usage, row, limit, serving):
                break
    for _ in range(PASSES):
        if not _take_up(woods, items, placed, capacity, usage, limit, serving):
            break
    return usage


def _valued(woods: Forest, items: ItemTables, placed: Placed) -> tuple[Array, Array, Array, Array]:
    loss, least, gain, most = np.empty((4, *placed.position.shape))
    _rates(
        items.tree, items.start, items.count, items.knots, items.gap_usd, woods.members,
        placed.position, placed.served, loss, least, gain, most,
    )  # fmt: skip
    return loss, least, gain, most


def _firsts(order: NDArray[np.int64], item: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the candidates in order the first of every item, in that order."""
    _, first = np.unique(item[order], return_index=True)
    return order[np.sort(first)]


def _give_up(
    woods: Forest, items: ItemTables, placed: Placed, capacity: Capacity,
    usage: NDArray[np.float64], row: int, limit: NDArray[np.float64], serving: NDArray[np.float64],
) -> bool:  # fmt: skip
    """Serve less of what loses least for its use of the row, what else it uses counted at its
    price; whether there was anything."""
    nodes = placed.position.shape[1]
    ways = (items.week, items.turn, items.use, woods.feeder, placed.entered)
    at = np.flatnonzero(placed.served > TINY)
    each = np.empty(len(at))
    _uses(*ways, at, capacity.rows[row].toarray().ravel(), nodes, each)
    at, each = at[each > 0.0], each[each > 0.0]
    if not len(at):
        return False
    some, of = np.unique(at // nodes, return_inverse=True)
    loss, least, _, _ = _valued(woods, items.take(some), placed.take(some))
    mine = of * nodes + at % nodes
    order = np.argsort((loss.ravel()[mine] - serving[at]) / each, kind="stable")
    order = _firsts(order, at // nodes)
    at, each = at[order], each[order]
    units = np.maximum(least.ravel()[mine[order]], 0.0)
    before = np.cumsum(units * each) - units * each
    excess = usage[row] - limit[row]
    units = np.minimum(units, np.maximum(excess * (1 + 1e-12) - before, 0.0) / each)
    at, units = at[units > 0.0], units[units > 0.0]
    placed.served.reshape(-1)[at] -= units
    used = np.zeros(capacity.rows.shape[1])
    _booked(*ways, at, units, nodes, used)
    usage -= capacity.usage(used.reshape(capacity.shape))
    return bool(len(at))


def _take_up(
    woods: Forest, items: ItemTables, placed: Placed, capacity: Capacity,
    usage: NDArray[np.float64], limit: NDArray[np.float64], serving: NDArray[np.float64],
) -> bool:  # fmt: skip
    """Serve more of what gains most for its priced use and fits; whether there was anything."""
    _, _, gain, most = _valued(woods, items, placed)
    at = np.flatnonzero((gain > 0.0) & (most > TINY))
    if not len(at):
        return False
    nodes = placed.position.shape[1]
    worth = gain.ravel()[at] / np.maximum(serving[at], 1e-12)
    at = at[_firsts(np.argsort(-worth, kind="stable"), at // nodes)]
    units, columns = most.ravel()[at], capacity.rows.tocsc()
    room = limit - usage
    _taken(
        items.week, items.turn, items.use, woods.feeder, placed.entered, at, units, nodes,
        columns.indptr, columns.indices, columns.data, room,
    )  # fmt: skip
    placed.served.reshape(-1)[at] += units
    usage[:] = limit - room
    return bool((units > 0.0).any())
