"""One coherent forecast at every level: means that add up, and quantiles of the same paths.

Means are those of the days that the plan buys on, summed; past their last day, cells (departments
of regions) go on by their own regression, and items keep their share of the cell, moved by their
own season. Quantiles of items are those of their own spread as sums over regions
(`sum_spread`); of all levels above, those of joint paths of cells (`total_paths`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.contracts.columns import USD_COLUMNS, USD_LEVELS
from pipeline.forecast.levels import ITEMS, UPPER, Cells, Codes, Level, Sums
from pipeline.forecast.panel import F64, I32, Panel
from pipeline.forecast.spread import Spread
from pipeline.forecast.sum_spread import summed, windows_of_sums
from pipeline.forecast.total_paths import PathErrors, draws_of_windows

__all__ = ["USD_COLUMNS", "USD_LEVELS"]

SHARE_DAYS = 28
"""An item's share of its cell, past the last day planned, is that of the last days before it."""


@dataclass(frozen=True)
class Periods:
    """Days, weeks and months of a forecast: windows (start day, days), and what each is."""

    windows: list[tuple[int, int]]
    kinds: list[str]

    @staticmethod
    def of(as_of: pd.Timestamp, days: int, weeks: int, months: int) -> Periods:
        """So many days and weeks from tomorrow, and calendar months, the first from tomorrow."""
        windows = [(day, 1) for day in range(1, days + 1)]
        windows += [(1 + 7 * week, 7) for week in range(weeks)]
        begin = as_of + pd.Timedelta(days=1)
        for _ in range(months):
            end = begin + pd.offsets.MonthBegin(1)
            windows.append(((begin - as_of).days, (end - begin).days))
            begin = end
        kinds = ["day"] * days + ["week"] * weeks + ["month"] * months
        return Periods(windows, kinds)

    @property
    def reach(self) -> int:
        """Last day of any."""
        return max(start + days - 1 for start, days in self.windows)

    def some(self, rows: list[int]) -> Periods:
        """The periods at some places."""
        return Periods([self.windows[k] for k in rows], [self.kinds[k] for k in rows])


@dataclass(frozen=True)
class Means:
    """Expected units and prices of series and of cells.

    series   (series, windows) units
    price    (series, windows) USD a unit
    daily    (cells, days) units of each day
    """

    series: F64
    price: F64
    daily: F64


def means_of(
    panel: Panel, daily: F64, cell: Codes, beyond: F64, windows: list[tuple[int, int]]
) -> Means:
    """Means of `windows`: days up to `daily`'s last are `daily`'s (series, days), later ones are
    `beyond`'s (cells, all days), shared among a cell's series as `SHARE_DAYS` days before were."""
    near = daily.shape[1]
    start, days = (np.array(column) for column in zip(*windows, strict=True))
    running = np.zeros((len(daily), near + 1))
    np.cumsum(daily, axis=1, out=running[:, 1:])
    first, last = np.minimum(start - 1, near), np.minimum(start + days - 1, near)
    units = running[:, last] - running[:, first]
    by_cell = Sums.of(cell, np.zeros(len(cell), np.int64))
    planned = by_cell.add(daily)
    total = np.concatenate([planned, beyond[:, near:]], axis=1)
    far = np.flatnonzero(start + days - 1 > near)
    if len(far):
        season = _season(panel, max(start + days) - 1)
        last_days = slice(max(near - SHARE_DAYS, 0), near)
        share = daily[:, last_days].sum(axis=1)
        share = share / np.maximum(season[:, last_days].sum(axis=1)[panel.item], 1e-6)
        for k in far:
            own = slice(max(start[k] - 1, near), start[k] + days[k] - 1)
            weight = share * season[:, own].sum(axis=1)[panel.item]
            of_cell = by_cell.add(weight[:, None])[:, 0]
            units[:, k] += weight * (total[:, own].sum(axis=1) / np.maximum(of_cell, 1e-9))[cell]
    return Means(units, _prices(panel, start, days), total)


