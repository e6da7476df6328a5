"""Claims about when units on order come."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.arrivals import equal_chances, week_chances, week_of

WEDNESDAY = date(2016, 4, 13)
LEAD = pd.DataFrame({"vendor_id": "v", "item_id": "i", "lead_time_days": [7, 10, 20],
                     "probability": [0.5, 0.3, 0.2]})  # fmt: skip


def line(days_old: int, expected_in: int, item: str = "i") -> pd.DataFrame:
    today = pd.Timestamp(WEDNESDAY)
    return pd.DataFrame({
        "vendor_id": ["v"], "item_id": item, "order_date": today - pd.Timedelta(days=days_old),
        "expected_arrival_date": today + pd.Timedelta(days=expected_in)})  # fmt: skip


def test_weeks_run_from_monday_to_sunday():
    # from a Wednesday: Sunday is in 4 days, Monday in 5; what is overdue comes tomorrow
    assert week_of(np.array([-3, 1, 4, 5, 11, 12]), WEDNESDAY).tolist() == [0, 0, 0, 1, 1, 2]
    assert week_of(np.array([1, 7, 8]), date(2016, 4, 10)).tolist() == [0, 0, 1]  # a Sunday


def test_an_order_of_today_comes_as_lead_times_say():
    # in 7 and 10 days: Wednesday and Saturday of the next week; in 20: Tuesday two weeks later
    found = week_chances(line(0, 7), LEAD, WEDNESDAY, 4)
    assert found[0] == pytest.approx([0.0, 0.8, 0.0, 0.2])


def test_an_order_that_has_waited_comes_as_the_lead_times_left_say():
    # 8 days old: in 2 days (this week) or in 12 (two weeks on), three to two
    found = week_chances(line(8, -1), LEAD, WEDNESDAY, 4)
    assert found[0] == pytest.approx([0.6, 0.0, 0.4, 0.0])


def test_an_order_later_than_ever_is_as_late_again_as_it_is_already():
    # 33 days overdue: not tomorrow, every night anew, but in 33 days
    assert equal_chances(line(40, -33), LEAD, WEDNESDAY, 2).tolist() == [[33, 33]]
    assert week_chances(line(40, -33), LEAD, WEDNESDAY, 2)[0].tolist() == [0.0, 0.0]


def test_an_order_of_unknown_lead_time_counts_on_its_expected_date():
    assert week_chances(line(0, 6, "j"), LEAD, WEDNESDAY, 2)[0].tolist() == [0.0, 1.0]


def test_what_comes_after_the_last_week_is_left_out():
    assert week_chances(line(0, 7), LEAD, WEDNESDAY, 2).sum() == pytest.approx(0.8)


def test_days_as_likely_follow_the_lead_times_left():
    lines = pd.concat([line(0, 7), line(8, -1), line(40, 3), line(0, 6, "j")])
    found = equal_chances(lines, LEAD, WEDNESDAY, 10)
    assert found.tolist() == [[7] * 5 + [10] * 3 + [20] * 2, [2] * 6 + [12] * 4, [3] * 10, [6] * 10]


def test_a_chance_is_at_most_one_however_it_adds_up():
    """These three add up to 1.0000000000000002, whose variance below zero has no root."""
    law = pd.DataFrame({"vendor_id": "v", "item_id": "i", "lead_time_days": [8, 9, 10],
                        "probability": [0.42, 0.47, 0.11]})  # fmt: skip
    assert week_chances(line(0, 8), law, date(2016, 4, 10), 3).max() <= 1.0
