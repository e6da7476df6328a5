"""Regions that opened later have no zeros before; one that never sold teaches nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.ingest.late_starts import came_late, not_open_yet
from tests.faults.test_absence import rules
from tests.faults.test_reading import night
from tests.ingest.conftest import edit, raw, small_world

__all__ = ["raw", "small_world"]  # fixtures used by name


def test_days_before_an_opening_are_no_zeros_and_a_late_first_sale_of_a_slow_region_is_chance() -> (
    None
):
    sold = np.ones((4, 100))
    sold[1, :40] = 0  # opened on day 40
    sold[2] = 0  # never
    sold[3] = 0
    sold[3, [60, 90]] = 1  # two sales in a hundred days: the first came late
    mask = not_open_yet(sold)
    assert mask.sum(axis=1).tolist() == [0, 40, 100, 0]
    assert not not_open_yet(np.zeros((2, 9))).any()


def test_a_region_without_a_sale_is_told_and_expects_only_what_is_planned(raw: Path) -> None:
    def another(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([frame, frame[frame["region_id"] == "chicago"].assign(region_id="new")])

    for table in ("regions", "delivery_options", "delivery_speeds", "prices"):
        edit(raw, table, another)
    tables = night(raw)
    assert "region new has never sold anything" in rules(tables, "sales")
    assert "new" not in set(tables["daily_demand"]["region_id"].astype("str"))
    item = tables["items"]["item_id"].astype("str").iloc[0]
    plan = pd.DataFrame({"item_id": [item], "region_id": ["new"], "expected_daily_units": ["3"]})
    plan.to_csv(raw / "launch_plans.csv", index=False)
    daily = night(raw)["daily_demand"].astype({"item_id": "str", "region_id": "str"})
    mine = daily[daily["region_id"] == "new"]
    assert mine["item_id"].tolist() == [item]
    assert mine["in_stock_share"].tolist() == [0.0]


def test_a_region_that_opened_later_begins_with_its_first_sale(raw: Path) -> None:
    edit(raw, "sales", lambda f: f[(f["region_id"] != "chicago") | (f["date"] >= "2025-05-10")])
    tables = night(raw)
    assert "region chicago sold nothing before 2025-05-1" in rules(tables, "sales")
    daily = tables["daily_demand"].astype({"region_id": "str"})
    assert daily.loc[daily["region_id"] == "chicago", "date"].min() >= pd.Timestamp("2025-05-10")


def test_days_before_a_late_first_sale_are_not_on_sale() -> None:
    random = np.random.default_rng(4)
    units = random.poisson(2.0, (6, 200))
    units[0, :190] = 0  # came ten days ago
    units[1, :100] = 0  # a hundred days ago
    units[2, :40] = units[2, 70:150] = 0  # silent since for longer: it stops and starts
    units[3] = 0
    units[3, [90, 140]] = 1  # slow: the first sale came late by chance
    units[4] = 0  # never
    units[5, :199] = 0
    units[5, 199] = 3  # one sale tells nothing
    on_sale = np.ones(units.shape, dtype=bool)
    on_sale[1, :60] = False  # launched on day 60
    late = came_late(units, on_sale)
    first = [int((units[k] > 0).argmax()) for k in (0, 1)]
    assert late.sum(axis=1).tolist() == [first[0], first[1] - 60, 0, 0, 0, 0]
    assert not late[1, :60].any()
    assert late[0, first[0] - 1]
    assert not late[0, first[0] :].any()


def test_slow_items_that_were_on_sale_all_along_are_seldom_late() -> None:
    random = np.random.default_rng(5)
    for pace in (0.01, 0.03, 0.1, 0.3):
        units = random.poisson(pace, (4000, 365))
        assert came_late(units, np.ones(units.shape, dtype=bool)).any(axis=1).mean() < 0.004


def test_items_that_came_later_than_their_launch_date_are_told(raw: Path) -> None:
    sold = pd.read_csv(raw / "sales.csv").groupby("item_id")["units"].sum()
    best = sold.index[sold.argmax()]
    edit(raw, "sales", lambda f: f[(f["item_id"] != best) | (f["date"] >= "2025-05-20")])
    tables = night(raw)
    assert "items × regions began to sell long after their launch" in rules(tables, "sales")
    daily = tables["daily_demand"].astype({"item_id": "str"})
    assert daily.loc[daily["item_id"] == best, "date"].min() >= pd.Timestamp("2025-05-20")
