"""The report of a simulation: one HTML page with figures, for someone who was not there."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import jinja2
import pandas as pd
from markupsafe import Markup

from pipeline.simulate.report.effect import first_settled_day, tier_name
from pipeline.simulate.report.intervals import Interval, paired, summary
from pipeline.simulate.report.plots import band_plot, bar_plot
from pipeline.simulate.report.told import told
from pipeline.simulate.report.whole_run import CAUSE_LABELS
from pipeline.simulate.scenarios.scenario import Scenario

_ROWS = (
    ("profit_usd", "Profit, USD", 0, True), ("revenue_usd", "Sales, USD", 0, True),
    ("share_of_clairvoyant", "Share of clairvoyant, %", 1, True),
    ("in_stock_rate", "In-stock rate, %", 1, True), ("kept_share", "Promise kept, %", 1, True),
    ("lost_units", "Lost units", 0, False), ("late_units", "Late units", 0, False),
    ("turned_units", "Customers who took another item", 0, False),
    ("shipping_usd_per_unit", "Delivery, USD a unit", 3, False),
    ("inventory_usd", "Mean stock, USD", 0, False), ("holding_usd", "Capital cost, USD", 0, False),
    ("overflow_usd", "Overflow, USD", 0, False),
    ("missed_speed_usd", "Missed speed, USD", 0, False),
    ("handling_usd", "Handling, USD", 0, False),
    ("goodwill_usd", "Goodwill for lost sales, USD", 0, False),
    ("transport_usd", "Transport, USD", 0, False), ("order_churn", "Order churn, %", 1, False),
    ("overflow_cuft_days", "Overflow, cu ft days", 0, False),
    ("refused_lines", "Lines refused", 0, False),
)  # fmt: skip
_SHARES = {"share_of_clairvoyant", "in_stock_rate", "kept_share", "order_churn"}
_LINES = (
    ("profit_usd", "Profit by day", "USD a day."),
    ("in_stock_rate", "In-stock rate", "Share of the day an item could be bought, by demand."),
    ("lost_units", "Lost sales", "Units asked for and not served, by day."),
    ("shipping_usd", "Delivery cost", "USD a day."),
    ("overflow_cuft", "Overflow", "Cubic feet used beyond capacity at the end of the day."),
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A plot with its words; svg is our own drawing, everything else is escaped."""

    title: str
    caption: str
    svg: Markup


def render(
    scenario: Scenario, tables: dict[str, pd.DataFrame], items: pd.DataFrame,
    unchanged: dict[str, pd.DataFrame] | None = None,
) -> dict[str, bytes]:  # fmt: skip
    """report.html of the simulated tables, and of what the changes do if `unchanged` has the
    tables of the same world without them; items: the table of that name."""
    totals = tables["simulated_totals"]
    names = [row[0] for row in _ROWS]
    by_policy = summary(totals, names)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    source = resources.files("pipeline.simulate.report").joinpath("templates/simulation.html")
    page = environment.from_string(source.read_text(encoding="utf-8")).render(
        scenario=scenario, title=scenario.name.replace("_", " ").capitalize(),
        policies=list(by_policy), rows=_table(by_policy),
        findings=_findings(totals, by_policy),
        losses=_losses(tables["simulated_losses"], list(by_policy), totals),
        figures=_figures(tables) if unchanged is None else _contrast_figures(tables, unchanged),
        changes_do=[] if unchanged is None
        else [told(tables, unchanged, policy, items) for policy in by_policy],
        settled_day=str(first_settled_day(tables["simulated_days"]["date"]).date()),
        replications=totals["replication"].nunique(),
        first_day=str(tables["simulated_days"]["date"].min().date()),
    )  # fmt: skip
    return {"report.html": page.encode()}


def _losses(
    losses: pd.DataFrame, policies: list[str], totals: pd.DataFrame
) -> list[dict[str, object]]:
    """Rows of lost sales in USD by cause, means over the replications, and their sum."""
    n = max(totals["replication"].nunique(), 1)
    by = [losses["loss_cause"].astype("str"), losses["policy"].astype("str")]
    sums = losses.groupby(by)["lost_usd"].sum() / n
    rows: list[dict[str, object]] = [
        {"label": label, "cells": [f"{sums.get((cause, policy), 0.0):,.0f}" for policy in policies]}
        for cause, label in CAUSE_LABELS.items()
    ]  # fmt: skip
    whole = sums.groupby(level=1).sum()
    total = [f"{whole.get(policy, 0.0):,.0f}" for policy in policies]
    return [*rows, {"label": "All lost sales", "cells": total}]


