"""A planner's whole way in a live Airflow: the desk, a rerun, required actions, the release.

Takes minutes: run it with ECHELON_LIVE_RELEASE=1. Its parts are tested without a server in
tests/dags/test_release.py.
"""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from selenium import webdriver
from selenium.webdriver.common.by import By

from pipeline.contracts.settings import Settings
from pipeline.records.database import Records
from pipeline.records.decisions import decisions
from pipeline.runner import run_nights
from pipeline.store import Source, Store
from tests.browser import test_backfill
from tests.browser.airflow_page import AirflowPage, browser
from tests.browser.desk_page import fill, other_sites, press, violations, wait_for
from tests.browser.test_backfill import CHROMIUM, DRIVER, answer_of, served, signed_in
from tests.dags.world import FIRST, make_world

LIVE = "ECHELON_LIVE_RELEASE"
folder = test_backfill.folder
WAIT_HOURS = 0.05
LAST = FIRST + timedelta(days=1)
LEAST_USD = 100
WHY = "promotion of the region"
pytestmark = pytest.mark.skipif(not os.environ.get(LIVE), reason=f"takes minutes: set {LIVE}=1")
QUICK = Settings.model_validate({
    "forecast": {"mean": {"trees": 40, "leaves": 15, "leaf_rows": 40},
                 "shape": {"trees": 20, "leaves": 8, "leaf_rows": 100}, "calibration_days": 28},
    "optimize": {"scenarios": 64, "rank_banks": 4, "exact_items": 0, "audit_items": 0},
    "review": {"approval_usd": LEAST_USD}, "run": {"threads": 1},
})  # fmt: skip


class Api:
    """Airflow's API as the administrator."""

    def __init__(self, base: str, password: str, dag_id: str = "nightly_plan") -> None:
        self._base, self._headers = f"{base}/api/v2/dags/{dag_id}", signed_in(base, password)

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
            assert not set(states.values()) <= {"success", "skipped"} or not states, states
            time.sleep(2)
        return states


def is_waiting(states: dict[str, str]) -> bool:
    return states.get("approve") in ("deferred", "awaiting_input")


def is_over(states: dict[str, str]) -> bool:
    return states.get("release") in ("success", "skipped")


def is_planned(states: dict[str, str]) -> bool:
    return states.get("review") == "success"


class DeskInAirflow:
    """The desk's pages of a night, each looked over for errors, other sites and WCAG."""

    def __init__(self, chrome: webdriver.Chrome, base: str, day: date, shots: Path) -> None:
        self.chrome, self._shots, self._base = chrome, shots, f"{base}/desk/plans/{day}"
        self.broken: dict[str, list[tuple[str, str]]] = {}
        self.errors: list[str] = []

    def open(self, page: str, text: str, most_s: int = 60) -> None:
        """A page, once it shows a text."""
        self.chrome.get(f"{self._base}/{page}")
        wait_for(self.chrome, text, most_s)
        self.look(page.split("?", maxsplit=1)[0].split("/", maxsplit=1)[0])

    def look(self, name: str) -> None:
        """Take a picture of what is open, and keep what is wrong with it."""
        self.chrome.save_screenshot(str(self._shots / f"airflow-desk-{name}.png"))
        if found := violations(self.chrome):
            self.broken[name] = found
        self.errors += [line["message"] for line in self.chrome.get_log("browser")]
        self.errors += sorted(other_sites(self.chrome))


def override_and_see(desk: DeskInAirflow, item: str, units: int) -> None:
    """Tonight's exceptions, an item's reasons, an override with its preview, saved."""
    chrome = desk.chrome
    desk.open("tonight", "What needs a person")
    stakes = [
        float(cell.text.lstrip("$").replace(",", ""))
        for cell in chrome.find_elements(By.CSS_SELECTOR, "tbody td.n")[:5]
    ]
    assert len(stakes) == 5
    assert stakes == sorted(stakes, reverse=True)
    chrome.find_element(By.CSS_SELECTOR, f"tbody a[href$='/items/{item}']").click()
    wait_for(chrome, "units are made of")
    desk.look("item")
    chrome.find_element(By.LINK_TEXT, "Override").click()
    wait_for(chrome, "A new override")
    first = LAST + timedelta(days=1)
    fill(chrome, override_value=str(units), why=WHY, start_date=str(first),
         expiry_date=str(first + timedelta(days=13)))  # fmt: skip
    press(chrome, "See what it would do")
    wait_for(chrome, "What it would do tonight")
    assert item in chrome.find_element(By.CLASS_NAME, "preview").text
    desk.look("preview")
    press(chrome, "Save it")
    wait_for(chrome, WHY)


