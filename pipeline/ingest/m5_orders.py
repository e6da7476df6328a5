"""What M5 lacks and each day changes: past orders, receipts, open orders and transfers, and stock.

Orders stand on fixed calendar days and their sizes follow the sales before them, so one night's
open orders are the next night's receipts; nothing looks at a sale after `as_of`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from pipeline.core.arithmetic import product
from pipeline.ingest.hashing import joined, name_hash, uniform
from pipeline.ingest.m5_world import Assumptions
from pipeline.ingest.network import Network
from pipeline.ingest.unit_sales import UnitSales

_RATE_DAYS = 28
_REFILL_DAYS = {"fulfillment_center": 3, "same_day_site": 1}


def orders_and_stock(
    world: dict[str, pd.DataFrame], assumptions: Assumptions, network: Network, sales: UnitSales,
    as_of: date,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Raw tables stock, open_orders, open_transfers and receipts as known at `as_of`."""
    items, nodes = world["items"], world["nodes"]
    names = items["item_id"].tolist()
    regions = [region.region_id for region in network.regions]
    rate = sales.daily_rate(names, regions, _RATE_DAYS)
    below = regions_below(network)
    orders = _orders(world, assumptions, network, sales.days, rate, below, pd.Timestamp(as_of))
    now = product(rate[:, :, -1], below.T)
    holds = may_hold(items, nodes)
    return {
        "stock": _stock(assumptions, items, nodes, now * holds, as_of),
        "open_transfers": _transfers(world, now * holds, as_of),
        **orders,
    }


def regions_below(network: Network) -> np.ndarray:
    """Nodes x regions: 1 where the node lies on the way of the region's goods."""
    parents = {node.node_id: node.parent_node_id for node in network.nodes}
    names = list(parents)
    below = np.zeros((len(names), len(network.regions)), dtype="float32")
    for column, region in enumerate(network.regions):
        above = {region.same_day_site, *region.fulfillment_centers}
        above |= {parents[center] or center for center in region.fulfillment_centers}
        below[[names.index(node) for node in above], column] = 1
    return below


def may_hold(items: pd.DataFrame, nodes: pd.DataFrame) -> np.ndarray:
    """Items x nodes: whether the node accepts the item's size class."""
    accepts = nodes["accepts"].to_numpy(dtype=object)
    size = items["size_class"].to_numpy(dtype=object)[:, None]
    result: np.ndarray = (accepts == "any") | (accepts == size)
    return result


def _stock(
    assumptions: Assumptions, items: pd.DataFrame, nodes: pd.DataFrame, rate: np.ndarray,
    as_of: date,
) -> pd.DataFrame:  # fmt: skip
    item_hash = name_hash(items["item_id"], "stock")
    pair = joined(item_hash[:, None], name_hash(nodes["node_id"], "stock"))
    low, high = assumptions.cover_spread
    factor = low + (high - low) * uniform(pair)
    fate = uniform(joined(pair, 1))
    factor = np.where(fate < assumptions.empty_share, 0, factor)
    factor = np.where(fate > 1 - assumptions.overstocked_share,
                      factor * assumptions.overstock_factor, factor)  # fmt: skip
    days = np.array([assumptions.cover_days[tier] for tier in nodes["tier"]])
    units = np.floor(rate * days * factor + uniform(joined(pair, 2))).astype("int64")
    item, node = np.nonzero(units)
    return pd.DataFrame({
        "date": pd.Timestamp(as_of), "item_id": items["item_id"].to_numpy()[item],
        "node_id": nodes["node_id"].to_numpy()[node], "on_hand_units": units[item, node],
    })  # fmt: skip


