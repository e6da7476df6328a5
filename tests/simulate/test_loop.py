"""The closed loop: a resumed run equals an uninterrupted one; nights see what a planner may."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import runner
from pipeline.errors import UsageError
from pipeline.simulate import side_by_side, stage
from pipeline.simulate.bound.clairvoyant import clairvoyant_bound
from pipeline.simulate.loop import SimulatedDay, run_policy
from pipeline.simulate.prepare import Base, prepare
from pipeline.simulate.report.page import render
from pipeline.simulate.report.record import Record, tables
from pipeline.simulate.rivals.replenish import orders_up_to, supply_terms
from pipeline.simulate.rivals.situation import TRANSFER_COLUMNS, Plan, Situation
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.stage import run_scenario
from pipeline.simulate.world.day import MONEY
from pipeline.simulate.world.model import WorldRules, parents
from pipeline.store import Source, Store

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
START = date(2025, 6, 29)
SURGE = {"kind": "surge", "factor": 6.0, "from_day": 2, "to_day": 6}  # empties the shelves


@dataclass(frozen=True)
class TopUp:
    """Orders up to a fixed stock of every item; needs only ingest, so that the test is quick."""

    name: str = "top_up"
    stages: tuple[str, ...] = ("ingest",)
    every_days: int = 1
    reads: tuple[str, ...] = ("stock", "lead_times", "daily_demand")

    def decide(self, situation: Situation) -> Plan:
        seen = situation.tables["stock"]
        assert int(seen["on_hand_units"].sum()) == int(situation.on_hand.sum())
        assert situation.tables["daily_demand"]["date"].max().date() == situation.as_of
        parent = parents(situation.tables["nodes"], situation.model)
        level = np.full(len(situation.model.items), 60.0)
        orders = orders_up_to(situation, supply_terms(situation), level, level, parent,
                              np.ones(situation.model.shape[::2]))  # fmt: skip
        return Plan(orders, pd.DataFrame(columns=list(TRANSFER_COLUMNS)))


def scenario(**rest: object) -> Scenario:
    return Scenario(
        name="test", raw_dir=SAMPLE, start=START, days=6, replications=1, items=8,
        settings={"run": {"threads": 1}, "ingest": {"history_days": 120}}, changes=(SURGE,), **rest,
    )  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return prepare(scenario(), tmp_path_factory.mktemp("loop"))


@pytest.fixture(scope="module")
def whole(base: Base) -> Record:
    return run_policy(base, scenario(), TopUp(), 0)


def test_a_killed_and_resumed_run_equals_an_uninterrupted_one(base: Base, whole: Record) -> None:
    """Killed after the second day, and again after the fourth."""
    policy = TopUp(name="killed")

    def kill_after(n: int) -> object:
        def stop(day: SimulatedDay) -> None:
            if day.as_of == START + timedelta(days=n - 1):
                raise KeyboardInterrupt

        return stop

    for n in (2, 4):
        with pytest.raises(KeyboardInterrupt):
            run_policy(base, scenario(), policy, 0, kill_after(n))
    resumed = run_policy(base, scenario(), policy, 0)
    for name, array in whole.arrays().items():
        if name != "record_seconds":
            assert array.tobytes() == resumed.arrays()[name].tobytes(), name


def test_every_simulated_night_can_be_planned_again_from_its_raw_folder(
    base: Base, whole: Record, tmp_path: Path
) -> None:
    """The stock that a night ingested is the world's at the end of that day; sales are censored."""
    folder = base.folder / "runs" / "top_up" / "000"
    store, source = Store(tmp_path), Source("raw", folder / "raw")
    runner.run_stage(store, source, base.settings, START + timedelta(days=5), "ingest")
    last = store.read(START + timedelta(days=5), "daily_demand")
    days = pd.Timestamp(START) + pd.to_timedelta(np.arange(1, 6), unit="D")
    sold = last[last["date"].isin(days)].groupby("date")["units"].sum()
    kept_and_late = whole.count[:5, 1] + whole.count[:5, 2]
    assert sold.to_list() == kept_and_late.tolist()
    assert whole.count[:, 3].sum() > 0  # some demand was lost, and the planner cannot see it


