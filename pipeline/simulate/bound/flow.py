"""One item's days with everything known: a minimum-cost flow through time, solved by OR-Tools.

Vertices are (day, node), places where a unit lies in the morning after arrivals, and orders of one
day and region with the same ways to be served. Arcs, each with its cost in usd and the rows of
capacity that it uses:

- hold: (t, j) to (t + 1, j), or out of the horizon: capital and storage of the night of day t;
- move: (t, a) to (t + transit, b): lane, capital on the way, handling at b;
- new: vendor to (t, j) on the days on which some order of the run can arrive: handling, and what
  the vendor asks above the cheapest;
- sell: (t, j) to an order, at its own hour: delivery and goodwill, less price, goodwill and cost.

Orders of a region and day differ little in what far nodes cost to them, so these arcs meet at a
hub: (t, j) to hub at the region's least cost, hub to order at the order's surcharge, which is the
largest over nodes; nodes that are cheaper than that have an arc of their own. The least cost of a
unit is the same as with an arc from every node to every order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow

from pipeline.errors import EchelonError
from pipeline.simulate.world.supply import Ints

Floats = NDArray[np.float64]
USD = 1e6
"""Costs are whole micro-dollars, rounded down: the bound can only rise by it."""
STORAGE, INBOUND, OUTBOUND = range(3)


@dataclass(frozen=True)
class Ways:
    """How the regions' orders can be served.

    kind: [regions, buckets * speeds] the kind of order of a cell (the world's order of cells);
    region: [kinds]; hub_usd: [regions, nodes], inf = never; extra_usd: [kinds] over the hub;
    direct_usd: [kinds, nodes], inf = no cheaper than by the hub.
    """

    kind: Ints
    region: Ints
    hub_usd: Floats
    extra_usd: Floats
    direct_usd: Floats

    @property
    def usd(self) -> Floats:
        """[kinds, nodes] least cost of serving an order of the kind from the node."""
        return np.minimum(self.hub_usd[self.region] + self.extra_usd[:, None], self.direct_usd)


@dataclass(frozen=True)
class Calendar:
    """Days, lanes and rows of capacity: storage by day and node, then flows by week and node.

    week: [days] from 0; lanes: [lanes, 2] of nodes; transit: [lanes] days.
    """

    week: Ints
    n_nodes: int
    lanes: Ints
    transit: Ints

    @property
    def n_days(self) -> int:
        """Days of the horizon."""
        return len(self.week)

    @property
    def n_rows(self) -> int:
        """Rows of capacity; this number itself stands for no row."""
        return (self.n_days + 2 * (int(self.week[-1]) + 1)) * self.n_nodes

    def row(self, day: Ints, resource: int, node: Ints) -> Ints:
        """The row that use of a node on a day falls into."""
        if resource == STORAGE:
            return day * self.n_nodes + node
        return (self.n_days + self.week[day] * 2 + resource - INBOUND) * self.n_nodes + node


@dataclass(frozen=True)
class Item:
    """One item's data.

    day, kind, units: [orders]; value_usd: [orders] of a unit sold; may_hold: [nodes];
    stock: [days, nodes] units that come of themselves; new_usd: [days], inf where none can come;
    receives: [nodes]; capital_usd: of a unit and day; storage_usd: [nodes] of a unit and day;
    handling_usd: [nodes]; lane_usd: [lanes]; moving_usd: [days] what a unit on the way between
    nodes is paid; sunk_usd; cube_cuft.
    """

    day: Ints
    kind: Ints
    units: Ints
    value_usd: Floats
    may_hold: NDArray[np.bool_]
    stock: Ints
    new_usd: Floats
    receives: NDArray[np.bool_]
    capital_usd: float
    storage_usd: Floats
    handling_usd: Floats
    lane_usd: Floats
    moving_usd: Floats
    sunk_usd: float
    cube_cuft: float


@dataclass(frozen=True)
class Flow:
    """The item's network: arcs with base cost, two rows that each may use, and vertex supplies;
    sunk_usd is paid in any case."""

    tail: Ints
    head: Ints
    most: Ints
    usd: Floats
    row: Ints
    row_use: Floats
    second_row: Ints
    supply: Ints
    sunk_usd: float


class _Arcs:
    """Arcs as they are added; `none` is the number that stands for no row."""

    def __init__(self, none: int, most: int) -> None:
        self.none, self.most = none, most
        self.parts: list[tuple[NDArray, ...]] = []

    def add(
        self, tail: Ints, head: Ints, usd: Floats, most: Ints | None = None,
        row: Ints | None = None, use: float = 1.0, second: Ints | None = None,
    ) -> None:  # fmt: skip
        n = len(tail)
        nowhere = np.full(n, self.none, dtype=np.int64)
        self.parts.append((
            tail, head, np.full(n, self.most, dtype=np.int64) if most is None else most, usd,
            nowhere if row is None else row, np.full(n, use), nowhere if second is None else second,
        ))  # fmt: skip


def build(item: Item, ways: Ways, calendar: Calendar) -> Flow:
    """The item's network; vertices: (day, node), sink, vendor, then hubs and orders."""
    n_days, n_nodes = calendar.n_days, calendar.n_nodes
    sink, vendor = n_days * n_nodes, n_days * n_nodes + 1
    day, kind, wanted, value = _grouped(item)
    most = int(item.stock.sum() + wanted.sum()) + 1
    arcs = _Arcs(calendar.n_rows, most)
    holds = np.flatnonzero(item.may_hold | (item.stock.sum(axis=0) > 0))
    _add_stock(arcs, item, calendar, holds, sink)
    _add_new(arcs, item, calendar, vendor)
    hub_of, hub = np.unique(day * len(ways.hub_usd) + ways.region[kind], return_inverse=True)
    first_hub, first_order = vendor + 1, vendor + 1 + len(hub_of)
    order = first_order + np.arange(len(day))
    hub_day, hub_region = np.divmod(hub_of, len(ways.hub_usd))
    _add_sales(arcs, calendar, first_hub + np.arange(len(hub_of)), hub_day,
               ways.hub_usd[hub_region], holds)  # fmt: skip
    _add_sales(arcs, calendar, order, day, ways.direct_usd[kind], holds)
    arcs.add(first_hub + hub, order, ways.extra_usd[kind], wanted)
    arcs.add(order, np.full(len(day), sink), -value, wanted)
    arcs.add(np.array([vendor]), np.array([sink]), np.zeros(1))
    supply = np.zeros(first_order + len(day), dtype=np.int64)
    supply[:sink] = item.stock.ravel()
    supply[vendor] = wanted.sum()
    supply[sink] = -supply.sum()
    tail, head, limit, usd, row, use, second = (
        np.concatenate(part) for part in zip(*arcs.parts, strict=True)
    )
    return Flow(tail, head, limit, usd, row, use, second, supply, item.sunk_usd)


def _grouped(item: Item) -> tuple[Ints, Ints, Ints, Floats]:
    """Day, kind, units and value of the orders, those of a day that are alike in one."""
    keys = np.column_stack([item.day, item.kind, np.round(item.value_usd, 9)])
    found, which = np.unique(keys, axis=0, return_inverse=True)
    units = np.bincount(which.ravel(), item.units, len(found)).astype(np.int64)
    return found[:, 0].astype(np.int64), found[:, 1].astype(np.int64), units, found[:, 2]


def _add_stock(arcs: _Arcs, item: Item, calendar: Calendar, holds: Ints, sink: int) -> None:
    """Nights in a node and moves between nodes; what is still on the way at the end has paid its
    lane and its capital."""
    n_days, n_nodes = calendar.n_days, calendar.n_nodes
    day, node = (part.ravel() for part in np.meshgrid(np.arange(n_days), holds, indexing="ij"))
    here = day * n_nodes + node
    arcs.add(here, np.where(day + 1 < n_days, here + n_nodes, sink),
             item.capital_usd + item.storage_usd[node],
             row=calendar.row(day, STORAGE, node), use=item.cube_cuft)  # fmt: skip
    can = np.isin(calendar.lanes[:, 0], holds) & item.may_hold[calendar.lanes[:, 1]]
    day, lane = (part.ravel() for part in
                 np.meshgrid(np.arange(n_days), np.flatnonzero(can), indexing="ij"))  # fmt: skip
    source, target = calendar.lanes[lane].T
    arrival = day + calendar.transit[lane]
    is_in = arrival < n_days
    there = np.where(is_in, arrival, 0)
    paid = np.concatenate([[0.0], np.cumsum(item.moving_usd)])
    usd = item.lane_usd[lane] + item.capital_usd * (np.minimum(arrival, n_days) - day)
    usd = usd - (paid[np.minimum(arrival, n_days)] - paid[day])
    arcs.add(day * n_nodes + source, np.where(is_in, there * n_nodes + target, sink),
             usd + np.where(is_in, item.handling_usd[target], 0.0),
             row=calendar.row(day, OUTBOUND, source),
             second=np.where(is_in, calendar.row(there, INBOUND, target), arcs.none))  # fmt: skip


def least_move_usd(item: Item, calendar: Calendar) -> Floats:
    """[days] least usd that a day on the way between nodes costs: lane and handling, only the lane
    where the unit may still be on the way at the end; inf without lanes."""
    source, target = calendar.lanes.T
    held = item.may_hold | (item.stock.sum(axis=0) > 0)
    used = held[source] & item.may_hold[target]
    days = calendar.transit[used]
    lane = item.lane_usd[used] / days
    whole = lane + item.handling_usd[target[used]] / days
    found = np.full(calendar.n_days, whole.min(initial=np.inf))
    found[max(calendar.n_days - int(days.max(initial=0)), 0) :] = lane.min(initial=np.inf)
    return found


def _add_new(arcs: _Arcs, item: Item, calendar: Calendar, vendor: int) -> None:
    nodes = np.flatnonzero(item.receives & item.may_hold)
    days = np.flatnonzero(np.isfinite(item.new_usd))
    day, node = (part.ravel() for part in np.meshgrid(days, nodes, indexing="ij"))
    arcs.add(np.full(len(day), vendor), day * calendar.n_nodes + node,
             item.new_usd[day] + item.handling_usd[node],
             row=calendar.row(day, INBOUND, node))  # fmt: skip


def _add_sales(
    arcs: _Arcs, calendar: Calendar, vertex: Ints, day: Ints, usd: Floats, holds: Ints
) -> None:
    """Arcs to each vertex of a day from the nodes whose usd [vertices, nodes] is finite."""
    which, place = np.nonzero(np.isfinite(usd[:, holds]))
    node = holds[place]
    arcs.add(day[which] * calendar.n_nodes + node, vertex[which], usd[which, node],
             row=calendar.row(day[which], OUTBOUND, node))  # fmt: skip


def solve(flow: Flow, price: Floats) -> tuple[float, Floats]:
    """Least cost in usd (never above the true least) and the use of each row [rows].

    price: [rows + 1] usd of a unit of each row's capacity, the last 0.
    """
    usd = flow.usd + price[flow.row] * flow.row_use + price[flow.second_row]
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        flow.tail, flow.head, flow.most, np.floor(usd * USD).astype(np.int64)
    )
    solver.set_nodes_supplies(np.arange(len(flow.supply)), flow.supply)
    if solver.solve() != solver.OPTIMAL:
        raise EchelonError("the clairvoyant bound: an item's flow was not solved (a bug)")
    units = solver.flows(arcs)
    used = np.bincount(flow.row, flow.row_use * units, len(price)).astype(float)
    used += np.bincount(flow.second_row, units, len(price))
    return solver.optimal_cost() / USD + flow.sunk_usd, used[:-1]
