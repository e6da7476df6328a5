"""Why more is held than then: what arrived, what sold, and how either differed from the plan.

Stock now - stock then is an identity of units that came and went. Each side is set against what
the earlier night expected of these days, so that

    change = (due - expected sales) + (arrived - due) + (expected sales - sold) + counted otherwise

holds for every item exactly. Due: open orders of the earlier night expected by now, overdue ones
too. Money is at the later night's unit cost.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.store import Store

BRIDGE_DRIVERS = ("planned", "arrivals", "sales", "counted_otherwise")
BRIDGE_WORDS = {
    "planned": ("was planned so: more due to arrive than to sell",
                "was planned so: more due to sell than to arrive"),
    "arrivals": ("more arrived than was due", "less arrived than was due"),
    "sales": ("less sold than expected", "more sold than expected"),
    "counted_otherwise": ("counts and returns, beyond what sales and arrivals say",
                          "losses and counts, beyond what sales and arrivals say"),
}  # fmt: skip


def stock_bridge(store: Store, before: date, after: date) -> pd.DataFrame:
    """One row for each item: `before` and `after` units, BRIDGE_DRIVERS that add up to the change,
    the category, the vendor that sells it cheapest and its unit cost.

    Expected sales are the earlier night's means over the nearest window that it published,
    stretched to these days. What arrived is what left the open orders of the nights planned in
    between; what was ordered and arrived between two of them is counted otherwise.
    """
    days = (after - before).days
    old, new = _stock(store, before), _stock(store, after)
    expected = _expected(store, before, days)
    sold = _sold(store, before, after)
    due = _due(store, before, after)
    arrived = _arrived(store, before, after)
    index = sorted({*old.index, *new.index, *expected.index, *sold.index, *due.index})
    frame = pd.DataFrame(index=pd.Index(index, name="item_id"))
    for name, series in (("before", old), ("after", new)):
        frame[name] = series.reindex(index, fill_value=0.0)
    came, went = due.reindex(index, fill_value=0.0), expected.reindex(index, fill_value=0.0)
    frame["planned"] = came - went
    frame["arrivals"] = arrived.reindex(index, fill_value=0.0) - came
    frame["sales"] = went - sold.reindex(index, fill_value=0.0)
    told = frame[["planned", "arrivals", "sales"]].sum(axis=1)
    frame["counted_otherwise"] = frame["after"] - frame["before"] - told
    return frame.join(_about(store, after)).reset_index()


def bridge_usd(bridge: pd.DataFrame) -> pd.DataFrame:
    """The bridge in money: units times the item's cost now."""
    cost = bridge["unit_cost_usd"].fillna(0.0)
    columns = ["before", "after", *BRIDGE_DRIVERS]
    return bridge.assign(**{name: bridge[name] * cost for name in columns})


def _stock(store: Store, day: date) -> pd.Series:
    frame = store.read(day, "stock")
    today = frame[frame["date"] == pd.Timestamp(day)].astype({"item_id": "str"})
    moves = store.read(day, "open_transfers").astype({"item_id": "str"})
    moves = moves[moves["date"] == pd.Timestamp(day)]
    held = today.groupby("item_id")["on_hand_units"].sum()
    return held.add(moves.groupby("item_id")["open_units"].sum(), fill_value=0.0).astype("float64")


def _expected(store: Store, day: date, days: int) -> pd.Series:
    frame = store.read(day, "demand_quantiles").astype({"item_id": "str"})
    frame = frame[frame["window_start_day"] == 1]
    if frame.empty:
        return pd.Series(dtype="float64")
    windows = np.sort(frame["window_days"].unique())
    nearest = windows[np.argmin(np.abs(windows - days))]
    own = frame[frame["window_days"] == nearest]
    return own.groupby("item_id")["mean_units"].sum() * (days / nearest)


def _sold(store: Store, before: date, after: date) -> pd.Series:
    frame = store.read(after, "daily_demand").astype({"item_id": "str"})
    own = frame[frame["date"] > pd.Timestamp(before)]
    return own.groupby("item_id")["units"].sum().astype("float64")


def _due(store: Store, day: date, until: date) -> pd.Series:
    """Open units expected by `until`, as known on a day."""
    frame = _open(store, day)
    own = frame[frame["expected_arrival_date"] <= pd.Timestamp(until)]
    return own.groupby("item_id")["open_units"].sum().astype("float64")


def _arrived(store: Store, before: date, after: date) -> pd.Series:
    """Units that left the open orders from each planned night to the next."""
    keys = ["item_id", "order_id", "node_id"]
    days = [day for day in store.dates("open_orders") if before <= day <= after]
    total = pd.Series(dtype="float64")
    lines = [_open(store, day).groupby(keys)["open_units"].sum() for day in days]
    for now, then in pairwise(lines):
        left = (now - then.reindex(now.index, fill_value=0)).clip(lower=0)
        total = total.add(left.groupby("item_id").sum(), fill_value=0.0)
    return total.astype("float64")


def _open(store: Store, day: date) -> pd.DataFrame:
    frame = store.read(day, "open_orders")
    own = frame[frame["date"] == pd.Timestamp(day)]
    return own.astype({"item_id": "str", "order_id": "str", "node_id": "str"})


def _about(store: Store, day: date) -> pd.DataFrame:
    items = store.read(day, "items").astype({"item_id": "str", "category": "str"})
    offers = store.read(day, "vendor_items").astype({"item_id": "str", "vendor_id": "str"})
    best = offers.sort_values(["item_id", "unit_cost_usd", "vendor_id"], kind="stable")
    best = best.drop_duplicates("item_id").set_index("item_id")
    about = items.set_index("item_id")[["category", "item_name"]]
    return about.join(best[["vendor_id", "unit_cost_usd"]])
