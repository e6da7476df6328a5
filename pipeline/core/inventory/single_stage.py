"""One stocking point with backorders: base-stock, (r, Q) and (s, S), exactly.

Symbols: h holding and p backorder cost per unit and period, K fixed cost per order, λ mean demand
per period, L lead time in periods, D(L) demand over it, G(y) = h E[(y − D)⁺] + p E[(D − y)⁺].
Sources: Snyder & Shen (2019), sections 3.2, 4.3–4.4 and 5.5; Federgruen & Zheng, Oper. Res. 40
(1992) 808–813 for (r, Q); Zheng & Federgruen, Oper. Res. 39 (1991) 654–665 for (s, S).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import integrate, optimize

from pipeline.core.arithmetic import dot
from pipeline.core.inventory.demand import Demand, Lattice
from pipeline.core.inventory.newsvendor import Level, expected_cost, newsvendor


@dataclass(frozen=True)
class ReorderPolicy:
    """Order Q units when the inventory position reaches r; cost per period (money)."""

    reorder_point_units: float
    order_units: float
    cost: float


@dataclass(frozen=True)
class MinMaxPolicy:
    """Order up to S when the inventory position is at or below s; cost per period (money)."""

    reorder_point_units: int
    order_up_to_units: int
    cost: float


def base_stock(
    demand: Demand, holding: float, backorder: float, lead_time: float = 0.0, review: float = 1.0
) -> Level:
    """Best base-stock level: a newsvendor on the demand over lead time plus review period.

    `review` is 1 for periodic review (order, then demand, then cost) and 0 for continuous review.
    """
    return newsvendor(demand.over(lead_time + review), holding, backorder)


def economic_order_quantity(
    rate: float, fixed_cost: float, holding: float, backorder: float = math.inf
) -> Level:
    """Harris's lot size √(2Kλ/h · (h+p)/p) in units and its cost per period."""
    share = 1.0 if math.isinf(backorder) else backorder / (holding + backorder)
    return Level(
        math.sqrt(2 * fixed_cost * rate / (holding * share)),
        math.sqrt(2 * fixed_cost * rate * holding * share),
    )


def reorder_cost(
    lead_time_demand: Demand,
    rate: float,
    fixed_cost: float,
    holding: float,
    backorder: float,
    reorder_point: float,
    order_units: float,
) -> float:
    """Cost per period of (r, Q): (K λ + ∫ G over (r, r+Q]) / Q, a sum for integer demand."""
    if lead_time_demand.is_integer:
        levels = np.arange(reorder_point + 1, reorder_point + order_units + 1)
        area = sum(expected_cost(lead_time_demand, y, holding, backorder) for y in levels)
    else:
        area = integrate.quad(
            lambda y: expected_cost(lead_time_demand, y, holding, backorder),
            reorder_point,
            reorder_point + order_units,
            epsabs=1e-10,
            epsrel=1e-12,
            limit=200,
        )[0]
    return float((fixed_cost * rate + area) / order_units)


def reorder_policy(
    lead_time_demand: Demand, rate: float, fixed_cost: float, holding: float, backorder: float
) -> ReorderPolicy:
    """Best (r, Q) under continuous review, for integer or continuous lead-time demand."""
    if lead_time_demand.is_integer:
        return _reorder_integer(lead_time_demand, rate, fixed_cost, holding, backorder)
    return _reorder_continuous(lead_time_demand, rate, fixed_cost, holding, backorder)


def _reorder_integer(
    lead_time_demand: Demand, rate: float, fixed_cost: float, holding: float, backorder: float
) -> ReorderPolicy:
    """Federgruen & Zheng: add the cheaper neighbouring level while it lowers the average."""

    def g(level: int) -> float:
        return expected_cost(lead_time_demand, level, holding, backorder)

    best = int(newsvendor(lead_time_demand, holding, backorder).level_units)
    low = high = best
    total = fixed_cost * rate + g(best)
    count = 1
    while True:
        below, above = g(low - 1), g(high + 1)
        nearer = min(below, above)
        if nearer >= total / count:
            return ReorderPolicy(low - 1, count, total / count)
        total += nearer
        count += 1
        if below <= above:
            low -= 1
        else:
            high += 1


