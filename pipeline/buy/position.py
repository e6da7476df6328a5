"""What an item has and what is coming in time: the inventory position a new order adds to.

An open order counts towards a vendor's position if it is expected before the *next* review's order
from that vendor would arrive (as_of + lead time + review period): until then it serves the demand
that tonight's order is meant to cover. What comes later is next review's business. An overdue order
counts in full, for the vendor still owes it, as long as ingest publishes it. Transfers move stock
that the network owns already; they always count.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]


def inventory_positions(
    pairs: pd.DataFrame,
    stock: pd.DataFrame,
    open_orders: pd.DataFrame,
    open_transfers: pd.DataFrame,
    as_of: date,
) -> Ints:
    """Units of each (item, vendor) row of `pairs`, which has item_id and cover_days.

    Only rows dated `as_of` of the three tables are read. Ids must be strings.
    """
    today = pd.Timestamp(as_of)
    on_hand = _of_day(stock, today).groupby("item_id")["on_hand_units"].sum()
    moving = _of_day(open_transfers, today).groupby("item_id")["open_units"].sum()
    coming = _of_day(open_orders, today)[["item_id", "expected_arrival_date", "open_units"]]
    held = pairs["item_id"].map(on_hand).fillna(0) + pairs["item_id"].map(moving).fillna(0)

    rows = pairs[["item_id", "cover_days"]].assign(pair=np.arange(len(pairs)))
    rows = rows.merge(coming, on="item_id")
    arrival = pd.to_datetime(rows["expected_arrival_date"])
    days_ahead = (arrival - pd.Timestamp(as_of)).dt.days
    counts = days_ahead <= np.ceil(rows["cover_days"])
    in_time = rows[counts].groupby("pair")["open_units"].sum()
    on_order = in_time.reindex(np.arange(len(pairs)), fill_value=0)
    return held.to_numpy(dtype="int64") + on_order.to_numpy(dtype="int64")


def _of_day(frame: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    return frame[frame["date"] == today]
