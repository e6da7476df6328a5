"""Where existing stock goes tonight: transfers over lanes by marginal value, under capacities.

Each item is a transportation problem. Node j holds `fixed` units that cannot move tonight (on the
way to it) and `movable` ones (on hand). With x the position after the transfers,

    max  sum_j V_j(x_j) - sum_lanes c_l t_l     sum_l t_l out of i <= movable_i,  t in whole lots
    V_j(x) = u_j (E[min(D_j, x)] - x P(D_j > b_j))

V_j is the newsvendor's value of holding x where a unit served from j saves u_j, with the cost of
holding a unit chosen so that the base-stock level b_j is exactly optimal: marginal value u_j (P(D_j
> x) - P(D_j > b_j)) falls to zero at b_j. When stock is short it is shared by equal marginal value;
stock beyond a level is free to go. All items form one min-cost flow (OR-Tools). Capacity rows of
lanes and nodes are priced: a packing LP over the lines of the flow gives prices, the flow is solved
again at those prices, and the lines that remain are cut to whole lots that fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow
from scipy.special import gammainc

from pipeline.core.arithmetic import product
from pipeline.core.line_packing import best_shares, filled
from pipeline.core.lot_moves import Rows, improved
from pipeline.core.placement import chosen_plans

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SEGMENTS = 16
"""Pieces of a value curve, one of them above the level; below it up to 15 lots have their own."""
_ROUNDS = 3
_FEW_CELLS = 300_000
"""Items times lanes times rows up to which single lots are looked at once more."""
_MICRO = 1e6


@dataclass(frozen=True)
class Holding:
    """What a unit is worth where: arrays [items, nodes].

    level: base-stock units; mean, sd: demand over the protection interval, units; saved_usd: what
    serving a unit from the node saves. keeps_surplus: stock above the level is worth what the level
    is (a node that already holds more), rather than less and less (one that would be given more).
    """

    level: Floats
    mean: Floats
    sd: Floats
    saved_usd: Floats
    keeps_surplus: NDArray[np.bool_]

    def value(self, item: Ints, node: Ints, units: NDArray[np.generic]) -> Floats:
        """V of `units` at (item, node), usd; the three broadcast."""
        at = (item, node)
        level = self.level[at]
        x = np.asarray(units, dtype=np.float64)
        x = np.where(self.keeps_surplus[at], np.minimum(x, level), x)
        served = expected_served(self.mean[at], self.sd[at], x)
        beyond = tail(self.mean[at], self.sd[at], level)
        return np.asarray(self.saved_usd[at] * (served - x * beyond))


def tail(mean: Floats, sd: Floats, units: Floats) -> Floats:
    """P(D > units) for gamma demand of the given mean and standard deviation."""
    m, s = np.maximum(mean, 1e-9), np.maximum(sd, 1e-9)
    shape, scale = (m / s) ** 2, s**2 / m
    return np.where(mean > 0, 1.0 - gammainc(shape, np.maximum(units, 0.0) / scale), 0.0)


def expected_served(mean: Floats, sd: Floats, units: Floats) -> Floats:
    """E[min(D, units)] for gamma demand; negative units are demand owed, counted in full."""
    m, s = np.maximum(mean, 1e-9), np.maximum(sd, 1e-9)
    shape, scale = (m / s) ** 2, s**2 / m
    x = np.maximum(units, 0.0)
    below = gammainc(shape + 1, x / scale) * m
    return np.where(mean > 0, below + x * (1.0 - gammainc(shape, x / scale)), 0.0) + np.minimum(
        units, 0.0
    )


@dataclass(frozen=True)
class Network:
    """Lanes and capacity rows. source, target: [lanes] nodes; usd: [items, lanes] cost of a unit.

    lot: [items, lanes] units that move together: 1, or the case of the item (`case`, [items]).
    row_of: [rows, lanes] bool, the row counts the lane; weight: [rows, items] what a unit uses of
    it; room: [rows] what there is.
    """

    source: Ints
    target: Ints
    usd: Floats
    lot: Ints
    case: Ints
    row_of: NDArray[np.bool_]
    weight: Floats
    room: Floats


@dataclass(frozen=True)
class Transfers:
    """Lines: item, lane, units, and value_usd of each against not moving it; prices of the rows."""

    item: Ints
    lane: Ints
    units: Ints
    value_usd: Floats
    row_price: Floats


def allocate(
    fixed: Ints, movable: Ints, holding: Holding, network: Network, line_usd: float
) -> Transfers:
    """The night's transfers; fixed, movable: int [items, nodes].

    Whole lots, never more than is movable, no row above its room, no line worth less than
    line_usd. Exact for lots of one where no row binds and no curve has more than SEGMENTS lots.
    """
    price, position = np.zeros(len(network.room)), fixed + movable
    best: tuple[float, Ints] | None = None
    is_short = False
    for _ in range(_ROUNDS):
        toll = np.einsum("r,rk,rl->kl", price, network.weight, network.row_of)
        moved = _flow_in_lots(fixed, movable, holding, network, toll)
        moved, found = _fit(moved, fixed + movable, holding, network, line_usd)
        total = float(_line_values(moved, fixed + movable, holding, network)[2].sum())
        if best is None or total > best[0] + 1e-9:
            best = (total, moved)
        is_short |= bool((found > 0).any())
        if np.allclose(found, 0.0) or np.allclose(found, price):
            break
        price = np.maximum(price, found)
    assert best is not None  # noqa: S101 - the loop runs at least once
    moved = best[1]
    if is_short:
        moved, price = _searched(moved, fixed, movable, holding, network, line_usd, price)
    item, lane, value = _line_values(moved, position, holding, network)
    return Transfers(item, lane, moved[item, lane], value, price)


def allocate_at(
    price: Floats, fixed: Ints, movable: Ints, holding: Holding, network: Network, line_usd: float
) -> Transfers:
    """As `allocate` at prices of the rows that are given: items come apart, no room is asked."""
    toll = np.einsum("r,rk,rl->kl", price, network.weight, network.row_of)
    moved = _flow_in_lots(fixed, movable, holding, network, toll)
    moved, (item, lane, value) = _paying(moved, fixed + movable, holding, network, line_usd)
    return Transfers(item, lane, moved[item, lane], value, price)


def _searched(
    moved: Ints, fixed: Ints, movable: Ints, holding: Holding, network: Network, line_usd: float,
    price: Floats,
) -> tuple[Ints, Floats]:  # fmt: skip
    """The plan, or a better one where rows are short (core.placement), every line worth it; and
    the rows' prices, those of the better one where it is."""
    position = fixed + movable

    def worth(plan: Ints) -> Floats:
        return plan_values(plan, position, holding, network, line_usd)

    typical = line_usd / max(float(moved[moved > 0].mean()) if moved.any() else 1.0, 1.0)

    def planner(at: Floats) -> Ints:
        toll = np.einsum("r,rk,rl->kl", at, network.weight, network.row_of)
        found = _flow_in_lots(fixed, movable, holding, network, toll + typical)
        return _paying(found, position, holding, network, line_usd)[0]

    found, mixed = chosen_plans(
        moved, planner, worth, network.weight, network.row_of, network.room, price
    )
    if found.size * len(network.room) <= _FEW_CELLS:  # elsewhere a lot more or less is no matter
        level = np.ceil(holding.level).astype(np.int64)
        most = np.minimum(movable[:, network.source], level[:, network.target])
        rows = Rows(network.weight, network.row_of, network.room)

        def gain(plans: Ints, item: Ints, lane: Ints, units: Ints) -> Floats:
            return _change_usd(plans, position, holding, network, line_usd, (item, lane, units))

        found = improved(found, most, network.lot, network.source, movable, gain, rows)
    found, _ = _fit(found, position, holding, network, line_usd)
    is_better = worth(found).sum() > worth(moved).sum() + 1e-9
    return (found, mixed) if is_better else (moved, price)


