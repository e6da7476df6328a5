"""What serving a unit from a node saves, against the best node outside its subtree.

A demand cell is (region, speed, time of the order). A node serves it at its delivery cost while the
cut-off has not passed, else at that of its cheapest slower speed plus the goodwill lost; and at the
cost of having the unit there: handling at every node and lanes from where vendors deliver. Where
no other node serves a cell at all, as where a shop has its own customers, the sale is saved.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.core.arithmetic import dot
from pipeline.core.fulfillment import bucket_hours
from pipeline.core.network import along_chain
from pipeline.place.grid import Grid

Floats = npt.NDArray[np.float64]
CUBE_GRID = 9
LEAST_USD = 0.05
"""What serving from a node is worth at least: one that saves nothing is filled all the same."""


def saved_usd(
    grid: Grid, tables: dict[str, pd.DataFrame], region_demand: pd.Series,
    goodwill_share: float = 0.0,
) -> Floats:  # fmt: skip
    """Usd a unit [items, nodes]: mean saving over the demand that the node serves better.

    Rivals are the nodes outside its subtree that may hold the item; the subtree of a node that has
    none of the item stands empty, too, before long. A sale brings the list price less the cheapest
    cost and what serving it costs, and goodwill_share of the price. Worked out for CUBE_GRID sizes,
    and interpolated for the items between them.
    """
    cost, weight = _cell_costs(
        grid, tables["delivery_options"], tables["delivery_speeds"], tables["order_hours"],
        region_demand,
    )  # fmt: skip
    per_unit, per_cuft = _chains(grid, tables["nodes"], tables["lanes"])
    kinds, kind_of = np.unique(grid.eligible, axis=0, return_inverse=True)
    cubes = np.quantile(grid.cube, np.linspace(0, 1, CUBE_GRID))
    found = np.empty(grid.eligible.shape)
    for kind, able in enumerate(kinds):
        saved, alone, paid = np.array(
            [_savings(grid, cost + per_unit + cube * per_cuft, weight, able) for cube in cubes]
        ).transpose(1, 2, 0)
        mine = np.flatnonzero(kind_of.ravel() == kind)
        for node, values in enumerate(saved):
            found[mine, node] = np.interp(grid.cube[mine], cubes, values)
        for node in np.flatnonzero(alone.any(axis=1)).tolist():
            price, margin = _sale_usd(grid, tables, mine)
            kept = np.maximum(margin - np.interp(grid.cube[mine], cubes, paid[node]), 0.0)
            of_sale = np.interp(grid.cube[mine], cubes, alone[node])
            found[mine, node] += of_sale * (kept + goodwill_share * price)
    return np.maximum(found, LEAST_USD)


def _sale_usd(
    grid: Grid, tables: dict[str, pd.DataFrame], items: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """List price of the items, and what is left of it after the cheapest cost; [items] usd."""
    ids = np.array(grid.items, dtype=object)[items]
    listed, offers = tables["items"], tables["vendor_items"]
    price = listed.set_index(listed["item_id"].astype("str"))["list_price_usd"].reindex(ids)
    cost = offers.groupby(offers["item_id"].astype("str"))["unit_cost_usd"].min().reindex(ids)
    return price.to_numpy(float), np.maximum(price - cost.fillna(0.0), 0.0).to_numpy(float)


def _savings(
    grid: Grid, cost: Floats, weight: Floats, able: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """For items that `able` nodes may hold, cost: [cells, nodes]: usd a unit against other nodes,
    share of what the node serves better that no other could serve, and usd of serving that; all
    [nodes]."""
    saved, alone, paid = np.full(len(able), LEAST_USD), np.zeros(len(able)), np.zeros(len(able))
    for node in np.flatnonzero(able).tolist():
        cells = np.flatnonzero(np.isfinite(cost[:, node]))
        own = cost[cells, node]
        rival = cost[np.ix_(cells, able & ~grid.below(node))].min(axis=1, initial=np.inf)
        gain = np.where(np.isfinite(rival), np.maximum(rival, own) - own, 0.0)
        served = float(weight[cells][gain > 0].sum())
        others = np.delete(cost[cells], node, axis=1)[:, np.delete(able, node)]
        only = ~np.isfinite(others).any(axis=1) & (weight[cells] > 0)
        lost = float(weight[cells][only].sum())
        if lost > 0:
            saved[node] = dot(weight[cells], gain) / (served + lost)
            alone[node] = lost / (served + lost)
            paid[node] = dot(weight[cells][only], own[only]) / lost
        elif served > 0:
            saved[node] = max(dot(weight[cells], gain) / served, LEAST_USD)
    return saved, alone, paid


def _chains(grid: Grid, nodes: pd.DataFrame, lanes: pd.DataFrame) -> tuple[Floats, Floats]:
    """(usd a unit, usd a cubic foot) [nodes] paid on the way to each node from a vendor's dock."""
    rows = nodes.astype({"node_id": "str"}).set_index("node_id").loc[grid.nodes]
    is_start = rows["is_vendor_receiving"].to_numpy(bool) | (grid.parent < 0)
    text = lanes.astype({"from_node_id": "str", "to_node_id": "str"})
    usd = text.set_index(["from_node_id", "to_node_id"])["lane_usd_per_cuft"]
    above = [grid.nodes[parent] for parent in grid.parent]
    ways = usd.reindex(pd.MultiIndex.from_arrays([above, grid.nodes])).fillna(0.0)
    lane = np.where(is_start, 0.0, ways.to_numpy(dtype=np.float64))
    handling = rows["handling_usd_per_unit"].to_numpy(dtype=np.float64)
    return (
        along_chain(handling, grid.parent, is_start), along_chain(lane, grid.parent, is_start)
    )  # fmt: skip


