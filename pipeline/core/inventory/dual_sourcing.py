"""Dual sourcing with backorders: the exact optimum and the index policies of the literature.

Each period: both orders are placed, expedited units placed l_e periods ago and regular units
placed l_r periods ago arrive, demand, cost c_e q_e + c_r q_r + h I⁺ + b I⁻ per period. With
l = l_r − l_e ≥ 1 the system is described by x, the expedited inventory position (on hand plus all
that arrives within l_e periods), and the regular orders q_1, …, q_{l−1} that come later.

Sources: Veeraraghavan & Scheller-Wolf, Oper. Res. 56 (2008) 850–864 (dual index); Scheller-Wolf,
Veeraraghavan & van Houtum (2007) (single index); Allon & Van Mieghem, Mgmt. Sci. 56 (2010)
(tailored base-surge); Sun & Van Mieghem, M&SOM 21 (2019) (capped dual index).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from pipeline.core.inventory.demand import Array, Lattice
from pipeline.core.inventory.newsvendor import expected_cost
from pipeline.kernels import njit


@dataclass(frozen=True)
class DualSourcing:
    """Lead times in periods, unit costs, holding and backorder cost per unit and period."""

    expedited_lead_time: int
    regular_lead_time: int
    expedited_cost: float
    regular_cost: float
    holding: float
    backorder: float
    demand: Lattice

    def __post_init__(self) -> None:
        if self.regular_lead_time <= self.expedited_lead_time:
            raise ValueError("the regular lead time must exceed the expedited one")

    @property
    def lag(self) -> int:
        """l = l_r − l_e, periods."""
        return self.regular_lead_time - self.expedited_lead_time

    def holding_cost(self, positions: Array) -> Array:
        """G(y): expected cost at the end of the period when what is ordered now has come."""
        over = self.demand.over(self.expedited_lead_time + 1)
        return np.array([expected_cost(over, y, self.holding, self.backorder) for y in positions])


@dataclass(frozen=True)
class IndexPolicy:
    """Expedite up to S_e, order regularly up to S_r but at most `cap` units; cost per period.

    A dual index policy has no binding cap; tailored base-surge has no binding S_r.
    """

    expedited_level_units: int
    regular_level_units: int
    cap_units: int
    cost: float


def optimal_dual_sourcing(
    system: DualSourcing, tolerance: float = 1e-6, max_sweeps: int = 20_000
) -> float:
    """Least average cost per period, by value iteration on the exact state.

    The value depends on the position z = y + q_1 after the expedited order only, so that one
    sweep costs (positions) × (orders)^(l−1) × (demands).
    """
    mass = system.demand.mass_from_zero()
    mass, largest = mass / mass.sum(), mass.size - 1
    longest = system.demand.over(system.regular_lead_time + 1)
    reach = int(longest.quantile(system.backorder / (system.backorder + system.holding)))
    high = reach + 2 * largest + 1
    low = -int(longest.quantile(1 - 1e-9))
    positions = np.arange(low, high + 1)
    cost = system.holding_cost(positions.astype(np.float64))
    if system.lag > 1 and float(largest + 1) ** (system.lag - 1) * positions.size > 4e7:
        raise ValueError("too many states for the exact solution; use an index policy")
    bounds = _value_iteration(
        cost,
        mass,
        system.lag,
        largest,
        system.expedited_cost,
        system.regular_cost,
        tolerance,
        max_sweeps,
    )
    return 0.5 * (bounds[0] + bounds[1])


@njit(cache=True)
def _value_iteration(
    cost: np.ndarray,
    mass: np.ndarray,
    lag: int,
    largest: int,
    expedited_cost: float,
    regular_cost: float,
    tolerance: float,
    max_sweeps: int,
) -> tuple[float, float]:
    """Bounds on the gain. `ahead[z, rest]` is the value after the expedited order."""
    size, base = cost.size, largest + 1
    rest_count = base ** max(lag - 2, 0)
    pipe_count = base ** max(lag - 1, 0)
    ahead = np.zeros((size, rest_count))
    fresh = np.zeros((size, rest_count))
    value = np.zeros((pipe_count, size))
    low, high = -np.inf, np.inf
    for _ in range(max_sweeps):
        for pipe in range(pipe_count):
            first = pipe // rest_count if lag > 1 else 0
            rest = pipe % rest_count
            best = np.inf
            for y in range(size - 1, -1, -1):
                here = cost[y] + ahead[min(y + first, size - 1), rest]
                best = min(best + expedited_cost, here)
                value[pipe, y] = best
        low, high = np.inf, -np.inf
        for rest in range(rest_count):
            for z in range(size):
                best = np.inf
                for order in range(base):
                    pipe = rest * base + order if lag > 1 else 0
                    shifted = z if lag > 1 else min(z + order, size - 1)
                    total = regular_cost * order
                    for d in range(mass.size):
                        total += mass[d] * value[pipe, max(shifted - d, 0)]
                    best = min(best, total)
                fresh[z, rest] = best
                change = best - ahead[z, rest]
                low, high = min(low, change), max(high, change)
        anchor = fresh[size // 2, 0]
        for rest in range(rest_count):
            for z in range(size):
                ahead[z, rest] = fresh[z, rest] - anchor
        if high - low < tolerance:
            break
    return low, high


def index_policy_cost(
    system: DualSourcing, expedited_level: int, regular_level: int, cap: int | None = None
) -> float:
    """Exact average cost of a (capped) dual index policy with these levels."""
    gap = regular_level - expedited_level
    over, expedited = _overshoot(system, gap, cap)
    return _cost_at(system, over, expedited, expedited_level)


def best_capped_dual_index(system: DualSourcing) -> IndexPolicy:
    """Best capped dual index policy: every cap, and every difference S_r − S_e that can pay."""
    largest = system.demand.mass_from_zero().size - 1
    policies = [_best_gap(system, cap) for cap in range(1, largest + 1)]
    return min(policies, key=lambda policy: policy.cost)


def best_dual_index(system: DualSourcing) -> IndexPolicy:
    """Best dual index policy (no cap on the regular order)."""
    return _best_gap(system, None)


def best_single_index(system: DualSourcing) -> IndexPolicy:
    """Best single index policy: both orders look at the whole inventory position.

    In the long run q_e = (D − Δ)⁺ and q_r = min(D, Δ), Δ = S_r − S_e, and the expedited position
    is S_r less the last l regular orders: a newsvendor.
    """
    mass = system.demand.mass_from_zero()
    best = IndexPolicy(0, 0, 0, np.inf)
    for gap in range(mass.size):
        regular = np.append(mass[:gap], mass[gap:].sum())
        outstanding = np.ones(1)
        for _ in range(system.lag):
            outstanding = signal.convolve(outstanding, regular)
        expedited = system.demand.loss(gap)
        level, cost = _best_level(system, outstanding[::-1], expedited)
        if cost < best.cost:
            top = level + outstanding.size - 1
            best = IndexPolicy(top - gap, top, gap, cost)
    return best


def best_tailored_base_surge(system: DualSourcing) -> IndexPolicy:
    """Best tailored base-surge policy: a constant regular order, expedite up to S_e."""
    mass = system.demand.mass_from_zero()
    best = IndexPolicy(0, 0, 0, np.inf)
    for constant in range(int(np.ceil(system.demand.mean))):
        size = 400 + 40 * mass.size
        over, expedited = _surge_overshoot(mass, constant, size)
        level, cost = _best_level(system, over, expedited)
        if cost < best.cost:
            best = IndexPolicy(level, level + size, constant, cost)
    return best


def _best_gap(system: DualSourcing, cap: int | None) -> IndexPolicy:
    """Best difference S_r − S_e for a cap; the search stops after the cost rose four times."""
    best = IndexPolicy(0, 0, 0, np.inf)
    rises, gap = 0, 0
    while rises < 4:
        over, expedited = _overshoot(system, gap, cap)
        level, cost = _best_level(system, over, expedited)
        rises = rises + 1 if cost >= best.cost - 1e-12 else 0
        if cost < best.cost:
            best = IndexPolicy(level, level + gap, gap if cap is None else cap, cost)
        gap += 1
    return best


def _overshoot(system: DualSourcing, gap: int, cap: int | None) -> tuple[Array, float]:
    """Stationary law of (expedited position − S_e) after expediting, and mean expedited units."""
    mass = system.demand.mass_from_zero()
    largest = min(mass.size - 1, max(gap, 0))
    limit = largest if cap is None else min(cap, largest)
    over, expedited = _stationary(mass, system.lag, max(gap, 0), limit)
    return over, float(expedited)


def _cost_at(system: DualSourcing, over: Array, expedited: float, level: int) -> float:
    holding = over @ system.holding_cost(level + np.arange(over.size, dtype=np.float64))
    regular = system.demand.mean - expedited
    return float(holding + system.expedited_cost * expedited + system.regular_cost * regular)


def _best_level(system: DualSourcing, over: Array, expedited: float) -> tuple[int, float]:
    """The level that makes E[G(level + overshoot)] least: a newsvendor on D − overshoot."""
    demand = system.demand.over(system.expedited_lead_time + 1).mass_from_zero()
    net = np.cumsum(signal.convolve(demand, over[::-1]))  # of D − overshoot, from −(size − 1)
    ratio = system.backorder / (system.backorder + system.holding)
    level = int(np.searchsorted(net, ratio - 1e-12)) - (over.size - 1)
    return level, _cost_at(system, over, expedited, level)


@njit(cache=True)
def _stationary(mass: np.ndarray, lag: int, gap: int, cap: int) -> tuple[np.ndarray, float]:
    """Power iteration on (overshoot, pipeline) from an empty pipeline at overshoot 0."""
    base = cap + 1
    pipes = base ** (lag - 1)
    block = base ** max(lag - 2, 0)
    now = np.zeros((gap + 1, pipes))
    now[0, 0] = 1.0
    over = np.zeros(gap + 1)
    expedited = 0.0
    for sweep in range(100_000):
        then = np.zeros((gap + 1, pipes))
        expedited = 0.0
        for pipe in range(pipes):
            outstanding, digits = 0, pipe
            for _ in range(lag - 1):
                outstanding += digits % base
                digits //= base
            first = pipe // block if lag > 1 else 0
            for o in range(gap + 1):
                weight = now[o, pipe]
                if weight < 1e-18:
                    continue
                order = min(max(gap - o - outstanding, 0), cap)
                following = (pipe % block) * base + order if lag > 1 else 0
                arriving = o + (first if lag > 1 else order)
                for d in range(mass.size):
                    left = arriving - d
                    if left < 0:
                        expedited -= weight * mass[d] * left
                        left = 0
                    then[left, following] += weight * mass[d]
        if sweep % 8 == 7:
            distance = np.abs(then - now).sum()
            if distance < 1e-12:
                break
        now = then
    for o in range(gap + 1):
        over[o] = now[o].sum()
    return over / over.sum(), expedited


@njit(cache=True)
def _surge_overshoot(mass: np.ndarray, constant: int, size: int) -> tuple[np.ndarray, float]:
    """Stationary law of o ← (o + Q − D)⁺ and of the expedited shortfall, Q constant."""
    now = np.zeros(size)
    now[0] = 1.0
    expedited = 0.0
    for _ in range(200_000):
        then = np.zeros(size)
        expedited = 0.0
        for o in range(size):
            weight = now[o]
            if weight < 1e-18:
                continue
            for d in range(mass.size):
                left = o + constant - d
                if left < 0:
                    expedited -= weight * mass[d] * left
                    left = 0
                then[min(left, size - 1)] += weight * mass[d]
        distance = np.abs(then - now).sum()
        now = then
        if distance < 1e-12:
            break
    return now, expedited
