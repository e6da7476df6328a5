"""The report of a simulation: one HTML page with figures, for someone who was not there."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from pipeline.simulate.effect import Effect, effects, first_settled_day, node_effects
from pipeline.simulate.intervals import Interval, paired, summary
from pipeline.simulate.plots import band_plot, bar_plot
from pipeline.simulate.scenario import Scenario

_ROWS = (
    ("profit_usd", "Profit, USD", 0, True), ("revenue_usd", "Sales, USD", 0, True),
    ("share_of_clairvoyant", "Share of clairvoyant, %", 1, True),
    ("in_stock_rate", "In-stock rate, %", 1, True), ("kept_share", "Promise kept, %", 1, True),
    ("lost_units", "Lost units", 0, False), ("late_units", "Late units", 0, False),
    ("shipping_usd_per_unit", "Delivery, USD a unit", 3, False),
    ("inventory_usd", "Mean stock, USD", 0, False), ("holding_usd", "Capital cost, USD", 0, False),
    ("transport_usd", "Transport, USD", 0, False), ("order_churn", "Order churn, %", 1, False),
    ("overflow_cuft_days", "Overflow, cu ft days", 0, False),
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


@dataclass(frozen=True)
class Change:
    """What the scenario's changes do under one policy: sentences, figures, and figures by node."""

    policy: str
    findings: list[str]
    effects: list[dict[str, str]]
    nodes: list[dict[str, str]]


def render(
    scenario: Scenario, tables: dict[str, pd.DataFrame],
    unchanged: dict[str, pd.DataFrame] | None = None,
) -> dict[str, bytes]:  # fmt: skip
    """report.html of the simulated tables, and of what the changes do if `unchanged` has the
    tables of the same world without them."""
    totals = tables["simulated_totals"]
    names = [row[0] for row in _ROWS]
    by_policy = summary(totals, names)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    source = resources.files("pipeline.simulate").joinpath("templates/simulation.html")
    page = environment.from_string(source.read_text(encoding="utf-8")).render(
        scenario=scenario, policies=list(by_policy), rows=_table(by_policy),
        findings=_findings(totals, by_policy),
        figures=_figures(tables) if unchanged is None else _contrast_figures(tables, unchanged),
        changes_do=[] if unchanged is None
        else [_change(tables, unchanged, policy) for policy in by_policy],
        settled_day=str(first_settled_day(tables["simulated_days"]["date"]).date()),
        replications=totals["replication"].nunique(),
        first_day=str(tables["simulated_days"]["date"].min().date()),
    )  # fmt: skip
    return {"report.html": page.encode()}


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
            else {"text": _text(value, name, digits), "is_best": value.mean == best}
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
    lines = [
        f"{best} earns the most: {by_policy[best]['profit_usd'].mean:,.0f} USD, with "
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


def _change(
    tables: dict[str, pd.DataFrame], unchanged: dict[str, pd.DataFrame], policy: str
) -> Change:
    found, by_node = (part(tables, unchanged, policy) for part in (effects, node_effects))
    named = {(effect.group, effect.label): effect for effect in found}
    stock = named["Stock, USD", "all nodes"]
    tiers = [effect for effect in found if effect.group == stock.group and effect is not stock]
    delivery = named["Cost, USD a unit sold", "Delivery to customers"]
    costs = [effect for effect in found if effect.group == delivery.group]
    kept = named["Promises kept, % of units", "all"]
    profit = named["Trade, a day", "Profit, USD"]
    total = sum(effect.difference.mean for effect in costs)
    lines = [
        f"Stock: {_plus(stock)} USD in all nodes ({stock.share:+.1%} of "
        f"{stock.without.mean:,.0f}).",
        "Where: " + "; ".join(f"{effect.label} {_plus(effect)} USD ({effect.share:+.1%})"
                              for effect in tiers) + ".",
        f"Delivery: {_plus(delivery)} USD a unit sold ({delivery.share:+.1%} of "
        f"{delivery.without.mean:.3f}); all costs of a unit sold together {total:+.3f} USD.",
        f"Promises kept: {_plus(kept)} percentage points (from {kept.without.mean:.1f} % to "
        f"{kept.changed.mean:.1f} % of units). Profit: {_plus(profit)} USD a day "
        f"({profit.share:+.1%}).",
    ]  # fmt: skip
    return Change(policy, lines, *([_effect_row(row) for row in part] for part in (found, by_node)))


def _effect_row(effect: Effect) -> dict[str, str]:
    share = effect.share
    return {
        "group": effect.group, "label": effect.label,
        "without": f"{effect.without.mean:,.{effect.digits}f}",
        "changed": f"{effect.changed.mean:,.{effect.digits}f}",
        "difference": _plus(effect), "share": "" if np.isnan(share) else f"{share:+.1%}",
    }  # fmt: skip


def _plus(effect: Effect) -> str:
    """The difference with its sign and half-width."""
    text = f"{effect.difference.mean:+,.{effect.digits}f}"
    width = effect.difference.half_width
    return text if np.isnan(width) else f"{text} ± {width:,.{effect.digits}f}"


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
    nodes = both["simulated_nodes"]
    settled = nodes[nodes["date"] >= first_settled_day(nodes["date"])]
    by = [settled["policy"], settled["replication"], settled["node_id"].astype("str")]
    mean = settled.groupby(by)["inventory_usd"].mean().reset_index()
    bars = _figure("Stock by node", "USD at standard cost, mean over the second half of the run; "
                   "whiskers span the replications.",
                   bar_plot(mean, "node_id", "inventory_usd", "USD"))  # fmt: skip
    return [bars, *_figures(both)]


def _figures(tables: dict[str, pd.DataFrame]) -> list[Figure]:
    days, tiers = tables["simulated_days"], tables["simulated_tiers"]
    found = [
        _figure(f"Stock in the {tier.replace('_', ' ')}s",
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
