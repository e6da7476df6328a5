"""Windows of days: sums of daily means, and windows of the past to learn the spread from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import single_exp
from pipeline.forecast.features import COLUMN, features, history
from pipeline.forecast.panel import F32, F64, I32, Panel, Totals
from pipeline.forecast.shape import dispersion, shape_features

EXPECTED_DAYS = 28.0
OFF_SALE_UNITS = 1e-3
"""Stands for the mean of a window in which the item is not on sale, since logs need one."""


@dataclass(frozen=True)
class Windows:
    """Windows of some series as foreseen at an origin, one row each.

    series, origin    place in the panel and day
    start, days       first day after the origin (1 is the next day) and length
    mean              expected units
    x                 features for the spread
    """

    series: I32
    origin: I32
    start: I32
    days: I32
    mean: F64
    x: F32

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Windows:
        """Some of the windows."""
        return Windows(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def with_mean(self, mean: F64) -> Windows:
        """The same windows with another expectation."""
        x = self.x.copy()
        x[:, 0] = np.log(mean)
        x[:, 3] += np.log(mean) - np.log(self.mean)
        return replace(self, mean=mean, x=x)

    def units(self, panel: Panel) -> F64:
        """What was demanded in each window; NaN where a day of it was not observed.

        Closing days are observed: nobody could buy. So are those of a suspected stock-out that
        showed at the origin.
        """
        seen = panel.observed()
        if panel.calendar.closed is not None:
            seen = seen | panel.closed(np.arange(panel.days))
        units = _between(np.nan_to_num(np.where(seen, panel.demand, 0)), self)
        first = self.origin + self.start
        silent = panel.silent_until()[self.series, self.origin]
        shown = np.clip(silent - first, 0, self.days).astype(np.int32)
        return np.where(_between(~seen, self) > _between(~seen, replace(self, days=shown)),
                        np.nan, units)  # fmt: skip


def _between(daily: npt.NDArray[np.generic], windows: Windows) -> F64:
    """Sums of a (series, days) matrix over each window."""
    running = np.zeros((daily.shape[0], daily.shape[1] + 1))
    np.cumsum(daily, axis=1, dtype=np.float64, out=running[:, 1:])
    first = windows.origin + windows.start
    return running[windows.series, first + windows.days] - running[windows.series, first]


@dataclass(frozen=True)
class Days:
    """Days after an origin as foreseen at it.

    origin    day of the panel
    known     (days,) days after the origin that were asked for, ascending
    mean      (series, reach + 1) expected units by day after the origin; 0 where not asked for
    x         (series, days, features) features of the days `known`
    dispersion  (series,) see `shape.dispersion`
    """

    origin: int
    known: I32
    mean: F64
    x: F32
    dispersion: F32

    def sums(self, windows: list[tuple[int, int]]) -> F64:
        """Expected units (series, windows) of windows (start day, days)."""
        running = np.cumsum(self.mean, axis=1)
        start, days = (np.array(column, np.int32) for column in zip(*windows, strict=True))
        return np.asarray(running[:, start + days - 1] - running[:, start - 1])

    def windows(self, windows: list[tuple[int, int]]) -> Windows:
        """The windows of all series, sorted by series, then in the order of `windows`."""
        mean = np.maximum(self.sums(windows), OFF_SALE_UNITS).ravel()
        own = np.zeros_like(self.mean)
        own[:, self.known] = single_exp(self.x[:, :, COLUMN["log_exposure"]])
        exposure = np.maximum(replace(self, mean=own).sums(windows), 1e-3)
        start, days = (np.array(column, np.int32) for column in zip(*windows, strict=True))
        rows = len(self.mean)
        x = self.x[:, np.searchsorted(self.known, start)].reshape(-1, self.x.shape[2])
        tiled_start, tiled_days = np.tile(start, rows), np.tile(days, rows)
        return Windows(
            np.repeat(np.arange(rows, dtype=np.int32), len(windows)),
            np.full(rows * len(windows), self.origin, np.int32),
            tiled_start,
            tiled_days,
            mean,
            shape_features(
                x,
                mean,
                exposure.ravel(),
                tiled_start,
                tiled_days,
                np.repeat(self.dispersion, len(windows)),
            ),
        )


def foresee_days(
    mean_of: Callable[[F32], F64],
    panel: Panel,
    totals: Totals,
    origin: int,
    windows: list[tuple[int, int]],
) -> Days:
    """The days of `windows` (start day, days) of all series, as known at the end of day `origin`.

    `mean_of` gives the expected units of a day from its features (see `mean.daily_mean`).
    `panel` may reach beyond the origin; later demand is not read.
    """
    reach = max(start + days - 1 for start, days in windows)
    known = np.array(sorted({d for s, n in windows for d in range(s, s + n)}), np.int32)
    x = day_features(panel, totals, origin, known)
    daily = np.zeros((panel.series, reach + 1))
    daily[:, known] = mean_of(x).reshape(panel.series, -1)
    _expect(daily, panel, origin)
    daily[:, 1:] *= on_sale(panel, origin + np.arange(1, reach + 1))
    return Days(origin, known, daily, x.reshape(panel.series, len(known), -1),
                dispersion(panel, origin))  # fmt: skip


def foresee_tonight(
    mean_of: Callable[[F32], F64], panel: Panel, totals: Totals, windows: list[tuple[int, int]]
) -> Days:
    """The days of `windows` after the panel's last one, as known today.

    Where sales are reported by week or month, that is what was known at the end of the last period
    that is over.
    """
    origin = panel.whole_origin(panel.days - 1)
    gap = panel.days - 1 - origin
    later = [(start + gap, days) for start, days in windows]
    seen = foresee_days(mean_of, panel, totals, origin, later)
    return Days(panel.days - 1, seen.known - np.int32(gap), seen.mean[:, gap:], seen.x,
                seen.dispersion)  # fmt: skip


def foresee(
    mean_of: Callable[[F32], F64],
    panel: Panel,
    totals: Totals,
    origin: int,
    windows: list[tuple[int, int]],
) -> Windows:
    """All `windows` of all series, as known at the end of day `origin`; see `foresee_days`."""
    return foresee_days(mean_of, panel, totals, origin, windows).windows(windows)


def _expect(daily: F64, panel: Panel, origin: int) -> None:
    """Draw the means of new series towards what planners expect of them, which weighs as much as
    EXPECTED_DAYS days of sales."""
    if panel.expected is None:
        return
    seen = np.isfinite(panel.demand[:, : origin + 1]).sum(axis=1)
    weight = np.where(np.isfinite(panel.expected), EXPECTED_DAYS / (EXPECTED_DAYS + seen), 0.0)
    daily += weight[:, None] * (np.nan_to_num(panel.expected)[:, None] - daily)


def day_features(panel: Panel, totals: Totals, origin: int, days: I32) -> F32:
    """Features (series × days, features) of the days `origin + days`, as known at `origin`."""
    known = panel.until(origin + 1)
    seen = totals if origin + 1 == panel.days else totals.until(origin + 1)
    series = np.repeat(np.arange(panel.series, dtype=np.int32), len(days))
    target = np.tile(origin + days, panel.series).astype(np.int32)
    at = np.full(len(series), origin, np.int32)
    return features(known, seen, history(known, seen), series, at, target)


def on_sale(panel: Panel, day: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Whether each series is on sale and its region open (series, days) on the days `day`."""
    is_sold = (panel.launch_day[:, None] <= day) & (day < panel.end_day[:, None])
    return is_sold & ~panel.closed(day)


def join(parts: list[Windows]) -> Windows:
    """One set of windows of several."""
    names = ("series", "origin", "start", "days", "mean", "x")
    return Windows(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
