"""What is taken for an export that broke off, and what is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.ingest.cut_days import cut_days

DAYS = pd.date_range("2025-01-01", periods=210)


def sold(seed: int, mean: float, spread: float) -> np.ndarray:
    random = np.random.default_rng(seed)
    weekday = np.array([1.0, 0.8, 0.9, 1.0, 1.2, 1.6, 1.9])[DAYS.day_of_week]
    shock = np.exp(random.normal(0, spread, (2, len(DAYS))))
    return random.poisson(mean * weekday * shock)


def twin(units: np.ndarray, share: float) -> np.ndarray:
    """The same rule, day by day."""
    cut = np.zeros(units.shape, dtype=bool)
    for r, row in enumerate(np.log1p(units)):
        for d in range(len(row)):
            beside = sorted(row[d + 7 * k] for k in range(-8, 9)
                            if k and 0 <= d + 7 * k < len(row))  # fmt: skip
            last = len(beside) - 1
            low, high = beside[int(0.25 * last)], beside[-int(-0.75 * last // 1)]
            below = min(np.log(share), -4 * (high - low) / 1.35)
            cut[r, d] = low >= np.log1p(30) and row[d] < low + below
    return cut


@pytest.mark.parametrize("share", [0.1, 0.25, 0.6])
def test_cut_days_are_those_of_the_rule_said_day_by_day(share: float) -> None:
    units = sold(1, 200, 0.3)
    units[0, 90:97] //= 10
    units[1, 150] //= 3
    known = np.ones(units.shape, dtype=bool)
    found = cut_days(units, known, DAYS, share)
    np.testing.assert_array_equal(found, twin(units, share))
    assert found[0, 90:97].all() or share == 0.1


@pytest.mark.parametrize(("mean", "spread"), [(3.0, 0.2), (50.0, 1.2), (400.0, 0.15), (40.0, 0.6)])
def test_ordinary_days_of_small_irregular_and_large_regions_are_known(
    mean: float, spread: float
) -> None:
    known = np.ones((2, len(DAYS)), dtype=bool)
    hit = [cut_days(sold(seed, mean, spread), known, DAYS, 0.25).mean() for seed in range(12)]
    assert np.mean(hit) < 0.002


def test_a_business_that_grows_or_has_a_season_is_known() -> None:
    known = np.ones((2, len(DAYS)), dtype=bool)
    day = np.arange(len(DAYS))
    for course in (np.exp(day / 60), np.where((day > 60) & (day < 120), 8.0, 1.0),
                   np.where(day > 150, 0.1, 1.0)):  # fmt: skip
        units = np.random.default_rng(2).poisson(100 * np.stack([course, course[::-1]]))
        share = cut_days(units, known, DAYS, 0.25).mean()
        # A fall by nine tenths is believed after some weeks; until then it is asked about.
        assert share < 0.12
