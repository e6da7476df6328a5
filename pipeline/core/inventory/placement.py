"""Where to place a given amount of stock when orders are fulfilled optimally in hindsight.

T orders arrive, each from region j with probability p_j. A unit at fulfillment center i serves
region j at cost c_ij, an order left unserved costs b_j. The placement minimises the expected cost
of the best assignment in hindsight (a transportation problem for every demand outcome), a lower
bound on every online policy and the objective of Arlotto, Keskin & Wei, "Online resource
allocation … with initial placement" (Oper. Res.); see also Xu, Zhang, Zhang & Zhang, Mgmt. Sci. 66
(2020) 4667–4685. Costs in money per order, stock in units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pipeline.core.inventory.demand import Array
from pipeline.kernels import njit

Counts = NDArray[np.int64]
OUTCOMES = 400_000  # the most demand outcomes that are enumerated


@dataclass(frozen=True)
class PlacementProblem:
    """`cost[i, j]` from center i to region j, `lost_sale[j]`, order probabilities, orders T."""

    cost: Array
    lost_sale: Array
    probabilities: Array
    orders: int

    def __post_init__(self) -> None:
        if self.cost.shape[1] != self.lost_sale.size or self.lost_sale.size != (
            self.probabilities.size
        ):
            raise ValueError("cost, lost_sale and probabilities disagree on the regions")


@dataclass(frozen=True)
class Placement:
    """Units at each center and the expected hindsight cost (money)."""

    units: Counts
    cost: float


def demand_outcomes(
    problem: PlacementProblem, samples: int = 20_000, seed: int = 20200601
) -> tuple[Counts, Array]:
    """All demand vectors with their multinomial probabilities, or a seeded sample if too many."""
    shares = problem.probabilities
    idle = 1.0 - float(shares.sum())
    if idle > 1e-12:
        shares = np.append(shares, idle)
    shares = shares / shares.sum()
    regions = problem.probabilities.size
    if math.comb(problem.orders + shares.size - 1, shares.size - 1) <= OUTCOMES:
        outcomes = _compositions(problem.orders, shares.size)
        weights = stats.multinomial.pmf(outcomes, problem.orders, shares)
        return outcomes[:, :regions].copy(), np.asarray(weights / weights.sum())
    drawn = np.random.default_rng(seed).multinomial(problem.orders, shares, samples)
    return drawn[:, :regions].astype(np.int64), np.full(samples, 1 / samples)


def hindsight_cost(
    problem: PlacementProblem, units: Counts, outcomes: Counts, weights: Array
) -> float:
    """Expected cost of the best assignment of each outcome's orders to this placement."""
    return float(
        _expected_cost(problem.cost, problem.lost_sale, units.astype(np.int64), outcomes, weights)
    )


