"""Planners' overrides change the days on which they hold, and only those."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.forecast.overriding import Keys, Redraw, Rule, overridden, rules_of
from pipeline.forecast.panel import F64

AS_OF = date(2024, 1, 1)
REGIONS = ("east", "west")
ITEM, REGION = np.array([0, 0, 1, 1], np.int32), np.array([0, 1, 0, 1], np.int32)
KEYS = Keys(
    np.array(["a", "a", "b", "b"], object),
    np.array([*REGIONS, *REGIONS], object),
    REGION,
    (np.array(["toys", "toys", "tools", "tools"], object),),
)
CALENDAR = pd.DataFrame(
    [(pd.Timestamp("2024-01-05"), "east", "fair", "local")],
    columns=["date", "region_id", "event_name", "event_type"],
)


def rules(kind: str, value: float, last: str, **limits: str | None) -> list[Rule]:
    row = {"item_id": "a", "region_id": None, "item_group": None, "event_name": None} | limits
    frame = pd.DataFrame([{
        "override_id": "1", "override_target": "demand", "override_kind": kind,
        "override_value": value, "start_date": pd.Timestamp("2023-12-01"),
        "expiry_date": pd.Timestamp(last), "planner": "kim", **row,
    }])  # fmt: skip
    return rules_of(frame, CALENDAR, KEYS, REGIONS, AS_OF, 10)


def days() -> F64:
    """Two units a day of each series for ten days; the first column is today."""
    mean = np.full((4, 11), 2.0)
    mean[:, 0] = 0.0
    return mean


def applied(kind: str, value: float, last: str = "2024-02-01", **limits: str | None) -> Redraw:
    return overridden(days(), ITEM, REGION, rules(kind, value, last, **limits))


def test_multiply_acts_on_its_item_alone() -> None:
    assert applied("multiply", 2.0).mean.sum(axis=1).tolist() == [40, 40, 20, 20]


def test_half_of_the_days_get_half_of_the_change() -> None:
    found = applied("multiply", 2.0, "2024-01-06").mean  # days 1 to 5 of 10
    assert found.sum(axis=1).tolist() == [30, 30, 20, 20]


def test_set_names_units_a_day_over_all_regions() -> None:
    assert applied("set", 6.0).mean.sum(axis=1).tolist() == [30, 30, 20, 20]


def test_set_in_one_region_names_the_units_of_that_region() -> None:
    found = applied("set", 6.0, region_id="east").mean
    assert found.sum(axis=1).tolist() == [60, 20, 20, 20]


def test_at_most_above_the_forecast_changes_nothing() -> None:
    found = applied("at_most", 9.0)
    assert found.mean.sum(axis=1).tolist() == [20, 20, 20, 20]
    assert (found.touched == -1).all()


def test_a_group_means_each_of_its_items() -> None:
    found = applied("at_least", 6.0, item_id=None, item_group="tools").mean
    assert found.sum(axis=1).tolist() == [20, 20, 30, 30]


def test_an_event_means_its_days_and_regions() -> None:
    found = applied("multiply", 3.0, event_name="fair").mean
    assert found[0, 4] == 6.0
    assert found.sum(axis=1).tolist() == [24, 20, 20, 20]


def test_weekdays_keep_their_proportions_when_a_level_is_named() -> None:
    mean = days()
    mean[:2, 1] = 4.0
    found = overridden(mean, ITEM, REGION, rules("set", 8.8, "2024-02-01")).mean
    assert found[0, 1] / found[0, 2] == pytest.approx(2.0)
    assert found[:2].sum() == pytest.approx(88.0)


def test_only_a_named_level_is_drawn_anew() -> None:
    assert applied("multiply", 2.0).named.sum() == 0.0
    named = applied("at_least", 6.0).named
    assert named[:2].sum() == pytest.approx(60.0)
    assert named[2:].sum() == 0.0


def test_an_expired_override_is_ignored() -> None:
    assert rules("block", 0.0, "2023-12-31") == []
