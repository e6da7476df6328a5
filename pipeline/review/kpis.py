"""The key figures of a night, one row each; a figure that does not exist tonight has no row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.review.findings import Findings
from pipeline.review.forecasts import revision_share

Figure = tuple[str, float, str]
_OPTIMIZER_FIGURES = (
    "certified_gap", "violation", "lower_bound_usd", "upper_bound_usd", "expected_profit_usd",
    "shortage_cost_usd", "overflow_cost_usd", "audit_nested_excess", "items_kept_for_goodwill",
    "general_skipped_items",
)  # fmt: skip


def plan_kpis(
    tables: Mapping[str, pd.DataFrame], findings: Findings, as_of: date, settings: Settings
) -> pd.DataFrame:
    """Table plan_kpis: kpi, value, measure_unit."""
    asks, budget = settings.review.unplaced_orders == "ask", settings.buy.budget_usd
    rows = [
        *_orders(tables["purchase_orders"]),
        *([] if budget is None else [("order_budget_usd", budget, "usd")]),
        *(_unplaced(tables["previous_orders"]) if asks else []),
        *_transfers(tables["transfers"], findings),
        *_stock(tables, findings, as_of),
        *_optimizer(tables["optimize_summary"], findings),
        *_forecast(tables["forecast_scores"]),
        ("forecast_revision", revision_share(tables["forecast_changes"]), "share"),
        *_service(findings),
        *_beyond(tables["network_targets"], tables["demand_quantiles"]),
        ("quarantined_rows", len(tables["quarantine"]), "rows"),
        ("overrides_in_force", findings.overrides_in_force, "overrides"),
        *_changes(tables, findings),
    ]
    known = [row for row in rows if math.isfinite(row[1])]
    return pd.DataFrame(known, columns=["kpi", "value", "measure_unit"])


def _orders(orders: pd.DataFrame) -> list[Figure]:
    return [
        ("order_value_usd", float(orders["order_cost_usd"].sum()), "usd"),
        ("order_units", float(orders["order_units"].sum()), "units"),
        ("order_lines", len(orders), "lines"),
        ("order_vendors", orders["vendor_id"].astype("str").nunique(), "vendors"),
    ]


def _unplaced(previous: pd.DataFrame) -> list[Figure]:
    """Last night's lines, and those of them that are not on order tonight."""
    if previous.empty:
        return []
    unseen = previous[previous["on_order_units"] == 0]
    return [
        ("previous_order_lines", len(previous), "lines"),
        ("unplaced_order_lines", len(unseen), "lines"),
        ("unplaced_order_usd", float(unseen["order_cost_usd"].sum()), "usd"),
        ("unplaced_lines_proposed_again", int(unseen["is_proposed_again"].sum()), "lines"),
    ]


def _transfers(transfers: pd.DataFrame, findings: Findings) -> list[Figure]:
    return [
        ("transfers", len(transfers), "transfers"),
        ("transfer_units", float(transfers["transfer_units"].sum()), "units"),
        ("transfer_lanes", len(findings.lanes), "lanes"),
        ("transfer_freight_usd", float(findings.lanes["freight_usd"].sum()), "usd"),
    ]


def _stock(tables: Mapping[str, pd.DataFrame], findings: Findings, as_of: date) -> list[Figure]:
    tiers, orders = findings.tiers, tables["open_orders"]
    open_units = orders.loc[orders["date"] == pd.Timestamp(as_of), "open_units"].sum()
    return [
        ("stock_units", float(tiers["units"].sum()), "units"),
        ("stock_value_usd", float(tiers["value_usd"].sum()), "usd"),
        ("stock_cover_weeks", float(tiers["weeks"].sum(skipna=False)), "weeks"),
        ("open_order_units", float(open_units), "units"),
    ]


def _optimizer(summary: pd.DataFrame, findings: Findings) -> list[Figure]:
    """The optimizer's main figures, and how many capacities are full or exceeded."""
    own = {str(row["measure"]): row for row in summary.to_dict("records")}
    main: list[Figure] = [
        (name, float(own[name]["value"]), str(own[name]["measure_unit"]))
        for name in _OPTIMIZER_FIGURES
        if name in own
    ]
    capacity = findings.capacity
    nodes = capacity.drop_duplicates(["node_id", "resource"])
    by_row = capacity.groupby(["node_id", "resource"])[["is_full", "is_over"]].any()
    return [
        *main,
        ("capacities", len(nodes), "node resources"),
        ("capacities_full", int(by_row["is_full"].sum()), "node resources"),
        ("capacities_exceeded", int(by_row["is_over"].sum()), "node resources"),
    ]


def _forecast(scores: pd.DataFrame) -> list[Figure]:
    """Calibration of all items in the network, over the shortest window scored."""
    text = scores.astype({"item_group": "str", "region_group": "str"})
    network = text[(text["item_group"] == "all") & (text["region_group"] == "network")]
    if network.empty:
        return []
    row = network.sort_values("window_days", kind="stable").iloc[0]
    return [
        ("forecast_coverage_90", float(row["coverage_90"]), "share"),
        ("forecast_coverage_95", float(row["coverage_95"]), "share"),
        ("forecast_relative_bias", float(row["relative_bias"]), "share"),
        ("forecast_scaled_pinball_loss", float(row["scaled_pinball_loss"]), "share"),
    ]


def _beyond(targets: pd.DataFrame, quantiles: pd.DataFrame) -> list[Figure]:
    """Items whose orders must last beyond the longest window that is forecast, if any."""
    longest = float(quantiles["window_days"].max()) if len(quantiles) else 0.0
    far = targets.loc[targets["cover_days"] > longest, "item_id"].astype("str").nunique()
    if not longest or not far:
        return []
    return [
        ("items_beyond_forecast", far, "items"),
        ("longest_forecast_days", longest, "days"),
        ("longest_cover_days", float(targets["cover_days"].max()), "days"),
    ]


def _service(findings: Findings) -> list[Figure]:
    rows: list[Figure] = [
        ("in_stock_share_last_week", findings.history.in_stock_share, "share"),
        ("items_likely_to_run_out", int((findings.risk["run_out_probability"] > 0.5).sum()),
         "items"),
        ("items_not_worth_stocking", len(findings.unstocked), "items"),
        ("expected_shortfall_units", float(findings.risk["shortfall_units"].sum()), "units"),
    ]  # fmt: skip
    if findings.fill_rate is not None:
        rows.append(("expected_fill_rate", findings.fill_rate[1], "share"))
    return rows


def _changes(tables: Mapping[str, pd.DataFrame], findings: Findings) -> list[Figure]:
    """Churn: units that changed against yesterday, as a share of yesterday's units."""
    if not findings.has_yesterday:
        return []
    changes = findings.changes
    is_order = changes["change_key"].str.startswith("order/")
    rows: list[Figure] = [("changed_orders", int(is_order.sum()), "items"),
                          ("changed_transfers", int((~is_order).sum()), "transfers")]  # fmt: skip
    for name, mask, units in (
        ("order_churn", is_order, tables["purchase_orders"]["order_units"]),
        ("transfer_churn", ~is_order, tables["transfers"]["transfer_units"]),
    ):
        step = (changes["current_units"] - changes["previous_units"])[mask]
        before = float(units.sum()) - float(step.sum())
        if before > 0:
            rows.append((name, float(step.abs().sum()) / before, "share"))
    return rows
