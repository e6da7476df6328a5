"""Changes since yesterday add up exactly, for orders that grow, shrink, appear and vanish."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from pipeline.explain.changes import plan_changes
from pipeline.explain.plan import NightPlan
from tests.explain.small_plan import AS_OF, plan, purchase_order, transfer

NONE = pd.Series(dtype="str")
YESTERDAY = AS_OF - timedelta(days=1)


def changes(today: NightPlan, yesterday: NightPlan | None) -> pd.DataFrame:
    return plan_changes(today, yesterday, NONE, NONE)


@pytest.mark.parametrize(("before", "now"), [(48, 96), (96, 48), (0, 48), (48, 0)])
def test_drivers_of_an_order_add_up_to_its_change(before: int, now: int) -> None:
    orders = [[purchase_order(units=units)] if units else [] for units in (now, before)]
    found = changes(plan(orders[0], on_hand=50), plan(orders[1], as_of=YESTERDAY))
    assert found["change_key"].unique().tolist() == ["order/tea"]
    assert found["driver_units"].sum() == now - before
    assert found["previous_units"].unique().tolist() == [before]
    assert found["current_units"].unique().tolist() == [now]
    by_driver = found.set_index("driver")["driver_units"]
    assert by_driver["stock_on_hand"] == 10  # ten fewer on hand than yesterday


def test_transfers_change_by_lane() -> None:
    today = plan([], [transfer(units=24), transfer("cup", 12)])
    yesterday = plan([], [transfer(units=12), transfer("cup", 12)], as_of=YESTERDAY)
    found = changes(today, yesterday)
    assert found["change_key"].unique().tolist() == ["transfer/tea/dc/fc"]
    assert found["driver_units"].sum() == 12


def test_a_vendor_switch_is_one_change_of_the_item() -> None:
    other = purchase_order(units=60, vendor_id="bolt", order_line_id="2026-03-01/bolt/tea")
    found = changes(plan([other]), plan([purchase_order()], as_of=YESTERDAY))
    assert found["change_key"].unique().tolist() == ["order/tea"]
    assert found["driver_units"].sum() == 12


def test_equal_plans_and_a_missing_yesterday_change_nothing() -> None:
    assert changes(plan([purchase_order()]), plan([purchase_order()], as_of=YESTERDAY)).empty
    assert changes(plan([purchase_order()]), None).empty
