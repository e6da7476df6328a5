"""The newsvendor's level is the cheapest one; budgets are kept and spent where they pay most."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inventory import demand as d
from pipeline.core.inventory import newsvendor as nv

COSTS = st.floats(0.05, 20)


@given(holding=COSTS, shortage=COSTS, rate=st.floats(0.3, 12))
@settings(max_examples=60, deadline=None)
def test_discrete_level_is_the_best_of_all(holding: float, shortage: float, rate: float) -> None:
    demand = d.poisson(rate)
    best = nv.newsvendor(demand, holding, shortage)
    costs = [nv.expected_cost(demand, s, holding, shortage) for s in range(60)]
    assert best.cost == pytest.approx(min(costs))


@given(holding=COSTS, shortage=COSTS)
@settings(max_examples=40, deadline=None)
def test_continuous_level_is_stationary(holding: float, shortage: float) -> None:
    for demand in (d.normal(50, 8), d.uniform(0, 30), d.lognormal(1.0, 0.8)):
        best = nv.newsvendor(demand, holding, shortage)
        for step in (-0.01, 0.01):
            cost = nv.expected_cost(demand, best.level_units + step, holding, shortage)
            assert cost >= best.cost - 1e-9


def test_textbook_values() -> None:
    level = nv.newsvendor(d.normal(50, 8), 0.18, 0.70)
    assert level.level_units == pytest.approx(56.603956, abs=1e-5)  # 50 + 8 · Φ⁻¹(0.70/0.88)
    assert level.cost == pytest.approx(1.997605, abs=1e-5)  # 0.88 · 8 · φ(0.8255)
    units, profit = nv.newsvendor_profit(d.normal(50, 10), 7, 2.5, 1.5)
    assert units == pytest.approx(59.084579, abs=1e-5)  # Φ⁻¹((7 − 2.5)/(7 − 1.5)) = 0.908
    assert profit == pytest.approx(210.476808, abs=1e-5)


def test_profit_form_and_cost_form_agree() -> None:
    demand, price, cost, salvage = d.normal(50, 10), 7.0, 2.5, 1.5
    units, profit = nv.newsvendor_profit(demand, price, cost, salvage)
    loss = nv.expected_cost(demand, units, cost - salvage, price - cost)
    assert profit == pytest.approx((price - cost) * demand.mean - loss)


@given(
    prices=st.lists(st.floats(5, 40), min_size=2, max_size=4),
    budget=st.floats(50, 3000),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_budget_is_kept_and_marginal_values_are_equal(
    prices: list[float], budget: float, data: st.DataObject
) -> None:
    costs = [data.draw(st.floats(1, price * 0.9)) for price in prices]
    ends = [data.draw(st.floats(20, 200)) for _ in prices]
    plan = nv.budgeted_newsvendor(
        [d.uniform(0, b) for b in ends], prices, costs, [0.0] * len(prices), budget
    )
    spent = float(np.dot(costs, plan.order_units))
    assert spent <= budget * (1 + 1e-6)
    assert plan.budget_price == 0 or spent == pytest.approx(budget, rel=1e-6)
    for q, b, price, cost in zip(plan.order_units, ends, prices, costs, strict=True):
        value = (price * (1 - q / b) - cost) / cost  # of one more unit of money in this item
        assert value <= plan.budget_price + 1e-6
        assert q == 0 or value == pytest.approx(plan.budget_price, abs=1e-6)


def test_whole_units_spend_what_the_price_of_money_leaves_over() -> None:
    demands = [d.poisson(3), d.poisson(5)]
    prices, costs, budget = [10.0, 8.0], [4.0, 3.0], 20.0
    plan = nv.budgeted_newsvendor(demands, prices, costs, [0.0, 0.0], budget)
    best = max(
        sum(
            nv.expected_profit(demand, q, r, c)
            for demand, q, r, c in zip(demands, (a, b), prices, costs, strict=True)
        )
        for a in range(6)
        for b in range(7)
        if 4 * a + 3 * b <= budget
    )
    assert float(np.dot(costs, plan.order_units)) <= budget
    assert plan.expected_profit == pytest.approx(best)


@given(holding=COSTS, shortage=COSTS, mean=st.floats(2, 60), lead=st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_agrees_with_stockpyl(holding: float, shortage: float, mean: float, lead: int) -> None:
    theirs = pytest.importorskip("stockpyl.newsvendor")
    sd = mean / 5
    level, cost = theirs.newsvendor_normal(holding, shortage, mean, sd, lead_time=lead)
    ours = nv.newsvendor(d.normal(mean, sd).over(lead + 1), holding, shortage)
    assert ours.level_units == pytest.approx(level, rel=1e-6)
    assert ours.cost == pytest.approx(cost, rel=1e-6)
    level, cost = theirs.newsvendor_poisson(holding, shortage, mean)
    ours = nv.newsvendor(d.poisson(mean), holding, shortage)
    assert ours.level_units == level
    assert ours.cost == pytest.approx(cost, rel=1e-6)
