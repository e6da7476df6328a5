"""Lost sales with a fixed order cost and periodic review, in continuous time and by the period.

In continuous time demand is a Poisson process of `rate` units per unit of time; every R = 1 the
stock is reviewed; an order arrives L later, that is after ⌊L⌋ reviews and a fraction τ = L − ⌊L⌋ of
a period. Cost: K per order, h per unit on hand and unit of time (integrated), p per lost unit. By
the period, demand has any law, an order arrives a whole number of periods later, before demand, and
h is paid for what is left after it: the same value iteration, its first part without length. With
Poisson demand the two differ by a sixth to a fifth of the cost, since a period's holding is that of
its end in one and of its course in the other, so a record must say which it means.

Sources of model and tests: Bijvank, Service Inventory Control, PhD thesis, VU Amsterdam (2009),
chapter 6; Bijvank, Bhulai & Huh, EJOR 241 (2015) 381–390.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.core.inventory.demand import Array, poisson
from pipeline.core.inventory.lost_sales import LostSales, outstanding_units
from pipeline.core.inventory.single_stage import base_stock, economic_order_quantity
from pipeline.kernels import njit


@dataclass(frozen=True)
class FixedCostLostSales:
    """Poisson rate per review period; costs; lead time in review periods (≥ 0, any fraction)."""

    rate: float
    holding: float
    penalty: float
    fixed_cost: float
    lead_time: float

    @property
    def whole_periods(self) -> int:
        """Orders outstanding at a review, ⌊L⌋."""
        return math.floor(self.lead_time + 1e-9)

    def stage_cost(self, duration: float, top: int) -> Array:
        """h ∫ E(x − N(t))⁺ dt + p E(N(duration) − x)⁺ for x = 0, …, top.

        Uses ∫ P(N(t) = j) dt = P(N(duration) > j) / rate.
        """
        arrivals = poisson(self.rate * duration)
        times = stats.poisson.sf(np.arange(top + 1), self.rate * duration) / self.rate
        on_hand = [float(np.arange(x, 0, -1) @ times[:x]) if x else 0.0 for x in range(top + 1)]
        lost = [arrivals.loss(x) for x in range(top + 1)]
        return self.holding * np.array(on_hand) + self.penalty * np.array(lost)


def optimal_fixed_cost_lost_sales(problem: FixedCostLostSales, tolerance: float = 1e-4) -> float:
    """Least average cost per review period."""
    outstanding = problem.whole_periods
    safe = base_stock(
        poisson(problem.rate), problem.holding, problem.penalty, problem.lead_time
    ).level_units
    top, most = _ranges(problem.rate, problem.fixed_cost, problem.holding, safe, outstanding)
    fraction = problem.lead_time - outstanding
    low, high = _value_iteration(
        problem.stage_cost(fraction, top),
        problem.stage_cost(1 - fraction, top),
        poisson(problem.rate * fraction).mass_from_zero(),
        poisson(problem.rate * (1 - fraction)).mass_from_zero(),
        outstanding,
        most,
        problem.fixed_cost,
        tolerance,
        20_000,
    )
    return 0.5 * (low + high)


def optimal_fixed_cost_by_period(
    problem: LostSales, fixed_cost: float, tolerance: float = 1e-4
) -> float:
    """Least average cost per period of core.inventory.lost_sales' problem, where every order costs
    fixed_cost besides."""
    top, most = _ranges(
        problem.demand.mean, fixed_cost, problem.holding, problem.largest_position,
        problem.lead_time,
    )  # fmt: skip
    low, high = _value_iteration(
        np.zeros(top + 1), problem.period_cost(top), np.ones(1), problem.demand.mass_from_zero(),
        problem.lead_time, most, fixed_cost, tolerance, 20_000,
    )  # fmt: skip
    return 0.5 * (low + high)


def _ranges(
    rate: float, fixed_cost: float, holding: float, safe: float, outstanding: int
) -> tuple[int, int]:
    """Largest position and order that can pay. Raises ValueError where states are too many."""
    lot = economic_order_quantity(rate, fixed_cost, holding).level_units
    most = math.ceil(1.6 * lot + rate) + 2
    top = int(safe) + math.ceil(1.2 * lot)
    if (top + 1) * float(most + 1) ** outstanding > 5e6:
        raise ValueError(f"{outstanding} orders outstanding: too many states to solve exactly")
    return top, most


@njit(cache=True)
def _after(values: np.ndarray, mass: np.ndarray, x: int, came: int) -> float:
    """E values[(x − D)⁺ + came]."""
    total, left = 0.0, 1.0
    for d in range(min(x, mass.size)):
        total += mass[d] * values[x - d + came]
        left -= mass[d]
    return total + max(left, 0.0) * values[came]


@njit(cache=True)
def _value_iteration(
    first_cost: np.ndarray,
    second_cost: np.ndarray,
    first_mass: np.ndarray,
    second_mass: np.ndarray,
    outstanding: int,
    most: int,
    fixed_cost: float,
    tolerance: float,
    max_sweeps: int,
) -> tuple[float, float]:
    """Bounds on the average cost; the head of the pipeline arrives between the two stages."""
    base, top = most + 1, first_cost.size - 1
    pipes = base**outstanding
    block = base ** max(outstanding - 1, 0)
    value = np.zeros((pipes, top + 1))
    middle = np.zeros((pipes, top + 1))
    fresh = np.zeros((pipes, top + 1))
    low, high = -np.inf, np.inf
    for _ in range(max_sweeps):
        for pipe in range(pipes):
            for z in range(top - outstanding_units(pipe, base, outstanding) + 1):
                middle[pipe, z] = second_cost[z] + _after(value[pipe], second_mass, z, 0)
        low, high = np.inf, -np.inf
        for pipe in range(pipes):
            room = top - outstanding_units(pipe, base, outstanding)
            for x in range(room + 1):
                best = np.inf
                for order in range(min(most, room - x) + 1):
                    if outstanding > 0:
                        following, came = (pipe % block) * base + order, pipe // block
                    else:
                        following, came = 0, order
                    total = _after(middle[following], first_mass, x, came)
                    if order > 0:
                        total += fixed_cost
                    best = min(best, total)
                fresh[pipe, x] = first_cost[x] + best
                change = fresh[pipe, x] - value[pipe, x]
                low, high = min(low, change), max(high, change)
        anchor = fresh[0, 0]
        for pipe in range(pipes):
            for x in range(top + 1):
                value[pipe, x] = fresh[pipe, x] - anchor
        if high - low < tolerance:
            break
    return low, high
