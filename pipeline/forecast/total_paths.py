"""Joint paths of departments over days: past errors, replayed around tonight's means.

A path is the whole error of one past forecast: of all departments of all regions and all its days
at once, so that what was wrong together then (a level, a cold week, a region) is wrong together
again, and sums over any products, places and days are as wide as they were. Few origins are many
paths: each is replayed at all shifts by whole weeks, with either sign, scaled by how errors grow
with the horizon. Beyond the days that past forecasts reach, every four weeks add an independent
error of the level, as a random walk does, up to `MOST_STEPS` of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.forecast.panel import F64

ERROR_DAYS = 28
MOST_STEPS = 8.0
LEAST_SIZE = 0.02
"""Errors smaller than this (a share) are not believed of a few past forecasts."""
MOST_ERROR = 1.5


@dataclass(frozen=True)
class PathErrors:
    """`log` (origins, cells, ERROR_DAYS): logarithm of what came over what was forecast."""

    log: F64

    @staticmethod
    def of(came: F64, foreseen: F64, closed: npt.NDArray[np.bool_]) -> PathErrors:
        """The errors of forecasts (origins, cells, days); `closed` (origins, days) tell nothing."""
        error = np.log1p(np.maximum(came, 0.0)) - np.log1p(foreseen)
        error = np.where(closed[:, None, :], 0.0, np.clip(error, -MOST_ERROR, MOST_ERROR))
        return PathErrors(np.round(error, 4))

    def at(self, rows: npt.NDArray[np.int64]) -> PathErrors:
        """The errors of some cells; −1 stands for one without a past, which errs like the mean."""
        known = np.concatenate([self.log, self.log.mean(axis=1, keepdims=True)], axis=1)
        return PathErrors(known[:, rows])

    def growth(self) -> F64:
        """Size of errors by day ahead (ERROR_DAYS,), a straight line of mean 1."""
        size = np.sqrt((self.log**2).mean(axis=(0, 1)))
        day = np.arange(ERROR_DAYS) - (ERROR_DAYS - 1) / 2
        slope = (day * size).sum() / (day**2).sum()
        line = np.maximum(size.mean() + slope * day, 1e-6)
        return np.asarray(np.clip(line / line.mean(), 0.25, 4.0))

    def paths(self, days: int) -> Iterator[F64]:
        """Log errors (cells, days) of each joint path."""
        growth = self.growth()
        size = np.sqrt((self.log**2).mean())
        scaled = self.log / growth * max(1.0, LEAST_SIZE / max(size, 1e-9))
        level = scaled.mean(axis=2)
        ahead = np.arange(days)
        steps = np.sqrt(np.clip((ahead - ERROR_DAYS) / ERROR_DAYS, 0.0, MOST_STEPS))
        reach = growth[np.minimum(ahead, ERROR_DAYS - 1)]
        for k in range(len(scaled)):
            drift = level[k - 1][:, None] * steps
            for shift in range(0, ERROR_DAYS, 7):
                own = scaled[k][:, (ahead - shift) % ERROR_DAYS] * reach + drift
                yield own
                yield -own


def draws_of_windows(
    mean: F64, errors: PathErrors, windows: list[tuple[int, int]]
) -> Iterator[F64]:
    """Units (cells, windows) of windows (start day, days) along each path around `mean`
    (cells, days), whose first day is day 1; every day's mean over all paths is `mean`."""
    start, days = (np.array(column) for column in zip(*windows, strict=True))
    total, count = np.zeros(mean.shape), 0
    for path in errors.paths(mean.shape[1]):
        total += np.exp(path)
        count += 1
    each = mean * (count / total)
    running = np.zeros((len(mean), mean.shape[1] + 1))
    for path in errors.paths(mean.shape[1]):
        np.cumsum(each * np.exp(path), axis=1, out=running[:, 1:])
        yield running[:, start + days - 1] - running[:, start - 1]
