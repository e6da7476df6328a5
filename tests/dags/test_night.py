"""The nightly DAG and the command line are two doors to the same room."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

from pipeline.runner import business_dates, run_night
from pipeline.store import Source, Store
from tests.dags.world import FIRST, QUICK, contents, make_world, plan_by_runner


def test_the_dag_leaves_the_same_bytes_as_the_runner(tmp_path):
    raw = make_world(tmp_path / "raw")
    plan_by_runner(raw, tmp_path / "runner")
    subprocess.run(
        [sys.executable, "-m", "echelon_airflow.night", "--as-of", str(FIRST), "--raw", str(raw),
         "--out", str(tmp_path / "airflow"), "--home", str(tmp_path / "home")],
        check=True,
    )  # fmt: skip
    assert contents(tmp_path / "airflow") == contents(tmp_path / "runner")


def test_a_night_that_fails_says_so(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "echelon_airflow.night", "--as-of", str(FIRST),
         "--raw", str(tmp_path), "--out", str(tmp_path / "out"), "--home", str(tmp_path / "home")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert not (tmp_path / "out").exists() or contents(tmp_path / "out") == {}


def test_nights_planned_backwards_leave_the_bytes_of_nights_planned_in_order(tmp_path):
    raw, last = make_world(tmp_path / "raw"), FIRST + timedelta(days=1)
    plan_by_runner(raw, tmp_path / "forward", last, QUICK)
    for as_of in reversed(list(business_dates(FIRST, last))):
        run_night(Store(tmp_path / "backward"), Source("sample", raw), QUICK, as_of)
    assert contents(tmp_path / "backward") == contents(tmp_path / "forward")
