"""Items and nodes as one grid: stock, what is on the way, levels, and who may hold what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Arrays [items, nodes]; items and nodes in order of their ids.

    level: base-stock units; demand: expected units over the protection interval of protection_days
    [nodes]; on_hand: units; soon: units on the way that arrive within the interval, of vendors' the
    share of it that they are there for; later: the others. eligible: the node may hold the item.
    kept: units that transfers leave for orders that lose most elsewhere. cube, case: [items];
    parent: [nodes] index or -1.
    """

    items: list[str]
    nodes: list[str]
    tier: npt.NDArray[np.str_]
    parent: Ints
    eligible: npt.NDArray[np.bool_]
    level: Ints
    demand: Floats
    protection_days: Floats
    on_hand: Ints
    soon: Ints
    later: Ints
    kept: Ints
    cube: Floats
    case: Ints

    @property
    def position(self) -> Ints:
        """On hand and arriving within the protection interval."""
        return self.on_hand + self.soon

    def below(self, node: int) -> npt.NDArray[np.bool_]:
        """Nodes that are replenished through `node`, itself included."""
        found = np.zeros(len(self.nodes), dtype=bool)
        found[node] = True
        while True:  # as often as the tree is deep
            more = found | np.where(self.parent >= 0, found[self.parent], False)
            if (more == found).all():
                return found
            found = more


def build_grid(tables: dict[str, pd.DataFrame], as_of: date) -> Grid:
    """The night's grid from the tables that place reads."""
    items = tables["items"].astype({"item_id": "str"}).set_index("item_id").sort_index()
    nodes = tables["nodes"].astype({"node_id": "str"}).set_index("node_id").sort_index()
    rows, columns = pd.Index(items.index), pd.Index(nodes.index)
    accepts = nodes["accepts"].astype("str").to_numpy()
    size_class = items["size_class"].astype("str").to_numpy()
    above = nodes["parent_node_id"].astype("str").where(nodes["parent_node_id"].notna(), "")
    levels = tables["base_stock_levels"]
    at = _places(levels, "node_id", rows, columns)
    shape = (len(rows), len(columns))
    protection = np.ones(shape)
    _put(protection, at, levels["protection_days"])
    days = np.maximum(np.rint(protection.max(axis=0)), 1.0)
    stock = of_day(tables["stock"], as_of)
    orders, moves = (of_day(tables[name], as_of) for name in ("open_orders", "open_transfers"))
    soon, later = np.zeros(shape), np.zeros(shape)
    for frame, node in ((orders, "node_id"), (moves, "to_node_id")):
        where = _places(frame, node, rows, columns)
        ahead = (pd.to_datetime(frame["expected_arrival_date"]) - pd.Timestamp(as_of)).dt.days
        rest = days[where[1]] + 1 - np.maximum(ahead.to_numpy(), 1)
        share = np.clip(rest / days[where[1]], 0.0, 1.0) if node == "node_id" else rest > 0
        units = frame["open_units"].to_numpy(dtype=np.float64)
        in_time = np.rint(units * share)
        np.add.at(soon, where, in_time)
        np.add.at(later, where, units - in_time)
    level, demand, on_hand = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    _put(level, at, levels["base_stock_units"])
    _put(demand, at, levels["expected_demand_units"])
    np.add.at(on_hand, _places(stock, "node_id", rows, columns), stock["on_hand_units"].to_numpy())
    offers = tables["vendor_items"].astype({"item_id": "str"})
    case = offers.groupby("item_id")["case_pack_units"].min().reindex(rows).fillna(1)
    return Grid(
        items=rows.tolist(), nodes=columns.tolist(), tier=nodes["tier"].astype("str").to_numpy(),
        parent=columns.get_indexer(pd.Index(above)).astype(np.int64),
        eligible=(accepts[None, :] == "any") | (accepts[None, :] == size_class[:, None]),
        level=level.astype(np.int64), demand=demand, protection_days=days,
        on_hand=on_hand.astype(np.int64), soon=soon.astype(np.int64), later=later.astype(np.int64),
        kept=np.zeros(shape, dtype=np.int64),
        cube=items["unit_cube_cuft"].to_numpy(dtype=np.float64),
        case=case.to_numpy(dtype=np.int64),
    )  # fmt: skip


def _places(
    frame: pd.DataFrame, node: str, rows: pd.Index, columns: pd.Index
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    item = rows.get_indexer(pd.Index(frame["item_id"].astype("str")))
    return item, columns.get_indexer(pd.Index(frame[node].astype("str")))


def _put(target: Floats, at: tuple[npt.NDArray[np.intp], ...], values: pd.Series) -> None:
    target[at] = values.to_numpy(dtype=np.float64)


def of_day(frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The rows of a table of positions that are dated `as_of`."""
    return frame[frame["date"] == pd.Timestamp(as_of)]
