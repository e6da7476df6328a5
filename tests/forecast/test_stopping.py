"""Trees are kept as far as they foresaw days that they had not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contracts.settings import ForecastSettings, MeanSettings, ShapeSettings
from pipeline.forecast.mean import daily_mean, fit_mean
from pipeline.forecast.model import fit, trees_as_text
from pipeline.forecast.panel import Calendar, Panel, totals
from pipeline.forecast.stopping import _hidden, _without_history, first_trees
from pipeline.forecast.windows import foresee

SETTINGS = ForecastSettings(
    mean=MeanSettings(leaf_rows=20, trees=120), shape=ShapeSettings(trees=5), calibration_days=84
)


def panel_of(demand: np.ndarray, ahead: int = 28) -> Panel:
    """One region, one department, no prices, no events."""
    n, days = demand.shape
    zero = np.zeros(n, np.int32)
    far = np.full((1, days + ahead), 28, np.float32)
    return Panel(
        np.datetime64("2023-01-02"), demand.astype(np.float32),
        np.full((n, days + ahead), np.nan, np.float32), np.zeros(demand.shape, bool), zero,
        zero + 10**6, np.arange(n, dtype=np.int32), zero, zero, zero, zero,
        Calendar(np.zeros((1, days + ahead, 1), np.float32), far, far,
                 np.arange(days + ahead, dtype=np.int32) - 364),
    )  # fmt: skip


def expected_in_four_weeks(panel: Panel, settings: ForecastSettings) -> tuple[float, int]:
    """Sum over series of the mean of the next 28 days, and how many trees it came from."""
    sums = totals(panel)
    model, _ = fit(panel, sums, settings, [(1, 28)], 3, 1)
    seen = foresee(daily_mean(model.mean), panel, sums, panel.days - 1, [(1, 28)])
    return float(seen.mean.sum()), int(model.notes["trees_kept"])


@pytest.mark.parametrize("seed", [5, 6])
def test_a_wholesaler_s_rare_large_orders_are_not_forecast_too_low(seed: int) -> None:
    """120 series that order on one day in eight on average, a geometric size of 20: what 28 days
    will bring is known within a tenth. All 120 trees forecast a fifth to a third too little."""
    random = np.random.default_rng(seed)
    chance = np.exp(random.normal(0, 0.5, 120))[:, None] / 8
    orders = (random.random((120, 300)) < chance) * random.geometric(1 / 20, (120, 300))
    truth = float(chance.sum()) * 20 * 28
    panel = panel_of(orders)
    found, kept = expected_in_four_weeks(panel, SETTINGS)
    assert found == pytest.approx(truth, rel=0.1)
    assert kept < 60
    sums = totals(panel)
    whole = fit_mean(panel, sums, SETTINGS.mean, 28, panel.days - 1, 3, 1)
    every = foresee(daily_mean(whole), panel, sums, panel.days - 1, [(1, 28)])
    assert every.mean.sum() < 0.8 * truth


def test_a_pattern_that_goes_on_keeps_its_trees() -> None:
    """Sales on Saturdays alone, five a Saturday: levels know nothing of it, trees do."""
    random = np.random.default_rng(4)
    rate = np.where(np.arange(220) % 7 == 5, 5.0, 0.02)
    panel = panel_of(random.poisson(rate, (60, 220)))
    sums = totals(panel)
    model, _ = fit(panel, sums, SETTINGS, [(1, 7), (1, 28)], 3, 1)
    assert model.notes["trees_kept"] >= 60
    seen = foresee(daily_mean(model.mean), panel, sums, 219, [(d, 1) for d in range(1, 8)])
    by_day = seen.mean.reshape(60, 7).mean(axis=0)
    saturday = (panel.days + np.arange(7)) % 7 == 5
    assert by_day[saturday][0] == pytest.approx(5.0, rel=0.2)
    assert by_day[~saturday].max() < 0.3


def test_the_first_trees_are_those_that_so_many_rounds_would_have_grown() -> None:
    random = np.random.default_rng(8)
    panel = panel_of(random.poisson(1.5, (30, 120)))
    sums = totals(panel)
    whole = fit_mean(panel, sums, MeanSettings(trees=9, leaf_rows=20), 14, 119, 1, 1)
    four = fit_mean(panel, sums, MeanSettings(trees=4, leaf_rows=20), 14, 119, 1, 1)
    assert trees_as_text(first_trees(whole, 4)) == trees_as_text(four)
    assert first_trees(whole, 9) is whole


def test_items_to_come_are_judged_by_as_many_whose_history_is_hidden() -> None:
    """Without any to come nobody is hidden; with a third, half as many of the others are, whole
    items at a time, and nothing of their past is left."""
    random = np.random.default_rng(7)
    panel = panel_of(random.poisson(3.0, (60, 200)))
    assert len(_hidden(panel, 170, 1)) == 0
    launch_day = panel.launch_day.copy()
    launch_day[:20] = panel.days
    demand = panel.demand.copy()
    demand[:20] = np.nan
    coming = replace(panel, launch_day=launch_day, demand=demand)
    hidden = _hidden(coming, 170, 1)
    assert len(hidden) == 20
    assert hidden.min() >= 20
    blank = _without_history(coming, hidden, 170)
    assert np.isnan(blank.demand[hidden, :171]).all()
    np.testing.assert_array_equal(blank.demand[:, 171:], coming.demand[:, 171:])
