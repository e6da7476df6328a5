"""From the optimum of the whole horizon (core.horizon) to whole levels.

What waits for later weeks, and where, is taken from the programme. Then every week, or group of
weeks that something waits between, is a small mixed-integer programme of its own: levels next to
the programme's, and what is served of them. It ends at a gap or at a number of nodes, never at a
time, so the same night gives the same plan on any machine.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import bmat, coo_matrix, csr_matrix, hstack, identity, vstack
from scipy.sparse.csgraph import connected_components

from pipeline.core.flow import ENTERING, HELD, LEAVING
from pipeline.core.horizon import Horizon, served_rows
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity
from pipeline.core.programme import Programme
from pipeline.core.serve import Array, Placed, entry_weeks
from pipeline.kernels import njit

TOLERANCE = 1e-7
"""Share of a limit that is left free, so that HiGHS' tolerance exceeds none."""
WHOLE = 1e-6
"""Distance from a whole number at which a level counts as one."""


@dataclass(frozen=True)
class Ways:
    """What a unit that enters for each (item, node) of a programme brings: use [rows, columns],
    usd of waiting [columns]."""

    use: csr_matrix
    usd: NDArray[np.float64]


@njit(nogil=True, cache=True)
def _entered(week: Array, group: Array, feeder: Array, waits: Array, entered: Array) -> None:
    for k in range(len(week)):
        entry_weeks(int(week[k]), feeder, waits[group[k]], entered[k])


def entries(woods: Forest, items: ItemTables, found: Horizon, share: float) -> NDArray[np.uint8]:
    """Weeks [items, nodes, depth] in which what is needed enters: all of it waits from the week
    before where more than a share of it does in the programme."""
    waits = np.zeros(found.waiting.shape, np.bool_)
    before, now = found.waiting[:, :-1], found.entering[:, 1:]
    waits[:, 1:] = (1.0 - share) * before > share * now
    entered = np.zeros((len(items), woods.n_nodes, woods.depth), np.uint8)
    _entered(items.week, found.group, woods.feeder, waits, entered)
    return entered


def ways_in(
    woods: Forest, items: ItemTables, capacity: Capacity, whole: Programme,
    entered: NDArray[np.uint8],
) -> Ways:  # fmt: skip
    """Use and usd of a unit's way in, by column y of the programme."""
    weeks, kinds, nodes = capacity.shape
    k, at = whole.item, whole.node.copy()
    use, turn = items.use.astype(float)[k], items.turn.astype(float)[k]
    until = items.week[k].astype(np.int64)
    usd = np.zeros(len(k))
    cells: list[NDArray] = []
    owners: list[NDArray] = []
    values: list[NDArray] = []

    def add(where: NDArray, week: NDArray | int, kind: int, node: NDArray, each: NDArray) -> None:
        cell = (week * kinds + kind) * nodes + node
        cells.append(np.broadcast_to(cell, node.shape)[where])
        owners.append(np.flatnonzero(where))
        values.append(each[where])

    for d in range(woods.depth):
        live = at >= 0
        node = np.maximum(at, 0)
        came = entered[k, whole.node, d].astype(np.int64)
        waited = np.where(live, until - came, 0)
        place = np.where(waited > 0, items.place_usd[k, node].astype(float), 0.0)
        usd += waited * turn * place
        for t in range(weeks):
            add(live & (came <= t) & (t < until), t, HELD, node, turn * use[:, HELD])
        for kind in range(ENTERING, kinds):
            add(live, came, kind, node, use[:, kind])
        above = np.where(live, woods.feeder[node], -1)
        if kinds > LEAVING:
            add(above >= 0, came, LEAVING, np.maximum(above, 0), use[:, LEAVING])
        at, until = above, came
    flows = coo_matrix(
        (np.concatenate(values), (np.concatenate(cells), np.concatenate(owners))),
        (weeks * kinds * nodes, len(k)),
    ).tocsr()  # fmt: skip
    return Ways((capacity.rows @ flows).tocsr(), usd)


