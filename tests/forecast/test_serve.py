"""Windows and shards of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.forecast.assemble import Assembled, Names, assemble
from pipeline.forecast.model import Model
from pipeline.forecast.panel import totals
from pipeline.forecast.serve import Asked, forecast_windows, groups_of, plan_windows
from pipeline.forecast.train import train
from tests.forecast.conftest import FIRST


def test_windows_are_the_lengths_from_tomorrow_and_the_weeks_of_the_horizon() -> None:
    settings = Settings.model_validate(
        {"forecast": {"window_days": [7, 21]}, "planning": {"horizon_weeks": 3}}
    )
    assert plan_windows(settings) == [(1, 7), (1, 21), (8, 7), (15, 7)]


@pytest.fixture(scope="module")
def assembled(world: Mapping[str, pd.DataFrame]) -> tuple[Assembled, Names]:
    names = Names.of(world["items"], world["regions"], world["calendar"])
    tables = [world[t] for t in ("items", "prices", "calendar", "daily_demand")]
    return assemble((FIRST + pd.Timedelta(days=419)).date(), 30, names, *tables), names


def test_dask_workers_leave_the_same_model_and_the_same_table(
    assembled: tuple[Assembled, Names], quick: Settings
) -> None:
    distributed = pytest.importorskip("dask.distributed")
    found, names = assembled
    files = train(found.panel, names, quick).to_files()
    model, asked = Model.from_files(files), Asked(plan_windows(quick), [])
    here = forecast_windows(found, model, asked, 10, quick.run).quantiles
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        there = quick.run.model_copy(
            update={"engine": "dask", "scheduler": cluster.scheduler_address}
        )
        spread_out = quick.model_copy(update={"run": there})
        assert train(found.panel, names, spread_out).to_files() == files
        again = forecast_windows(found, model, asked, 10, there).quantiles
        pd.testing.assert_frame_equal(again, here)


def test_what_stopped_in_all_regions_at_once_is_away_and_what_stopped_in_one_is_not(
    assembled: tuple[Assembled, Names],
) -> None:
    """The two fastest items, silent for three weeks: one everywhere, one in its first region."""
    panel = assembled[0].panel
    units = np.nan_to_num(panel.demand).sum(axis=1)
    gone, other = np.argsort(-np.bincount(panel.item, units), kind="stable")[:2]
    silent = panel.item == gone
    silent[np.flatnonzero(panel.item == other)[0]] = True
    demand = panel.demand.copy()
    demand[silent, -21:] = 0
    panel = replace(panel, demand=demand)
    for groups in (["all"], ["all", "away"]):
        model = SimpleNamespace(notes={"dependence": dict.fromkeys(groups)})
        found = groups_of(panel, totals(panel), model)  # type: ignore[arg-type]  # its notes alone
        away = set(panel.item[found == "away"].tolist())
        assert away == ({gone} if "away" in groups else set())