def test_no_policy_beats_the_clairvoyant(base: Base, whole: Record) -> None:
    profit = (whole.money[:, 0] - whole.money[:, 1:].sum(axis=1)).sum()
    bound = clairvoyant_bound(base.model, base.times, base.truth, base.tables, 1, START).usd
    assert profit <= bound + 1e-6
    assert bound < 3 * profit


def test_the_report_escapes_what_it_is_told(base: Base, whole: Record) -> None:
    found = tables(whole, base.model, base.truth.days, "top_up", 0, None)
    odd = scenario(question="<script>alert(1)</script>")
    page = render(odd, found, base.tables["items"])["report.html"].decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page == render(odd, found, base.tables["items"])["report.html"].decode()
    assert page.count("<svg") >= 5


def test_unknown_policies_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown policies: guess"):
        run_scenario(scenario(), ["guess"], tmp_path)


def test_a_folder_of_another_scenario_is_refused(base: Base) -> None:
    with pytest.raises(UsageError, match="holds the runs of another scenario"):
        prepare(scenario(seed=5), base.folder)


def test_the_stored_scenario_starts_the_same_run_again(base: Base) -> None:
    """What the planner believes is in the file; the world's own defaults would be another world."""
    stored = Scenario.model_validate_json((base.folder / "scenario.json").read_text())
    assert stored.world == base.model.rules != WorldRules()
    assert prepare(stored, base.folder).scenario == base.scenario == stored
    other = stored.model_copy(update={"world": WorldRules(overflow_usd=(0.5, 0.5, 0.5))})
    with pytest.raises(UsageError, match="another scenario"):
        prepare(other, base.folder)


def test_a_change_is_told_against_the_unchanged_world(
    base: Base, whole: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both worlds are run; here they are the same run, but that overflow costs a dollar a day in
    the changed one, and then not even that."""
    asked: list[Scenario] = []

    def prepared(chosen: Scenario, out: Path) -> Base:
        asked.append(chosen)
        return base

    monkeypatch.setattr(stage, "prepare", prepared)
    money = whole.money.copy()
    money[:, MONEY.index("overflow_usd")] += 1.0
    dearer = replace(whole, money=money)
    runs = {False: whole, True: dearer}
    monkeypatch.setattr(
        side_by_side, "run_policy", lambda _, chosen, *__: runs[bool(chosen.changes)]
    )
    changed = scenario(against_unchanged=True)
    run_scenario(changed, ["echelon"], tmp_path / "changed", with_bound=False)
    assert [len(found.changes) for found in asked] == [0, 1]
    page = next(tmp_path.glob("changed/results/*/simulation_report/*.html")).read_text()
    assert "What the change does" in page
    assert f"In all the change costs {len(money)} USD of profit" in page
    assert f"overflow −{len(money)} USD" in page
    assert "Stock: 0 USD in all nodes, 0.0 % of" in page
    assert "(one replication: no interval)" in page
    runs[True] = whole
    run_scenario(changed, ["echelon"], tmp_path / "untouched", with_bound=False)
    page = next(tmp_path.glob("untouched/results/*/simulation_report/*.html")).read_text()
    assert "Nothing is different" in page
    assert "Stock by node" not in page
    assert len(list(tmp_path.glob("unchanged_*/results"))) == 1


def test_several_scenarios_lie_side_by_side_in_a_folder_named_from_where_one_stands(
    base: Base, whole: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stage, "prepare", lambda *_: base)
    monkeypatch.setattr(side_by_side, "run_policy", lambda *_, **__: whole)
    both = [scenario().model_copy(update={"name": name}) for name in ("one", "other")]
    stage.run_scenarios(both, ["echelon"], Path("sim"), with_bound=False)
    page = (tmp_path / "sim/scenarios.html").read_text()
    links = re.findall(r'href="([^"]+report-[^"]+)"', page)
    assert len(links) == 2
    assert all((tmp_path / "sim" / link).is_file() for link in links)
