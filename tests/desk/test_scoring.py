"""Overrides are scored by what came; open orders get proposals that bring what they say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.desk.on_order import arrivals, proposals
from pipeline.desk.scoring import Outcome, override_scores, run_through, scores_by_planner
from pipeline.desk.tables import NightTables
from pipeline.store import Store
from tests.desk.conftest import LAST

THEN, NOW = date(2025, 6, 2), date(2025, 6, 30)
DUMMY = {"int": 1, "float": 1.0, "bool": False, "string": "x", "category": "x"}


def test_what_is_sold_lost_and_held_is_counted_by_hand() -> None:
    # 3 on hand; days 1-3 ask for 2, 2, 2; 4 come on day 3: sold 2, 1, 2; left 1, 0, 2.
    out = run_through(3.0, np.array([0.0, 0.0, 4.0]), np.array([2.0, 2.0, 2.0]))
    assert out == Outcome(sold=5.0, lost=1.0, held=3.0)


def test_an_override_is_worth_the_margin_it_sold_less_the_holding_it_cost(tmp_path: Path) -> None:
    store = Store(tmp_path)
    _put(store, THEN, "items", item_id=["A"], list_price_usd=5.0)
    _put(store, THEN, "stock", date=pd.Timestamp(THEN), item_id=["A"], node_id="N",
         on_hand_units=0)  # fmt: skip
    _put(store, THEN, "open_orders", item_id=["none"], date=pd.Timestamp("2000-01-01"))
    _put(store, THEN, "purchase_orders", item_id=["A"], order_line_id="L", order_units=28,
         override_units=14, unit_cost_usd=3.0,
         expected_arrival_date=pd.Timestamp(THEN) + pd.Timedelta(days=1))  # fmt: skip
    _put(store, THEN, "overrides", override_id=["O"], item_id="A", override_target="order_units",
         override_kind="at_least", start_date=pd.Timestamp(THEN),
         expiry_date=pd.Timestamp(NOW), planner="ana")  # fmt: skip
    days = pd.date_range(pd.Timestamp(THEN) + pd.Timedelta(days=1), periods=28)
    _put(store, NOW, "daily_demand", item_id=["A"] * 28, date=days, units=1)
    scores = override_scores(store, NOW, holding_rate_per_year=0.365)
    # 14 against 28 units for a unit a day: 14 more sold at 2 usd; held 13+…+0 = 91 against 378.
    assert scores.loc[0, "sold_more_units"] == 14
    assert scores.loc[0, "gained_usd"] == pytest.approx(14 * 2 - (378 - 91) * 3.0 * 0.001)
    (row,) = scores_by_planner(scores)
    assert (row["planner"], row["override_kind"], row["direction"], row["gains"]) == (
        "ana", "at_least", "up", 1,
    )  # fmt: skip
    assert override_scores(store, date(2024, 1, 1), 0.2).empty


def test_late_orders_are_expedited_early_ones_postponed_and_dead_ones_cancelled(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    ids = ["empty", "full", "dead"]
    _put(store, NOW, "items", item_id=ids, list_price_usd=5.0)
    _put(store, NOW, "stock", date=pd.Timestamp(NOW), item_id=ids, node_id="N",
         on_hand_units=[5, 200, 9])  # fmt: skip
    _put(store, NOW, "vendor_items", item_id=ids, unit_cost_usd=3.0)
    _put(store, NOW, "demand_quantiles", item_id=ids, window_start_day=1, window_days=28,
         mean_units=[28.0, 56.0, 0.0])  # fmt: skip
    _put(store, NOW, "open_orders", item_id=ids, date=pd.Timestamp(NOW), open_units=100,
         expected_arrival_date=pd.Timestamp(NOW) + pd.Timedelta(days=20))  # fmt: skip
    found = {row["item_id"]: row for row in proposals(NightTables(store, NOW), 0.365)}
    assert {item: row["ask"] for item, row in found.items()} == {
        "empty": "expedite", "full": "postpone", "dead": "cancel",
    }  # fmt: skip
    assert found["empty"]["usd"] == pytest.approx(15 * 2)  # empty from day 5 to 20, a unit a day
    # 200 - 2 x 20 = 160 left: 80 days of cover, 28 are kept: 52 days x 300 usd x 0.1 % a day.
    assert found["full"]["usd"] == pytest.approx(52 * 0.3)
    assert found["dead"]["usd"] == pytest.approx(365 * 0.3)


def test_a_lost_sale_counts_for_one_order_alone() -> None:
    # A unit a day, 2 on hand: empty from day 2 to 6 (4 lost: 3 for the first line of that day, 1
    # for the other), 7 on hand last to day 13, empty to day 15 (2 lost).
    lines = [
        {"days": days, "open_units": units, "daily_units": 1.0, "on_hand_units": 2}
        for days, units in ((6, 3), (6, 4), (15, 9))
    ]
    found = [(row["lost_units"], row["left_units"], row["empty_days"]) for row in arrivals(lines)]
    assert found == [(3.0, 0.0, 4.0), (1.0, 3.0, 4.0), (2.0, 0.0, 2.0)]


def test_the_page_of_open_orders_says_where_lines_stand(desk: TestClient) -> None:
    text = desk.get(f"/plans/{LAST}/on_order").text
    assert "proposed tonight" in text
    assert "Worth a call to the vendor" in text


def _put(store: Store, day: date, name: str, **columns: object) -> None:
    frame = pd.DataFrame(columns)
    for column in TABLES[name].columns:
        kind = COLUMNS[column].kind
        if column not in frame:
            frame[column] = pd.Timestamp(day) if kind == "date" else DUMMY.get(kind)
        if kind == "category":
            frame[column] = frame[column].astype("category")
    store.publish(day, name, frame, {"inputs": {}})
