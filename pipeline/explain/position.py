"""Stock and what is on the way, as the explanations count it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd


def node_stock(stock: pd.DataFrame, as_of: date) -> pd.Series:
    """On-hand units at the end of `as_of` by (item_id, node_id)."""
    today = stock[stock["date"] == pd.Timestamp(as_of)]
    return _total(today, ["item_id", "node_id"], "on_hand_units")


def node_inbound(
    open_orders: pd.DataFrame, open_transfers: pd.DataFrame, as_of: date, days: pd.Series
) -> pd.Series:
    """Units on the way to a node, from vendors and other nodes, by (item_id, node_id).

    Counts what arrives within the node's interval, `days` by node_id; all of it where none is
    given. Overdue units count: they may arrive any day.
    """
    columns = ["date", "item_id", "node_id", "expected_arrival_date", "open_units"]
    moves = open_transfers.rename(columns={"to_node_id": "node_id"})
    text = {"item_id": "str", "node_id": "str"}
    rows = pd.concat([open_orders[columns].astype(text), moves[columns].astype(text)])
    ahead = (rows["expected_arrival_date"] - pd.Timestamp(as_of)).dt.days
    limit = rows["node_id"].map(days).astype("float64").fillna(np.inf)
    counted = (rows["date"] == pd.Timestamp(as_of)) & (ahead <= limit)
    return _total(rows[counted], ["item_id", "node_id"], "open_units")


def interval_days(base_stock_levels: pd.DataFrame) -> pd.Series:
    """The interval that a node's levels protect, in whole days, by node_id."""
    text = base_stock_levels.astype({"node_id": "str"})
    return np.maximum(np.rint(text.groupby("node_id")["protection_days"].max()), 1.0)


def vendor_on_order(
    open_orders: pd.DataFrame, open_transfers: pd.DataFrame, lead_days: pd.Series, as_of: date
) -> pd.Series:
    """Units by (item_id, vendor_id) that are on the way and arrive before a new order would.

    `lead_days` is the mean lead time by (item_id, vendor_id). What another vendor has on the way
    counts too: the position is the item's, only the cut-off date is the vendor's.
    """
    columns = ["item_id", "expected_arrival_date", "open_units"]
    today = pd.Timestamp(as_of)
    orders = open_orders.loc[open_orders["date"] == today, columns].astype({"item_id": "str"})
    moves = open_transfers.loc[open_transfers["date"] == today, columns].astype({"item_id": "str"})
    moves = moves.assign(expected_arrival_date=today)
    pairs = lead_days.rename("lead_days").reset_index()
    rows = pairs.merge(pd.concat([orders, moves]), on="item_id")
    arrival = today + pd.to_timedelta(np.ceil(rows["lead_days"]), unit="D")
    return _total(
        rows[rows["expected_arrival_date"] <= arrival], ["item_id", "vendor_id"], "open_units"
    )


def by_item(node_units: pd.Series) -> pd.Series:
    """Units by item_id, summed over the nodes."""
    return node_units.groupby(level="item_id").sum()


def _total(frame: pd.DataFrame, keys: list[str], units: str) -> pd.Series:
    text = frame[[*keys, units]].astype(dict.fromkeys(keys, "str"))
    return text.groupby(keys)[units].sum().astype("int64")
