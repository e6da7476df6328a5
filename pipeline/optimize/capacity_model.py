"""Capacity rows by node, resource and week: what a unit positioned at a node uses of them.

A position is refilled every review period, so it stands in storage in every week of the horizon,
scaled by how the item's demand moves. Every cycle the part of it that is not safety stock flows in
through the node and the nodes above it, up to where vendors deliver, and out of all of them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from pipeline.contracts.settings import Settings
from pipeline.core.prices import Capacity
from pipeline.optimize.item_model import Profiles
from pipeline.optimize.network_model import NetworkModel

CUFT, UNITS = 0, 1
"""Resources of an item in core's tables: cubic feet and units."""


@dataclass(frozen=True)
class CapacityModel:
    """Rows for core, and their keys: node (index), resource, week (from 0), capacity as stated."""

    rows: Capacity
    node: NDArray[np.int64]
    resource: NDArray[np.str_]
    week: NDArray[np.int64]
    week_start: list[date]
    stated: NDArray[np.float64]


def capacity_model(
    network: NetworkModel,
    capacity: pd.DataFrame,
    profiles: Profiles,
    cycle_days: float,
    overstock: NDArray[np.float64],
    as_of: date,
    settings: Settings,
) -> CapacityModel:
    """Rows from node_capacity; overstock: [nodes, weeks] cubic feet of stock above any level."""
    shape = profiles.trend
    weeks = [as_of + timedelta(days=1 + 7 * t) for t in range(shape.shape[1])]
    found = _stated(network, capacity, weeks)
    size = (len(shape), 2, len(network.parent))
    node, resource, week, stated = (list(part) for part in zip(*found, strict=True)) if found else (
        [], [], [], []
    )  # fmt: skip
    row_of, column_of, share = [], [], []
    through = [network.through(j) for j in range(len(network.parent))]
    for row, (j, name, t, _) in enumerate(found):
        kind, nodes, scale = CUFT, [j], np.ones(len(shape))
        if name != "storage_cuft":
            kind, nodes = UNITS, np.flatnonzero(through[j]).tolist()
            scale = profiles.turnover / cycle_days
        for f in range(len(shape)):
            for i in nodes:
                row_of.append(row)
                column_of.append(int(np.ravel_multi_index((f, kind, i), size)))
                share.append(shape[f, t] * scale[f])
    width = int(np.prod(size))
    matrix = coo_matrix((share, (row_of, column_of)), shape=(len(found), width)).tocsr()
    is_storage = np.array(resource, dtype=str) == "storage_cuft"
    limit = np.array(stated, float) - np.where(
        is_storage, overstock[np.array(node, int), np.array(week, int)], 0.0
    )
    overflow = np.where(
        is_storage,
        settings.optimize.storage_overflow_usd_per_cuft_week,
        settings.optimize.flow_overflow_usd_per_unit * 7.0,
    )
    rows = Capacity(matrix, size, limit, overflow)
    return CapacityModel(
        rows, np.array(node, int), np.array(resource, str), np.array(week, int), weeks,
        np.array(stated, float),
    )  # fmt: skip


def _stated(
    network: NetworkModel, capacity: pd.DataFrame, weeks: list[date]
) -> list[tuple[int, str, int, float]]:
    """Least capacity in effect during each week, by node and resource, in order."""
    index = {name: i for i, name in enumerate(network.names)}
    found = []
    keys = [capacity["node_id"].astype(str), capacity["resource"].astype(str)]
    for (name, resource), rows in capacity.sort_values("start_date").groupby(keys):
        start = rows["start_date"].to_numpy("datetime64[D]")
        amount = rows["capacity"].to_numpy(float)
        for t, first in enumerate(weeks):
            begin = np.datetime64(first)
            before = np.flatnonzero(start <= begin)[-1:]
            during = np.flatnonzero((start > begin) & (start < begin + 7))
            effective = np.concatenate([before, during])
            if len(effective):
                found.append((index[name], str(resource), t, float(amount[effective].min())))
    return sorted(found)


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
    return np.stack([cube_cuft @ units for units in left], axis=1)


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