def _reorder_continuous(
    lead_time_demand: Demand, rate: float, fixed_cost: float, holding: float, backorder: float
) -> ReorderPolicy:
    """At the optimum G(r) = G(r + Q) = c, and the area between c and G is K λ."""

    def g(level: float) -> float:
        return expected_cost(lead_time_demand, level, holding, backorder)

    bottom = newsvendor(lead_time_demand, holding, backorder)
    if fixed_cost <= 0:
        raise ValueError("(r, Q) needs a positive fixed cost; use base_stock without one")

    def ends(c: float) -> tuple[float, float]:
        low = bottom.level_units - 2 * (c / backorder + lead_time_demand.sd)
        high = bottom.level_units + 2 * (c / holding + lead_time_demand.sd)
        return (
            optimize.brentq(lambda y: g(y) - c, low, bottom.level_units, xtol=1e-12),
            optimize.brentq(lambda y: g(y) - c, bottom.level_units, high, xtol=1e-12),
        )

    def surplus(c: float) -> float:
        low, high = ends(c)
        area = integrate.quad(g, low, high, epsabs=1e-10, epsrel=1e-12, limit=200)[0]
        return float(c * (high - low) - area - fixed_cost * rate)

    lowest = bottom.cost * (1 + 1e-10) + 1e-12
    highest = bottom.cost + 1.0
    while surplus(highest) < 0:
        highest = 2 * highest
    cost = float(optimize.brentq(surplus, lowest, highest, xtol=1e-12))
    low, high = ends(cost)
    return ReorderPolicy(low, high - low, cost)


def min_max_policy(
    demand: Lattice, holding: float, backorder: float, fixed_cost: float, lead_time: int = 0
) -> MinMaxPolicy:
    """Best (s, S) under periodic review and integer demand (Zheng & Federgruen 1991).

    c(s, S) = (K + Σ_{j<S−s} m(j) G(S−j)) / M(S−s), where m is the renewal density of demand.
    The search moves S up and s up or down within bounds proved there; it is exact.
    """
    over_lead = demand.over(lead_time + 1)

    def g(level: int) -> float:
        return expected_cost(over_lead, level, holding, backorder)

    renewals = _Renewal(demand.mass_from_zero())

    def cost(s: int, top: int) -> float:
        span = top - s
        density = renewals.density(span)
        levels = top - np.arange(span)
        return (fixed_cost + dot(density, np.array([g(int(y)) for y in levels]))) / float(
            density.sum()
        )

    start = int(newsvendor(over_lead, holding, backorder).level_units)
    s, top = start - 1, start
    while cost(s, top) > g(s):
        s -= 1
    best, best_top = cost(s, top), top
    top += 1
    while g(top) <= best:
        if cost(s, top) < best:
            best_top = top
            while s + 1 < best_top and cost(s, best_top) <= g(s + 1):
                s += 1
            best = cost(s, best_top)
        top += 1
    return MinMaxPolicy(s, best_top, best)


class _Renewal:
    """Renewal density m(0), m(1), … of integer demand, grown on request."""

    def __init__(self, mass: np.ndarray) -> None:
        self.mass = mass
        self.values = [1.0 / (1.0 - mass[0])]

    def density(self, count: int) -> np.ndarray:
        while len(self.values) < count:
            j = len(self.values)
            reach = np.arange(1, min(j, self.mass.size - 1) + 1)
            earlier = np.array([self.values[j - k] for k in reach])
            self.values.append(dot(self.mass[reach], earlier) / (1.0 - self.mass[0]))
        return np.array(self.values[:count])
