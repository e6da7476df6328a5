"""An override that says what the plan says anyway changes nothing; one that binds keeps sense."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.buy.lines import order_candidates, purchase_orders
from pipeline.buy.plan import BuyTables, plan_orders
from pipeline.contracts.settings import BuySettings, PlanningSettings
from tests.buy.world import AS_OF, overrides, world


def tables_of(tables: BuyTables, buy: BuySettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    plan = plan_orders(tables, AS_OF, PlanningSettings(), buy)
    return purchase_orders(plan, AS_OF), order_candidates(plan, buy)


@pytest.mark.parametrize(("seed", "budget"), [(1, None), (2, None), (3, 2500.0)])
def test_overrides_that_do_not_bind_leave_every_line_and_alternative_equal(
    seed: int, budget: float | None
) -> None:
    tables = world(40, 5, seed, second_vendor_share=0.7)
    buy = BuySettings(budget_usd=budget)
    lines, candidates = tables_of(tables, buy)
    units = dict(zip(lines["item_id"], lines["order_units"].astype(float), strict=True))
    items = sorted(set(tables.network_targets["item_id"].astype("str")))
    assert len(units) > 5
    assert len(units) < len(items)
    for kind, value in {
        "at_most": lambda item: 1e5, "at_least": lambda item: 0.0,
        "multiply": lambda item: 1.0, "set": lambda item: units.get(item, 0.0),
    }.items():  # fmt: skip
        ruled = replace(tables, overrides=overrides(*((i, kind, value(i)) for i in items)))
        again = tables_of(ruled, buy)
        pd.testing.assert_frame_equal(again[0], lines)
        pd.testing.assert_frame_equal(again[1], candidates)
    tight = [(i, kind, units.get(i, 0.0)) for i in items for kind in ("at_most", "at_least")]
    pd.testing.assert_frame_equal(
        tables_of(replace(tables, overrides=overrides(*tight)), buy)[0], lines
    )


def test_a_ceiling_that_binds_never_makes_an_order_that_loses() -> None:
    tables = world(40, 5, 1, second_vendor_share=0.7)
    lines, _ = tables_of(tables, BuySettings())
    for row in lines.itertuples():
        ceiling = float(row.order_units) * 0.7
        found, _ = tables_of(
            replace(tables, overrides=overrides((row.item_id, "at_most", ceiling))), BuySettings()
        )
        mine = found[found["item_id"] == row.item_id]
        assert (mine["order_units"] <= ceiling).all()
        assert (mine["value_gained_usd"] >= 0).all()