def test_a_planner_overrides_reruns_approves_and_releases_in_airflow(folder: Path) -> None:
    raw = make_world(folder / "raw")
    run_nights(Store(folder / "ui"), Source("sample", raw), QUICK, FIRST, LAST)
    orders = {day: Store(folder / "ui").read(day, "purchase_orders") for day in (FIRST, LAST)}
    large = {day: rows[rows["order_cost_usd"] >= LEAST_USD] for day, rows in orders.items()}
    chosen = large[LAST].sort_values("order_cost_usd").iloc[-1]
    item, units = str(chosen["item_id"]), 2 * int(chosen["order_units"])
    settings = folder / "settings.yaml"
    settings.write_text(yaml.safe_dump(QUICK.model_dump(mode="json", exclude_unset=True)))
    records, target = f"sqlite:///{folder}/records.sqlite", folder / "erp"
    shots = Path(os.environ.get("ECHELON_SCREENSHOTS") or folder)
    with (
        served(
            folder, "sample", raw, ECHELON_RECORDS=records, ECHELON_RELEASE_TO=str(target),
            ECHELON_APPROVAL_HOURS=str(WAIT_HOURS), AIRFLOW_VAR_ECHELON_SETTINGS_FILE=str(settings),
        ) as (base, password),
        browser(folder / "profile", str(CHROMIUM), str(DRIVER)) as chrome,
    ):  # fmt: skip
        releases, nights = Api(base, password, "release_orders"), Api(base, password)
        page, desk = AirflowPage(chrome, base), DeskInAirflow(chrome, base, LAST, shots)
        silent = releases.trigger(FIRST)
        page.log_in("admin", password)
        chrome.get_log("browser")
        override_and_see(desk, item, units)
        nights.wait(nights.trigger(LAST), is_planned)
        desk.open(f"items/{item}", f"override adds {units // 2:,} (admin: {WHY})")
        desk.open(f"since?other={FIRST}&item={item}", "override", 300)
        # Nobody answered for the first night: what is declared holds, and only small lines left.
        releases.wait(silent, is_over)
        small = set(orders[FIRST]["order_line_id"]) - set(large[FIRST]["order_line_id"])
        assert set(_delivered(target)) == small
        asked = releases.trigger(LAST)
        releases.wait(asked, is_waiting)
        page.screenshot(shots / "airflow-required-actions.png", "/required_actions")
        path = f"/dags/release_orders/runs/{asked}/tasks/approve/required_actions"
        page.screenshot(shots / "airflow-approve.png", path)
        page.answer(path, "Approve all", "read and fine")
        releases.wait(asked, is_over)
        chrome.get_log("browser")  # those of Airflow's own pages
        desk.open("approval", "delivered")
        now = Store(folder / "ui").read(LAST, "purchase_orders")
        assert set(_delivered(target)) == small | set(now["order_line_id"])
        assert _delivered(target)[chosen["order_line_id"]] == units
        # A second run of the same night finds its lines decided and released.
        left = _files(target)
        again = releases.trigger(LAST)
        assert releases.wait(again, is_over)["approve"] == "skipped"
        assert _files(target) == left
        found = decisions(Records(records), Store(folder / "ui").root, f"{LAST}/")
        assert {one.order_line_id for one in found.values()} == set(
            now.loc[now["order_cost_usd"] >= LEAST_USD, "order_line_id"]
        )
        assert {one.comment for one in found.values()} == {"read and fine"}
        desk.open("overrides", WHY)
        press(chrome, "Withdraw")  # undone: the next run of the night is the plan's own again
        wait_for(chrome, "None.")
        desk.open("audit", "withdraw")
    assert (desk.broken, desk.errors) == ({}, [])


def _files(target: Path) -> list[str]:
    """Names of what was delivered of the second night."""
    return sorted(path.name for path in target.glob(f"orders-{LAST}-*"))


def _delivered(target: Path) -> dict[str, int]:
    """Units that were delivered of each order line; each of its nodes stands in one file alone."""
    rows = [row for path in target.glob("*.csv") for row in csv.DictReader(path.open())]
    assert len({(row["line"], row["ship_to"]) for row in rows}) == len(rows)
    units: dict[str, int] = {}
    for row in rows:
        units[row["line"]] = units.get(row["line"], 0) + int(row["quantity"])
    return units
