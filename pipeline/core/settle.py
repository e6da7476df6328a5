"""What is served from a given integer position, within the rows on what flows.

Levels are whole; what is served of them is an expected flow, any number up to the level. Where a
row is exceeded the least valuable flow is given up, and where something is left the most valuable
is added, from whichever node has units left. Moving flow from one node to another is both.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.core.arithmetic import dot
from pipeline.core.flow import ENTERING, HELD, LEAVING
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity
from pipeline.core.serve import Placed, node_usd

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
def _way_use(
    week: int, turn: float, use: Array, feeder: Array, entered: Array, j: int, out: float,
    into: float, row: Array,
) -> float:  # fmt: skip
    """What ``out`` units served from node j, and ``into`` that enter it, use of a row [weeks,
    kinds,
    nodes]."""
    total = row[week, LEAVING, j] * use[LEAVING] * out
    at, until, d = j, week, 0
    while at >= 0:
        came = int(entered[d])
        for t in range(came, until):
            total += row[t, HELD, at] * turn * use[HELD] * into
        for r in range(ENTERING, len(use)):
            total += row[came, r, at] * use[r] * into
        if feeder[at] >= 0:
            total += row[came, LEAVING, feeder[at]] * use[LEAVING] * into
        at, until, d = feeder[at], came, d + 1
    return total


@njit(nogil=True, cache=True)
def _uses(
    week: Array, turn: Array, use: Array, feeder: Array, entered: Array, at: Array, row: Array,
    each: Array,
) -> None:  # fmt: skip
    nodes = row.shape[2]
    for i in range(len(at)):
        k, j = at[i] // nodes, at[i] % nodes
        each[i] = _way_use(int(week[k]), turn[k], use[k], feeder, entered[k, j], j, 1.0, 1.0, row)


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
    dense = capacity.rows.toarray().reshape(len(capacity), *capacity.shape)
    flows = dense[:, :, LEAVING:].any(axis=(1, 2, 3))
    usage = usage.copy()
    for row in np.flatnonzero(flows & (usage > limit)).tolist():
        for _ in range(PASSES):
            if usage[row] <= limit[row]:
                break
            if not _give_up(woods, items, placed, dense, usage, row, usage[row] - limit[row]):
                break
    for _ in range(PASSES):
        if not _take_up(woods, items, placed, capacity, dense, usage, limit, price):
            break
    return usage


def _valued(woods: Forest, items: ItemTables, placed: Placed) -> tuple[Array, Array, Array, Array]:
    loss, least, gain, most = np.empty((4, *placed.position.shape))
    _rates(
        items.tree, items.start, items.count, items.knots, items.gap_usd, woods.members,
        placed.position, placed.served, loss, least, gain, most,
    )  # fmt: skip
    return loss, least, gain, most


def _each(
    woods: Forest, items: ItemTables, placed: Placed, at: NDArray[np.int64], row: Array
) -> NDArray[np.float64]:
    """What a unit served at each of the (item, node) uses of a row."""
    each = np.empty(len(at))
    _uses(items.week, items.turn, items.use, woods.feeder, placed.entered, at, row, each)
    return each


def _firsts(order: NDArray[np.int64], item: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the candidates in order the first of every item, in that order."""
    _, first = np.unique(item[order], return_index=True)
    return order[np.sort(first)]


def _give_up(
    woods: Forest, items: ItemTables, placed: Placed, dense: Array, usage: Array, row: int,
    excess: float,
) -> bool:  # fmt: skip
    """Serve less of what loses least for its use of the row; whether there was anything."""
    loss, least, _, _ = _valued(woods, items, placed)
    at = np.flatnonzero(placed.served > TINY)
    each = _each(woods, items, placed, at, dense[row])
    at, each = at[each > 0.0], each[each > 0.0]
    if not len(at):
        return False
    nodes = placed.position.shape[1]
    order = _firsts(np.argsort(loss.ravel()[at] / each, kind="stable"), at // nodes)
    at, each = at[order], each[order]
    units = np.maximum(least.ravel()[at], 0.0)
    before = np.cumsum(units * each) - units * each
    units = np.minimum(units, np.maximum(excess * (1 + 1e-12) - before, 0.0) / each)
    at, units = at[units > 0.0], units[units > 0.0]
    placed.served.reshape(-1)[at] -= units
    for r in range(len(usage)):
        usage[r] -= dot(_each(woods, items, placed, at, dense[r]), units)
    return bool(len(at))


def _take_up(
    woods: Forest, items: ItemTables, placed: Placed, capacity: Capacity, dense: Array,
    usage: Array, limit: Array, price: NDArray[np.float64],
) -> bool:  # fmt: skip
    """Serve more of what gains most for its priced use and fits; whether there was anything."""
    _, _, gain, most = _valued(woods, items, placed)
    at = np.flatnonzero((gain > 0.0) & (most > TINY))
    if not len(at):
        return False
    priced = np.maximum(node_usd(woods, items, capacity.on_items(price))[1].ravel()[at], 1e-12)
    nodes = placed.position.shape[1]
    order = _firsts(np.argsort(-gain.ravel()[at] / priced, kind="stable"), at // nodes)
    at = at[order]
    each = np.stack([_each(woods, items, placed, at, row) for row in dense], axis=1)
    units = most.ravel()[at]
    room = np.maximum(limit - usage, 0.0)
    changed = False
    for i in range(len(at)):
        takes = each[i] > 0.0
        fits = units[i]
        if takes.any():
            fits = min(fits, float((room[takes] / each[i][takes]).min()) * (1 - 1e-12))
        if fits > TINY:
            placed.served.reshape(-1)[at[i]] += fits
            room[takes] -= each[i][takes] * fits
            usage += each[i] * fits
            changed = True
    return changed
