"""A night's orders and transfers are taken apart from the tables that made them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from pipeline.explain.plan import (
    explain_orders,
    explain_transfers,
    order_sentences,
    transfer_sentences,
)
from tests.explain.small_plan import AS_OF, plan, purchase_order, transfer

VENDORS = pd.Series({"acme": "Acme"})
NODES = pd.Series({"dc": "DC East", "fc": "FC Boston"})


def override(target: str, **changes: Any) -> dict[str, Any]:
    return {
        "override_id": "1", "item_id": "tea", "node_id": None, "override_target": target,
        "override_kind": "set", "override_value": 40.0, "start_date": pd.Timestamp("2026-03-01"),
        "expiry_date": pd.Timestamp("2026-03-31"), "planner": "kim", "why": "spring fair",
        **changes,
    }  # fmt: skip


def test_order_drivers_come_from_targets_stock_and_position() -> None:
    orders = explain_orders(plan([purchase_order()]))
    assert orders.drivers.iloc[0].to_dict() == {
        "demand_over_cover": 120, "safety_stock": 35, "built_ahead": 0, "capacity_price": 0,
        "service_target": 0, "sold_out": 0,
        "stock_on_hand": -70, "on_order": -37, "rounding": 0, "override": 0,
    }  # fmt: skip
    assert order_sentences(orders, VENDORS) == [
        "Order 48 (4 cases of 12) from Acme: 120 expected to sell over the 21 days this order must "
        "last, plus 35 safety stock; 70 on hand and 37 on the way; leaves 48 to order."
    ]


def test_an_order_for_an_item_without_a_target_still_adds_up() -> None:
    night = plan([purchase_order(item="new")])
    orders = explain_orders(night)
    assert orders.drivers.iloc[0].sum() == 48
    assert orders.drivers.iloc[0]["override"] == 0


def test_stock_of_another_day_does_not_count() -> None:
    night = plan([purchase_order()])
    older = night.stock.assign(date=night.stock["date"] - pd.Timedelta(days=1))
    both = replace(night, stock=pd.concat([older, night.stock], ignore_index=True))
    assert explain_orders(both).drivers.equals(explain_orders(night).drivers)


def test_an_unordered_item_is_explained_at_zero_with_what_arrives_in_time() -> None:
    night = plan([])
    late = night.open_orders.assign(
        order_id="o2", expected_arrival_date=pd.Timestamp(AS_OF) + pd.Timedelta(days=60)
    )
    night = replace(night, open_orders=pd.concat([night.open_orders, late], ignore_index=True))
    orders = explain_orders(night, [("tea", "acme")])
    assert orders.drivers.iloc[0].to_dict() == {
        "demand_over_cover": 120, "safety_stock": 35, "built_ahead": 0, "capacity_price": 0,
        "service_target": 0, "sold_out": 0,
        "stock_on_hand": -70, "on_order": -37, "rounding": -48, "override": 0,
    }  # fmt: skip


def test_an_override_is_named_with_its_planner_and_reason() -> None:
    order = purchase_order(units=96, override_units=48, reason_code="override")
    orders = explain_orders(plan([order], overrides=[override("order_units")]))
    assert orders.drivers.iloc[0]["override"] == 48
    assert order_sentences(orders, VENDORS)[0].endswith(
        "a planner's override adds 48 (kim: spring fair)."
    )
    expired = plan([order], as_of=date(2026, 4, 1), overrides=[override("order_units")])
    assert "kim" not in order_sentences(explain_orders(expired), VENDORS)[0]


def test_transfers_to_one_node_count_each_other_as_on_the_way() -> None:
    night = plan([], [transfer(units=24), transfer(units=12, source="hub")])
    moves = explain_transfers(night)
    # need 40 - 10 = 30; the other transfer covers 12 and 24 of it; cases of 12 leave 6 each over
    assert moves.drivers["on_order"].tolist() == [-12, -24]
    assert moves.drivers["rounding"].tolist() == [6, 6]
    assert moves.drivers.sum(axis=1).tolist() == [24, 12]


def test_what_reaches_a_node_after_its_interval_does_not_count() -> None:
    night = plan([], [transfer()])
    soon = night.open_transfers.assign(open_units=5)
    late = soon.assign(expected_arrival_date=pd.Timestamp(AS_OF) + pd.Timedelta(days=10))
    drivers = [
        explain_transfers(replace(night, open_transfers=moves)).drivers.iloc[0]
        for moves in (soon, late)
    ]
    assert [row["on_order"] for row in drivers] == [-5, 0]
    assert [row.sum() for row in drivers] == [24, 24]


def test_single_units_of_a_cased_item_are_not_called_cases() -> None:
    moves = explain_transfers(plan([], [transfer(units=7)]))
    assert transfer_sentences(moves, NODES)[0].startswith("Move 7 from DC East to FC Boston: ")


def test_a_transfer_below_the_need_names_the_source() -> None:
    moves = explain_transfers(plan([], [transfer(units=12)]))
    assert moves.drivers.iloc[0].to_dict() == {
        "demand_over_cover": 30, "safety_stock": 15, "built_ahead": 0, "capacity_price": -5,
        "service_target": 0, "stock_on_hand": -10,
        "on_order": 0, "source_limit": -18, "rounding": 0, "override": 0,
    }  # fmt: skip
    assert transfer_sentences(moves, NODES) == [
        "Move 12 (1 case of 12) from DC East to FC Boston: 30 expected to be needed there over the "
        "next 9 days, plus 15 safety stock, less 5 because warehouse capacity is scarce; 10 there, "
        "nothing on the way; leaves 30 to bring; 18 less than that, because the source needs them "
        "more."
    ]


def test_a_blocked_order_is_explained_by_the_block() -> None:
    block = override("order_units", item_id=None, override_kind="block", override_value=0.0)
    orders = explain_orders(plan([], overrides=[block]), [("tea", "acme")])
    assert orders.drivers.iloc[0][["rounding", "override"]].tolist() == [0, -48]
    assert orders.drivers.iloc[0].sum() == 0


def test_an_override_of_demand_is_told_with_the_demand() -> None:
    night = plan([purchase_order(), purchase_order("cup")], overrides=[override("demand")])
    tea, cup = order_sentences(explain_orders(night), VENDORS)
    assert "must last with a planner's override (kim: spring fair), plus 35 safety" in tea
    assert "kim" not in cup


@pytest.mark.parametrize(
    ("start", "expiry", "holds"),
    [
        ("2026-03-22", "2026-03-31", True),  # the last of 21 days covered
        ("2026-03-23", "2026-03-31", False),
        ("2026-02-01", "2026-03-01", False),  # expired tonight
    ],
)
def test_an_override_of_demand_counts_within_the_cover(
    start: str, expiry: str, holds: bool
) -> None:
    row = override("demand", start_date=pd.Timestamp(start), expiry_date=pd.Timestamp(expiry))
    sentence = order_sentences(explain_orders(plan([purchase_order()], overrides=[row])), VENDORS)
    assert ("kim" in sentence[0]) is holds


@pytest.mark.parametrize("kind", ["set", "at_least", "at_most", "multiply"])
def test_an_override_that_leaves_a_level_as_planned_leaves_its_reason_as_it_is(kind: str) -> None:
    free = explain_transfers(plan([], [transfer()]))
    rows = [override("base_stock_units", override_kind=kind, override_value=40.0)]
    ruled = explain_transfers(plan([], [transfer()], overrides=rows))
    pd.testing.assert_frame_equal(ruled.drivers, free.drivers)
    assert transfer_sentences(ruled, NODES) == transfer_sentences(free, NODES)


@pytest.mark.parametrize(("node", "holds"), [(None, True), ("fc", True), ("dc", False)])
def test_an_override_of_a_level_is_a_driver_of_transfers_to_its_node(
    node: str | None, holds: bool
) -> None:
    night = plan([], [transfer()], overrides=[override("base_stock_units", node_id=node)])
    changed = night.base_stock_levels.assign(override_units=-5)
    moves = explain_transfers(replace(night, base_stock_levels=changed))
    drivers = moves.drivers.iloc[0]
    # level 40 where 45 were best unpriced
    assert (drivers["override"], drivers["capacity_price"]) == ((-5, 0) if holds else (0, -5))
    assert drivers.sum() == 24
    assert ("takes off 5 (kim: spring fair)" in transfer_sentences(moves, NODES)[0]) is holds
