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