def _change_usd(
    moved: Ints, position: Ints, holding: Holding, network: Network, line_usd: float,
    change: tuple[Ints, Ints, Ints],
) -> Floats:  # fmt: skip
    """Usd that each change (items, lanes, units) of the plan gains by itself."""
    item, lane, units = change
    out, into = _node_sums(moved, network, position.shape)
    after = position - out + into
    i, j = network.source[lane], network.target[lane]
    before = moved[item, lane]
    lines = line_usd * (((before + units) > 0).astype(float) - (before > 0))
    return np.asarray(
        holding.value(item, j, after[item, j] + units) - holding.value(item, j, after[item, j])
        + holding.value(item, i, after[item, i] - units) - holding.value(item, i, after[item, i])
        - network.usd[item, lane] * units - lines
    )  # fmt: skip


def plan_values(
    moved: Ints, position: Ints, holding: Holding, network: Network, line_usd: float
) -> Floats:
    """Usd [items] that moving units [items, lanes] gains, cost of its lines included."""
    out, into = _node_sums(moved, network, position.shape)
    k, j = np.arange(len(position))[:, None], np.arange(position.shape[1])[None, :]
    gained = holding.value(k, j, position - out + into) - holding.value(k, j, position)
    spent = network.usd * moved + line_usd * (moved > 0)
    return np.asarray(gained.sum(axis=1) - spent.sum(axis=1))


