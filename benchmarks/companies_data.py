"""Five companies' demand as panels, nothing tuned: where they come from and what is asked of each.

Dominick's, Favorita and Intel are weekly (eight single weeks ahead), UCI and Ta Feng daily (the
next week, the one after, four weeks). Dominick's has prices, which a night knows as planned ones;
its deals and features are left out. What UCI and Ta Feng were paid is known afterwards only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.forecast.outliers import find_spikes
from pipeline.forecast.panel import F32, Calendar, Panel
from pipeline.forecast.seasons import with_exposure
from pipeline.ingest.closing_days import learned_weekdays
from pipeline.ingest.cut_days import cut_days
from pipeline.ingest.zero_runs import suspected_stockouts

WEEKS = [(h, 1) for h in range(1, 9)]
DAYS = [(1, 7), (8, 7), (1, 28)]


@dataclass(frozen=True)
class Company:
    """Units and prices (series, periods), codes of items and regions, and what is asked."""

    name: str
    units: F32
    price: F32
    item: np.ndarray
    region: np.ndarray
    first: np.datetime64
    period_days: int
    windows: list[tuple[int, int]]
    origins: list[int]

    def until(self, days: int, ahead: int) -> Panel:
        """What is known after `days` periods, prices of `ahead` further ones included."""
        n, regions = len(self.units), int(self.region.max()) + 1
        demand = self.units[:, :days].copy()
        seen = np.isfinite(demand) & (np.nan_to_num(demand) > 0)
        launch = np.where(seen.any(axis=1), seen.argmax(axis=1), days).astype(np.int32)
        demand[np.arange(days) < launch[:, None]] = np.nan
        far = np.full((regions, days + ahead), 28, np.float32)
        year = 364 // self.period_days
        zero = np.zeros(n, np.int32)
        region = self.region.astype(np.int32)
        return Panel(
            self.first, demand, self.price[:, : days + ahead], np.zeros(demand.shape, bool), launch,
            zero + 10**6, self.item.astype(np.int32), region, zero, zero, region,
            Calendar(np.zeros((regions, days + ahead, 1), np.float32), far, far,
                     np.arange(days + ahead, dtype=np.int32) - year),
            period_days=self.period_days,
        )  # fmt: skip

    def some(self, series: int) -> Company:
        """Some series, items whole, drawn at random."""
        order = np.random.default_rng(1).permutation(np.unique(self.item))
        size = np.bincount(self.item)[order]
        items = order[: max(1, int(np.searchsorted(np.cumsum(size), series)))]
        rows = np.flatnonzero(np.isin(self.item, items))
        item = np.unique(self.item[rows], return_inverse=True)[1]
        return Company(
            self.name, self.units[rows], self.price[rows], item, self.region[rows], self.first,
            self.period_days, self.windows, self.origins,
        )  # fmt: skip


def as_the_night_sees(panel: Panel) -> Panel:
    """The panel with what a night makes of it: seasons, lifts and cut prices, and where sales are
    daily closed weekdays, days whose export broke off, suspected stock-outs and spikes."""
    if panel.period_days > 1:
        return with_exposure(panel)
    settings = Settings().ingest
    days = pd.DatetimeIndex(panel.first_date + np.arange(panel.days))
    sold = np.zeros((int(panel.region.max()) + 1, panel.days), np.int64)
    np.add.at(sold, panel.region, np.nan_to_num(panel.demand).astype(np.int64))
    past, weekdays = learned_weekdays(sold, days, np.zeros(sold.shape, bool))
    coming = (np.arange(panel.ahead) + (panel.first_weekday + panel.days)) % 7
    unknown = (sold.sum(axis=0) == 0) & ~past
    unknown |= cut_days(sold, ~past & ~unknown, days, settings.cut_day_share)
    demand = np.where((past | unknown)[panel.region], np.float32(np.nan), panel.demand)
    suspected = suspected_stockouts(
        np.nan_to_num(demand), np.isfinite(demand), settings.stockout_probability,
        settings.stockout_max_days,
    )  # fmt: skip
    spikes = find_spikes(demand, np.zeros(demand.shape, bool))
    return with_exposure(replace(
        panel, demand=np.where(spikes, np.float32(np.nan), demand), is_censored=suspected,
        calendar=replace(panel.calendar, closed=np.hstack([past, weekdays[:, coming]])),
    ))  # fmt: skip


def _codes(keys: pd.DataFrame, columns: list[str]) -> list[np.ndarray]:
    return [pd.factorize(keys[column], sort=True)[0] for column in columns]


def dominicks(shared: Path) -> Company:
    """Orange juice by store and brand, hundreds of ounces a week, with the brand's price."""
    frame = pd.read_parquet(shared / "dominicks_oj" / "orange_juice_store_week.parquet")
    prices = frame[[f"price{k}" for k in range(1, 12)]].to_numpy()
    frame["price"] = prices[np.arange(len(frame)), frame["brand"].to_numpy() - 1]
    units, price = (
        frame.pivot_table(index=["store", "brand"], columns="week", values=v)
        for v in ("units_oz_sold", "price")
    )
    item, region = _codes(units.index.to_frame(), ["brand", "store"])
    return Company(
        "Dominick's", (units.to_numpy(np.float32) / 100).round(), price.to_numpy(np.float32), item,
        region, np.datetime64("1990-06-14"), 7, WEEKS, [76, 84, 92],
    )  # fmt: skip


