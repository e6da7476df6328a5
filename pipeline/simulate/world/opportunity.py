"""What a unit at a node is worth to later orders: prices for assigning orders to nodes."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core import assignment
from pipeline.core.fulfillment import scenario_prices
from pipeline.simulate.world.model import WorldModel, parents
from pipeline.simulate.world.randomness import poisson_demand
from pipeline.simulate.world.supply import day_number

_SCENARIOS = 16
_HORIZON_DAYS = 7


def opportunity_prices(
    model: WorldModel, on_hand: NDArray[np.int64], items: pd.DataFrame,
    quantiles: pd.DataFrame | None, as_of: date,
) -> NDArray[np.float64]:  # fmt: skip
    """[items, nodes] usd: what serving cost over the next week rises when one unit has left.

    Scenarios are Poisson draws around the forecast mean of the next week. Without `quantiles`
    (demand_quantiles of the night) prices are 0, which is the nearest policy.
    """
    n_items, n_regions, n_nodes = model.shape
    price = np.zeros((n_items, n_nodes))
    if quantiles is None:
        return price
    mean = week_mean(quantiles, model)
    draws = np.zeros((_SCENARIOS, n_items, n_regions), dtype=np.int64)
    for w in range(_SCENARIOS):
        poisson_demand(w, model.item_key, model.region_key, day_number(as_of), mean,
                       draws[w])  # fmt: skip
    start, node, usd = _region_offers(model)
    listed = items.set_index(items["item_id"].astype("str")).loc[model.items, "list_price_usd"]
    lost = listed.to_numpy(float) * (1 + model.rules.goodwill_share) - model.unit_cost_usd
    scenario_prices(on_hand, draws, start, node, usd, lost, price)
    return price


def replacement_usd(model: WorldModel, nodes: pd.DataFrame) -> NDArray[np.float64]:
    """[items, nodes] usd to bring another unit from a vendor's dock: handling and lanes.

    Where a plan refills what is used, this is what a unit is worth to later orders: it keeps the
    units at the customers' door for the orders that need them there.
    """
    parent = parents(nodes, model)
    rows = nodes.set_index(nodes["node_id"].astype("str")).loc[model.nodes]
    is_start = rows["is_vendor_receiving"].to_numpy(bool) | (parent < 0)
    way = model.lane_usd_per_cuft[parent, np.arange(len(parent))]
    return assignment.replacement_usd(model.handling_usd, way, parent, is_start, model.cube_cuft)


def protected_usd(
    model: WorldModel, nodes: pd.DataFrame, on_hand: NDArray[np.int64],
    capacity_cuft: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """[items, nodes] usd that a unit is worth where it is: what replacing it costs, less the
    overflow that it spares by leaving an overfull node. on_hand: [items, nodes]."""
    return replacement_usd(model, nodes) - relief_usd(model, on_hand, capacity_cuft)


def relief_usd(
    model: WorldModel, on_hand: NDArray[np.int64], capacity_cuft: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[items, nodes] usd of overflow that a unit spares when it leaves an overfull node today."""
    rate = model.rules.overflow_usd[0]
    return assignment.relief_usd(on_hand, model.cube_cuft, capacity_cuft, rate)


def week_mean(quantiles: pd.DataFrame, model: WorldModel) -> NDArray[np.float64]:
    """[items, regions] expected units of the next seven days, of demand_quantiles."""
    frame = quantiles[
        (quantiles["window_start_day"] == 1) & (quantiles["window_days"] == _HORIZON_DAYS)
    ]
    found = np.zeros((len(model.items), len(model.regions)))
    k = model.items.get_indexer(frame["item_id"].astype("str"))
    r = model.regions.get_indexer(frame["region_id"].astype("str"))
    found[k, r] = frame["mean_units"].to_numpy(float)
    return found


def _region_offers(
    model: WorldModel,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Offers by region, cheapest first: mean cost over the region's cells, by share of demand."""
    offers, n_nodes = model.offers, len(model.nodes)
    share = np.diff(np.concatenate(
        [np.zeros((offers.n_regions, 1)), model.cumulative], axis=1
    ))  # fmt: skip
    start, nodes, costs = [0], [], []
    for r in range(offers.n_regions):
        total, weight = np.zeros(n_nodes), np.zeros(n_nodes)
        for s in range(offers.n_speeds):
            for b in range(offers.n_buckets):
                cell = (r * offers.n_speeds + s) * offers.n_buckets + b
                span = slice(offers.start[cell], offers.start[cell + 1])
                w = share[r, b * offers.n_speeds + s]
                total[offers.node[span]] += w * (offers.ship_usd[span] + offers.missed_usd[span])
                weight[offers.node[span]] += w
        mean = np.where(weight > 0, total / np.maximum(weight, 1e-12), np.inf)
        order = [int(j) for j in np.argsort(mean, kind="stable") if np.isfinite(mean[j])]
        nodes += order
        costs += [float(mean[j]) for j in order]
        start.append(len(nodes))
    return np.array(start), np.array(nodes, dtype=np.int64), np.array(costs)


def kept_units(model: WorldModel, levels: pd.DataFrame | None) -> NDArray[np.int64] | None:
    """[items, speeds, nodes] units that orders leave, of table protection_levels; None: nothing."""
    if levels is None or levels.empty:
        return None
    kept = np.zeros((len(model.items), len(model.speeds), len(model.nodes)), dtype=np.int64)
    at = (
        model.items.get_indexer(levels["item_id"].astype("str")),
        model.speeds.get_indexer(levels["speed"].astype("str")),
        model.nodes.get_indexer(levels["node_id"].astype("str")),
    )
    kept[at] = levels["protected_units"].to_numpy(np.int64)
    return kept
