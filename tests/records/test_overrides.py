"""Overrides are kept in versions, known from a business date, and told when they collide."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import RecordsError, UsageError
from pipeline.records.database import Records
from pipeline.records.overrides import (
    Override,
    current_overrides,
    override_history,
    override_rows,
    parse_pasted,
    save_override,
)

NIGHT = date(2025, 6, 30)
OVERRIDE = Override(
    override_target="order_units", override_kind="at_least", override_value=40.0,
    start_date=date(2025, 7, 1), expiry_date=date(2025, 7, 14), planner="ana", why="launch",
    known_from=NIGHT, item_group="home",
)  # fmt: skip
ITEMS = pd.DataFrame({
    "item_id": ["A", "B", "C"], "category": ["home", "home", "food"],
    "department": ["kitchen", "garden", "tea"],
})  # fmt: skip
VENDOR_ITEMS = pd.DataFrame({"vendor_id": ["V", "V", "W"], "item_id": ["B", "C", "A"]})


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(f"sqlite:///{tmp_path}/records.sqlite")


def test_a_night_before_an_override_was_known_does_not_see_it(records: Records) -> None:
    save_override(records, OVERRIDE, "ana")
    assert current_overrides(records, date(2025, 6, 29)) == []
    assert [o.why for o in current_overrides(records, NIGHT)] == ["launch"]


def test_a_change_adds_a_version_and_an_earlier_night_keeps_the_one_it_knew(
    records: Records,
) -> None:
    first = save_override(records, OVERRIDE, "ana")
    later = replace(first, override_value=60.0, known_from=date(2025, 7, 2))
    save_override(records, later, "ben")
    assert [o.override_value for o in override_history(records, first.override_id)] == [40.0, 60.0]
    assert current_overrides(records, NIGHT)[0].override_value == 40.0
    assert current_overrides(records, date(2025, 7, 2))[0].override_value == 60.0


def test_the_second_of_two_who_edit_the_same_version_is_told_and_nothing_is_lost(
    records: Records,
) -> None:
    seen = save_override(records, OVERRIDE, "ana")
    save_override(records, replace(seen, override_value=50.0, planner="ben"), "ben")
    with pytest.raises(UsageError, match="ben has changed this override since you opened it"):
        save_override(records, replace(seen, override_value=70.0), "ana")
    assert current_overrides(records, NIGHT)[0].override_value == 50.0


def test_a_withdrawn_override_is_gone_from_nights_but_not_from_its_history(
    records: Records,
) -> None:
    seen = save_override(records, OVERRIDE, "ana")
    save_override(records, replace(seen, is_withdrawn=True), "ana")
    assert current_overrides(records, NIGHT) == []
    assert len(override_history(records, seen.override_id)) == 2


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({"item_group": "home"}, ["A", "B"]),  # a category
        ({"item_group": "tea"}, ["C"]),  # a department
        ({"item_group": None, "vendor_id": "V"}, ["B", "C"]),
        ({"vendor_id": "V"}, ["B"]),  # home and V
        ({"item_group": None, "item_id": "C"}, ["C"]),
    ],
)
def test_a_scope_is_spread_over_its_items(
    records: Records, scope: dict[str, str | None], covered: list[str]
) -> None:
    save_override(records, replace(OVERRIDE, **scope), "ana")  # type: ignore[arg-type]  # of the case
    rows = override_rows(records, NIGHT, ITEMS, VENDOR_ITEMS)
    assert rows["item_id"].tolist() == covered
    assert rows["override_id"].is_unique


def test_an_override_that_has_ended_by_the_planned_day_has_no_row(records: Records) -> None:
    save_override(records, OVERRIDE, "ana")
    assert len(override_rows(records, date(2025, 7, 13), ITEMS, VENDOR_ITEMS)) == 2
    assert override_rows(records, date(2025, 7, 14), ITEMS, VENDOR_ITEMS).empty


def test_everything_wrong_with_an_override_is_told_at_once() -> None:
    wrong = replace(
        OVERRIDE, override_kind="double", override_value=float("nan"), why=" ", item_group=None,
        expiry_date=date(2025, 6, 1), node_id="N",
    )  # fmt: skip
    fields = [text.split(":")[0] for text in wrong.problems()]
    assert fields == ["override_kind", "override_value", "expiry_date", "why", "node_id"]


def test_pasted_rows_name_the_line_of_each_mistake() -> None:
    text = (
        "override_target\toverride_kind\toverride_value\titem_id\tstart_date\texpiry_date\twhy\n"
        "order_units\tset\t40\tA\t2025-07-01\t2025-07-14\tlaunch\n"
        "order_units\tset\tmany\tB\t01/07/2025\t2025-07-14\tlaunch\n"
        "order_units\tset\n"
    )
    found, problems = parse_pasted(text, "ana", NIGHT)
    assert [o.item_id for o in found] == ["A"]
    assert problems[0].startswith("line 3: start_date: '01/07/2025' is not a date")
    assert problems[1] == "line 4: 2 cells where the header has 7"


def test_a_database_that_is_down_says_so_without_its_password() -> None:
    with pytest.raises(RecordsError, match="does not answer") as told:
        Records("postgresql+psycopg2://ana:secret@127.0.0.1:1/records")
    assert "secret" not in str(told.value)