def whole_plan(
    woods: Forest, items: ItemTables, capacity: Capacity, found: Horizon,
    entered: NDArray[np.uint8], gap: float, nodes: int,
) -> Placed:  # fmt: skip
    """A plan with whole levels next to the programme's; rounded down where no better was found.

    entered: [items, nodes, depth] weeks in which what is needed enters, as in Placed.
    """
    whole, weeks_kinds = found.whole, capacity.shape[1]
    n_y, n_o = len(whole.item), len(capacity)
    n_z = len(whole.cost) - n_y - n_o
    ways = ways_in(woods, items, capacity, whole, entered)
    rise = items.rise[whole.item, whole.node].astype(float)
    cell = (items.week[whole.item].astype(np.int64) * weeks_kinds + LEAVING) * woods.n_nodes
    leaving = capacity.rows.tocsc()[:, cell + whole.node].multiply(
        items.use[whole.item, LEAVING].astype(float)[None, :]
    )
    by_level = whole.usage[:, :n_y] + ways.use.multiply(rise[None, :])
    nothing = csr_matrix((n_o, n_z))
    usage = hstack([by_level, nothing, ways.use + leaving]).tocsr()
    served = served_rows(whole, items)
    n_s = len(whole.demand)
    gap_usd = items.gap_usd.ravel().astype(float)[items.count.ravel() > 0]
    covers = hstack([whole.covers[:, : n_y + n_z], csr_matrix((n_s, n_y + n_s))])
    met = hstack([served.met, identity(n_s)])
    capped = hstack([identity(n_y), csr_matrix((n_y, n_z)), -identity(n_y), csr_matrix((n_y, n_s))])
    cost = np.concatenate([whole.cost[:n_y] + rise * ways.usd, whole.cost[n_y : n_y + n_z],
                           ways.usd, gap_usd])  # fmt: skip
    levels = found.relaxed.units[whole.item, whole.node]
    beside = levels > 0.5
    least_y = np.maximum(np.floor(levels + WHOLE) - beside, 0.0)
    most_y = np.ceil(levels - WHOLE) + beside
    least_z, most_z = _steps(whole, least_y, most_y)
    low = np.concatenate([least_y, least_z, np.zeros(n_y + n_s)])
    high = np.concatenate([most_y, most_z, most_y, np.full(n_s, np.inf)])
    least = vstack([covers, met, capped]).tocsr()
    usage = hstack([usage, csr_matrix((n_o, n_s))]).tocsr()
    asked = np.concatenate([whole.demand, served.asked, np.zeros(n_y)])
    answer = np.zeros(len(cost))
    known: dict[bytes, NDArray[np.float64]] = {}  # weeks that are alike share one
    for columns, of_least, of_usage in _components(least, usage):
        part = (
            cost[columns], least[of_least][:, columns], asked[of_least],
            usage[of_usage][:, columns], capacity.limit[of_usage], capacity.overflow_usd[of_usage],
            found.relaxed.overflow[of_usage], low[columns], high[columns],
            columns < n_y,
        )  # fmt: skip
        key = _digest(part)
        if key not in known:
            down = np.floor(levels[columns[columns < n_y]] + WHOLE)
            known[key] = _solved(*part, down, gap, nodes)
        answer[columns] = known[key]
    position = np.zeros(items.place_usd.shape, np.int32)
    position[whole.item, whole.node] = np.rint(answer[:n_y])
    flows = np.zeros(position.shape)
    flows[whole.item, whole.node] = np.maximum(answer[n_y + n_z : -n_s], 0.0)
    return Placed(position, np.minimum(flows, position), entered)


def _steps(
    whole: Programme, least: NDArray[np.float64], most: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and most of each unserved step for levels between two: steps are covered in order of
    falling value, so only those that the levels of their set may end in are free."""
    n_y = len(whole.item)
    n_z = len(whole.cost) - n_y - whole.usage.shape[0]
    inside, steps = whole.covers[:, :n_y], whole.covers[:, n_y : n_y + n_z].tocsc()
    owner, length = steps.indices, whole.most[n_y : n_y + n_z]
    running = np.cumsum(length)
    first = np.searchsorted(owner, owner, side="left")
    begin = running - length - np.concatenate([[0.0], running])[first]
    low, high = (inside @ least)[owner], (inside @ most)[owner]
    return np.clip(begin + length - high, 0.0, length), np.clip(begin + length - low, 0.0, length)


def _components(
    least: csr_matrix, usage: csr_matrix
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Columns, rows of ``least`` and rows of ``usage`` that share nothing with others."""
    both = vstack([least, usage]).tocsr()
    graph = bmat([[None, both], [both.T, None]])
    _, label = connected_components(abs(graph), directed=False)
    rows, columns = label[: both.shape[0]], label[both.shape[0] :]
    found = []
    for part in np.unique(columns):
        mine = np.flatnonzero(rows == part)
        found.append((np.flatnonzero(columns == part), mine[mine < least.shape[0]],
                      mine[mine >= least.shape[0]] - least.shape[0]))  # fmt: skip
    return found


def _digest(part: tuple[NDArray | csr_matrix, ...]) -> bytes:
    """Equal for parts that are the same to ten digits."""
    found = hashlib.sha256()
    for one in part:
        values = one
        if isinstance(one, csr_matrix):
            found.update(one.indptr.tobytes() + one.indices.tobytes())
            values = one.data
        finite = np.where(np.isfinite(values), values, -1.0)
        found.update(np.char.mod("%.9e", finite.astype(float)).tobytes())
    return found.digest()


def _solved(
    cost: NDArray, least: csr_matrix, asked: NDArray, usage: csr_matrix, limit: NDArray,
    overflow_usd: NDArray, overflow: NDArray, low: NDArray, high: NDArray, is_level: NDArray,
    down: NDArray, gap: float, nodes: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Columns of one part, with levels ``down`` if nothing better is found; a row may overflow
    only where the relaxed programme's does."""
    n_o = len(limit)
    tight = limit - TOLERANCE * np.maximum(np.abs(limit), 1.0)
    above = csr_matrix((least.shape[0], n_o))
    rows = LinearConstraint(
        vstack([hstack([least, above]), hstack([usage, -identity(n_o)])]).tocsr(),
        np.concatenate([asked, np.full(n_o, -np.inf)]),
        np.concatenate([np.full(len(asked), np.inf), np.where(overflow > 0, limit, tight)]),
    )
    usd = np.concatenate([cost, overflow_usd])
    whole = np.concatenate([is_level & (low < high), np.zeros(n_o)]).astype(int)
    options = {"mip_rel_gap": gap, "node_limit": nodes}
    for over in (np.where(overflow > 0, np.inf, 0.0), np.full(n_o, np.inf)):
        bounds = Bounds(np.concatenate([low, np.zeros(n_o)]), np.concatenate([high, over]))
        found = milp(usd, constraints=rows, bounds=bounds, integrality=whole, options=options)
        if found.x is not None:
            return np.asarray(found.x[: len(cost)])
        low, high, whole = low.copy(), high.copy(), np.zeros_like(whole)
        low[is_level] = high[is_level] = down
    raise RuntimeError(f"no whole levels were found: {found.message}")