def _flow_in_lots(
    fixed: Ints, movable: Ints, holding: Holding, network: Network, toll: Floats
) -> Ints:
    """Units [items, lanes]: a flow in units, whose case lanes are then solved again in cases."""
    one = np.ones(len(fixed), dtype=np.int64)
    usd = network.usd + toll
    every = np.ones(network.lot.shape, dtype=bool)
    moved = _flow(fixed, movable, holding, network, usd, every, one)
    in_cases = network.lot > 1
    if not in_cases.any():
        return moved
    loose = np.where(in_cases, 0, moved)
    out, into = _node_sums(loose, network, fixed.shape)
    left = movable - out
    cases = left // network.case[:, None]
    rest = fixed + into + left - cases * network.case[:, None]
    packed = _flow(rest, cases, holding, network, usd, in_cases, network.case)
    return loose + packed * network.case[:, None]


def _node_sums(moved: Ints, network: Network, shape: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Units leaving and entering each (item, node)."""
    out, into = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for lane, (i, j) in enumerate(zip(network.source, network.target, strict=True)):
        out[:, i] += moved[:, lane]
        into[:, j] += moved[:, lane]
    return out, into


def _flow(
    fixed: Ints, movable: Ints, holding: Holding, network: Network, usd: Floats,
    is_open: NDArray[np.bool_], lot: Ints,
) -> Ints:  # fmt: skip
    """Optimal lots [items, lanes] as one min-cost flow; fixed in units, movable in lots."""
    n_items, n_nodes = fixed.shape
    moved = np.zeros(is_open.shape, dtype=np.int64)
    # Lots up to the level, the last one over it if that pays; what is there may leave, so that all
    # of it may have to come.
    want = np.ceil(np.maximum(holding.level - fixed, 0) / lot[:, None]).astype(np.int64)
    limit = np.where(is_open, np.minimum(movable[:, network.source], want[:, network.target]), 0)
    item, lane = np.nonzero(limit > 0)
    if not len(item):
        return moved
    used = np.zeros(fixed.shape, dtype=bool)
    used[item, network.source[lane]] = True
    used[item, network.target[lane]] = True
    k, j = np.nonzero(used)
    place = np.full(fixed.shape, -1, dtype=np.int64)
    place[k, j] = np.arange(len(k))
    sink = 2 * len(k)
    width, worth = _segments((k, j), fixed[k, j], movable[k, j], want[k, j], lot[k], holding)
    here = np.arange(len(k))
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(
        here, len(k) + here, movable[k, j], np.zeros(len(k), dtype=np.int64)
    )
    # A micro-dollar on every lot: nothing moves for nothing.
    cost = np.rint(usd[item, lane] * lot[item] * _MICRO).astype(np.int64) + 1
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        place[item, network.source[lane]], len(k) + place[item, network.target[lane]],
        limit[item, lane], cost,
    )  # fmt: skip
    segment_of, at = np.nonzero(width > 0)
    flow.add_arcs_with_capacity_and_unit_cost(
        len(k) + segment_of, np.full(len(segment_of), sink), width[segment_of, at],
        -np.rint(worth[segment_of, at] * _MICRO).astype(np.int64),
    )  # fmt: skip
    flow.set_nodes_supplies(here, movable[k, j])
    flow.set_nodes_supplies(np.array([sink]), np.array([-int(movable[k, j].sum())]))
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise ArithmeticError(f"min-cost flow of {n_items} items and {n_nodes} nodes: {status}")
    moved[item, lane] = flow.flows(arcs)
    return moved


def _segments(
    place: tuple[Ints, Ints], fixed: Ints, movable: Ints, want: Ints, lot: Ints, holding: Holding
) -> tuple[Ints, Floats]:
    """(width in lots, usd a lot) [places, SEGMENTS] of V from the fixed position upward.

    All pieces but the last divide the lots up to the level, the last one holds what is above it.
    """
    share = np.arange(SEGMENTS) / (SEGMENTS - 1)
    ends = np.floor(want[:, None] * share + 1e-9).astype(np.int64)
    few = want < SEGMENTS
    ends[few] = np.minimum(np.arange(SEGMENTS), want[few, None])
    ends = np.concatenate([ends, np.maximum(movable, want)[:, None]], axis=1)
    units = fixed[:, None] + ends * lot[:, None]
    value = holding.value(place[0][:, None], place[1][:, None], units)
    width = np.diff(ends, axis=1)
    worth = np.diff(value, axis=1) / np.maximum(width, 1)
    # Rounding of the special functions must not make a curve convex.
    return width, np.minimum.accumulate(np.where(width > 0, worth, np.inf), axis=1)


def _line_values(
    moved: Ints, position: Ints, holding: Holding, network: Network
) -> tuple[Ints, Ints, Floats]:
    """(item, lane, usd) of every line: what the plan would lose if the line stayed at home."""
    out, into = _node_sums(moved, network, position.shape)
    after = position - out + into
    item, lane = np.nonzero(moved)
    units, i, j = moved[item, lane], network.source[lane], network.target[lane]
    gained = holding.value(item, j, after[item, j]) - holding.value(item, j, after[item, j] - units)
    given = holding.value(item, i, after[item, i] + units) - holding.value(item, i, after[item, i])
    return item, lane, gained - given - network.usd[item, lane] * units


def _fit(
    moved: Ints, position: Ints, holding: Holding, network: Network, line_usd: float
) -> tuple[Ints, Floats]:
    """Lines that pay, cut to whole lots that fit every row, and the rows' prices."""
    moved, (item, lane, value) = _paying(moved, position, holding, network, line_usd)
    units = moved[item, lane]
    use = network.weight[:, item] * network.row_of[:, lane]
    binds = product(use, units) > network.room * (1 + 1e-12)
    price = np.zeros(len(network.room))
    if not binds.any():
        return moved, price
    part = (use[binds] > 0).any(axis=0)
    rows = np.flatnonzero(binds)
    # What the lines outside the binding rows use is nothing there, so room need not be netted.
    share, price[rows] = best_shares(
        value[part], units[part], use[np.ix_(rows, part)], network.room[rows]
    )
    lot = network.lot[item, lane]
    kept = units.copy()
    kept[part] = np.floor(share * units[part] / lot[part] + 1e-9).astype(np.int64) * lot[part]
    kept = filled(kept, units, lot, value / np.maximum(units, 1), (use, network.room))
    moved[item, lane] = kept
    return _paying(moved, position, holding, network, line_usd)[0], price


def _trim(moved: Ints, position: Ints, holding: Holding, network: Network) -> Ints:
    """Whole lots taken back that stand above a level since what was to leave there was cut."""
    moved = moved.copy()
    out, into = _node_sums(moved, network, position.shape)
    above = np.maximum(position - out + into - np.ceil(holding.level).astype(np.int64), 0)
    for lane, j in enumerate(network.target):
        lot = network.lot[:, lane]
        back = np.minimum(above[:, j], moved[:, lane]) // lot * lot
        moved[:, lane] -= back
        above[:, j] -= back
    return moved


def _paying(
    moved: Ints, position: Ints, holding: Holding, network: Network, line_usd: float
) -> tuple[Ints, tuple[Ints, Ints, Floats]]:
    """The lines worth at least line_usd each; dropping one can make another poor, so repeatedly."""
    while True:
        moved = _trim(moved, position, holding, network)
        item, lane, value = _line_values(moved, position, holding, network)
        poor = value < line_usd
        if not poor.any():
            return moved, (item, lane, value)
        moved[item[poor], lane[poor]] = 0
