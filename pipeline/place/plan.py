"""The night's placement from tables to tables: the main path of place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.delivery import Delivery
from pipeline.place.assignment import (
    kept_units,
    offer_frame,
    offers_of,
    protection_frame,
    worth_frame,
)
from pipeline.place.grid import Floats, Grid, Ints, build_grid
from pipeline.place.inbound import assign_inbound
from pipeline.place.service import saved_usd
from pipeline.place.transfers import RowPrices, plan_transfers

TABLES = (
    "items", "nodes", "lanes", "vendor_items", "stock", "open_orders", "open_transfers",
    "node_capacity", "base_stock_levels", "purchase_orders", "demand_quantiles",
    "delivery_options", "delivery_speeds", "order_hours", "lead_times",
)  # fmt: skip
"""What place reads, by name."""


def plan_placement(
    tables: dict[str, pd.DataFrame], as_of: date, settings: Settings
) -> dict[str, pd.DataFrame]:
    """The night's placement and what it means for orders, by table name."""
    grid, saved, ways, kept = _grid(tables, as_of, settings)
    transfers, _ = plan_transfers(grid, saved, tables, as_of, settings)
    return {
        "inbound_assignments": assign_inbound(grid, tables, transfers, as_of),
        "transfers": transfers,
        "assignment_offers": offer_frame(ways),
        "assignment_worth": worth_frame(grid, tables, transfers, as_of, settings),
        "protection_levels": protection_frame(grid, ways, kept),
    }


def transfers_and_prices(
    tables: dict[str, pd.DataFrame], as_of: date, settings: Settings,
    prices: RowPrices | None = None,
) -> tuple[pd.DataFrame, RowPrices]:  # fmt: skip
    """The night's transfers alone and the prices of the rows of capacity, by their names.

    prices: those at which each item finds its own transfers, whatever fits; None: the plan's own.
    """
    grid, saved, _, _ = _grid(tables, as_of, settings)
    return plan_transfers(grid, saved, tables, as_of, settings, prices)


def _grid(
    tables: dict[str, pd.DataFrame], as_of: date, settings: Settings
) -> tuple[Grid, Floats, Delivery, Ints]:
    """Items by nodes with what is kept back, what a unit saves, ways to customers, and by which
    units are kept back."""
    grid = build_grid(tables, as_of)
    saved = saved_usd(
        grid, tables, _region_demand(tables["demand_quantiles"]), settings.planning.goodwill_share
    )
    ways = offers_of(grid, tables)
    kept = kept_units(grid, ways, tables, as_of, settings)
    return replace(grid, kept=kept.max(axis=1)), saved, ways, kept


def _region_demand(quantiles: pd.DataFrame) -> pd.Series:
    """Expected units of all items by region, over the longest window from tomorrow."""
    longest = quantiles["window_days"] == quantiles["window_days"].max()
    rows = quantiles[longest & (quantiles["window_start_day"] == 1)]
    return rows.groupby(rows["region_id"].astype("str"))["mean_units"].sum()
