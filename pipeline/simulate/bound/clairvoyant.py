"""The clairvoyant bound: the most profit that perfect information could have made.

Each item is a minimum-cost flow through its days (`clairvoyant_flow`) in which all is known: every
order with its region, speed and hour, every price, and on which days an order to a vendor can
arrive. No policy that keeps to lanes, vendors and what nodes accept earns more, because its own
units are such a flow: what is relaxed is that vendors deliver any quantity on any day on which one
order of the run would arrive (no minimums, packs or capacities; a late part may come alone), that
every customer takes a late delivery, and that the seller chooses which orders to serve, and from
where. Where the world's seller must serve all while he has stock, he may choose only as far as
`clairvoyant_orders` cannot rule it out.

Capacity is shared by items and overflow is charged at pi a unit. For any prices 0 <= p <= pi,

    pi (use - cap)^+ >= p (use - cap),

so the items' flows at costs plus p times use, plus the sum of p times cap, bound the profit after
overflow. Rows are storage by node and day, and flows by node and planning week, as the world
charges them (`_rooms`). The prices only decide how tight the bound is: they come from the master
of Dantzig and Wolfe over the flows seen so far, whose value is what mixed flows would earn, so that
the search ends when it has little more to win.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from pipeline.core.arithmetic import product
from pipeline.errors import EchelonError
from pipeline.simulate.bound.flow import (
    INBOUND,
    STORAGE,
    Calendar,
    Flow,
    Item,
    Ways,
    build,
    least_move_usd,
    solve,
)
from pipeline.simulate.bound.orders import must_serve, orders, terms
from pipeline.simulate.world.day import days_left_in_week
from pipeline.simulate.world.model import Tables, WorldModel
from pipeline.simulate.world.opportunity import replacement_usd
from pipeline.simulate.world.start import initial_state
from pipeline.simulate.world.supply import Ints, LeadTimes, Shipments, day_number, luck
from pipeline.simulate.world.truth import Truth

Floats = NDArray[np.float64]
_WORTH_A_STEP = 0.005  # share of the bound that further prices might take off


@dataclass(frozen=True)
class Bound:
    """usd: no policy's profit is above it; price_usd: [rows] the prices of capacity behind it."""

    usd: float
    price_usd: Floats


@dataclass(frozen=True)
class _Problem:
    """All items' flows; sunk_usd: what every policy pays or loses; use: [rows] of what comes of
    itself; cap, most_usd: [rows] capacity and the charge for overflow."""

    flows: list[Flow]
    sunk_usd: float
    use: Floats
    cap: Floats
    most_usd: Floats


def clairvoyant_bound(
    model: WorldModel, times: LeadTimes, truth: Truth, tables: Tables, seed: int, start: date,
    price_usd: Floats | None = None, steps: int = 6,
) -> Bound:  # fmt: skip
    """Upper bound on the profit of all items over the days of `truth`.

    price_usd: prices to start from, e.g. those of another replication; steps: how often they may be
    changed. Not for worlds in which customers wait.
    """
    problem = _problem(model, times, truth, tables, seed, start, price_usd)
    price = np.zeros_like(problem.cap) if price_usd is None else price_usd
    best = Bound(np.inf, price)
    columns: list[tuple[Floats, Floats]] = []
    for _ in range(steps + 1):
        value, cost, use = _value(problem, price)
        if value < best.usd:
            best = Bound(value, price)
        columns.append((cost, use))
        price, attained = _prices(problem, columns)
        if best.usd - attained <= _WORTH_A_STEP * abs(best.usd):
            break
    return best


def _value(problem: _Problem, price: Floats) -> tuple[float, Floats, Floats]:
    """The bound at some prices; the items' costs [items] without them, and use [items, rows]."""
    with_none = np.append(price, 0.0)
    solved = [solve(flow, with_none) for flow in problem.flows]
    cost, use = np.array([part[0] for part in solved]), np.stack([part[1] for part in solved])
    room = np.where(price > 0, problem.cap - problem.use, 0.0)
    value = float((price * room).sum()) - float(cost.sum()) - problem.sunk_usd
    return value, cost - product(use, price), use


