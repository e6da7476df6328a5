"""Correction of probability levels, fitted on forecasts made before the fact.

If the range from the 0.1 to the 0.9 quantile held only 74 % of past demand in a class of windows,
the class's quantiles are read further out, at the levels that held 80 %: a level and its mirror
image 1 − level are moved apart or together by the same amount. Classes of width: window length ×
expected units.

Where a forecast lies is corrected only as far as its law leans wrongly. That all of the last three
months sold less than expected is one event, a common shock that the next months do not repeat; on
M5 such a correction of the median moved four of five origins the wrong way. So place is learned
from ranks around means that are right in sum at each past origin (`without_shock`): a level and its
mirror image are moved the same way. What remains is of the law: a negative binomial leans to the
right, where of what comes most lies a little above the mean and little far below it (items that
stop). Classes of place: expected units, over all lengths, since few long windows are over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.forecast.panel import F64, I32

DAYS_EDGES = np.array([1.5, 7.5, 28.5])
MEAN_EDGES = np.array([0.3, 1.0, 3.0, 10.0, 30.0, 300.0])
GRID = np.concatenate([[0.0025, 0.005, 0.01], np.arange(0.025, 0.98, 0.025), [0.99, 0.995, 0.9975]])
BORROWED_ROWS = 500.0
SHOCK = 0.1
"""Standard deviation of logarithms of what all windows of an origin and class have in common."""
CLASSES = (len(DAYS_EDGES) + 1) * (len(MEAN_EDGES) + 1)


@dataclass(frozen=True)
class Calibration:
    """`levels` (classes, len(GRID)): the level to read for each nominal level of GRID."""

    levels: F64

    def at(self, nominal: F64) -> F64:
        """Levels (classes, len(nominal)) to read for the `nominal` ones, ascending."""
        ends = np.concatenate([[0.0], GRID, [1.0]])
        rows = [
            np.interp(nominal, ends, np.concatenate([[0.0], row, [1.0]])) for row in self.levels
        ]
        return np.array(rows)

    def nominal(self, rank: F64, classes: npt.NDArray[np.int64]) -> F64:
        """Calibrated probability of what the model itself gives probability `rank`."""
        ends = np.concatenate([[0.0], GRID, [1.0]])
        out = np.empty_like(rank)
        for c in np.unique(classes):
            here = classes == c
            out[here] = np.interp(rank[here], np.concatenate([[0.0], self.levels[c], [1.0]]), ends)
        return out


def classes_of(mean: F64, days: I32) -> npt.NDArray[np.int64]:
    """Class of each window."""
    length = np.searchsorted(DAYS_EDGES, days)
    return (length * (len(MEAN_EDGES) + 1) + np.searchsorted(MEAN_EDGES, mean)).astype(np.int64)


def without_shock(mean: F64, units: F64, classes: npt.NDArray[np.int64], origin: I32) -> F64:
    """Means (rows,) of past windows, so scaled that those of a class and origin sum to what was
    demanded; less where few sales tell the shock from luck."""
    cell = np.unique(np.stack([classes, origin]), axis=1, return_inverse=True)[1].ravel()
    expected, came = np.bincount(cell, mean), np.bincount(cell, units)
    ratio = np.log(np.maximum(came, 1.0) / np.maximum(expected, 1.0))
    luck = np.bincount(cell, (units - mean) ** 2) / np.maximum(came, 1.0) ** 2
    factor = np.exp(ratio * SHOCK**2 / (SHOCK**2 + luck))
    return np.asarray(mean * factor[cell])


def fit_calibration(
    rank: F64, unshocked: F64, classes: npt.NDArray[np.int64], strength: float
) -> Calibration:
    """Levels from past ranks: width from `rank`, place from ranks `unshocked` of the same windows
    around means without their origins' shocks.

    A class of width with few rows leans on all windows of its length, a class of place on all.
    `strength` in [0, 1]: 1 trusts the past ranks whole, 0 leaves the model's levels as they are.
    """
    per_length = len(MEAN_EDGES) + 1
    width, place = np.tile(GRID, (CLASSES, 1)), np.tile(GRID, (CLASSES, 1))
    for length in range(len(DAYS_EDGES) + 1):
        parent = _shrunk(rank[classes // per_length == length], GRID)
        for c in range(length * per_length, (length + 1) * per_length):
            width[c] = _shrunk(rank[classes == c], parent)
    every = _shrunk(unshocked, GRID)
    for c in range(per_length):
        place[c::per_length] = _shrunk(unshocked[classes % per_length == c], every)
    apart = (width + 1 - width[:, ::-1]) / 2 - GRID
    aside = (place + place[:, ::-1] - 1) / 2
    levels = np.maximum.accumulate(GRID + strength * (apart + aside), axis=1)
    return Calibration(np.clip(levels, 0.0, 1.0))


def _shrunk(rank: F64, parent: F64) -> F64:
    if len(rank) == 0:
        return parent
    own = np.quantile(rank, GRID)
    return (len(rank) * own + BORROWED_ROWS * parent) / (len(rank) + BORROWED_ROWS)
