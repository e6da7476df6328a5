"""Required actions in a live Airflow: a person approves, the orders leave once; silence holds.

Takes minutes: run it with ECHELON_LIVE_RELEASE=1. Its parts are tested without a server in
tests/dags/test_release.py.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.contracts.settings import Settings
from pipeline.records.database import Records
from pipeline.records.decisions import decisions
from pipeline.runner import run_nights
from pipeline.store import Source, Store
from tests.browser import test_backfill
from tests.browser.airflow_page import AirflowPage, browser
from tests.browser.test_backfill import CHROMIUM, DRIVER, answer_of, served, signed_in
from tests.dags.world import FIRST, make_world

LIVE = "ECHELON_LIVE_RELEASE"
folder = test_backfill.folder
WAIT_HOURS = 0.05
pytestmark = pytest.mark.skipif(not os.environ.get(LIVE), reason=f"takes minutes: set {LIVE}=1")
QUICK = Settings.model_validate({
    "forecast": {"mean": {"trees": 40, "leaves": 15, "leaf_rows": 40},
                 "shape": {"trees": 20, "leaves": 8, "leaf_rows": 100}, "calibration_days": 28},
    "optimize": {"scenarios": 64, "rank_banks": 4, "exact_items": 0, "audit_items": 0},
    "review": {"approval_usd": 100}, "run": {"threads": 1},
})  # fmt: skip


class Api:
    """Airflow's API as the administrator."""

    def __init__(self, base: str, password: str) -> None:
        self._base, self._headers = f"{base}/api/v2/dags/release_orders", signed_in(base, password)

    def ask(self, path: str, body: object = None, method: str | None = None) -> dict:
        """The answer to a request below the DAG's address."""
        sent = None if body is None else json.dumps(body).encode()
        return answer_of(self._base + path, self._headers, sent, method)

    def trigger(self, day: date) -> str:
        """Start a run of the night of a date; its id."""
        self.ask("", {"is_paused": False}, "PATCH")
        run = self.ask("/dagRuns", {"logical_date": None, "conf": {"as_of": str(day)}})
        return str(run["dag_run_id"])

    def states(self, run_id: str) -> dict[str, str]:
        """The state of each task of a run."""
        found = self.ask(f"/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: str(task["state"]) for task in found}

    def wait(
        self, run_id: str, is_done: Callable[[dict[str, str]], bool], most_s: int = 600
    ) -> dict:
        """The run's states once they are as wanted."""
        deadline = time.monotonic() + most_s
        while not is_done(states := self.states(run_id)):
            assert time.monotonic() < deadline, states
            assert "failed" not in states.values(), states
            time.sleep(2)
        return states


def is_waiting(states: dict[str, str]) -> bool:
    return states.get("approve") in ("deferred", "awaiting_input")


def is_over(states: dict[str, str]) -> bool:
    return states.get("release") in ("success", "skipped")


def test_orders_are_approved_in_required_actions_and_released_once(folder: Path) -> None:
    raw = make_world(folder / "raw")
    last = FIRST + timedelta(days=1)
    run_nights(Store(folder / "ui"), Source("sample", raw), QUICK, FIRST, last)
    orders = {day: Store(folder / "ui").read(day, "purchase_orders") for day in (FIRST, last)}
    large = {day: rows[rows["order_cost_usd"] >= 100] for day, rows in orders.items()}
    assert len(large[last])
    (folder / "settings.yaml").write_text("review: {approval_usd: 100}\n")
    records, target = f"sqlite:///{folder}/records.sqlite", folder / "erp"
    shots = Path(os.environ.get("ECHELON_SCREENSHOTS") or folder)
    with (
        served(
            folder, "sample", raw, ECHELON_RECORDS=records, ECHELON_RELEASE_TO=str(target),
            ECHELON_APPROVAL_HOURS=str(WAIT_HOURS),
            AIRFLOW_VAR_ECHELON_SETTINGS_FILE=str(folder / "settings.yaml"),
        ) as (base, password),
        browser(folder / "profile", str(CHROMIUM), str(DRIVER)) as chrome,
    ):  # fmt: skip
        api, page = Api(base, password), AirflowPage(chrome, base)
        silent = api.trigger(FIRST) if len(large[FIRST]) else ""
        page.log_in("admin", password)
        asked = api.trigger(last)
        api.wait(asked, is_waiting)
        page.screenshot(shots / "airflow-required-actions.png", "/required_actions")
        path = f"/dags/release_orders/runs/{asked}/tasks/approve/required_actions"
        page.screenshot(shots / "airflow-approve.png", path)
        page.answer(path, "Approve all", "read and fine")
        api.wait(asked, is_over)
        page.follow(f"/desk/plans/{last}/approval", "delivered")
        page.screenshot(shots / "airflow-desk-approval.png")
        assert _lines(target) >= set(orders[last]["order_line_id"])
        # A second run of the same night finds its lines decided and released.
        left = _files(target)
        again = api.trigger(last)
        assert api.wait(again, is_over)["approve"] == "skipped"
        assert _files(target) == left
        if silent:  # nobody answered: what is declared holds, and only small lines left
            api.wait(silent, is_over)
            assert _lines(target) & set(orders[FIRST]["order_line_id"]) == (
                set(orders[FIRST]["order_line_id"]) - set(large[FIRST]["order_line_id"])
            )
        found = decisions(Records(records), Store(folder / "ui").root, f"{last}/")
        assert {one.order_line_id for one in found.values()} == set(large[last]["order_line_id"])
        assert {one.comment for one in found.values()} == {"read and fine"}
        serious = [line for line in chrome.get_log("browser") if "/desk/" in line["message"]]
        assert serious == []


def _files(target: Path) -> list[str]:
    """Names of what was delivered of the second night."""
    return sorted(path.name for path in target.glob(f"orders-{FIRST + timedelta(days=1)}-*"))


def _lines(target: Path) -> set[str]:
    """Ids of the order lines that were delivered; each stands in one file alone."""
    texts = [path.read_text() for path in target.glob("*.csv")]
    lines = [line.split(",")[0] for text in texts for line in text.splitlines()[1:]]
    return set(lines)
