"""What stands above a panel's series: cells, their daily sums, and each region's territory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.forecast.assemble import Names, inherits, known_calendar, places
from pipeline.forecast.departments import Departments
from pipeline.forecast.levels import Cells, Codes, Sums
from pipeline.forecast.panel import F64, I32, Calendar, Panel
from pipeline.forecast.pull import Above


def above_of(
    panel: Panel, territory: I32, calendar: Calendar | None = None, units: F64 | None = None
) -> Above:
    """The cells of `panel`, with the sums of its own series where no better `units` are known.

    `calendar` may reach further ahead than the panel's.
    """
    cells, cell = Cells.of(panel.category, panel.department, panel.region, territory)
    own = Sums.of(cell, np.zeros(len(cell), np.int64))
    known = own.add(np.where(panel.own_days(), panel.demand, 0)) if units is None else units
    departments = Departments(panel.first_date, known, cells, calendar or panel.calendar)
    return Above(departments, cell, 0)


def above_of_tables(
    panel: Panel,
    names: Names,
    territory: I32,
    items: pd.DataFrame,
    daily_demand: pd.DataFrame,
    calendar: pd.DataFrame,
    demand_calendar: pd.DataFrame,
    ahead: int,
) -> Above:
    """The same with what departments sold in all, items that have ended since included, and with
    the events of `ahead` days."""
    first = pd.Timestamp(panel.first_date)
    above = above_of(
        panel, territory,
        known_calendar(calendar, first, panel.days + ahead, names, demand_calendar),
    )  # fmt: skip
    cells = above.departments.cells
    keys = items.set_index(items["item_id"].astype(str))
    codes = [
        pd.Index(listed).get_indexer(keys[column].astype(str))
        for listed, column in ((names.categories, "category"), (names.departments, "department"))
    ]
    item = places(keys.index.to_numpy(object), daily_demand["item_id"])
    region = places(np.array(names.regions, object), daily_demand["region_id"])
    index = pd.MultiIndex.from_arrays([cells.category, cells.department, cells.region])
    regions = np.arange(-1, len(names.regions))  # the first is unknown, and in no cell
    of_item = index.get_indexer(pd.MultiIndex.from_arrays([
        *(own.repeat(len(regions)) for own in codes), np.tile(regions, len(keys))
    ])).reshape(len(keys), -1)  # fmt: skip
    row = of_item[item, region + 1]
    day = (daily_demand["date"] - first).dt.days.to_numpy(np.int64)
    kept = (row >= 0) & (item >= 0) & (day >= 0) & (day < panel.days)
    # What a successor knows from its predecessor was sold once.
    begins = (keys["launch_date"] - first).dt.days.where(inherits(keys), 0)
    kept &= day >= begins.to_numpy(np.int64)[item]
    units = np.zeros((len(cells.region), panel.days))
    sold = np.nan_to_num(daily_demand["units"].to_numpy(np.float64, na_value=0.0))
    np.add.at(units, (row[kept], day[kept]), sold[kept])
    return replace(above, departments=replace(above.departments, units=units))


def territories(
    regions: tuple[str, ...], delivery_options: pd.DataFrame, nodes: pd.DataFrame
) -> tuple[I32, list[str]]:
    """Territory (regions,) of each region and the territories' names.

    A region's territory is the last node upstream of the one that delivers to it most cheaply;
    regions that nothing delivers to make up a territory of their own, '(none)'.
    """
    parent = dict(zip(nodes["node_id"].astype(str), nodes["parent_node_id"], strict=True))
    cheapest = delivery_options.sort_values(
        ["region_id", "ship_usd_per_unit", "node_id"], kind="stable"
    ).drop_duplicates("region_id")
    serves = dict(zip(cheapest["region_id"].astype(str), cheapest["node_id"].astype(str),
                      strict=True))  # fmt: skip
    top = []
    for region in regions:
        node = serves.get(region, "(none)")
        seen = {node}
        while (up := parent.get(node)) is not None and not pd.isna(up) and str(up) not in seen:
            node = str(up)
            seen.add(node)
        top.append(node)
    found = sorted(set(top))
    return np.array([found.index(name) for name in top], np.int32), found


def keyed(cells: Cells) -> list[list[int]]:
    """Category, department and region of each cell, to be saved with a model."""
    return np.stack([cells.category, cells.department, cells.region], axis=1).tolist()


def rows_of(cells: Cells, saved: list[list[int]]) -> Codes:
    """Place (cells,) of each cell among the `saved` ones, −1 where it is new."""
    index = pd.MultiIndex.from_tuples([tuple(key) for key in saved])
    own = pd.MultiIndex.from_arrays([cells.category, cells.department, cells.region])
    return np.asarray(index.get_indexer(own), np.int64)
