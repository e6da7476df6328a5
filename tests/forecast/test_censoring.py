"""Stock-outs are never learned as zeros."""

from __future__ import annotations

import numpy as np

from pipeline.forecast.censoring import demand_behind
from pipeline.forecast.features import history
from pipeline.forecast.panel import Calendar, Panel, totals


def test_a_day_out_of_stock_is_not_observed() -> None:
    units = np.array([[4.0, 0.0, 4.0]], np.float32)
    share = np.array([[1.0, 0.0, 1.0]], np.float32)
    found = demand_behind(units, share, share < 1)
    assert np.isnan(found[0, 1])
    assert found[0, 0] == 4
    assert found[0, 2] == 4


def test_a_half_day_gets_half_of_the_usual_demand_on_top() -> None:
    units = np.array([[6.0] * 10 + [5.0]], np.float32)
    share = np.array([[1.0] * 10 + [0.5]], np.float32)
    found = demand_behind(units, share, share < 1)
    assert found[0, 10] == 5 + 0.5 * 6


def test_a_suspected_stock_out_describes_but_does_not_teach() -> None:
    """A run of zeros without word of the stock stays zero, and is no target of learning."""
    units = np.array([[4.0, 0.0, 0.0, 4.0]], np.float32)
    cut = units == 0
    found = demand_behind(units, np.ones_like(units), cut)
    assert (found == units).all()
    code, far = np.zeros(1, np.int32), np.full((1, 4), 28, np.float32)
    calendar = Calendar(np.zeros((1, 4, 1), np.float32), far, far, np.arange(4, dtype=np.int32))
    marked = Panel(
        np.datetime64("2024-01-01"), found, np.ones((1, 4), np.float32), cut, code, code + 99,
        code, code, code, code, code, calendar,
    )  # fmt: skip
    assert marked.observed().tolist() == [[True, False, False, True]]
    assert (history(marked, totals(marked)).cut == 0).all()


def test_an_uncensored_zero_stays_a_zero() -> None:
    units = np.zeros((1, 5), np.float32)
    found = demand_behind(units, np.ones_like(units), np.zeros(units.shape, bool))
    assert (found == 0).all()


def test_poisson_demand_under_random_stock_outs_keeps_its_mean() -> None:
    """Shelves of 6 units meet a Poisson demand of 5 a day; sales alone lose 8 % of it."""
    random = np.random.default_rng(1)
    days, shelf, rate = 4_000, 6, 5.0
    demand = random.poisson(rate, days)
    share = np.array([
        1.0 if n < shelf else np.sort(random.random(n))[shelf - 1] for n in demand
    ])  # fmt: skip
    sales = np.minimum(demand, shelf)
    found = demand_behind(
        sales[None].astype(np.float32), share[None].astype(np.float32), (share < 1)[None]
    )
    assert abs(found.mean() / rate - 1) < 0.02 < 1 - sales.mean() / rate
