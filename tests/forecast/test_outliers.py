"""Spikes are found and left out; a new level is not mistaken for one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from pipeline.forecast.outliers import breaks, find_spikes, findings

KEYS = pd.DataFrame({"item_id": ["a"], "region_id": ["east"]})


def test_a_bulk_order_is_a_spike() -> None:
    demand = np.full((1, 100), 4.0, np.float32)
    demand[0, 80] = 400
    assert np.flatnonzero(find_spikes(demand)[0]).tolist() == [80]


def test_a_large_day_of_a_variable_series_is_none() -> None:
    demand = np.full((1, 100), 4.0, np.float32)
    demand[0, 40], demand[0, 80] = 30, 100  # 100 < 5 × 30
    assert not find_spikes(demand).any()


def test_a_new_level_is_demand() -> None:
    demand = np.full((1, 100), 4.0, np.float32)
    demand[0, 80:] = 60
    assert not find_spikes(demand).any()


def _orders(days: list[int], units: list[float]) -> np.ndarray:
    demand = np.full((1, 400), 2.0, np.float32)
    demand[0, days] = units
    return np.flatnonzero(find_spikes(demand)[0])


def test_an_order_that_recurs_is_demand() -> None:
    assert not len(_orders([80, 109, 136, 165, 194], [90, 80, 100, 95, 90]))
    assert not len(_orders([100, 190, 282, 370], [120, 130, 110, 125]))


def test_large_orders_at_any_time_and_of_any_size_are_spikes() -> None:
    assert len(_orders([80, 90, 190], [90, 90, 90])) == 3
    assert len(_orders([80, 109, 136], [90, 30, 250])) == 3


def test_a_new_series_has_no_spikes() -> None:
    demand = np.full((1, 50), 1.0, np.float32)
    demand[0, 40] = 500
    assert not find_spikes(demand).any()


def test_spikes_of_the_last_weeks_are_listed_with_what_is_usual() -> None:
    demand = np.full((1, 100), 4.0, np.float32)
    demand[0, [70, 95]] = 400
    found = findings(date(2024, 4, 9), KEYS, find_spikes(demand), demand, 28)
    assert found["finding_date"].tolist() == [pd.Timestamp("2024-04-05")]
    assert found[["observed_units", "usual_units"]].to_numpy().tolist() == [[400, 4]]


def test_weeks_outside_the_interval_are_breaks() -> None:
    keys = pd.DataFrame({"item_id": ["a", "b", "c"], "region_id": ["east"] * 3})
    units, mean = np.array([5.0, 50.0, 20.0]), np.full(3, 20.0)
    found = breaks(date(2024, 1, 1), keys, units, mean, np.full(3, 10.0), np.full(3, 40.0))
    assert found[["item_id", "finding"]].to_numpy().tolist() == [
        ["a", "level_down"], ["b", "level_up"],
    ]  # fmt: skip
