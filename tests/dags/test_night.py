"""The nightly DAG and the command line are two doors to the same room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.dags.world import FIRST, contents, make_world, plan_by_runner


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Airflow's folder: its database is laid out once."""
    return tmp_path_factory.mktemp("home")


def test_the_dag_leaves_the_same_bytes_as_the_runner(tmp_path, home):
    raw = make_world(tmp_path / "raw")
    plan_by_runner(raw, tmp_path / "runner")
    subprocess.run(
        [sys.executable, "-m", "echelon_airflow.night", "--as-of", str(FIRST), "--raw", str(raw),
         "--out", str(tmp_path / "airflow"), "--home", str(home)],
        check=True,
    )  # fmt: skip
    assert contents(tmp_path / "airflow") == contents(tmp_path / "runner")


def test_a_night_that_fails_says_so(tmp_path, home):
    done = subprocess.run(
        [sys.executable, "-m", "echelon_airflow.night", "--as-of", str(FIRST),
         "--raw", str(tmp_path), "--out", str(tmp_path / "out"), "--home", str(home)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "sales" in done.stdout + done.stderr  # of the raw files, the first that is missing
    assert not (tmp_path / "out").exists() or contents(tmp_path / "out") == {}
