"""Approved lines leave exactly once, wherever it is killed; they count until the ERP has them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import DeliveryError
from pipeline.records.database import Records
from pipeline.records.decisions import decide, decisions
from pipeline.records.releases import confirm, deliver_prepared, prepare, released_lines, releases
from pipeline.records.snapshot import recorded
from pipeline.records.targets import drop_into, post_to

NIGHT = date(2025, 6, 30)
LINES = pd.DataFrame({
    "order_line_id": ["2025-06-30/V/A", "2025-06-30/V/A", "2025-06-30/W/B"],
    "vendor_id": ["V", "V", "W"], "item_id": ["A", "A", "B"], "node_id": ["N1", "N2", "N1"],
    "order_units": [8, 4, 10], "order_cost_usd": [16.0, 8.0, 30.0],
    "expected_arrival_date": [date(2025, 7, 9), date(2025, 7, 9), date(2025, 7, 20)],
})  # fmt: skip


class KilledError(Exception):
    """Stands for the process being killed."""


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(f"sqlite:///{tmp_path}/records.sqlite")


def _release(records: Records, deliver: Any) -> None:
    prepare(records, "plans", NIGHT, LINES, "erp", "ana")
    deliver_prepared(records, "plans", deliver, "ana")


@pytest.mark.parametrize("killed_at", range(1, 9))
def test_a_release_killed_at_any_step_and_run_again_delivers_each_line_once(
    records: Records, killed_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps: begin and end of each transaction, and both sides of the delivery."""
    taken: dict[str, dict[str, Any]] = {}
    step = 0

    def tick() -> None:
        nonlocal step
        step += 1
        if step == killed_at:
            raise KilledError

    def deliver(key: str, payload: dict[str, Any]) -> None:
        tick()
        taken.setdefault(key, payload)  # a target takes a key once
        tick()

    writing = Records.writing

    @contextmanager
    def watched(self: Records, *about: str) -> Iterator[Any]:
        tick()
        with writing(self, *about) as connection:
            yield connection
            tick()  # before the commit
        tick()

    with monkeypatch.context() as patch:
        patch.setattr(Records, "writing", watched)
        with pytest.raises(KilledError):
            _release(records, deliver)
    _release(records, deliver)
    lines = Counter(
        (line["line"], line["ship_to"])
        for payload in taken.values()
        for order in payload["orders"]
        for line in order["PO1"]
    )
    assert set(lines.values()) == {1}
    assert len(lines) == 3
    assert [release.state for release in releases(records, "plans")] == ["delivered"]


def test_a_line_is_released_once_though_a_rerun_of_the_night_changed_it(records: Records) -> None:
    _release(records, lambda key, payload: None)
    again = LINES.assign(order_units=LINES["order_units"] + 1)
    assert prepare(records, "plans", NIGHT, again, "erp", "ben") is None


def test_a_folder_gets_whole_files_named_by_the_key_and_none_twice(
    records: Records, tmp_path: Path
) -> None:
    folder = tmp_path / "erp"
    _release(records, drop_into(folder))
    names = sorted(path.name for path in folder.iterdir())
    assert [name.rsplit(".", 1)[1] for name in names] == ["csv", "json", "parquet"]
    content = json.loads((folder / names[1]).read_text())
    assert content["totals"] == {"lines": 3, "units": 22, "value_usd": 54.0}
    key = releases(records, "plans")[0].release_key
    drop_into(folder)(key, content)
    assert sorted(path.name for path in folder.iterdir()) == names


@pytest.mark.parametrize(("answers", "is_taken"), [([503, 500, 200], True), ([400], False)])
def test_an_address_is_tried_again_where_that_can_help(
    records: Records, answers: list[int], is_taken: bool
) -> None:
    keys: list[str] = []

    class Erp(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["Idempotency-Key"])
            self.send_response(answers[min(len(keys), len(answers)) - 1])
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Erp)
    Thread(target=server.serve_forever, daemon=True).start()
    deliver = post_to(f"http://127.0.0.1:{server.server_port}/", sleep=lambda _: None)
    try:
        if is_taken:
            _release(records, deliver)
        else:
            with pytest.raises(DeliveryError, match="it answered 400"):
                _release(records, deliver)
    finally:
        server.shutdown()
        server.server_close()
    state = releases(records, "plans")[0].state
    assert (state, len(set(keys))) == ("delivered" if is_taken else "prepared", 1)
    assert len(keys) == len(answers)


def _night(records: Records, day: date, order_ids: list[str]) -> pd.DataFrame:
    empty = pd.DataFrame(columns=["override_id", "item_id", "expiry_date"])
    orders = pd.DataFrame({
        "date": pd.Timestamp(day), "order_id": order_ids, "vendor_id": "V", "item_id": "A",
        "node_id": "N1", "order_date": pd.Timestamp(NIGHT), "confirmed_date": pd.NaT,
        "expected_arrival_date": pd.Timestamp("2025-07-09"), "open_units": 12,
    })  # fmt: skip
    tables = {
        "items": pd.DataFrame({"item_id": [], "category": [], "department": []}),
        "vendor_items": pd.DataFrame({"vendor_id": [], "item_id": []}),
        "overrides": empty, "open_orders": orders,
    }  # fmt: skip
    return recorded(records, "plans", day, tables)["open_orders"]


def test_a_released_line_is_on_order_from_the_next_night_until_the_erp_shows_it(
    records: Records,
) -> None:
    _release(records, lambda key, payload: None)
    assert _night(records, NIGHT, []).empty
    assert _night(records, date(2025, 7, 1), [])["open_units"].sum() == 22
    shown = _night(records, date(2025, 7, 1), ["2025-06-30/V"])
    assert shown["open_units"].tolist() == [12, 10]  # the ERP's own row, and W's
    key = releases(records, "plans")[0].release_key
    confirm(records, key, date(2025, 7, 3), "ana")
    assert _night(records, date(2025, 7, 2), [])["open_units"].sum() == 22
    assert _night(records, date(2025, 7, 3), []).empty


def test_a_decision_on_a_released_line_is_not_taken(records: Records) -> None:
    _release(records, lambda key, payload: None)
    assert decide(records, "plans", [("2025-06-30/V/A", 12)], False, "no", "ben") == 0
    assert decisions(records, "plans", "2025-06-30/") == {}
    assert len(released_lines(records, "plans", NIGHT)) == 3