def _cell_costs(
    grid: Grid, options: pd.DataFrame, speeds: pd.DataFrame, hours: pd.DataFrame,
    region_demand: pd.Series,
) -> tuple[Floats, Floats]:  # fmt: skip
    """(usd [cells, nodes], share of all demand [cells]); inf where a node cannot serve at all."""
    speeds = speeds.astype({"region_id": "str", "speed": "str"})
    speeds = speeds.sort_values(["region_id", "promise_days", "speed"], ignore_index=True)
    ship, cutoff = _by_speed(grid, options, speeds)
    hour = bucket_hours(cutoff)  # within a bucket no node passes its cut-off
    by_hour = hours.sort_values("hour", kind="stable")
    bucket = np.searchsorted(hour, by_hour["hour"].to_numpy(), side="right") - 1
    hour_share = np.bincount(bucket, by_hour["demand_share"].to_numpy(float), len(hour))
    region = speeds["region_id"].to_numpy()
    slower = np.full(ship.shape, np.inf)  # cheapest delivery at this speed or a slower one
    for row in reversed(range(len(speeds))):
        slower[row] = ship[row]
        if row + 1 < len(speeds) and region[row + 1] == region[row]:
            slower[row] = np.minimum(slower[row], slower[row + 1])
    missed = speeds["missed_speed_usd_per_unit"].to_numpy(dtype=np.float64)
    on_time = hour[None, :, None] < cutoff[:, None, :]
    late = (slower + missed[:, None])[:, None, :]
    cost = np.where(on_time, np.minimum(ship[:, None, :], late), late)
    of_region = speeds["region_id"].map(region_demand).fillna(0).to_numpy(dtype=np.float64)
    share = speeds["demand_share"].to_numpy(dtype=np.float64) * of_region
    weight = share[:, None] * hour_share[None, :]
    return cost.reshape(-1, len(grid.nodes)), weight.ravel() / max(float(weight.sum()), 1e-12)


def _by_speed(grid: Grid, options: pd.DataFrame, speeds: pd.DataFrame) -> tuple[Floats, Floats]:
    """(delivery usd, cut-off hour) [speeds, nodes]; inf and -1 where the node does not offer it."""
    keys = pd.MultiIndex.from_frame(speeds[["region_id", "speed"]])
    text = options.astype({"region_id": "str", "speed": "str", "node_id": "str"})
    row = keys.get_indexer(pd.MultiIndex.from_frame(text[["region_id", "speed"]]))
    node = pd.Index(grid.nodes).get_indexer(pd.Index(text["node_id"]))
    known = (row >= 0) & (node >= 0)
    ship = np.full((len(speeds), len(grid.nodes)), np.inf)
    cutoff = np.full(ship.shape, -1.0)
    ship[row[known], node[known]] = text["ship_usd_per_unit"].to_numpy(dtype=np.float64)[known]
    cutoff[row[known], node[known]] = text["cutoff_hour"].to_numpy(dtype=np.float64)[known]
    return ship, cutoff
