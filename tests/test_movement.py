"""How a whole night moves with its inputs: more demand buys no less, more stock no more."""

from __future__ import annotations

from pathlib import Path

from benchmarks.movement import found_in

AT_ONCE = (
    "demand + 30 %", "the next 7 days doubled", "30 % more stock", "docks halved on days 15 to 28",
)  # fmt: skip
"""The others of `python -m benchmarks.movement`, which takes more items and seeds."""


def test_levels_move_with_demand_and_against_stock(tmp_path: Path) -> None:
    found = found_in(5, 16, list(AT_ONCE), tmp_path)
    assert not [name for name, one in found.items() if one["against"]]
    assert found["demand + 30 %"]["lacking"] > 10
    assert found["the next 7 days doubled"]["lacking"] > 10
    assert found["30 % more stock"]["orders"] <= 0
