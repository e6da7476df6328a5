"""Stock by tier, transfers by lane and capacity use are sums of what the tables hold."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.review.history import HISTORY_WEEKS, demand_history
from pipeline.review.supply import capacity_use, stock_by_tier, transfers_by_lane, unit_costs

AS_OF = date(2026, 3, 1)
DAY = pd.Timestamp(AS_OF)
ITEMS = pd.DataFrame({"item_id": ["tea", "cup"], "unit_cube_cuft": [0.5, 2.0]})


def test_stock_is_valued_at_the_cheapest_vendor_and_measured_in_weeks() -> None:
    offers = pd.DataFrame({"item_id": ["tea", "tea", "cup"], "unit_cost_usd": [3.0, 2.0, 5.0]})
    nodes = pd.DataFrame({"node_id": ["dc", "fc"],
                          "tier": ["distribution_center", "fulfillment_center"]})  # fmt: skip
    stock = pd.DataFrame(
        {"date": [DAY, DAY, DAY - pd.Timedelta(days=1)], "item_id": ["tea", "cup", "cup"],
         "node_id": ["dc", "fc", "fc"], "on_hand_units": [10, 4, 99]}
    )  # fmt: skip
    tiers = stock_by_tier(stock, nodes, ITEMS, unit_costs(offers), 7.0, AS_OF).set_index("tier")
    columns = ["nodes", "items", "units", "cuft", "value_usd"]
    assert tiers.loc["distribution_center", columns].tolist() == [1, 1, 10, 5.0, 20.0]
    assert tiers.loc["fulfillment_center", columns].tolist() == [1, 1, 4, 8.0, 20.0]
    assert tiers["weeks"].sum() == pytest.approx(2.0)


def test_lanes_add_up_their_transfers() -> None:
    moves = pd.DataFrame(
        {"transfer_id": ["1", "2", "3"], "item_id": ["tea", "cup", "tea"],
         "from_node_id": ["dc", "dc", "fc"], "to_node_id": ["fc", "fc", "sd"],
         "transfer_units": [10, 4, 2]}
    )  # fmt: skip
    lanes = pd.DataFrame(
        {"from_node_id": ["dc", "fc"], "to_node_id": ["fc", "sd"], "lane_usd_per_cuft": 0.5,
         "lane_capacity_cuft_per_day": [26.0, np.nan]}
    )  # fmt: skip
    table = transfers_by_lane(moves, lanes, ITEMS)
    assert table.iloc[0].tolist() == ["dc", "fc", 2, 14.0, 13.0, 6.5, 0.5]
    assert np.isnan(table.iloc[1]["use"])
    assert transfers_by_lane(moves.iloc[:0], lanes, ITEMS).empty


def test_a_capacity_is_full_at_its_end_and_over_when_it_is_paid_for() -> None:
    prices = pd.DataFrame(
        {"node_id": "dc", "resource": "storage_cuft", "capacity": [100.0, 100.0, 0.0],
         "usage": [99.9, 50.0, 3.0], "overflow": [0.0, 0.0, 3.0]}
    )  # fmt: skip
    use = capacity_use(prices)
    assert use["is_full"].tolist() == [True, False, True]
    assert use["is_over"].tolist() == [False, False, True]


def test_history_ends_on_the_business_date_and_sums_regions() -> None:
    days = pd.date_range(DAY - pd.Timedelta(days=13), DAY + pd.Timedelta(days=3))
    daily = pd.DataFrame(
        {
            "item_id": "tea",
            "date": np.repeat(days, 2),
            "units": 1,
            "in_stock_share": 0.5,
            "is_censored": True,
        }
    )
    history = demand_history(daily, AS_OF)
    assert history.of("tea")[-3:].tolist() == [0, 14, 14]  # two regions, seven days; no future
    assert history.of("unknown").tolist() == [0] * HISTORY_WEEKS
    assert history.last_weeks(2)["tea"] == 28
    assert history.week_starts[-1] == DAY - pd.Timedelta(days=6)
    assert history.in_stock_share == 0.5
    # A suspected stock-out counts as one; a seen one is in the share already.
    suspected = demand_history(daily.assign(in_stock_share=1.0, is_censored=daily.index % 2 == 0),
                               AS_OF)  # fmt: skip
    assert suspected.in_stock_share == 0.5
