"""Lost sales: pure base-stock policies, exactly.

Under base-stock S the orders of the last L periods (q_1 due next, …, q_L just placed) say it all,
since x = S − Σ q. Such a vector is a set of L increasing numbers (partial sums plus 0, 1, …), so
it has a rank in the combinatorial number system and the state space has just C(S + L, L) members.
Same model as `lost_sales`; convexity in S: Janakiraman & Roundy, Oper. Res. 52 (2004) 795–803.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.core.inventory.lost_sales import STATES, CappedBaseStock, LostSales
from pipeline.kernels import njit


def base_stock_cost(problem: LostSales, level: int) -> float:
    """Exact average cost per period of base-stock S (units)."""
    if math.comb(level + problem.lead_time, problem.lead_time) > STATES:
        raise ValueError(f"base-stock {level} with lead time {problem.lead_time}: too many states")
    cost = problem.period_cost(level)
    choose = np.array(
        [
            [math.comb(n, k) for k in range(problem.lead_time + 1)]
            for n in range(level + problem.lead_time + 1)
        ],
        dtype=np.int64,
    )
    return float(_stationary(cost, problem.demand.mass_from_zero(), problem.lead_time, choose))


def best_base_stock(problem: LostSales) -> CappedBaseStock:
    """Best base-stock level and its cost, by descent from the backorder level in halving steps."""
    costs: dict[int, float] = {}

    def cost(level: int) -> float:
        if level not in costs:
            costs[level] = base_stock_cost(problem, level)
        return costs[level]

    best, step = problem.largest_position, 4
    while step:
        moves = [level for level in (best - step, best + step) if level >= 0]
        better = [level for level in moves if cost(level) < cost(best)]
        if better:
            best = better[0]
        else:
            step //= 2
    return CappedBaseStock(best, best, cost(best))


@njit(cache=True)
def _stationary(cost: np.ndarray, mass: np.ndarray, lead: int, choose: np.ndarray) -> float:
    """Power iteration over order vectors, from a full shelf."""
    level = cost.size - 1
    count = choose[level + lead, lead]
    cumulated = np.cumsum(mass)
    now, then = np.zeros(count), np.zeros(count)
    now[0] = 1.0
    sums = np.zeros(lead, dtype=np.int64)
    average = 0.0
    for sweep in range(100_000):
        then[:] = 0.0
        sums[:] = 0
        average = 0.0
        for rank in range(count):
            weight = now[rank]
            if weight > 1e-16:
                x = level - sums[lead - 1]
                average += weight * cost[x]
                start = 0
                for i in range(lead - 1):
                    start += choose[sums[i + 1] - sums[0] + i, i + 1]
                last = sums[lead - 1] - sums[0] + lead - 1
                for d in range(min(x, mass.size)):
                    then[start + choose[last + d, lead]] += weight * mass[d]
                if x < mass.size:
                    rest = 1.0 - (cumulated[x - 1] if x > 0 else 0.0)
                    then[start + choose[last + x, lead]] += weight * rest
            # The next vector in rank order: raise the first sum that has room, reset those before.
            for i in range(lead):
                if i == lead - 1 or sums[i] < sums[i + 1]:
                    sums[i] += 1
                    sums[:i] = 0
                    break
        if sweep % 5 == 4 and np.abs(then - now).sum() < 1e-9:
            break
        now, then = then, now
    return average