def _season(panel: Panel, reach: int) -> F64:
    """Usual days (items, reach) that each day ahead counts for; past what is known, last year's."""
    items = int(panel.item.max()) + 1
    if panel.season is None:
        return np.ones((items, reach))
    year = max(1, round(365.25 / panel.period_days))
    at = panel.days + np.arange(reach)
    last = panel.season.shape[1] - 1
    back = np.maximum(np.ceil((at - last) / year), 0).astype(np.int64)
    at = np.maximum(at - year * back, 0)
    return np.asarray(panel.season[:, at], np.float64)


def _prices(panel: Panel, start: Codes, days: Codes) -> F64:
    """Mean price in usd (series, windows); past the planned prices the last one holds."""
    price = panel.price[:, panel.days :] if panel.ahead else panel.price[:, -1:]
    known = price.shape[1]
    running = np.zeros((len(price), known + 1))
    np.cumsum(np.nan_to_num(price), axis=1, dtype=np.float64, out=running[:, 1:])
    first = np.minimum(start - 1, known - 1)
    end = np.clip(start + days - 1, first + 1, known)
    mean = (running[:, end] - running[:, first]) / (end - first)
    return np.asarray(panel.price_unit_usd * mean)


@dataclass(frozen=True)
class LevelForecast:
    """Forecast of one level: `sums` names its rows; units and USD (rows, windows, …)."""

    level: Level
    sums: Sums
    periods: Periods
    mean: F64
    quantiles: F64
    mean_usd: F64
    quantiles_usd: F64


def upper_levels(
    cells: Cells, cell: Codes, means: Means, errors: PathErrors, periods: Periods, levels: F64
) -> list[LevelForecast]:
    """The nine levels above items, from the same paths of cells."""
    by_cell = Sums.of(cell, np.zeros(len(cell), np.int64))
    units, usd = by_cell.add(means.series), by_cell.add(means.series * means.price)
    price = usd / np.maximum(units, 1e-9)
    sums = [cells.sums(level) for level in UPPER]
    drawn: list[list[F64]] = [[] for _ in UPPER]
    drawn_usd: list[list[F64]] = [[] for _ in UPPER]
    for path in draws_of_windows(means.daily, errors, periods.windows):
        for k, own in enumerate(sums):
            drawn[k].append(own.add(path))
            drawn_usd[k].append(own.add(path * price))
    return [
        LevelForecast(
            level, own, periods, own.add(units), _quantiles(drawn[k], levels), own.add(usd),
            _quantiles(drawn_usd[k], np.array(USD_LEVELS)),
        )
        for k, (level, own) in enumerate(zip(UPPER, sums, strict=True))
    ]  # fmt: skip


def _quantiles(drawn: list[F64], levels: F64) -> F64:
    """Quantiles (sums, windows, levels) of draws (sums, windows)."""
    return np.asarray(np.quantile(np.array(drawn), levels, axis=0).transpose(1, 2, 0))


def item_levels(
    panel: Panel,
    territory: I32,
    spread: Spread,
    network: Periods,
    places: Periods,
    levels: F64,
    threads: int,
    means: Callable[[Periods], Means],
) -> list[LevelForecast]:
    """Items over the network and over territories, each in its own periods."""
    made = summed(panel, territory.astype(np.int64))
    out, start = [], 0
    for part, level, periods in zip(made.parts, ITEMS, (network, places), strict=False):
        rows = np.arange(start, start + len(part.product))
        start += len(part.product)
        if not periods.windows:
            continue
        expected = means(periods)
        units, usd = part.add(expected.series), part.add(expected.series * expected.price)
        own, totals = made.take(rows)
        seen = windows_of_sums(own, totals, panel.days - 1, periods.windows, units)
        found = spread.quantiles(seen, levels, threads).reshape(*units.shape, len(levels))
        price = usd / np.maximum(units, 1e-9)
        at = np.array([np.searchsorted(levels, level) for level in USD_LEVELS])
        in_usd = found[:, :, np.minimum(at, len(levels) - 1)] * price[:, :, None]
        names = part if level.place == "network" else replace(part, place=part.place - 1)
        out.append(LevelForecast(level, names, periods, units, found, usd, in_usd))
    return out
