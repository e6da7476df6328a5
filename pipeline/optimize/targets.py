"""Order-up-to levels of items by vendor, with and without capacity prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.demand import Ranks
from pipeline.core.echelon import Curves, Levels, Supply, order_up_to
from pipeline.core.item import ItemTables, value_curves
from pipeline.core.serve import Placed
from pipeline.optimize.item_model import DemandCube, Economics
from pipeline.optimize.network_model import NetworkModel


@dataclass(frozen=True)
class Vendors:
    """Rows (item, vendor) in order of their ids, with lead times as chances of whole days.

    most_early_days: [rows] review period less the days until the vendor takes another order; below
    zero where that is longer.
    """

    vendor: list[str]
    item: NDArray[np.int64]
    lead_days: NDArray[np.float64]
    chances: NDArray[np.float64]
    extra_usd: NDArray[np.float64]
    most_early_days: NDArray[np.float64]

    def early(self, early_days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Days by row by which the next order is placed before a review period is over: the item's
        early_days [items] where its vendor takes orders so soon."""
        return np.asarray(np.minimum(early_days[self.item], self.most_early_days))

    def cover_days(self, cycle_days: float, early_days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Expected days by row that a position must last, until the next order has come and is
        at its nodes; early_days: [items]."""
        left = np.maximum(self.lead_days - self.early(early_days)[:, None], 0.0)
        return np.asarray((self.chances * left).sum(axis=1)) + cycle_days

    def supply(self, cycle_days: float, early_days: NDArray[np.float64]) -> Supply:
        """The rows as core.echelon takes them; early_days: [items]."""
        return Supply(
            self.item, self.lead_days, self.chances, cycle_days,
            self.early(early_days), self.extra_usd,
        )  # fmt: skip

    def cheapest(self, items: int) -> NDArray[np.int64]:
        """[items] row of the item's cheapest vendor, the first of equals; -1 without one."""
        found = np.full(items, -1, dtype=np.int64)
        order = np.lexsort((np.arange(len(self.item)), self.extra_usd))
        found[self.item[order[::-1]]] = order[::-1]
        return found

    def cheapest_lead_days(self, items: int) -> NDArray[np.float64]:
        """[items] mean lead time of the item's cheapest vendor; 0 without one."""
        row = self.cheapest(items)
        mean = (self.chances * self.lead_days).sum(axis=1)
        return np.where(row >= 0, np.append(mean, 0.0)[row], 0.0)

    def arrival_week(self, weeks: int) -> NDArray[np.int64]:
        """[rows] planning week in which an order placed tonight is expected, the last at most."""
        mean = (self.chances * self.lead_days).sum(axis=1)
        return np.minimum(np.floor(np.maximum(mean - 1.0, 0.0) / 7.0), weeks - 1).astype(np.int64)


def vendor_rows(
    vendor_items: pd.DataFrame, lead_times: pd.DataFrame, items: list[str], money: Economics,
    calendar: pd.DataFrame | None = None, review_days: int = 1,
) -> Vendors:  # fmt: skip
    """Vendors of each item; a pair without fitted lead times has the quoted one for certain.

    calendar: the table vendor_calendar; without it every vendor takes orders every night.
    """
    rows = pd.DataFrame(
        {
            "item": pd.Index(items).get_indexer(vendor_items["item_id"].astype(str)),
            "vendor": vendor_items["vendor_id"].astype(str).to_numpy(),
            "cost": vendor_items["unit_cost_usd"].to_numpy(float),
            "quoted": vendor_items["quoted_lead_time_days"].to_numpy(int),
        }
    )
    rows = rows[rows["item"] >= 0].sort_values(["item", "vendor"]).reset_index(drop=True)
    fitted = pd.DataFrame(
        {
            "item": pd.Index(items).get_indexer(lead_times["item_id"].astype(str)),
            "vendor": lead_times["vendor_id"].astype(str).to_numpy(),
            "days": lead_times["lead_time_days"].to_numpy(int),
            "chance": lead_times["probability"].to_numpy(float),
        }
    )
    days = np.unique(np.concatenate([fitted["days"], rows["quoted"]]))
    chances = np.zeros((len(rows), len(days)))
    at = rows.reset_index(names="row")[["row", "item", "vendor"]].merge(
        fitted, on=["item", "vendor"]
    )
    np.add.at(chances, (at["row"], np.searchsorted(days, at["days"])), at["chance"])
    bare = chances.sum(axis=1) <= 0
    chances[bare, np.searchsorted(days, rows["quoted"][bare])] = 1.0
    chances /= chances.sum(axis=1, keepdims=True)
    item = rows["item"].to_numpy()
    extra = rows["cost"].to_numpy() - money.unit_cost_usd[item]
    most_early = np.full(len(rows), np.inf)
    if calendar is not None:
        known = calendar.set_index(calendar["vendor_id"].astype(str))["order_gap_days"]
        most_early = review_days - rows["vendor"].map(known).fillna(1).to_numpy(float)
    return Vendors(rows["vendor"].tolist(), item, days.astype(float), chances, extra, most_early)


def curves_at(
    network: NetworkModel, arriving: ItemTables, cycle_days: float, price: NDArray[np.float64]
) -> Curves:
    """Values W of positions by vendor row, usd a cycle, at prices [weeks, kinds, nodes] of what
    items use, for the cycle that begins when an order arrives; arriving: tables by vendor row."""
    start, segments, tail = value_curves(network.woods, arriving, price)
    turn = 7.0 / cycle_days  # tables count usd of a week
    segments[:, 1] /= turn
    return Curves(start, segments, tail / turn)


def levels(
    network: NetworkModel,
    cube: DemandCube,
    arriving: ItemTables,
    vendors: Vendors,
    ranks: Ranks,
    bank: NDArray[np.int64],
    cycle_days: float,
    early_days: NDArray[np.float64],
    price: NDArray[np.float64],
) -> Levels:
    """Order-up-to levels at prices [weeks, kinds, nodes] of what items use, those of the week in
    which an order arrives; arriving: tables by vendor row of the cycle then; early_days: [items]
    days by which an item is ordered again sooner than a cycle later."""
    curves = curves_at(network, arriving, cycle_days, price)
    supply = vendors.supply(cycle_days, early_days)
    return order_up_to(
        curves, supply, cube.quantiles, cube.cycle_quantiles, cube.windows, ranks, bank
    )


@dataclass(frozen=True)
class BuiltAhead:
    """What is bought early, by item: units [items, weeks] that have come in by the end of the week
    for later weeks; until: [items, weeks] the first of those weeks, or the number of weeks."""

    units: NDArray[np.float64]
    until: NDArray[np.int64]


def built_ahead(
    ahead: ItemTables, placed: Placed, depth: NDArray[np.int64], weeks: int
) -> BuiltAhead:
    """What the plan brings in ahead of the weeks that need it; depth: [nodes] places on the way of
    the node, the last of which vendors deliver to."""
    items, needed = len(ahead) // weeks, _needed(ahead, placed)
    came = np.take_along_axis(placed.entered, depth[None, :, None] - 1, axis=2)[:, :, 0]
    units, until = np.zeros((items, weeks)), np.full((items, weeks), weeks)
    for t in range(1, weeks):
        mine = slice(t * items, (t + 1) * items)
        for s in range(t):
            early = np.where(came[mine] <= s, needed[mine], 0.0).sum(axis=1)
            units[:, s] += early
            until[early > 0.5, s] = np.minimum(until[early > 0.5, s], t)
    return BuiltAhead(units, until)


def filled_ahead(ahead: ItemTables, placed: Placed) -> NDArray[np.int64]:
    """Units [items, nodes] that nodes themselves take in during tonight's week for later ones."""
    items = int((ahead.week == 0).sum())
    early = np.where(placed.entered[:, :, 0] == 0, _needed(ahead, placed), 0.0)[items:]
    return np.floor(early.reshape(-1, items, early.shape[1]).sum(axis=0) + 0.5).astype(np.int64)


def _needed(ahead: ItemTables, placed: Placed) -> NDArray[np.float64]:
    """Units [rows, nodes] that are to enter a node for a week: what it serves, and what levels rise
    by."""
    return (placed.served + ahead.rise * placed.position) * ahead.turn[:, None]
