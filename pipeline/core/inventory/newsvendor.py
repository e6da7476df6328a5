"""The newsvendor: one period, one decision, for one item or for several under a budget.

Symbols: h holding (overage) cost per unit left, p shortage (underage) cost per unit short, both
in money per unit; S order-up-to level in units; F the cdf of demand, n(S) = E[(D − S)⁺].
Sources: Arrow, Harris & Marschak (1951); Snyder & Shen (2019), section 4.3, eqs (4.3)–(4.25);
budget: Hadley & Whitin (1963), Abdel-Malek & Montanari, IJPE 97 (2005) 97–107.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from pipeline.core.arithmetic import dot
from pipeline.core.inventory.demand import Array, Demand


@dataclass(frozen=True)
class Level:
    """An order-up-to level (units) and its expected cost per period (money)."""

    level_units: float
    cost: float


@dataclass(frozen=True)
class BudgetPlan:
    """Orders under a budget: price of a unit of money λ, units per item, expected profit."""

    budget_price: float
    order_units: Array
    expected_profit: float


def expected_cost(demand: Demand, level: float, holding: float, shortage: float) -> float:
    """g(S) = h (S − μ) + (h + p) n(S): expected holding and shortage cost of one period."""
    return holding * (level - demand.mean) + (holding + shortage) * demand.loss(level)


def newsvendor(demand: Demand, holding: float, shortage: float) -> Level:
    """Best level S = F⁻¹(p / (p + h)) and its cost; the smallest such integer if discrete."""
    level = demand.quantile(shortage / (shortage + holding))
    return Level(level, expected_cost(demand, level, holding, shortage))


def expected_profit(
    demand: Demand,
    order: float,
    price: float,
    cost: float,
    salvage: float = 0.0,
    goodwill: float = 0.0,
) -> float:
    """(r − v) E[min(D, Q)] − (c − v) Q − g n(Q), per selling season."""
    short = demand.loss(order)
    return (price - salvage) * (demand.mean - short) - (cost - salvage) * order - goodwill * short


def newsvendor_profit(
    demand: Demand, price: float, cost: float, salvage: float = 0.0, goodwill: float = 0.0
) -> tuple[float, float]:
    """Best order (units) and expected profit in the explicit form with revenue and salvage."""
    best = newsvendor(demand, cost - salvage, price + goodwill - cost)
    return best.level_units, expected_profit(
        demand, best.level_units, price, cost, salvage, goodwill
    )


def budgeted_newsvendor(
    demands: Sequence[Demand],
    prices: Sequence[float],
    costs: Sequence[float],
    salvages: Sequence[float],
    budget: float,
) -> BudgetPlan:
    """Maximise Σ profit_i(Q_i) subject to Σ c_i Q_i ≤ budget, Q ≥ 0.

    At the price λ of money item i orders F⁻¹((r − (1+λ) c) / (r − v)), nothing when that ratio is
    negative; λ ≥ 0 makes the orders cost just the budget. Exact for continuous demand; for
    discrete demand the money left over at λ buys whole units in order of value per money.
    """

    def orders(price_of_money: float) -> Array:
        ratios = [
            (r - (1 + price_of_money) * c) / (r - v)
            for r, c, v in zip(prices, costs, salvages, strict=True)
        ]
        units = [
            max(d.quantile(q), 0.0) if q > 0 else 0.0 for d, q in zip(demands, ratios, strict=True)
        ]
        return np.array(units)

    unit_costs = np.asarray(costs, dtype=float)

    def excess(price_of_money: float) -> float:
        return dot(unit_costs, orders(price_of_money)) - budget

    money_price = 0.0
    if excess(0.0) > 0:
        highest = max(r / c for r, c in zip(prices, costs, strict=True))
        money_price = optimize.brentq(excess, 0.0, highest, xtol=1e-15, rtol=1e-14)
    chosen = orders(money_price)
    if excess(money_price) > 1e-6 * max(budget, 1.0):  # a jump of a discrete quantile
        chosen = orders(money_price * (1 + 1e-12) + 1e-12)
    chosen = _spend_rest(demands, prices, costs, salvages, chosen, budget)
    profit = sum(
        expected_profit(d, q, r, c, v)
        for d, q, r, c, v in zip(demands, chosen, prices, costs, salvages, strict=True)
    )
    return BudgetPlan(float(money_price), chosen, float(profit))


def _spend_rest(
    demands: Sequence[Demand],
    prices: Sequence[float],
    costs: Sequence[float],
    salvages: Sequence[float],
    orders: Array,
    budget: float,
) -> Array:
    """Buy further whole units of discrete items while they fit and still raise the profit."""
    orders = orders.copy()
    while True:
        left = budget - dot(np.asarray(costs), orders)
        gains = []
        for i, d in enumerate(demands):
            if d.is_integer and costs[i] <= left + 1e-9:
                sold = d.loss(orders[i]) - d.loss(orders[i] + 1)
                gain = (prices[i] - salvages[i]) * sold - (costs[i] - salvages[i])
                gains.append((gain / costs[i], -i))
        if not gains or max(gains)[0] <= 1e-12:
            return orders
        orders[-max(gains)[1]] += 1
