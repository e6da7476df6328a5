"""Calendars of vendors: nights on which they take orders, and days that delay what they send.

A night's orders reach the vendor on the next day; it takes them on its order weekdays unless it is
closed. What is under way waits while the vendor is shut down (closures between dates; its weekdays
off are part of the lead times that receipts show) and where every receiving node is closed on the
day of arrival. A vendor that delivers on set weekdays comes on one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ingest.closing_days import declared
from pipeline.ingest.promises import deliver_on_set_days, delivery_days
from pipeline.order_days import order_weekdays

Bools = npt.NDArray[np.bool_]
_AHEAD_DAYS = 120


def vendor_calendar(tables: Mapping[str, pd.DataFrame], as_of: date) -> pd.DataFrame:
    """Table vendor_calendar: whether a vendor takes tonight's order, when the next one, and how
    many days from tonight until it takes another."""
    vendors = tables["vendors"].sort_values("vendor_id", kind="stable", ignore_index=True)
    days = pd.date_range(pd.Timestamp(as_of) + pd.Timedelta(days=1), periods=_AHEAD_DAYS)
    takes = ~declared(tables["closures"], "vendor_id", vendors["vendor_id"].astype("str"), days)
    weekday = np.asarray(days.day_of_week)
    for v, text in enumerate(vendors.get("order_weekdays", pd.Series([None] * len(vendors)))):
        takes[v] &= np.isin(weekday, order_weekdays(text))
    first = np.where(takes.any(axis=1), takes.argmax(axis=1), _AHEAD_DAYS - 1)
    later = takes.copy()
    later[:, 0] = False
    gap = np.where(later.any(axis=1), later.argmax(axis=1), _AHEAD_DAYS - 1)
    return pd.DataFrame({
        "vendor_id": vendors["vendor_id"], "takes_orders": takes[:, 0],
        "next_order_date": days.to_numpy().astype("datetime64[s]")[first],
        "order_gap_days": np.maximum(gap, 1).astype(np.int64),
    })  # fmt: skip


def with_waits(
    table: pd.DataFrame, tables: Mapping[str, pd.DataFrame], as_of: date
) -> pd.DataFrame:
    """The table lead_times with shutdowns of vendors and closed docks in the way of arrivals."""
    closures = tables.get("closures")
    on_set_days = deliver_on_set_days(tables)
    if table.empty or ((closures is None or closures.empty) and not on_set_days):
        return table
    closures = tables["closures"]
    longest = int(table["lead_time_days"].max()) + 2 * _AHEAD_DAYS
    days = pd.date_range(pd.Timestamp(as_of) + pd.Timedelta(days=1), periods=longest)
    names = sorted(table["vendor_id"].astype("str").unique())
    shut = declared(closures[closures["weekday"].isna()], "vendor_id", names, days)
    nodes = tables["nodes"]
    docks = nodes.loc[nodes["is_vendor_receiving"].astype(bool), "node_id"].astype("str")
    no_dock = np.asarray(declared(closures, "node_id", docks, days).all(axis=0), dtype=bool)
    if not shut.any() and not no_dock.any() and not on_set_days:
        return table
    vendor = pd.Index(names).get_indexer(table["vendor_id"].astype("str"))
    lead = table["lead_time_days"].to_numpy(dtype=np.int64)
    moved = np.empty(len(lead), dtype=np.int64)
    for v in range(len(names)):
        rows = vendor == v
        comes = delivery_days(tables, names[v], days) & ~shut[v]
        moved[rows] = _after_waits(lead[rows], shut[v], comes, no_dock)
    keys = ["vendor_id", "item_id", "lead_time_days"]
    summed = table.assign(lead_time_days=moved).groupby(keys, observed=True, as_index=False).agg(
        {"probability": "sum", "observed_receipts": "first", "open_orders_used": "first"}
    )  # fmt: skip
    pair = [summed["vendor_id"], summed["item_id"]]
    part = summed["probability"] * summed["lead_time_days"]
    summed["mean_lead_time_days"] = part.groupby(pair, observed=True).transform("sum")
    off = (summed["lead_time_days"] - summed["mean_lead_time_days"]) ** 2
    variance = (summed["probability"] * off).groupby(pair, observed=True).transform("sum")
    summed["sd_lead_time_days"] = np.sqrt(variance)
    return summed[list(table.columns)]


def _after_waits(
    lead: npt.NDArray[np.int64], shut: Bools, comes: Bools, no_dock: Bools
) -> npt.NDArray[np.int64]:
    """Days after as_of on which orders arrive that take `lead` days without a shutdown.

    comes: [days] on which it delivers. The nearest of them is taken, the later of two as near: the
    law of its delays is smoothed about the days on which it came.
    """
    working = np.cumsum(~shut)
    at = np.minimum(np.searchsorted(working, lead), len(shut) - 1)
    if not comes.all() and comes.any():
        set_days = np.flatnonzero(comes)
        later = np.minimum(np.searchsorted(set_days, at), len(set_days) - 1)
        before = set_days[np.maximum(later - 1, 0)]
        at = np.where(at - before < set_days[later] - at, before, set_days[later])
    open_dock = np.flatnonzero(~no_dock)
    place = np.minimum(np.searchsorted(open_dock, at), len(open_dock) - 1)
    return np.asarray(open_dock[place] + 1 if len(open_dock) else at + 1)
