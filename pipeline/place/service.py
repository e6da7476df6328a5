"""What serving a unit from a node saves, against the best node outside its subtree.

A demand cell is (region, speed, order hour). A node serves it at its delivery cost while the
cut-off has not passed, else at that of its cheapest slower speed plus the goodwill lost.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.place.grid import Grid

Floats = npt.NDArray[np.float64]
LEAST_USD = 0.05
"""What serving from a node is worth at least: one that saves nothing is filled all the same."""


def saved_usd(
    grid: Grid, options: pd.DataFrame, speeds: pd.DataFrame, hours: pd.DataFrame,
    region_demand: pd.Series,
) -> Floats:  # fmt: skip
    """Usd a unit [items, nodes]: mean saving over the demand that the node serves better.

    Rivals are the nodes outside its subtree that may hold the item; the subtree of a node that has
    none of the item stands empty, too, before long.
    """
    cost, weight = _cell_costs(grid, options, speeds, hours, region_demand)
    kinds, kind_of = np.unique(grid.eligible, axis=0, return_inverse=True)
    saved = np.full(kinds.shape, LEAST_USD)
    for kind, able in enumerate(kinds):
        for node in np.flatnonzero(able).tolist():
            rival = cost[:, able & ~grid.below(node)].min(axis=1, initial=np.inf)
            is_both = np.isfinite(rival) & np.isfinite(cost[:, node])
            gain = np.where(is_both, np.maximum(rival, cost[:, node]) - cost[:, node], 0.0)
            served = float(weight[gain > 0].sum())
            if served > 0:
                saved[kind, node] = max(float(weight @ gain) / served, LEAST_USD)
    return saved[kind_of.ravel()]


def _cell_costs(
    grid: Grid, options: pd.DataFrame, speeds: pd.DataFrame, hours: pd.DataFrame,
    region_demand: pd.Series,
) -> tuple[Floats, Floats]:  # fmt: skip
    """(usd [cells, nodes], share of all demand [cells]); inf where a node cannot serve at all."""
    speeds = speeds.astype({"region_id": "str", "speed": "str"})
    speeds = speeds.sort_values(["region_id", "promise_days", "speed"], ignore_index=True)
    hour = hours.sort_values("hour")["hour"].to_numpy(dtype=np.float64)
    hour_share = hours.sort_values("hour")["demand_share"].to_numpy(dtype=np.float64)
    ship, cutoff = _by_speed(grid, options, speeds)
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
