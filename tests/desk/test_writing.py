"""An override is previewed, saved, used by the next run; orders are approved and released once."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline import runner
from pipeline.records.database import Records
from pipeline.records.overrides import current_overrides
from pipeline.records.releases import releases
from pipeline.store import Source, Store
from tests.desk.conftest import LAST, QUICK, World

NIGHT = f"/plans/{LAST}"


def _order(world: World) -> tuple[str, int]:
    orders = Store(world.out).read(LAST, "purchase_orders")
    row = orders.sort_values("order_cost_usd").iloc[-1]
    return str(row["item_id"]), int(row["order_units"])


def _fields(item: str, kind: str, value: str) -> dict[str, str]:
    return {
        "override_target": "order_units", "override_kind": kind, "override_value": value,
        "item_id": item, "start_date": "2025-07-01", "expiry_date": "2025-07-14", "why": "strike",
    }  # fmt: skip


def test_a_preview_says_what_the_next_run_with_the_override_does(
    desk: TestClient, world: World, records: Records, tmp_path: Path
) -> None:
    item, _ = _order(world)
    fields = _fields(item, "block", "")
    seen = desk.post(f"{NIGHT}/overrides", data=fields | {"action": "preview"})
    assert seen.status_code == 200
    assert f"items/{item}" in seen.text.split("What it would do tonight")[1].split("Kept on")[0]
    assert current_overrides(records, LAST) == []
    saved = desk.post(
        f"{NIGHT}/overrides", data=fields | {"action": "save"}, follow_redirects=False
    )
    assert saved.status_code == 303
    out = Path(shutil.copytree(world.out, tmp_path / "again"))
    store, source = Store(out), Source("raw", world.raw, records.address)
    for stage in ("ingest", "forecast", "assort", "optimize", "buy", "place", "explain"):
        runner.run_stage(store, source, QUICK, LAST, stage)
    kept = store.read(LAST, "overrides")
    assert kept.loc[kept["planner"] == "ana", "item_id"].tolist() == [item]
    assert item not in store.read(LAST, "purchase_orders")["item_id"].astype("str").tolist()


def test_an_override_that_does_not_bind_is_said_to_change_nothing(
    desk: TestClient, world: World
) -> None:
    item, units = _order(world)
    fields = _fields(item, "at_most", str(units * 1000)) | {"action": "preview"}
    assert "No order of tonight would change." in desk.post(f"{NIGHT}/overrides", data=fields).text


def test_a_wrong_form_comes_back_filled_with_every_problem(desk: TestClient) -> None:
    fields = _fields("", "set", "lots") | {"start_date": "01/07/2025", "action": "save"}
    answer = desk.post(f"{NIGHT}/overrides", data=fields)
    assert answer.status_code == 422
    assert "start_date: &#39;01/07/2025&#39; is not a date" in answer.text
    assert "override_value: &#39;lots&#39; is not a number" in answer.text
    assert 'value="strike"' in answer.text


def test_a_form_above_the_limit_is_refused(desk: TestClient) -> None:
    answer = desk.post(f"{NIGHT}/overrides/paste", data={"pasted": "x" * 1_100_000})
    assert answer.status_code == 413


def test_a_night_that_is_not_whole_releases_nothing_and_says_what_to_do(
    desk: TestClient, world: World, records: Records, tmp_path: Path
) -> None:
    mark = world.out / str(LAST) / "night.json"
    kept = mark.read_bytes()
    told = json.loads(kept)
    told["tables"]["purchase_orders"] = "of another run"
    try:
        for content in (json.dumps(told), "{}"):
            mark.write_text(content)
            answer = desk.post(f"{NIGHT}/approval", data={"action": "release"})
            assert answer.status_code == 409
            assert "purchase_orders" in answer.text or content == "{}"
            assert "is not whole" in answer.text
            assert f"echelon run --as-of {LAST}" in answer.text
        mark.unlink()  # never finished
        assert desk.post(f"{NIGHT}/approval", data={"action": "release"}).status_code == 409
    finally:
        mark.write_bytes(kept)
    assert not list((tmp_path / "erp").glob("*"))
    assert releases(records, Store(world.out).root) == []


def test_what_is_approved_is_released_once_and_the_rest_waits(
    desk: TestClient, world: World, records: Records, tmp_path: Path
) -> None:
    orders = Store(world.out).read(LAST, "purchase_orders")
    large = orders[orders["order_cost_usd"] >= QUICK.review.approval_usd]
    assert len(large) >= 1
    desk.post(f"{NIGHT}/approval", data={"action": "release"})
    files = sorted((tmp_path / "erp").glob("*.csv"))
    free = len(orders) - len(large)
    assert len(files) == (1 if free else 0)
    first = str(large["order_line_id"].iloc[0])
    desk.post(f"{NIGHT}/approval", data={"action": "approve", "line": first, "comment": "fine"})
    desk.post(f"{NIGHT}/approval", data={"action": "release"})
    desk.post(f"{NIGHT}/approval", data={"action": "release"})
    files = sorted((tmp_path / "erp").glob("*.csv"))
    assert len(files) == (2 if free else 1)
    assert sum(first in path.read_text() for path in files) == 1
    text = desk.get(f"{NIGHT}/approval").text
    assert text.count("waits for a person") == (1 + len(large) - 1 if len(large) > 1 else 0)


def test_a_line_that_a_rerun_has_taken_away_cannot_be_approved(desk: TestClient) -> None:
    answer = desk.post(f"{NIGHT}/approval", data={"action": "approve", "line": "2025-06-30/V/NOPE"})
    assert answer.status_code == 422
    assert "The night was planned anew" in answer.text


@pytest.mark.parametrize("day", [date(2025, 6, 30)])
def test_a_database_that_went_away_leaves_the_desk_reading(
    desk: TestClient, records: Records, day: date
) -> None:
    records.engine.dispose()
    Path(records.address.removeprefix("sqlite:///")).unlink()
    Path(records.address.removeprefix("sqlite:///")).write_bytes(b"not a database")
    assert desk.get(f"/plans/{day}/orders").status_code == 200
    answer = desk.post(f"/plans/{day}/overrides", data=_fields("ITEM-0001", "set", "5")
                       | {"action": "save"})  # fmt: skip
    assert answer.status_code == 503
    assert "nothing was written" in answer.text
