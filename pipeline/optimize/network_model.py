"""The network as the optimizer sees it: trees of sets, demand cells, costs of serving from outside.

The sets of a size class are those of optimize.node_sets. A demand cell is (region, speed, hour of
the order); it enters at the smallest set that holds every node whose cut-off it still meets. A
cell whose promise nothing can meet is served as one of the next slower speed. What the smallest
set that holds all nodes which serve the cell at all cannot serve is lost there: a shop's customers
do not go to where the next one is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.columns import SIZE_CLASSES
from pipeline.core.arithmetic import dot, product
from pipeline.core.demand import CellShares, cell_shares
from pipeline.core.network import Forest, Tree, along_chain, entry_sets, forest
from pipeline.errors import EchelonError
from pipeline.optimize.node_sets import fed_by, node_sets

CUBE_GRID = 9
"""Sizes at which the cost of serving from outside is worked out; items in between interpolate."""


@dataclass(frozen=True)
class NetworkModel:
    """Nodes in order of id, and per size class a tree, its cells and its costs.

    parent: [nodes] index of the replenishing node, -1 at the top; transit_days: [nodes] from it;
    chain_usd_per_cuft, chain_usd_per_unit: [nodes] lanes, and handling at every node, from where
    vendors deliver down to the node; eligible: bool [classes, nodes]; within: by class [regions,
    sets] share of a region's demand that enters inside the set; ends: the same of what is lost
    where the set cannot serve it, and nowhere else; lost_share: [classes, sets] of all that the set
    is asked for; cube_cuft: [grid]; gap_usd: [classes, grid, sets] extra cost of a unit served from
    outside the set, lost sales apart, which are the item's own; spilt_usd: [classes, grid, sets]
    what a unit that ends at the set costs more, where it spills last, than from the best node;
    serve_usd and farthest_usd: [classes, grid] mean cost of a unit served from the best node, and
    from the nodes to which it spills last, its way there included.
    """

    nodes: pd.DataFrame
    parent: NDArray[np.int64]
    transit_days: NDArray[np.float64]
    chain_usd_per_cuft: NDArray[np.float64]
    chain_usd_per_unit: NDArray[np.float64]
    eligible: NDArray[np.bool_]
    woods: Forest
    shares: list[CellShares]
    within: list[NDArray[np.float64]]
    ends: list[NDArray[np.float64]]
    lost_share: NDArray[np.float64]
    cube_cuft: NDArray[np.float64]
    gap_usd: NDArray[np.float64]
    spilt_usd: NDArray[np.float64]
    serve_usd: NDArray[np.float64]
    farthest_usd: NDArray[np.float64]

    @property
    def names(self) -> list[str]:
        """Node ids in order."""
        return self.nodes["node_id"].astype(str).tolist()

    @property
    def way_length(self) -> NDArray[np.int64]:
        """[nodes] places on the way into each node, itself and where vendors deliver included."""
        feeder = self.woods.feeder
        return along_chain(np.ones(len(feeder)), feeder, feeder < 0).astype(np.int64)

    @property
    def loses_apart(self) -> bool:
        """Whether sales are lost where other nodes may have the item."""
        return any((self.lost_share[t, : tree.n_sets - 1] > 0.0).any()
                   for t, tree in enumerate(self.woods.trees))  # fmt: skip

    def through(
        self, size_class: NDArray[np.uint8], units: NDArray[np.float64],
        ratios: list[NDArray[np.float64]],
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:  # fmt: skip
        """What is asked for of all nodes that are replenished through a node, itself included, of
        units [items, sets], and by time its ratio to that, of ratios [items, sets]; all [items,
        nodes]."""
        found = np.zeros((len(size_class), len(self.parent)))
        shares = [np.zeros_like(found) for _ in ratios]
        fed = np.stack([fed_by(self.parent, j) for j in range(len(self.parent))])
        for t, tree in enumerate(self.woods.trees):
            mine = np.flatnonzero(size_class == t)
            beyond = np.packbits(~(fed & self.eligible[t]), axis=1)
            members = np.packbits(tree.members, axis=1)
            # By set and node whether all of it is fed by the node, and no set that holds it is.
            inside = np.stack([~(members & row).any(axis=1) for row in beyond], axis=1)
            inside &= ~np.where(tree.parent[:, None] >= 0, inside[tree.parent], False)
            one, more = (np.flatnonzero(many) for many in
                         (inside.sum(axis=0) == 1, inside.sum(axis=0) > 1))  # fmt: skip
            at, whole = inside[:, one].argmax(axis=0), inside[:, more].astype(np.float64)
            asked = units[mine][:, : tree.n_sets]
            found[np.ix_(mine, one)] = asked[:, at]
            is_summed = len(mine) > 0 and len(more) > 0
            if is_summed:
                found[np.ix_(mine, more)] = product(asked, whole)
            for share, ratio in zip(shares, ratios, strict=True):
                then = ratio[mine][:, : tree.n_sets]
                share[np.ix_(mine, one)] = then[:, at]
                if is_summed:
                    total = np.maximum(found[np.ix_(mine, more)], 1e-12)
                    share[np.ix_(mine, more)] = product(asked * then, whole) / total
        return found, shares

    def serving_usd(
        self, size_class: NDArray[np.uint8], cube_cuft: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """[items] mean cost of a unit served from the best node, its way there included."""
        return self._by_item(self.serve_usd, size_class, cube_cuft)

    def spilling_usd(
        self, size_class: NDArray[np.uint8], cube_cuft: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """[items] what a unit served from the nodes to which it spills last costs more than one
        served from the best node."""
        more = np.maximum(self.farthest_usd - self.serve_usd, 0.0)
        return self._by_item(more, size_class, cube_cuft)

    def _by_item(
        self, usd: NDArray[np.float64], size_class: NDArray[np.uint8],
        cube_cuft: NDArray[np.float64],
    ) -> NDArray[np.float64]:  # fmt: skip
        found = np.zeros(len(cube_cuft))
        for t, values in enumerate(usd):
            mine = size_class == t
            found[mine] = np.interp(cube_cuft[mine], self.cube_cuft, values)
        return found


def build_network(
    nodes: pd.DataFrame,
    lanes: pd.DataFrame,
    options: pd.DataFrame,
    speeds: pd.DataFrame,
    hours: pd.DataFrame,
    region_share: pd.Series,
    cubes: pd.Series,
) -> NetworkModel:
    """Model of the network; region_share: demand share by region_id, cubes: unit_cube_cuft."""
    nodes = nodes.sort_values(
        "node_id", key=lambda ids: ids.astype(str), kind="stable"
    ).reset_index(drop=True)
    index = {name: i for i, name in enumerate(nodes["node_id"].astype(str))}
    above = nodes["parent_node_id"]
    parent = np.array([-1 if pd.isna(name) else index[str(name)] for name in above])
    transit, chain, handling = _chains(nodes, lanes, parent)
    accepts = nodes["accepts"].astype(str).to_numpy()
    eligible = np.array([(accepts == name) | (accepts == "any") for name in SIZE_CLASSES])
    cells = demand_cells(options, speeds, hours, region_share, index)
    grid = np.quantile(cubes.to_numpy(float), np.linspace(0, 1, CUBE_GRID))
    serves = [np.isfinite(cells.cost_usd) & able for able in eligible]
    asked = cells.share > 0.0
    trees = [node_sets(parent, able, reach[asked], name)
             for able, reach, name in zip(eligible, serves, SIZE_CLASSES, strict=True)]  # fmt: skip
    direct = nodes["is_vendor_receiving"].to_numpy(bool)
    woods = forest(trees, np.where(direct, -1, parent))
    gap, spilt = np.zeros((2, len(trees), CUBE_GRID, woods.parent.shape[1]))
    serve, farthest = np.zeros((2, len(trees), CUBE_GRID))
    lost = np.zeros((len(trees), woods.parent.shape[1]))
    shares: list[CellShares] = []
    within: list[NDArray[np.float64]] = []
    ends: list[NDArray[np.float64]] = []
    for t, tree in enumerate(trees):
        entry, end = entries(cells, tree, eligible[t]), entry_sets(serves[t], tree)
        end[~serves[t].any(axis=1)] = -1
        by_region, ending = np.zeros((2, len(region_share), tree.n_sets))
        np.add.at(by_region, (cells.region, entry), cells.share)
        np.add.at(ending, (cells.region[end >= 0], end[end >= 0]), cells.share[end >= 0])
        shares.append(cell_shares(by_region, tree.members.sum(axis=1)))
        within.append(_within(by_region, tree.parent))
        ends.append(ending / np.maximum(by_region.sum(axis=1, keepdims=True), 1e-300))
        weight = cells.share * region_share.to_numpy(float)[cells.region]
        for s in range(tree.n_sets):
            inside = (tree.members <= tree.members[s]).all(axis=1)[entry]
            lost[t, s] = weight[end == s].sum() / max(weight[inside].sum(), 1e-300)
        for g, cube in enumerate(grid):
            cost = cells.cost_usd + handling + cube * chain
            cost = np.where(eligible[t], cost, np.inf)
            gap[t, g, : tree.n_sets], last = _gaps(cost, entry, weight, tree)
            best = cost.min(axis=1)
            served = np.isfinite(best)
            share = weight[served] / max(weight[served].sum(), 1e-300)
            serve[t, g], farthest[t, g] = dot(share, best[served]), dot(share, last[served])
            for s in np.flatnonzero(lost[t, : tree.n_sets]).tolist():
                share = weight[end == s] / max(weight[end == s].sum(), 1e-300)
                spilt[t, g, s] = dot(share, last[end == s]) - dot(share, best[end == s])
    return NetworkModel(
        nodes, parent, transit, chain, handling, eligible, woods, shares, within, ends, lost, grid,
        gap, np.maximum(spilt, 0.0), serve, farthest,
    )  # fmt: skip


def _within(by_region: NDArray[np.float64], parent: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shares [regions, sets] of a region's demand that enter inside a set, from those that enter at
    it; sets come before the one that holds them."""
    found = by_region / np.maximum(by_region.sum(axis=1, keepdims=True), 1e-300)
    for s, above in enumerate(parent):
        if above >= 0:
            found[:, above] += found[:, s]
    return found


