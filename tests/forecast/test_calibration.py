"""Levels are corrected towards what past demand showed, and stay in order."""

from __future__ import annotations

import numpy as np

from pipeline.forecast.calibration import (
    CLASSES,
    GRID,
    Calibration,
    classes_of,
    fit_calibration,
    without_shock,
)
from pipeline.forecast.distribution import ranks
from pipeline.forecast.panel import F64, I32

ROWS = 20_000
DAYS = np.full(ROWS, 28, np.int32)
ORIGIN = np.repeat(np.array([100, 200], np.int32), ROWS // 2)


def _fitted(units: F64, mean: F64, size: float, origin: I32 = ORIGIN) -> Calibration:
    """Calibration of negative binomials around `mean` by windows that demanded `units`."""
    classes = classes_of(mean, DAYS)
    shape = np.full(ROWS, size), np.full(ROWS, 1e-6)
    draw = np.random.default_rng(9).random(ROWS)
    right = without_shock(mean, units, classes, origin)
    rank, unshocked = (ranks(units, m, *shape, draw) for m in (mean, right))
    return fit_calibration(rank, unshocked, classes, 1.0)


def test_too_narrow_forecasts_are_read_further_out() -> None:
    """Ranks of a law twice as narrow as the truth pile up at 0 and 1."""
    random = np.random.default_rng(5)
    rank = np.clip(0.5 + 1.8 * (random.random(50_000) - 0.5), 0, 1)
    classes = np.zeros(50_000, int)
    fitted = fit_calibration(rank, rank, classes, 1.0).at(np.array([0.25, 0.5, 0.75]))[0]
    np.testing.assert_allclose(fitted, [0.05, 0.5, 0.95], atol=0.01)


def test_a_shock_that_all_windows_share_does_not_move_the_median() -> None:
    """A month a fifth below expectation, and one a tenth above, shift nothing."""
    random = np.random.default_rng(5)
    mean = np.full(ROWS, 20.0)
    units = random.poisson(mean * np.where(ORIGIN == 100, 0.8, 1.1)).astype(np.float64)
    low, median, high = _fitted(units, mean, 1e4).at(np.array([0.1, 0.5, 0.9]))[
        classes_of(mean, DAYS)[0]
    ]
    assert abs(median - 0.5) < 0.015
    assert abs(low + high - 1.0) < 0.015


def test_a_law_that_leans_the_wrong_way_is_moved() -> None:
    """One item of ten stops; the others sell a little more than the mean of all."""
    random = np.random.default_rng(6)
    units = random.poisson(np.where(random.random(ROWS) < 0.1, 4.0, 64.0)).astype(np.float64)
    mean = np.full(ROWS, units.mean())
    own = classes_of(mean, DAYS)[0]
    level = _fitted(units, mean, 8.0).at(np.array([0.25, 0.5, 0.75]))[own]
    rank = ranks(units, mean, np.full(ROWS, 8.0), np.full(ROWS, 1e-6), random.random(ROWS))
    assert (rank <= 0.5).mean() < 0.4
    below = np.array([(rank <= one).mean() for one in level])
    np.testing.assert_allclose(below, [0.25, 0.5, 0.75], atol=0.05)


def test_few_sales_tell_luck_from_a_shock() -> None:
    """Means of many windows are made right in sum; that of a single one hardly moves."""
    mean, classes = np.full(ROWS, 4.0), np.zeros(ROWS, int)
    origin = np.r_[0, np.ones(ROWS - 1)].astype(np.int32)
    units = np.where(origin == 0, 0.0, 6.0)
    right = without_shock(mean, units, classes, origin)
    assert 3.6 < right[0] < 4.0
    np.testing.assert_allclose(right[1:].sum(), units.sum(), rtol=0.02)


def test_no_history_leaves_the_levels_as_they_are() -> None:
    fitted = fit_calibration(np.empty(0), np.empty(0), np.empty(0, int), 1.0)
    np.testing.assert_allclose(fitted.levels, np.tile(GRID, (CLASSES, 1)))


def test_nominal_undoes_at() -> None:
    levels = np.tile(GRID**2, (CLASSES, 1))
    calibration = Calibration(levels)
    read = calibration.at(GRID)[3]
    back = calibration.nominal(read, np.full(len(read), 3))
    np.testing.assert_allclose(back, GRID, atol=1e-12)


def test_levels_ascend_in_every_class() -> None:
    random = np.random.default_rng(6)
    rank = random.random(3_000) ** 1.5
    classes = classes_of(np.exp(random.normal(0, 2, 3_000)), random.choice([1, 7, 28, 56], 3_000))
    assert (np.diff(fit_calibration(rank, rank, classes, 0.7).at(GRID), axis=1) > 0).all()
