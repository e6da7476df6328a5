"""What each service target is about: which items, and which part of what falls short.

A fill rate counts what the network cannot serve at all. A promise is kept where an order is served
from within the smallest set of nodes that holds all that are in time for it; what falls short of a
set falls on its orders alike, so that an order's part is its share of the demand of the set in
which it enters. Both are linear in the shortfalls of sets, which the optimizer prices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.columns import ABC_CLASSES
from pipeline.contracts.tables import TABLES
from pipeline.optimize.item_model import DemandCube, PackedItems
from pipeline.optimize.network_model import NetworkModel, demand_cells, entries
from pipeline.optimize.weekly_demand import demand_by_region

_ABC_SHARES = (0.8, 0.95)
"""Share of expected sales that classes A, and A and B, bring."""


@dataclass(frozen=True)
class Scopes:
    """Targets in order of id, as in table service_targets, and what they count.

    asked: [targets, items] units of a cycle; part: [targets, items, sets] share of a set's
    shortfall that counts against the target.
    """

    targets: pd.DataFrame
    asked: NDArray[np.float64]
    part: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def is_of_promises(self) -> NDArray[np.bool_]:
        """[targets] whether the target counts promises."""
        return (self.targets["service_measure"].astype(str) == "promises_kept").to_numpy(bool)

    def premium_usd(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """[items, sets] usd that prices [targets] of a unit's shortage add to that of a set."""
        found = np.zeros(self.part.shape[1:])
        for part, usd in zip(self.part, price, strict=True):
            if usd > 0:
                found += usd * part
        return found


def service_scopes(
    network: NetworkModel, cube: DemandCube, packed: PackedItems, tables: dict[str, pd.DataFrame],
    region_share: pd.Series, cycle_days: float,
) -> Scopes:  # fmt: skip
    """Scopes of the night's targets; none where the table is not there."""
    given = tables.get("service_targets")
    columns = list(TABLES["service_targets"].columns)
    targets = pd.DataFrame(columns=columns, dtype=object) if given is None else given[columns]
    targets = targets.sort_values("target_id", kind="stable", ignore_index=True)
    shape = (len(targets), *packed.gap_usd.shape)
    asked, part = np.zeros(shape[:2]), np.zeros(shape, np.float32)
    if not len(targets):
        return Scopes(targets, asked, part)
    items = tables["items"].assign(item_id=tables["items"]["item_id"].astype(str))
    items = items.set_index("item_id").loc[cube.items]
    abc = abc_classes(cube.mean[:, -1].sum(axis=1) * items["list_price_usd"].to_numpy(float))
    at = _at_cycle(cube, packed, network, cycle_days)
    for t, target in targets.iterrows():
        mine = np.ones(len(cube.items), np.bool_)
        if not pd.isna(target["abc_class"]):
            mine &= abc == str(target["abc_class"])
        if not pd.isna(target["item_group"]):
            group = str(target["item_group"])
            mine &= ((items["category"].astype(str) == group)
                     | (items["department"].astype(str) == group)).to_numpy(bool)  # fmt: skip
        counts = np.ones(len(cube.regions), np.bool_)
        if not pd.isna(target["region_id"]):
            counts = np.array(cube.regions) == str(target["region_id"])
        if str(target["service_measure"]) == "fill_rate":
            own, total = _lost(network, packed, at, counts)
        else:
            speed = None if pd.isna(target["speed"]) else str(target["speed"])
            own, total = _missed(network, packed, at, counts, speed, tables, region_share)
        whole = np.maximum(packed.mean, 1e-12)
        asked[int(str(t))] = np.where(mine, total, 0.0)
        part[int(str(t))] = np.where(mine[:, None], np.minimum(own / whole, 1.0), 0.0)
    return Scopes(targets, asked, part)


def abc_classes(sales_usd: NDArray[np.float64]) -> NDArray[np.object_]:
    """A, B or C for each item by its sales: those that bring the first 80 % of all, the next 15 %,
    the rest; an item that crosses a limit belongs before it."""
    order = np.argsort(-sales_usd, kind="stable")
    before = np.cumsum(sales_usd[order]) - sales_usd[order]
    rank = np.searchsorted(np.array(_ABC_SHARES) * sales_usd.sum(), before, side="right")
    found = np.empty(len(order), dtype=object)
    found[order] = np.array(ABC_CLASSES, dtype=object)[rank]
    found[sales_usd <= 0] = ABC_CLASSES[-1]
    return found


def _at_cycle(
    cube: DemandCube, packed: PackedItems, network: NetworkModel, cycle_days: float
) -> NDArray[np.float64]:
    """[items, regions] expected demand of tonight's cycle, which sets' demand adds up from."""
    root = network.woods.n_sets[packed.tables.tree] - 1
    total = packed.mean[np.arange(len(root)), root]
    by_region = demand_by_region(cube, cycle_days)
    return np.asarray(by_region * (total / np.maximum(by_region.sum(axis=1), 1e-12))[:, None])


def _lost(
    network: NetworkModel, packed: PackedItems, at: NDArray[np.float64], counts: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Demand of the regions that count by the set in which it is lost, [items, sets]: the network,
    or what holds all nodes that serve it; and in all, [items]."""
    own, total = np.zeros(packed.mean.shape), at[:, counts].sum(axis=1)
    for t, ends in enumerate(network.ends):
        mine = packed.tables.tree == t
        for s in np.flatnonzero(ends.any(axis=0)):
            own[mine, s] = (at[mine][:, counts] * ends[counts, s]).sum(axis=1)
    return own, total


def _missed(
    network: NetworkModel, packed: PackedItems, at: NDArray[np.float64],
    counts: NDArray[np.bool_], speed: str | None, tables: dict[str, pd.DataFrame],
    region_share: pd.Series,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """As _lost, of promises: demand by the set in which it enters. What no node could keep counts
    in all, and falls short in no set."""
    index = {name: j for j, name in enumerate(network.names)}
    cells = demand_cells(
        tables["delivery_options"], tables["delivery_speeds"], tables["order_hours"], region_share,
        index,
    )  # fmt: skip
    is_meant = counts[cells.region]
    if speed is not None:
        is_meant &= cells.speed == speed
    own, total = np.zeros(packed.mean.shape), np.zeros(len(at))
    for t, tree in enumerate(network.woods.trees):
        mine = packed.tables.tree == t
        entry = entries(cells, tree, network.eligible[t])
        kept = is_meant & (cells.on_time & network.eligible[t]).any(axis=1)
        by_set = np.zeros((at.shape[1], tree.n_sets))
        np.add.at(by_set, (cells.region[kept], entry[kept]), cells.share[kept])
        for s in range(tree.n_sets):
            own[mine, s] = (at[mine] * by_set[None, :, s]).sum(axis=1)
        share = np.bincount(cells.region[is_meant], cells.share[is_meant], at.shape[1])
        total[mine] = (at[mine] * share).sum(axis=1)
    return own, total
