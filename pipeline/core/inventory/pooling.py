"""Identical local warehouses with emergency supply, with and without lateral transshipment.

J local warehouses, Poisson demand of rate m at each, replenishment time t_reg (any distribution:
Erlang's loss formula is insensitive). A demand that finds no stock anywhere is met from the
central warehouse as an emergency. Stock may be randomised between two whole amounts; the plan
minimises holding + transshipment + emergency cost subject to a mean waiting time.

Sources: Kranenburg, Spare Parts Inventory Control under System Availability Constraints, PhD
thesis, TU Eindhoven (2006), chapter 5; Kranenburg & Van Houtum, Eur. J. Oper. Res. 192 (2009).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

CHAIN_STATES = 4_000  # the most states of the symmetric Markov chain that are solved


@dataclass(frozen=True)
class PoolingSystem:
    """Rates per unit of time, costs per unit (and per unit of time for holding), times."""

    warehouses: int
    demand_rate: float
    holding: float
    emergency_cost: float
    lateral_cost: float
    waiting_target: float
    emergency_time: float
    lateral_time: float
    replenishment_time: float

    @property
    def load_per_warehouse(self) -> float:
        """Mean demand over a replenishment time at one warehouse, m t_reg."""
        return self.demand_rate * self.replenishment_time


@dataclass(frozen=True)
class PoolingPlan:
    """Mean total stock (units) and cost per unit of time."""

    stock_units: float
    cost: float


@dataclass(frozen=True)
class _Option:
    stock_units: float
    cost: float
    waiting_time: float


def erlang_loss(servers: int, load: float) -> float:
    """Probability that all servers are busy, B(S, ρ) = ρ B(S−1) / (S + ρ B(S−1))."""
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked


def separate_stock(system: PoolingSystem) -> PoolingPlan:
    """Best plan without transshipments: each warehouse on its own."""

    def option(stock: int) -> _Option:
        emergency = erlang_loss(stock, system.load_per_warehouse)
        cost = system.holding * stock + system.demand_rate * system.emergency_cost * emergency
        return _Option(stock, cost, system.emergency_time * emergency)

    one = _best_mix(option, system)
    return PoolingPlan(system.warehouses * one.stock_units, system.warehouses * one.cost)


def pooled_stock(system: PoolingSystem) -> PoolingPlan:
    """Best plan with full lateral pooling, in total stock."""
    total_rate = system.warehouses * system.demand_rate

    def option(stock: int) -> _Option:
        _, lateral, emergency = service_shares(system, stock)
        penalty = system.lateral_cost * lateral + system.emergency_cost * emergency
        waiting = system.lateral_time * lateral + system.emergency_time * emergency
        return _Option(stock, system.holding * stock + total_rate * penalty, waiting)

    return _best_mix(option, system)


def joint_stock(system: PoolingSystem, cost: float, time: float) -> PoolingPlan:
    """Best plan with all stock in one joint warehouse, each unit from it at `cost` and `time`."""
    total_rate = system.warehouses * system.demand_rate

    def option(stock: int) -> _Option:
        lost = erlang_loss(stock, system.warehouses * system.load_per_warehouse)
        price = total_rate * (cost * (1 - lost) + system.emergency_cost * lost)
        waiting = time * (1 - lost) + system.emergency_time * lost
        return _Option(stock, system.holding * stock + price, waiting)

    return _best_mix(option, system)


def service_shares(system: PoolingSystem, total_stock: int) -> tuple[float, float, float]:
    """Shares of demand met on the spot, by transshipment, and as an emergency.

    With at most one unit for each warehouse the units on hand lie at different warehouses, so the
    share met on the spot is E[on hand] / J. With more, the symmetric Markov chain is solved for
    exponential replenishment, a uniformly drawn source, and stock spread evenly.
    """
    load = system.warehouses * system.load_per_warehouse
    emergency = erlang_loss(total_stock, load)
    if total_stock <= system.warehouses:
        direct = (total_stock - load * (1 - emergency)) / system.warehouses
    else:
        direct = _direct_share(system, total_stock)
    return direct, max(1 - direct - emergency, 0.0), emergency


def _best_mix(option: Callable[[int], _Option], system: PoolingSystem) -> PoolingPlan:
    """Cheapest randomisation of whole stocks whose mean wait meets the target (an LP with one
    constraint: at most two stocks are mixed)."""
    options = [option(0)]
    while True:
        options.append(option(len(options)))
        enough = options[-1].waiting_time <= system.waiting_target
        if enough and options[-1].cost >= options[-2].cost:
            break
        if len(options) > 200 + 40 * system.warehouses:
            raise ValueError("no stock meets the waiting-time target")
    target = system.waiting_target
    meets = [o for o in options if o.waiting_time <= target]
    fails = [o for o in options if o.waiting_time > target]
    plans = [PoolingPlan(o.stock_units, o.cost) for o in meets]
    for slow, quick in itertools.product(fails, meets):
        share = (slow.waiting_time - target) / (slow.waiting_time - quick.waiting_time)
        plans.append(
            PoolingPlan(
                slow.stock_units + share * (quick.stock_units - slow.stock_units),
                slow.cost + share * (quick.cost - slow.cost),
            )
        )
    return min(plans, key=lambda plan: (plan.cost, plan.stock_units))


State = tuple[tuple[int, ...], ...]  # for each class of warehouse: how many hold 0, 1, … units


def _direct_share(system: PoolingSystem, total_stock: int) -> float:
    """Share of demand met on the spot, from the stationary law of the symmetric chain."""
    low, extra = divmod(total_stock, system.warehouses)
    classes = [(system.warehouses - extra, low), (extra, low + 1)]
    start: State = tuple((0,) * base + (count,) for count, base in classes)
    index, queue = {start: 0}, [start]
    rows, columns, rates = [], [], []
    while queue:
        state = queue.pop()
        for following, rate in _moves(state, system):
            if following not in index:
                if len(index) >= CHAIN_STATES:
                    raise ValueError(f"{total_stock} units: too many states to solve exactly")
                index[following] = len(index)
                queue.append(following)
            rows.append(index[following])
            columns.append(index[state])
            rates.append(rate)
    size = len(index)
    generator = sparse.csr_matrix((rates, (rows, columns)), shape=(size, size)).tolil()
    outflow = np.asarray(generator.sum(axis=0)).ravel()
    generator.setdiag(generator.diagonal() - outflow)
    generator[0, :] = 1.0
    right = np.zeros(size)
    right[0] = 1.0
    law = linalg.spsolve(generator.tocsc(), right)
    empty = np.array([sum(counts[0] for counts in state) for state in index])
    return float(1 - law @ empty / system.warehouses)


def _moves(state: State, system: PoolingSystem) -> Iterator[tuple[State, float]]:
    """Transitions of the counts: demand with direct or lateral supply, and replenishment."""
    stocked = sum(sum(counts[1:]) for counts in state)
    empty = sum(counts[0] for counts in state)
    for c, counts in enumerate(state):
        for units, many in enumerate(counts):
            if not many:
                continue
            if units > 0:  # its own demand, and a fair share of that of empty warehouses
                rate = system.demand_rate * many * (1 + empty / stocked)
                yield _shift(state, c, units, -1), rate
            missing = len(counts) - 1 - units
            if missing:
                yield _shift(state, c, units, 1), many * missing / system.replenishment_time


def _shift(state: State, which: int, units: int, step: int) -> State:
    counts = list(state[which])
    counts[units] -= 1
    counts[units + step] += 1
    return (*state[:which], tuple(counts), *state[which + 1 :])
