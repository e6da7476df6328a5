"""The end of a night in a terminal: the plan's totals and its largest orders with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from pipeline.review.formats import figure, label
from pipeline.store import Store

TOTALS = (
    "order_value_usd", "order_units", "order_lines", "order_vendors", "transfers",
    "transfer_units", "stock_value_usd", "stock_cover_weeks", "capacities_full",
    "expected_fill_rate", "items_likely_to_run_out", "forecast_coverage_90",
    "order_churn", "quarantined_rows",
)  # fmt: skip


@dataclass(frozen=True)
class SummaryOrder:
    """One of the night's orders: what it costs, how much it is, and why."""

    item: str
    units: int
    cost_usd: float
    sentence: str


@dataclass(frozen=True)
class Summary:
    """The plan's totals as (name, value), and its largest orders by value."""

    totals: list[tuple[str, str]]
    orders: list[SummaryOrder]


def night_summary(store: Store, as_of: date, count: int) -> Summary:
    """The summary of a published night with its `count` largest orders."""
    return summarize(
        store.read(as_of, "plan_kpis"), store.read(as_of, "purchase_orders"),
        store.read(as_of, "order_reasons"), store.read(as_of, "items"), count,
    )  # fmt: skip


def summarize(
    kpis: pd.DataFrame, orders: pd.DataFrame, reasons: pd.DataFrame, items: pd.DataFrame, count: int
) -> Summary:
    """The summary from the tables plan_kpis, purchase_orders, order_reasons and items."""
    figures = {str(row["kpi"]): row for row in kpis.to_dict("records")}
    totals = [
        (label(name), figure(float(figures[name]["value"]), str(figures[name]["measure_unit"])))
        for name in TOTALS
        if name in figures
    ]
    names = dict(zip(items["item_id"].astype("str"), items["item_name"], strict=True))
    sentences = reasons.drop_duplicates("order_line_id").set_index("order_line_id")["sentence"]
    largest = orders.sort_values(
        ["order_cost_usd", "order_line_id"], ascending=[False, True]
    ).head(count)  # fmt: skip
    return Summary(
        totals,
        [
            SummaryOrder(
                item=str(names.get(str(row["item_id"]), row["item_id"])),
                units=int(row["order_units"]),
                cost_usd=float(row["order_cost_usd"]),
                sentence=str(sentences.get(row["order_line_id"], "")),
            )
            for row in largest.to_dict("records")
        ],
    )
