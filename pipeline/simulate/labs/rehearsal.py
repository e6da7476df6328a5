"""A small world in which trials can be rehearsed, and the truth (all A, all B) can be run.

Items are held at three nodes under base stock; the nodes' space is shared, so that an arm that
holds more makes the other pay for overflow. `common_price` removes that interference: every item
pays the same price for the space it uses, whoever else is there. The price is what space would
cost on average on the way from all A to all B, which the arms' own usage tells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.textbook.instances import fixed_lead_time, instance_model
from pipeline.simulate.world.day import World
from pipeline.simulate.world.model import WorldModel, WorldRules
from pipeline.simulate.world.randomness import poisson_demand
from pipeline.simulate.world.state import Decisions, empty_state
from pipeline.simulate.world.supply import Ints

Floats = NDArray[np.float64]
_NODES = ["node_a", "node_b", "node_c"]
_LEAD_DAYS = 4
_PRICE_USD, _COST_USD = 20.0, 12.0
_WARM_UP_DAYS = 14


@dataclass(frozen=True)
class LabRun:
    """profit_usd: [days, items] before overflow; overflow_usd: [days, items] share of what the
    nodes paid; space_cuft: [days, items, nodes] at the end of the day."""

    profit_usd: Floats
    overflow_usd: Floats
    space_cuft: Floats


@dataclass(frozen=True)
class LabWorld:
    """A world for trials; mean: [items, nodes] daily demand; capacity_cuft: [nodes] or none."""

    model: WorldModel
    mean: Floats
    capacity_cuft: Floats | None = None

    def run(self, safety_a: float, safety_b: float, is_b: NDArray[np.bool_], seed: int) -> LabRun:
        """Live a warm-up and the days of is_b [days, items], whose items follow safety_b when set.

        safety: standard deviations above mean demand over the lead time and a day's review.
        """
        days = len(is_b)
        world = World(self.model, fixed_lead_time(self.model, _LEAD_DAYS),
                      empty_state(self.model), seed)  # fmt: skip
        cover = self.mean * (_LEAD_DAYS + 1)
        price = np.full(self.mean.shape, _PRICE_USD)
        demand = np.zeros(self.mean.shape, dtype=np.int64)
        shape = (days, len(self.mean))
        found = LabRun(np.zeros(shape), np.zeros(shape), np.zeros((*shape, len(_NODES))))
        capacity = np.full((len(_NODES), 3), np.inf)
        if self.capacity_cuft is not None:
            capacity[:, 0] = self.capacity_cuft
        for t in range(-_WARM_UP_DAYS, days):
            arm = is_b[t] if t >= 0 else np.zeros_like(is_b[0])
            safety = np.where(arm, safety_b, safety_a)[:, None]
            level = np.ceil(cover + safety * np.sqrt(cover)).astype(np.int64)
            day = t + _WARM_UP_DAYS
            poisson_demand(seed, self.model.item_key, self.model.region_key, day, self.mean, demand)
            result = world.live(day, demand, price, _order_up_to(world, level), capacity)
            if t >= 0:
                found.overflow_usd[t] = result.money[:, 10]
                found.profit_usd[t] = result.item_profit_usd + result.money[:, 10]
                found.space_cuft[t] = world.state.on_hand * self.model.cube_cuft[:, None]
        return found


def from_day(is_b: NDArray[np.bool_], days: int, first: int = 0) -> NDArray[np.bool_]:
    """[days, items] items that are in B from day `first` on."""
    return np.broadcast_to(np.arange(days)[:, None] >= first, (days, len(is_b))) & is_b


def common_price(run: LabRun, is_b: NDArray[np.bool_], world: LabWorld) -> tuple[float, float]:
    """Usd for a cubic foot and day: overflow of all B less all A over their difference in space.

    Each arm's space, scaled up to all items, tells what the nodes would hold if everybody did the
    same; the overflow charge is known. The price is 0 where the arms use the same space. Also
    returns what all A would pay for overflow, in usd.
    """
    if world.capacity_cuft is None:
        return 0.0, 0.0
    cost, space = [], []
    for arm in (is_b, ~is_b):
        alone = run.space_cuft[:, arm].sum(axis=1) * (len(arm) / arm.sum())
        over = np.maximum(alone - world.capacity_cuft, 0.0)
        cost.append(float(over.sum()) * world.model.rules.overflow_usd[0])
        space.append(float(alone.sum()))
    difference = space[0] - space[1]
    price = (cost[0] - cost[1]) / difference if abs(difference) > 1e-9 else 0.0
    return price, cost[1]


def lab_world(n_items: int, seed: int, capacity_cuft: Floats | None = None) -> LabWorld:
    """Items whose demand is spread like a shop's: lognormal, a few large and many small."""
    rules = WorldRules(partial_receipt_share=0.0)
    model = instance_model(n_items, [[node] for node in _NODES], _NODES, rules)
    model = replace(model, unit_cost_usd=np.full(n_items, _COST_USD))
    spread = np.random.default_rng(seed).normal(size=(n_items, 1))
    mean = np.exp(0.2 + 0.9 * spread) * np.array([0.5, 0.3, 0.2])
    return LabWorld(model, mean, capacity_cuft)


def _order_up_to(world: World, level: Ints) -> Decisions:
    ways = world.state.on_the_way
    position = world.state.on_hand.copy()
    np.add.at(position, (ways.item, ways.node), ways.units)
    item, node = np.nonzero(np.maximum(level - position, 0))
    zero, none = np.zeros(len(item), dtype=np.int64), np.zeros(0, dtype=np.int64)
    return Decisions(zero, item, node, (level - position)[item, node],
                     np.full(len(item), _COST_USD), zero, none, none, none, none, none)  # fmt: skip
