"""A vendor's months add up what was promised, what came in time, and how late the rest is."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pipeline.ingest.vendor_months import vendor_months

TODAY = date(2025, 6, 30)


def receipt(arrived: str, units: int, ordered: str = "2025-05-01"):
    return {"order_id": "P", "vendor_id": "V", "item_id": "A", "node_id": "N",
            "order_date": ordered, "confirmed_date": ordered, "arrival_date": arrived,
            "units": units}  # fmt: skip


def months(receipts: list[dict], still_open: list[dict]) -> list[list]:
    days = ["order_date", "confirmed_date", "arrival_date"]
    came = pd.DataFrame(receipts, columns=list(receipt("", 0)))
    came[days] = came[days].apply(pd.to_datetime)
    still = pd.DataFrame(still_open, columns=["date", "vendor_id", "item_id", "order_date",
                                              "confirmed_date", "open_units"])  # fmt: skip
    days = ["date", "order_date", "confirmed_date"]
    still[days] = still[days].apply(pd.to_datetime)
    offers = pd.DataFrame({"vendor_id": ["V"], "item_id": ["A"], "quoted_lead_time_days": [14]})
    tables = {"receipts": came, "open_orders": still, "vendor_items": offers}
    found = vendor_months(tables, TODAY)
    found["month_start_date"] = found["month_start_date"].dt.strftime("%Y-%m")
    return found.to_numpy().tolist()


def test_units_count_in_the_month_that_was_promised_and_late_ones_with_their_days():
    came = [
        receipt("2025-05-14", 6),  # quoted for 15 May: in time
        receipt("2025-05-19", 2),  # 4 days late
        receipt("2025-06-02", 4, ordered="2025-05-18"),  # quoted for 1 June
        receipt("2023-01-20", 9, ordered="2023-01-01"),  # longer ago than a year
    ]
    assert months(came, []) == [["V", "2025-05", 8, 6, 1.0], ["V", "2025-06", 4, 0, 1.0]]


def test_what_is_still_open_is_late_so_far_and_what_is_not_due_does_not_count():
    line = {"date": "2025-06-30", "vendor_id": "V", "item_id": "A", "confirmed_date": None}
    due = line | {"order_date": "2025-06-06", "open_units": 5}  # 20 June: 10 days so far
    later = line | {"order_date": "2025-06-20", "open_units": 7}
    assert months([], [due, later]) == [["V", "2025-06", 5, 0, 10.0]]


def test_a_vendor_without_receipts_has_no_months():
    assert months([], []) == []
