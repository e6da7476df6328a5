"""The M5 data as panels: 12 levels in three tiers, with the official weights and scales.

Reads the official CSV names or the Parquet cuts (`sales_d*_wide.parquet`), whichever lies in the
folder. Tiers: `top` (levels 1 to 9, 154 series, with full history where the folder has it),
`items` (levels 10 and 11) and `stores` (level 12).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.forecast.panel import (
    F32,
    F64,
    Calendar,
    Panel,
    Totals,
    align,
    event_distance,
    totals,
)
from pipeline.forecast.seasons import with_exposure
from pipeline.ingest.zero_runs import suspected_stockouts

LEVELS: list[tuple[str, ...]] = [
    (), ("state_id",), ("store_id",), ("cat_id",), ("dept_id",), ("state_id", "cat_id"),
    ("state_id", "dept_id"), ("store_id", "cat_id"), ("store_id", "dept_id"), ("item_id",),
    ("item_id", "state_id"), ("item_id", "store_id"),
]  # fmt: skip
TIERS = {"top": range(1, 10), "items": range(10, 12), "stores": range(12, 13)}
EVENT_TYPES = ["Cultural", "National", "Religious", "SNAP", "Sporting"]
HISTORY_DAYS = 900


@dataclass(frozen=True)
class M5:
    """Sales by series (first day `first_d`), prices by week, calendar, early department sums."""

    series: pd.DataFrame
    sales: F32
    first_d: int
    price: F32  # (series, days of the calendar) USD
    calendar: pd.DataFrame
    departments: pd.DataFrame | None

    @property
    def last_d(self) -> int:
        """Last day with sales."""
        return self.first_d + self.sales.shape[1] - 1

    def sample(self, items: int) -> M5:
        """Some items, drawn at random, in all their stores."""
        names = np.unique(self.series["item_id"])
        chosen = np.random.default_rng(1).choice(names, min(items, len(names)), replace=False)
        rows = np.flatnonzero(self.series["item_id"].isin(chosen))
        series = self.series.iloc[rows].reset_index(drop=True)
        return replace(
            self, series=series, sales=self.sales[rows], price=self.price[rows], departments=None
        )

    def until(self, last_d: int) -> M5:
        """The data without the sales after day `last_d`."""
        early = self.departments
        if early is not None:
            early = early[early["d"] <= last_d]
        return replace(self, sales=self.sales[:, : last_d - self.first_d + 1], departments=early)


@dataclass(frozen=True)
class Tier:
    """A panel, its sums, and the series' level, names, weight and scale."""

    panel: Panel
    totals: Totals
    keys: pd.DataFrame
    first_d: int


def _table(raw: Path, name: str) -> pd.DataFrame:
    for path in (raw / f"{name}.parquet", raw / f"{name}.csv"):
        if path.exists():
            return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    raise SystemExit(f"{raw}: neither {name}.parquet nor {name}.csv is there")


def _sales(raw: Path) -> pd.DataFrame:
    """The widest set of days found; several cuts of all series are joined by id."""
    paths = sorted(raw.glob("sales_d*_wide.parquet"))
    paths += [raw / f"sales_train_{kind}.csv" for kind in ("evaluation", "validation")]
    wide: pd.DataFrame | None = None
    for path in paths:
        if not path.exists():
            continue
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        frame["id"] = frame["id"].str.replace(r"_(evaluation|validation)$", "", regex=True)
        if wide is None:
            wide = frame
        else:
            new = [c for c in frame if c.startswith("d_") and c not in wide]
            wide = wide.merge(frame[["id", *new]], on="id", validate="1:1")
    if wide is None:
        raise SystemExit(f"{raw}: no sales_d*_wide.parquet and no sales_train_*.csv")
    return wide.sort_values(["item_id", "store_id"], ignore_index=True)


