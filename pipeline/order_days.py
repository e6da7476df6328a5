"""Nights on which vendors take orders: what a night orders reaches the vendor on the next day."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.columns import WEEKDAYS

Bools = npt.NDArray[np.bool_]


def order_weekdays(text: object) -> list[int]:
    """Weekdays (0 Monday) of 'tue fri'; all seven for nothing. ValueError for other words."""
    if pd.isna(text):
        return list(range(7))
    return [WEEKDAYS.index(word) for word in str(text).replace(",", " ").lower().split()]


def order_nights(
    vendors: pd.DataFrame, calendar: pd.DataFrame, names: list[str], as_of: date, nights: int
) -> Bools:
    """Whether the named vendors take an order of the coming nights, (vendors, nights) from tomorrow
    on: on their weekdays, and not before the next one of table vendor_calendar, which knows of
    shutdowns; those of later weeks are not looked up."""
    days = pd.date_range(pd.Timestamp(as_of) + pd.Timedelta(days=2), periods=nights)
    ids = vendors["vendor_id"].astype("str")
    given = vendors.get("order_weekdays", pd.Series([None] * len(vendors)))
    words = dict(zip(ids, given, strict=True))
    gap = dict(zip(calendar["vendor_id"].astype("str"), calendar["order_gap_days"], strict=True))
    ahead = np.arange(nights) + 1
    weekday = np.asarray(days.day_of_week)
    return np.array([
        np.isin(weekday, order_weekdays(words.get(name))) & (ahead >= gap.get(name, 1))
        for name in names
    ]).reshape(len(names), nights)  # fmt: skip
