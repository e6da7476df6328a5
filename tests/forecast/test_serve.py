"""Windows and shards of the plan."""

from __future__ import annotations

from pipeline.contracts.settings import Settings
from pipeline.forecast.serve import plan_windows


def test_windows_are_the_lengths_from_tomorrow_and_the_weeks_of_the_horizon() -> None:
    settings = Settings.model_validate(
        {"forecast": {"window_days": [7, 21]}, "planning": {"horizon_weeks": 3}}
    )
    assert plan_windows(settings) == [(1, 7), (1, 21), (8, 7), (15, 7)]
