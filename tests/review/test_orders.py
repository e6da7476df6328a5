"""Odd orders are found for what is odd about them, and plain ones are not."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pipeline.review.orders import largest_orders, oddest_orders, orders_by_vendor


def order(**changes: Any) -> dict[str, Any]:
    """Half of three weeks' demand, worth $500, as expected and as lately sold."""
    return {
        "order_line_id": "o", "order_units": 50, "order_cost_usd": 500.0, "rounding": 2,
        "cover_days": 21.0, "weeks_before": 1.5, "weeks_after": 3.2, "weekly_mean_units": 30.0,
        "trailing_weekly_units": 28.0, "value_gained_usd": 60.0, "reason_code": "case_pack",
        **changes,
    }  # fmt: skip


def oddities(**changes: Any) -> str:
    odd = oddest_orders(pd.DataFrame([order(**changes)]), 10)
    return "" if odd.empty else str(odd["oddities"].iloc[0])


def test_a_plain_order_is_not_odd() -> None:
    assert oddities() == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weeks_after": 40.0}, "lasts 40 weeks"),
        ({"weeks_after": float("nan")}, "lasts more than two years"),
        ({"rounding": 40, "reason_code": "moq"},
         "80% of it is more than is needed, ordered to reach the vendor's minimum quantity"),
        ({"weekly_mean_units": 300.0}, "300.0 a week expected, 28.0 a week sold lately"),
        ({"trailing_weekly_units": 300.0}, "30.0 a week expected, 300.0 a week sold lately"),
        ({"weeks_before": 7.0}, "7 weeks of cover before it"),
        ({"order_cost_usd": 3.0}, "worth only $3.00"),
        ({"value_gained_usd": 0.1}, "$500 that gain $0.10: it can wait"),
    ],
)  # fmt: skip
def test_each_oddity_has_its_words(changes: dict[str, Any], words: str) -> None:
    assert oddities(**changes) == words


def test_slow_items_are_not_odd_for_one_unit_more() -> None:
    assert oddities(weekly_mean_units=0.6, trailing_weekly_units=0.0) == ""


def test_the_oddest_come_first_and_the_largest_by_value() -> None:
    view = pd.DataFrame(
        [
            order(order_line_id="plain"),
            order(order_line_id="long", weeks_after=30.0, order_cost_usd=900.0),
            order(order_line_id="longer", weeks_after=80.0, weeks_before=70.0),
        ]
    )
    assert oddest_orders(view, 10)["order_line_id"].tolist() == ["longer", "long"]
    assert oddest_orders(view, 1)["order_line_id"].tolist() == ["longer"]
    assert largest_orders(view, 2)["order_line_id"].tolist() == ["long", "longer"]


def test_orders_add_up_by_vendor() -> None:
    day = pd.Timestamp("2026-03-01")
    view = pd.DataFrame(
        [
            order(vendor_id="a", vendor_name="Acme", expected_arrival_date=day),
            order(vendor_id="b", vendor_name="Bolt", expected_arrival_date=day),
            order(vendor_id="b", vendor_name="Bolt",
                  expected_arrival_date=day + pd.Timedelta(days=3)),
        ]
    )  # fmt: skip
    vendors = pd.DataFrame({"vendor_id": ["a", "b"], "order_minimum_usd": [0.0, 900.0]})
    found = orders_by_vendor(view, vendors)
    assert found[["vendor_name", "lines", "units", "value_usd", "order_minimum_usd"]].to_numpy(
    ).tolist() == [["Bolt", 2, 100, 1000.0, 900.0], ["Acme", 1, 50, 500.0, 0.0]]  # fmt: skip
    assert (found["last_arrival"] - found["first_arrival"]).dt.days.tolist() == [3, 0]