def read(raw: Path) -> M5:
    """All M5 tables of a folder."""
    wide, calendar, prices = _sales(raw), _table(raw, "calendar"), _table(raw, "sell_prices")
    days = sorted(int(c[2:]) for c in wide if re.fullmatch(r"d_\d+", c))
    if days != list(range(days[0], days[-1] + 1)):
        raise SystemExit(f"{raw}: the sales files leave out days between {days[0]} and {days[-1]}")
    calendar["date"] = pd.to_datetime(calendar["date"])
    names = ["item_id", "dept_id", "cat_id", "store_id", "state_id"]
    place = pd.Series(np.arange(len(wide)), pd.MultiIndex.from_frame(wide[names[:1] + names[3:4]]))
    cell = place.reindex(
        pd.MultiIndex.from_arrays([prices["item_id"].astype(str), prices["store_id"].astype(str)])
    ).to_numpy()
    weeks, week_of_day = np.unique(calendar["wm_yr_wk"], return_inverse=True)
    weekly = np.full((len(wide), len(weeks)), np.nan, np.float32)
    known = np.isfinite(cell)
    weekly[cell[known].astype(int), np.searchsorted(weeks, prices["wm_yr_wk"])[known]] = prices[
        "sell_price"
    ][known]
    path = next(iter(raw.glob("sales_store_dept_daily_*.parquet")), None)
    return M5(
        wide[names],
        wide[[f"d_{d}" for d in days]].to_numpy(np.float32),
        days[0],
        weekly[:, week_of_day],
        calendar,
        None if path is None else pd.read_parquet(path),
    )


def _codes(frame: pd.DataFrame, by: tuple[str, ...]) -> tuple[pd.DataFrame, np.ndarray]:
    """Distinct keys of a level in order, and the key of each row."""
    if not by:
        return pd.DataFrame({"all": ["Total"]}), np.zeros(len(frame), int)
    index = pd.MultiIndex.from_frame(frame[list(by)])
    code, keys = pd.factorize(index, sort=True)
    return pd.DataFrame(list(keys), columns=list(by)), code


def add_up(frame: pd.DataFrame, values: np.ndarray, by: tuple[str, ...]) -> np.ndarray:
    """Sums of the rows of `values` over a level's keys."""
    keys, code = _codes(frame, by)
    out = np.zeros((len(keys), values.shape[1]), np.float64)
    np.add.at(out, code, np.nan_to_num(values))
    return out


def _top_sales(data: M5, last_d: int) -> tuple[pd.DataFrame, F64, int]:
    """Store × department sums from the earliest day known to `last_d`."""
    by = ("store_id", "dept_id")
    keys, _ = _codes(data.series, by)
    ours = add_up(data.series, data.sales[:, : last_d - data.first_d + 1], by)
    keys = keys.merge(data.series.drop(columns="item_id").drop_duplicates(), on=list(by))
    if data.departments is None or data.first_d == 1:
        return keys, ours, data.first_d
    old = data.departments[data.departments["d"] < data.first_d]
    table = old.pivot_table(index=list(by), columns="d", values="units", aggfunc="sum")
    early = table.reindex(pd.MultiIndex.from_frame(keys[list(by)])).to_numpy(np.float64)
    return keys, np.concatenate([early, ours], axis=1), data.first_d - early.shape[1]


def _calendar(data: M5, first_d: int, days: int, regions: list[str]) -> Calendar:
    rows = data.calendar.iloc[first_d - 1 : first_d - 1 + days]
    flags = np.zeros((len(regions), days, len(EVENT_TYPES)), np.float32)
    for k in (1, 2):
        for e, kind in enumerate(EVENT_TYPES):
            flags[:, :, e] = np.maximum(flags[:, :, e], (rows[f"event_type_{k}"] == kind))
    snap = rows[["snap_CA", "snap_TX", "snap_WI"]].to_numpy(np.float32)
    states = ["CA", "TX", "WI"]
    for r, region in enumerate(regions):
        state = region[:2]
        flags[r, :, 3] = snap[:, states.index(state)] if state in states else snap.mean(axis=1)
    named = data.calendar[["event_name_1", "event_name_2"]].to_numpy()
    annual = [
        (str(name), day + 1 - first_d)
        for day, names in enumerate(named)
        for name in names
        if isinstance(name, str)
    ]
    is_event = flags[:, :, [0, 1, 2, 4]].max(axis=2) > 0
    days_to, days_since = event_distance(is_event)
    names = sorted({name for name, _ in annual})
    on = np.zeros((len(names), len(regions), days), bool)
    for name, day in annual:
        if 0 <= day < days:
            on[names.index(name), :, day] = True
    return Calendar(
        flags, days_to, days_since, align(days, annual), named=on, event_names=tuple(names)
    )


