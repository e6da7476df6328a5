"""The whole horizon of a small world as one programme: levels, what is served, and how it comes in.

Beside the columns of core.programme (levels y, unserved steps z, overflow o) there are, by node and
week, what is served u, what enters a and what waits for the next week b:

    sum_{j in S} u_kj + sum_i chance_i z_kSi >= demand of S,     u_kj <= y_kj
    b_t = b_t-1 + a_t - u_t - rise y_t - (what goes on to nodes that it feeds)

and rows count what stands and waits, enters and leaves. Its optimum is the best bound that any
method has, and its dual values are the prices; those of u <= y are the items' own *tolls*, usd
charged on what a node serves and credited to its levels, at which a sweep of items (core.item)
finds the same bound. Only that sweep is trusted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp
from scipy.optimize import OptimizeResult, linprog
from scipy.sparse import coo_matrix, csr_matrix, hstack, vstack

from pipeline.core.certificate import lower_bound
from pipeline.core.flow import ENTERING, HELD, LEAVING
from pipeline.core.item import ItemTables, sweep
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity
from pipeline.core.programme import Programme, Relaxed, programme
from pipeline.core.size import empty_cost

STEP = 1e-5
"""Change of capacity at which a slope is taken, as a share of it."""


@dataclass(frozen=True)
class System:
    """minimize cost x, upper x <= bound, equal x = 0, 0 <= x <= most; the first rows of ``upper``
    are capacity rows, the next ``capped`` say u <= y; levels, served: first columns of y and u."""

    cost: NDArray[np.float64]
    upper: csr_matrix
    bound: NDArray[np.float64]
    equal: csr_matrix
    most: NDArray[np.float64]
    capped: int
    served: int


@dataclass(frozen=True)
class Served:
    """Rows of what is served from the levels of a programme: ``met`` [(item, set), columns] at
    least ``asked``, over columns y, z, u; usd chance of every z."""

    met: csr_matrix
    asked: NDArray[np.float64]


@dataclass(frozen=True)
class Horizon:
    """The optimum: whole: its programme; relaxed: prices, levels, bound; toll: [items, nodes] usd;
    group: [items] the item that each row plans a week of; entering, waiting: [groups, weeks, nodes]
    units that enter, and that wait for the week after."""

    whole: Programme
    relaxed: Relaxed
    toll: NDArray[np.float64]
    group: NDArray[np.int64]
    entering: NDArray[np.float64]
    waiting: NDArray[np.float64]


def served_rows(whole: Programme, items: ItemTables) -> Served:
    """What is served within each set, with its unserved steps, makes up for its demand; columns y,
    z and as many u as y."""
    n_y, n_o = len(whole.item), whole.usage.shape[0]
    n_z = len(whole.cost) - n_y - n_o
    asked = np.flatnonzero(items.count.ravel() > 0)
    gap = items.gap_usd.ravel().astype(float)[asked]
    unserved = whole.covers[:, n_y : n_y + n_z].tocoo()
    usd = whole.cost[n_y : n_y + n_z]
    chance = usd[unserved.col] / gap[unserved.row]
    of_steps = coo_matrix((chance, (unserved.row, unserved.col)), unserved.shape).tocsr()
    most = np.where(np.isfinite(whole.most), whole.most, 0.0)[n_y : n_y + n_z]
    nothing = csr_matrix((len(asked), n_y))
    return Served(
        hstack([nothing, of_steps, whole.covers[:, :n_y]]).tocsr(), np.asarray(of_steps @ most)
    )


def groups(items: ItemTables, weeks: int) -> NDArray[np.int64]:
    """[rows] number of the item that each row plans a week of: rows stand week by week, or every
    row is an item of its own."""
    n = len(items) // weeks
    if n * weeks == len(items) and (items.week == np.repeat(np.arange(weeks), n)).all():
        return np.tile(np.arange(n), weeks)
    return np.arange(len(items))


def system(woods: Forest, items: ItemTables, capacity: Capacity, whole: Programme) -> System:
    """The programme of these items and rows, columns y, z, o, u, a, b."""
    weeks, kinds, nodes = capacity.shape
    n_y, n_o = len(whole.item), len(capacity)
    n_z = len(whole.cost) - n_y - n_o
    group = groups(items, weeks)
    first = np.unique(group, return_index=True)[1]  # a row of each item
    k = np.repeat(first, weeks * nodes)
    t = np.tile(np.repeat(np.arange(weeks), nodes), len(first))
    j = np.tile(np.arange(nodes), len(first) * weeks)
    turn, use = items.turn.astype(float), items.use.astype(float)
    waiting = turn[k] * items.place_usd[k, j].astype(float)
    waits = np.isfinite(waiting) & (t + 1 < weeks)
    columns = capacity.rows.tocsc()

    def used(kind: int, week: NDArray, node: NDArray, each: NDArray) -> csr_matrix:
        return columns[:, (week * kinds + kind) * nodes + node].multiply(each[None, :]).tocsr()

    out = items.week[whole.item].astype(np.int64)
    by_served = used(LEAVING, out, whole.node, use[whole.item, LEAVING])
    by_entry = csr_matrix((n_o, len(k)))
    for kind in range(ENTERING, kinds):
        by_entry = by_entry + used(kind, t, j, use[k, kind])
    fed = woods.feeder[j] >= 0
    by_entry = by_entry + used(LEAVING, t, np.maximum(woods.feeder[j], 0), use[k, LEAVING] * fed)
    by_waiting = used(HELD, t, j, turn[k] * use[k, HELD])
    usage = hstack([whole.usage, by_served, by_entry, by_waiting])

    served = served_rows(whole, items)
    rest = csr_matrix((n_y, n_z + n_o))
    same = csr_matrix((np.ones(n_y), np.arange(n_y), np.arange(n_y + 1)))
    flows = csr_matrix((n_y, 2 * len(k)))
    capped = hstack([-same, rest, same, flows])
    wide = csr_matrix((served.met.shape[0], 2 * len(k)))
    met = hstack([served.met[:, : n_y + n_z], csr_matrix((served.met.shape[0], n_o)),
                  served.met[:, n_y + n_z :], wide])  # fmt: skip
    covers = hstack([whole.covers, csr_matrix((len(whole.demand), n_y + 2 * len(k)))])
    return System(
        np.concatenate([whole.cost, np.zeros(n_y + len(k)), np.where(waits, waiting, 0.0)]),
        vstack([usage, capped, -met, -covers]).tocsr(),
        np.concatenate([capacity.limit, np.zeros(n_y), -served.asked, -whole.demand]),
        _balance(woods, items, whole, group, weeks),
        np.concatenate([
            whole.most, np.full(n_y + len(k), np.inf), np.where(waits, np.inf, 0.0)
        ]),
        n_y,
        len(whole.cost),
    )  # fmt: skip


def _balance(
    woods: Forest, items: ItemTables, whole: Programme, group: NDArray[np.int64], weeks: int
) -> csr_matrix:
    """Rows (item, week, node): what waits after the week, less before, less what enters, plus what
    is served, what levels rise by, and what goes on."""
    nodes = woods.n_nodes
    n, n_y = int(group.max(initial=-1)) + 1, len(whole.item)
    cells = n * weeks * nodes
    cell = np.arange(cells)
    week, node = cell // nodes % weeks, cell % nodes
    mine = (group[whole.item] * weeks + items.week[whole.item]) * nodes + whole.node
    rise = items.rise[whole.item, whole.node].astype(float)
    first_u = len(whole.cost)
    first_a = first_u + n_y
    first_b = first_a + cells
    later, fed = np.flatnonzero(week > 0), np.flatnonzero(woods.feeder[node] >= 0)
    row = np.concatenate([mine, mine, cell, cell, later, fed - node[fed] + woods.feeder[node[fed]]])
    column = np.concatenate([
        np.arange(n_y), first_u + np.arange(n_y), first_a + cell, first_b + cell,
        first_b + later - nodes, first_a + fed,
    ])  # fmt: skip
    value = np.concatenate([
        rise, np.ones(n_y), -np.ones(cells), np.ones(cells), -np.ones(len(later)),
        np.ones(len(fed)),
    ])  # fmt: skip
    return coo_matrix((value, (row, column)), (cells, first_b + cells)).tocsr()


def relax_horizon(woods: Forest, items: ItemTables, capacity: Capacity) -> Horizon:
    """The optimum of the whole horizon."""
    whole = programme(woods, items, capacity)
    one = system(woods, items, capacity, whole)
    found = _solved(one, one.bound)
    if found.status != 0:
        raise RuntimeError(f"the programme of the horizon was not solved: {found.message}")
    n_y, n_o = len(whole.item), len(capacity)
    dual = np.maximum(-found.ineqlin.marginals, 0.0)
    price = np.minimum(dual[:n_o], capacity.overflow_usd)
    toll = np.zeros(items.place_usd.shape)
    toll[whole.item, whole.node] = dual[n_o : n_o + n_y]
    everything = np.array([0, len(items)])
    saved, _ = sweep(woods, items, everything, capacity.on_items(price)[None], toll=toll)
    least = float((empty_cost(items, everything) - saved)[0])
    units = np.zeros(items.place_usd.shape)
    units[whole.item, whole.node] = found.x[:n_y]
    overflow = np.maximum(found.x[len(whole.cost) - n_o : len(whole.cost)], 0.0)
    overflow[overflow < 1e-9 * np.maximum(np.abs(capacity.limit), 1.0)] = 0.0
    relaxed = Relaxed(lower_bound(least, price, capacity), price, overflow, units)
    weeks, _, nodes = capacity.shape
    flows = found.x[one.served + n_y :].reshape(2, -1, weeks, nodes)
    group = groups(items, weeks)
    return Horizon(whole, relaxed, toll, group, flows[0], flows[1])


def horizon_slopes(
    woods: Forest, items: ItemTables, capacity: Capacity, price: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Loss [rows] in usd per unit of capacity less, and gain per unit more: the dual values at a
    little less and a little more of each priced row, each solved from the basis before.

    price: [rows] dual values, between the two.
    """
    one = system(woods, items, capacity, programme(woods, items, capacity))
    solver, rows = _incremental(one, len(capacity))
    left, right = np.zeros(len(capacity)), np.zeros(len(capacity))
    for row in np.flatnonzero(price > 0).tolist():
        step = STEP * max(abs(float(capacity.limit[row])), 1.0)
        slope = []
        for sign in (-1.0, 1.0):
            limit = float(capacity.limit[row]) + sign * step
            rows[row].SetUb(limit)
            if solver.Solve() == pywraplp.Solver.OPTIMAL:
                slope.append(max(-rows[row].dual_value(), 0.0))
            else:  # the basis before can leave GLOP without a pivot that it trusts
                slope.append(_dual_anew(one, row, limit, float(price[row])))
        rows[row].SetUb(float(capacity.limit[row]))
        left[row] = min(max(slope[0], price[row]), capacity.overflow_usd[row])
        right[row] = min(slope[1], price[row])
    return left, right


