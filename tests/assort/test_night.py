from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.assort.night import COLUMNS, assort_night
from pipeline.contracts.check import require
from pipeline.contracts.columns import LEAVES
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.ingest.structure import _lone_groups

DAYS = pd.date_range("2025-01-01", periods=240)
AS_OF = date(2025, 8, 28)
ITEMS = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Four items, three of them a group: half of a's customers take b when a is out."""
    random = np.random.default_rng(5)
    rows = []
    for r, region in enumerate(("east", "west")):
        for d, day in enumerate(DAYS):
            is_out = (d + 40 * r) % 60 < 12
            rate = {"a": 0.0 if is_out else 6.0, "b": 4.0 + (3.0 if is_out else 0.0), "c": 3.0,
                    "d": 2.0}  # fmt: skip
            for item in ITEMS:
                share = 0.0 if item == "a" and is_out else 1.0
                rows.append((item, region, day, int(random.poisson(rate[item])), share))
    demand = pd.DataFrame(rows, columns=["item_id", "region_id", "date", "units", "in_stock_share"])
    quantiles = pd.DataFrame(
        [(i, r, 1, 28, 28.0 * m) for i, m in zip(ITEMS, (6, 4, 3, 2), strict=True)
         for r in ("east", "west")],
        columns=["item_id", "region_id", "window_start_day", "window_days", "mean_units"],
    )  # fmt: skip
    cost = dict(zip(ITEMS, (6.0, 5.0, 7.0, 4.0), strict=True))
    return {
        "items": pd.DataFrame({"item_id": ITEMS, "list_price_usd": 10.0}),
        "regions": pd.DataFrame({"region_id": ["east", "west"]}),
        "vendor_items": pd.DataFrame({"item_id": ITEMS, "unit_cost_usd": [cost[i] for i in ITEMS]}),
        "prices": pd.DataFrame({"item_id": ["a"], "region_id": ["east"], "price_usd": [10.0],
                                "start_date": [DAYS[0]]}),
        "choice_groups": pd.DataFrame({"item_id": ["a", "b", "c"], "choice_group": "g"}),
        "daily_demand": demand, "demand_quantiles": quantiles,
    }  # fmt: skip


def test_where_customers_turn_is_learned_from_sales_and_meets_the_contract(tables: dict) -> None:
    found = assort_night(tables, AS_OF, Settings())
    for name, frame in found.items():
        require(frame, TABLES[name])
    moves = found["substitution"].set_index(["item_id", "to_item_id"])["probability"]
    assert moves["a", "b"] == pytest.approx(0.5, abs=0.12)
    assert moves["a", "b"] > 2 * moves["a", "c"]
    sums = found["substitution"].groupby("item_id")["probability"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(3), abs=1e-3)
    share = found["substitution"].groupby("item_id")["share_from_data"].first()
    assert share["a"] > 0.5 > share["b"] == 0.0  # b was never out: its row is the prior's
    first = found["first_choice"].groupby("item_id")[["first_choice_units", "sold_units"]].mean()
    assert first.loc["a", "first_choice_units"] == pytest.approx(6.0, rel=0.06)
    assert first.loc["b", "first_choice_units"] == pytest.approx(4.0, rel=0.06)
    assert first.loc["b", "sold_units"] > 4.4


def test_the_order_of_rows_and_the_number_of_threads_change_nothing(tables: dict) -> None:
    twice = {**tables, "choice_groups": pd.DataFrame(
        {"item_id": ITEMS, "choice_group": ["g", "g", "h", "h"]})}  # fmt: skip
    shuffled = {name: frame.sample(frac=1.0, random_state=3) for name, frame in twice.items()}
    one = assort_night(twice, AS_OF, Settings.model_validate({"run": {"threads": 1}}))
    other = assort_night(shuffled, AS_OF, Settings.model_validate({"run": {"threads": 3}}))
    for name in COLUMNS:
        pd.testing.assert_frame_equal(one[name], other[name])


def test_without_groups_the_tables_are_empty_and_meet_the_contract(tables: dict) -> None:
    none = {**tables, "choice_groups": tables["choice_groups"].iloc[:0]}
    for name, frame in assort_night(none, AS_OF, Settings()).items():
        assert frame.empty
        require(frame, TABLES[name])


def test_a_group_of_one_and_one_without_sales_are_told_of(tables: dict) -> None:
    groups = pd.DataFrame({"item_id": ["a", "c", "d"], "choice_group": ["solo", "still", "still"]})
    sales = pd.DataFrame({"item_id": ["a"]})
    found = list(_lone_groups({"choice_groups": groups, "sales": sales}))
    assert [(one.rule, one.severity) for one in found] == [
        ("group solo has one item only", "warning"), ("no item of group still ever sold", "warning")
    ]  # fmt: skip
    lone = {**tables, "choice_groups": groups.iloc[:1]}
    assert assort_night(lone, AS_OF, Settings())["substitution"].empty


def test_leaving_is_named_as_no_item_is() -> None:
    assert LEAVES not in ITEMS
