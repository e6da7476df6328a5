"""Stage project: reads the plan and the forecast, writes the projection of the coming weeks."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.arrivals import equal_chances
from pipeline.contracts.columns import QUANTILE_COLUMNS, TIERS
from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import product
from pipeline.core.lots import band_units
from pipeline.order_days import order_nights
from pipeline.review.pooled import WEIGHTS, PooledDemand, pool_regions
from pipeline.review.projection import (
    COLUMNS,
    DAYS,
    WAYS,
    WEEKS,
    Due,
    Items,
    Terms,
    demand_paths,
    follow_policy,
    projection,
)
from pipeline.store import Night

_TABLES = (
    "items", "nodes", "vendors", "vendor_items", "vendor_calendar", "lead_times", "stock",
    "open_orders", "open_transfers", "demand_quantiles", "demand_dependence", "demand_hierarchy",
    "network_targets", "base_stock_levels", "purchase_orders",
)  # fmt: skip
_IDS = ("item_id", "vendor_id", "node_id", "category", "tier")


def run(night: Night) -> None:
    """Publish the table projection."""
    tables = {name: _text(night.read(name)) for name in _TABLES}
    demand = pool_regions(tables["demand_quantiles"], tables["demand_dependence"])
    night.write("projection", project(tables, demand, night.as_of, night.settings))


def project(
    tables: dict[str, pd.DataFrame], demand: PooledDemand, as_of: date, settings: Settings
) -> pd.DataFrame:
    """Table `projection` of a night's tables (ids as text); items without a vendor are left out."""
    terms = _terms(tables)
    names = terms["item_id"].tolist()
    if not names or demand.keys.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    seed = [settings.planning.seed, as_of.toordinal()]
    items = _items(terms, tables, as_of, settings)
    spread = total_spread(tables["demand_hierarchy"])
    expected, drawn = demand_paths(demand, names, spread, seed)
    found = follow_policy(
        items, _vendor_terms(terms, tables, as_of, settings), _due(terms, tables, as_of), expected,
        drawn, seed,
    )  # fmt: skip
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


def _items(
    terms: pd.DataFrame, tables: dict[str, pd.DataFrame], as_of: date, settings: Settings
) -> Items:
    names, day = pd.Index(terms["item_id"]), pd.Timestamp(as_of)
    held = tables["stock"][tables["stock"]["date"] == day]
    moving = tables["open_transfers"][tables["open_transfers"]["date"] == day]
    on_hand = held.groupby("item_id")["on_hand_units"].sum().reindex(names).fillna(0)
    on_hand += moving.groupby("item_id")["open_units"].sum().reindex(names).fillna(0)
    ordered = tables["purchase_orders"].groupby("item_id")["order_units"].sum()
    quoted = terms["mean_lead_time_days"].fillna(terms["quoted_lead_time_days"])
    later = terms[["item_id", "vendor_id"]].assign(
        order_date=day, expected_arrival_date=day + pd.to_timedelta(quoted.round(), unit="D")
    )
    case = terms["case_pack_units"].to_numpy(dtype=np.float64)
    cost = terms["unit_cost_usd"].to_numpy(dtype=np.float64)
    planning, buy = settings.planning, settings.buy
    cover = np.maximum(terms["cover_days"].to_numpy(dtype=np.float64), 1.0)
    band = band_units(
        terms["cover_demand_units"].to_numpy(dtype=np.float64) / cover,
        cost * planning.holding_rate_per_year / 365.0, buy.order_line_usd,
        buy.dead_band_share * planning.review_period_days,
    )  # fmt: skip
    return Items(
        on_hand=on_hand.to_numpy(dtype=np.float64),
        tonight=ordered.reindex(names).fillna(0).to_numpy(dtype=np.float64),
        level=terms["order_up_to_units"].to_numpy(dtype=np.float64),
        sold_out=terms["sold_out_units"].to_numpy(dtype=np.float64),
        case=case,
        moq=np.ceil(np.maximum(terms["moq_units"].to_numpy(dtype=np.float64), 1) / case) * case,
        band=np.maximum(band, 1.0),
        joining=np.maximum(buy.join_share * band, 1.0),
        vendor=pd.factorize(terms["vendor_id"], sort=True)[0].astype(np.int64),
        lead=equal_chances(later, tables["lead_times"], as_of, WAYS),
        cube=terms["unit_cube_cuft"].to_numpy(dtype=np.float64),
        cost=cost,
        price=terms["list_price_usd"].to_numpy(dtype=np.float64),
    )  # fmt: skip


def total_spread(hierarchy: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Standard deviation (WEEKS,) of all demand in a week, by its mean, as it is forecast for the
    network's total; that of the last week where fewer are, 0 without any."""
    total = hierarchy[
        (hierarchy["product_level"] == "all") & (hierarchy["place_level"] == "network")
        & (hierarchy["period"] == "week") & (hierarchy["period_days"] == 7)
    ].sort_values("period_start_date", kind="stable")  # fmt: skip
    if total.empty:
        return np.zeros(WEEKS)
    mean = total["mean_units"].to_numpy(dtype=np.float64)
    off = total[list(QUANTILE_COLUMNS)].to_numpy(dtype=np.float64) - mean[:, None]
    deviation = np.sqrt(product(np.square(off), WEIGHTS))
    spread = np.divide(deviation, mean, out=np.zeros_like(mean), where=mean > 0)
    return np.asarray(spread[np.minimum(np.arange(WEEKS), len(spread) - 1)])


def _vendor_terms(
    terms: pd.DataFrame, tables: dict[str, pd.DataFrame], as_of: date, settings: Settings
) -> Terms:
    """In the order of the codes of `Items.vendor`."""
    names, vendors = sorted(terms["vendor_id"].unique()), tables["vendors"]
    least = vendors.set_index("vendor_id")["order_minimum_usd"].reindex(names).fillna(0)
    return Terms(
        least.to_numpy(dtype=np.float64),
        order_nights(vendors, tables["vendor_calendar"], names, as_of, DAYS),
        settings.planning.review_period_days,
    )  # fmt: skip


def _due(terms: pd.DataFrame, tables: dict[str, pd.DataFrame], as_of: date) -> Due:
    """Lines on order and of tonight: an order, or what a vendor gets tonight, comes whole. What is
    later than its vendor ever was is taken to be as late again."""
    day = pd.Timestamp(as_of)
    known = tables["open_orders"][tables["open_orders"]["date"] == day]
    tonight = tables["purchase_orders"]
    lines = pd.concat([
        known.assign(units=known["open_units"], order="o" + known["order_id"].astype("str")),
        tonight.assign(units=tonight["order_units"], order="t" + tonight["vendor_id"]),
    ])  # fmt: skip
    lines["row"] = pd.Index(terms["item_id"]).get_indexer(lines["item_id"])
    lines = lines[lines["row"] >= 0].reset_index(drop=True)
    away = (lines["expected_arrival_date"] - day).abs()
    lines["expected_arrival_date"] = day + away
    return Due(
        lines["row"].to_numpy(np.int64), lines["units"].to_numpy(np.float64),
        pd.factorize(lines["order"], sort=True)[0].astype(np.int64),
        equal_chances(lines, tables["lead_times"], as_of, WAYS),
    )  # fmt: skip


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
