"""The DAG files: they load lightly, and mirror the stage table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.stages import STAGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(ROOT / "dags")


@pytest.fixture
def nightly(bag):
    return bag.dags["nightly_plan"]


def test_every_dag_file_loads(bag):
    assert bag.import_errors == {}
    assert set(bag.dags) == {"nightly_plan", "simulate", "weekly_train", "load_train", "load_plan",
                             "game_day", "lab_night", "release_orders", "watch_nights"}  # fmt: skip


def test_there_is_one_task_for_each_stage_between_the_date_and_the_refresh(nightly):
    expected = {"business_date", *(stage.name for stage in STAGES), "refresh_successor"}
    assert set(nightly.task_ids) == expected


def test_an_edge_is_a_table_that_one_stage_writes_and_another_reads(nightly):
    expected = {
        ("business_date", "ingest"), ("train", "forecast"), ("train", "monitor"),
        ("review", "refresh_successor"),
    }  # fmt: skip
    for maker in STAGES:
        for reader in STAGES:
            if set(maker.writes) & set(reader.reads):
                expected.add((maker.name, reader.name))
    found = {(task.task_id, below) for task in nightly.tasks for below in task.downstream_task_ids}
    assert found == expected


def test_each_task_ends_in_time_is_tried_again_and_waits_in_a_pool_that_is_set_up(bag):
    pools = json.loads((ROOT / "configs" / "airflow_pools.json").read_text())
    for dag in bag.dags.values():
        assert dag.max_active_runs == 1
        assert not dag.catchup
        for task in dag.tasks:
            assert task.execution_timeout is not None
            assert task.retries == 2
            assert task.pool in pools


def test_stages_that_read_other_nights_never_run_while_another_night_refreshes(nightly):
    pools = json.loads((ROOT / "configs" / "airflow_pools.json").read_text())
    assert pools["echelon_changes"]["slots"] == 1
    compare = {stage.name for stage in STAGES if stage.reads_previous or stage.reads_earlier}
    compare.add("refresh_successor")
    assert {t.task_id for t in nightly.tasks if t.pool == "echelon_changes"} == compare


@pytest.mark.parametrize(
    "file",
    [
        "nightly_plan.py",
        "weekly_train.py",
        "simulate.py",
        "load_train.py",
        "load_plan.py",
        "game_day.py",
        "lab_night.py",
    ],
)
def test_reading_a_dag_file_imports_nothing_heavy(file):
    code = (
        "import sys, runpy; runpy.run_path(sys.argv[1]);"
        "print([m for m in ('pandas', 'numpy', 'pyarrow', 'lightgbm', 'numba', 'ortools') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "dags" / file)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
