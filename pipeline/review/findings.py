"""All that the review finds in a night's tables, computed once for the report and the figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from pipeline.review.history import History, demand_history
from pipeline.review.orders import order_view
from pipeline.review.pooled import PooledDemand, pool_regions
from pipeline.review.risk import arrivals, expected_fill_rate, stock_out_risk
from pipeline.review.supply import capacity_use, stock_by_tier, transfers_by_lane, unit_costs

TRAILING_WEEKS = 4


@dataclass(frozen=True)
class Findings:
    """What the night's tables say, before anything is drawn; see the modules that compute it."""

    orders: pd.DataFrame
    risk: pd.DataFrame
    unstocked: pd.DataFrame
    """Items that are expected to sell but get no stock, for a sale brings less than it costs."""
    fill_rate: tuple[int, float] | None
    demand: PooledDemand
    weekly_usd: pd.Series
    """Expected sales a week at list price by item_id, the largest first."""
    item_names: pd.Series
    history: History
    tiers: pd.DataFrame
    lanes: pd.DataFrame
    capacity: pd.DataFrame
    changes: pd.DataFrame
    """One row for each change: change_key, item_id, previous_units, current_units, sentence."""
    has_yesterday: bool
    overrides_in_force: int


def find(tables: Mapping[str, pd.DataFrame], as_of: date, has_yesterday: bool) -> Findings:
    """The findings of a night from its tables as published (daily_demand: history.COLUMNS)."""
    items, vendor_items = tables["items"], tables["vendor_items"]
    history = demand_history(tables["daily_demand"], as_of)
    demand = pool_regions(tables["demand_quantiles"], tables["demand_dependence"])
    weekly = weekly_mean(demand)
    targets = tables["network_targets"].astype({"item_id": "str"})
    item = items.astype({"item_id": "str"}).set_index("item_id")
    unstocked = not_worth_stocking(targets, weekly, item)
    stocked = demand.where(~demand.keys["item_id"].isin(unstocked["item_id"]).to_numpy())
    stock = tables["stock"]
    on_hand = (
        stock[stock["date"] == pd.Timestamp(as_of)]
        .astype({"item_id": "str"})
        .groupby("item_id")["on_hand_units"]
        .sum()
    )
    orders = tables["purchase_orders"]
    coming = arrivals(tables["open_orders"], tables["open_transfers"], orders, as_of)
    cover_days = targets.groupby("item_id")["cover_days"].min()
    risk = stock_out_risk(stocked, on_hand, coming, cover_days)
    life = tables["item_life"].astype({"item_id": "str"}).set_index("item_id")
    alive = 1 - risk["item_id"].map(life["dead_probability"]).fillna(0.0)
    risk[["shortfall_units", "run_out_probability"]] = risk[
        ["shortfall_units", "run_out_probability"]
    ].mul(alive, axis=0)  # what is dead does not run out
    risk["item_name"] = risk["item_id"].map(item["item_name"])
    risk["shortfall_usd"] = risk["shortfall_units"] * risk["item_id"].map(item["list_price_usd"])
    return Findings(
        orders=order_view(
            orders, tables["order_reasons"], items, tables["vendors"], targets, weekly,
            _sold_lately(history, item["launch_date"], as_of),
        ),
        risk=risk.sort_values(
            ["shortfall_usd", "item_id"], ascending=[False, True], ignore_index=True
        ),
        unstocked=unstocked.assign(
            on_hand_units=unstocked["item_id"].map(on_hand).fillna(0).astype("int64")
        ),
        fill_rate=expected_fill_rate(stocked, on_hand, coming),
        demand=demand,
        weekly_usd=(weekly * item["list_price_usd"].reindex(weekly.index)).sort_values(
            ascending=False, kind="stable"
        ),
        item_names=item["item_name"],
        history=history,
        tiers=stock_by_tier(
            stock, tables["nodes"], items, unit_costs(vendor_items), float(weekly.sum()), as_of
        ),
        lanes=transfers_by_lane(tables["transfers"], tables["lanes"], items),
        capacity=capacity_use(tables["capacity_prices"]),
        changes=tables["plan_changes"].drop_duplicates("change_key", ignore_index=True),
        has_yesterday=has_yesterday,
        overrides_in_force=len(in_force(tables["overrides"], as_of)),
    )  # fmt: skip


def _sold_lately(history: History, launch: pd.Series, as_of: date) -> pd.Series:
    """Units a week by item over the last weeks, of those since its launch; one at least."""
    units = history.last_weeks(TRAILING_WEEKS)
    weeks = ((pd.Timestamp(as_of) - launch).dt.days + 1) / 7
    return units / weeks.clip(1, TRAILING_WEEKS).reindex(units.index).fillna(TRAILING_WEEKS)


def not_worth_stocking(
    targets: pd.DataFrame, weekly: pd.Series, item: pd.DataFrame
) -> pd.DataFrame:
    """Items with demand whose level is zero at every vendor even if capacity were free.

    Columns: item_id, item_name, list_price_usd, weekly_units; the most sold first.
    """
    most = targets.groupby("item_id")[["unpriced_order_up_to_units", "cover_demand_units"]].max()
    dropped = (most["unpriced_order_up_to_units"] == 0) & (most["cover_demand_units"] >= 1)
    found = item.loc[most.index[dropped], ["item_name", "list_price_usd"]]
    found = found.assign(weekly_units=weekly.reindex(found.index).fillna(0)).reset_index(
        names="item_id"
    )
    return found.sort_values(
        ["weekly_units", "item_id"], ascending=[False, True], ignore_index=True
    )


def weekly_mean(demand: PooledDemand) -> pd.Series:
    """Expected units a week by item, from the window nearest to four weeks from tomorrow."""
    near = demand.keys[demand.keys["window_start_day"] == 1]["window_days"].unique()
    if not len(near):
        return pd.Series(dtype="float64")
    days = int(near[np.argmin(np.abs(near - 28))])
    return demand.window(1, days).by_item() * 7 / days


def in_force(overrides: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The overrides that hold on the planned day."""
    day = pd.Timestamp(as_of + timedelta(days=1))
    return overrides[(overrides["start_date"] <= day) & (overrides["expiry_date"] >= day)]