def tier(data: M5, name: str, origin: int, ahead: int) -> Tier:
    """One tier as known at the end of day `origin`, with prices and events of `ahead` days."""
    if name == "top":
        rows, sales, first_d = _top_sales(data, origin)
        price = None
    else:
        first_d = max(data.first_d, origin - HISTORY_DAYS + 1)
        rows, price = data.series, data.price
        sales = data.sales[:, first_d - data.first_d : origin - data.first_d + 1]
        live = np.isfinite(price[:, first_d - 1 : origin]) | (sales > 0)
        launch = np.where(live.any(axis=1), live.argmax(axis=1), sales.shape[1])
    parts, blocks, prices, launches = [], [], [], []
    for level in TIERS[name]:
        by = LEVELS[level - 1]
        keys, code = _codes(rows, by)
        blocks.append(add_up(rows, sales, by))
        shown = keys[list(by)] if by else pd.DataFrame({"all": ["Total"]})
        head = pd.DataFrame({"level": level, "agg_1": shown.iloc[:, 0]})
        head["agg_2"] = shown.iloc[:, 1] if shown.shape[1] > 1 else "X"
        attributes = rows.groupby(code).first().reset_index(drop=True)
        for column in ("item_id", "dept_id", "cat_id", "store_id", "state_id"):
            inside = [c for c in by if column in _COARSER[c] or c == column]
            head[column] = attributes[column] if inside else "all"
        parts.append(head)
        if price is None:
            prices.append(np.full((len(keys), origin + ahead - first_d + 1), np.nan, np.float32))
            launches.append(np.zeros(len(keys), np.int32))
        else:
            shown_price = price[:, first_d - 1 : origin + ahead]
            n = add_up(rows, np.isfinite(shown_price).astype(np.float32), by)
            total = add_up(rows, shown_price, by)
            prices.append(np.where(n > 0, total / np.maximum(n, 1), np.nan).astype(np.float32))
            earliest = np.full(len(keys), sales.shape[1])
            np.minimum.at(earliest, code, launch)
            launches.append(earliest.astype(np.int32))
    keys = pd.concat(parts, ignore_index=True)
    return _as_tier(data, name, keys, np.concatenate(blocks), np.concatenate(prices),
                    np.concatenate(launches), first_d)  # fmt: skip


_COARSER = {
    "item_id": ("dept_id", "cat_id"),
    "store_id": ("state_id",),
    "dept_id": ("cat_id",),
    "state_id": (),
    "cat_id": (),
}


def _as_tier(
    data: M5,
    name: str,
    keys: pd.DataFrame,
    sales: F64,
    price: F32,
    launch: np.ndarray,
    first_d: int,
) -> Tier:
    region_name = keys["store_id"].where(keys["store_id"] != "all", keys["state_id"])
    region, regions = pd.factorize(region_name, sort=True)
    series = np.arange(len(keys), dtype=np.int32)
    group, _ = pd.factorize(keys["dept_id"] + region_name, sort=True)
    item, _ = pd.factorize(keys["item_id"], sort=True)
    demand = sales.astype(np.float32)
    demand[np.arange(demand.shape[1])[None, :] < launch[:, None]] = np.nan
    panel = Panel(
        np.datetime64(data.calendar["date"].iloc[first_d - 1], "D"),
        demand,
        price,
        np.zeros(demand.shape, bool),
        launch.astype(np.int32),
        np.full(len(keys), 10**6, np.int32),
        series if name == "top" else item.astype(np.int32),
        region.astype(np.int32),
        pd.factorize(keys["dept_id"], sort=True)[0].astype(np.int32),
        pd.factorize(keys["cat_id"], sort=True)[0].astype(np.int32),
        series if name == "top" else group.astype(np.int32),
        _calendar(data, first_d, price.shape[1], list(regions)),
    )
    if name == "stores":
        panel = as_the_night_sees(panel)
    return Tier(panel, totals(panel), keys, first_d)


