"""Price breaks, split awards, trucks, minimums that wait: each binds as stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.buy.lines import order_candidates, purchase_orders
from pipeline.buy.plan import BuyTables, plan_orders
from pipeline.contracts.check import require
from pipeline.contracts.settings import BuySettings, PlanningSettings
from pipeline.contracts.tables import TABLES
from tests.buy.world import AS_OF, one_item, world

PLANNING = PlanningSettings()


def lines(tables: BuyTables, **buy: object) -> pd.DataFrame:
    plan = plan_orders(tables, AS_OF, PLANNING, BuySettings.model_validate(buy))
    require(order_candidates(plan, BuySettings()), TABLES["order_candidates"])
    return require(purchase_orders(plan, AS_OF), TABLES["purchase_orders"])


def why(tables: BuyTables, **buy: object) -> list[str]:
    plan = plan_orders(tables, AS_OF, PLANNING, BuySettings.model_validate(buy))
    return order_candidates(plan, BuySettings())["why_not"].dropna().tolist()


def breaks(*rows: tuple[int, float]) -> pd.DataFrame:
    return pd.DataFrame({
        "vendor_id": "v00", "item_id": "i00000", "from_units": [units for units, _ in rows],
        "break_cost_usd": [cost for _, cost in rows],
    })  # fmt: skip


def test_a_price_break_is_taken_where_it_saves_more_than_holding_costs():
    tables = one_item(on_hand=10, level=40)
    line = lines(replace(tables, price_breaks=breaks((100, 9.0)))).iloc[0]
    assert (line["order_units"], line["unit_cost_usd"]) == (100, 9.0)
    assert (line["order_cost_usd"], line["reason_code"]) == (900.0, "price_break")


def test_a_price_break_that_saves_less_than_holding_costs_is_not_taken():
    tables = one_item(on_hand=10, level=40)
    assert lines(replace(tables, price_breaks=breaks((100, 9.999))))["order_units"].tolist() == [30]


def test_of_several_breaks_the_best_is_taken_in_whole_cases():
    tables = one_item(on_hand=10, level=40, case=12)
    line = lines(replace(tables, price_breaks=breaks((50, 9.9), (100, 8.5), (5000, 1.0)))).iloc[0]
    assert (line["order_units"], line["unit_cost_usd"]) == (108, 8.5)


def test_a_break_that_whole_cases_reach_is_told_as_the_reason():
    tables = one_item(on_hand=10, level=100, case=24)
    line = lines(replace(tables, price_breaks=breaks((200, 8.0)))).iloc[0]
    assert (line["order_units"], line["reason_code"]) == (216, "price_break")


@pytest.mark.parametrize("cost", [10.0, 12.0])
def test_a_break_without_a_lower_price_changes_nothing(cost):
    tables = one_item(on_hand=10, level=40)
    pd.testing.assert_frame_equal(
        lines(tables), lines(replace(tables, price_breaks=breaks((60, cost))))
    )


@given(st.integers(0, 60), st.integers(1, 40), st.floats(6.0, 10.0))
@settings(max_examples=25, deadline=None)
def test_less_stock_never_lowers_an_order_with_price_breaks(on_hand, less, cost):
    def end(stock: int) -> int:
        found = lines(replace(one_item(on_hand=stock, level=80), price_breaks=breaks((100, cost))))
        return int(found["order_units"].sum())

    assert end(max(on_hand - less, 0)) >= end(on_hand)


def shared() -> BuyTables:
    """One item of two vendors at the same cost and terms."""
    one = one_item(on_hand=0, level=40)
    both = {}
    for name in ("vendors", "vendor_items", "lead_times", "network_targets", "position_values",
                 "vendor_calendar"):  # fmt: skip
        frame = getattr(one, name)
        both[name] = pd.concat([frame, frame.assign(vendor_id="v01")], ignore_index=True)
    return replace(one, **both)


@pytest.mark.parametrize("turn", ["v00", "v01"])
def test_a_split_item_is_ordered_from_the_vendor_whose_turn_it_is(turn):
    standing = pd.DataFrame({
        "vendor_id": ["v00", "v01"], "item_id": "i00000", "award_share": [0.5, 0.5],
        "recent_units": [0, 0], "is_next": [turn == "v00", turn == "v01"],
    })  # fmt: skip
    assert lines(replace(shared(), award_standing=standing))["vendor_id"].tolist() == [turn]


def with_trucks(tables: BuyTables, cuft: float | None, least: float, lb: float | None = None):
    items = pd.DataFrame({
        "item_id": sorted(set(tables.vendor_items["item_id"].astype("str"))),
        "unit_cube_cuft": 1.0, "unit_weight_lb": 2.0,
    })  # fmt: skip
    terms = pd.DataFrame({
        "vendor_id": sorted(set(tables.vendors["vendor_id"].astype("str"))),
        "truck_cuft": cuft, "truck_lb": lb, "least_fill_share": least,
    }).astype({"truck_cuft": "float64", "truck_lb": "float64"})  # fmt: skip
    return replace(tables, items=items, truck_terms=terms)


def test_an_order_fills_its_truck_and_no_more():
    tables = one_item(on_hand=10, level=40)
    found = lines(with_trucks(tables, 36.0, 0.9)).iloc[0]
    assert (33 <= found["order_units"] <= 36, found["reason_code"]) == (True, "truck_fill")
    assert lines(with_trucks(tables, None, 0.9, lb=50.0))["order_units"].tolist() == [45]


def test_an_order_that_cannot_fill_a_truck_waits_and_says_so():
    tables = with_trucks(one_item(on_hand=10, level=40), 1e5, 0.9)
    assert lines(tables).empty
    assert any("trucks to 90%" in text for text in why(tables))


@pytest.mark.parametrize("seed", [1, 2])
def test_orders_of_random_nights_fill_trucks_by_volume_or_weight(seed):
    tables = with_trucks(world(40, 4, seed), 300.0, 0.8, lb=700.0)
    found = lines(tables)
    for units in found.groupby("vendor_id", observed=True)["order_units"].sum():
        trucks = np.ceil(max(units / 300.0, 2 * units / 700.0))
        assert max(units / 300.0, 2 * units / 700.0) >= 0.8 * trucks - 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_trucks_that_any_order_fills_change_nothing(seed):
    tables = world(30, 3, seed)
    pd.testing.assert_frame_equal(lines(tables), lines(with_trucks(tables, 1.0, 0.0)))


def dear_padding(minimum: float, daily: float) -> BuyTables:
    """Short by 30 units of 10 usd, 2 days of 30 from now; a vendor's minimum above that."""
    tables = one_item(on_hand=10, level=40)
    return replace(
        tables, vendors=tables.vendors.assign(order_minimum_usd=minimum),
        network_targets=tables.network_targets.assign(cover_demand_units=daily * 14),
        position_values=tables.position_values.assign(position_value_usd=[0.0, 60.0, -100.0]),
    )  # fmt: skip


