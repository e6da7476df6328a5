"""Lost sales with a lead time: exact optimum, base-stock and capped base-stock, and heuristics.

Each period: order q (arrives L periods later), units ordered L periods ago arrive, demand D, cost
h · (on hand after demand) + p · (lost). State before ordering: x on hand (arrivals included) and
the orders q_1, …, q_{L−1} due in 1, …, L−1 periods. Costs per unit (and period), L ≥ 1 whole.

Sources: Morton, Nav. Res. Log. Q. 16 (1969) (bounds, vector base-stock); Zipkin, Oper. Res. 56
(2008) 1256–1263 (policies and table), Oper. Res. 56 (2008) 937–944 (L♮-convexity: the best order
falls by at most one for each unit in stock); Xin, Oper. Res. 69 (2021) 61–70 (capped base-stock).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.inventory.demand import Array, Lattice
from pipeline.core.inventory.newsvendor import expected_cost
from pipeline.core.inventory.single_stage import base_stock
from pipeline.kernels import njit

STATES = 3_000_000  # the most states an exact solution may hold


@dataclass(frozen=True)
class LostSales:
    """Integer demand per period, costs per unit, lead time in whole periods (at least one)."""

    demand: Lattice
    holding: float
    penalty: float
    lead_time: int

    def __post_init__(self) -> None:
        if self.lead_time < 1:
            raise ValueError("lead time must be at least one period; without one, a newsvendor")

    def period_cost(self, top: int) -> Array:
        """G(x), x = 0, …, top: expected cost of a period that starts with x units on hand."""
        units = range(top + 1)
        return np.array([expected_cost(self.demand, x, self.holding, self.penalty) for x in units])

    @property
    def largest_position(self) -> int:
        """Base-stock level with backorders: an upper bound on the best position (Morton)."""
        return int(base_stock(self.demand, self.holding, self.penalty, self.lead_time).level_units)

    @property
    def largest_order(self) -> int:
        """Newsvendor level of one period: no unit beyond it can pay, even in an empty system."""
        return int(base_stock(self.demand, self.holding, self.penalty).level_units)


@dataclass(frozen=True)
class CappedBaseStock:
    """Order min(S − position, cap), units; average cost per period. Base-stock has no cap."""

    level_units: int
    cap_units: int
    cost: float


def optimal_lost_sales(problem: LostSales, tolerance: float = 1e-5) -> float:
    """Least average cost per period, by value iteration over all positions that can pay."""
    top, most = problem.largest_position, problem.largest_order
    check_size(top, most, problem.lead_time)
    low, high = _value_iteration(
        problem.period_cost(top),
        problem.demand.mass_from_zero(),
        problem.lead_time,
        most,
        tolerance,
        10_000,
    )
    return 0.5 * (low + high)


def is_exact_possible(problem: LostSales) -> bool:
    """Whether the exact state space is small enough for this machine."""
    size = (problem.largest_position + 1) * float(problem.largest_order + 1) ** (
        problem.lead_time - 1
    )
    return size <= STATES


def check_size(top: int, most: int, lead_time: int) -> None:
    """Refuses a state space beyond `STATES` (positions up to `top`, orders up to `most`)."""
    if (top + 1) * float(most + 1) ** (lead_time - 1) > STATES:
        raise ValueError(
            f"lead time {lead_time} with orders up to {most}: too many states to solve exactly"
        )


@njit(cache=True)
def outstanding_units(pipe: int, base: int, digits: int) -> int:
    """Units in a pipeline that is written as a number with so many digits."""
    total = 0
    for _ in range(digits):
        total += pipe % base
        pipe //= base
    return total


@njit(cache=True)
def _value_iteration(
    cost: np.ndarray, mass: np.ndarray, lead: int, most: int, tolerance: float, max_sweeps: int
) -> tuple[float, float]:
    """Bounds on the average cost; `value[pipe, x]` only where x + outstanding ≤ largest."""
    top, base = cost.size - 1, most + 1
    pipes = base ** (lead - 1)
    block = base ** max(lead - 2, 0)
    tail = np.zeros(top + 2)
    for x in range(top + 2):
        tail[x] = max(1.0 - mass[: min(x, mass.size)].sum(), 0.0)
    value = np.zeros((pipes, top + 1))
    fresh = np.zeros((pipes, top + 1))
    low, high = -np.inf, np.inf
    for _ in range(max_sweeps):
        low, high = np.inf, -np.inf
        for pipe in range(pipes):
            room = top - outstanding_units(pipe, base, lead - 1)
            first = pipe // block if lead > 1 else 0
            start, stop = 0, most
            for x in range(room + 1):
                best, choice = np.inf, start
                for order in range(start, min(stop, room - x) + 1):
                    following = (pipe % block) * base + order if lead > 1 else 0
                    came = first if lead > 1 else order
                    total = tail[x] * value[following, came]
                    for d in range(min(x, mass.size)):
                        total += mass[d] * value[following, x - d + came]
                    if total < best - 1e-12:
                        best, choice = total, order
                # One unit more on hand lowers the best order by nought or one (Zipkin 2008).
                start, stop = max(choice - 1, 0), choice
                fresh[pipe, x] = cost[x] + best
                change = fresh[pipe, x] - value[pipe, x]
                low, high = min(low, change), max(high, change)
        anchor = fresh[0, 0]
        for pipe in range(pipes):
            for x in range(top + 1):
                value[pipe, x] = fresh[pipe, x] - anchor
        if high - low < tolerance:
            break
    return low, high


def policy_cost(problem: LostSales, level: int, cap: int) -> float:
    """Exact average cost of a capped base-stock policy with whole S and cap."""
    most = min(cap, level)
    check_size(level, most, problem.lead_time)
    return table_cost(problem, capped_table(problem.lead_time, level, most), most)


def table_cost(problem: LostSales, orders: NDArray[np.int64], most: int) -> float:
    """Exact average cost of the policy `orders[pipeline, x]` (units), orders up to `most`.

    The pipeline q_1, …, q_{L−1} is written as a number with base most + 1, q_1 first.
    """
    cost = problem.period_cost(orders.shape[1] - 1)
    mass = problem.demand.mass_from_zero()
    return float(_stationary_cost(cost, mass, problem.lead_time, orders, most))


@njit(cache=True)
def capped_table(lead: int, level: int, cap: int) -> np.ndarray:
    """Orders min(S − position, cap) for every state with position at most S."""
    base = cap + 1
    orders = np.zeros((base ** (lead - 1), level + 1), dtype=np.int64)
    for pipe in range(orders.shape[0]):
        room = level - outstanding_units(pipe, base, lead - 1)
        for x in range(room + 1):
            orders[pipe, x] = min(room - x, cap)
    return orders


@njit(cache=True)
def _stationary_cost(
    cost: np.ndarray, mass: np.ndarray, lead: int, orders: np.ndarray, most: int
) -> float:
    """Power iteration over (pipeline, x), from a full shelf and an empty pipeline."""
    base = most + 1
    pipes, size = orders.shape
    block = base ** max(lead - 2, 0)
    cumulated = np.cumsum(mass)
    now = np.zeros((pipes, size))
    now[0, size - 1] = 1.0
    average = 0.0
    for sweep in range(100_000):
        then = np.zeros((pipes, size))
        average = 0.0
        for pipe in range(pipes):
            first = pipe // block if lead > 1 else 0
            for x in range(size):
                weight = now[pipe, x]
                if weight < 1e-16:
                    continue
                average += weight * cost[x]
                order = orders[pipe, x]
                following = (pipe % block) * base + order if lead > 1 else 0
                came = first if lead > 1 else order
                for d in range(min(x, mass.size)):
                    then[following, x - d + came] += weight * mass[d]
                below = cumulated[min(x, mass.size) - 1] if x > 0 else 0.0
                then[following, came] += weight * (1.0 - below)
        if sweep % 5 == 4 and np.abs(then - now).sum() < 1e-9:
            break
        now = then
    return average


def best_capped_base_stock(problem: LostSales) -> CappedBaseStock:
    """Best capped base-stock policy by coordinate descent over whole S and cap."""
    top, most = problem.largest_position, problem.largest_order
    best = CappedBaseStock(0, 0, np.inf)
    level = top
    for cap in range(most, 0, -1):
        here = CappedBaseStock(level, cap, policy_cost(problem, level, cap))
        for step in (-1, 1):
            while True:
                moved = here.level_units + step
                if moved < 1:
                    break
                cost = policy_cost(problem, moved, cap)
                if cost >= here.cost:
                    break
                here = CappedBaseStock(moved, cap, cost)
        level = here.level_units
        if here.cost < best.cost:
            best = here
        elif cap < best.cap_units - 1:
            return best
    return best
