"""Stage project: reads the plan and the forecast, writes the projection of the coming weeks."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.columns import TIERS
from pipeline.review.pooled import PooledDemand, pool_regions
from pipeline.review.projection import (
    COLUMNS,
    DAYS,
    Items,
    demand_paths,
    follow_policy,
    projection,
)
from pipeline.store import Night

_TABLES = (
    "items", "nodes", "vendor_items", "lead_times", "stock", "open_orders", "open_transfers",
    "demand_quantiles", "demand_dependence", "network_targets", "base_stock_levels",
    "purchase_orders",
)  # fmt: skip
_IDS = ("item_id", "vendor_id", "node_id", "category", "tier")


def run(night: Night) -> None:
    """Publish the table projection."""
    tables = {name: _text(night.read(name)) for name in _TABLES}
    demand = pool_regions(tables["demand_quantiles"], tables["demand_dependence"])
    seed = [night.settings.planning.seed, night.as_of.toordinal()]
    night.write("projection", project(tables, demand, night.as_of, seed))


def project(
    tables: dict[str, pd.DataFrame], demand: PooledDemand, as_of: date, seed: list[int]
) -> pd.DataFrame:
    """Table `projection` of a night's tables (ids as text); items without a vendor are left out."""
    terms = _terms(tables)
    names = terms["item_id"].tolist()
    if not names or demand.keys.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    items = _items(terms, tables, as_of)
    expected, drawn = demand_paths(demand, names, seed)
    found = follow_policy(items, expected, drawn)
    groups = terms[["category", "vendor_id"]]
    return projection(items, found, drawn, groups, _shares(tables, names), as_of)


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({name: "str" for name in _IDS if name in frame})


def _terms(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row for each item with a target: tonight's vendor, else the one with the least cost."""
    keys = ["item_id", "vendor_id"]
    terms = tables["network_targets"].merge(tables["vendor_items"], on=keys)
    lead = tables["lead_times"].drop_duplicates(keys)[[*keys, "mean_lead_time_days"]]
    terms = terms.merge(lead, on=keys, how="left")
    tonight = tables["purchase_orders"][keys].drop_duplicates().assign(is_tonight=True)
    terms = terms.merge(tonight, on=keys, how="left")
    later = terms["is_tonight"].isna()
    order = ["item_id", "later", "unit_cost_usd", "vendor_id"]
    terms = terms.assign(later=later).sort_values(order)
    terms = terms.drop_duplicates("item_id", ignore_index=True)
    return terms.merge(
        tables["items"][["item_id", "category", "unit_cube_cuft", "list_price_usd"]], on="item_id"
    ).sort_values("item_id", ignore_index=True, kind="stable")


def _items(terms: pd.DataFrame, tables: dict[str, pd.DataFrame], as_of: date) -> Items:
    names, day = pd.Index(terms["item_id"]), pd.Timestamp(as_of)
    held = tables["stock"][tables["stock"]["date"] == day]
    moving = tables["open_transfers"][tables["open_transfers"]["date"] == day]
    on_hand = held.groupby("item_id")["on_hand_units"].sum().reindex(names).fillna(0)
    on_hand += moving.groupby("item_id")["open_units"].sum().reindex(names).fillna(0)
    known = tables["open_orders"][tables["open_orders"]["date"] == day]
    due, tonight = np.zeros((len(names), DAYS)), np.zeros(len(names))
    ordered = tables["purchase_orders"]
    ordered = ordered[ordered["item_id"].isin(names)]
    units_tonight = ordered["order_units"].to_numpy(dtype=np.float64)
    np.add.at(tonight, names.get_indexer(ordered["item_id"]), units_tonight)
    for frame, units in ((known, "open_units"), (tables["purchase_orders"], "order_units")):
        comes = _arrivals(frame, units, tables["lead_times"], day)
        row, at = names.get_indexer(comes["item_id"]), comes["day"].to_numpy(dtype=np.int64) - 1
        kept = (row >= 0) & (at < DAYS)
        np.add.at(due, (row[kept], at[kept]), comes["units"].to_numpy(dtype=np.float64)[kept])
    lead_days = terms["mean_lead_time_days"].fillna(terms["quoted_lead_time_days"])
    return Items(
        on_hand=on_hand.to_numpy(dtype=np.float64), due=due, tonight=tonight,
        level=terms["order_up_to_units"].to_numpy(dtype=np.float64),
        case=terms["case_pack_units"].to_numpy(dtype=np.float64),
        moq=np.maximum(terms["moq_units"].to_numpy(dtype=np.float64), 1),
        lead=np.clip(np.rint(lead_days.to_numpy(dtype=np.float64)), 1, 420).astype(np.int64),
        cube=terms["unit_cube_cuft"].to_numpy(dtype=np.float64),
        cost=terms["unit_cost_usd"].to_numpy(dtype=np.float64),
        price=terms["list_price_usd"].to_numpy(dtype=np.float64),
    )  # fmt: skip


def _arrivals(
    orders: pd.DataFrame, units: str, lead_times: pd.DataFrame, today: pd.Timestamp
) -> pd.DataFrame:
    """Units that order lines bring by day from tomorrow (1) on: item_id, day, units.

    A line is spread over the days on which it may come: its expected day, moved as the lead times
    of its vendor spread about their mean, given that it has not come yet. What is later than ever
    is taken to be as late again.
    """
    keys = ["item_id", "vendor_id"]
    lines = orders[keys].assign(
        line=np.arange(len(orders)), units=orders[units].to_numpy(dtype=np.float64),
        expected=(orders["expected_arrival_date"] - today).dt.days.to_numpy(),
    )  # fmt: skip
    spread = lead_times[[*keys, "lead_time_days", "mean_lead_time_days", "probability"]]
    ways = lines.merge(spread, on=keys, how="left")
    late = (ways["lead_time_days"] - ways["mean_lead_time_days"]).fillna(0.0)
    ways["day"] = ways["expected"] + np.rint(late.astype("float64")).astype("int64")
    ways["chance"] = ways["probability"].astype("float64").fillna(1.0).where(ways["day"] >= 1, 0.0)
    total = ways.groupby("line")["chance"].transform("sum")
    known = ways.assign(total=total)[ways["chance"] > 0]
    never = lines[~lines["line"].isin(known["line"])]
    return pd.concat([
        known.assign(units=known["units"] * known["chance"] / known["total"]),
        never.assign(day=never["expected"].abs().clip(lower=1)),
    ])[["item_id", "day", "units"]]  # fmt: skip


def _shares(tables: dict[str, pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """Part of each item's levels in each tier; an item without levels counts to the first tier."""
    levels = tables["base_stock_levels"].merge(tables["nodes"][["node_id", "tier"]], on="node_id")
    wide = levels.pivot_table(index="item_id", columns="tier", values="base_stock_units",
                              aggfunc="sum", fill_value=0)  # fmt: skip
    tiers = [tier for tier in TIERS if tier in set(tables["nodes"]["tier"])]
    wide = wide.reindex(index=names, columns=tiers).fillna(0).astype(np.float64)
    total = wide.sum(axis=1)
    wide.loc[total == 0, tiers[:1]] = 1.0
    return wide.div(total.where(total > 0, 1.0), axis=0)
