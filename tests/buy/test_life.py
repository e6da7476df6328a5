"""An item's life limits what is ordered: its end, its shelf life, its silence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.buy.lines import order_candidates, purchase_orders
from pipeline.buy.plan import plan_orders
from pipeline.contracts.settings import BuySettings, PlanningSettings
from tests.buy.world import AS_OF, TODAY, no_life, one_item, overrides

BUY = BuySettings(order_line_usd=0)


def orders(**known: object) -> tuple[pd.DataFrame, list[str]]:
    """Orders of one item that lacks 40 units and sells two a day, and why there is none."""
    tables = one_item(item_life=no_life(["i00000"], **known))
    plan = plan_orders(tables, AS_OF, PlanningSettings(), BUY)
    why = order_candidates(plan, BUY)["why_not"].dropna().tolist()
    return purchase_orders(plan, AS_OF), why


def test_without_limits_the_level_is_ordered() -> None:
    assert orders()[0]["order_units"].tolist() == [40]


@pytest.mark.parametrize("days", [1, 3, 7])
def test_nothing_is_ordered_that_arrives_after_the_last_day(days: int) -> None:
    """The lead time is seven days; 72 units were ordered for an item that ended in three."""
    lines, why = orders(end_date=TODAY + pd.Timedelta(days=days))
    assert lines.empty
    assert any("would arrive after the item's last day" in text for text in why)


@pytest.mark.parametrize(("days", "units"), [(16, 32), (18, 36), (60, 40)])
def test_no_more_is_ordered_than_sells_before_the_last_day(days: int, units: int) -> None:
    """Two a day; the cover of 14 days and its safety stock ask for 40."""
    lines, _ = orders(end_date=TODAY + pd.Timedelta(days=days))
    assert lines["order_units"].tolist() == [units]
    code = "item_end" if units < 40 else "below_order_up_to"
    assert lines["reason_code"].tolist() == [code]


def test_no_more_is_ordered_than_sells_within_the_shelf_life() -> None:
    lines, _ = orders(shelf_life_days=pd.array([12], dtype="Int64"))
    assert lines["order_units"].tolist() == [24]
    assert lines["reason_code"].tolist() == ["shelf_life"]


def test_a_quiet_item_gets_one_least_order_while_that_is_cheap() -> None:
    """Ten dollars a unit: one unit is cheap, a case of four is not."""
    lines, _ = orders(is_quiet=True, quiet_days=39)
    assert lines["order_units"].tolist() == [1]
    assert lines["reason_code"].tolist() == ["quiet"]
    tables = one_item(case=4, item_life=no_life(["i00000"], is_quiet=True, quiet_days=165))
    plan = plan_orders(tables, AS_OF, PlanningSettings(), BUY)
    assert purchase_orders(plan, AS_OF).empty
    why = order_candidates(plan, BUY)["why_not"].dropna().tolist()
    assert any("sold nothing on the last 165 days: taken for dead" in text for text in why)


@pytest.mark.parametrize(("usd", "units"), [(0.0, 1), (120.0, 12), (1000.0, 28)])
def test_the_return_of_a_quiet_item_is_bet_on_as_far_as_the_setting_says(
    usd: float, units: int
) -> None:
    """Ten dollars a unit, and 28 expected to sell over the cover."""
    buy = BUY.model_copy(update={"quiet_demand_usd": usd})
    tables = one_item(item_life=no_life(["i00000"], is_quiet=True, quiet_days=39))
    lines = purchase_orders(plan_orders(tables, AS_OF, PlanningSettings(), buy), AS_OF)
    assert lines["order_units"].tolist() == [units]


def test_a_silent_item_gets_what_is_expected_to_sell_and_only_cheap_safety_stock() -> None:
    """Two a day for the cover of 14 days; 40 with safety stock."""
    silent = {"quiet_days": 13, "dead_probability": 0.6}
    lines, _ = orders(**silent)
    assert lines["order_units"].tolist() == [28]
    assert lines["reason_code"].tolist() == ["silent"]
    tables = one_item(on_hand=30, item_life=no_life(["i00000"], **silent))
    plan = plan_orders(tables, AS_OF, PlanningSettings(), BUY)
    assert purchase_orders(plan, AS_OF)["order_units"].tolist() == [10]  # $100: cheap enough
    plan = plan_orders(tables, AS_OF, PlanningSettings(), BUY.model_copy(
        update={"silent_order_usd": 0.0}))  # fmt: skip
    assert purchase_orders(plan, AS_OF).empty
    why = order_candidates(plan, BUY)["why_not"].dropna().tolist()
    assert any("safety stock waits until it sells again" in text for text in why)
    assert orders(**silent | {"dead_probability": 0.4})[0]["order_units"].tolist() == [40]


def test_a_quiet_item_that_is_in_stock_gets_nothing() -> None:
    tables = one_item(on_hand=3, item_life=no_life(["i00000"], is_quiet=True, quiet_days=39))
    assert purchase_orders(plan_orders(tables, AS_OF, PlanningSettings(), BUY), AS_OF).empty


def test_a_planner_who_knows_better_orders_a_quiet_item() -> None:
    tables = one_item(item_life=no_life(["i00000"], is_quiet=True, quiet_days=39),
                      overrides=overrides(("i00000", "set", 30)))  # fmt: skip
    lines = purchase_orders(plan_orders(tables, AS_OF, PlanningSettings(), BUY), AS_OF)
    assert lines["order_units"].tolist() == [30]
    assert np.isclose(lines["order_cost_usd"].sum(), 300)
