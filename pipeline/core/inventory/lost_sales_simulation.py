"""Lost sales with long lead times: capped base-stock policies by simulation.

Beyond five or so periods the exact state space of `lost_sales` is out of reach. Periods are
simulated one after another with the demand of a seeded stream; the cost of a period is taken in
expectation over its own demand given the stock at its start, which removes part of the noise.
All candidate policies see the same demand (common random numbers).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pipeline.core.inventory.lost_sales import CappedBaseStock, LostSales
from pipeline.core.inventory.newsvendor import expected_cost

WARM_UP = 2_000


def simulated_capped_base_stock(
    problem: LostSales,
    seed: int = 20080901,
    search_periods: int = 1_000_000,
    final_periods: int = 60_000_000,
) -> CappedBaseStock:
    """Best capped base-stock policy found on one demand path, valued on a longer, fresh one."""
    mass = problem.demand.mass_from_zero()
    top, most = problem.largest_position, problem.largest_order
    cost = np.array(
        [
            expected_cost(problem.demand, x, problem.holding, problem.penalty)
            for x in range(2 * top + 1)
        ]
    )
    alias = _alias_table(mass)

    def value(level: int, cap: int) -> float:
        return float(_simulate(cost, *alias, problem.lead_time, level, cap, search_periods, seed))

    best = CappedBaseStock(0, 0, np.inf)
    level = top
    for cap in range(most, 0, -1):
        here = CappedBaseStock(level, cap, value(level, cap))
        for direction in (-1, 1):
            for width in (4, 1):
                while True:
                    moved = here.level_units + direction * width
                    if not 1 <= moved <= 2 * top:
                        break
                    found = value(moved, cap)
                    if found >= here.cost:
                        break
                    here = CappedBaseStock(moved, cap, found)
        level = here.level_units
        if here.cost < best.cost:
            best = here
        elif cap < best.cap_units - 1:
            break
    final = _simulate(
        cost, *alias, problem.lead_time, best.level_units, best.cap_units, final_periods, seed + 1
    )
    return CappedBaseStock(best.level_units, best.cap_units, float(final))


def _alias_table(mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Walker's alias table: one uniform number gives one demand in constant time."""
    size = mass.size
    share = mass * size
    other = np.arange(size)
    small = [i for i in range(size) if share[i] < 1]
    large = [i for i in range(size) if share[i] >= 1]
    while small and large:
        low, high = small.pop(), large[-1]
        other[low] = high
        share[high] -= 1 - share[low]
        if share[high] < 1:
            small.append(large.pop())
    return np.minimum(share, 1.0), other


@njit(cache=True)
def _simulate(
    cost: np.ndarray,
    share: np.ndarray,
    other: np.ndarray,
    lead: int,
    level: int,
    cap: int,
    periods: int,
    seed: int,
) -> float:
    """Average cost per period of q = min((S − position)⁺, cap)."""
    np.random.seed(seed)
    pipeline = np.zeros(lead, dtype=np.int64)
    x, position, total, slot = level, level, 0.0, 0
    for t in range(WARM_UP + periods):
        order = min(max(level - position, 0), cap)
        if t >= WARM_UP:
            total += cost[x]
        pick = np.random.random() * share.size
        i = int(pick)
        demand = i if pick - i < share[i] else other[i]
        sold = min(demand, x)
        pipeline[slot] = order
        slot = slot + 1 if slot + 1 < lead else 0
        x += pipeline[slot] - sold
        position += order - sold
    return total / periods
