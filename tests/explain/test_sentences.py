"""Sentences are true for every sign: each number they name is a driver, none contradicts it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.columns import DRIVERS, TRANSFER_DRIVERS
from pipeline.explain.sentences import (
    OrderFacts,
    TransferFacts,
    change_sentence,
    order_sentence,
    transfer_sentence,
)

DEMAND, SAFETY, EARLY, PRICE, SERVICE, LOST, STOCK, COMING, ROUNDING, OVERRIDE = DRIVERS


def order(units: int = 48, case: int = 12, reason: str = "case_pack", **drivers: int) -> str:
    values = dict.fromkeys(DRIVERS, 0) | drivers
    return order_sentence(OrderFacts(units, case, "Acme", 21.0, reason), values)


def test_numbers_have_thousands_separators() -> None:
    text = order(12_000, 12, demand_over_cover=12_000)
    assert text.startswith("Order 12,000 (1,000 cases of 12) from Acme: 12,000 expected to sell")


def test_single_units_are_not_called_cases() -> None:
    assert order(5, 1, demand_over_cover=5).startswith("Order 5 from Acme:")


@pytest.mark.parametrize(
    ("drivers", "reason", "expected"),
    [
        ({DEMAND: 45, ROUNDING: 3}, "case_pack", "rounded up by 3 to full cases"),
        ({DEMAND: 50, ROUNDING: -2}, "case_pack", "rounded down by 2 to full cases"),
        ({DEMAND: 8, ROUNDING: 40}, "moq", "raised by 40 to reach the vendor's minimum quantity"),
        ({DEMAND: 8, ROUNDING: 40}, "order_minimum",
         "raised by 40 to reach the vendor's order minimum"),
        ({DEMAND: 8, ROUNDING: 40}, "case_pack",
         "raised by 40, which bring more in sales than it costs to hold them"),

        ({DEMAND: 98, ROUNDING: -50}, "budget",
         "cut by 50 because the budget is better spent on other items"),
        ({DEMAND: 98, ROUNDING: -50}, "vendor_capacity",
         "cut by 50 because the vendor takes no more in one order"),
        ({DEMAND: 98, ROUNDING: -50}, "below_order_up_to",
         "cut by 50, which would cost more to hold than they bring in sales"),
        ({SAFETY: 48}, "below_order_up_to",
         "none expected to sell over the 21 days this order must last, plus 48 safety stock"),
        ({DEMAND: 60, SAFETY: -12}, "x",
         "less 12 that would cost more to hold than they would earn"),
        ({DEMAND: 60, PRICE: -12}, "x", "less 12 because warehouse capacity is scarce"),
        ({DEMAND: 40, PRICE: 8}, "x", "plus 8 because space is scarcer still elsewhere"),
        ({DEMAND: 60, LOST: -12, STOCK: -8}, "x", "this order must last, less 12 that will be sold "
         "out before it can come; 8 on hand, nothing on the way; leaves 40 to order"),
        ({DEMAND: 48}, "x", "nothing on hand or on the way"),
        ({DEMAND: 90, STOCK: -42}, "x", "42 on hand, nothing on the way"),
        ({DEMAND: 90, COMING: -42}, "x", "nothing on hand, 42 on the way"),
        ({DEMAND: 60, STOCK: -42, COMING: 30}, "x", "42 on hand, of which 30 are promised already"),
        ({DEMAND: 10, STOCK: -42, ROUNDING: 32, OVERRIDE: 48}, "override",
         "that is 32 more than needed; a planner's override adds 48"),
        ({DEMAND: 60, OVERRIDE: -12}, "override", "a planner's override takes off 12"),
    ],
)  # fmt: skip
def test_each_sign_has_its_words(drivers: dict[str, int], reason: str, expected: str) -> None:
    assert expected in order(reason=reason, **drivers)


@given(st.fixed_dictionaries({name: st.integers(-99, 99) for name in DRIVERS}))
@settings(max_examples=200, deadline=None)
def test_an_order_sentence_names_no_negative_number_and_only_real_ones(
    drivers: dict[str, int],
) -> None:
    drivers["demand_over_cover"] = abs(drivers["demand_over_cover"])
    drivers["stock_on_hand"] = -abs(drivers["stock_on_hand"])
    text = order(**drivers)
    need = sum(drivers.values()) - drivers["rounding"] - drivers["override"]
    known = {abs(value) for value in drivers.values()} | {abs(need), 48, 4, 12, 21}
    assert "-" not in text
    assert {int(number) for number in re.findall(r"\d+", text)} <= known
    assert text.endswith(".")


@given(st.fixed_dictionaries({name: st.integers(-99, 99) for name in TRANSFER_DRIVERS}))
@settings(max_examples=200, deadline=None)
def test_a_transfer_sentence_names_no_negative_number(drivers: dict[str, int]) -> None:
    drivers["demand_over_cover"] = abs(drivers["demand_over_cover"])
    drivers["stock_on_hand"] = -abs(drivers["stock_on_hand"])
    text = transfer_sentence(TransferFacts(24, 12, "A", "B", 9.2), drivers)
    assert text.startswith("Move 24 (2 cases of 12) from A to B: ")
    assert "-" not in text


def test_what_a_full_source_sends_on_says_so() -> None:
    drivers = dict.fromkeys(TRANSFER_DRIVERS, 0) | {"source_limit": 24}
    crowded = transfer_sentence(TransferFacts(24, 12, "A", "B", 9.2, relief_units=24), drivers)
    assert "24 more than that, because the source will have no space for them" in crowded
    assert "worth more there" in transfer_sentence(TransferFacts(24, 12, "A", "B", 9.2), drivers)


def test_a_change_names_its_largest_drivers_first_and_sums_the_rest() -> None:
    changes = {"demand_over_cover": 30, "safety_stock": 4, "stock_on_hand": -12, "on_order": 3,
               "rounding": -1}  # fmt: skip
    assert change_sentence("Order of Tea", 48, 72, changes) == (
        "Order of Tea: up 24, from 48 to 72: more expected demand (+30), more stock on hand (-12), "
        "more safety stock (+4), other effects (+2)."
    )
    assert change_sentence("Order of Tea", 0, 9, {"on_order": 9}).startswith(
        "Order of Tea: 9 today, none yesterday: less on the way (+9)"
    )
    assert change_sentence("Order of Tea", 9, 0, {"on_order": -9}).startswith(
        "Order of Tea: none today, 9 yesterday: more on the way (-9)"
    )


def test_units_for_a_service_target_name_it() -> None:
    values = dict.fromkeys(DRIVERS, 0) | {DEMAND: 60, SERVICE: 12}
    facts = OrderFacts(72, 1, "Acme", 21.0, "x", asked="98 % fill rate of class A")
    assert "plus 12 for the target of 98 % fill rate of class A" in order_sentence(facts, values)


def test_units_built_ahead_name_their_week() -> None:
    values = dict.fromkeys(DRIVERS, 0) | {DEMAND: 60, EARLY: 40}
    facts = OrderFacts(100, 1, "Acme", 21.0, "below_order_up_to", ahead_week="2026-07-20")
    assert "plus 40 built ahead for the week of 2026-07-20" in order_sentence(facts, values)
