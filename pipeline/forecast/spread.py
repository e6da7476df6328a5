"""The predictive distribution around a window's mean: spread, chance of none, corrected levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from pipeline.contracts.settings import ForecastSettings
from pipeline.forecast.calibration import (
    Calibration,
    classes_of,
    fit_calibration,
    without_shock,
)
from pipeline.forecast.distribution import quantiles, ranks
from pipeline.forecast.panel import F64
from pipeline.forecast.shape import fit_shape, predict_shape, shape_start
from pipeline.forecast.windows import OFF_SALE_UNITS, Windows

NAMED_SIZE, NAMED_NONE = 8.0, 0.01
"""Spread around a level that a planner names: a standard deviation of 0.35 beside the Poisson's."""


@dataclass(frozen=True)
class PastErrors:
    """Windows foreseen without having seen them, what was demanded, and its calibrated ranks."""

    windows: Windows
    units: F64
    rank: F64


@dataclass(frozen=True)
class Spread:
    """Trees for the spread, what they start from (`shape_base`), and level correction."""

    shape: lgb.Booster
    start: F64
    calibration: Calibration

    def quantiles(self, windows: Windows, levels: F64, threads: int) -> F64:
        """Quantiles (rows, levels) of windows, corrected; never crossing."""
        size, none = predict_shape(self.shape, self.start, windows.x, threads)
        out = np.empty((len(windows.mean), len(levels)))
        corrected = self.calibration.at(levels)
        quantiles(windows.mean, size, none, corrected, classes_of(windows.mean, windows.days), out)
        out[windows.mean <= OFF_SALE_UNITS] = 0.0
        return out

    def redrawn(self, windows: Windows, mean: F64, named: F64, levels: F64, threads: int) -> F64:
        """Quantiles (rows, levels) of `windows` whose expectation a planner has changed to `mean`.

        `named` (rows,) is the share of `mean` whose level the planner has named: there the spread
        is at most that of size `NAMED_SIZE` with a chance of none of at most `NAMED_NONE`, because
        the forecast's doubt of its own level went with the level. The rest keeps its size and its
        chance, which is to say that a factor leaves the coefficient of variation as it was.
        """
        size, none = predict_shape(self.shape, self.start, windows.x, threads)
        log_size = np.log(size)
        size = np.exp(log_size + named * (np.maximum(log_size, np.log(NAMED_SIZE)) - log_size))
        none = none + named * (np.minimum(none, NAMED_NONE) - none)
        out = np.empty((len(mean), len(levels)))
        corrected = self.calibration.at(levels)
        kept = np.maximum(mean, OFF_SALE_UNITS)
        quantiles(kept, size, none, corrected, classes_of(kept, windows.days), out)
        out[mean <= OFF_SALE_UNITS] = 0.0
        return out

    def ranks(self, windows: Windows, units: F64, seed: int, threads: int) -> F64:
        """Calibrated ranks of what was demanded, uniform in [0, 1] if the forecast is right.

        A count that has probability itself gets a uniform draw from its jump, so that coverage
        can be judged on slow items too, where no quantile can cover exactly its level.
        """
        size, none = predict_shape(self.shape, self.start, windows.x, threads)
        draw = np.random.default_rng(seed).random(len(units))
        rank = ranks(units, windows.mean, size, none, draw)
        return self.calibration.nominal(rank, classes_of(windows.mean, windows.days))

    def to_notes(self) -> dict[str, Any]:
        """All but the trees, as plain values."""
        return {
            "shape_start": self.start.tolist(),
            "calibration_levels": np.round(self.calibration.levels, 6).tolist(),
        }

    @staticmethod
    def from_notes(shape: lgb.Booster, notes: dict[str, Any]) -> Spread:
        """The spread that `to_notes` wrote."""
        levels = np.array(notes["calibration_levels"])
        return Spread(shape, np.array(notes["shape_start"]), Calibration(levels))


def fit_spread(
    past: Windows,
    units: F64,
    learn: npt.NDArray[np.bool_],
    correct: npt.NDArray[np.bool_],
    settings: ForecastSettings,
    seed: int,
    threads: int,
    weight: F64 | None = None,
) -> tuple[Spread, PastErrors]:
    """Spread of the errors of `past` windows that demanded `units`.

    The rows `learn` teach the trees and the rows `correct` the levels; where the two are apart,
    the levels are corrected out of sample.
    """
    importance = np.ones(len(units)) if weight is None else weight
    start = shape_start(past.x[learn], units[learn], past.mean[learn], importance[learn])
    shape = fit_shape(
        past.x[learn], units[learn], past.mean[learn], start, settings.shape, threads,
        importance[learn],
    )  # fmt: skip
    size, none = predict_shape(shape, start, past.x, threads)
    draw = np.random.default_rng(seed).random(len(units))
    classes = classes_of(past.mean, past.days)
    rank = ranks(units, past.mean, size, none, draw)
    right = without_shock(past.mean, units, classes, past.origin)
    unshocked = ranks(units, right, size, none, draw)
    calibration = fit_calibration(
        rank[correct], unshocked[correct], classes[correct], settings.calibration_strength
    )
    errors = PastErrors(past, units, calibration.nominal(rank, classes))
    return Spread(shape, start, calibration), errors
