"""Receiving nodes of tonight's order lines."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.core.receiving import keep_room, split_cases
from pipeline.errors import EchelonError
from pipeline.place.capacity import capacity_at, units_due
from pipeline.place.grid import Grid, of_day

Floats = npt.NDArray[np.float64]


def assign_inbound(
    grid: Grid, tables: dict[str, pd.DataFrame], transfers: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """Table inbound_assignments: every unit of every order line, in whole cases."""
    orders = tables["purchase_orders"].astype({"item_id": "str", "vendor_id": "str"})
    columns = ["order_line_id", "item_id", "vendor_id", "node_id", "assigned_units"]
    if orders.empty:
        return pd.DataFrame(columns=columns)
    item = pd.Index(grid.items).get_indexer(pd.Index(orders["item_id"]))
    have, need = _territories(grid, tables["nodes"])
    have, need = have[item], need[item]
    cases = orders["cases"].to_numpy(dtype=np.int64)
    case = orders["order_units"].to_numpy(dtype=np.int64) // cases
    got = split_cases(cases, case, have, need)
    days = (pd.to_datetime(orders["expected_arrival_date"]) - pd.Timestamp(as_of)).dt.days
    week = np.maximum(days.to_numpy() - 1, 0) // 7
    weeks = int(week.max()) + 1
    space = week_space(grid, tables, as_of, weeks)
    got = keep_room(got, case, case * grid.cube[item], week, space, (have, need))
    room = week_room(grid, tables, transfers, as_of, weeks)
    got = keep_room(got, case, case.astype(np.float64), week, room, (have, need))
    line, node = np.nonzero(got)
    frame = orders.iloc[line][["order_line_id", "item_id", "vendor_id"]].reset_index(drop=True)
    frame["node_id"] = np.array(grid.nodes, dtype=object)[node]
    frame["assigned_units"] = got[line, node] * case[line]
    return frame[columns]


def _territories(grid: Grid, nodes: pd.DataFrame) -> tuple[Floats, Floats]:
    """(have, need) [items, nodes]: positions and levels of what each receiving node supplies.

    A node supplies its subtree, without what another receiving node in it supplies. Need is zero
    where the node does not receive or may not hold the item, and one in each eligible receiving
    node where no level says more.
    """
    flags = nodes.astype({"node_id": "str"}).set_index("node_id")["is_vendor_receiving"]
    receives = flags.reindex(grid.nodes).fillna(False).to_numpy(dtype=bool)
    stock, level = grid.position + grid.later, np.where(grid.eligible, grid.level, 0)
    have, need = np.zeros(stock.shape), np.zeros(stock.shape)
    for node in np.flatnonzero(receives).tolist():
        mine = grid.below(node)
        for other in np.flatnonzero(receives & mine).tolist():
            if other != node:
                mine = mine & ~grid.below(other)
        have[:, node], need[:, node] = stock[:, mine].sum(axis=1), level[:, mine].sum(axis=1)
    able = grid.eligible & receives
    if not able.any(axis=1).all():
        first = grid.items[int(np.argmin(able.any(axis=1)))]
        raise EchelonError(
            f"nodes: no node that vendors ship to may hold item {first}. "
            "Next: set is_vendor_receiving or accepts of a node."
        )
    need = np.where(able, need, 0.0)
    bare = need.sum(axis=1) <= 0
    need[bare] = able[bare]
    return have, need


def week_room(
    grid: Grid, tables: dict[str, pd.DataFrame], transfers: pd.DataFrame, as_of: date, weeks: int
) -> Floats:
    """Units [weeks, nodes] that may still arrive in each week from tomorrow on."""
    room = np.full((weeks, len(grid.nodes)), np.inf)
    due = units_due(grid, tables, as_of, 7 * weeks)
    ahead = transfers["expected_arrival_date"] - pd.Timestamp(as_of)
    moves = transfers.assign(days=ahead.dt.days)
    for t in range(weeks):
        first = as_of + timedelta(days=1 + 7 * t)
        limit = capacity_at(tables["node_capacity"], "inbound_units_per_day", grid.nodes, first) * 7
        inside = moves[(moves["days"] - 1) // 7 == t]
        moved = inside.groupby("to_node_id")["transfer_units"].sum().reindex(grid.nodes).fillna(0)
        coming = due[7 * t : 7 * t + 7].sum(axis=0) + moved.to_numpy(dtype=np.float64)
        room[t] = np.maximum(limit - coming, 0.0)
    return room


def week_space(grid: Grid, tables: dict[str, pd.DataFrame], as_of: date, weeks: int) -> Floats:
    """Cubic feet [weeks, nodes] that will be free at the end of each week from tomorrow on.

    Taken is what is there and what is expected by then, less what the node and those it replenishes
    will have sold of it.
    """
    below = np.array([grid.below(node) for node in range(len(grid.nodes))])
    daily = np.einsum("kj,sj->ks", grid.demand / grid.protection_days, below)
    space, held = np.empty((weeks, len(grid.nodes))), grid.on_hand.astype(np.float64)
    items, nodes = pd.Index(grid.items), pd.Index(grid.nodes)
    coming = [
        of_day(tables[name], as_of).rename(columns={column: "at"})[
            ["item_id", "at", "expected_arrival_date", "open_units"]
        ]
        for name, column in (("open_orders", "node_id"), ("open_transfers", "to_node_id"))
    ]
    due = pd.concat(coming)
    k, j = (
        names.get_indexer(pd.Index(due[column].astype("str")))
        for names, column in ((items, "item_id"), (nodes, "at"))
    )
    ahead = (pd.to_datetime(due["expected_arrival_date"]) - pd.Timestamp(as_of)).dt.days
    week = np.maximum(ahead.to_numpy() - 1, 0) // 7
    units = due["open_units"].to_numpy(dtype=np.float64)
    for t in range(weeks):
        now = week == t
        np.add.at(held, (k[now], j[now]), units[now])
        held = np.maximum(held - 7 * daily, 0.0)
        last = as_of + timedelta(days=7 * (t + 1))
        limit = capacity_at(tables["node_capacity"], "storage_cuft", grid.nodes, last)
        space[t] = limit - grid.cube @ held
    return np.maximum(space, 0.0)
