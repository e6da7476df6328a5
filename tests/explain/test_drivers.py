"""Drivers add up exactly to the quantity, whatever the levels, positions and limits are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.columns import DRIVERS, TRANSFER_DRIVERS
from pipeline.explain.drivers import (
    long_drivers,
    order_drivers,
    transfer_drivers,
    usual_quantity,
)

units = st.integers(0, 10**9)
signed = st.integers(-(10**6), 10**9)


@st.composite
def order_lines(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 4))
    column = lambda of: draw(st.lists(of, min_size=rows, max_size=rows))  # noqa: E731  one-line shorthand
    return pd.DataFrame(
        {
            "item_id": column(st.sampled_from(["a", "b"])),
            "order_units": column(units), "order_up_to_units": column(units),
            "inventory_position_units": column(signed), "target_units": column(units),
            "unpriced_target_units": column(units), "built_ahead_units": column(units),
            "service_units": column(units), "node_override_units": column(signed),
            "sold_out_units": column(units),
            "cover_demand_units": column(st.floats(0, 1e9)),
            "override_units": column(signed),
        }
    )  # fmt: skip


@given(order_lines(), st.integers(0, 10**9))
@settings(max_examples=80, deadline=None)
def test_order_drivers_sum_to_the_order(lines: pd.DataFrame, held: int) -> None:
    drivers = order_drivers(lines, pd.Series({"a": held}))
    assert list(drivers.columns) == list(DRIVERS)
    assert (drivers.sum(axis=1) == lines["order_units"]).all()
    assert (drivers["stock_on_hand"] <= 0).all()
    moved = lines["override_units"] + lines["order_up_to_units"] - lines["target_units"]
    assert (drivers["override"] == moved - drivers["sold_out"]).all()
    assert (drivers["sold_out"] <= 0).all()


@given(st.lists(st.tuples(*[units] * 6, st.integers(-99, 99), units, st.integers(0, 99),
                          st.booleans()), min_size=1, max_size=5))  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_transfer_drivers_sum_to_the_transfer(rows: list[tuple[int, ...]]) -> None:
    moves = pd.DataFrame(
        rows,
        columns=["transfer_units", "base_stock_units", "expected_demand_units",
                 "unpriced_base_stock_units", "on_hand_units", "inbound_units", "service_units",
                 "filled_ahead_units", "case_units", "by"],
    )  # fmt: skip
    drivers = transfer_drivers(moves, moves["by"].to_numpy(dtype=bool))
    assert list(drivers.columns) == list(TRANSFER_DRIVERS)
    assert (drivers.sum(axis=1) == moves["transfer_units"]).all()
    # A gap has one cause, and a level is moved by capacity or by a planner.
    assert ((drivers[["source_limit", "rounding"]] != 0).sum(axis=1) <= 1).all()
    assert ((drivers[["capacity_price", "override"]] != 0).sum(axis=1) <= 1).all()


@pytest.mark.parametrize(
    ("needed", "moq", "case", "expected"),
    [
        (48, 24, 12, 48),
        (49, 24, 12, 60),  # five cases
        (5, 24, 12, 24),  # the minimum
        (5, 25, 12, 36),  # the minimum in whole cases
        (0, 24, 12, 0),
        (-9, 24, 12, 0),
    ],
)
def test_usual_quantity_is_the_need_in_whole_cases(
    needed: int, moq: int, case: int, expected: int
) -> None:
    assert usual_quantity(np.array([needed]), np.array([moq]), np.array([case])) == [expected]


def test_each_driver_is_the_step_between_two_levels() -> None:
    line = pd.DataFrame(
        {"item_id": ["a"], "order_units": [100], "override_units": [50],
         "order_up_to_units": [155], "inventory_position_units": [107], "target_units": [155],
         "unpriced_target_units": [160], "built_ahead_units": [30], "service_units": [12],
         "node_override_units": [7], "sold_out_units": [7], "cover_demand_units": [120.4]}
    )  # fmt: skip
    drivers = order_drivers(line, pd.Series({"a": 70})).iloc[0]
    assert drivers.to_dict() == {
        "demand_over_cover": 120, "safety_stock": 40, "built_ahead": 30, "capacity_price": -47,
        "service_target": 12, "sold_out": -7,
        "stock_on_hand": -70, "on_order": -37, "rounding": 2, "override": 57,
    }  # fmt: skip


def test_zero_drivers_are_left_out_but_never_all_of_them() -> None:
    wide = pd.DataFrame({"x": [0, 0, 3], "y": [0, 5, -3]})
    keys = pd.DataFrame({"key": ["none", "one", "two"]})
    rows = long_drivers(wide, keys, ["s0", "s1", "s2"], keep_zero=False)
    found = list(rows[["key", "driver", "driver_units"]].itertuples(index=False, name=None))
    assert found == [("none", "x", 0), ("one", "y", 5), ("two", "x", 3), ("two", "y", -3)]
    assert len(long_drivers(wide, keys, ["s0", "s1", "s2"])) == 6
