"""Capacity rows by node, resource and week: what a unit positioned at a node uses of them.

A position is refilled every review period, so it stands in storage in every week of the horizon,
scaled by how the item's demand moves. Every cycle the part of it that is not safety stock flows in
through the node and the nodes above it, up to where vendors deliver, and out of all of them again;
over the lanes between them; and it is bought, which the budget of a night limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import product
from pipeline.core.prices import Capacity
from pipeline.optimize.item_model import Profiles
from pipeline.optimize.network_model import NetworkModel

CUFT, UNITS, USD = 0, 1, 2
"""Resources of an item in core's tables: cubic feet, units, and (with a budget) what it costs."""
NETWORK = -1
"""Node index of a row that is about the whole network."""

Row = tuple[int, str, int, float]
"""Node, resource, week, capacity."""


@dataclass(frozen=True)
class CapacityModel:
    """Rows for core, and their keys: node (index, or NETWORK), resource, week (from 0), capacity as
    stated. A lane's row stands at the node that the lane leads to."""

    rows: Capacity
    node: NDArray[np.int64]
    resource: NDArray[np.str_]
    week: NDArray[np.int64]
    week_start: list[date]
    stated: NDArray[np.float64]


def capacity_model(
    network: NetworkModel,
    capacity: pd.DataFrame,
    lanes: pd.DataFrame,
    profiles: Profiles,
    cycle_days: float,
    overstock: NDArray[np.float64],
    reserve: NDArray[np.float64],
    as_of: date,
    settings: Settings,
) -> CapacityModel:
    """Rows from node_capacity, the lanes' capacities and the budget of a night.

    overstock: [nodes, weeks] cubic feet of stock above any level; reserve: [nodes] inbound units a
    day kept free for uneven arrivals, half of the capacity at most.
    """
    weeks = [as_of + timedelta(days=1 + 7 * t) for t in range(profiles.trend.shape[1])]
    found = _stated(network, capacity, weeks) + _lanes(network, lanes, len(weeks))
    budget = settings.buy.budget_usd
    if budget is not None:
        found += [(NETWORK, "budget_usd_per_day", t, budget) for t in range(len(weeks))]
    found.sort()
    node = np.array([row[0] for row in found], int)
    resource = np.array([row[1] for row in found], str)
    week = np.array([row[2] for row in found], int)
    stated = np.array([row[3] for row in found], float)
    is_storage = resource == "storage_cuft"
    limit = stated - np.where(is_storage, overstock[node, week], 0.0) if found else stated
    kept = np.minimum(reserve[node], stated / 2)
    limit = limit - np.where(resource == "inbound_units_per_day", kept, 0.0)
    usd = settings.optimize
    overflow = {
        "storage_cuft": usd.storage_overflow_usd_per_cuft_week,
        "lane_cuft_per_day": usd.lane_overflow_usd_per_cuft * 7.0,
        "budget_usd_per_day": usd.budget_overflow_usd_per_usd * 7.0,
    }
    flow = usd.flow_overflow_usd_per_unit * 7.0
    matrix, size = _coefficients(network, found, profiles, cycle_days, 2 + (budget is not None))
    rows = Capacity(
        matrix, size, limit, np.array([overflow.get(row[1], flow) for row in found], float)
    )
    return CapacityModel(rows, node, resource, week, weeks, stated)


def _coefficients(
    network: NetworkModel, found: list[Row], profiles: Profiles, cycle_days: float, resources: int
) -> tuple[csr_matrix, tuple[int, int, int]]:
    """What a unit of a resource at a node uses of each row, and the shape of its columns."""
    size = (len(profiles.trend), resources, len(network.parent))
    row_of, column_of, share = [], [], []
    through = [network.through(j) for j in range(len(network.parent))]
    daily = profiles.turnover / cycle_days
    for row, (j, resource, t, _) in enumerate(found):
        if resource == "storage_cuft":
            kind, nodes, scale = CUFT, [j], np.ones(len(daily))
        elif resource == "budget_usd_per_day":
            kind, nodes, scale = USD, list(range(size[2])), daily
        else:
            kind = CUFT if resource == "lane_cuft_per_day" else UNITS
            nodes, scale = np.flatnonzero(through[j]).tolist(), daily
        for f in range(len(daily)):
            row_of += [row] * len(nodes)
            column_of += [int(np.ravel_multi_index((f, kind, i), size)) for i in nodes]
            share += [profiles.trend[f, t] * scale[f]] * len(nodes)
    shape = (len(found), int(np.prod(size)))
    return coo_matrix((share, (row_of, column_of)), shape=shape).tocsr(), size


def _lanes(network: NetworkModel, lanes: pd.DataFrame, weeks: int) -> list[Row]:
    """Capacities of the lanes that replenish a node, by the node they lead to."""
    index = {name: i for i, name in enumerate(network.names)}
    direct = network.nodes["is_vendor_receiving"].to_numpy(bool)
    ends = zip(lanes["from_node_id"].astype(str), lanes["to_node_id"].astype(str), strict=True)
    found: list[Row] = []
    for (source, target), room in zip(ends, lanes["lane_capacity_cuft_per_day"], strict=True):
        j = index[target]
        if not pd.isna(room) and network.parent[j] == index[source] and not direct[j]:
            found += [(j, "lane_cuft_per_day", t, float(room)) for t in range(weeks)]
    return found


def _stated(network: NetworkModel, capacity: pd.DataFrame, weeks: list[date]) -> list[Row]:
    """Least capacity in effect during each week, by node and resource."""
    index = {name: i for i, name in enumerate(network.names)}
    found: list[Row] = []
    keys = [capacity["node_id"].astype(str), capacity["resource"].astype(str)]
    for (name, resource), rows in capacity.sort_values("start_date", kind="stable").groupby(keys):
        start = rows["start_date"].to_numpy("datetime64[D]")
        amount = rows["capacity"].to_numpy(float)
        for t, first in enumerate(weeks):
            begin = np.datetime64(first)
            before = np.flatnonzero(start <= begin)[-1:]
            during = np.flatnonzero((start > begin) & (start < begin + 7))
            effective = np.concatenate([before, during])
            if len(effective):
                found.append((index[name], str(resource), t, float(amount[effective].min())))
    return found


def overstock_cuft(
    network: NetworkModel,
    stock: NDArray[np.float64],
    level: NDArray[np.int32],
    weekly: NDArray[np.float64],
    cube_cuft: NDArray[np.float64],
    weeks: int,
) -> NDArray[np.float64]:
    """Cubic feet [nodes, weeks] of stock above any level, as demand through the node drains it.

    stock, level, weekly: [items, nodes] units on hand, unpriced levels, and demand of a week that
    enters in the node's set.
    """
    excess = np.maximum(stock - level, 0.0)
    left = [np.maximum(excess - t * weekly, 0.0) for t in range(weeks)]
    return np.stack([product(cube_cuft, units) for units in left], axis=1)


def stock_on_hand(
    network: NetworkModel, stock: pd.DataFrame, items: list[str], as_of: date
) -> NDArray[np.float64]:
    """Units [items, nodes] on hand at the end of as_of."""
    today = stock[stock["date"] == pd.Timestamp(as_of)]
    k = pd.Index(items).get_indexer(pd.Index(today["item_id"].astype(str)))
    j = pd.Index(network.names).get_indexer(pd.Index(today["node_id"].astype(str)))
    known = (k >= 0) & (j >= 0)
    units = np.zeros((len(items), len(network.parent)))
    np.add.at(units, (k[known], j[known]), today["on_hand_units"].to_numpy(float)[known])
    return units
