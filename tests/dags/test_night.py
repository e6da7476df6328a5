"""The nightly DAG and the command line are two doors to the same room."""

from __future__ import annotations

import subprocess
import sys

from tests.dags.world import FIRST, contents, make_world, plan_by_runner


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
