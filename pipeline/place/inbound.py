"""Receiving nodes of tonight's order lines."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.arrivals import week_chances, week_of
from pipeline.core.arithmetic import product
from pipeline.core.receiving import keep_room, split_cases
from pipeline.errors import EchelonError
from pipeline.place.capacity import capacity_at, daily_units
from pipeline.place.grid import Grid, of_day

Floats = npt.NDArray[np.float64]
WEEKS = 12
"""Planning weeks that are looked at: longer than nearly all lead times."""
LEAST_CHANCE = 0.1
"""A line is not sent elsewhere for the sake of a week in which it hardly comes."""


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
    comes = week_chances(orders, tables["lead_times"], as_of, WEEKS)
    per_case = np.where(comes >= LEAST_CHANCE, comes, 0.0) * case[:, None]
    use = np.concatenate([per_case, per_case * grid.cube[item][:, None]], axis=1)
    room = np.concatenate([
        week_room(grid, tables, transfers, as_of, WEEKS), week_space(grid, tables, as_of, WEEKS)
    ])  # fmt: skip
    got = keep_room(got, case, use, room, (have, need))
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
    stock, level = (
        grid.position + grid.later,
        np.where(grid.eligible, np.maximum(grid.level, grid.kept), 0),
    )
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
    """Units [weeks, nodes] that may still arrive in each planning week.

    Kept free is what is expected and a standard deviation of it: vendors are late.
    """
    nodes = pd.Index(grid.nodes)
    orders = of_day(tables["open_orders"], as_of)
    chance = week_chances(orders, tables["lead_times"], as_of, weeks)
    units = orders["open_units"].to_numpy(dtype=np.float64)[:, None]
    at = nodes.get_indexer(pd.Index(orders["node_id"].astype("str")))
    coming, spread = np.zeros((2, len(grid.nodes), weeks))
    np.add.at(coming, at, units * chance)
    np.add.at(spread, at, units**2 * chance * (1.0 - chance))
    for moves, column in ((of_day(tables["open_transfers"], as_of), "open_units"),
                          (transfers, "transfer_units")):  # fmt: skip
        week = week_of(_days_ahead(moves, as_of), as_of)
        at = nodes.get_indexer(pd.Index(moves["to_node_id"].astype("str")))
        inside = week < weeks
        np.add.at(coming, (at[inside], week[inside]), moves[column].to_numpy(float)[inside])
    limit, capacity = np.zeros((weeks, len(grid.nodes))), tables["node_capacity"]
    changes = set(capacity["start_date"])
    for ahead in range(1, 1 + 7 * weeks - (as_of.weekday() + 1) % 7):
        day = as_of + timedelta(days=ahead)
        if ahead == 1 or pd.Timestamp(day) in changes:
            daily = capacity_at(capacity, "inbound_units_per_day", grid.nodes, day)
        limit[int(week_of(np.array([ahead]), as_of)[0])] += daily
    return np.maximum(limit - (coming + np.sqrt(spread)).T, 0.0)


def week_space(grid: Grid, tables: dict[str, pd.DataFrame], as_of: date, weeks: int) -> Floats:
    """Cubic feet [weeks, nodes] that will be free at the end of each planning week.

    Taken is what is there and what is expected by then, less what the node and those it replenishes
    will have sold of it.
    """
    daily = daily_units(grid)
    items, nodes = pd.Index(grid.items), pd.Index(grid.nodes)
    orders, moves = (of_day(tables[name], as_of) for name in ("open_orders", "open_transfers"))
    comes = week_chances(orders, tables["lead_times"], as_of, weeks)
    moved = week_of(_days_ahead(moves, as_of), as_of)[:, None] == np.arange(weeks)
    sources = [(orders, "node_id", comes), (moves, "to_node_id", moved)]
    coming = np.zeros((weeks, *grid.level.shape))
    for frame, column, chance in sources:
        k = items.get_indexer(pd.Index(frame["item_id"].astype("str")))
        j = nodes.get_indexer(pd.Index(frame[column].astype("str")))
        units = frame["open_units"].to_numpy(dtype=np.float64)
        for t in range(weeks):
            np.add.at(coming[t], (k, j), units * chance[:, t])
    space, held = np.empty((weeks, len(grid.nodes))), grid.on_hand.astype(np.float64)
    gone = (as_of.weekday() + 1) % 7  # days of the first week that are over
    for t in range(weeks):
        days = 7 - gone if t == 0 else 7
        held = np.maximum(held + coming[t] - days * daily, 0.0)
        last = as_of + timedelta(days=7 * (t + 1) - gone)
        limit = capacity_at(tables["node_capacity"], "storage_cuft", grid.nodes, last)
        space[t] = limit - product(grid.cube, held)
    return np.maximum(space, 0.0)


def _days_ahead(frame: pd.DataFrame, as_of: date) -> npt.NDArray[np.int64]:
    ahead = (pd.to_datetime(frame["expected_arrival_date"]) - pd.Timestamp(as_of)).dt.days
    return ahead.to_numpy(dtype=np.int64)
