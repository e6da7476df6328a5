"""What an order system needs to assign orders as the plan expects: offers, worth, units kept.

An order of an item, region, speed and hour goes to the node where its offer (delivery, and a missed
speed) and the worth of the unit there cost least together (core.assignment); table
assignment_offers holds the first, assignment_worth the second, protection_levels what an order of a
speed leaves behind. `echelon assign` replays them, and the simulated world serves by them.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.settings import Settings
from pipeline.core.assignment import protected_units, relief_usd, replacement_usd
from pipeline.delivery import Delivery, delivery
from pipeline.place.capacity import capacity_at
from pipeline.place.grid import Grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Tables = dict[str, pd.DataFrame]


def offers_of(grid: Grid, tables: Tables) -> Delivery:
    """The night's ways to serve orders."""
    regions = pd.Index(sorted(tables["delivery_speeds"]["region_id"].astype("str").unique()))
    return delivery(tables, regions, pd.Index(grid.nodes))


def offer_frame(found: Delivery) -> pd.DataFrame:
    """Table assignment_offers."""
    offers = found.offers
    cell = np.repeat(np.arange(offers.n_cells), np.diff(offers.start))
    rank = np.arange(len(cell)) - offers.start[cell]
    by_speed = cell // offers.n_buckets
    return pd.DataFrame({
        "region_id": found.regions.to_numpy(object)[by_speed // offers.n_speeds],
        "speed": found.speeds.to_numpy(object)[by_speed % offers.n_speeds],
        "from_hour": found.first_hour[cell % offers.n_buckets],
        "node_id": found.nodes.to_numpy(object)[offers.node],
        "offer_rank": rank,
        "keeps_promise": np.arange(len(cell)) < offers.late[cell],
        "ship_usd_per_unit": offers.ship_usd,
        "missed_speed_usd_per_unit": offers.missed_usd,
    })  # fmt: skip


def worth_frame(
    grid: Grid, tables: Tables, transfers: pd.DataFrame, as_of: date, settings: Settings
) -> pd.DataFrame:
    """Table assignment_worth, of the items that a node may hold; tonight's transfers have left."""
    left = grid.on_hand.copy()
    item = pd.Index(grid.items).get_indexer(transfers["item_id"].astype("str"))
    node = pd.Index(grid.nodes).get_indexer(transfers["from_node_id"].astype("str"))
    np.subtract.at(left, (item, node), transfers["transfer_units"].to_numpy(np.int64))
    replaced, relief = worth_usd(grid, tables, as_of, settings)
    k, j = np.nonzero(grid.eligible | (left > 0))
    return pd.DataFrame({
        "item_id": np.array(grid.items, dtype=object)[k],
        "node_id": np.array(grid.nodes, dtype=object)[j],
        "assignable_units": np.maximum(left, 0)[k, j],
        "replacement_usd": replaced[k, j],
        "relief_usd": relief[k, j],
        "unit_worth_usd": (replaced - relief)[k, j],
    })  # fmt: skip


def worth_usd(grid: Grid, tables: Tables, as_of: date, settings: Settings) -> tuple[Floats, Floats]:
    """(replacement, relief) [items, nodes] usd of a unit: what bringing the next one costs, and
    what overflow it spares by leaving a node that is too full tomorrow."""
    nodes = tables["nodes"].astype({"node_id": "str"}).set_index("node_id").loc[grid.nodes]
    lanes = tables["lanes"].astype({"from_node_id": "str", "to_node_id": "str"})
    usd = lanes.set_index(["from_node_id", "to_node_id"])["lane_usd_per_cuft"]
    above = [grid.nodes[parent] for parent in grid.parent]
    way = usd.reindex(pd.MultiIndex.from_arrays([above, grid.nodes])).fillna(0.0).to_numpy(float)
    is_start = nodes["is_vendor_receiving"].to_numpy(bool) | (grid.parent < 0)
    replaced = replacement_usd(
        nodes["handling_usd_per_unit"].to_numpy(float), way, grid.parent, is_start, grid.cube
    )
    room = capacity_at(
        tables["node_capacity"], "storage_cuft", grid.nodes, as_of + timedelta(days=1)
    )
    rate = settings.optimize.storage_overflow_usd_per_cuft_week / 7.0
    return replaced, relief_usd(grid.on_hand, grid.cube, room, rate)


def kept_units(
    grid: Grid, found: Delivery, tables: Tables, as_of: date, settings: Settings
) -> Ints:
    """Units [items, speeds, nodes] that an order of the speed leaves in the node, speeds from the
    fastest on; none with place.protection_share 0."""
    shape = (len(grid.items), len(found.speeds), len(grid.nodes))
    share = settings.place.protection_share
    if share <= 0:
        return np.zeros(shape, dtype=np.int64)
    replaced, relief = worth_usd(grid, tables, as_of, settings)
    daily = _daily_units(grid, tables["demand_quantiles"], found.regions)
    demand, loss = _stakes(found, daily, replaced - relief, grid)
    demand *= grid.protection_days
    kept = np.floor(share * protected_units(demand, loss) + 1e-9).astype(np.int64)
    return np.where(grid.eligible[:, None, :], kept, 0)


def protection_frame(grid: Grid, found: Delivery, kept: Ints) -> pd.DataFrame:
    """Table protection_levels, where anything is kept."""
    k, s, j = np.nonzero(kept)
    return pd.DataFrame({
        "item_id": np.array(grid.items, dtype=object)[k],
        "node_id": np.array(grid.nodes, dtype=object)[j],
        "speed": found.speeds.to_numpy(object)[s],
        "protected_units": kept[k, s, j],
    })  # fmt: skip


def _stakes(found: Delivery, daily: Floats, worth: Floats, grid: Grid) -> tuple[Floats, Floats]:
    """By item, speed and node: units a day of the orders that the node serves best, and what orders
    of the speed that it can serve lose in the mean if another node serves them."""
    offers = found.offers
    shape = (len(grid.items), offers.n_speeds, len(grid.nodes))
    demand, loss, weight = np.zeros((3, *shape))
    for cell in range(offers.n_cells):
        span = slice(offers.start[cell], offers.start[cell + 1])
        region, speed = divmod(cell // offers.n_buckets, offers.n_speeds)
        part = found.share[region, speed] * found.bucket_share[cell % offers.n_buckets]
        nodes = offers.node[span]
        if part <= 0 or len(nodes) < 2:
            continue
        able = grid.eligible[:, nodes]
        usd = offers.ship_usd[span] + offers.missed_usd[span] + worth[:, nodes]
        usd = np.where(able, usd, np.inf)
        two = np.sort(usd, axis=1)[:, :2]
        best = usd.argmin(axis=1)
        units = daily[:, region] * part
        others = np.where(usd == two[:, :1], two[:, 1:], two[:, :1])
        lost = np.where(np.isfinite(others) & able, np.maximum(others - usd, 0.0), 0.0)
        each = np.arange(len(units))
        at_best = (each, np.full(len(each), speed), nodes[best])
        np.add.at(demand, at_best, np.where(able.any(axis=1), units, 0.0))
        for at, node in enumerate(nodes):
            loss[:, speed, node] += units * lost[:, at]
            weight[:, speed, node] += units
    return demand, loss / np.maximum(weight, 1e-12)


def _daily_units(grid: Grid, quantiles: pd.DataFrame, regions: pd.Index) -> Floats:
    """[items, regions] expected units a day over the longest window from tomorrow."""
    rows = quantiles[quantiles["window_start_day"] == 1]
    rows = rows[rows["window_days"] == rows["window_days"].max()]
    found = np.zeros((len(grid.items), len(regions)))
    k = pd.Index(grid.items).get_indexer(rows["item_id"].astype("str"))
    r = regions.get_indexer(rows["region_id"].astype("str"))
    known = (k >= 0) & (r >= 0)
    usd = (rows["mean_units"] / rows["window_days"]).to_numpy(float)
    found[k[known], r[known]] = usd[known]
    return found
