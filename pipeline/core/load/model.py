"""The forecast's central curve: day level x share of the day, in one straight function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.load.anomalies import Window, find_windows, hindsight_level
from pipeline.core.load.days import day_class, level_days, shape_days
from pipeline.core.load.grid import LevelShape, level_and_shape, shares
from pipeline.core.load.level import LevelForecast, fit_level
from pipeline.core.load.shape import ShapeForecast, fit_shape

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class BaseForecast:
    """Load without events [horizon, slots], how it was made, and how it would have done before."""

    curve: F64
    level: LevelForecast
    shape: ShapeForecast
    data: LevelShape

    def backtest_curves(self) -> F64:
        """Curves [origins, ahead, slots] that would have been forecast at the backtests."""
        return np.stack([
            curve_of(self.level.backtest[k], self.shape.backtest[k], self.data)
            for k in range(len(self.level.origins))
        ]) if len(self.level.origins) else np.zeros((0, 0, self.data.slots))  # fmt: skip

    def fitted_curve(self) -> F64:
        """Curve [history, slots] of the regressions, without what is carried on."""
        return curve_of(self.level.fitted, self.shape.fitted, self.data)


def forecast_base(
    load: F64, first: np.datetime64, holiday: Sequence[str], horizon_days: int,
    knots: Sequence[int] = (),
) -> BaseForecast:  # fmt: skip
    """Forecast `load` [history, slots] (nan: unknown) for the days after it.

    holiday: name of the holiday ('' for none) of each day of history and horizon. knots: days of
    the history at which the slope of the trend changes.
    """
    n = len(load)
    data = level_and_shape(load, day_class(first, holiday)[:n])
    level = fit_level(
        data.log_level, data.known, level_days(first, holiday, n, knots), horizon_days
    )
    shape = fit_shape(
        data.log_share, level.weight, shape_days(first, holiday, n), level.origins,
        level.backtest.shape[1] if level.backtest.ndim == 2 else 0, horizon_days,
    )  # fmt: skip
    return BaseForecast(curve_of(level.log_level, shape.log_share, data), level, shape, data)


def curve_of(log_level: F64, log_share: F64, data: LevelShape) -> F64:
    """Load [days, slots] of a log level [days] and log shares [days, blocks]."""
    level = np.exp(log_level)[:, None]
    return np.asarray(level * shares(log_share, log_level, data.offset, data.slots))


def forecast_clean(
    load: F64, first: np.datetime64, holiday: Sequence[str], horizon_days: int,
    knots: Sequence[int] = (), accepted: Sequence[tuple[int, int]] = (),
) -> tuple[BaseForecast, list[Window]]:  # fmt: skip
    """The base forecast with robots and outages found and taken out, and those windows.

    accepted: slots [first, last) that planners have taken back, in which nothing is found.
    """
    fit = forecast_base(load, first, holiday, horizon_days, knots)
    n, blocks = len(load), fit.data.blocks
    width = load.shape[1] // blocks
    level = hindsight_level(fit.data.log_level, fit.level.fitted, fit.level.weight)
    fitted = np.exp(level)[:, None] * shares(fit.shape.fitted, level, fit.data.offset, blocks)
    by_block = load.reshape(n, blocks, width)
    seen = np.isfinite(by_block)
    mean = np.where(seen, by_block, 0.0).sum(axis=2) / np.maximum(seen.sum(axis=2), 1)
    found = find_windows(np.where(seen.any(axis=2), mean, np.nan), fitted)
    windows = [window for window in found
               if not any(window.first * width < last and first_slot < window.last * width
                          for first_slot, last in accepted)]  # fmt: skip
    if not any(window.kind != "unknown" for window in windows):
        return fit, windows
    clean = load.ravel().copy()
    for window in windows:
        if window.kind != "unknown":
            clean[window.first * width : window.last * width] = np.nan
    return forecast_base(clean.reshape(load.shape), first, holiday, horizon_days, knots), windows
