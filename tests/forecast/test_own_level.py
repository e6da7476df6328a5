"""Trees of simulated demand are moved by what the company sold against them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.contracts.settings import MeanSettings
from pipeline.forecast.mean import daily_mean, fit_mean
from pipeline.forecast.own_level import factor, own_level, times
from pipeline.forecast.panel import totals
from pipeline.forecast.windows import foresee
from tests.forecast.test_stopping import panel_of

RATE = np.random.default_rng(1).gamma(4.0, 0.5, 80)[:, None]
PANEL = panel_of(np.random.default_rng(2).poisson(np.broadcast_to(RATE, (80, 60))))


def test_trees_that_expect_too_much_of_the_companys_own_weeks_are_half_corrected() -> None:
    """The same trees times 1.5: forecasts are 1.5 times as high to the last bits, and the ratio of
    what was sold to them moves the correction by half of its logarithm."""
    sums = totals(PANEL)
    trees = fit_mean(PANEL, sums, MeanSettings(trees=5, leaf_rows=20), 28, 59, 3, 1)
    high = times(trees, 1.5)
    usual, more = (
        foresee(daily_mean(own), PANEL, sums, 59, [(1, 28)]).mean for own in (trees, high)
    )
    assert more == pytest.approx(1.5 * usual, rel=1e-9)
    assert own_level(trees, PANEL, 1) == pytest.approx(1.0, abs=0.05)
    moved = own_level(high, PANEL, 1) / own_level(trees, PANEL, 1)
    assert moved == pytest.approx(1.5**-0.5, abs=0.03)


def test_a_few_sales_or_none_move_nothing() -> None:
    """A ratio of 2 counts by half where it is certain, and hardly where five series sold ten."""
    many = np.full(4000, 10.0)
    assert factor(many, np.full(4000, 20.0)) == pytest.approx(2**0.5, rel=1e-3)
    assert factor(np.ones(5), np.array([10.0, 0, 0, 0, 0])) < 1.05
    assert factor(np.ones(5), np.zeros(5)) == 1.0
    assert own_level(None, panel_of(np.ones((3, 20))), 1) == 1.0  # type: ignore[arg-type]  # unused
