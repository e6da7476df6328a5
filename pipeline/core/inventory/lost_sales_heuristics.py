"""Lost sales: myopic and vector base-stock orders, evaluated exactly.

Same model and state as `lost_sales`. Sources: Morton, Nav. Res. Log. Q. 18 (1971) (myopic);
Karush (1957), Morton (1969) (standard vector base-stock); Zipkin, Oper. Res. 56 (2008)
1256–1263, sections 3–4 (all three, with the table that this reproduces).
"""

from __future__ import annotations

import numpy as np

from pipeline.core.inventory.lost_sales import (
    LostSales,
    check_size,
    outstanding_units,
    table_cost,
)
from pipeline.core.inventory.single_stage import base_stock
from pipeline.kernels import njit


def myopic_cost(problem: LostSales, horizon: int = 1) -> float:
    """Average cost of the order that is best for the period when it arrives (horizon 1), or for
    that period and the next ones up to the horizon, each ordered myopically in turn."""
    top, most = problem.largest_position, problem.largest_order
    check_size(top, most, problem.lead_time)
    orders = _myopic_orders(
        problem.period_cost(top), problem.demand.mass_from_zero(), problem.lead_time, most, horizon
    )
    return table_cost(problem, orders, most)


def vector_base_stock_cost(problem: LostSales) -> float:
    """Average cost of the standard vector base-stock policy.

    Order as much as every partial position allows: q = min_l (s_l − (q_l + … + q_{L−1}))⁺, with
    q_0 = x and s_l the backorder base-stock level for the demand of L − l + 1 periods.
    """
    lead, most = problem.lead_time, problem.largest_order
    levels = np.array(
        [
            base_stock(problem.demand, problem.holding, problem.penalty, lead - due).level_units
            for due in range(lead + 1)
        ],
        dtype=np.int64,
    )
    top = int(levels[0])
    check_size(top, most, lead)
    return table_cost(problem, _vector_orders(levels, lead, most), most)


@njit(cache=True)
def _vector_orders(levels: np.ndarray, lead: int, most: int) -> np.ndarray:
    base, top = most + 1, levels[0]
    orders = np.zeros((base ** (lead - 1), top + 1), dtype=np.int64)
    for pipe in range(orders.shape[0]):
        tail, digits, bound = 0, pipe, min(levels[lead], most)
        for due in range(lead - 1, 0, -1):  # q_{L−1} is the last digit
            tail += digits % base
            digits //= base
            bound = min(bound, levels[due] - tail)
        for x in range(max(top - tail, -1) + 1):
            orders[pipe, x] = max(min(bound, top - tail - x), 0)
    return orders


@njit(cache=True)
def _arrival_cost(cost: np.ndarray, mass: np.ndarray, lead: int, most: int) -> np.ndarray:
    """Expected cost of the period when an order arrives, for (pipeline, order) and x.

    Built one period at a time: A_k(q_1 … q_k, x) = E A_{k−1}(q_2 … q_k, (x − D)⁺ + q_1).
    """
    base, top = most + 1, cost.size - 1
    ahead = cost.copy().reshape(1, top + 1)
    for k in range(1, lead + 1):
        pipes = base**k
        block = base ** (k - 1)
        now = np.full((pipes, top + 1), np.inf)
        for pipe in range(pipes):
            first, rest = pipe // block, pipe % block
            for x in range(top - outstanding_units(pipe, base, k) + 1):
                total, left = 0.0, 1.0
                for d in range(min(x, mass.size)):
                    total += mass[d] * ahead[rest, x - d + first]
                    left -= mass[d]
                now[pipe, x] = total + max(left, 0.0) * ahead[rest, first]
        ahead = now
    return ahead


@njit(cache=True)
def _myopic_orders(
    cost: np.ndarray, mass: np.ndarray, lead: int, most: int, horizon: int
) -> np.ndarray:
    """Best orders for `horizon` arrival periods, by backward induction on the full state."""
    base, top = most + 1, cost.size - 1
    arrival = _arrival_cost(cost, mass, lead, most)
    pipes = base ** (lead - 1)
    block = base ** max(lead - 2, 0)
    value = np.zeros((pipes, top + 1))
    orders = np.zeros((pipes, top + 1), dtype=np.int64)
    for _ in range(horizon):
        fresh = np.zeros((pipes, top + 1))
        for pipe in range(pipes):
            first = pipe // block if lead > 1 else 0
            room = top - outstanding_units(pipe, base, lead - 1)
            for x in range(room + 1):
                best = np.inf
                for order in range(min(most, room - x) + 1):
                    following = (pipe % block) * base + order if lead > 1 else 0
                    came = first if lead > 1 else order
                    total, left = arrival[pipe * base + order, x], 1.0
                    for d in range(min(x, mass.size)):
                        total += mass[d] * value[following, x - d + came]
                        left -= mass[d]
                    total += max(left, 0.0) * value[following, came]
                    if total < best - 1e-11:
                        best, orders[pipe, x] = total, order
                fresh[pipe, x] = best
        value = fresh
    return orders
