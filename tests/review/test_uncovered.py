"""What is out of stock with nothing coming or ordered is said first."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pipeline.review.attention import attention_points
from pipeline.review.uncovered import uncovered_items

DAY = pd.Timestamp("2025-06-29")


def test_only_items_without_anything_are_named_with_the_best_offer_s_reason() -> None:
    """a: out, unordered; b: in stock; c: on the way; d: ordered; e: not wanted."""
    day = {"date": DAY}
    tables = {
        "stock": pd.DataFrame(
            [{**day, "item_id": i, "on_hand_units": u} for i, u in (("a", 0), ("b", 3))]
        ),
        "open_orders": pd.DataFrame([{**day, "item_id": "c", "open_units": 4}]),
        "open_transfers": pd.DataFrame(
            {"date": pd.Series([], dtype="datetime64[s]"), "item_id": [], "open_units": []}
        ),
        "purchase_orders": pd.DataFrame({"item_id": ["d"]}),
        "network_targets": pd.DataFrame(
            {
                "item_id": list("abcde"),
                "order_up_to_units": [9, 9, 9, 9, 0],
                "cover_demand_units": [5.0, 5, 5, 5, 0],
            }
        ),
        "order_candidates": pd.DataFrame(
            {
                "item_id": ["a", "a", "a"],
                "is_chosen": [True, False, False],
                "value_gained_usd": [0.0, 1.0, 7.0],
                "why_not": [None, "far", "below its minimum of $80.00"],
            }
        ),
    }
    found = uncovered_items(tables, date(2025, 6, 29))
    assert found["item_id"].tolist() == ["a"]
    assert found["why"].tolist() == ["below its minimum of $80.00"]


def test_it_comes_before_everything_else() -> None:
    points = attention_points({"violation": 0.1}, 0, [], ["A (why)", "B (why)", "C", "D"])
    assert points[0].text == "Out of stock, nothing coming, nothing ordered: A (why)."
    assert "1 more item is out of stock" in points[3].text
    assert points[0].is_serious
