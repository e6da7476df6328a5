"""A lab's outcomes from production's tables: margin less what a plan costs beside it.

Every charge falls on the item that causes it, at the same price in both arms: capital and storage
of its stock, the space it takes at the night's price of that space (so that an arm that fills
shared nodes pays for it, whoever overflows), handling and lanes of what is ordered and moved for
it, and delivery of what it sells. Where units were really shipped from is not in these tables:
delivery is charged at the cheapest node of the region, alike in both arms.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.errors import UsageError
from pipeline.store import Store

WEEKLY = ("profit_usd", "units", "in_stock_share", "charges_usd")
_CUFT = "storage_cuft"
_TABLES = ("items", "nodes", "lanes", "vendor_items", "delivery_options", "delivery_speeds")


def weekly_outcomes(store: Store, settings: Settings, first: date, last: date) -> pd.DataFrame:
    """[item_id, week_start, WEEKLY] of the weeks from the Monday of `first` to `last`.

    Nights from `first` to `last` charge what they planned; days without a night charge none, as
    before a lab there may be none. in_stock_share: mean over regions and days, times days.
    """
    nights = [day for day in store.dates("daily_demand") if first <= day <= last]
    if not nights:
        raise UsageError(f"no night between {first} and {last} is planned under {store.root}. "
                         "Next: echelon run, or name outcomes with --outcomes.")  # fmt: skip
    newest = nights[-1]
    daily = store.read(newest, "daily_demand")
    daily = daily[(daily["date"] >= pd.Timestamp(first)) & (daily["date"] <= pd.Timestamp(last))]
    tables = {name: store.read(newest, name) for name in _TABLES}
    sold = _sold(daily, tables)
    planned = [_night(store, day, settings, tables) for day in nights]
    charged = pd.concat(planned, ignore_index=True) if planned else pd.DataFrame()
    both = sold.merge(charged.groupby(["item_id", "date"], as_index=False).sum(), how="left",
                      on=["item_id", "date"])  # fmt: skip
    both["charges_usd"] = both["charges_usd"].fillna(0.0)
    both["profit_usd"] = both["margin_usd"] - both["charges_usd"]
    week = both["date"] - pd.to_timedelta(both["date"].dt.day_of_week, unit="D")
    found = both.groupby(["item_id", week.rename("week_start")])[list(WEEKLY)].sum()
    return found.reset_index()


def _sold(daily: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """By item and day: margin after delivery, units, mean in-stock share."""
    terms = tables["vendor_items"]
    cost = terms.groupby(terms["item_id"].astype("str"))["unit_cost_usd"].min()
    item, region = daily["item_id"].astype("str"), daily["region_id"].astype("str")
    way = region.map(_delivery_usd(tables))
    frame = pd.DataFrame({
        "item_id": item, "date": daily["date"], "units": daily["units"].astype(float),
        "margin_usd": daily["units"] * (daily["price_usd"] - item.map(cost) - way),
        "in_stock_share": daily["in_stock_share"].astype(float),
    })  # fmt: skip
    by = frame.groupby(["item_id", "date"])
    found = by[["units", "margin_usd"]].sum()
    found["in_stock_share"] = by["in_stock_share"].mean()
    return found.reset_index()


def _delivery_usd(tables: dict[str, pd.DataFrame]) -> pd.Series:
    """By region: cost of a delivery from the cheapest node, over speeds by their share."""
    options, speeds = tables["delivery_options"], tables["delivery_speeds"]
    key = ["region_id", "speed"]
    least = options.astype(dict.fromkeys(key, "str")).groupby(key)["ship_usd_per_unit"].min()
    share = speeds.astype(dict.fromkeys(key, "str")).set_index(key)["demand_share"]
    return (least * share).dropna().groupby(level=0).sum()


def _night(
    store: Store, day: date, settings: Settings, tables: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """Charges of a night by item: its stock for a day, what was ordered and moved for it."""
    nodes = tables["nodes"].astype({"node_id": "str"}).set_index("node_id")
    items = tables["items"].astype({"item_id": "str"}).set_index("item_id")
    cube = items["unit_cube_cuft"]
    terms = tables["vendor_items"]
    cost = terms.groupby(terms["item_id"].astype("str"))["unit_cost_usd"].min()
    stock = store.read(day, "stock").astype({"item_id": "str", "node_id": "str"})
    space = nodes["storage_usd_per_cuft_day"].add(_space_usd(store, day), fill_value=0.0)
    held = stock["on_hand_units"] * (
        stock["item_id"].map(cost) * settings.planning.holding_rate_per_year / 365.0
        + stock["item_id"].map(cube) * stock["node_id"].map(space)
    )
    parts = [pd.DataFrame({"item_id": stock["item_id"], "charges_usd": held})]
    if store.manifest(day, "inbound_assignments") is not None:
        came = store.read(day, "inbound_assignments").astype({"item_id": "str", "node_id": "str"})
        usd = came["assigned_units"] * came["node_id"].map(nodes["handling_usd_per_unit"])
        parts.append(pd.DataFrame({"item_id": came["item_id"], "charges_usd": usd}))
        parts.append(_moved(store, day, tables, nodes, cube))
    found = pd.concat(parts, ignore_index=True).groupby("item_id", as_index=False).sum()
    return found.assign(date=pd.Timestamp(day + timedelta(days=1)))


def _moved(
    store: Store, day: date, tables: dict[str, pd.DataFrame], nodes: pd.DataFrame, cube: pd.Series
) -> pd.DataFrame:
    ends = ["from_node_id", "to_node_id"]
    moved = store.read(day, "transfers").astype({"item_id": "str", **dict.fromkeys(ends, "str")})
    lanes = tables["lanes"].astype(dict.fromkeys(ends, "str")).set_index(ends)
    rate = lanes["lane_usd_per_cuft"].reindex(pd.MultiIndex.from_frame(moved[ends])).to_numpy()
    usd = moved["to_node_id"].map(nodes["handling_usd_per_unit"]).to_numpy(float)
    usd = usd + np.nan_to_num(rate) * moved["item_id"].map(cube).to_numpy(float)
    return pd.DataFrame({
        "item_id": moved["item_id"], "charges_usd": moved["transfer_units"].to_numpy(float) * usd
    })  # fmt: skip


def _space_usd(store: Store, day: date) -> pd.Series:
    """By node: the night's price of a cubic foot and day in the first planning week."""
    if store.manifest(day, "capacity_prices") is None:
        return pd.Series(dtype=float)
    frame = store.read(day, "capacity_prices").astype({"node_id": "str", "resource": "str"})
    frame = frame[(frame["resource"] == _CUFT) & (frame["week_start"] == frame["week_start"].min())]
    return frame.set_index("node_id")["price_usd_per_capacity_unit"] / 7.0
