"""Rows that teach the mean."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import MeanSettings
from pipeline.forecast.assemble import Names, assemble
from pipeline.forecast.mean import LAUNCH_AGES, launch_rows, sample_rows
from pipeline.forecast.panel import Panel
from tests.forecast.conftest import FIRST


@pytest.fixture(scope="module")
def panel(world: Mapping[str, pd.DataFrame]) -> Panel:
    names = Names.of(world["items"], world["regions"], world["calendar"])
    tables = [world[t] for t in ("items", "prices", "calendar", "daily_demand")]
    return assemble((FIRST + pd.Timedelta(days=419)).date(), 30, names, *tables).panel


def test_every_launch_within_the_history_teaches_its_first_weeks(panel: Panel) -> None:
    """As often as each other one, from the day before it; items already there have no launch."""
    settings, last = MeanSettings(launch_rows=5), panel.days - 1
    series, origin, target = launch_rows(panel, settings, 28, last, np.random.default_rng(1))
    launched = np.flatnonzero(panel.launch_day > 0)
    assert len(launched) == 9  # three items of 24, in three regions
    np.testing.assert_array_equal(np.unique(series), launched)
    age = origin + 1 - panel.launch_day[series]
    assert set(age) == set(LAUNCH_AGES)
    assert (target > origin).all()
    assert (target <= np.minimum(origin + 28, last)).all()
    first = series[age == 0]
    np.testing.assert_array_equal(np.bincount(first)[launched], 5)


def test_no_row_looks_past_the_last_day_and_series_stand_in_order(panel: Panel) -> None:
    series, origin, target = sample_rows(panel, MeanSettings(), 28, 300, 1)
    assert (np.diff(series) >= 0).all()
    assert (target <= 300).all()
    assert ((origin >= 0) & (origin < target)).all()
    assert np.isfinite(panel.demand[series, target]).all()


def test_a_new_item_is_expected_to_sell_like_the_one_that_planners_name(
    world: Mapping[str, pd.DataFrame],
) -> None:
    """What item_001 sold a day on its last 56 days there; a number that is given counts first."""
    names = Names.of(world["items"], world["regions"], world["calendar"])
    tables = [world[t] for t in ("items", "prices", "calendar", "daily_demand")]
    plans = pd.DataFrame({
        "item_id": ["item_000", "item_000", "item_002"], "region_id": ["east", "west", "east"],
        "expected_daily_units": [np.nan, 5.0, np.nan],
        "like_item_id": ["item_001", "item_001", None],
    })  # fmt: skip
    found = assemble(
        (FIRST + pd.Timedelta(days=419)).date(), 30, names, *tables, launch_plans=plans
    )
    sold = world["daily_demand"]
    sold = sold[(sold["item_id"] == "item_001") & (sold["region_id"] == "east")]
    expected = found.panel.expected
    assert expected is not None
    keys = [f"{i} {r}" for i, r in zip(found.items, found.regions, strict=True)]
    own = dict(zip(keys, expected, strict=True))
    assert own["item_000 east"] == pytest.approx(sold["units"].tail(56).mean(), rel=1e-5)
    assert own["item_000 west"] == 5.0
    assert np.isnan(own["item_002 east"])
    assert np.isfinite(expected).sum() == 2
