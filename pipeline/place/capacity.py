"""Room that lanes and nodes have left for tonight's transfers, and weeks for tonight's orders.

Storage is counted on positions: what lies in the node and what arrives within its protection
interval, without credit for what will be sold or leaves tonight, so that no plan can overfill it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.place.grid import Grid

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Capacity rows over the lanes, as core.allocation.Network takes them."""

    row_of: Bools
    weight: Floats
    room: Floats
    name: list[str]


def capacity_at(capacity: pd.DataFrame, resource: str, nodes: list[str], day: date) -> Floats:
    """Capacity in effect on `day` [nodes]; inf where none is stated."""
    rows = capacity[
        (capacity["resource"].astype("str") == resource)
        & (capacity["start_date"] <= pd.Timestamp(day))
    ].sort_values("start_date")
    last = rows.groupby(rows["node_id"].astype("str"))["capacity"].last()
    return last.reindex(nodes).fillna(np.inf).to_numpy(dtype=np.float64)


def transfer_rows(
    grid: Grid, lanes: pd.DataFrame, tables: dict[str, pd.DataFrame], as_of: date
) -> Rows:
    """Rows for `lanes`, which has source and target node indices beside the table's columns."""
    source, target = lanes["source"].to_numpy(), lanes["target"].to_numpy()
    transit = lanes["transit_days"].to_numpy(dtype=np.int64)
    limits = tables["node_capacity"]
    ship_day = as_of + timedelta(days=1)
    counted: list[Bools] = []
    weights: list[Floats] = []
    rooms: list[float] = []
    names: list[str] = []

    def add(lanes_counted: Bools, weight: Floats, room: float, name: str) -> None:
        if np.isfinite(room) and lanes_counted.any():
            counted.append(lanes_counted)
            weights.append(weight)
            rooms.append(max(room, 0.0))
            names.append(name)

    unit = np.ones(len(grid.items))
    lane_room = lanes["lane_capacity_cuft_per_day"].astype("float64").fillna(np.inf).to_numpy()
    for lane, room in enumerate(lane_room):
        add(np.arange(len(lanes)) == lane, grid.cube, room, f"lane {lane}")
    held = grid.cube @ grid.position
    sold = np.minimum(grid.demand, grid.position).sum(axis=0) / grid.protection_days
    outbound = capacity_at(limits, "outbound_units_per_day", grid.nodes, ship_day)
    for node, name in enumerate(grid.nodes):
        add(source == node, unit, outbound[node] - sold[node], f"outbound {name}")
        arrives = target == node
        stored = [np.inf]
        for days in np.unique(transit[arrives]):
            day = ship_day + timedelta(days=int(days))
            stored.append(capacity_at(limits, "storage_cuft", grid.nodes, day)[node])
            inbound = capacity_at(limits, "inbound_units_per_day", grid.nodes, day)[node]
            due = arriving_units(tables, as_of, name, day, day)
            add(arrives & (transit == days), unit, inbound - due, f"inbound {name} {day}")
        add(arrives, grid.cube, min(stored) - held[node], f"storage {name}")
    shape = (len(rooms), len(lanes))
    return Rows(
        np.array(counted, dtype=bool).reshape(shape),
        np.array(weights, dtype=np.float64).reshape(len(rooms), len(grid.items)),
        np.array(rooms, dtype=np.float64), names,
    )  # fmt: skip


def arriving_units(
    tables: dict[str, pd.DataFrame], as_of: date, node: str, first: date, last: date
) -> float:
    """Open units expected at the node between two days; overdue ones are due tomorrow."""
    total = 0.0
    tomorrow = pd.Timestamp(as_of + timedelta(days=1))
    for name, column in (("open_orders", "node_id"), ("open_transfers", "to_node_id")):
        frame = tables[name]
        mine = frame[(frame["date"] == pd.Timestamp(as_of)) & (frame[column].astype("str") == node)]
        due = pd.to_datetime(mine["expected_arrival_date"]).clip(lower=tomorrow)
        inside = (due >= pd.Timestamp(first)) & (due <= pd.Timestamp(last))
        total += float(mine.loc[inside, "open_units"].sum())
    return total
