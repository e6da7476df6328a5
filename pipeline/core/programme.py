"""The whole plan of a small world as one programme: its matrices, its relaxation, its slopes.

    min  sum w y + sum v z + sum overflow_usd o
    s.t. sum_{j in S} y_kj + sum_i z_kSi >= all steps of (k, S),  0 <= z_kSi <= length of step i,
         usage(y) - o <= limit,   y >= 0,   o >= 0

Every item alone has an integer optimum, so the relaxation's value is the best bound that prices can
give, and its dual values are the best prices. Rows are on what is held; worlds where what flows
binds are not solved this way. HiGHS finds them; the bound is worked out again from
them by an item sweep, which trusts nothing that HiGHS says.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity, vstack

from pipeline.core.certificate import lower_bound
from pipeline.core.flow import HELD
from pipeline.core.item import ItemTables, sweep
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity
from pipeline.core.size import empty_cost

STEP = 1e-4
"""Change of capacity for a slope, as a share of it: small against the room that one unit takes."""


@dataclass(frozen=True)
class Programme:
    """Columns: units at (item[i], node[i]) first, then unserved steps, then overflow by row.

    cost: [columns] usd; covers: [(item, set), columns], what adds up to ``demand`` at least;
    usage: [rows, columns], what is at most limit; most: [columns] upper bounds.
    """

    item: NDArray[np.int64]
    node: NDArray[np.int64]
    cost: NDArray[np.float64]
    covers: csr_matrix
    demand: NDArray[np.float64]
    usage: csr_matrix
    most: NDArray[np.float64]


def programme(woods: Forest, items: ItemTables, capacity: Capacity) -> Programme:
    """The programme of these items and rows."""
    k_of, j_of = np.nonzero(np.isfinite(items.place_usd))
    covers, demand = _covers(woods, items, k_of, j_of)
    n_y, n_o = len(k_of), len(capacity)
    n_z = covers.shape[1] - n_y
    knots = _knots(items)
    usage = _usage(items, capacity, k_of, j_of)
    return Programme(
        k_of,
        j_of,
        np.concatenate(
            [items.place_usd[k_of, j_of].astype(float), knots[:, 1], capacity.overflow_usd]
        ),
        hstack([covers, csr_matrix((covers.shape[0], n_o))]).tocsr(),
        demand,
        hstack([usage, csr_matrix((n_o, n_z)), -identity(n_o)]).tocsr(),
        np.concatenate([np.full(n_y, np.inf), knots[:, 0], np.full(n_o, np.inf)]),
    )


@dataclass(frozen=True)
class Relaxed:
    """The relaxation's optimum: lower: usd, a bound on any plan's cost; price, overflow: [rows];
    units: [items, nodes], not whole."""

    lower: float
    price: NDArray[np.float64]
    overflow: NDArray[np.float64]
    units: NDArray[np.float64]


def relax(
    woods: Forest, items: ItemTables, capacity: Capacity, whole: Programme | None = None
) -> Relaxed:
    """Best prices and bound."""
    whole = whole or programme(woods, items, capacity)
    _, x, price = _solve(whole, capacity)
    price = np.clip(price, 0.0, capacity.overflow_usd)
    everything = np.array([0, len(items)])
    saved, _ = sweep(woods, items, everything, capacity.on_items(price)[None])
    least = float((empty_cost(items, everything) - saved)[0])
    units = np.zeros(items.place_usd.shape)
    units[whole.item, whole.node] = x[: len(whole.item)]
    overflow = np.maximum(x[len(x) - len(capacity) :], 0.0)
    overflow[overflow < 1e-9 * np.maximum(np.abs(capacity.limit), 1.0)] = 0.0
    return Relaxed(lower_bound(least, price, capacity), price, overflow, units)


def slopes(
    woods: Forest, items: ItemTables, capacity: Capacity, price: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Loss [rows] in usd per unit of capacity less, and gain per unit more, of the relaxation's
    value: solved again with a little less and a little more of each row that matters.

    price: [rows] dual values, between the two.
    """
    whole = programme(woods, items, capacity)
    value, x, _ = _solve(whole, capacity)
    full = whole.usage @ x >= capacity.limit - STEP * np.maximum(np.abs(capacity.limit), 1.0)
    left, right = np.zeros(len(capacity)), np.zeros(len(capacity))
    for row in np.flatnonzero((price > 0) | full):
        step = STEP * max(abs(capacity.limit[row]), 1.0)
        change = np.zeros(len(capacity))
        change[row] = step
        less, more = (
            _solve(whole, replace(capacity, limit=capacity.limit + sign * change))[0]
            for sign in (-1.0, 1.0)
        )
        left[row] = min(max((less - value) / step, price[row]), capacity.overflow_usd[row])
        right[row] = max(min((value - more) / step, price[row]), 0.0)
    return left, right


def _solve(
    whole: Programme, capacity: Capacity
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Value, columns and row prices of the relaxation."""
    found = linprog(
        whole.cost,
        A_ub=vstack([whole.usage, -whole.covers]),
        b_ub=np.concatenate([capacity.limit, -whole.demand]),
        bounds=np.stack([np.zeros(len(whole.most)), whole.most], axis=1),
        method="highs-ds",
    )
    if found.status != 0:
        raise RuntimeError(f"the relaxed programme was not solved: {found.message}")
    return float(found.fun), found.x, -found.ineqlin.marginals[: len(capacity)]


def _knots(items: ItemTables) -> NDArray[np.float64]:
    """Knots in order of item and set; those that no set counts are hidden."""
    length = items.count.sum(axis=1, dtype=np.int64)
    begin = np.cumsum(length) - length
    at = np.repeat(items.start[:-1] - begin, length) + np.arange(length.sum())
    return items.knots[at].astype(float)


def _covers(
    woods: Forest, items: ItemTables, k_of: NDArray[np.int64], j_of: NDArray[np.int64]
) -> tuple[csr_matrix, NDArray[np.float64]]:
    """Rows (item, set): what units in the set and unserved steps must add up to."""
    width = items.count.shape[1]
    member = np.zeros((len(items), width, woods.n_nodes), np.bool_)
    for t, tree in enumerate(woods.trees):
        member[np.ix_(items.tree == t, np.arange(tree.n_sets))] = tree.members
    row, column = np.nonzero(member[k_of, :, j_of].reshape(len(k_of), width).T)
    steps = items.count.astype(np.int64).ravel()
    owner = np.repeat(np.arange(len(steps)), steps)  # knots stand by item and set
    total = np.zeros(len(steps))
    np.add.at(total, owner, _knots(items)[:, 0])
    asked: NDArray[np.bool_] = steps > 0
    inside = csr_matrix(
        (np.ones(len(row)), (k_of[column] * width + row, column)), shape=(len(steps), len(k_of))
    )
    unserved = csr_matrix(
        (np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(len(steps), len(owner))
    )
    return hstack([inside, unserved]).tocsr()[asked], total[asked]


def _usage(
    items: ItemTables, capacity: Capacity, k_of: NDArray[np.int64], j_of: NDArray[np.int64]
) -> csr_matrix:
    """What a unit of each item at each node holds of each row."""
    _, kinds, nodes = capacity.shape
    cell = (items.week[k_of].astype(np.int64) * kinds + HELD) * nodes + j_of
    held = capacity.rows.tocsc()[:, cell]
    return held.multiply(items.use[k_of, HELD].astype(float)[None, :]).tocsr()
