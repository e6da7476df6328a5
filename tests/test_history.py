"""What the export lacks moves no forecast, and what it says does."""

from __future__ import annotations

from pathlib import Path

from benchmarks.history import found_in

AT_ONCE = (
    "all sales doubled", "a department lacks the last 7 days", "items' sales begin 28 days ago",
)  # fmt: skip
"""The others of `python -m benchmarks.history`, which takes more seeds."""


def test_forecasts_move_with_what_was_sold_and_not_with_what_is_not_there(tmp_path: Path) -> None:
    found = found_in(5, 40, list(AT_ONCE), tmp_path)
    assert {name: one["is_right"] for name, one in found.items()} == dict.fromkeys(AT_ONCE, True)
