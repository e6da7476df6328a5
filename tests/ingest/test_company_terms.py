"""Limits, blocks, breaks, awards and trucks, from raw files to the night's tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.awards import award_standing
from pipeline.ingest.raw import read_folder
from pipeline.ingest.standing_rules import with_standing_rules
from pipeline.ingest.world import clean_world
from tests.ingest.conftest import AS_OF, ingest, raw, small_world

__all__ = ["ingest", "raw", "small_world"]  # fixtures used by name
TODAY = pd.Timestamp(AS_OF)


@pytest.fixture
def offer(raw: Path) -> tuple[str, str, float]:
    """A vendor, its item and the item's cost."""
    row = pd.read_csv(raw / "vendor_items.csv").iloc[0]
    return str(row["vendor_id"]), str(row["item_id"]), float(row["unit_cost_usd"])


def test_what_a_company_says_reaches_the_night_and_what_is_wrong_is_told(raw, offer):
    vendor, item, cost = offer
    node = pd.read_csv(raw / "nodes.csv")["node_id"][0]
    files = {
        "stock_limits": f"item_id,node_id,least_units,most_units\n{item},{node},6,\n",
        "item_blocks": f"block_id,item_id,region_id\nb1,{item},\nb2,,\n",
        "price_breaks": "vendor_id,item_id,from_units,break_cost_usd\n"
        f"{vendor},{item},100,{cost * 0.9}\n{vendor},{item},500,{cost * 1.1}\n",
        "truck_terms": f"vendor_id,truck_cuft,truck_lb,least_fill_share\n{vendor},2000,,0.8\n",
        "vendor_awards": f"vendor_id,item_id,award_share\n{vendor},{item},1\n",
    }
    for name, text in files.items():
        (raw / f"{name}.csv").write_text(text)
    night = clean_world(read_folder(raw), AS_OF, IngestSettings())
    overrides = night["overrides"].set_index("override_id")
    assert overrides.loc[f"stock_limits/at_least/{item}/{node}", "override_value"] == 6
    assert overrides.loc["item_blocks/order_units/b1", "override_kind"] == "block"
    assert night["price_breaks"]["from_units"].tolist() == [100]
    assert night["award_standing"]["is_next"].tolist() == [True]
    assert night["truck_terms"]["truck_lb"].isna().all()
    told = night["quarantine"]
    assert "is no lower than the cost without it" in told["rule"].tolist()


def test_without_any_of_it_nothing_is_added(raw):
    night = clean_world(read_folder(raw), AS_OF, IngestSettings())
    assert night["award_standing"].empty
    assert night["price_breaks"].empty
    assert not night["overrides"]["override_id"].str.contains("/").any()


def awards(units: dict[str, int], shares: dict[str, float]) -> pd.DataFrame:
    receipts = pd.DataFrame({
        "vendor_id": list(units), "item_id": "A", "order_date": TODAY - pd.Timedelta(days=30),
        "units": list(units.values()),
    })  # fmt: skip
    opened = pd.DataFrame(columns=["date", "vendor_id", "item_id", "open_units"])
    table = pd.DataFrame({
        "vendor_id": list(shares), "item_id": "A", "award_share": list(shares.values()),
    })  # fmt: skip
    tables = {"vendor_awards": table, "receipts": receipts, "open_orders": opened}
    return award_standing(tables, AS_OF).set_index("vendor_id")


def test_the_vendor_that_is_furthest_behind_its_share_is_next():
    shares = {"v1": 0.7, "v2": 0.3}
    assert awards({"v1": 60, "v2": 40}, shares)["is_next"].to_dict() == {"v1": True, "v2": False}
    assert awards({"v1": 80, "v2": 20}, shares)["is_next"].to_dict() == {"v1": False, "v2": True}


def test_shares_are_met_in_the_long_run_whatever_their_sum():
    got = {"v1": 0, "v2": 0, "v3": 0}
    shares = {"v1": 3.0 / 5, "v2": 1.5 / 5, "v3": 0.0}
    for _ in range(60):
        turn = awards(got, shares)["is_next"]
        got[str(turn.index[turn][0])] += 10
    assert got == {"v1": 400, "v2": 200, "v3": 0}


def test_a_block_that_is_over_or_without_a_row_changes_no_override():
    empty = pd.DataFrame(columns=["item_id", "node_id", "least_units", "most_units"])
    blocks = pd.DataFrame({
        "block_id": ["b"], "item_id": ["A"], "node_id": [None], "region_id": [None],
        "start_date": [TODAY - pd.Timedelta(days=9)], "expiry_date": [TODAY],
    })  # fmt: skip
    own = pd.DataFrame({"override_id": ["o1"]})
    tables = {"overrides": own, "stock_limits": empty, "item_blocks": blocks}
    assert with_standing_rules(tables, AS_OF) is own
