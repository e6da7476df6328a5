"""Groups of substitutes as arrays of their history: what both the forecast and `assort` learn from.

Only tables in, arrays out; what is learned is `core.assortment.retail`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.assortment.retail import learn_retail


@dataclass(frozen=True)
class GroupPanel:
    """One group's history: units and in-stock shares [regions, days, items]; units NaN on days
    before any of its items was launched, share 0 before an item's own launch."""

    name: str
    items: list[str]
    days: NDArray[np.datetime64]
    units: NDArray[np.float64]
    in_stock: NDArray[np.float64]


def group_panels(
    choice_groups: pd.DataFrame, daily_demand: pd.DataFrame, regions: list[str]
) -> list[GroupPanel]:
    """Histories of the groups of two items and more, in order of name."""
    found = []
    names = choice_groups["choice_group"].astype(str)
    for name, mine in choice_groups.groupby(names, sort=True):
        items = sorted(mine["item_id"].astype(str))
        rows = daily_demand[daily_demand["item_id"].astype(str).isin(items)]
        if len(items) < 2 or rows.empty:
            continue
        days = np.unique(rows["date"].to_numpy())
        place = (
            pd.Index(regions).get_indexer(rows["region_id"].astype(str)),
            np.searchsorted(days, rows["date"].to_numpy()),
            pd.Index(items).get_indexer(rows["item_id"].astype(str)),
        )
        units = np.full((len(regions), len(days), len(items)), np.nan)
        share = np.zeros(units.shape)
        units[place] = rows["units"].to_numpy(float, na_value=np.nan)
        share[place] = rows["in_stock_share"].to_numpy(float, na_value=1.0)
        before = np.isnan(units)  # not launched yet: nobody could buy it
        known = ~before.all(axis=2, keepdims=True)
        units = np.where(before & known, 0.0, units)
        found.append(GroupPanel(str(name), items, days, units, np.where(before, 0.0, share)))
    return found


def without_recaptured(
    daily_demand: pd.DataFrame, choice_groups: pd.DataFrame, prior_moves: float
) -> pd.DataFrame:
    """Daily demand whose units are those that customers wanted first: what was sold to those who
    had wanted another item is taken off. The same frame where no group is named.

    An item that was out keeps what the forecast makes of such days; its customers are no longer
    counted a second time with whoever served them.
    """
    if choice_groups.empty:
        return daily_demand
    regions = sorted(daily_demand["region_id"].astype(str).unique())
    units = daily_demand["units"].to_numpy(float, na_value=np.nan)
    for panel in group_panels(choice_groups, daily_demand, regions):
        taken = learn_retail(panel.units, panel.in_stock, prior_moves).recaptured
        rows = np.flatnonzero(daily_demand["item_id"].astype(str).isin(panel.items))
        mine = daily_demand.iloc[rows]
        place = (
            pd.Index(regions).get_indexer(mine["region_id"].astype(str)),
            np.searchsorted(panel.days, mine["date"].to_numpy()),
            pd.Index(panel.items).get_indexer(mine["item_id"].astype(str)),
        )
        units[rows] = np.maximum(units[rows] - taken[place], 0.0)
    return daily_demand.assign(units=units)