def _transfers(world: dict[str, pd.DataFrame], rate: np.ndarray, as_of: date) -> pd.DataFrame:
    """Each lane carries a refill of some days' demand; what left lately is on the way."""
    lanes, nodes, items = world["lanes"], world["nodes"], world["items"]["item_id"].to_numpy()
    tier = dict(zip(nodes["node_id"], nodes["tier"], strict=True))
    place = {name: number for number, name in enumerate(nodes["node_id"])}
    today, parts = pd.Timestamp(as_of), []
    for lane in lanes.itertuples():
        cycle = _REFILL_DAYS[tier[lane.to_node_id]]
        for age in range(int(lane.transit_days)):
            ships = today - pd.Timedelta(days=age)
            units = np.round(rate[:, place[lane.to_node_id]] * cycle).astype("int64")
            if ships.toordinal() % cycle:
                continue
            moved = np.flatnonzero(units)
            parts.append(pd.DataFrame({
                "date": today, "item_id": items[moved], "from_node_id": lane.from_node_id,
                "to_node_id": lane.to_node_id, "ship_date": ships,
                "expected_arrival_date": ships + pd.Timedelta(days=int(lane.transit_days)),
                "open_units": units[moved],
            }))  # fmt: skip
    columns = ["date", "item_id", "from_node_id", "to_node_id", "ship_date",
               "expected_arrival_date", "open_units"]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _orders(
    world: dict[str, pd.DataFrame], assumptions: Assumptions, network: Network,
    days: pd.DatetimeIndex, rate: np.ndarray, below: np.ndarray, today: pd.Timestamp,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Receipts and open orders: one line for each order, item and distribution center."""
    lines = _order_lines(world["vendor_items"], assumptions, today)
    centers = np.array([node.parent_node_id is None for node in network.nodes])
    by_center = below[centers]
    item = pd.Index(world["items"]["item_id"]).get_indexer(lines["item_id"])
    first = days[0]
    day = np.clip((lines["order_date"] - first).dt.days.to_numpy(), 0, len(days) - 1)
    wanted = product(rate[item, :, day], by_center.T) * assumptions.order_cycle_days
    case = lines["case_pack_units"].to_numpy()[:, None]
    units = np.round(wanted / case).astype("int64") * case
    row, column = np.nonzero(units)
    names = world["nodes"]["node_id"].to_numpy()[centers]
    table = lines.iloc[row].assign(node_id=names[column], units=units[row, column])
    table = table.reset_index(drop=True)
    kept = ["order_id", "vendor_id", "item_id", "node_id", "order_date", "confirmed_date"]
    has_come = table["arrival_date"] <= today
    still_open = table[~has_come].rename(columns={"units": "open_units"})
    confirmed = still_open["confirmed_date"]
    return {
        "receipts": table.loc[has_come, [*kept, "arrival_date", "units"]],
        "open_orders": still_open.assign(
            date=today, confirmed_date=confirmed.where(confirmed <= today)
        )[["date", *kept, "expected_arrival_date", "open_units"]],
    }  # fmt: skip


def _order_lines(sold: pd.DataFrame, assumptions: Assumptions, today: pd.Timestamp) -> pd.DataFrame:
    """Every order of an item with a vendor in the days before `today`, with its arrival date."""
    cycle = assumptions.order_cycle_days
    last = today.toordinal()
    item_hash = name_hash(sold["item_id"], "orders")
    phase = (item_hash % np.uint64(cycle)).astype("int64")
    steps = np.arange(assumptions.receipts_days // cycle)
    number = (last - phase)[:, None] // cycle - steps
    # Vendors of an item take turns: the second is asked in three of ten cycles.
    turns = uniform(joined(item_hash[:, None], number))
    is_second = sold.duplicated("item_id").to_numpy()
    has_second = sold["item_id"].isin(sold.loc[is_second, "item_id"]).to_numpy()
    asked = np.where(is_second[:, None], turns < 0.3, ~has_second[:, None] | (turns >= 0.3))
    row, step = np.nonzero(asked)
    chosen = sold.iloc[row]
    placed = number[row, step] * cycle + phase[row]
    pair = joined(name_hash(chosen["vendor_id"], "late"), joined(item_hash[row], placed))
    quoted = chosen["quoted_lead_time_days"].to_numpy()
    lead = np.maximum(quoted + _days_late(chosen["vendor_id"], assumptions, pair), 1)
    origin = pd.Timestamp(0).toordinal()
    order_date = pd.to_datetime(placed - origin, unit="D").astype("datetime64[s]")
    confirmed = order_date + pd.to_timedelta(np.minimum(1 + (pair % np.uint64(3)).astype("int64"),
                                                        lead), unit="D")  # fmt: skip
    return chosen[["vendor_id", "item_id", "case_pack_units"]].assign(
        order_id=[f"PO-{vendor[2:]}-{day}" for vendor, day in zip(chosen["vendor_id"], placed,
                                                                  strict=True)],
        order_date=order_date, confirmed_date=confirmed,
        expected_arrival_date=order_date + pd.to_timedelta(quoted, unit="D"),
        arrival_date=order_date + pd.to_timedelta(lead, unit="D"),
    )  # fmt: skip


def _days_late(vendors: pd.Series, assumptions: Assumptions, pair: np.ndarray) -> np.ndarray:
    """On the quoted day or one early, or late by a geometric number of days, by vendor."""
    names = vendors.unique()
    codes = pd.Index(names).get_indexer(vendors)
    trait = uniform(name_hash(names, "reliability"))[codes]
    low, high = assumptions.on_time_share
    on_time = high - (high - low) * trait
    low, high = assumptions.mean_days_late
    mean = low + (high - low) * trait
    late = 1 + np.floor(np.log1p(-uniform(joined(pair, 1))) / np.log1p(-1 / mean))
    early = -(uniform(joined(pair, 2)) < 0.15).astype("int64")
    result: np.ndarray = np.where(uniform(pair) < on_time, early, late).astype("int64")
    return result
