"""Delivery tables as arrays: who can serve a region at a speed until when, and at what cost.

The night (stage place) and the simulated world read them here, so that both mean the same offers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.fulfillment import Offers, bucket_hours, list_offers

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Delivery:
    """regions, nodes: by position; speeds: from the fastest to the slowest; offers: of all cells;
    first_hour: [buckets]; bucket_share: [buckets] share of a day's orders; share: [regions, speeds]
    of a region's; ship_usd: [regions, speeds, nodes], NaN where the node does not serve."""

    regions: pd.Index
    nodes: pd.Index
    speeds: pd.Index
    offers: Offers
    first_hour: NDArray[np.int64]
    bucket_share: Floats
    share: Floats
    ship_usd: Floats


def delivery(tables: dict[str, pd.DataFrame], regions: pd.Index, nodes: pd.Index) -> Delivery:
    """Offers of delivery_options, delivery_speeds and order_hours, by position in the indexes."""
    options, promised = tables["delivery_options"], tables["delivery_speeds"]
    speeds = _speeds(promised)
    ship, cutoff = _options(options, regions, speeds, nodes)
    promise = by_two(promised, "promise_days", regions, speeds, -1.0)
    missed = by_two(promised, "missed_speed_usd_per_unit", regions, speeds, 0.0)
    first_hour = bucket_hours(cutoff)
    offers = list_offers(ship, cutoff, promise.astype(np.int64), missed, first_hour)
    return Delivery(
        regions, nodes, speeds, offers, first_hour,
        _bucket_shares(tables["order_hours"], first_hour),
        by_two(promised, "demand_share", regions, speeds, 0.0), ship,
    )  # fmt: skip


def by_two(
    frame: pd.DataFrame, value: str, rows: pd.Index, columns: pd.Index, fill: float,
    row_name: str = "region_id", column_name: str = "speed",
) -> Floats:  # fmt: skip
    """[rows, columns] of a column of a table keyed by two identifiers; ``fill`` where absent."""
    found = np.full((len(rows), len(columns)), fill)
    i = rows.get_indexer(frame[row_name].astype("str"))
    j = columns.get_indexer(frame[column_name].astype("str"))
    known = (i >= 0) & (j >= 0)
    found[i[known], j[known]] = frame[value].to_numpy(float)[known]
    return found


def _speeds(frame: pd.DataFrame) -> pd.Index:
    """Speeds from the fastest to the slowest, by their quickest promise."""
    quickest = frame.groupby(frame["speed"].astype("str"))["promise_days"].min()
    return pd.Index(sorted(quickest.index, key=lambda speed: (quickest[speed], speed)))


def _options(
    frame: pd.DataFrame, regions: pd.Index, speeds: pd.Index, nodes: pd.Index
) -> tuple[Floats, Floats]:
    ship = np.full((len(regions), len(speeds), len(nodes)), np.nan)
    cutoff = ship.copy()
    at = (
        regions.get_indexer(frame["region_id"].astype("str")),
        speeds.get_indexer(frame["speed"].astype("str")),
        nodes.get_indexer(frame["node_id"].astype("str")),
    )
    ship[at] = frame["ship_usd_per_unit"].to_numpy(float)
    cutoff[at] = frame["cutoff_hour"].to_numpy(float)
    return ship, cutoff


def _bucket_shares(frame: pd.DataFrame, first_hour: NDArray[np.int64]) -> Floats:
    hours = np.zeros(24)
    hours[frame["hour"].to_numpy(int)] = frame["demand_share"].to_numpy(float)
    if hours.sum() <= 0:
        hours[:] = 1.0
    return np.add.reduceat(hours / hours.sum(), first_hour)
