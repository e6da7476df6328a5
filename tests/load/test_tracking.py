"""An event is followed against its plan, with a page, and past events are replayed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import load_settings
from pipeline.errors import UsageError
from pipeline.load.following import follow
from pipeline.load.stage import run_load_stage
from pipeline.store import Store
from tests.load.world import FIRST, events_frame, series_frame

AS_OF = date(2022, 4, 20)
START = FIRST + pd.Timedelta(days=110, hours=9)


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    rows = series_frame("orders")
    rows.loc[rows["start_utc"] >= START, "load"] *= 1.5  # it runs half as high again as ever
    rows.to_parquet(folder / "load_series.parquet")
    events_frame().to_csv(folder / "load_events.csv", index=False)
    store = Store(tmp_path_factory.mktemp("plans"))
    small = load_settings(None, {"load": {"horizon_days": 7, "paths": 40}})
    run_load_stage(store, folder, small, AS_OF, "load_plan")
    return store, folder


def test_an_event_that_runs_high_is_seen_and_alarms(planned):
    store, folder = planned
    steps = follow(store, folder, "orders", "sale2", AS_OF, capacity=20_000)
    assert len(steps) == 36
    assert steps[8].ratio == pytest.approx(1.5, abs=0.35)
    assert "above the forecast" in steps[8].alarm
    assert steps[2].chance_over > 0.5
    rows = store.read(AS_OF, "load_nowcast")
    assert len(rows) == 36
    page = store.read_files(AS_OF, "load_tracking")["report.html"].decode()
    assert "sale2: orders" in page
    assert page.count("<polyline") == 3


def test_the_rest_is_told_better_than_by_the_plan_once_a_fifth_has_come(planned):
    store, folder = planned
    steps = follow(store, folder, "orders", "sale2", AS_OF, capacity=np.inf)
    plan = store.read(AS_OF, "load_forecast").astype({"load_grain": "str"})
    plan = plan[plan["load_grain"] == "minute"].set_index("start_time")["expected_load"]
    actual = pd.read_parquet(folder / "load_series.parquet").set_index("start_utc")["load"]
    rest = slice(START + pd.Timedelta(hours=7), START + pd.Timedelta(hours=35))
    came = actual.loc[rest].sum()
    assert abs(steps[6].remaining_load - came) < 0.6 * abs(plan.loc[rest].sum() - came)


def test_an_unknown_event_or_series_is_refused(planned):
    store, folder = planned
    for series, event in (("orders", "nothing"), ("nobody", "sale2")):
        with pytest.raises(UsageError, match="Next"):
            follow(store, folder, series, event, AS_OF, np.inf)
