"""Levels are corrected towards what past demand showed, and stay in order."""

from __future__ import annotations

import numpy as np

from pipeline.forecast.calibration import CLASSES, GRID, Calibration, classes_of, fit_calibration


def test_too_narrow_forecasts_are_read_further_out() -> None:
    """Ranks of a law twice as narrow as the truth pile up at 0 and 1."""
    random = np.random.default_rng(5)
    rank = np.clip(0.5 + 1.8 * (random.random(50_000) - 0.5), 0, 1)
    classes = np.zeros(50_000, int)
    fitted = fit_calibration(rank, classes, 1.0).at(np.array([0.25, 0.5, 0.75]))[0]
    np.testing.assert_allclose(fitted, [0.05, 0.5, 0.95], atol=0.01)


def test_a_shock_that_all_windows_share_does_not_move_the_median() -> None:
    """Three months below expectation widen nothing and shift nothing."""
    random = np.random.default_rng(5)
    low = random.random(50_000) ** 1.5  # all ranks pushed towards 0
    fitted = fit_calibration(low, np.zeros(50_000, int), 1.0).at(np.array([0.1, 0.5, 0.9]))[0]
    np.testing.assert_allclose(fitted[1], 0.5)
    np.testing.assert_allclose(fitted[0] + fitted[2], 1.0)
    assert abs(fitted[2] - 0.9) < 0.06


def test_no_history_leaves_the_levels_as_they_are() -> None:
    fitted = fit_calibration(np.empty(0), np.empty(0, int), 1.0)
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
    assert (np.diff(fit_calibration(rank, classes, 0.7).at(GRID), axis=1) > 0).all()
