"""A level that has become another is seen and dated; drift, silence and chance are none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.forecast.level_change import level_begins
from pipeline.forecast.panel import I32, Totals
from pipeline.forecast.series_level import HALF_LIFE_DAYS

DAYS, STEP = 500, 400
DAY = np.arange(DAYS)


def begins(rate: npt.NDArray[np.float64], seed: int, items: int = 20) -> I32:
    """Day (items, days + 1) since when levels are as they are, of items with Poisson sales."""
    units = np.random.default_rng(seed).poisson(rate, (items, DAYS)).astype(np.float64)
    count, none = np.ones_like(units), np.zeros((1, DAYS))
    totals = Totals(0, none, none, units, count, none, none)
    return level_begins(totals, np.arange(items, dtype=np.int32), HALF_LIFE_DAYS, 1)


@pytest.mark.parametrize(("factor", "days"), [(0.25, 14), (0.5, 56), (2.0, 21), (4.0, 7)])
def test_a_step_is_seen_and_dated(factor: float, days: int) -> None:
    """Of sixteen units a day, within so many days."""
    found = begins(np.where(DAY >= STEP, 16.0 * factor, 16.0), 1)
    assert (found[:, STEP] == 0).all()
    seen = found[:, STEP + days]
    assert (seen > 0).all()
    assert np.abs(seen - STEP).max() <= 14
    assert np.median(np.abs(seen - STEP)) <= 5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_chance_changes_nothing(seed: int) -> None:
    found = np.concatenate([begins(np.full(DAYS, rate), seed) for rate in (0.1, 1.0, 8.0, 60.0)])
    assert (found[:, -1] > 0).mean() <= 0.05


def test_what_drifts_anyway_changes_less_often() -> None:
    """Levels a third up or down every four weeks, then × 1.6: the record of those says that it
    is nothing new; of a steady item it is."""
    random = np.random.default_rng(1)
    drift = np.exp(0.35 * random.choice([-1.0, 1.0], 18))[DAY // 28]
    last = np.where(DAY >= 476, 1.6, 1.0)
    drifting, steady = (begins(40.0 * rate * last, 1)[:, -1] for rate in (drift, np.ones(DAYS)))
    assert (steady >= 470).mean() > 0.9
    assert (drifting >= 470).mean() < 0.3


def test_silence_and_a_spike_are_no_level() -> None:
    silent = begins(np.where(DAY >= STEP, 0.0, 8.0), 1)
    spike = begins(np.where(DAY == STEP, 80.0, 8.0), 1)
    assert not silent.any()
    assert not spike.any()