def _prices(problem: _Problem, columns: list[tuple[Floats, Floats]]) -> tuple[Floats, float]:
    """[rows] capacity's prices if each item could only mix the flows seen so far (the master of
    Dantzig and Wolfe, all its rows elastic); and the profit of the best mix."""
    cost, use = (np.concatenate(part) for part in zip(*columns, strict=True))
    n_items, n_flows = len(problem.flows), len(cost)
    room = problem.cap - problem.use
    rows = np.flatnonzero(np.any([part.sum(axis=0) > room for _, part in columns], axis=0))
    over = sparse.eye_array(len(rows), format="csr")
    one_each = sparse.csr_array(
        (np.ones(n_flows), (np.arange(n_flows) % n_items, np.arange(n_flows))),
        shape=(n_items, n_flows + len(rows)),
    )  # fmt: skip
    result = optimize.linprog(
        np.concatenate([cost, problem.most_usd[rows]]),
        A_ub=sparse.hstack([sparse.csr_array(use[:, rows].T), -over], format="csr"),
        b_ub=room[rows], A_eq=one_each, b_eq=np.ones(n_items), method="highs",
    )  # fmt: skip
    if result.status != 0:
        raise EchelonError(f"the clairvoyant bound: prices were not found: {result.message}")
    found = np.zeros_like(problem.cap)
    found[rows] = np.clip(-result.ineqlin.marginals, 0.0, problem.most_usd[rows])
    return found, -float(result.fun) - problem.sunk_usd


def _problem(
    model: WorldModel, times: LeadTimes, truth: Truth, tables: Tables, seed: int, start: date,
    price_usd: Floats | None,
) -> _Problem:  # fmt: skip
    state = initial_state(model, times, tables, seed, start)
    first, n_days = day_number(start) + 1, len(truth.days)
    lanes, transit = _lanes(tables, model)
    week = (np.arange(n_days) + 7 - days_left_in_week(first)) // 7
    calendar = Calendar(week, len(model.nodes), lanes, transit)
    ways = serving_ways(model)
    asked = orders(model, truth, ways, seed, first)
    stock, sunk_usd, use = _coming(model, state.on_the_way, calendar, first)
    stock[:, 0] += state.on_hand
    goodwill = model.rules.goodwill_share
    value = truth.price_usd * (1 + goodwill) - model.unit_cost_usd[:, None]
    sunk_usd += goodwill * float(np.einsum("tkr,tkr->", truth.demand, truth.price_usd))
    new_usd = new_supply_usd(model, times, tables, seed, first, n_days)
    capital = model.unit_cost_usd * model.rules.holding_rate_per_year / 365.0
    lane_usd = model.lane_usd_per_cuft[lanes[:, 0], lanes[:, 1]]
    rows = tables["nodes"].set_index(tables["nodes"]["node_id"].astype("str")).loc[model.nodes]
    receives = rows["is_vendor_receiving"].to_numpy(bool)
    room = _rooms(truth.capacity, calendar, days_left_in_week(first))
    guess = np.append(np.zeros(len(room)) if price_usd is None else price_usd, 0.0)
    way_usd, is_bound = replacement_usd(model, tables["nodes"]), must_serve(model)
    flows = []
    for k in range(len(model.items)):
        mine = slice(asked.first[k], asked.first[k + 1])
        day, kind, units = asked.day[mine], asked.kind[mine], asked.units[mine]
        worth = value[day, k, ways.region[kind]]
        item = Item(
            day, kind, units, worth, model.may_hold[k], stock[k], new_usd[k], receives,
            float(capital[k]), model.storage_usd * model.cube_cuft[k], model.handling_usd,
            lane_usd * model.cube_cuft[k], np.zeros(n_days), 0.0, float(model.cube_cuft[k]),
        )  # fmt: skip
        best = np.where(model.may_hold[k], ways.usd + way_usd[k], np.inf).min(axis=1)
        tried = [item]
        if is_bound:
            added = terms(
                day, units, worth - best[kind], stock[k].sum(axis=1), least_move_usd(item, calendar)
            )
            tried = [replace(item, value_usd=worth + term.usd, moving_usd=term.moving_usd,
                             sunk_usd=term.sunk_usd) for term in added]  # fmt: skip
        flows.append(_tightest([build(each, ways, calendar) for each in tried], guess))
    most = np.full(len(room), model.rules.overflow_usd[STORAGE])
    most[n_days * calendar.n_nodes :] = np.tile(
        np.repeat(model.rules.overflow_usd[INBOUND:], calendar.n_nodes), int(calendar.week[-1]) + 1
    )
    return _Problem(flows, sunk_usd, use, room, most)


def _tightest(flows: list[Flow], price: Floats) -> Flow:
    """The flow that costs most: each bounds the item's profit."""
    if len(flows) == 1:
        return flows[0]
    return max(flows, key=lambda flow: solve(flow, price)[0])