def _dual_anew(one: System, row: int, limit: float, price: float) -> float:
    """Dual value (usd, at least 0) of a row at another limit, without a basis to start from; the
    price at its own limit where that is not solved either: no night waits for a slope."""
    bound = one.bound.copy()
    bound[row] = limit
    found = _solved(one, bound)
    return max(-float(found.ineqlin.marginals[row]), 0.0) if found.status == 0 else price


def _solved(one: System, bound: NDArray[np.float64]) -> OptimizeResult:
    return linprog(
        one.cost, A_ub=one.upper, b_ub=bound, A_eq=one.equal,
        b_eq=np.zeros(one.equal.shape[0]),
        bounds=np.stack([np.zeros(len(one.most)), one.most], axis=1), method="highs",
    )  # fmt: skip


def _incremental(one: System, n_rows: int) -> tuple[pywraplp.Solver, list[pywraplp.Constraint]]:
    """GLOP with the programme in it, which keeps its basis, and its first rows."""
    solver = pywraplp.Solver.CreateSolver("GLOP")
    solver.SetSolverSpecificParametersAsString("use_preprocessing: false use_dual_simplex: true")
    endless = solver.infinity()
    columns = [solver.NumVar(0.0, float(min(most, endless)), "") for most in one.most]
    objective = solver.Objective()
    for column, usd in zip(columns, one.cost.tolist(), strict=True):
        objective.SetCoefficient(column, usd)
    rows = []
    for matrix, bound, low in ((one.upper, one.bound, -endless), (one.equal, None, 0.0)):
        for i in range(matrix.shape[0]):
            row = solver.Constraint(low, 0.0 if bound is None else float(bound[i]))
            part = slice(matrix.indptr[i], matrix.indptr[i + 1])
            for column, value in zip(
                matrix.indices[part].tolist(), matrix.data[part].tolist(), strict=True
            ):
                row.SetCoefficient(columns[column], value)
            rows.append(row)
    return solver, rows[:n_rows]
