"""Acyclic supply networks under local base-stock orders, by simulation.

Each period: what was sent a lead time ago arrives; every node orders up to its base-stock level,
its whole order from one supplier drawn with the link's probability (one supplier: probability 1);
suppliers ship what they have, in proportion to what they owe, and owe the rest; then customers'
demand, backordered when short. Cost: h · (on hand) + b · (customers' backorders) after demand.
Nodes without a supplier order from a source that never fails. Nodes are numbered so that
suppliers come before those they supply.

Sources: Snyder & Shen (2019), section 6.3; Rong, Atan & Snyder, Prod. Oper. Manag. 26 (2017);
Geevers, van Hezewijk & Mes, Cent. Eur. J. Oper. Res. 32 (2024) (orders drawn among suppliers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.inventory.demand import Array, Continuous, Demand
from pipeline.kernels import njit


@dataclass(frozen=True)
class SupplyNetwork:
    """`links[i, j]` probability that node j orders from node i; times in periods, costs per unit.

    `demands` has a distribution for each customer-facing node and None elsewhere.
    """

    links: Array
    lead_times: NDArray[np.int64]
    holding: Array
    backorder: Array
    demands: Sequence[Demand | None]

    def __post_init__(self) -> None:
        if np.any(np.tril(self.links) != 0):
            raise ValueError("suppliers must be numbered before the nodes they supply")
        inflow = self.links.sum(axis=0)
        if not np.all(np.isclose(inflow, 0) | np.isclose(inflow, 1)):
            raise ValueError("the supplier probabilities of a node must add up to one")

    def sample(self, paths: int, periods: int, seed: int) -> tuple[Array, Array]:
        """Demand (paths, periods, nodes) and uniforms that draw the suppliers."""
        rng = np.random.default_rng(seed)
        shape = (paths, periods)
        demand = np.zeros((*shape, len(self.demands)))
        for j, distribution in enumerate(self.demands):
            if isinstance(distribution, Continuous):
                demand[:, :, j] = distribution.frozen.rvs(size=shape, random_state=rng)
            elif distribution is not None:
                lattice = distribution.on_grid(1.0)
                demand[:, :, j] = rng.choice(lattice.values, shape, p=lattice.probabilities)
        return np.maximum(demand, 0.0), rng.random(demand.shape)


def base_stock_costs(network: SupplyNetwork, levels: Array, demand: Array, chance: Array) -> Array:
    """Total cost of each demand path under local base-stock `levels`, from full stocks."""
    return np.asarray(
        _simulate(
            demand,
            chance,
            network.links,
            network.lead_times.astype(np.int64),
            network.holding,
            network.backorder,
            np.asarray(levels, dtype=np.float64),
        )
    )


@njit(cache=True)
def _simulate(
    demand: np.ndarray,
    chance: np.ndarray,
    links: np.ndarray,
    leads: np.ndarray,
    holding: np.ndarray,
    backorder: np.ndarray,
    levels: np.ndarray,
) -> np.ndarray:
    paths, periods, nodes = demand.shape
    costs = np.zeros(paths)
    span = leads.max() + 1
    for path in range(paths):
        stock = levels.copy()  # of customer-facing nodes net of customers' backorders
        owed = np.zeros((nodes, nodes))  # by node i to node j
        transit = np.zeros((nodes, span))
        on_order = np.zeros(nodes)  # in transit to a node or owed to it
        for t in range(periods):
            slot = t % span
            for j in range(nodes):
                stock[j] += transit[j, slot]
                on_order[j] -= transit[j, slot]
                transit[j, slot] = 0.0
            for j in range(nodes - 1, -1, -1):  # customers first, so that orders pass upstream
                due = owed[j].sum()
                order = max(levels[j] - (stock[j] + on_order[j] - due), 0.0)
                if order > 0:
                    on_order[j] += order
                    supplier = _draw(links[:, j], chance[path, t, j])
                    if supplier < 0:
                        transit[j, (t + leads[j]) % span] += order
                    else:
                        owed[supplier, j] += order
            for i in range(nodes):
                due = owed[i].sum()
                if due > 0:
                    share = min(max(stock[i], 0.0) / due, 1.0)
                    for j in range(nodes):
                        sent = share * owed[i, j]
                        owed[i, j] -= sent
                        stock[i] -= sent
                        transit[j, (t + leads[j]) % span] += sent
            for i in range(nodes):
                stock[i] -= demand[path, t, i]
                costs[path] += holding[i] * max(stock[i], 0.0)
                costs[path] += backorder[i] * max(-stock[i], 0.0)
    return costs


@njit(cache=True)
def _draw(probabilities: np.ndarray, uniform: float) -> int:
    """Index drawn with these probabilities, −1 if there are none."""
    cumulated, last = 0.0, -1
    for i in range(probabilities.size):
        if probabilities[i] > 0:
            last = i
            cumulated += probabilities[i]
            if uniform < cumulated:
                return i
    return last
