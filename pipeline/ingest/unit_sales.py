"""Wide unit sales: one row of days for each item and region, as M5 has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class UnitSales:
    """Units by series (item, region) and day; series sorted, days ascending."""

    item_id: np.ndarray
    region_id: np.ndarray
    days: pd.DatetimeIndex
    units: np.ndarray

    def rows(self) -> pd.DataFrame:
        """The sales table: a row for each series and day with sales."""
        series, day = np.nonzero(self.units)
        item_codes, items = pd.factorize(self.item_id, sort=True)
        region_codes, regions = pd.factorize(self.region_id, sort=True)
        return pd.DataFrame({
            "item_id": pd.Categorical.from_codes(item_codes[series], categories=items),
            "region_id": pd.Categorical.from_codes(region_codes[series], categories=regions),
            "date": self.days.to_numpy().astype("datetime64[s]")[day],
            "units": self.units[series, day].astype("int64"),
        })  # fmt: skip

    def daily_rate(self, items: list[str], regions: list[str], days: int) -> np.ndarray:
        """Mean units a day over the `days` before and including each day: items x regions x days.

        Days before the first on file are left out of the mean, so the first day stands for itself.
        """
        item = pd.Index(items).get_indexer(self.item_id)
        region = pd.Index(regions).get_indexer(self.region_id)
        total = np.zeros((len(items), len(regions), len(self.days) + 1), dtype="int32")
        total[item, region, 1:] = np.cumsum(self.units, axis=1, dtype="int32")
        end = np.arange(1, len(self.days) + 1)
        start = np.maximum(end - days, 0)
        sold = total[:, :, end] - total[:, :, start]
        rate: np.ndarray = (sold / (end - start)).astype("float32")
        return rate
