"""Items that are not worth stocking are listed as such, and not as at risk of running out."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.contracts.check import conform
from pipeline.contracts.tables import TABLES
from pipeline.review.findings import find
from tests.review.small_night import AS_OF, night_tables

OUTPUTS = ("order_reasons", "plan_changes", "previous_orders")


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    night = night_tables(AS_OF)
    frames = {name: conform(frame, TABLES[name]) for name, frame in night.items()}
    return frames | {name: empty(name) for name in OUTPUTS}


def empty(name: str) -> pd.DataFrame:
    return conform(pd.DataFrame(columns=list(TABLES[name].columns)), TABLES[name])


def without_levels(tables: dict[str, pd.DataFrame], item: str) -> dict[str, pd.DataFrame]:
    targets = tables["network_targets"].copy()
    mine = targets["item_id"].astype("str") == item
    targets.loc[mine, ["order_up_to_units", "unpriced_order_up_to_units"]] = 0
    return tables | {"network_targets": targets}


def test_an_item_without_any_level_is_unstocked_and_no_stock_out_risk(tables) -> None:
    whole = find(tables, AS_OF, False)
    assert whole.unstocked.empty
    found = find(without_levels(tables, "item03"), AS_OF, False)
    assert found.unstocked["item_id"].tolist() == ["item03"]
    assert found.unstocked["weekly_units"].iloc[0] > 1
    assert "item03" in set(whole.risk["item_id"])
    assert set(whole.risk["item_id"]) - set(found.risk["item_id"]) == {"item03"}


def test_scarce_capacity_or_no_demand_does_not_make_an_item_unstocked(tables) -> None:
    targets = tables["network_targets"].assign(order_up_to_units=0)
    assert find(tables | {"network_targets": targets}, AS_OF, False).unstocked.empty
    idle = without_levels(tables, "item03")
    idle["network_targets"]["cover_demand_units"] = 0.4
    assert find(idle, AS_OF, False).unstocked.empty


def test_what_is_taken_for_dead_has_so_much_less_to_lose(tables) -> None:
    whole = find(tables, AS_OF, False).risk.set_index("item_id")
    worst = whole["shortfall_usd"].idxmax()
    life = tables["item_life"].copy()
    life.loc[life["item_id"].astype("str") == worst, "dead_probability"] = 0.75
    found = find(tables | {"item_life": life}, AS_OF, False).risk.set_index("item_id")
    assert whole.loc[worst, "shortfall_usd"] > 0
    for column in ("shortfall_usd", "shortfall_units", "run_out_probability"):
        assert found.loc[worst, column] == pytest.approx(0.25 * whole.loc[worst, column])


def test_what_sold_lately_is_told_by_the_weeks_since_launch(tables) -> None:
    def lately(night: dict[str, pd.DataFrame]) -> pd.Series:
        orders = find(night, AS_OF, False).orders.drop_duplicates("item_id").set_index("item_id")
        return orders["trailing_weekly_units"]

    whole = lately(tables)
    name = whole.index[0]
    items = tables["items"].copy()
    mine = items["item_id"].astype("str") == name
    items.loc[mine, "launch_date"] = pd.Timestamp(AS_OF) - pd.Timedelta(days=4)
    found = lately(tables | {"items": items})
    assert found[name] == pytest.approx(4 * whole[name])
    assert found.drop(name).tolist() == whole.drop(name).tolist()
