"""Textbook systems run in the world: each function returns one mean a copy, to hold against theory.

Every copy is a replication, so an interval over copies must cover the exact value.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.textbook.instances import (
    BaseStockChain,
    fixed_lead_time,
    instance_model,
    start_at,
)
from pipeline.simulate.world.day import World, kernel
from pipeline.simulate.world.model import WorldRules
from pipeline.simulate.world.supply import Ints

Floats = NDArray[np.float64]


def _rules(lets_wait: bool = False) -> WorldRules:
    return WorldRules(partial_receipt_share=0.0, lets_wait=lets_wait)


def lost_sales_cost(
    demand: Ints, lead_days: int, level: int, penalty: float, warm_up: int, seed: int
) -> Floats:
    """[copies] cost a period of one node under base stock: stock after demand + penalty * lost.

    demand: [days, copies, 1]. An order of day t can serve from t + lead_days.
    """
    model = instance_model(demand.shape[1], [["shop"]], ["shop"], _rules())
    world = World(model, fixed_lead_time(model, lead_days), start_at(model, [level]), seed)
    chain, price = BaseStockChain([-1], [level], [lead_days]), np.ones(demand.shape[1:])
    total = np.zeros(demand.shape[1])
    for t in range(len(demand)):
        day = world.live(t, demand[t], price, chain.decide(world, t))
        if t >= warm_up:
            total += world.state.on_hand[:, 0] + penalty * day.count[:, kernel.LOST]
    return total / (len(demand) - warm_up)


def serial_cost(
    demand: Ints, levels: Sequence[int], transit_days: Sequence[int],
    echelon_holding: Sequence[float], backorder: float, warm_up: int, seed: int,
) -> Floats:  # fmt: skip
    """[copies] cost a period of a serial line with backorders, stages downstream to upstream.

    Costs are counted in the morning, after arrivals and before demand: a lead time of L then spans
    L periods of demand, as in Clark and Scarf's recursion.
    """
    n = len(levels)
    nodes = [f"stage_{i}" for i in range(n)]
    model = instance_model(demand.shape[1], [["stage_0"]], nodes, _rules(lets_wait=True))
    stock = [levels[0], *(levels[i] - levels[i - 1] for i in range(1, n))]
    world = World(model, fixed_lead_time(model, transit_days[-1]), start_at(model, stock), seed)
    chain = BaseStockChain([*range(1, n), -1], list(levels), list(transit_days))
    rate = backorder + float(np.sum(echelon_holding))
    price, total = np.ones(demand.shape[1:]), np.zeros(demand.shape[1])
    for t in range(len(demand)):
        waiting = world.state.waiting[:, 0].copy()
        owned = _stage_stock(world, t)
        world.live(t, demand[t], price, chain.decide(world, t))
        if t >= warm_up:
            echelon = np.cumsum(owned, axis=1) - waiting[:, None]
            short = np.maximum(waiting - owned[:, 0], 0)
            total += echelon @ np.array(echelon_holding) + rate * short
    return total / (len(demand) - warm_up)


def _stage_stock(world: World, day: int) -> Ints:
    """[copies, stages] this morning's stock; what is on the way within the line belongs to the
    stage that sent it, what the vendor still has to nobody."""
    ways = world.state.on_the_way
    found = world.state.on_hand.copy()
    is_here = ways.arrival_day <= day
    place = np.where(is_here, ways.node, ways.source)
    owned = place >= 0
    np.add.at(found, (ways.item[owned], place[owned]), ways.units[owned])
    return found


def divergent_cost(
    demand: Ints, warehouse_level: int, levels: Sequence[int], warehouse_lead_days: int,
    transit_days: Sequence[int], warehouse_holding: float, holding: Floats, penalty: Floats,
    seed: int, lets_wait: bool = False,
) -> Floats:  # fmt: skip
    """[copies] total cost of one warehouse with retailers.

    demand: [days, copies, retailers]. Costs as in Kaynov et al. (2024): the warehouse's stock, the
    retailers' stock after demand, units lost or, where customers wait, still due at night.
    """
    n = len(levels)
    shops = [f"shop_{i}" for i in range(n)]
    model = instance_model(demand.shape[1], [[shop] for shop in shops], [*shops, "warehouse"],
                           _rules(lets_wait))  # fmt: skip
    start = start_at(model, [*levels, warehouse_level - sum(levels)])
    world = World(model, fixed_lead_time(model, warehouse_lead_days), start, seed)
    chain = BaseStockChain([n] * n + [-1], [*levels, warehouse_level],
                           [*transit_days, warehouse_lead_days])  # fmt: skip
    price, total = np.ones(demand.shape[1:]), np.zeros(demand.shape[1])
    for t in range(len(demand)):
        day = world.live(t, demand[t], price, chain.decide(world, t))
        stock = world.state.on_hand
        total += warehouse_holding * stock[:, n] + stock[:, :n] @ holding
        short = world.state.waiting if lets_wait else demand[t] - day.sold
        total += short @ penalty
    return total


def pooling_units(
    demand: Ints, lead_days: int, warm_up: int, seed: int
) -> tuple[Floats, Floats, Floats]:
    """[copies] units asked for, lost, and met by the own warehouse, when each local warehouse holds
    one unit, replenished one for one, and any helps out (the nearest first)."""
    n = demand.shape[2]
    nodes = [f"local_{i}" for i in range(n)]
    ship = np.array([[float((j - r) % n) for j in range(n)] for r in range(n)])
    model = instance_model(demand.shape[1], [nodes] * n, nodes, _rules(), ship)
    world = World(model, fixed_lead_time(model, lead_days), start_at(model, [1] * n), seed)
    chain = BaseStockChain([-1] * n, [1] * n, [lead_days] * n)
    price = np.ones(demand.shape[1:])
    asked, lost, own = (np.zeros(demand.shape[1]) for _ in range(3))
    for t in range(len(demand)):
        before = world.state.on_hand.copy()
        arriving = world.state.on_the_way.where(world.state.on_the_way.arrival_day <= t)
        np.add.at(before, (arriving.item, arriving.node), arriving.units)
        day = world.live(t, demand[t], price, chain.decide(world, t))
        if t >= warm_up:
            asked += demand[t].sum(axis=1)
            lost += day.count[:, kernel.LOST]
            own += np.minimum(demand[t], before).sum(axis=1)
    return asked, lost, own