def _chains(
    nodes: pd.DataFrame, lanes: pd.DataFrame, parent: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """By node: transit days from the parent; usd a cubic foot for the lanes, and usd a unit for the
    handling at every node, on the way from where vendors deliver."""
    names = nodes["node_id"].astype(str).tolist()
    pairs = zip(lanes["from_node_id"].astype(str), lanes["to_node_id"].astype(str), strict=True)
    lane = {pair: i for i, pair in enumerate(pairs)}
    days, usd = np.zeros(len(names)), np.zeros(len(names))
    missing = []
    direct = nodes["is_vendor_receiving"].to_numpy(bool)
    for j, above in enumerate(parent):
        if above < 0 or direct[j]:
            continue
        row = lane.get((names[above], names[j]))
        if row is None:
            missing.append(f"{names[above]} -> {names[j]}")
            continue
        days[j] = lanes["transit_days"].iloc[row]
        usd[j] = lanes["lane_usd_per_cuft"].iloc[row]
    if missing:
        raise EchelonError(
            "lanes: no lane from the replenishing node for " + ", ".join(missing)
            + ". Next: add the lanes, or correct parent_node_id in nodes."
        )  # fmt: skip
    handling = nodes["handling_usd_per_unit"].to_numpy(float)
    return days, along_chain(usd, parent, direct), along_chain(handling, parent, direct)


@dataclass(frozen=True)
class Cells:
    """region, and speed by name: [cells]; share: of the region's demand; on_time: bool [cells,
    nodes];
    cost_usd: [cells, nodes] delivery, and a missed speed where late; inf where not served;
    slower: [cells] the cell of the next slower speed and same hour, -1 for the slowest."""

    region: NDArray[np.int64]
    speed: NDArray[np.object_]
    share: NDArray[np.float64]
    on_time: NDArray[np.bool_]
    cost_usd: NDArray[np.float64]
    slower: NDArray[np.int64]


def demand_cells(
    options: pd.DataFrame,
    speeds: pd.DataFrame,
    hours: pd.DataFrame,
    region_share: pd.Series,
    index: dict[str, int],
) -> Cells:
    """Cells of all regions, in order of region_share; index: of the nodes, by id."""
    regions = {str(name): i for i, name in enumerate(region_share.index)}
    speeds = speeds.sort_values(["region_id", "promise_days", "speed"])
    keys = list(zip(speeds["region_id"].astype(str), speeds["speed"].astype(str), strict=True))
    at = {key: i for i, key in enumerate(keys)}
    ship = np.full((len(keys), len(index)), np.inf)
    cutoff = np.full((len(keys), len(index)), -1.0)
    columns = ("region_id", "speed", "node_id", "ship_usd_per_unit", "cutoff_hour")
    for region, speed, node, usd, hour in zip(*(options[c] for c in columns), strict=True):
        row = at[(str(region), str(speed))]
        ship[row, index[str(node)]], cutoff[row, index[str(node)]] = usd, hour
    region_of = np.array([regions[region] for region, _ in keys])
    cheapest = ship.copy()  # slower speeds of the region are a way to serve, too late
    for row in reversed(range(len(keys) - 1)):
        if region_of[row] == region_of[row + 1]:
            cheapest[row] = np.minimum(cheapest[row], cheapest[row + 1])
    hour = hours["hour"].to_numpy(float)
    hour_share = hours["demand_share"].to_numpy(float) / hours["demand_share"].sum()
    on_time = hour[None, :, None] < cutoff[:, None, :]
    missed = speeds["missed_speed_usd_per_unit"].to_numpy(float)[:, None, None]
    late = cheapest[:, None, :] + missed
    cost = np.where(on_time, np.minimum(ship[:, None, :], late), late)
    share = speeds["demand_share"].to_numpy(float)[:, None] * hour_share[None, :]
    n_hours, n_nodes = len(hour), len(index)
    step = np.where(np.diff(region_of, append=-1) == 0, n_hours, -(10**9))
    slower = np.arange(len(keys) * n_hours) + np.repeat(step, n_hours)
    return Cells(
        np.repeat(region_of, n_hours),
        np.repeat(np.array([speed for _, speed in keys], dtype=object), n_hours),
        share.ravel(),
        on_time.reshape(-1, n_nodes),
        cost.reshape(-1, n_nodes),
        np.maximum(slower, -1),
    )


def entries(cells: Cells, tree: Tree, able: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Entry set of each cell."""
    return entry_sets(in_time(cells, able), tree)


def in_time(cells: Cells, able: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Nodes [cells, nodes] in time for each cell, slower speeds standing in where nothing is."""
    on_time = cells.on_time & able
    source = np.arange(len(on_time))
    for _ in range(len(on_time)):
        stuck = ~on_time[source].any(axis=1) & (cells.slower[source] >= 0)
        if not stuck.any():
            break
        source = np.where(stuck, cells.slower[source], source)
    return np.asarray(on_time[source])


def _gaps(
    cost: NDArray[np.float64],
    entry: NDArray[np.int64],
    weight: NDArray[np.float64],
    tree: Tree,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean extra cost, by set, of the cells that enter in it when served by the next larger set,
    and by cell what it costs where it spills last.

    What a cell costs rises from set to set, from its best node in the set that it enters, so that
    the gaps on its way add up to its whole extra cost. Where nothing in the next larger set can
    serve, or more cheaply, the unit spills on at no extra cost.
    """
    gap = np.zeros(tree.n_sets)
    usd = np.where(tree.members[entry], cost, np.inf).min(axis=1)
    for s in range(tree.n_sets - 1):  # in post-order: what spills into a set has been counted
        within = (tree.members <= tree.members[s]).all(axis=1)[entry]
        outside = tree.members[tree.parent[s]] & ~tree.members[s]
        beyond = cost[within][:, outside].min(axis=1, initial=np.inf)
        known = np.isfinite(beyond)
        raised = np.where(known, np.maximum(usd[within], beyond), usd[within])
        with np.errstate(invalid="ignore"):
            more = np.where(np.isfinite(usd[within]) & known, raised - usd[within], 0.0)
        gap[s] = dot(weight[within], more) / max(weight[within].sum(), 1e-300)
        usd[within] = np.where(np.isfinite(usd[within]), raised, beyond)
    return gap, usd
