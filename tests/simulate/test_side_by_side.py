"""Processes change nothing but the time; stored forecasts are shared; tuning sees earlier weeks."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.simulate import tune
from pipeline.simulate.loop import plans_itself, run_policy
from pipeline.simulate.prepare import Base, prepare, store_forecasts, stored
from pipeline.simulate.report.record import Record
from pipeline.simulate.rivals.policies import POLICIES
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.side_by_side import all_runs
from tests.simulate.test_loop import START, scenario

STORED = scenario(forecasts="stored")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return prepare(STORED, tmp_path_factory.mktemp("side_by_side"))


def without_seconds(record: Record) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in record.arrays().items()
            if name != "record_seconds"}  # fmt: skip


def test_two_processes_give_the_same_runs_and_the_same_bound_as_one(base: Base) -> None:
    names = ["drp"]
    together = all_runs(base, STORED, names, 2, True)
    for part in ("runs", "bounds"):
        shutil.rmtree(base.folder / part)
    alone = all_runs(base, STORED, names, 1, True)
    assert list(alone.records) == [("drp", 0)]
    for key, record in alone.records.items():
        assert without_seconds(record) == without_seconds(together.records[key])
    assert alone.bound_usd == together.bound_usd


def test_stored_forecasts_are_made_once_and_a_rule_needs_no_night_of_its_own(base: Base) -> None:
    store_forecasts(base, 7)
    assert stored(base).dates("demand_quantiles") == [START]
    record = run_policy(base, STORED, POLICIES["min_max"], 0)
    assert record.ordered.sum() > 0
    assert not (base.folder / "runs" / "min_max" / "000" / "nights").exists()
    assert plans_itself(STORED, POLICIES["echelon"])
    assert not plans_itself(STORED, POLICIES["min_max"])
    assert plans_itself(scenario(), POLICIES["min_max"])


def test_tuning_keeps_what_earned_most_in_the_weeks_before(
    base: Base, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Scenario] = []

    def prepared(chosen: Scenario, _: Path) -> Base:
        asked.append(chosen)
        return base

    grid = {"drp": (("node_days", (0.0, 30.0)),)}
    monkeypatch.setattr(tune, "prepare", prepared)
    monkeypatch.setattr(tune, "GRID", grid)
    best = tune.tune(scenario(), ["drp", "echelon"], 3, tmp_path)
    assert asked[0].start + timedelta(days=asked[0].days) == START
    assert list(best) == ["drp"]
    earned = {}
    for value in (7.0, 0.0, 30.0):  # the first is the default
        policy = replace(POLICIES["drp"], name=f"try_{value:g}", node_days=value)
        money = run_policy(base, STORED, policy, 0).money
        earned[value] = money[:, 0].sum() - money[:, 1:].sum()
    assert earned[best["drp"].get("node_days", 7.0)] == max(earned.values())
    assert len(set(earned.values())) > 1
