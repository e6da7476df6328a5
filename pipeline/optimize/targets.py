"""Order-up-to levels of items by vendor, with and without capacity prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.demand import Ranks
from pipeline.core.echelon import Curves, Levels, Supply, order_up_to
from pipeline.core.item import ItemTables, value_curves
from pipeline.optimize.item_model import DemandCube, Economics
from pipeline.optimize.network_model import NetworkModel


@dataclass(frozen=True)
class Vendors:
    """Rows (item, vendor) in order of their ids, with lead times as chances of whole days."""

    vendor: list[str]
    item: NDArray[np.int64]
    lead_days: NDArray[np.float64]
    chances: NDArray[np.float64]
    extra_usd: NDArray[np.float64]

    def cover_days(self, cycle_days: float, early_days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Expected days by row that a position must last, until the next order has come and is
        at its nodes; early_days: [items]."""
        left = np.maximum(self.lead_days - early_days[self.item, None], 0.0)
        return np.asarray((self.chances * left).sum(axis=1)) + cycle_days


def vendor_rows(
    vendor_items: pd.DataFrame, lead_times: pd.DataFrame, items: list[str], money: Economics
) -> Vendors:
    """Vendors of each item; a pair without fitted lead times has the quoted one for certain."""
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
    return Vendors(rows["vendor"].tolist(), item, days.astype(float), chances, extra)


def levels(
    network: NetworkModel,
    cube: DemandCube,
    tables: ItemTables,
    vendors: Vendors,
    ranks: Ranks,
    bank: NDArray[np.int64],
    cycle_days: float,
    early_days: NDArray[np.float64],
    price: NDArray[np.float64],
) -> Levels:
    """Order-up-to levels at prices [profiles, resources, nodes] of what items use; early_days:
    [items] days by which an item is ordered again sooner than a cycle later."""
    curves = Curves(*value_curves(network.woods, tables, price))
    supply = Supply(
        vendors.item, vendors.lead_days, vendors.chances, cycle_days, early_days[vendors.item],
        vendors.extra_usd,
    )  # fmt: skip
    return order_up_to(curves, supply, cube.quantiles, cube.windows, ranks, bank)
