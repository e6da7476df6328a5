"""On which days vendors take orders: their weekdays, and the days on which they are closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.columns import WEEKDAYS
from pipeline.simulate.world.supply import day_number

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class OrderDays:
    """weekdays: [vendors, 7], Monday first, on which a vendor takes orders; closed: for each row of
    closures the vendors, weekdays and first and last day (since 1970) on which it takes none."""

    weekdays: Mask
    closed: tuple[tuple[Mask, Mask, int, int], ...] = ()

    def takes(self, day: int) -> Mask:
        """[vendors] whether orders that go out on `day`, counted from 1970, are taken."""
        weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
        found = self.weekdays[:, weekday].copy()
        for vendors, weekdays, first, last in self.closed:
            if first <= day <= last and weekdays[weekday]:
                found &= ~vendors
        return found


def order_days(vendors: pd.DataFrame, closures: pd.DataFrame | None, names: pd.Index) -> OrderDays:
    """From the raw tables; a vendor without order_weekdays takes orders every day."""
    weekdays = np.ones((len(names), 7), dtype=bool)
    if "order_weekdays" in vendors:
        at = names.get_indexer(vendors["vendor_id"].astype("str"))
        for v, text in zip(at, vendors["order_weekdays"], strict=True):
            if v >= 0 and not pd.isna(text):
                weekdays[v] = np.isin(WEEKDAYS, str(text).replace(",", " ").lower().split())
    rows = []
    if closures is not None and len(closures):
        for row in closures[closures["vendor_id"].notna()].itertuples():
            every = pd.isna(row.weekday)
            rows.append((
                np.asarray(names == str(row.vendor_id)),
                np.ones(7, dtype=bool) if every else np.array(WEEKDAYS) == str(row.weekday),
                -(10**6) if pd.isna(row.start_date) else day_number(row.start_date),
                10**6 if pd.isna(row.expiry_date) else day_number(row.expiry_date),
            ))  # fmt: skip
    return OrderDays(weekdays, tuple(rows))