def favorita(shared: Path) -> Company:
    """Favorita's weekly sales by SKU and store."""
    path = shared / "favorita_weekly_21_stores" / "weekly_sales_w0_w139.parquet"
    table = pd.read_parquet(path).pivot_table(
        index=["sku_idx", "store_idx"], columns="week_idx", values="units"
    )
    item, region = _codes(table.index.to_frame(), ["sku_idx", "store_idx"])
    units = np.maximum(table.to_numpy(np.float32), 0)  # a few weeks are net returns
    return Company("Favorita", units, np.full_like(units, np.nan), item, region,
                   np.datetime64("2013-01-02"), 7, WEEKS, [116, 124, 132])  # fmt: skip


def intel(shared: Path) -> Company:
    """Intel's weekly orders by SKU and distribution center."""
    frame = pd.read_parquet(shared / "intel_forecasts_orders" / "intel_187_weeks.parquet")
    table = frame.pivot_table(index=["sku", "distribution_center"], columns="week",
                              values="customer_orders", aggfunc="sum")  # fmt: skip
    item, region = _codes(table.index.to_frame(), ["sku", "distribution_center"])
    units = np.maximum(table.to_numpy(np.float32), 0)
    return Company("Intel", units, np.full_like(units, np.nan), item, region,
                   np.datetime64("2013-01-02"), 7, WEEKS, [163, 171, 179])  # fmt: skip


def uci(shared: Path) -> Company:
    """UCI's gift retailer: products sold on at least twenty days, daily, one region."""
    frame = pd.read_parquet(shared / "uci_online_retail" / "online_retail.parquet")
    frame = frame[(frame["Quantity"] > 0) & (frame["UnitPrice"] > 0)]
    return _daily("UCI", frame["StockCode"].astype(str), frame["InvoiceDate"], frame["Quantity"],
                  20)  # fmt: skip


def ta_feng(shared: Path) -> Company:
    """Ta Feng's grocery: products sold on at least twenty days, daily, one region."""
    frame = pd.read_parquet(shared / "ta_feng" / "ta_feng_transactions.parquet")
    return _daily("Ta Feng", frame["PRODUCT_ID"].astype(str), frame["TRANSACTION_DT"],
                  frame["AMOUNT"], 20)  # fmt: skip


def _daily(name: str, item: pd.Series, date: pd.Series, units: pd.Series, least: int) -> Company:
    day = pd.to_datetime(date).dt.normalize()
    first = day.min()
    place = (day - first).dt.days.to_numpy()
    code, _ = pd.factorize(item, sort=True)
    table = np.zeros((code.max() + 1, place.max() + 1), np.float64)
    np.add.at(table, (code, place), units.to_numpy(np.float64))
    kept = (table > 0).sum(axis=1) >= least
    table = table[kept]
    days = table.shape[1]
    n = len(table)
    backs = (2, 1) if days > 150 else (1,)
    return Company(
        name, table.astype(np.float32), np.full(table.shape, np.nan, np.float32), np.arange(n),
        np.zeros(n, int), np.datetime64(first, "D"), 1, DAYS,
        [days - 1 - 28 * back for back in backs],
    )  # fmt: skip


COMPANIES = (dominicks, favorita, intel, uci, ta_feng)
