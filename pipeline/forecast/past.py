"""Forecasts of days that are over, by trees that had not seen them: what spreads learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from pipeline.contracts.settings import ForecastSettings
from pipeline.errors import UsageError
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.panel import F64, Panel, Totals
from pipeline.forecast.panel import totals as sums_of
from pipeline.forecast.pull import Above, Seen, Weights, factors
from pipeline.forecast.seasons import as_known
from pipeline.forecast.sum_spread import LEARNED, summed, window_sums, windows_of_sums
from pipeline.forecast.total_models import TotalModels
from pipeline.forecast.windows import OFF_SALE_UNITS, Windows, foresee_days, join

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Foreseen:
    """What was foreseen at `origin` of some series: units (rows, days) of the days after it, and
    the windows `asked` (start day, days) that were over by the panel's end."""

    origin: int
    daily: F64
    asked: list[tuple[int, int]]
    windows: Windows

    def scaled(self, factor: F64) -> Foreseen:
        """The same with each day of each series times `factor` (rows, days)."""
        daily = self.daily * factor
        mean = np.maximum(window_sums(daily, self.asked).ravel(), OFF_SALE_UNITS)
        return replace(self, daily=daily, windows=self.windows.with_mean(mean))


@dataclass(frozen=True)
class Past:
    """Forecasts of the series `rows` of a panel; `known` is what was known of them at the first."""

    rows: Rows
    known: Panel
    foreseen: list[Foreseen]

    def windows(self, panel: Panel) -> tuple[Windows, F64]:
        """All windows as rows of `panel`, and what was demanded in them."""
        parts = [
            replace(own.windows, series=self.rows[own.windows.series].astype(np.int32))
            for own in self.foreseen
        ]
        found = join(parts)
        units = found.units(panel)
        seen = np.isfinite(units)
        return found.take(seen), units[seen]

    def sums(self, panel: Panel, territory: npt.NDArray[np.integer]) -> tuple[Windows, F64, Panel]:
        """Windows of items summed over the network and over territories, what was demanded in
        them, and the panel of those sums."""
        shard = replace(
            self.known, demand=panel.demand[self.rows], is_censored=panel.is_censored[self.rows]
        )
        made = summed(shard, territory.astype(np.int64))
        parts = []
        for own in self.foreseen:
            windows = [(s, n) for s, n in LEARNED if s + n - 1 <= _covered(own, panel)]
            if windows:
                mean = made.add(window_sums(own.daily, windows))
                parts.append(windows_of_sums(made.panel, made.totals, own.origin, windows, mean))
        found = join(parts)
        units = found.units(made.panel)
        seen = np.isfinite(units) & (found.mean > OFF_SALE_UNITS)
        return found.take(seen), units[seen], made.panel

    def cells(self, panel: Panel, above: Above, models: TotalModels | None) -> list[Seen]:
        """What was foreseen of the cells above, twice, and what came."""
        out = []
        for own in self.foreseen:
            days = _covered(own, panel)
            share = above.share(panel, self.rows, own.origin)[:, None]
            begin = own.origin + 1 + above.first_day
            foreseen = above.sums(own.daily[:, :days], self.rows) * share
            other = foreseen
            if above.knows_years:
                other = above.foresee(own.origin, days, models)
            out.append(Seen(foreseen, other, above.departments.units[:, begin : begin + days]))
        return out

    def pulled(self, above: Above, cells: list[Seen], weights: Weights) -> Past:
        """The same with series drawn towards their cells' own forecast."""
        out = []
        for own, seen in zip(self.foreseen, cells, strict=True):
            factor = np.ones(own.daily.shape)
            drawn = factors(seen.summed, seen.own, weights)
            factor[:, : drawn.shape[1]] = drawn[above.cell[self.rows]]
            out.append(own.scaled(factor))
        return replace(self, foreseen=out)


def _covered(own: Foreseen, panel: Panel) -> int:
    """Days after the origin, from the first on, that were asked for and are over."""
    asked = np.zeros(own.daily.shape[1] + 2, bool)
    for start, days in own.asked:
        asked[start : start + days] = True
    return min(int(np.argmin(asked[1:])), panel.days - 1 - own.origin)


def foresee_past(
    early: lgb.Booster,
    panel: Panel,
    totals: Totals,
    settings: ForecastSettings,
    windows: list[tuple[int, int]],
    cut: int,
    seed: int,
    threads: int,
) -> Past:
    """Windows after day `cut` as foreseen by `early`; raises UsageError where none is over."""
    rows = calibration_rows(panel, settings, seed)
    known = as_known(panel, cut)
    if known is not panel:
        totals = sums_of(known)
    shard = known.take(rows)
    found = []
    origins = range(cut, panel.days - 1, settings.calibration_step_days)
    for origin in sorted({panel.whole_origin(day) for day in origins} - {*range(cut)}):
        ends = [(s, n) for s, n in windows if origin + s + n - 1 < panel.days]
        if ends:
            days = foresee_days(daily_mean(early), shard, totals, origin, ends)
            found.append(Foreseen(origin, days.mean[:, 1:], ends, days.windows(ends)))
    if not found:
        raise UsageError(
            f"the history of {panel.days} days is too short to learn forecasts of "
            f"{min(days for _, days in windows)} days from. Next: load at least "
            f"{3 * min(days for _, days in windows) + 3} days of sales, or ask for shorter windows."
        )
    return Past(rows, shard, found)


def calibration_rows(panel: Panel, settings: ForecastSettings, seed: int) -> Rows:
    """Series of at most `calibration_items` items, drawn at random; items come whole."""
    items = np.unique(panel.item)
    if len(items) > settings.calibration_items:
        draw = np.random.default_rng(seed)
        items = draw.choice(items, settings.calibration_items, replace=False)
    return np.flatnonzero(np.isin(panel.item, items))
