"""Key figures agree with the tables they are taken from."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.review.stage import run as review
from pipeline.review.summary import night_summary
from pipeline.stages import BY_NAME
from pipeline.store import Night, Store
from tests.review.small_night import AS_OF


@pytest.fixture
def kpis(two_nights: Store) -> pd.Series:
    frame = two_nights.read(AS_OF, "plan_kpis")
    return pd.Series(frame["value"].to_numpy(), index=frame["kpi"].astype("str"))


def test_order_figures_are_sums_of_the_orders(two_nights: Store, kpis: pd.Series) -> None:
    orders = two_nights.read(AS_OF, "purchase_orders")
    assert kpis["order_units"] == orders["order_units"].sum()
    assert kpis["order_value_usd"] == pytest.approx(orders["order_cost_usd"].sum())
    assert kpis["order_lines"] == len(orders)
    assert kpis["order_vendors"] == 1


def test_stock_is_valued_at_cost(two_nights: Store, kpis: pd.Series) -> None:
    units = two_nights.read(AS_OF, "stock")["on_hand_units"].sum()
    assert kpis["stock_units"] == units
    assert kpis["stock_value_usd"] == pytest.approx(4 * units)


def test_solver_capacity_and_data_figures(kpis: pd.Series) -> None:
    assert kpis["certified_gap"] == 0.0042
    assert kpis["violation"] == 0
    assert kpis["capacities_full"] == 8  # four nodes, two resources
    assert kpis["capacities_exceeded"] == 0
    assert kpis["quarantined_rows"] == 3
    assert kpis["forecast_coverage_90"] == 0.88


def test_churn_is_the_share_of_yesterdays_units_that_changed(
    two_nights: Store, kpis: pd.Series
) -> None:
    now, before = (
        two_nights.read(day, "purchase_orders").astype({"item_id": "str"}).set_index("item_id")
        for day in (AS_OF, AS_OF - timedelta(days=1))
    )
    step = now["order_units"].sub(before["order_units"], fill_value=0).abs().sum()
    assert kpis["order_churn"] == pytest.approx(step / before["order_units"].sum())


def test_the_first_night_has_no_churn(two_nights: Store) -> None:
    names = set(two_nights.read(AS_OF - timedelta(days=1), "plan_kpis")["kpi"].astype("str"))
    assert "order_churn" not in names
    assert "order_units" in names


def test_the_summary_has_the_largest_orders_with_reasons(two_nights: Store) -> None:
    summary = night_summary(two_nights, AS_OF, 3)
    costs = two_nights.read(AS_OF, "purchase_orders")["order_cost_usd"].nlargest(3)
    assert [order.cost_usd for order in summary.orders] == costs.tolist()
    assert all(order.sentence.startswith(f"Order {order.units:,} (") for order in summary.orders)
    assert dict(summary.totals)["Order value"].startswith("$")


def test_last_nights_lines_are_asked_about_or_ignored_as_the_settings_say(
    two_nights: Store, kpis: pd.Series, tmp_path: Path
) -> None:
    names = [name for name in kpis.index if name.startswith(("unplaced", "previous_order"))]
    assert len(names) == 4
    with_rule = {
        rule: Settings.model_validate(
            {"review": {"unplaced_orders": rule}, "buy": {"budget_usd": budget}}
        )
        for rule, budget in (("ask", None), ("ignore", 80_000.0))
    }
    store = Store(shutil.copytree(two_nights.root, tmp_path / "nights"))
    found = {}
    for rule, settings in with_rule.items():
        night = Night(store, BY_NAME["review"], AS_OF, settings)
        review(night)
        night.publish()
        text = store.read_files(AS_OF, "report")["report.html"].decode()
        found[rule] = ("were they placed?" in text, set(store.read(AS_OF, "plan_kpis")["kpi"]))
    assert found["ask"] == (kpis["unplaced_order_lines"] > 0, set(kpis.index))
    # A budget stands beside what is ordered.
    assert found["ignore"] == (False, (set(kpis.index) - set(names)) | {"order_budget_usd"})
