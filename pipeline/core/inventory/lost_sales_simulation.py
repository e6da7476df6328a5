"""Lost sales with long lead times: base-stock policies, capped or not, by simulation.

Beyond five or so periods the exact state space of `lost_sales` is out of reach. Periods are
simulated one after another with the demand of a seeded stream; the cost of a period is taken in
expectation over its own demand given the stock at its start, which removes part of the noise.
All candidate policies see the same demand (common random numbers).
"""

from __future__ import annotations

import numpy as np

from pipeline.core.inventory.lost_sales import CappedBaseStock, LostSales
from pipeline.kernels import njit

WARM_UP = 2_000


def simulated_capped_base_stock(
    problem: LostSales,
    seed: int = 20080901,
    search_periods: int = 1_000_000,
    final_periods: int = 60_000_000,
) -> CappedBaseStock:
    """Best capped base-stock policy found on one demand path, valued on a longer, fresh one."""
    path = _Path(problem, search_periods, seed)
    best = CappedBaseStock(0, 0, np.inf)
    level = problem.largest_position
    for cap in range(problem.largest_order, 0, -1):
        here = _best_level(path, level, cap)
        level = here.level_units
        if here.cost < best.cost:
            best = here
        elif cap < best.cap_units - 1:
            break
    final = _Path(problem, final_periods, seed + 1).cost(best.level_units, best.cap_units)
    return CappedBaseStock(best.level_units, best.cap_units, final)


def simulated_base_stock(
    problem: LostSales,
    seed: int = 20080901,
    search_periods: int = 1_000_000,
    final_periods: int = 60_000_000,
) -> CappedBaseStock:
    """Best base-stock policy (a cap that never binds), searched and valued likewise."""
    path = _Path(problem, search_periods, seed)
    no_cap = 2 * problem.largest_position
    best = _best_level(path, problem.largest_position, no_cap)
    final = _Path(problem, final_periods, seed + 1).cost(best.level_units, no_cap)
    return CappedBaseStock(best.level_units, best.level_units, final)


class _Path:
    """One seeded demand path on which any policy can be valued."""

    def __init__(self, problem: LostSales, periods: int, seed: int) -> None:
        self.problem, self.periods, self.seed = problem, periods, seed
        self.highest = 2 * problem.largest_position
        self.period_cost = problem.period_cost(self.highest)
        self.alias = _alias_table(problem.demand.mass_from_zero())

    def cost(self, level: int, cap: int) -> float:
        lead = self.problem.lead_time
        return float(
            _simulate(self.period_cost, *self.alias, lead, level, cap, self.periods, self.seed)
        )


def _best_level(path: _Path, start: int, cap: int) -> CappedBaseStock:
    """Descent over the level in steps of four and of one."""
    here = CappedBaseStock(start, cap, path.cost(start, cap))
    for step in (-4, 4, -1, 1):
        while 1 <= here.level_units + step <= path.highest:
            found = path.cost(here.level_units + step, cap)
            if found >= here.cost:
                break
            here = CappedBaseStock(here.level_units + step, cap, found)
    return here


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
