"""Correction of probability levels, fitted on forecasts made before the fact.

If the range from the 0.1 to the 0.9 quantile held only 74 % of past demand in a class of windows,
the class's quantiles are read further out, at the levels that held 80 %. Classes: window length ×
expected units.

Only how wide a forecast is gets corrected, never where it lies: that all of the last three months
sold less than expected is one event, a common shock that the next months do not repeat. On M5 such
a correction of the median moved four of five origins the wrong way.
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


def fit_calibration(rank: F64, classes: npt.NDArray[np.int64], strength: float) -> Calibration:
    """Levels from past ranks; a class with few rows leans on all windows of its length.

    A level and its mirror image 1 − level are moved apart or together by the same amount.
    `strength` in [0, 1]: 1 trusts the past ranks whole, 0 leaves the model's levels as they are.
    """
    levels = np.tile(GRID, (CLASSES, 1))
    per_length = len(MEAN_EDGES) + 1
    for length in range(len(DAYS_EDGES) + 1):
        own = classes // per_length == length
        parent = _shrunk(rank[own], GRID)
        for c in range(length * per_length, (length + 1) * per_length):
            levels[c] = _shrunk(rank[classes == c], parent)
    mirrored = (levels + 1 - levels[:, ::-1]) / 2
    return Calibration(GRID + strength * (mirrored - GRID))


def _shrunk(rank: F64, parent: F64) -> F64:
    if len(rank) == 0:
        return parent
    own = np.quantile(rank, GRID)
    return (len(rank) * own + BORROWED_ROWS * parent) / (len(rank) + BORROWED_ROWS)