def test_a_minimum_waits_for_tomorrow_s_lines_where_waiting_costs_less_than_filling_up():
    tables = dear_padding(minimum=400.0, daily=12.0)
    assert lines(tables, dead_band_share=0).empty
    told = why(tables, dead_band_share=0)
    assert any("waits for more lines: in 1 day(s)" in text for text in told)


def test_a_minimum_is_filled_up_where_waiting_costs_more():
    waits_long = dear_padding(minimum=320.0, daily=0.5)
    assert lines(waits_long, dead_band_share=0)["order_units"].tolist() == [32]
    reached = dear_padding(minimum=300.0, daily=12.0)
    assert lines(reached, dead_band_share=0)["order_units"].tolist() == [30]


def test_a_dearer_vendor_brings_no_more_than_is_short_before_the_cheap_one_comes():
    tables = one_item(on_hand=30, level=40)
    dear = {name: getattr(tables, name).assign(vendor_id="v01") for name in (
        "vendors", "vendor_items", "lead_times", "network_targets", "position_values")}  # fmt: skip
    dear["vendor_items"]["unit_cost_usd"] = 11.0
    dear["lead_times"]["lead_time_days"] = dear["lead_times"]["mean_lead_time_days"] = 1.0
    dear["network_targets"]["cover_days"] = 8.0
    both = {name: pd.concat([getattr(tables, name), frame]) for name, frame in dear.items()}
    found = replace(tables, **both)
    line = lines(found, dead_band_share=0.1).iloc[0]
    assert (line["vendor_id"], line["order_units"]) == ("v01", 10)
    assert line["reason_code"] == "below_order_up_to"
