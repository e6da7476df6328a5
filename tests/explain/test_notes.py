"""Sentences say what a planner would ask next: is it new, has it gone quiet, what held it back."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from pipeline.explain.notes import life_notes, source_notes

TODAY = date(2025, 6, 30)


@pytest.mark.parametrize(
    ("launched", "quiet_days", "note"),
    [
        ("2025-06-12", 0, "New: on sale since 2025-06-12"),
        ("2025-07-04", 0, "New: on sale from 2025-07-04 on"),
        ("2024-01-01", 63, "It has not sold for 9 weeks"),
        ("2025-06-12", 30, "New: on sale since 2025-06-12"),
        ("2024-01-01", 27, None),
    ],
)
def test_a_new_and_a_quiet_item_are_said_to_be(
    launched: str, quiet_days: int, note: str | None
) -> None:
    items = pd.DataFrame({"item_id": ["A"], "launch_date": [pd.Timestamp(launched)]})
    life = pd.DataFrame({"item_id": ["A"], "quiet_days": [quiet_days]})
    assert life_notes(items, life, TODAY).get("A") == note


@pytest.mark.parametrize(
    ("held", "room", "note"),
    [
        (8, 900.0, "the source has no more"),
        (50, 4.0, "the lane is full"),
        (50, 900.0, "the source needs them more"),
        (50, None, "the source needs them more"),
    ],
)
def test_one_reason_is_named_for_what_a_source_did_not_give(
    held: int, room: float | None, note: str
) -> None:
    day = pd.Timestamp(TODAY)
    lines = pd.DataFrame({
        "item_id": ["A", "A"], "from_node_id": "X", "to_node_id": ["Y", "Z"],
        "transfer_units": [4, 4],
    })  # fmt: skip
    stock = pd.DataFrame({"date": [day], "item_id": ["A"], "node_id": ["X"],
                          "on_hand_units": [held]})  # fmt: skip
    lanes = pd.DataFrame({"from_node_id": "X", "to_node_id": ["Y", "Z"],
                          "lane_capacity_cuft_per_day": [room, room]})  # fmt: skip
    found = source_notes(lines, stock, lanes, pd.Series({"A": 1.0}), TODAY)
    assert found == [note, note]
