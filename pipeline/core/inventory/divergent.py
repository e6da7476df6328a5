"""One warehouse and many retailers under echelon base-stock orders, by simulation.

Each period: the warehouse's and the retailers' oldest orders arrive; every location orders up to
its echelon base-stock level on the positions before demand; the warehouse ships what it has,
rationing whole units; demand; cost h_w · (warehouse stock) + h_i · (retailer stock) + p_i · short.
Unmet demand is backordered, lost, or (emergency) shipped at once from the warehouse's remaining
stock with some probability and otherwise lost. Units per period, costs in money per unit.

Sources: Kaynov, van Knippenberg, Menkovski, van Breemen & van Jaarsveld, Int. J. Prod. Econ. 267
(2024) 109088, eqs (1)–(8); Van Roy, Bertsekas, Lee & Tsitsiklis, CDC 36 (1997) 4052–4057.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.core.inventory.demand import Array, Lattice
from pipeline.kernels import njit

Counts = NDArray[np.int64]
Customers = Literal["backorder", "lost_sales", "emergency"]
Allocation = Literal["proportional", "min_shortage"]

CUSTOMERS: dict[str, int] = {"backorder": 0, "lost_sales": 1, "emergency": 2}
UNLIMITED = 1 << 40


@dataclass(frozen=True)
class DivergentSystem:
    """Lead times in periods, costs per unit; demand per retailer; what happens to the unmet.

    `emergency_probability` is the chance that unmet demand is shipped from the warehouse at once;
    `is_emergency_by_unit` draws it for each unit (Van Roy), not for each retailer and period
    (Kaynov). Capacities in units: stock at the warehouse and at a retailer, order per period.
    """

    warehouse_lead_time: int
    retailer_lead_times: tuple[int, ...]
    demands: tuple[Lattice, ...]
    warehouse_holding: float
    retailer_holding: tuple[float, ...]
    penalty: tuple[float, ...]
    customers: Customers = "backorder"
    emergency_probability: float = 0.0
    emergency_cost: float = 0.0
    is_emergency_by_unit: bool = False
    order_capacity: int = UNLIMITED
    warehouse_capacity: int = UNLIMITED
    retailer_capacity: int = UNLIMITED

    def sample(self, paths: int, periods: int, seed: int) -> tuple[Counts, Array]:
        """Demand (paths, periods, retailers) and uniforms for the emergencies."""
        rng = np.random.default_rng(seed)
        drawn = np.stack(
            [rng.choice(d.values, size=(paths, periods), p=d.probabilities) for d in self.demands],
            axis=2,
        )
        return np.rint(drawn).astype(np.int64), rng.random(drawn.shape)


@dataclass(frozen=True)
class DivergentPlan:
    """Echelon base-stock levels (units), mean cost of the horizon and its standard error."""

    warehouse_level: int
    retailer_levels: tuple[int, ...]
    cost: float
    standard_error: float


def horizon_costs(
    system: DivergentSystem,
    warehouse_level: int,
    retailer_levels: Counts,
    demand: Counts,
    chance: Array,
    allocation: Allocation,
    is_echelon: bool = True,
) -> Array:
    """Total cost of each demand path, from full retailers, S_w − Σ S_i at the warehouse and
    nothing in transit. `is_echelon=False` reads S_w as a level for the warehouse alone."""
    return np.asarray(
        _simulate(
            demand,
            chance,
            system.warehouse_lead_time,
            np.array(system.retailer_lead_times),
            system.warehouse_holding,
            np.array(system.retailer_holding, dtype=np.float64),
            np.array(system.penalty, dtype=np.float64),
            CUSTOMERS[system.customers],
            system.emergency_probability,
            system.emergency_cost,
            system.is_emergency_by_unit,
            np.array([system.order_capacity, system.warehouse_capacity, system.retailer_capacity]),
            int(warehouse_level),
            np.asarray(retailer_levels, dtype=np.int64),
            allocation == "proportional",
            is_echelon,
        )
    )


def best_echelon_base_stock(
    system: DivergentSystem,
    allocation: Allocation,
    periods: int = 100,
    search_paths: int = 200,
    final_paths: int = 4_000,
    seed: int = 20240109,
) -> DivergentPlan:
    """Best echelon base-stock levels found by coordinate descent with common random numbers.

    Identical retailers share a level. The levels are searched on one set of paths and valued on
    another, so the reported cost carries no selection bias.
    """
    demand, chance = system.sample(search_paths, periods, seed)
    groups = _groups(system)
    known: dict[tuple[int, ...], float] = {}

    def value(levels: tuple[int, ...]) -> float:
        """Cost of (warehouse stock beyond the retailers' levels, level for each group)."""
        if levels not in known:
            retailers = np.array([levels[1 + g] for g in groups])
            total = levels[0] + int(retailers.sum())
            costs = horizon_costs(system, total, retailers, demand, chance, allocation)
            known[levels] = float(costs.mean())
        return known[levels]

    levels = _start(system, groups)
    widest = max(1, int(max(system.demands, key=lambda d: d.sd).sd))
    for width in sorted({4 * widest, 2 * widest, widest, max(widest // 2, 1), 2, 1}, reverse=True):
        levels = _descend(value, levels, width)
    fresh, fresh_chance = system.sample(final_paths, periods, seed + 1)
    retailers = np.array([levels[1 + g] for g in groups])
    total = levels[0] + int(retailers.sum())
    costs = horizon_costs(system, total, retailers, fresh, fresh_chance, allocation)
    error = float(costs.std(ddof=1) / np.sqrt(final_paths))
    return DivergentPlan(total, tuple(int(r) for r in retailers), float(costs.mean()), error)


def _groups(system: DivergentSystem) -> list[int]:
    """Number of the group of retailers with the same demand, lead time and costs."""
    seen: list[tuple[object, ...]] = []
    groups = []
    for i, demand in enumerate(system.demands):
        kind = (
            demand.probabilities.tobytes(),
            demand.start,
            system.retailer_lead_times[i],
            system.retailer_holding[i],
            system.penalty[i],
        )
        if kind not in seen:
            seen.append(kind)
        groups.append(seen.index(kind))
    return groups


def _start(system: DivergentSystem, groups: list[int]) -> tuple[int, ...]:
    """Mean demand over the lead times plus a review period and one standard deviation."""
    levels = [0] * (1 + max(groups) + 1)
    for i, group in enumerate(groups):
        demand, lead = system.demands[i], system.retailer_lead_times[i] + 1
        levels[1 + group] = round(demand.mean * lead + demand.sd * lead**0.5)
    levels[0] = round(sum(d.mean for d in system.demands) * system.warehouse_lead_time)
    return tuple(levels)


def _descend(
    value: Callable[[tuple[int, ...]], float], levels: tuple[int, ...], width: int
) -> tuple[int, ...]:
    """Cycle through moves of one level, or of two against each other, while any pays."""
    size = len(levels)
    moves = [{i: sign * width} for i in range(size) for sign in (-1, 1)]
    for i in range(1, size):
        partners = range(i) if size <= 5 else range(1)  # with many groups: warehouse only
        moves += [{i: sign * width, j: -sign * width} for j in partners for sign in (-1, 1)]
    is_better = True
    while is_better:
        is_better = False
        for move in moves:
            tried = tuple(max(v + move.get(i, 0), 0) for i, v in enumerate(levels))
            if value(tried) < value(levels):
                levels, is_better = tried, True
    return levels


@njit(cache=True)
def ration(
    available: int, orders: np.ndarray, shortfall: np.ndarray, is_proportional: bool
) -> np.ndarray:
    """Whole units shipped to each retailer when `available` does not cover all orders.

    Proportional: order · available / Σ orders, whole units by largest remainder. Minimum shortage:
    one unit at a time to the retailer furthest below its level.
    """
    total = orders.sum()
    if total <= available:
        return orders.copy()
    shipped = np.zeros_like(orders)
    if is_proportional:
        remainder = np.zeros_like(orders)
        for i in range(orders.size):
            shipped[i] = orders[i] * available // total
            remainder[i] = orders[i] * available % total
        for _ in range(available - shipped.sum()):
            most = remainder.argmax()
            shipped[most] += 1
            remainder[most] = -1
        return shipped
    for _ in range(available):
        worst, depth = -1, np.int64(-(1 << 62))
        for i in range(orders.size):
            if shipped[i] < orders[i] and shortfall[i] - shipped[i] > depth:
                worst, depth = i, shortfall[i] - shipped[i]
        shipped[worst] += 1
    return shipped


@njit(cache=True)
def _simulate(
    demand: np.ndarray,
    chance: np.ndarray,
    warehouse_lead: int,
    leads: np.ndarray,
    warehouse_holding: float,
    holding: np.ndarray,
    penalty: np.ndarray,
    customers: int,
    emergency_probability: float,
    emergency_cost: float,
    is_by_unit: bool,
    capacities: np.ndarray,
    warehouse_level: int,
    levels: np.ndarray,
    is_proportional: bool,
    is_echelon: bool,
) -> np.ndarray:
    """Total cost of each path; pipelines are rings indexed by the period of arrival."""
    paths, periods, retailers = demand.shape
    costs = np.zeros(paths)
    width = max(warehouse_lead, leads.max()) + 1
    for path in range(paths):
        np.random.seed(path + 1)
        warehouse = warehouse_level - levels.sum() if is_echelon else warehouse_level
        stock = levels.copy()
        inbound = np.zeros(width, dtype=np.int64)
        transit = np.zeros((retailers, width), dtype=np.int64)
        for t in range(periods):
            now = t % width
            warehouse += inbound[now]
            inbound[now] = 0
            stock += transit[:, now]
            transit[:, now] = 0
            on_order = inbound.sum()
            position = stock + transit.sum(axis=1)
            shortfall = levels - position
            room = np.maximum(capacities[2] - position, 0)
            orders = np.minimum(np.maximum(shortfall, 0), room)
            shipped = ration(max(warehouse, 0), orders, shortfall, is_proportional)
            sent = shipped.sum()
            seen = warehouse + on_order + (position.sum() if is_echelon else -sent)
            order = min(max(warehouse_level - seen, 0), capacities[0])
            order = min(order, max(capacities[1] - warehouse - on_order + sent, 0))
            warehouse -= sent
            inbound[(t + warehouse_lead) % width] += order
            for i in range(retailers):
                transit[i, (t + leads[i]) % width] += shipped[i]
            warehouse += inbound[now]  # a lead time of zero
            inbound[now] = 0
            stock += transit[:, now]
            transit[:, now] = 0
            for i in range(retailers):
                stock[i] -= demand[path, t, i]
                short = max(-stock[i], 0)
                if customers == 2 and short > 0:
                    if is_by_unit:
                        asked = np.random.binomial(short, emergency_probability)
                    else:
                        asked = short if chance[path, t, i] < emergency_probability else 0
                    rescued = min(asked, max(warehouse, 0))
                    warehouse -= rescued
                    short -= rescued
                    costs[path] += emergency_cost * rescued
                if customers != 0:
                    stock[i] = max(stock[i], 0)
                costs[path] += penalty[i] * short + holding[i] * max(stock[i], 0)
            costs[path] += warehouse_holding * max(warehouse, 0)
    return costs