def best_placement(problem: PlacementProblem, total_units: int) -> Placement:
    """Placement of `total_units` with the least expected hindsight cost.

    The cost is convex in the placement; steepest descent moves 2ᵏ units between two centers, with
    k falling to 0. Exact for two centers; for more, no exchange between any two centers helps.
    """
    outcomes, weights = demand_outcomes(problem)
    centers = problem.cost.shape[0]

    def value(units: Counts) -> float:
        return hindsight_cost(problem, units, outcomes, weights)

    units = np.full(centers, total_units // centers, dtype=np.int64)
    units[: total_units - int(units.sum())] += 1
    best = value(units)
    step = 1 << max(total_units // 2, 1).bit_length()
    while step:
        found, found_cost = None, best
        for source in range(centers):
            for sink in range(centers):
                if source == sink or units[source] < step:
                    continue
                moved = units.copy()
                moved[source] -= step
                moved[sink] += step
                cost = value(moved)
                if cost < found_cost - 1e-12 * max(abs(best), 1.0):
                    found, found_cost = moved, cost
        if found is None:
            step //= 2
        else:
            units, best = found, found_cost
    return Placement(units, best)


@njit(cache=True)
def _compositions(total: int, parts: int) -> np.ndarray:
    """All vectors of `parts` non-negative integers with the given sum, in lexicographic order."""
    count = 1
    for k in range(1, parts):
        count = count * (total + k) // k
    table = np.zeros((count, parts), dtype=np.int64)
    row = np.zeros(parts, dtype=np.int64)
    row[parts - 1] = total
    for i in range(count):
        table[i] = row
        k = parts - 2
        while k >= 0 and row[k + 1 :].sum() == 0:
            k -= 1
        if k < 0:
            break
        rest = row[k + 1 :].sum() - 1
        row[k] += 1
        row[k + 1 :] = 0
        row[parts - 1] = rest
    return table


@njit(cache=True)
def _expected_cost(
    cost: np.ndarray,
    lost_sale: np.ndarray,
    units: np.ndarray,
    outcomes: np.ndarray,
    weights: np.ndarray,
) -> float:
    total = 0.0
    for k in range(outcomes.shape[0]):
        total += weights[k] * transport_cost(cost, lost_sale, units, outcomes[k])
    return total


@njit(cache=True)
def transport_cost(
    cost: np.ndarray, lost_sale: np.ndarray, units: np.ndarray, demand: np.ndarray
) -> float:
    """Least cost of serving `demand` from `units`, by successive shortest paths in bulk."""
    centers, regions = cost.shape
    flow = np.zeros((centers, regions), dtype=np.int64)
    stock, unmet = units.copy(), demand.copy()
    saving = cost - lost_sale  # of serving instead of losing; negative where it pays
    total = 0.0
    for j in range(regions):
        total += lost_sale[j] * demand[j]
    while True:
        to_region, from_center, from_region = _shortest_paths(saving, flow, stock)
        target, best = -1, -1e-12
        for j in range(regions):
            if unmet[j] > 0 and to_region[j] < best:
                target, best = j, to_region[j]
        if target < 0:
            return total
        amount = _augment(flow, stock, unmet[target], target, from_center, from_region)
        unmet[target] -= amount
        total += amount * best


@njit(cache=True)
def _shortest_paths(
    saving: np.ndarray, flow: np.ndarray, stock: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bellman–Ford from the centers with stock, on the residual graph."""
    centers, regions = flow.shape
    to_center = np.where(stock > 0, 0.0, np.inf)
    to_region = np.full(regions, np.inf)
    from_center = np.zeros(regions, dtype=np.int64)
    from_region = np.full(centers, -1)
    changed = True
    while changed:
        changed = False
        for i in range(centers):
            for j in range(regions):
                forward = to_center[i] + saving[i, j]
                if forward < to_region[j] - 1e-12:
                    to_region[j], from_center[j], changed = forward, i, True
                back = to_region[j] - saving[i, j]
                if flow[i, j] > 0 and back < to_center[i] - 1e-12:
                    to_center[i], from_region[i], changed = back, j, True
    return to_region, from_center, from_region


@njit(cache=True)
def _augment(
    flow: np.ndarray,
    stock: np.ndarray,
    unmet: int,
    target: int,
    from_center: np.ndarray,
    from_region: np.ndarray,
) -> int:
    """Push as much as fits along the path that ends in `target`; returns the amount."""
    amount = min(unmet, _source_limit(flow, stock, target, from_center, from_region))
    j = target
    i = from_center[j]
    flow[i, j] += amount
    while from_region[i] >= 0:
        j = from_region[i]
        flow[i, j] -= amount
        i = from_center[j]
        flow[i, j] += amount
    stock[i] -= amount
    return amount


@njit(cache=True)
def _source_limit(
    flow: np.ndarray,
    stock: np.ndarray,
    target: int,
    from_center: np.ndarray,
    from_region: np.ndarray,
) -> int:
    """Units that the path to `target` can carry: what can be taken back, and the stock."""
    limit = np.int64(1) << 60
    i = from_center[target]
    while from_region[i] >= 0:
        j = from_region[i]
        limit = min(limit, flow[i, j])
        i = from_center[j]
    return min(limit, stock[i])