def as_the_night_sees(panel: Panel) -> Panel:
    """The panel with suspected stock-outs and exposures, as ingest and forecast would make it."""
    settings = Settings().ingest
    suspected = suspected_stockouts(
        np.nan_to_num(panel.demand), np.isfinite(panel.demand), settings.stockout_probability,
        settings.stockout_max_days,
    )  # fmt: skip
    return with_exposure(replace(panel, is_censored=suspected))


def truth(data: M5, keys: pd.DataFrame, first: int, last: int) -> F64:
    """Actual units of the series in `keys` on days first … last."""
    sales = data.sales[:, first - data.first_d : last - data.first_d + 1]
    return np.concatenate(
        [add_up(data.series, sales, LEVELS[k - 1]) for k in keys["level"].unique()]
    )


def weights(data: M5, origin: int) -> list[F64]:
    """Share of dollar sales of the 28 days up to `origin`, by series of each level."""
    days = slice(origin - 28, origin)
    sold = data.sales[:, origin - 28 - data.first_d + 1 : origin - data.first_d + 1]
    revenue = np.nansum(sold * data.price[:, days], axis=1, dtype=np.float64)[:, None]
    return [(add_up(data.series, revenue, by) / revenue.sum()).ravel() for by in LEVELS]


def scales(data: M5, origin: int, raw: Path) -> list[F64]:
    """Mean absolute one-day difference since the first sale, up to `origin`, by level.

    Exact for levels 1 to 9 where the folder has full histories of departments. For single series
    whose early years are missing, the folder's published estimate is used, else the known days.
    """
    rows, sales, _ = _top_sales(data, origin)
    sold = data.sales[:, : origin - data.first_d + 1]
    published = sorted(raw.glob("scales_weights_42840_d*.parquet"))
    out = []
    for level, by in enumerate(LEVELS, 1):
        if level >= 10 and data.first_d > 1 and published:
            known = pd.read_parquet(published[-1])
            known = known[known["level"] == level].sort_values(["agg_1", "agg_2"])
            out.append(known["scale_mad_d1913"].to_numpy())
            continue
        values = add_up(rows, sales, by) if level < 10 else add_up(data.series, sold, by)
        steps = np.abs(np.diff(values, axis=1))
        first = np.where((values > 0).any(axis=1), (values > 0).argmax(axis=1), 0)
        since = np.arange(steps.shape[1])[None, :] >= first[:, None]
        out.append((steps * since).sum(axis=1) / np.maximum(since.sum(axis=1), 1))
    return out


def sampled_panel(data: M5, raw: Path, origin: int, ahead: int) -> tuple[Panel, F64]:
    """The random sample of series with full histories up to `origin`, and their next `ahead` days.

    A series launches in the first week for which it has a price.
    """
    path = next(iter(raw.glob("sales_fullhistory_sample_*_wide.parquet")))
    wide = pd.read_parquet(path)
    names = ["item_id", "store_id"]
    rows = wide[names].merge(data.series.reset_index(), on=names, how="left")
    kept = rows["index"].notna().to_numpy()
    place = rows.loc[kept, "index"].to_numpy(int)
    first_d = max(1, origin - HISTORY_DAYS + 1)
    days = [f"d_{d}" for d in range(first_d, origin + ahead + 1)]
    sales = wide.loc[kept, days].to_numpy(np.float64)
    price = data.price[place, first_d - 1 : origin + ahead]
    launch = np.where(np.isfinite(price).any(axis=1), np.isfinite(price).argmax(axis=1), 10**6)
    series = data.series.iloc[place].reset_index(drop=True).assign(level=12)
    known = origin - first_d + 1
    made = _as_tier(data, "sample", series, sales[:, :known], price, launch, first_d)
    return made.panel, sales[:, known:].sum(axis=1)