def _table(by_policy: dict[str, dict[str, Interval]]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, label, digits, high_is_good in _ROWS:
        found = {policy: values.get(name) for policy, values in by_policy.items()}
        known = [value.mean for value in found.values() if value is not None]
        if not known:
            continue
        best = max(known) if high_is_good else min(known)
        cells: list[dict[str, object]] = [
            {"text": "–", "is_best": False} if value is None
            else {"text": _text(value, name, digits),
                  "is_best": len(known) > 1 and value.mean == best}
            for value in found.values()
        ]  # fmt: skip
        rows.append({"label": label, "cells": cells})
    return rows


def _text(value: Interval, name: str, digits: int) -> str:
    scale = 100.0 if name in _SHARES else 1.0
    text = f"{value.mean * scale:,.{digits}f}"
    if value.half_width == value.half_width:
        text += f" ± {value.half_width * scale:,.{digits}f}"
    return text


def _findings(totals: pd.DataFrame, by_policy: dict[str, dict[str, Interval]]) -> list[str]:
    ranked = sorted(by_policy, key=lambda policy: -by_policy[policy]["profit_usd"].mean)
    best = ranked[0]
    earns = "earns the most:" if len(ranked) > 1 else "earns"
    lines = [
        f"{best} {earns} {by_policy[best]['profit_usd'].mean:,.0f} USD, with "
        f"{by_policy[best]['in_stock_rate'].mean:.1%} of demand in stock and "
        f"{by_policy[best]['kept_share'].mean:.1%} of units served as promised."
    ]
    for other in ranked[1:]:
        gap = paired(totals, "profit_usd", best, other)
        share = gap.mean / abs(by_policy[other]["profit_usd"].mean)
        sure = "one replication, no interval"
        if gap.half_width == gap.half_width:
            sure = f"95 % interval {gap.low:,.0f} to {gap.high:,.0f}"
        lines.append(f"Against {other}: {gap.mean:+,.0f} USD ({share:+.1%}; {sure}).")
    return lines


def _contrast_figures(
    tables: dict[str, pd.DataFrame], unchanged: dict[str, pd.DataFrame]
) -> list[Figure]:
    """The usual figures, each policy once with the change and once without."""
    both = {}
    for name, frame in tables.items():
        parts = [
            part.assign(policy=part["policy"].astype("str") + suffix)
            for part, suffix in ((unchanged[name], ", unchanged"), (frame, ", changed"))
        ]
        both[name] = pd.concat(parts, ignore_index=True)
    return _figures(both)


def _figures(tables: dict[str, pd.DataFrame]) -> list[Figure]:
    days, tiers = tables["simulated_days"], tables["simulated_tiers"]
    found = [
        _figure(f"Stock in the {tier_name(tier)}",
                "USD at standard cost at the end of the day; bands span the replications.",
                band_plot(rows, "date", "inventory_usd", "USD"))
        for tier, rows in tiers.groupby(tiers["tier"].astype("str"), sort=True)
    ]  # fmt: skip
    for column, title, caption in _LINES:
        if days[column].abs().sum() > 0:
            drawing = band_plot(days, "date", column, caption.split(",")[0].rstrip("."))
            found.append(_figure(title, caption, drawing))
    speeds = tables["simulated_speeds"]
    by = [speeds["policy"].astype("str"), speeds["replication"], speeds["speed"].astype("str")]
    sums = speeds.groupby(by)[["demand_units", "kept_units"]].sum()
    share = (100 * sums["kept_units"] / sums["demand_units"].clip(lower=1)).rename("kept")
    found.append(
        _figure("Promises kept by speed", "Share of units served in time, %; whiskers span the "
                "replications.", bar_plot(share.reset_index(), "speed", "kept", "%"))
    )  # fmt: skip
    return found


def _figure(title: str, caption: str, drawing: str) -> Figure:
    """The drawing is ours, of matplotlib, which escapes the text in it; nothing else is trusted."""
    return Figure(title, caption, Markup(drawing))  # noqa: S704  # see the docstring
