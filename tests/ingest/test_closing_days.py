"""Closing days: declared ones hold, weekdays and events are learned, chance is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.ingest.closing_days import (
    coming_days,
    declared,
    learned_events,
    learned_weekdays,
    opening_days,
)

DAYS = pd.date_range("2024-07-01", "2025-06-29")
NONE = np.zeros((1, len(DAYS)), dtype=bool)


def closures(*rows: tuple) -> pd.DataFrame:
    names = ["closure_id", "region_id", "node_id", "vendor_id", "weekday", "start_date",
             "expiry_date"]  # fmt: skip
    frame = pd.DataFrame([(f"c{k}", *row) for k, row in enumerate(rows)], columns=names)
    return frame.astype({"start_date": "datetime64[s]", "expiry_date": "datetime64[s]"})


def test_declared_closures_hold_for_whom_and_when_they_name() -> None:
    table = closures(
        (None, None, None, "sun", None, None),
        ("a", None, None, None, "2024-08-01", "2024-08-21"),
        (None, "node", None, "mon", None, None),
        (None, None, "vendor", None, "2024-12-24", "2025-01-01"),
    )
    closed = declared(table, "region_id", ["a", "b"], DAYS)
    sunday = np.asarray(DAYS.day_of_week == 6)
    assert closed[1].tolist() == sunday.tolist()
    assert (closed[0] & ~sunday).sum() == 18  # 21 days with three Sundays
    assert declared(table, "node_id", ["node", "other"], DAYS).sum(axis=1).tolist() == [52, 0]
    assert declared(table, "vendor_id", ["vendor"], DAYS).sum() == 9


def sold(rate: float, open_weekdays: list[int], seed: int = 1) -> np.ndarray:
    units = np.random.default_rng(seed).poisson(rate, len(DAYS))
    return (units * np.isin(DAYS.day_of_week, open_weekdays))[None, :]


@pytest.mark.parametrize("open_weekdays", [[0, 1, 2, 3, 4], [1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]])
@pytest.mark.parametrize("rate", [2.0, 40.0])
def test_weekdays_without_sales_are_learned(open_weekdays: list[int], rate: float) -> None:
    closed, now = learned_weekdays(sold(rate, open_weekdays), DAYS, NONE)
    expected = ~np.isin(DAYS.day_of_week, open_weekdays)
    assert closed[0].tolist() == expected.tolist()
    assert np.flatnonzero(now[0]).tolist() == sorted({*range(7)} - {*open_weekdays})


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_slow_sales_are_not_taken_for_closing_days(rate: float, seed: int) -> None:
    closed, now = learned_weekdays(sold(rate, list(range(7)), seed), DAYS, NONE)
    assert not closed.any()
    assert not now.any()


def test_a_firm_that_now_opens_on_saturdays_is_open_on_them() -> None:
    units = sold(20, [0, 1, 2, 3, 4])
    lately = np.asarray((DAYS.day_of_week == 5) & (pd.Timestamp("2025-05-01") <= DAYS))
    units[0, lately] = 15
    closed, now = learned_weekdays(units, DAYS, NONE)
    assert np.flatnonzero(now[0]).tolist() == [6]
    assert not closed[0, lately].any()


def test_a_holiday_on_which_nothing_was_sold_is_closed_again_next_time() -> None:
    units = sold(20, list(range(7)))
    units[0, pd.Timestamp("2024-12-25") == DAYS] = 0
    calendar = pd.DataFrame({
        "date": pd.to_datetime(["2024-12-25", "2025-12-25", "2024-10-31", "2025-10-31"]),
        "region_id": "r", "event_name": ["christmas", "christmas", "halloween", "halloween"],
    })  # fmt: skip
    ahead = coming_days(DAYS[-1])
    past, coming, names = learned_events(units, DAYS, calendar, pd.Index(["r"]), ahead, NONE)
    assert names == ["christmas"]
    assert DAYS[past[0]].tolist() == [pd.Timestamp("2024-12-25")]
    assert ahead[coming[0]].tolist() == [pd.Timestamp("2025-12-25")]


def test_weekends_are_said_once_and_expected_to_stay_closed() -> None:
    units = sold(20, [0, 1, 2, 3, 4])[0]
    at = np.flatnonzero(units)
    sales = pd.DataFrame({"item_id": "i", "region_id": "r", "date": DAYS[at], "units": units[at]})
    tables = {"sales": sales, "closures": closures()}
    found = opening_days(tables, pd.Index(["r"]), DAYS, is_daily=True)
    assert len(found.findings) == 1
    assert "sat, sun" in found.findings[0].rule
    weekend = np.asarray(coming_days(DAYS[-1]).day_of_week >= 5)
    assert found.coming[0].tolist() == weekend.tolist()
