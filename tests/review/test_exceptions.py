"""What asks for a person is found with the money at stake, in any order of rows, and no more."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pipeline.contracts.check import conform
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.review.exceptions import SHOWN, NightView, as_text, exceptions
from tests.review.small_night import night_tables
from tests.review.test_orders import order

DAY = pd.Timestamp("2026-03-01")
NAMES = (
    "items", "nodes", "vendors", "vendor_items", "stock", "open_orders", "open_transfers",
    "order_candidates", "capacity_prices", "forecast_changes", "quarantine",
)  # fmt: skip


RISK = {
    "item_id": "A", "item_name": "Apple", "window_days": 14, "mean_units": 14.0, "on_hand_units": 2,
    "supply_units": 5.0, "run_out_probability": 0.8, "shortfall_units": 9.0, "shortfall_usd": 90.0,
}  # fmt: skip


def view(**tables: list[dict[str, object]]) -> NightView:
    """A night of item A (10 USD) at vendor V with the rows given, nothing else."""
    given = {
        "items": [{"item_id": "A", "item_name": "Apple", "list_price_usd": 10.0}],
        "vendors": [{"vendor_id": "V", "vendor_name": "Volt"}],
        "vendor_items": [{"vendor_id": "V", "item_id": "A", "unit_cost_usd": 4.0}],
    } | tables
    frames = {}
    for name in NAMES:
        frame = pd.DataFrame(given.get(name, []), columns=list(TABLES[name].columns))
        for column in frame:
            if COLUMNS[str(column)].kind == "date":
                frame[column] = pd.to_datetime(frame[column])
        frames[name] = frame
    orders = pd.DataFrame(
        given.get("orders", []),
        columns=[*order(), "item_id", "item_name", "sentence", "expected_arrival_date"],
    )
    risk = pd.DataFrame(given.get("risk", []), columns=list(RISK))
    return NightView(as_text(frames), orders, risk, date(2026, 3, 1))


def due(days: int, units: int = 20) -> dict[str, object]:
    arrives = DAY + pd.Timedelta(days=days)
    return {"date": DAY, "item_id": "A", "vendor_id": "V", "order_id": "P1", "node_id": "N",
            "open_units": units, "expected_arrival_date": arrives}  # fmt: skip


def test_only_items_that_may_lose_a_sale_run_out_the_dearest_first() -> None:
    rows: list[dict[str, object]] = [
        RISK | {"item_id": name, "shortfall_units": units, "shortfall_usd": usd}
        for name, units, usd in (("A", 9.0, 90.0), ("B", 0.4, 900.0), ("C", 1.0, 100.0))
    ]
    found = exceptions(view(risk=rows), 1000.0)
    assert found["exception_key"].tolist() == ["may_run_out/C", "may_run_out/A"]


def test_a_stock_out_says_what_is_late_and_why_nothing_was_ordered() -> None:
    offer = {"item_id": "A", "vendor_id": "V", "candidate_units": 6, "is_chosen": False,
             "value_gained_usd": 3.0, "why_not": "the order minimum is $40 short"}  # fmt: skip
    night = view(risk=[RISK], open_orders=[due(-3), due(9)], order_candidates=[offer])
    found = exceptions(night, 1000.0).set_index("exception_kind")
    assert found.at["may_run_out", "exception_detail"] == (
        "80% likely to run out within 14 days, before a later order could help: 14 expected to "
        "sell, 2 on hand, 3 to come by then; 40 on order, the next in 9 days; 20 of them overdue "
        "by 3 days; nothing ordered tonight: the order minimum is $40 short."
    )
    assert found.at["late_vendor", "at_stake_usd"] == 80.0
    assert found.at["late_vendor", "exception_detail"] == (
        "1 line with 20 units is overdue, by up to 3 days."
    )


def test_only_orders_from_the_threshold_on_are_large() -> None:
    lines = [
        order(order_line_id=name, item_id=name, item_name=name, order_cost_usd=usd, sentence="why",
              expected_arrival_date=DAY)
        for name, usd in (("p", 999.0), ("q", 1000.0))
    ]  # fmt: skip
    found = exceptions(view(orders=lines), 1000.0)
    assert found["exception_key"].tolist() == ["large_order/q"]


def test_an_order_that_is_large_and_odd_is_told_once() -> None:
    line = order(order_line_id="q", item_id="q", item_name="q", order_cost_usd=1000.0,
                 sentence="Why.", expected_arrival_date=DAY, weeks_after=40.0)  # fmt: skip
    found = exceptions(view(orders=[line]), 1000.0)
    assert found["exception_key"].tolist() == ["large_order/q"]
    assert found["exception_detail"].tolist() == ["Why. Odd: lasts 40 weeks."]
    found = exceptions(view(orders=[line]), 2000.0)
    assert found["exception_key"].tolist() == ["odd_order/q"]


def test_a_forecast_that_moved_says_by_what() -> None:
    rows: list[dict[str, object]] = [
        {"item_id": "A", "driver": driver, "change_units": units, "mean_units": 12.0,
         "previous_mean_units": 7.0}
        for driver, units in (("all", 5.0), ("price", 6.0), ("level", -1.0))
    ]  # fmt: skip
    found = exceptions(view(forecast_changes=rows), 1000.0)
    assert found["exception_detail"].tolist() == [
        "The next 28 days: 7 expected yesterday, 12 today: price +6, level -1."
    ]


def test_a_whole_night_gives_rows_of_the_contract_in_any_order_of_its_rows() -> None:
    tables = night_tables(date(2026, 3, 1))
    tables["open_transfers"] = tables["open_transfers"].iloc[:0]

    def of(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
        night = NightView(as_text(frames), view().orders, view().risk, date(2026, 3, 1))
        found = conform(exceptions(night, 1000.0), TABLES["exceptions"])
        return found.reset_index(drop=True)

    straight = of(tables)
    turned = of({name: frame.iloc[::-1] for name, frame in tables.items()})
    pd.testing.assert_frame_equal(straight, turned)
    assert 0 < len(straight) <= 6 * SHOWN
