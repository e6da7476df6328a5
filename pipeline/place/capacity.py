"""Room that lanes and nodes have left for tonight's transfers, and weeks for tonight's orders.

Storage is counted on its fullest day of half the protection interval, after which half of what is
sent tonight has been sold: what lies in the node and has arrived by then, less expected demand of
the days before, without credit for what leaves tonight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.arrivals import day_chances
from pipeline.core.arithmetic import product
from pipeline.place.grid import Grid, of_day

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Capacity rows over the lanes, as core.allocation.Network takes them; over_usd: [rows] what
    each unit above the room costs, inf where there is none to be had."""

    row_of: Bools
    weight: Floats
    room: Floats
    name: list[str]
    over_usd: Floats


def capacity_at(capacity: pd.DataFrame, resource: str, nodes: list[str], day: date) -> Floats:
    """Capacity in effect on `day` [nodes]; inf where none is stated."""
    rows = capacity[
        (capacity["resource"] == resource) & (capacity["start_date"] <= pd.Timestamp(day))
    ]
    node = pd.Index(nodes).get_indexer(pd.Index(rows["node_id"].astype("str")))
    stated = rows["capacity"].to_numpy(dtype=np.float64, na_value=np.nan)
    order = np.argsort(rows["start_date"].to_numpy(), kind="stable")
    order = order[(node[order] >= 0) & ~np.isnan(stated[order])]
    found = np.full(len(nodes), np.inf)
    found[node[order]] = stated[order]  # the last of a node's rows stands
    return found


def transfer_rows(
    grid: Grid, lanes: pd.DataFrame, tables: dict[str, pd.DataFrame], as_of: date, flow_usd: float
) -> Rows:
    """Rows for `lanes`, which has source and target node indices beside the table's columns;
    flow_usd: what a unit beyond what a dock takes or sends costs."""
    source, target = lanes["source"].to_numpy(), lanes["target"].to_numpy()
    transit = lanes["transit_days"].to_numpy(dtype=np.int64)
    limits = tables["node_capacity"]
    ship_day = as_of + timedelta(days=1)
    counted: list[Bools] = []
    weights: list[Floats] = []
    rooms: list[float] = []
    names: list[str] = []
    over_usd: list[float] = []

    def add(
        lanes_counted: Bools, weight: Floats, room: float, name: str, usd: float = np.inf
    ) -> None:
        if np.isfinite(room) and lanes_counted.any():
            counted.append(lanes_counted)
            weights.append(weight)
            rooms.append(max(room, 0.0))
            names.append(name)
            over_usd.append(usd)

    unit = np.ones(len(grid.items))
    lane_room = lanes["lane_capacity_cuft_per_day"].astype("float64").fillna(np.inf).to_numpy()
    for lane, room in enumerate(lane_room):
        name = f"lane {grid.nodes[source[lane]]} {grid.nodes[target[lane]]}"
        add(np.arange(len(lanes)) == lane, grid.cube, room, name)
    held = fullest_cuft(grid, tables, as_of)
    sold = np.minimum(grid.demand, grid.position).sum(axis=0) / grid.protection_days
    due = units_due(grid, tables, as_of, int(transit.max(initial=0)) + 1)
    outbound = capacity_at(limits, "outbound_units_per_day", grid.nodes, ship_day)
    by_day = {
        int(days): [
            capacity_at(limits, resource, grid.nodes, ship_day + timedelta(days=int(days)))
            for resource in ("storage_cuft", "inbound_units_per_day")
        ]
        for days in np.unique(transit)
    }
    for node, name in enumerate(grid.nodes):
        add(source == node, unit, outbound[node] - sold[node], f"outbound {name}", flow_usd)
        arrives = target == node
        stored = [np.inf]
        for days in np.unique(transit[arrives]):
            storage, inbound = by_day[int(days)]
            stored.append(storage[node])
            room = inbound[node] - due[days, node]
            took = arrives & (transit == days)
            over = flow_usd if inbound[node] > 0.0 else np.inf  # a closed dock takes nothing
            add(took, unit, room, f"inbound {name} in {days} days", over)
        add(arrives, grid.cube, min(stored) - held[node], f"storage {name}")
    shape = (len(rooms), len(lanes))
    return Rows(
        np.array(counted, dtype=bool).reshape(shape),
        np.array(weights, dtype=np.float64).reshape(len(rooms), len(grid.items)),
        np.array(rooms, dtype=np.float64), names, np.array(over_usd, dtype=np.float64),
    )  # fmt: skip


def fullest_cuft(grid: Grid, tables: dict[str, pd.DataFrame], as_of: date) -> Floats:
    """Cubic feet [nodes] in store on the fullest day of half the protection interval."""
    days = max(int(grid.protection_days.max()) // 2, 1)
    return np.asarray(held_cuft(grid, tables, as_of, days).max(axis=0))


def held_cuft(grid: Grid, tables: dict[str, pd.DataFrame], as_of: date, days: int) -> Floats:
    """Cubic feet [days, nodes] in store at the end of each coming day, orders coming as their
    vendors deliver and nothing being moved tonight."""
    arrives = np.zeros((days, *grid.level.shape))
    items, nodes = pd.Index(grid.items), pd.Index(grid.nodes)
    orders, moves = (of_day(tables[name], as_of) for name in ("open_orders", "open_transfers"))
    ahead = (pd.to_datetime(moves["expected_arrival_date"]) - pd.Timestamp(as_of)).dt.days
    moved = np.maximum(ahead.to_numpy(), 1)[:, None] == np.arange(1, days + 1)
    comes = day_chances(orders, tables["lead_times"], as_of, days)
    for frame, column, chance in ((orders, "node_id", comes), (moves, "to_node_id", moved)):
        item = items.get_indexer(pd.Index(frame["item_id"].astype("str")))
        node = nodes.get_indexer(pd.Index(frame[column].astype("str")))
        units = frame["open_units"].to_numpy(dtype=np.float64)
        for day in range(days):
            np.add.at(arrives[day], (item, node), units * chance[:, day])
    sold = daily_units(grid)
    held, found = grid.on_hand.astype(np.float64), np.zeros((days, len(grid.nodes)))
    for day in range(days):
        held = np.maximum(held + arrives[day] - sold, 0.0)
        found[day] = product(grid.cube, held)
    return found


def daily_units(grid: Grid) -> Floats:
    """Expected demand a day [items, nodes] of each node and those that it replenishes."""
    below = np.array([grid.below(node) for node in range(len(grid.nodes))])
    return np.asarray(np.einsum("kj,sj->ks", grid.demand / grid.protection_days, below))


def units_due(grid: Grid, tables: dict[str, pd.DataFrame], as_of: date, days: int) -> Floats:
    """Open units [days, nodes] expected on each day from tomorrow on; overdue ones tomorrow."""
    due = np.zeros((days, len(grid.nodes)))
    index = pd.Index(grid.nodes)
    for name, column in (("open_orders", "node_id"), ("open_transfers", "to_node_id")):
        frame = tables[name]
        frame = frame[frame["date"] == pd.Timestamp(as_of)]
        ahead = (pd.to_datetime(frame["expected_arrival_date"]) - pd.Timestamp(as_of)).dt.days
        day = np.maximum(ahead.to_numpy(dtype=np.int64), 1) - 1
        node = index.get_indexer(pd.Index(frame[column].astype("str")))
        inside = (day < days) & (node >= 0)
        units = frame["open_units"].to_numpy(dtype=np.float64)
        np.add.at(due, (day[inside], node[inside]), units[inside])
    return due
