"""Stock that lies where it cannot serve its item's demand in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.core.arithmetic import product
from pipeline.ingest.findings import Finding

_RECENT_DAYS = 56
_TOLD_SHARE = 0.25
_TOLD_DAYS = 14
_TOLD_ITEMS = 20
_AT_ONCE = 4096


def out_of_reach(tables: Mapping[str, pd.DataFrame], as_of: date) -> Iterator[Finding]:
    """A warning for each item (the 20 with most stock) of which a quarter of demand can be served
    in time from none of the nodes that hold or get any, though the stock would last two weeks."""
    day = pd.Timestamp(as_of)
    stock = tables["stock"]
    stock = stock[(stock["date"] == day) & (stock["on_hand_units"] > 0)]
    coming = [
        frame[(frame["date"] == day) & (frame["open_units"] > 0)]
        for frame in (tables["open_orders"], tables["open_transfers"].rename(
            columns={"to_node_id": "node_id"}))
    ]  # fmt: skip
    if stock.empty:
        return
    nodes = pd.Index(tables["nodes"]["node_id"].astype("str"))
    cells, serves = _serves(tables, nodes)
    serves = _with_lanes(tables["lanes"], nodes, serves)
    held = pd.concat([
        pd.DataFrame({"item": f["item_id"].astype("str"), "node": f["node_id"].astype("str")})
        for f in (stock, *coming)
    ]).drop_duplicates()  # fmt: skip
    units = stock.groupby(stock["item_id"].astype("str"))["on_hand_units"].sum()
    sold = tables["sales"]
    sold = sold[sold["date"] > day - pd.Timedelta(days=_RECENT_DAYS)]
    by_region = sold.astype({"item_id": "str", "region_id": "str"}).pivot_table(
        index="item_id", columns="region_id", values="units", aggfunc="sum", fill_value=0
    )
    shares = cells["share"].to_numpy()
    by_region = by_region.reindex(columns=cells["region"]).fillna(0)
    items = units[units.index.isin(by_region.index)].sort_values(ascending=False, kind="stable")
    told = 0
    for begin in range(0, len(items), _AT_ONCE):
        names = items.index[begin : begin + _AT_ONCE]
        is_at = _is_at(held, names, nodes)
        cell_units = by_region.loc[names].to_numpy() * shares
        total = cell_units.sum(axis=1)
        lost = cell_units * (product(is_at, serves) == 0)
        missed = lost.sum(axis=1) / np.maximum(total, 1e-9)
        lasts = items[names].to_numpy() > total / _RECENT_DAYS * _TOLD_DAYS
        for k in np.flatnonzero((missed >= _TOLD_SHARE) & lasts)[: _TOLD_ITEMS - told]:
            told += 1
            yield Finding(
                "stock", 0, "node_id", f"item {names[k]}: {int(items[names[k]])} units lie where "
                f"they cannot reach {missed[k]:.0%} of its demand in time",
                ", ".join(sorted(nodes[is_at[k]])[:3]),
                "The plan counts them for the whole network; move them by hand, correct the "
                "receipt, or order with an override.", "warning",
            )  # fmt: skip
        if told >= _TOLD_ITEMS:
            return


def _is_at(held: pd.DataFrame, items: pd.Index, nodes: pd.Index) -> npt.NDArray[np.bool_]:
    """Whether each node [items, nodes] holds or gets any of an item."""
    item, node = items.get_indexer(held["item"]), nodes.get_indexer(held["node"])
    known = (item >= 0) & (node >= 0)
    is_at = np.zeros((len(items), len(nodes)), dtype=bool)
    is_at[item[known], node[known]] = True
    return is_at


def _serves(
    tables: Mapping[str, pd.DataFrame], nodes: pd.Index
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Demand cells (region, speed, share) and which node [nodes, cells] can serve each in time."""
    speeds, options = tables["delivery_speeds"], tables["delivery_options"]
    cells = pd.DataFrame({
        "region": speeds["region_id"].astype("str"), "speed": speeds["speed"].astype("str"),
        "share": speeds["demand_share"].to_numpy(dtype="float64"),
    })  # fmt: skip
    place = pd.MultiIndex.from_frame(cells[["region", "speed"]])
    keys = pd.MultiIndex.from_arrays(
        [options["region_id"].astype("str"), options["speed"].astype("str")]
    )
    column, row = place.get_indexer(keys), nodes.get_indexer(options["node_id"].astype("str"))
    known = (column >= 0) & (row >= 0)
    serves = np.zeros((len(nodes), len(cells)), dtype=bool)
    serves[row[known], column[known]] = True
    return cells, serves


def _with_lanes(
    lanes: pd.DataFrame, nodes: pd.Index, serves: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """What each node can serve by itself or through the nodes that lanes lead to."""
    start, end = (
        nodes.get_indexer(lanes[name].astype("str")) for name in ("from_node_id", "to_node_id")
    )
    reach = serves.copy()
    for _ in range(len(nodes)):
        before = reach.copy()
        np.logical_or.at(reach, start, before[end])
        if (reach == before).all():
            break
    return reach
