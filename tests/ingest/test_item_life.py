"""Quiet items, and items that replace others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.ingest.item_life import item_life
from pipeline.ingest.succession import succeeded, with_passed_on

DAYS = pd.date_range("2025-01-01", "2025-06-29")


def life(units: np.ndarray, could_sell: np.ndarray | None = None) -> pd.DataFrame:
    names = pd.Index([f"i{k}" for k in range(len(units))])
    items = pd.DataFrame({"item_id": names, "end_date": pd.NaT, "department": "all"})
    could = np.ones(units.shape, dtype=bool) if could_sell is None else could_sell
    return item_life(items, names, DAYS, units, could, 28)


def test_only_a_silence_too_long_for_the_item_s_own_pace_is_quiet() -> None:
    random = np.random.default_rng(1)
    units = np.stack([
        random.poisson(2.0, len(DAYS)),  # sells every day, silent for 39
        random.poisson(2.0, len(DAYS)),  # silent for 20
        (np.arange(len(DAYS)) % 30 == 3).astype(int),  # one a month: silent for 39 is usual
        np.zeros(len(DAYS), dtype=int),  # never sold
        random.poisson(2.0, len(DAYS)),  # sells
    ])  # fmt: skip
    units[0, -39:], units[1, -20:], units[2, -39:] = 0, 0, 0
    units[0, -40] = 1
    found = life(units)
    assert found["is_quiet"].tolist() == [True, False, False, True, False]
    assert found["quiet_days"].tolist()[0] == 39
    assert found["last_sale_date"].isna().tolist() == [False, False, False, True, False]


def test_days_out_of_stock_do_not_make_an_item_quiet() -> None:
    units = np.full((1, len(DAYS)), 2)
    units[0, -60:] = 0
    out = np.ones(units.shape, dtype=bool)
    out[0, -60:] = False
    assert life(units)["is_quiet"].tolist() == [True]
    assert life(units, out)["is_quiet"].tolist() == [False]


def test_a_successor_inherits_sales_before_its_launch_and_ends_its_predecessor() -> None:
    day = pd.to_datetime(["2025-06-01", "2025-06-20", "2025-06-25"]).astype("datetime64[s]")
    items = pd.DataFrame({
        "item_id": ["old", "new"], "predecessor_item_id": [None, "old"],
        "launch_date": pd.to_datetime(["2024-01-01", "2025-06-20"]).astype("datetime64[s]"),
        "end_date": pd.to_datetime([None, None]).astype("datetime64[s]"),
    })  # fmt: skip
    sales = pd.DataFrame({"item_id": ["old", "old", "new"], "region_id": "r", "date": day,
                          "units": [5, 1, 4]})  # fmt: skip
    none = sales.iloc[:0].assign(in_stock_share=1.0)
    found = succeeded({"items": items, "sales": sales, "availability": none})
    own = found["sales"][found["sales"]["item_id"] == "new"]
    assert own.set_index("date")["units"].to_dict() == {day[0]: 5, day[2]: 4}
    assert len(found["sales"]) == 4
    ends = found["items"].set_index("item_id")["end_date"]
    assert ends["old"] == pd.Timestamp("2025-06-19")
    assert pd.isna(ends["new"])


@pytest.mark.parametrize(("as_of", "rule", "comes", "left"), [
    ("2025-06-09", "used_up", "2025-06-20", 60 + 20),  # 100 + 20 there, ten days at 4 sell 40
    ("2025-06-24", "used_up", "2025-06-25", 100 + 20),
    ("2025-06-09", "kept_apart", None, 0), ("2025-06-09", None, None, 0),
    ("2025-04-20", "used_up", None, 0),  # it sells out before the launch
])  # fmt: skip
def test_what_a_predecessor_has_left_counts_as_coming_in_of_its_successor(
    as_of: str, rule: str | None, comes: str | None, left: int
) -> None:
    night, launch = pd.Timestamp(as_of), pd.Timestamp("2025-06-20")
    items = pd.DataFrame({
        "item_id": ["old", "new"], "predecessor_item_id": [None, "old"],
        "predecessor_stock": [None, rule], "launch_date": [pd.Timestamp("2024-01-01"), launch],
    })  # fmt: skip
    days = pd.date_range(night - pd.Timedelta(days=80), night)
    days = days[days < launch] if night < launch else days
    sales = pd.DataFrame({"item_id": "old", "region_id": "r", "date": days, "units": 4})
    stock = pd.DataFrame({"date": night, "item_id": "old", "node_id": ["a", "b"],
                          "on_hand_units": [60, 40]})  # fmt: skip
    line = {"date": night, "order_id": "PO", "vendor_id": "v", "item_id": "old", "node_id": "a",
            "order_date": night, "confirmed_date": None, "open_units": 20,
            "expected_arrival_date": night + pd.Timedelta(days=1)}  # fmt: skip
    late = {**line, "order_id": "late", "expected_arrival_date": launch + pd.Timedelta(days=30)}
    tables = {
        "items": items, "sales": sales, "stock": stock, "open_orders": pd.DataFrame([line, late]),
        "vendor_items": pd.DataFrame({"vendor_id": ["v"], "item_id": ["new"]}),
    }  # fmt: skip
    found, told = with_passed_on(tables, night.date())
    mine = found["open_orders"].astype({"item_id": "str"})
    mine = mine[mine["item_id"] == "new"]
    own = mine[mine["order_id"].astype("str") != "late"]
    assert left - 2 < own["open_units"].sum() <= left  # whole units by node
    assert (mine["order_id"].astype("str") == "late").sum() == (rule == "used_up")
    assert len(told) == (rule == "used_up")
    if comes:
        assert set(own["expected_arrival_date"]) == {pd.Timestamp(comes)}
        assert set(own["node_id"].astype("str")) == {"a", "b"}
