"""Drivers add up exactly, and a discount is booked as price."""

from __future__ import annotations

from collections.abc import Mapping

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.forecast.assemble import Names, assemble
from pipeline.forecast.explanation import DRIVERS, daily_drivers, explain
from pipeline.forecast.features import COLUMN, features, history
from pipeline.forecast.mean import daily_mean, fit_mean
from pipeline.forecast.panel import F32, totals
from tests.forecast.conftest import FIRST

ELASTICITY = -1.5  # of the world's items


@pytest.fixture(scope="module")
def grown(world: Mapping[str, pd.DataFrame], quick: Settings) -> tuple[lgb.Booster, F32]:
    """Trees and the features of each series on the next 20 days."""
    names = Names.of(world["items"], world["regions"], world["calendar"])
    tables = [world[t] for t in ("items", "prices", "calendar", "daily_demand")]
    panel = assemble((FIRST + pd.Timedelta(days=419)).date(), 30, names, *tables).panel
    sums = totals(panel)
    trees = fit_mean(panel, sums, quick.forecast.mean, 28, panel.days - 1, 1, 1)
    series = np.repeat(np.arange(panel.series, dtype=np.int32), 20)
    origin = np.full(len(series), panel.days - 1, np.int32)
    target = np.tile(np.arange(panel.days, panel.days + 20, dtype=np.int32), panel.series)
    return trees, features(panel, sums, history(panel, sums), series, origin, target)


def test_drivers_add_up_to_the_mean(grown: tuple[lgb.Booster, F32]) -> None:
    trees, x = grown
    np.testing.assert_allclose(daily_drivers(trees, x).sum(axis=1), daily_mean(trees)(x), 1e-6)


def test_drivers_of_a_window_are_those_of_its_days(grown: tuple[lgb.Booster, F32]) -> None:
    trees, x = grown
    found = explain(trees, x[:40], np.repeat([0, 1], 20), pd.Index(["a", "b"]))
    assert found.loc["b"].sum() == pytest.approx(daily_mean(trees)(x[20:40]).sum())


def test_a_discount_is_booked_as_price(grown: tuple[lgb.Booster, F32]) -> None:
    trees, x = grown
    dear = x.copy()
    names = ("price_vs_28", "price_vs_year", "price_days", "log_price_lift")
    price = [COLUMN[name] for name in names]
    dear[:, price] = [0.0, 0.0, 40.0, 0.0]
    cheap = dear.copy()
    cheap[:, price] = [np.log(0.7), np.log(0.7), 3.0, -ELASTICITY * -np.log(0.7)]
    total = (daily_drivers(trees, cheap) - daily_drivers(trees, dear)).sum(axis=0)
    assert total[DRIVERS.index("price")] > 0.7 * total.sum() > 0
