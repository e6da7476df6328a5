"""Small networks with known answers, run in the world's own kernel: items are replications.

Each item is an independent copy of the same textbook system, so one run gives as many replications
as there are items. Costs are counted from units by the caller's rates, not by the world's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.inventory.divergent import ration
from pipeline.simulate.world.day import World
from pipeline.simulate.world.model import WorldModel, WorldRules, world_model
from pipeline.simulate.world.state import Decisions, State, empty_state
from pipeline.simulate.world.supply import LeadTimes

_ONE_SPEED = "standard"


def instance_model(
    copies: int, served_by: list[list[str]], nodes: list[str], rules: WorldRules,
    ship_usd: NDArray[np.float64] | None = None,
) -> WorldModel:  # fmt: skip
    """A world of `copies` equal items: region r is served by the nodes served_by[r].

    ship_usd: [regions, nodes], default 0 for all. All other costs are 0.
    """
    names = [f"copy_{i:06d}" for i in range(copies)]
    regions = [f"region_{r:02d}" for r in range(len(served_by))]
    options = [
        (regions[r], _ONE_SPEED, node, 24.0,
         0.0 if ship_usd is None else float(ship_usd[r, nodes.index(node)]))
        for r, group in enumerate(served_by) for node in group
    ]  # fmt: skip
    tables = {
        "items": pd.DataFrame({"item_id": names, "size_class": "sortable", "unit_cube_cuft": 1.0}),
        "regions": pd.DataFrame({"region_id": regions}),
        "nodes": pd.DataFrame({
            "node_id": nodes, "tier": "fulfillment_center", "accepts": "any",
            "handling_usd_per_unit": 0.0, "storage_usd_per_cuft_day": 0.0,
        }),
        "vendors": pd.DataFrame({"vendor_id": ["vendor"]}),
        "vendor_items": pd.DataFrame({"item_id": names, "unit_cost_usd": 0.0}),
        "lanes": pd.DataFrame(columns=["from_node_id", "to_node_id", "lane_usd_per_cuft"]),
        "delivery_options": pd.DataFrame(
            options, columns=["region_id", "speed", "node_id", "cutoff_hour", "ship_usd_per_unit"]
        ),
        "delivery_speeds": pd.DataFrame({
            "region_id": regions, "speed": _ONE_SPEED, "promise_days": 1, "demand_share": 1.0,
            "missed_speed_usd_per_unit": 0.0,
        }),
        "order_hours": pd.DataFrame({"hour": range(24), "demand_share": 1 / 24}),
    }  # fmt: skip
    return world_model(tables, rules)


def fixed_lead_time(model: WorldModel, days: int) -> LeadTimes:
    """The same sure lead time for every item."""
    n = len(model.items)
    return LeadTimes(np.arange(n + 1), np.full(n, days, dtype=np.int64), np.ones(n))


@dataclass(frozen=True)
class BaseStockChain:
    """Echelon base-stock control of a tree.

    parent: [nodes], -1 = ordered from the vendor; level: [nodes] echelon levels (units);
    transit_days: [nodes] from the parent (or the vendor's lead time). Region r is served by node r.
    """

    parent: list[int]
    level: list[int]
    transit_days: list[int]

    def below(self, node: int) -> list[int]:
        """The node and all that it supplies."""
        found = [node]
        for j in found:
            found += [i for i, up in enumerate(self.parent) if up == j]
        return found

    def decide(self, world: World, day: int) -> Decisions:
        """Order up to each level on echelon positions; a supplier that is short shares in
        proportion to the orders."""
        state, (n_items, _, n_nodes) = world.state, world.model.shape
        ways = state.on_the_way
        coming = np.zeros((n_items, n_nodes), dtype=np.int64)
        np.add.at(coming, (ways.item, ways.node), ways.units)
        free = state.on_hand.copy()
        arriving = ways.where(ways.arrival_day <= day)
        np.add.at(free, (arriving.item, arriving.node), arriving.units)
        want = np.zeros_like(free)
        for j in range(n_nodes):
            group = self.below(j)
            due = state.waiting[:, [i for i in group if i < state.waiting.shape[1]]]
            position = (state.on_hand[:, group] + coming[:, group]).sum(axis=1) - due.sum(axis=1)
            want[:, j] = np.maximum(self.level[j] - position, 0)
        up = np.array(self.parent)
        for source in sorted(set(self.parent) - {-1}):
            below = np.flatnonzero(up == source)
            for k in np.flatnonzero(want[:, below].sum(axis=1) > free[:, source]):
                want[k, below] = ration(free[k, source], want[k, below], want[k, below], True)
        item, node = np.nonzero(want * (up < 0))
        moved, to = np.nonzero(want * (up >= 0))
        zero = np.zeros(len(item), dtype=np.int64)
        arrival = day + np.array(self.transit_days)[to]
        return Decisions(zero, item, node, want[item, node], zero.astype(float), zero, moved,
                         up[to], to, want[moved, to], arrival)  # fmt: skip


def start_at(model: WorldModel, on_hand: list[int]) -> State:
    """Every copy starts with the same stock by node."""
    state = empty_state(model)
    state.on_hand += np.array(on_hand, dtype=np.int64)
    return state
