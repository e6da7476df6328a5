"""Stock on hand is as old as the receipts that it came with, the newest left last."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pipeline.ingest.stock_age import stock_age

TODAY = pd.Timestamp("2025-06-30")


def aged(held: int, receipts: dict[int, int]) -> dict[str, int]:
    """Units by band; receipts: days ago -> units."""
    stock = pd.DataFrame({"date": [TODAY, TODAY - pd.Timedelta(days=1)], "item_id": "A",
                          "node_id": "N", "on_hand_units": [held, 999]})  # fmt: skip
    came = pd.DataFrame({
        "item_id": "A", "units": list(receipts.values()),
        "arrival_date": [TODAY - pd.Timedelta(days=days) for days in receipts],
    }).astype({"arrival_date": "datetime64[s]"})  # fmt: skip
    found = stock_age({"stock": stock, "receipts": came}, date(2025, 6, 30))
    return dict(zip(found["age_band"], found["aged_units"], strict=True))


def test_what_came_first_has_left_first():
    assert aged(12, {100: 50, 40: 4, 3: 6}) == {
        "to_30_days": 6, "to_60_days": 4, "to_180_days": 2
    }  # fmt: skip


def test_what_no_receipt_on_file_explains_is_the_oldest():
    assert aged(20, {30: 6, 31: 3}) == {"to_30_days": 6, "to_60_days": 3, "older": 11}
    assert aged(5, {}) == {"older": 5}


def test_an_item_that_is_out_of_stock_has_no_age():
    assert aged(0, {3: 6}) == {}
