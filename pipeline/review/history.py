"""Sales history, aggregated once: the only reader of the big daily table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

F64 = npt.NDArray[np.float64]
HISTORY_WEEKS = 26
COLUMNS = ["item_id", "date", "units", "in_stock_share", "is_censored"]
"""What the review reads of daily_demand."""


@dataclass(frozen=True)
class History:
    """Network demand of each item over the last weeks, the newest week ending at as_of.

    weekly_units    item_id -> row of (items, HISTORY_WEEKS) units sold
    week_starts     first day of each week
    in_stock_share  mean over items, regions and the last seven days, suspected stock-outs
                    counting as out of stock; NaN without history
    """

    items: pd.Index
    weekly_units: F64
    week_starts: pd.DatetimeIndex
    in_stock_share: float

    def of(self, item: str) -> F64:
        """Weekly units of an item, zeros where it was not sold."""
        place = self.items.get_indexer(pd.Index([item]))[0]
        return self.weekly_units[place] if place >= 0 else np.zeros(HISTORY_WEEKS)

    def last_weeks(self, weeks: int) -> pd.Series:
        """Units by item over the last `weeks` weeks."""
        return pd.Series(self.weekly_units[:, -weeks:].sum(axis=1), index=self.items)


def demand_history(daily: pd.DataFrame, as_of: date) -> History:
    """The last HISTORY_WEEKS weeks of `daily` (columns COLUMNS of daily_demand)."""
    last = pd.Timestamp(as_of)
    starts = pd.date_range(end=last - pd.Timedelta(days=6), periods=HISTORY_WEEKS, freq="7D")
    age = (last - daily["date"]).dt.days.to_numpy()
    recent = (age >= 0) & (age < 7 * HISTORY_WEEKS)
    item = daily["item_id"].astype("category")
    week = HISTORY_WEEKS - 1 - age[recent] // 7
    cell = item.cat.codes.to_numpy()[recent].astype(np.int64) * HISTORY_WEEKS + week
    items = pd.Index(item.cat.categories.astype("str"))
    units = np.bincount(
        cell, weights=daily["units"].to_numpy(dtype="float64")[recent],
        minlength=len(items) * HISTORY_WEEKS,
    )  # fmt: skip
    weekly = np.asarray(units, dtype=np.float64).reshape(len(items), HISTORY_WEEKS)
    week_old = (age >= 0) & (age < 7)
    share = daily["in_stock_share"].to_numpy()[week_old]
    suspected = daily["is_censored"].to_numpy(dtype=bool)[week_old] & (share >= 1)
    share = np.where(suspected, 0.0, share)
    return History(items, weekly, starts, float(share.mean()) if share.size else float("nan"))
