"""Levels and targets at capacity prices that are given: every item's best answer, no solve.

Explanations plan a night many times with inputs swapped; the prices of capacity stand still in
them, so that an item's answer is its own affair. What the solver does beyond that, fitting all
answers into the rows in whole units, is not done here.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.settings import Settings
from pipeline.core.item import positions
from pipeline.core.serve import serve
from pipeline.optimize import frames
from pipeline.optimize.general_plan import GeneralItems
from pipeline.optimize.losing import losing_items, without
from pipeline.optimize.night_model import NightModel, Tables, night_model, raised
from pipeline.optimize.plan import base_stock, raised_units
from pipeline.optimize.targets import built_ahead, levels
from pipeline.optimize.units import units_of

PRICES = ("capacity_prices", "service_levels")
"""What the solver found, and stands still here: prices of capacity, and of service targets."""
_NONE_GENERAL = GeneralItems(np.zeros(0, np.int64), [], 1.0, 0)


def optimize_at_prices(tables: Tables, prices: Tables, as_of: date, settings: Settings) -> Tables:
    """base_stock_levels, weekly_levels, network_targets, position_values, and PRICES as given.

    prices: tables PRICES of a night; the weeks of its capacity_prices count from the first one.
    """
    units = units_of(settings)
    found = _at_prices(units.tables(tables), units.tables(prices), as_of, units.settings(settings))
    return units.written(found) | prices


def _at_prices(tables: Tables, prices: Tables, as_of: date, settings: Settings) -> Tables:
    model = night_model(tables, as_of, settings)
    whole, rows = model, model.capacity.rows
    row_price = row_prices(model, prices["capacity_prices"])
    base, model = model, _with_service(model, prices["service_levels"])
    on_items = rows.on_items(row_price)
    first = len(model.packed.tables)
    placed = serve(
        model.network.woods, model.ahead, positions(model.network.woods, model.ahead, on_items),
        on_items,
    )  # fmt: skip
    if settings.planning.drops_losing_items:
        dropped = losing_items(model, placed.take(slice(first)), row_price)
        if dropped.any():
            model, base = without(model, dropped), without(base, dropped)
            found = positions(model.network.woods, model.ahead, on_items)
            placed = serve(model.network.woods, model.ahead, found, on_items)
    targets = [
        levels(
            which.network, which.cube, which.arriving, which.vendors, which.ranks,
            which.packed.bank,
            which.cycle_days, which.early_days, price,
        )
        for which, price in ((model, on_items), (whole, np.zeros(rows.shape)))
    ]  # fmt: skip
    early = built_ahead(model.ahead, placed, model.network.way_length, rows.shape[0])
    weeks = model.capacity.week_start
    return {
        "base_stock_levels": base_stock(
            model, base, placed, _NONE_GENERAL, on_items
        ),
        "weekly_levels": frames.weekly_frame(
            model.network, model.cube, model.ahead, placed, weeks
        ),
        "network_targets": frames.target_frame(
            model.cube, model.vendors, targets[0], targets[1], targets[0],
            np.full(len(model.cube.items), None, dtype=object),
            model.vendors.cover_days(model.cycle_days, model.early_days), early, weeks,
            raised_units(model, placed.position[:first]), model.sold_out,
        ),
        "position_values": frames.value_frame(model.cube, model.vendors, targets[0], early),
    }  # fmt: skip


def _with_service(model: NightModel, service: pd.DataFrame) -> NightModel:
    """The model with the published prices of its service targets."""
    if not len(model.scopes) or service.empty:
        return model
    known = service.set_index(service["target_id"].astype(str))["service_price_usd_per_unit"]
    ids = model.scopes.targets["target_id"].astype(str)
    price = ids.map(known).fillna(0.0).to_numpy(np.float64)
    return raised(model, model.scopes.premium_usd(price)) if price.any() else model


def row_prices(model: NightModel, prices: pd.DataFrame) -> NDArray[np.float64]:
    """[rows] usd of each stated row in the table of prices; 0 for rows that it does not name."""
    names = [*model.network.names, "network"]
    week = (prices["week_start"] - prices["week_start"].min()).dt.days // 7
    keys = zip(prices["node_id"].astype(str), prices["resource"].astype(str), week, strict=True)
    known = dict(zip(keys, prices["price_usd_per_capacity_unit"], strict=True))
    rows, found = model.capacity, np.zeros(len(model.capacity.rows))
    for i in range(rows.stated_rows):
        key = names[rows.node[i]], str(rows.resource[i]), int(rows.week[i])
        found[i] = known.get(key, 0.0)
    return found