def _rooms(capacity: Floats, calendar: Calendar, first_left: int) -> Floats:
    """[rows] capacity. Flows: the most that the world counts on any day of the week, which is the
    capacity of the days gone and, for all days left, that day's.

    capacity: [days, nodes, resources]; first_left: days left in the week on the first day.
    """
    flow = capacity[:, :, INBOUND:].transpose(0, 2, 1)
    starts = np.flatnonzero(np.diff(calendar.week, prepend=-1))
    found = [capacity[:, :, STORAGE].ravel()]
    for start, end in zip(starts, [*starts[1:], calendar.n_days], strict=True):
        left = (first_left if start == 0 else 7) - np.arange(end - start)
        gone = np.cumsum(flow[start:end], axis=0)
        gone = np.concatenate([np.zeros((1, *gone.shape[1:])), gone[:-1]])
        found.append((gone + left[:, None, None] * flow[start:end]).max(axis=0).ravel())
    return np.concatenate(found)


def _coming(
    model: WorldModel, ways: Shipments, calendar: Calendar, first: int
) -> tuple[Ints, float, Floats]:
    """Units on the way at the start, [items, days, nodes] by arrival; what they cost, whatever is
    decided: handling and, for transfers, capital; and the use of rows."""
    n_days = calendar.n_days
    units = np.zeros((len(model.items), n_days, calendar.n_nodes), dtype=np.int64)
    day = np.maximum(ways.arrival_day - first, 0)
    is_in = day < n_days
    np.add.at(units, (ways.item[is_in], day[is_in], ways.node[is_in]), ways.units[is_in])
    handling = np.einsum("ktj,j->", units, model.handling_usd)
    capital = model.unit_cost_usd[ways.item] * model.rules.holding_rate_per_year / 365.0
    moving = np.where(ways.vendor < 0, np.minimum(day, n_days) * ways.units, 0)
    days, nodes = (part.ravel() for part in np.indices((n_days, calendar.n_nodes)))
    use = np.bincount(calendar.row(days, INBOUND, nodes), units.sum(axis=0).ravel(),
                      calendar.n_rows).astype(float)  # fmt: skip
    return units, float(handling + (capital * moving).sum()), use


def serving_ways(model: WorldModel) -> Ways:
    """The kinds of orders of the network: cells of a region with the same offers are one kind."""
    offers, n_nodes = model.offers, len(model.nodes)
    usd = np.full((offers.n_cells, n_nodes), np.inf)
    for cell in range(offers.n_cells):
        span = slice(offers.start[cell], offers.start[cell + 1])
        np.minimum.at(usd[cell], offers.node[span], offers.ship_usd[span] + offers.missed_usd[span])
    region = np.repeat(np.arange(offers.n_regions), offers.n_speeds * offers.n_buckets)
    keyed, kind = np.unique(np.column_stack([region, usd]), axis=0, return_inverse=True)
    region, usd = keyed[:, 0].astype(np.int64), keyed[:, 1:]
    hub = np.full((offers.n_regions, n_nodes), np.inf)
    np.minimum.at(hub, region, usd)
    with np.errstate(invalid="ignore"):
        more = np.where(np.isfinite(usd), usd - hub[region], -np.inf)
    extra = np.maximum(more.max(axis=1), 0.0)
    direct = np.where(more < extra[:, None] - 1e-9, usd, np.inf)
    by_speed = kind.reshape(offers.n_regions, offers.n_speeds, offers.n_buckets)
    cells = by_speed.transpose(0, 2, 1).reshape(offers.n_regions, -1)
    return Ways(cells, region, hub, extra, direct)


def new_supply_usd(
    model: WorldModel, times: LeadTimes, tables: Tables, seed: int, first: int, n_days: int
) -> Floats:
    """[items, days] least usd above the standard cost of a unit that an order of the run can bring
    on the day; inf: no order arrives on it."""
    frame = tables["vendor_items"]
    vendor = model.vendors.get_indexer(frame["vendor_id"].astype("str"))
    item = model.items.get_indexer(frame["item_id"].astype("str"))
    more = frame["unit_cost_usd"].to_numpy(float) - model.unit_cost_usd[item]
    found = np.full((len(model.items), n_days), np.inf)
    for sent in range(n_days):
        lead, later_share, delay = luck(model, times, seed, vendor, item, first + sent)
        for late, comes in ((0, lead >= 0), (delay, later_share > 0)):
            day = np.maximum(sent + lead + late, sent + 1)
            rows = np.flatnonzero(comes & (day < n_days))
            np.minimum.at(found, (item[rows], day[rows]), more[rows])
    return found


def _lanes(tables: Tables, model: WorldModel) -> tuple[Ints, Ints]:
    """[lanes, 2] nodes and [lanes] days on the way, a day at least."""
    frame = tables["lanes"]
    ends = [model.nodes.get_indexer(frame[name].astype("str"))
            for name in ("from_node_id", "to_node_id")]  # fmt: skip
    return np.stack(ends, axis=1), np.maximum(frame["transit_days"].to_numpy(np.int64), 1)
