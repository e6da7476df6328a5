"""The back-test sees nothing after its origin, and scores every window that has ended."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.forecast.assemble import Names, assemble
from pipeline.forecast.backtest import backtest
from tests.forecast.conftest import FIRST


def test_scores_of_an_origin_use_windows_that_have_ended(
    world: Mapping[str, pd.DataFrame], quick: Settings
) -> None:
    names = Names.of(world["items"], world["regions"], world["calendar"])
    tables = [world[t] for t in ("items", "prices", "calendar", "daily_demand")]
    panel = assemble((FIRST + pd.Timedelta(days=419)).date(), 30, names, *tables).panel
    found = backtest(panel, list(names.categories), list(names.regions), quick, [402])
    assert sorted(found["window_days"].unique()) == [7, 14]  # 28 days end after the panel
    overall = found[(found["item_group"] == "all") & (found["region_group"] == "network")]
    assert overall["coverage_90"].between(0.7, 1.0).all()
    assert overall["relative_bias"].abs().max() < 0.3
