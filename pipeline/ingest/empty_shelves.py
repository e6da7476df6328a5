"""Days on which nothing of an item was in stock, by the snapshots of stock, for companies that keep
no `availability`: what could not be bought was not asked for in vain.

Between two snapshots at most a week apart an item could not be sold in a region if at both none of
the nodes that serve the region held any, and no unit was sold there meanwhile. Stock that sells
although there is none says nothing (a vendor sends it, or the snapshot is of something else).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.core.arithmetic import product
from pipeline.ingest.findings import Finding

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.integer]
_MOST_DAYS = 7
_MOST_SOLD_SHARE = 0.1
"""Of the days without stock: an item that sold on more of them needs none."""


def empty_days(
    tables: Mapping[str, pd.DataFrame], items: pd.Index, regions: pd.Index, days: pd.DatetimeIndex
) -> Bools:
    """Days [items × regions, days] of which the snapshots say that nothing was there; none where
    `availability` has rows."""
    empty = np.zeros((len(items), len(regions), len(days)), dtype=bool)
    stock = tables["stock"]
    if len(tables["availability"]) or stock.empty:
        return empty.reshape(-1, len(days))
    nodes = pd.Index(sorted(tables["nodes"]["node_id"].astype("str")))
    serves = _serves(tables["delivery_options"], nodes, regions)
    day = (stock["date"] - days[0]).dt.days.to_numpy()
    item, node = (
        index.get_indexer(stock[name].astype("str"))
        for index, name in ((items, "item_id"), (nodes, "node_id"))
    )
    held = stock["on_hand_units"].to_numpy() > 0
    before: tuple[int, Bools] | None = None
    for now in np.unique(day[day <= len(days) - 1]):
        rows = np.flatnonzero((day == now) & (item >= 0) & (node >= 0))
        told = np.zeros(len(nodes), dtype=bool)
        told[node[rows]] = True
        there = np.zeros((len(items), len(nodes)), dtype=bool)
        there[item[rows], node[rows]] = held[rows]
        known = serves.any(axis=0) & ~(serves & ~told[:, None]).any(axis=0)
        none = (product(there, serves) == 0) & known
        if before is not None and now - before[0] <= _MOST_DAYS:
            empty[:, :, max(before[0] + 1, 0) : now + 1] |= (none & before[1])[:, :, None]
        before = (int(now), none)
    return empty.reshape(-1, len(days))


def believed(empty: Bools, units: Ints) -> Bools:
    """Those days [series, days] without a sale, of series that need stock to sell."""
    sold = ((units > 0) & empty).sum(axis=1)
    needs_stock = sold <= _MOST_SOLD_SHARE * empty.sum(axis=1)
    return empty & (units == 0) & needs_stock[:, None]


def _serves(options: pd.DataFrame, nodes: pd.Index, regions: pd.Index) -> Bools:
    """Whether a node serves a region [nodes, regions] at any speed."""
    serves = np.zeros((len(nodes), len(regions)), dtype=bool)
    node, region = (
        index.get_indexer(options[name].astype("str"))
        for index, name in ((nodes, "node_id"), (regions, "region_id"))
    )
    known = (node >= 0) & (region >= 0)
    serves[node[known], region[known]] = True
    return serves


def empty_finding(empty: Bools) -> list[Finding]:
    """One finding of all such days [series, days]."""
    if not empty.any():
        return []
    series = int(empty.any(axis=1).sum())
    return [Finding(
        "stock", 0, "on_hand_units", "days without a sale and, by the snapshots, without stock",
        f"{int(empty.sum()):,} days of {series:,} items × regions", "Taken for out of stock, not "
        "for zero demand. Rows of availability say it more exactly.", "warning",
    )]  # fmt: skip
