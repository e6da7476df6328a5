"""A run's nights in memory, each made from the one before, are the production's bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline import runner
from pipeline.simulate import raw_folder
from pipeline.simulate.loop import run_policy
from pipeline.simulate.nights import Nights
from pipeline.simulate.prepare import Base, prepare
from pipeline.simulate.rivals.plan import Echelon
from pipeline.simulate.rivals.situation import ORDER_COLUMNS, TRANSFER_COLUMNS, Plan, Situation
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.stages import BY_NAME
from pipeline.store import Source, Store

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
START = date(2025, 6, 29)
INGESTED = tuple(name for name in BY_NAME["ingest"].writes if name != "quarantine")
SURGE = {"kind": "surge", "factor": 6.0, "from_day": 1, "to_day": 4}  # empties some shelves


@dataclass(frozen=True)
class Spy:
    """Orders a case of everything now and then, and remembers what it was shown."""

    name: str = "spy"
    stages: tuple[str, ...] = ("ingest", "forecast")
    every_days: int = 1
    reads: tuple[str, ...] = (*INGESTED, "demand_quantiles")
    seen: dict[date, dict[str, pd.DataFrame]] = field(default_factory=dict)

    def decide(self, situation: Situation) -> Plan:
        self.seen[situation.as_of] = dict(situation.tables)
        offers = situation.tables["vendor_items"]
        nodes = situation.tables["nodes"]
        orders = offers.assign(
            node_id=nodes.loc[nodes["is_vendor_receiving"], "node_id"].astype("str").min(),
            units=offers["case_pack_units"] * offers["moq_units"],
            expected_arrival_date=pd.Timestamp(situation.as_of) + pd.Timedelta(days=9),
        )[list(ORDER_COLUMNS)]
        return Plan(orders if situation.as_of.day % 2 else orders[:0],
                    pd.DataFrame(columns=list(TRANSFER_COLUMNS)))  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    scenario = Scenario(
        name="nights", raw_dir=SAMPLE, start=START, days=5, replications=1, items=16,
        settings={
            "run": {"threads": 1}, "ingest": {"history_days": 120},
            "forecast": {"mean": {"trees": 20}, "shape": {"trees": 10}, "calibration_days": 28},
        },
        changes=(SURGE,),
    )  # fmt: skip
    return prepare(scenario, tmp_path_factory.mktemp("nights"))


@pytest.mark.parametrize("every_days", [1, 3])
def test_nights_in_memory_equal_those_planned_anew_from_the_raw_folder(
    base: Base, tmp_path: Path, every_days: int
) -> None:
    """Each day is appended; a policy that plans every third night has three of them added."""
    spy = Spy(f"spy_{every_days}", every_days=every_days)
    run_policy(base, base.scenario, spy, 0)
    raw = base.folder / "runs" / spy.name / "000" / "raw"
    store, shared = Store(tmp_path), Store(base.folder / "base" / "nights")
    day = runner.model_date(base.settings, START)
    lineage = {"stage": "train", "code_version": "", "settings_sha256": "", "inputs": {}}
    store.publish_files(day, "forecast_model", shared.read_files(day, "forecast_model"), lineage)
    for t in (1, 4):
        as_of = START + timedelta(days=t)
        planned = as_of - timedelta(days=t % every_days)
        for name in ("ingest", "forecast"):
            runner.run_stage(store, Source("raw", raw), base.settings, planned, name, trained=day)
        for name in (*INGESTED, "demand_quantiles"):
            anew = store.read(planned, name)
            pd.testing.assert_frame_equal(spy.seen[as_of][name], anew, check_exact=True, obj=name)
    assert (spy.seen[START + timedelta(days=4)]["daily_demand"]["in_stock_share"] < 1).any()


def test_the_whole_plan_of_a_simulated_night_is_the_production_nights(
    base: Base, tmp_path: Path
) -> None:
    """Orders, where they go, and transfers of the first night, stage by stage."""
    folder, plan, as_of = tmp_path / "run", Echelon(), START
    raw_folder.copy_history(base.folder / "base" / "raw", folder / "raw", False)
    tables = Nights(base, base.scenario, plan, folder).tables(as_of, 0)
    store, shared = Store(tmp_path / "anew"), Store(base.folder / "base" / "nights")
    day = runner.model_date(base.settings, START)
    lineage = {"stage": "train", "code_version": "", "settings_sha256": "", "inputs": {}}
    store.publish_files(day, "forecast_model", shared.read_files(day, "forecast_model"), lineage)
    for name in plan.stages:
        source = Source("raw", folder / "raw")
        runner.run_stage(store, source, base.settings, as_of, name, trained=day)
    for name in plan.reads:
        pd.testing.assert_frame_equal(tables[name], store.read(as_of, name), check_exact=True)
    stock = pd.DataFrame()
    decided = plan.decide(Situation(as_of, base.model, base.settings, tables, stock, stock))
    assert len(decided.orders) > 0
    assert decided.orders["units"].sum() == tables["inbound_assignments"]["assigned_units"].sum()
    assert len(decided.transfers) == len(store.read(as_of, "transfers"))
