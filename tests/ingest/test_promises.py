"""Promises by a vendor's own calendar, against days counted one by one on paper."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.lead_times import lead_times
from pipeline.ingest.promises import promised_days
from pipeline.ingest.vendor_days import with_waits
from pipeline.ingest.vendor_months import vendor_months

SUNDAY = pd.Timestamp("2025-06-29")
THURSDAY = pd.Timestamp("2025-07-03")


def closures(*rows: tuple) -> pd.DataFrame:
    names = ["vendor_id", "weekday", "start_date", "expiry_date"]
    frame = pd.DataFrame(rows, columns=names).assign(region_id=None, node_id=None)
    return frame.astype({"start_date": "datetime64[s]", "expiry_date": "datetime64[s]"})


def world(counts: str | None = None, delivers: str | None = None, *rows: tuple) -> dict:
    return {
        "vendors": pd.DataFrame({"vendor_id": ["v", "w"], "lead_time_counts": [counts, None],
                                 "delivery_weekdays": [delivers, None]}),
        "closures": closures(*rows),
        "nodes": pd.DataFrame({"node_id": ["n"], "is_vendor_receiving": [True]}),
    }  # fmt: skip


def promised(tables: dict, placed: pd.Timestamp, quoted: int, **how: bool) -> int:
    orders = pd.DataFrame({"vendor_id": ["w", "v"], "order_date": placed, "quoted": quoted})
    other, own = promised_days(orders, tables, **how)
    assert other == quoted  # what one vendor says moves no other's
    return int(own)


def test_without_terms_a_promise_is_the_quote() -> None:
    assert promised(world(), THURSDAY, 5) == 5
    assert promised({}, THURSDAY, 5) == 5


def test_working_days_leave_out_the_weekend() -> None:
    """Of a Thursday: Friday, Monday, Tuesday; of a Sunday: Monday, Tuesday, Wednesday."""
    tables = world("working_days")
    assert promised(tables, THURSDAY, 3) == 5
    assert promised(tables, SUNDAY, 3) == 3
    assert promised(tables, THURSDAY, 10) == 14


def test_working_days_are_what_closures_leave_where_they_name_weekdays() -> None:
    """This vendor works on Saturdays and rests on Mondays and Sundays."""
    rest = [("v", day, None, None) for day in ("mon", "sun")]
    assert promised(world("working_days", None, *rest), THURSDAY, 3) == 5  # Fri, Sat, Tue


def test_a_promise_ends_on_a_day_of_delivery() -> None:
    """Two days after Sunday is Tuesday: delivered on Thursday; after Thursday, Saturday: Monday."""
    tables = world(None, "mon thu")
    assert promised(tables, SUNDAY, 2) == 4
    assert promised(tables, THURSDAY, 2) == 4
    assert promised(tables, THURSDAY, 4) == 4


def test_a_shutdown_of_the_past_is_no_delay_and_tonights_is_added_once() -> None:
    shut = ("v", None, "2025-07-07", "2025-07-13")
    tables = world("working_days", None, shut)
    assert promised(tables, THURSDAY, 3) == 12  # Friday the 4th, Monday the 14th, Tuesday
    assert promised(tables, THURSDAY, 3, with_shutdowns=False) == 5
    assert promised(world(None, None, shut), THURSDAY, 5) == 12


def history(tables: dict, weeks: int, late_days: int = 0) -> dict:
    """A vendor ordered from every Tuesday and Friday that comes on the days it promised."""
    placed = pd.date_range("2025-01-07", periods=weeks, freq="7D")
    placed = placed.append(placed + pd.Timedelta(days=3)).sort_values()
    orders = pd.DataFrame({"vendor_id": "v", "order_date": placed, "quoted": 3})
    came = placed + pd.to_timedelta(promised_days(orders, tables) + late_days, unit="D")
    receipts = pd.DataFrame({
        "order_id": [f"R{k}" for k in range(len(placed))], "vendor_id": "v", "item_id": "a",
        "node_id": "n", "order_date": placed, "confirmed_date": placed, "arrival_date": came,
        "units": 5,
    })  # fmt: skip
    nothing = receipts.head(0).rename(columns={"arrival_date": "date", "units": "open_units"})
    sold = pd.DataFrame({"vendor_id": ["v"], "item_id": ["a"], "quoted_lead_time_days": [3]})
    return tables | {"receipts": receipts, "open_orders": nothing, "vendor_items": sold}


@pytest.mark.parametrize(("counts", "delivers", "tuesday", "friday"), [
    ("working_days", None, 3, 5), (None, "tue fri", 3, 4), ("working_days", "mon", 6, 10),
])  # fmt: skip
def test_tonights_lead_time_is_that_of_tonights_weekday(
    counts: str, delivers: str, tuesday: int, friday: int
) -> None:
    """Punctual for half a year: both weekdays together would say neither."""
    tables = history(world(counts, delivers), 25)
    for as_of, expected in ((date(2025, 7, 8), tuesday), (date(2025, 7, 11), friday)):
        fitted = lead_times(tables, as_of, IngestSettings())
        table = with_waits(fitted, tables, as_of)
        likely = table.loc[table["probability"].idxmax()]
        assert likely["lead_time_days"] == expected
        assert likely["probability"] > 0.6
        if delivers:
            day = pd.DatetimeIndex(
                pd.Timestamp(as_of) + pd.to_timedelta(table["lead_time_days"], unit="D")
            )
            assert set(day.strftime("%a").str.lower()) <= set(delivers.split())
        assert table["probability"].sum() == pytest.approx(1)


def test_a_week_late_on_set_days_stays_a_week() -> None:
    """The law is smoothed about the days on which it came; what it says falls on them again."""
    tables = history(world(None, "thu"), 40, late_days=7)
    as_of = date(2025, 10, 14)  # a Tuesday: three days end on Friday, delivered on Thursday, day 9
    table = with_waits(lead_times(tables, as_of, IngestSettings()), tables, as_of)
    chance = table.set_index("lead_time_days")["probability"]
    assert chance.idxmax() == 16
    assert chance[16] > 0.7
    assert np.all((chance.index - 2) % 7 == 0)


def test_a_vendor_punctual_by_its_calendar_is_on_time() -> None:
    tables = history(world("working_days", "mon"), 20)
    found = vendor_months(tables, date(2025, 6, 30))
    assert (found["on_time_units"] == found["due_units"]).all()
    plain = vendor_months(tables | {"vendors": world()["vendors"]}, date(2025, 6, 30))
    assert plain["on_time_units"].sum() < plain["due_units"].sum() / 2
