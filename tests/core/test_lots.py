"""Claims of core.lots against enumeration and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.lots import arrival_variance, band_units, economic_units


def test_the_economic_lot_costs_no_more_than_any_other():
    demand, holding, line = 7.0, 0.002, 0.5
    lots = np.arange(1, 400)
    cost = line * demand / lots + holding * lots / 2
    found = economic_units(np.array([demand]), np.array([holding]), line)[0]
    assert abs(found - lots[cost.argmin()]) <= 1.0
    assert economic_units(np.ones(1), np.zeros(1), line)[0] == np.inf


def test_what_sells_slowly_waits_for_the_period_and_what_sells_fast_for_an_economic_lot():
    demand, holding = np.array([0.1, 1000.0]), np.array([0.002, 0.002])
    slow, fast = band_units(demand, holding, 0.5, 7.0)
    assert slow == pytest.approx(0.7)
    assert fast == economic_units(demand, holding, 0.5)[1]


@pytest.mark.parametrize("sd", [0.0, 0.5, 1.5, 30.0])
def test_lots_displaced_at_random_vary_as_told(sd):
    """A lot of 20 every 1.7523 days, displaced by normal delays: weekly sums of a long run."""
    rng = np.random.default_rng(1)
    weeks, lot, every = 40_000, 20.0, 1.7523  # at every hour of the week in time
    day = np.arange(0, 7 * weeks, every)
    day = day + rng.normal(0, sd, len(day))
    count = np.bincount((day[day >= 0] // 7).astype(int), minlength=weeks)[100 : weeks - 100]
    told = arrival_variance(np.array([7 * lot / every]), np.array([lot]), np.array([sd]), 7.0)[0]
    assert told == pytest.approx(lot**2 * count.var(), rel=0.1, abs=12.0)
