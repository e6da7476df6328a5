"""Stock-out risk looks at what is there and what arrives in each window, and takes the worst."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.review.pooled import LEVELS, PooledDemand
from pipeline.review.risk import arrivals, expected_fill_rate, stock_out_risk

DAY = pd.Timestamp("2026-03-01")


def demand(*means: float) -> PooledDemand:
    """Certain demand of one item in windows of 7, 14, ... days."""
    windows = 7 * np.arange(1, len(means) + 1)
    keys = pd.DataFrame({"item_id": "tea", "window_start_day": 1, "window_days": windows})
    mean = np.array(means)
    return PooledDemand(keys, mean, np.repeat(mean[:, None], len(LEVELS), axis=1))


def coming(*units_by_day: tuple[int, float]) -> pd.DataFrame:
    days, units = zip(*units_by_day, strict=True) if units_by_day else ((), ())
    return pd.DataFrame({"item_id": "tea", "arrival_day": days, "units": units})


HELD = pd.Series({"tea": 30})


def test_an_arrival_counts_from_its_window_on() -> None:
    risk = stock_out_risk(demand(40, 80), HELD, coming((8, 100)), pd.Series({"tea": 21.0}))
    row = risk.iloc[0]
    assert (row["window_days"], row["supply_units"], row["shortfall_units"]) == (7, 30, 10)
    assert row["run_out_probability"] == pytest.approx(1.0)


def test_windows_beyond_the_cover_are_for_later_orders() -> None:
    risk = stock_out_risk(demand(10, 80), HELD, coming(), pd.Series({"tea": 10.0}))
    assert risk.iloc[0]["window_days"] == 7
    assert risk.iloc[0]["shortfall_units"] == 0
    wide = stock_out_risk(demand(10, 80), HELD, coming(), pd.Series({"tea": 14.0}))
    assert wide.iloc[0]["shortfall_units"] == 50


def test_the_fill_rate_is_of_the_shortest_window() -> None:
    assert expected_fill_rate(demand(40, 80), HELD, coming()) == (7, 0.75)
    assert expected_fill_rate(demand(40, 80), HELD, coming((7, 10))) == (7, 1.0)
    assert expected_fill_rate(demand(0), HELD, coming()) is None


def test_arrivals_take_orders_by_date_and_transfers_at_once() -> None:
    orders = pd.DataFrame({"date": [DAY, DAY - pd.Timedelta(days=1)], "item_id": "tea",
                           "expected_arrival_date": DAY + pd.Timedelta(days=5),
                           "open_units": [7, 99]})  # fmt: skip
    moves = orders.iloc[:1].assign(open_units=3)
    tonight = pd.DataFrame({"item_id": ["tea"], "order_units": [11],
                            "expected_arrival_date": [DAY + pd.Timedelta(days=9)]})  # fmt: skip
    found = arrivals(orders, moves, tonight, date(2026, 3, 1))
    assert sorted(zip(found["arrival_day"], found["units"], strict=True)) == [
        (0, 3.0), (5, 7.0), (9, 11.0),
    ]  # fmt: skip


def test_an_overdue_order_is_taken_to_be_as_late_again() -> None:
    late = pd.DataFrame({"date": [DAY], "item_id": "tea", "open_units": [7],
                         "expected_arrival_date": [DAY - pd.Timedelta(days=3)]})  # fmt: skip
    none = pd.DataFrame({"item_id": [], "order_units": [], "expected_arrival_date": late[
        "expected_arrival_date"].iloc[:0]})  # fmt: skip
    found = arrivals(late, late.iloc[:0], none, date(2026, 3, 1))
    assert found["arrival_day"].tolist() == [3]
