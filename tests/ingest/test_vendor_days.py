"""When vendors take orders, and what shutdowns and closed docks do to arrivals."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.ingest.vendor_days import vendor_calendar, with_waits
from pipeline.order_days import order_nights, order_weekdays

AS_OF = date(2025, 6, 29)  # a Sunday: its orders reach vendors on Monday


def closures(*rows: tuple) -> pd.DataFrame:
    names = ["closure_id", "region_id", "node_id", "vendor_id", "weekday", "start_date",
             "expiry_date"]  # fmt: skip
    frame = pd.DataFrame([(f"c{k}", None, *row) for k, row in enumerate(rows)], columns=names)
    return frame.astype({"start_date": "datetime64[s]", "expiry_date": "datetime64[s]"})


def world(*rows: tuple, weekdays: tuple = (None, None)) -> dict[str, pd.DataFrame]:
    return {
        "vendors": pd.DataFrame({"vendor_id": ["a", "b"], "order_weekdays": weekdays}),
        "closures": closures(*rows),
        "nodes": pd.DataFrame({"node_id": ["n", "m"], "is_vendor_receiving": [True, False]}),
    }


def test_words_become_weekdays() -> None:
    assert order_weekdays("Tue, fri") == [1, 4]
    assert order_weekdays(None) == list(range(7))
    with pytest.raises(ValueError, match="not in"):
        order_weekdays("someday")


def test_orders_of_coming_nights_reach_vendors_on_their_weekdays_and_not_before_the_next_one() -> (
    None
):
    """Tomorrow night's reach them on a Tuesday; b is shut for the first days."""
    tables = world(weekdays=("tue fri", None))
    tables["closures"] = closures((None, "b", None, date(2025, 6, 30), date(2025, 7, 3)))
    calendar = vendor_calendar(tables, AS_OF)
    found = order_nights(tables["vendors"], calendar, ["b", "a"], AS_OF, 8)
    assert np.flatnonzero(found[1]).tolist() == [0, 3, 7]
    assert np.flatnonzero(found[0]).tolist() == [3, 4, 5, 6, 7]


def test_a_vendor_of_tuesdays_and_fridays_takes_no_order_of_a_sunday_night() -> None:
    tables = world(weekdays=("tue fri", "mon"))
    found = vendor_calendar(tables, AS_OF).set_index("vendor_id")
    assert found["takes_orders"].to_dict() == {"a": False, "b": True}
    assert found["order_gap_days"].to_dict() == {"a": 1, "b": 7}  # Monday night; next Sunday night
    assert found.loc["a", "next_order_date"] == pd.Timestamp("2025-07-01")
    tables = world((None, "b", None, "2025-06-30", "2025-07-10"), weekdays=("tue fri", "mon"))
    shut = vendor_calendar(tables, AS_OF).set_index("vendor_id").loc["b"]
    assert not shut["takes_orders"]
    assert shut["next_order_date"] == pd.Timestamp("2025-07-14")


def leads(*days: int) -> pd.DataFrame:
    return pd.DataFrame({
        "vendor_id": "a", "item_id": "i", "lead_time_days": days, "probability": 1 / len(days),
        "mean_lead_time_days": float(np.mean(days)), "sd_lead_time_days": float(np.std(days)),
        "observed_receipts": 3, "open_orders_used": 1,
    })  # fmt: skip


def test_without_closures_lead_times_stay() -> None:
    pd.testing.assert_frame_equal(with_waits(leads(3, 5), world(), AS_OF), leads(3, 5))


def test_a_shutdown_delays_what_it_meets_and_no_more() -> None:
    """Closed from the 5th to the 14th day: three days pass before it, five do not."""
    tables = world((None, "a", None, "2025-07-04", "2025-07-13"))
    found = with_waits(leads(3, 5), tables, AS_OF)
    assert found["lead_time_days"].tolist() == [3, 15]
    assert found["mean_lead_time_days"].tolist() == [9, 9]
    assert found["sd_lead_time_days"].tolist() == pytest.approx([6, 6])


def test_an_arrival_on_a_closed_dock_waits_for_its_next_open_day() -> None:
    """Days 6 and 7 are Saturday and Sunday: both come on Monday, day 8, as one chance."""
    tables = world(("n", None, "sat", None, None), ("n", None, "sun", None, None))
    found = with_waits(leads(5, 6, 7, 8), tables, AS_OF)
    assert found["lead_time_days"].tolist() == [5, 8]
    assert found["probability"].tolist() == pytest.approx([0.25, 0.75])
    assert len(found.columns) == len(leads(1).columns)


def test_a_vendor_of_fridays_comes_on_the_nearest_friday_and_the_later_of_two_as_near() -> None:
    """Day 5 is a Friday; the law's neighbours of a day of delivery are no lateness of a week."""
    tables = world()
    tables["vendors"]["delivery_weekdays"] = ["fri", None]
    found = with_waits(leads(4, 5, 6, 8, 9), tables, AS_OF)
    assert found["lead_time_days"].tolist() == [5, 12]
    assert found["probability"].tolist() == pytest.approx([0.8, 0.2])
    tables["vendors"]["delivery_weekdays"] = ["mon fri wed", None]
    assert with_waits(leads(4), tables, AS_OF)["lead_time_days"].tolist() == [5]
