"""Changes since yesterday: what moved, and drivers that add up exactly."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from math import factorial

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.forecast.assemble import Assembled, Names, assemble
from pipeline.forecast.explanation import DRIVERS
from pipeline.forecast.features import COLUMN, FEATURES
from pipeline.forecast.mean import daily_mean, fit_mean
from pipeline.forecast.panel import F32, F64, totals
from pipeline.forecast.revision import MeanOf, forecast_changes, means_of_two_nights, shapley
from pipeline.forecast.serve import shards
from tests.forecast.conftest import FIRST


@pytest.fixture(scope="module")
def grown(world: Mapping[str, pd.DataFrame], quick: Settings) -> tuple[Assembled, MeanOf]:
    """The world on its last day, and trees trained on it."""
    names = Names.of(world["items"], world["regions"], world["calendar"])
    tables = [world[t] for t in ("items", "prices", "calendar", "daily_demand")]
    found = assemble((FIRST + pd.Timedelta(days=419)).date(), 30, names, *tables)
    last = found.panel.days - 1
    trees = fit_mean(found.panel, totals(found.panel), quick.forecast.mean, 28, last, 1, 1)
    return found, daily_mean(trees)


def some_mean(x: F32) -> F64:
    """A mean in which three drivers act together."""
    return np.exp(x[:, COLUMN["log_level"]] + x[:, COLUMN["weekday"]] * x[:, COLUMN["price_log"]])


def shapley_slowly(mean_of: MeanOf, before: F32, after: F32) -> F64:
    """Shapley values by walking through all orders of the drivers."""
    group = np.array([DRIVERS.index(driver) for driver in FEATURES.values()])
    out = np.zeros((len(before), len(DRIVERS)))
    for order in permutations(range(len(DRIVERS))):
        x = before.copy()
        for k in order:
            old = mean_of(x)
            x[:, group == k] = after[:, group == k]
            out[:, k] += mean_of(x) - old
    return out / factorial(len(DRIVERS))


def test_shares_equal_the_walk_through_all_orders() -> None:
    random = np.random.default_rng(4)
    before, after = random.normal(0, 0.5, (2, 5, len(FEATURES))).astype(np.float32)
    found = shapley(some_mean, before, after)
    np.testing.assert_allclose(found, shapley_slowly(some_mean, before, after), atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), some_mean(after) - some_mean(before), atol=1e-5)


def test_a_forecast_that_does_not_look_at_the_last_day_does_not_move(
    grown: tuple[Assembled, MeanOf],
) -> None:
    panel = grown[0].panel
    before, after = means_of_two_nights(lambda x: np.ones(len(x)), panel, totals(panel))
    assert (before == after).all()
    assert (after == 28).all()


def test_drivers_of_an_item_add_up_to_its_change(grown: tuple[Assembled, MeanOf]) -> None:
    found, mean_of = grown
    parts = list(shards(found.panel, 10))
    table = forecast_changes(mean_of, found.panel, totals(found.panel), parts, found.items, 5)
    whole = table[table["driver"] == "all"].set_index("item_id")["change_units"]
    shares = table[table["driver"] != "all"].groupby("item_id")["change_units"].sum()
    assert len(whole) == 24
    assert set(shares.index) == set(whole.abs().nlargest(5).index)
    np.testing.assert_allclose(shares, whole[shares.index], rtol=1e-6)


def test_yesterdays_knowledge_does_not_hold_the_last_day(grown: tuple[Assembled, MeanOf]) -> None:
    """Selling a hundred times the usual on the last day changes today's mean alone."""
    found, mean_of = grown
    panel = found.panel
    demand = panel.demand.copy()
    demand[:, -1] *= 100
    other = type(panel)(**{**vars(panel), "demand": demand})
    before, after = means_of_two_nights(mean_of, panel, totals(panel))
    before_other, after_other = means_of_two_nights(mean_of, other, totals(other))
    assert (before == before_other).all()
    assert (after_other != after).any()
