"""Stock at a leaf of the tree, none where it is asked for."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from pipeline.ingest.reach import out_of_reach

AS_OF = date(2025, 6, 29)
DAY = pd.Timestamp(AS_OF)


def world(node: str, units: int = 700, coming: str | None = None) -> dict[str, pd.DataFrame]:
    """DC over two sites, east and west; 60 % of 10 units a day are sold in the east, each site
    serves its region in a day and the other's never, the DC both."""
    options = [("east", "E"), ("west", "W"), ("east", "DC"), ("west", "DC")]
    sales = [("i", region, DAY - pd.Timedelta(days=k), units_a_day)
             for k in range(56) for region, units_a_day in (("east", 6), ("west", 4))]  # fmt: skip
    return {
        "nodes": pd.DataFrame({"node_id": ["DC", "E", "W"]}),
        "lanes": pd.DataFrame({"from_node_id": ["DC", "DC"], "to_node_id": ["E", "W"]}),
        "delivery_options": pd.DataFrame(options, columns=["region_id", "node_id"]).assign(
            speed="one_day"
        ),
        "delivery_speeds": pd.DataFrame(
            {"region_id": ["east", "west"], "speed": "one_day", "demand_share": 1.0}
        ),
        "sales": pd.DataFrame(sales, columns=["item_id", "region_id", "date", "units"]),
        "stock": pd.DataFrame(
            {"date": [DAY], "item_id": "i", "node_id": node, "on_hand_units": units}
        ),
        "open_orders": pd.DataFrame({
            "date": [DAY], "item_id": "i", "node_id": coming or "DC",
            "open_units": 10 if coming else 0,
        }),
        "open_transfers": pd.DataFrame({
            "date": [DAY], "item_id": "i", "from_node_id": "DC", "to_node_id": "W", "open_units": 0,
        }),
    }  # fmt: skip


def test_stock_that_reaches_only_one_region_is_told_with_the_share_it_misses() -> None:
    (found,) = out_of_reach(world("E"), AS_OF)
    assert found.rule == "item i: 700 units lie where they cannot reach 40% of its demand in time"


@pytest.mark.parametrize(
    ("node", "units", "coming"), [("DC", 700, None), ("E", 100, None), ("E", 700, "DC")]
)
def test_stock_that_reaches_all_lasts_days_or_is_followed_is_no_finding(
    node: str, units: int, coming: str | None
) -> None:
    assert not list(out_of_reach(world(node, units, coming), AS_OF))
