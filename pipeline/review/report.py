"""The report: one self-contained HTML page from a night's findings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.contracts.settings import ReviewSettings
from pipeline.review import formats
from pipeline.review.attention import BIAS_SHARE, GAP_SHARE, attention_points
from pipeline.review.findings import Findings, in_force
from pipeline.review.forecasts import moved_forecasts, oddest_demand
from pipeline.review.orders import is_odd, largest_orders, oddest_orders, orders_by_vendor
from pipeline.review.plots import coverage_plot, fan_plots, total_plot, trace_plot
from pipeline.review.uncovered import uncovered_items

SECTIONS = (
    ("attention", "For your attention"), ("largest", "Largest orders"),
    ("oddest", "Oddest orders"), ("risk", "Stock-out risk"), ("unstocked", "Not worth stocking"),
    ("changes", "Since yesterday"),
    ("demand", "Demand"), ("calibration", "Forecast quality"), ("capacity", "Capacity"),
    ("solver", "How good the plan is"), ("overrides", "Overrides"),
    ("transfers", "Transfers"), ("stock", "Stock"), ("data", "Data quality"),
    ("figures", "Key figures"),
)  # fmt: skip
TILES = (
    ("order_value_usd", "Orders"), ("order_units", "Units ordered"),
    ("transfer_units", "Units transferred"), ("stock_cover_weeks", "Weeks of stock"),
    ("expected_fill_rate", "Expected fill rate"),
    ("in_stock_share_last_week", "In stock, last week"),
)  # fmt: skip
RESOURCE_WORDS = {
    "storage_cuft": "storage", "inbound_units_per_day": "inbound",
    "outbound_units_per_day": "outbound", "lane_cuft_per_day": "the lane",
    "budget_usd_per_day": "budget",
}  # fmt: skip
_MODEL_FIGURES = (
    "certified_gap", "violation", "lower_bound_usd", "upper_bound_usd", "audit_nested_excess"
)  # fmt: skip
"""For those who look after the model; they stand in their own section."""
_SHOWN_LANES, _SHOWN_CHANGES, _SHOWN_FINDINGS, _SHOWN_VENDORS = 25, 15, 20, 20


def report_html(
    tables: Mapping[str, pd.DataFrame], found: Findings, kpis: pd.DataFrame,
    previous: pd.DataFrame | None, as_of: date, settings: ReviewSettings,
) -> bytes:  # fmt: skip
    """report.html of a night: the same bytes for the same tables."""
    values = dict(zip(kpis["kpi"].astype("str"), kpis["value"], strict=True))
    vendors = orders_by_vendor(found.orders, tables["vendors"])
    odd_count = int(is_odd(found.orders).sum())
    context: dict[str, Any] = {
        "as_of": as_of, "planned": as_of + timedelta(days=1), "sections": SECTIONS,
        "values": values, "figures": _figures(kpis, previous), "tiles": _tiles(kpis),
        "points": attention_points(
            values, odd_count, _full(found, tables["nodes"]), _uncovered(tables, found, as_of),
            _biased(tables["forecast_scores"]),
        ),
        "largest": _orders(largest_orders(found.orders, settings.largest_orders)),
        "vendors": _rows(vendors.head(_SHOWN_VENDORS)), "vendor_count": len(vendors),
        "oddest": _orders(oddest_orders(found.orders, settings.oddest_orders)),
        "odd_count": odd_count,
        "risk": _rows(found.risk[found.risk["shortfall_units"] >= 0.5].head(settings.risk_items)),
        "unstocked": _rows(found.unstocked.head(settings.risk_items)),
        "unstocked_count": len(found.unstocked),
        "changes": _changes(found), "has_yesterday": found.has_yesterday,
        "change_count": len(found.changes),
        "total_plot": total_plot(found), "fans": fan_plots(found, settings.fan_charts),
        "coverage_plot": coverage_plot(tables["forecast_scores"]),
        "scores": _scores(tables["forecast_scores"]),
        "moved": moved_forecasts(tables["forecast_changes"], found.item_names, _SHOWN_CHANGES),
        "odd_demand": oddest_demand(tables["demand_findings"], found.item_names, _SHOWN_CHANGES),
        "odd_demand_count": len(tables["demand_findings"]),
        "capacity": _capacity(found.capacity, tables["nodes"]),
        "service": _targets(tables["service_levels"]),
        "summary": _rows(tables["optimize_summary"]),
        "summary_gap": values.get("certified_gap"), "gap_aim": GAP_SHARE,
        "overrides": _overrides(tables["overrides"], as_of),
        "override_count": found.overrides_in_force,
        "trace_plot": trace_plot(tables["solver_trace"]),
        "lanes": _lanes(found.lanes, tables["nodes"]), "lane_count": len(found.lanes),
        "tiers": _rows(found.tiers), "data": _quarantine(tables["quarantine"]),
        "quarantine_count": len(tables["quarantine"]),
    }  # fmt: skip
    page = _environment().get_template("report.html.j2").render(context)
    return "\n".join(line.rstrip() for line in page.splitlines() if line.strip()).encode()


def _biased(scores: pd.DataFrame) -> list[tuple[str, float]]:
    """Groups whose forecast was off by BIAS_SHARE of demand or more, the worst first, and by how
    much: over the shortest window, the whole network."""
    rows = _scores(scores)
    shortest = min((row["window_days"] for row in rows), default=0)
    off = [(str(row["item_words"]), float(row["relative_bias"])) for row in rows
           if row["window_days"] == shortest
           and abs(row["relative_bias"]) >= BIAS_SHARE]  # fmt: skip
    return sorted(off, key=lambda one: (-abs(one[1]), one[0]))


def _uncovered(tables: Mapping[str, pd.DataFrame], found: Findings, as_of: date) -> list[str]:
    """Items out of stock for which nothing comes or is ordered: name and reason."""
    return [
        f"{found.item_names.get(row.item_id, row.item_id)} – {row.why}"
        for row in uncovered_items(tables, as_of).itertuples()
    ]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipeline.review", "templates"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    for name in ("count", "usd", "share", "signed", "figure", "change", "label"):
        environment.filters[name] = getattr(formats, name)
    return environment


def _rows(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.to_dict("records")


def _orders(view: pd.DataFrame) -> list[dict[Any, Any]]:
    return _rows(view)


def _overrides(overrides: pd.DataFrame, as_of: date) -> list[dict[Any, Any]]:
    """The overrides in force on the planned day, the first to end first, in words."""
    rows = _rows(in_force(overrides, as_of).sort_values(["expiry_date", "override_id"]))
    for row in rows[:_SHOWN_CHANGES]:
        kind, target = (str(row[name]).replace("_", " ")
                        for name in ("override_kind", "override_target"))  # fmt: skip
        row["what"] = f"{target}: {kind}" + (
            "" if kind == "block" else f" {row['override_value']:,g}"
        )
        scope = [row[name] for name in ("item_id", "item_group", "node_id", "region_id",
                                        "event_name") if not pd.isna(row[name])]  # fmt: skip
        row["about"] = ", ".join(map(str, scope)) or "all items"
    return rows[:_SHOWN_CHANGES]


def _figures(kpis: pd.DataFrame, previous: pd.DataFrame | None) -> list[dict[Any, Any]]:
    before = {} if previous is None else dict(zip(previous["kpi"].astype("str"),
                                                  previous["value"], strict=True))  # fmt: skip
    rows = _rows(kpis.astype({"kpi": "str", "measure_unit": "str"}))
    rows = [row for row in rows if row["kpi"] not in _MODEL_FIGURES]
    for row in rows:
        row["before"] = before.get(row["kpi"], float("nan"))
    return rows


def _tiles(kpis: pd.DataFrame) -> list[tuple[str, str]]:
    known = {str(row["kpi"]): row for row in _rows(kpis)}
    return [
        (title, formats.figure(known[name]["value"], str(known[name]["measure_unit"])))
        for name, title in TILES
        if name in known
    ]


def _changes(found: Findings) -> list[dict[Any, Any]]:
    size = (found.changes["current_units"] - found.changes["previous_units"]).abs()
    ranked = found.changes.assign(size=size).sort_values(
        ["size", "change_key"], ascending=[False, True]
    )
    return _rows(ranked.head(_SHOWN_CHANGES))


def _scores(scores: pd.DataFrame) -> list[dict[Any, Any]]:
    text = scores.astype({"item_group": "str", "region_group": "str"})
    network = text[text["region_group"] == "network"].copy()
    words = [formats.group_words(group) for group in network["item_group"]]
    network["item_words"] = [text for text, _ in words]
    network["pace"] = [pace for _, pace in words]
    return _rows(network.sort_values(["pace", "item_group", "window_days"]))


def _full(found: Findings, nodes: pd.DataFrame) -> list[str]:
    """The capacities that are full in some week, in words, the dearest first."""
    names = _names(nodes)
    full = found.capacity[found.capacity["is_full"]]
    price = full.groupby(["node_id", "resource"])["price_usd_per_capacity_unit"].max()
    ranked = price.reset_index().sort_values(
        ["price_usd_per_capacity_unit", "node_id", "resource"], ascending=[False, True, True]
    )
    return [
        f"{RESOURCE_WORDS[row['resource']]} at {names.get(row['node_id'], row['node_id'])}"
        for row in _rows(ranked)
    ]


def _targets(levels: pd.DataFrame) -> list[dict[Any, Any]]:
    """Service targets with what they are about, as words."""
    rows = _rows(levels.astype({"service_status": "str", "service_measure": "str"}))
    for row in rows:
        words = [("class ", row["abc_class"]), ("", row["item_group"]), ("", row["region_id"]),
                 ("", row["speed"])]  # fmt: skip
        about = [f"{word}{value}" for word, value in words if not pd.isna(value)]
        row["about"] = ", ".join(about) or "all items"
        row["measure"] = row["service_measure"].replace("_", " ")
        row["status"] = row["service_status"].replace("_", " ")
    return rows


def _capacity(capacity: pd.DataFrame, nodes: pd.DataFrame) -> list[dict[str, Any]]:
    """For each resource: the weeks, and a row for each node with its cells by week."""
    names = _names(nodes)
    result = []
    for resource, own in capacity.groupby("resource", sort=True):
        weeks = sorted(own["week_start"].unique())
        cells = {(row["node_id"], row["week_start"]): row for row in _rows(own)}
        rows = [
            (names.get(node, node), [cells.get((node, week)) for week in weeks])
            for node in sorted(own["node_id"].unique())
        ]
        result.append({"resource": resource, "weeks": weeks, "rows": rows})
    return result


def _lanes(lanes: pd.DataFrame, nodes: pd.DataFrame) -> list[dict[Any, Any]]:
    names = _names(nodes)
    rows = _rows(lanes.head(_SHOWN_LANES))
    for row in rows:
        row["source"] = names.get(row["from_node_id"], row["from_node_id"])
        row["target"] = names.get(row["to_node_id"], row["to_node_id"])
    return rows


def _quarantine(quarantine: pd.DataFrame) -> list[dict[Any, Any]]:
    keys = ["table_name", "column_name", "rule"]
    text = quarantine.astype(dict.fromkeys(keys, "str"))
    grouped = text.groupby(keys, as_index=False).agg(
        rows=("row_count", "sum"), first_key=("row_key", "first"),
        bad_value=("bad_value", "first"), reason=("reason", "first"),
    )  # fmt: skip
    ranked = grouped.sort_values(["rows", *keys], ascending=[False, True, True, True])
    return _rows(ranked.head(_SHOWN_FINDINGS))


def _names(nodes: pd.DataFrame) -> dict[str, str]:
    return dict(zip(nodes["node_id"].astype("str"), nodes["node_name"], strict=True))
