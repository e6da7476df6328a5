"""Items as the general model sees them: every kind of order apart, served by any node at its cost.

The nested model (network_model) lets an order enter at the smallest set that holds all nodes in
time for it, and averages what it costs to serve from outside. Here an order keeps its own nodes and
costs. One that is lost costs as much as the sale is worth, and no less than the dearest way to
serve it: whoever has stock must serve.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.columns import DEPENDENCE_GROUPS
from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import dot
from pipeline.core.copula import Dependence
from pipeline.core.demand import (
    CellShares,
    ItemDemand,
    Ranks,
    cell_demand,
    cell_shares,
    ranks_of_groups,
)
from pipeline.core.general import GeneralItem, recourse
from pipeline.core.network import entry_sets
from pipeline.dependence import dependence_of
from pipeline.optimize.item_model import LEVELS, DemandCube, Economics, item_seeds
from pipeline.optimize.network_model import Cells, NetworkModel, demand_cells, in_time

Floats = NDArray[np.float64]
MOST_WORK = 5e9
"""Items of a class times the squared pairs of a kind of orders and a node: beyond it they are not
planned generally. 12 items of 100 stores in as many regions, 2e10, took 240 CPU seconds."""


@dataclass(frozen=True)
class OrderKinds:
    """Kinds of orders for a size class: all orders of a region that every node serves at the same
    cost.

    nodes: those that accept the class; shares: how a region's demand falls into kinds; usd: [kinds,
    nodes] delivery, and a missed speed where late; crossing_share: of demand, whose nodes in time
    are no set of the tree.
    """

    nodes: NDArray[np.int64]
    shares: CellShares
    usd: Floats
    crossing_share: float


@dataclass(frozen=True)
class GeneralModel:
    """By size class its kinds of orders, and the regions' rank correlations by group of items."""

    kinds: list[OrderKinds]
    dependence: list[Dependence]

    def crossing(self, size_class: NDArray[np.uint8], settings: Settings) -> NDArray[np.int64]:
        """Items whose class does not nest well enough for the nested model."""
        share = np.array([one.crossing_share for one in self.kinds])
        return np.flatnonzero((share > settings.optimize.general_share)[size_class])

    def is_too_wide(self, size_class: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which of these items, of all that are to be planned generally, are of a class whose
        network makes that more than MOST_WORK."""
        items = np.bincount(size_class, minlength=len(self.kinds))
        pairs = np.array([one.usd.size for one in self.kinds], np.float64)
        return np.asarray((items * pairs**2 > MOST_WORK)[size_class])


def general_model(
    network: NetworkModel, tables: dict[str, pd.DataFrame], region_share: pd.Series
) -> GeneralModel:
    """The kinds of orders of every size class."""
    index = {name: i for i, name in enumerate(network.names)}
    cells = demand_cells(
        tables["delivery_options"], tables["delivery_speeds"], tables["order_hours"], region_share,
        index,
    )  # fmt: skip
    kinds = [_kinds(network, cells, t, region_share) for t in range(len(network.eligible))]
    names = region_share.index.astype(str).tolist()
    dependence = tables["demand_dependence"]
    return GeneralModel(
        kinds, [dependence_of(dependence, names, group) for group in DEPENDENCE_GROUPS]
    )


def _kinds(network: NetworkModel, cells: Cells, t: int, region_share: pd.Series) -> OrderKinds:
    able = network.eligible[t]
    nodes = np.flatnonzero(able)
    tree = network.woods.trees[t]
    reach = in_time(cells, able)
    weight = cells.share * region_share.to_numpy(float)[cells.region]
    entry = entry_sets(reach, tree)
    crosses = (reach != tree.members[entry]).any(axis=1)
    # What ends in one of several sets inside another is asked for, and held, in that one as well.
    lost = network.lost_share[t, : tree.n_sets]
    is_inside = np.zeros(tree.n_sets, np.bool_)
    for s in np.flatnonzero((lost > 0.0) & (lost < 1.0 - 1e-9)):
        is_inside |= np.asarray((tree.members <= tree.members[s]).all(axis=1))
    crosses = np.asarray(crosses | is_inside[entry])
    key = np.column_stack([cells.region, cells.cost_usd[:, nodes]])
    found, kind = np.unique(key, axis=0, return_inverse=True)
    by_region = np.zeros((len(region_share), len(found)))
    np.add.at(by_region, (cells.region, kind.ravel()), cells.share)
    share = float(weight[crosses].sum() / max(weight.sum(), 1e-300))
    usd = np.ascontiguousarray(found[:, 1:])
    return OrderKinds(nodes, cell_shares(by_region, np.arange(len(found))), usd, share)


@dataclass(frozen=True)
class NightItem:
    """An item of the night in the general model: its nodes, its problem, and usd lost if it is held
    nowhere."""

    nodes: NDArray[np.int64]
    item: GeneralItem
    nothing_usd: float

    def cost(self, position: NDArray[np.integer]) -> float:
        """Expected usd of a position [nodes of the network]."""
        mine = position[self.nodes].astype(np.int64)
        reward = recourse(self.item, mine).reward
        return self.nothing_usd + dot(self.item.place_usd, mine) - reward


def night_items(
    network: NetworkModel,
    general: GeneralModel,
    cube: DemandCube,
    money: Economics,
    cycle_days: float,
    chosen: NDArray[np.int64],
    worth_usd: Floats,
    place_usd: Floats,
    ranks: Ranks,
) -> list[NightItem]:
    """The chosen items; worth_usd: [chosen] usd of a sale; place_usd: [chosen, nodes] usd of a unit
    at a node, capacity included."""
    names = [cube.items[k] for k in chosen]
    demand = ItemDemand(
        tree=money.size_class[chosen],
        quantiles=cube.quantiles[chosen],
        windows=cube.windows,
        intervals=np.array([cycle_days]),
        chances=np.ones((len(chosen), 1)),
        bank=ranks.bank(np.arange(len(chosen)), cube.group[chosen]),
        seeds=item_seeds(names) if names else np.zeros(0, np.uint64),
        gap_usd=np.zeros((len(chosen), 1)),
    )
    found: dict[int, NightItem] = {}
    for t, kinds in enumerate(general.kinds):
        mine = np.flatnonzero(demand.tree == t)
        drawn = cell_demand(kinds.shares, len(kinds.usd), ranks, _take(demand, mine))
        for i, asked in zip(mine, drawn, strict=True):
            k = chosen[i]
            way = network.chain_usd_per_unit + money.cube_cuft[k] * network.chain_usd_per_cuft
            usd = kinds.usd + way[kinds.nodes]
            found[int(i)] = _night_item(
                kinds.nodes, usd, asked, float(worth_usd[i]), place_usd[i, kinds.nodes]
            )
    return [found[i] for i in range(len(chosen))]


def _night_item(
    nodes: NDArray[np.int64], usd: Floats, asked: Floats, lost_usd: float, place_usd: Floats
) -> NightItem:
    """An item from the cost [kinds, nodes] of serving its orders."""
    kept = asked.any(axis=0)
    usd, asked = usd[kept], np.ascontiguousarray(asked[:, kept])
    more = usd - usd.min(axis=1, keepdims=True, initial=np.inf)
    dearest = np.where(np.isfinite(more), more, 0.0).max(axis=1, initial=0.0)
    worth = np.full(len(usd), lost_usd)  # as in item_model: to be near is worth no more than it
    more *= np.minimum(lost_usd / np.maximum(dearest, 1e-300), 1.0)[:, None]
    served = np.isfinite(more) & (lost_usd > 0.0)
    reward = np.where(served, worth[:, None] - more, -np.inf).T
    may = np.isfinite(place_usd)  # blocked nodes hold nothing
    item = GeneralItem(np.ascontiguousarray(reward[may]), asked, place_usd[may])
    return NightItem(nodes[may], item, dot(worth, asked.mean(axis=0)))


def scenario_ranks(
    general: GeneralModel, windows: Floats, settings: Settings, stream: int
) -> Ranks:
    """Banks of joint ranks for the general model; other streams are independent of each other."""
    wanted = settings.optimize
    seed = settings.planning.seed + 1_000 * (1 + stream)
    return ranks_of_groups(
        general.dependence, windows, LEVELS, wanted.rank_banks, wanted.general_scenarios, seed
    )


def _take(demand: ItemDemand, items: NDArray[np.int64]) -> ItemDemand:
    return replace(
        demand,
        tree=demand.tree[items],
        quantiles=demand.quantiles[items],
        chances=demand.chances[items],
        bank=demand.bank[items],
        seeds=demand.seeds[items],
    )
