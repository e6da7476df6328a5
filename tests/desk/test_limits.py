"""Guard-rails: planners move money up to a limit, leads beyond it; nudges below the noise are told.

And the bad input that the forms may get: stale, expired, of items that have gone.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from pipeline.desk.app import create_app
from pipeline.desk.releasing import APPROVE, settle, waiting
from pipeline.records.database import Records
from pipeline.records.decisions import decisions
from pipeline.records.overrides import current_overrides
from pipeline.store import Store
from tests.desk.conftest import LAST, ORIGIN, QUICK, World, recognise
from tests.desk.test_writing import NIGHT, _fields, _order

PLANNER = {"x-person": "planner"}
TIGHT = QUICK.model_copy(update={"review": QUICK.review.model_copy(update={
    "approval_usd": 0.0, "planner_override_usd": 1.0, "planner_approval_usd": 1.0,
})})  # fmt: skip


@pytest.fixture
def tight(world: World, records: Records, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app({"plans": str(world.out)}, recognise, records, str(tmp_path / "erp"), TIGHT)
    with TestClient(app, base_url="http://desk.test", headers=ORIGIN) as client:
        yield client


def test_a_planner_above_the_limit_is_told_and_a_lead_is_not_held(
    tight: TestClient, world: World, records: Records
) -> None:
    item, _ = _order(world)
    fields = _fields(item, "block", "") | {"action": "save"}
    answer = tight.post(f"{NIGHT}/overrides", data=fields, headers=PLANNER)
    assert answer.status_code == 422
    assert "planners move $1 at most, and nothing was saved" in answer.text
    pasted = "override_target\toverride_kind\titem_id\tstart_date\texpiry_date\twhy\n" + "\t".join(
        ["order_units", "block", item, "2025-07-01", "2025-07-14", "strike"]
    )
    answer = tight.post(f"{NIGHT}/overrides/paste", data={"pasted": pasted}, headers=PLANNER)
    assert answer.status_code == 422
    assert current_overrides(records, LAST) == []
    tight.post(f"{NIGHT}/overrides", data=fields)
    assert [one.item_id for one in current_overrides(records, LAST)] == [item]


def test_a_planner_approves_no_line_above_the_limit_and_required_actions_leave_it_to_a_lead(
    tight: TestClient, world: World, records: Records
) -> None:
    store = Store(world.out)
    line = str(store.read(LAST, "purchase_orders")["order_line_id"].iloc[0])
    form = {"action": "approve", "line": line}
    answer = tight.post(f"{NIGHT}/approval", data=form, headers=PLANNER)
    assert answer.status_code == 422
    found = waiting(store, LAST, records, TIGHT.review)
    assert found.lines == []
    assert "wait for a lead, at the desk" in found.text
    assert settle(records, store.root, found, APPROVE, "", "", "bo") == 0
    assert decisions(records, store.root, f"{LAST}/") == {}
    refused = tight.post(f"{NIGHT}/approval", data=form | {"action": "refuse"}, headers=PLANNER)
    assert refused.status_code == 200
    tight.post(f"{NIGHT}/approval", data=form)
    assert decisions(records, store.root, f"{LAST}/")[line].is_approved


@pytest.mark.parametrize(("factor", "is_told"), [("1.02", True), ("3", False)])
def test_a_nudge_below_the_noise_is_told_so(
    desk: TestClient, world: World, factor: str, is_told: bool
) -> None:
    item, _ = _order(world)
    fields = _fields(item, "multiply", factor) | {"override_target": "demand"}
    text = desk.post(f"{NIGHT}/overrides", data=fields | {"action": "preview"}).text
    assert ("A nudge below the noise seldom helps" in text) == is_told


def test_a_preview_tells_the_chance_to_run_out_with_and_without(
    desk: TestClient, world: World
) -> None:
    item, _ = _order(world)
    fields = _fields(item, "block", "") | {"action": "preview"}
    text = desk.post(f"{NIGHT}/overrides", data=fields).text
    row = text.split(f"items/{item}")[1].split("</tr>")[0]
    before, after = (float(part.split("%")[0]) for part in row.split('class="n">')[-2:])
    assert before < after


def test_a_stale_edit_an_expired_override_and_an_item_that_has_gone_are_told(
    desk: TestClient, world: World, records: Records
) -> None:
    item, _ = _order(world)
    desk.post(f"{NIGHT}/overrides", data=_fields(item, "block", "") | {"action": "save"})
    kept = current_overrides(records, LAST)[0]
    edit = _fields(item, "set", "5") | {"override_id": kept.override_id, "version": "1"}
    for status in (200, 422):  # two people have version 1 open: the second is told
        answer = desk.post(f"{NIGHT}/overrides", data=edit | {"action": "save"})
        assert answer.status_code == status
    assert "has changed this override since you opened it" in answer.text
    over = _fields(item, "block", "") | {"start_date": "2025-01-01", "expiry_date": "2025-01-31"}
    text = desk.post(f"{NIGHT}/overrides", data=over | {"action": "preview"}).text
    assert "It ends before the day that is planned: it would do nothing." in text
    gone = desk.post(
        f"{NIGHT}/overrides", data=_fields("GONE", "block", "") | {"action": "preview"}
    )
    assert gone.status_code == 422
    assert "no item of this night lies in that scope" in gone.text


def test_pasted_rows_with_formulas_stay_text_and_malformed_ones_are_named(
    desk: TestClient, records: Records
) -> None:
    head = "override_target,override_kind,item_id,start_date,expiry_date,why\n"
    row = "order_units,block,ITEM-0001,2025-07-01,2025-07-14,"
    bad = desk.post(f"{NIGHT}/overrides/paste", data={"pasted": head + row + "x,one too many"})
    assert bad.status_code == 422
    assert "line 2: 7 cells where the header has 6" in bad.text
    binary = desk.post(f"{NIGHT}/overrides/paste", data={"pasted": "\x00\x01\x02"})
    assert binary.status_code == 422
    desk.post(f"{NIGHT}/overrides/paste", data={"pasted": head + row + "=1+1"})
    assert current_overrides(records, LAST)[0].why == "=1+1"
    assert "=1+1" in desk.get(f"{NIGHT}/overrides").text


def test_a_night_s_own_override_of_an_item_that_is_gone_does_not_break_its_pages(
    world: World, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(world.out, tmp_path / "out"))
    store = Store(out)
    gone = pd.DataFrame([{
        "override_id": "D-1/GONE", "item_id": "GONE", "node_id": None, "item_group": None,
        "region_id": None, "event_name": None, "override_target": "order_units",
        "override_kind": "block", "override_value": 0.0, "start_date": pd.Timestamp(LAST),
        "expiry_date": pd.Timestamp("2025-12-31"), "planner": "ana", "why": "it was there once",
    }])  # fmt: skip
    overrides = store.read(LAST, "overrides")
    text = dict.fromkeys(overrides.select_dtypes("category").columns, "category")
    both = pd.concat([overrides.astype("object"), gone.astype("object")], ignore_index=True)
    kinds = {name: overrides[name].dtype for name in overrides if name not in text}
    store.publish(LAST, "overrides", both.astype(text).astype(kinds), {"inputs": {}})
    app = create_app({"plans": str(out)}, recognise, None, "", QUICK)
    client = TestClient(app, base_url="http://desk.test", headers=ORIGIN)
    assert "it was there once" in client.get(f"{NIGHT}/overrides").text
    assert client.get(f"{NIGHT}/items/GONE").status_code == 404
