"""Inputs in groups, and an earlier night's facts laid onto a later business date.

An earlier night's dates are moved by the days between the two nights, so that its stock, what it
has on the way and what is announced lie as far ahead as they did then. What a stage cannot notice
(a price that has ended, an override that is not in force) is left out of the comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pandas as pd

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import TABLES

Tables = dict[str, pd.DataFrame]

DEMAND, MODEL, CORRECTIONS = "demand", "model", "data_corrections"
LEAD_TIME, PRICE, STOCK = "lead_time", "price_and_cost", "stock_and_receipts"
CAPACITY, OVERRIDES, SETTINGS = "capacity", "overrides", "settings"
ASSORTMENT, CALENDAR, FIT = "items_new_or_gone", "calendar", "fit_to_capacity"
CODE = "code_version"
SINCE_DRIVERS = (
    DEMAND, LEAD_TIME, PRICE, STOCK, CAPACITY, OVERRIDES, SETTINGS, MODEL, CORRECTIONS, ASSORTMENT,
    CALENDAR, FIT, CODE,
)  # fmt: skip

GROUP_TABLES = {
    LEAD_TIME: ("lead_times",),
    CALENDAR: ("vendor_calendar",),
    PRICE: (
        "items", "vendors", "vendor_items", "prices", "price_breaks", "truck_terms",
        "award_standing",
    ),
    STOCK: ("stock", "open_orders", "open_transfers"),
    CAPACITY: (
        "node_capacity", "nodes", "lanes", "delivery_options", "delivery_speeds", "order_hours",
        "regions", "closures",
    ),
    OVERRIDES: ("overrides",),
    SETTINGS: ("service_targets",),
}  # fmt: skip
"""Tables that the plan's stages read, by group; any other is about demand."""
SNAPSHOTS = ("stock", "open_orders", "open_transfers")


def group_of(table: str) -> str:
    """The group that a table's differences belong to."""
    return next((group for group, names in GROUP_TABLES.items() if table in names), DEMAND)


def shifted(name: str, frame: pd.DataFrame, days: int) -> pd.DataFrame:
    """The table with every date `days` later; snapshots of earlier days come along."""
    if not days:
        return frame
    dates = [column for column in TABLES[name].columns if COLUMNS[column].kind == "date"]
    step = pd.Timedelta(days=days)
    return frame.assign(**{column: frame[column] + step for column in dates})


def effective(name: str, frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """What stages after the forecast can notice of a table on a business date, for comparison."""
    tomorrow = pd.Timestamp(as_of + timedelta(days=1))
    if name in SNAPSHOTS:
        return frame[frame["date"] == pd.Timestamp(as_of)]
    if name == "prices":
        known = frame[frame["start_date"] <= tomorrow]
        keys = ["item_id", "region_id"]
        last = known.sort_values([*keys, "start_date"], kind="stable")
        return last.drop_duplicates(keys, keep="last").drop(columns="start_date")
    if name == "overrides":
        is_planned = frame["override_target"].astype("str") != "demand"
        return _in_force(frame[is_planned], tomorrow)
    if name == "node_capacity":
        keys = ["node_id", "resource"]
        ordered = frame.sort_values([*keys, "start_date"], kind="stable")
        now = ordered[ordered["start_date"] <= tomorrow].drop_duplicates(keys, keep="last")
        later = ordered[ordered["start_date"] > tomorrow]
        return pd.concat([now.assign(start_date=tomorrow), later])
    dropped = {
        "items": ["launch_date", "end_date"], "closures": list(frame.columns),
        "item_life": ["last_sale_date", "known_days", "quiet_days", "dead_probability"],
    }.get(name, [])  # fmt: skip
    return frame.drop(columns=[column for column in dropped if column in frame])


def demand_overrides(frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Overrides of demand that a forecast of that night can notice."""
    is_demand = frame["override_target"].astype("str") == "demand"
    return frame[is_demand & (frame["expiry_date"] > pd.Timestamp(as_of))]


def is_same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two tables hold the same rows in the same order."""
    if len(one) != len(other) or list(one.columns) != list(other.columns):
        return False
    return all(
        _plain(one[name]).equals(_plain(other[name])) for name in one.columns
    )  # fmt: skip


def with_items(
    frame: pd.DataFrame, other: pd.DataFrame, own: set[str], wanted: set[str]
) -> pd.DataFrame:
    """Rows of `frame` for the items wanted; for those that its night does not know, of `other`."""
    if "item_id" not in frame or own == wanted:
        return frame
    mine = frame["item_id"].isna() | frame["item_id"].astype("str").isin(wanted)
    strange = wanted - own
    lent = other["item_id"].astype("str").isin(strange)
    text = [name for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    parts = [part.astype(dict.fromkeys(text, "object")) for part in (frame[mine], other[lent])]
    joined = pd.concat(parts, ignore_index=True) if len(parts[1]) else parts[0]
    return joined.astype(dict.fromkeys(text, "category"))


def item_ids(tables: Mapping[str, pd.DataFrame]) -> set[str]:
    """The items of a night."""
    return set(tables["items"]["item_id"].astype("str"))


def _in_force(frame: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    holds = (frame["start_date"] <= day) & (frame["expiry_date"] >= day)
    return frame[holds].drop(columns=["start_date", "expiry_date", "planner", "why"])


def _plain(values: pd.Series) -> pd.Series:
    is_text = isinstance(values.dtype, pd.CategoricalDtype)
    return (values.astype("object") if is_text else values).reset_index(drop=True)
