"""Stage review: reads the night, writes its key figures, exceptions and the report."""

from __future__ import annotations

from pipeline.review.exceptions import NightView, as_text, exceptions
from pipeline.review.findings import find
from pipeline.review.history import COLUMNS
from pipeline.review.kpis import plan_kpis
from pipeline.review.report import report_html
from pipeline.store import Night

_TABLES = (
    "items", "item_life", "nodes", "lanes", "vendors", "vendor_items", "stock", "open_orders",
    "open_transfers", "overrides", "quarantine", "demand_quantiles", "demand_dependence",
    "demand_findings", "forecast_scores", "forecast_changes", "network_targets",
    "capacity_prices", "service_levels", "solver_trace", "optimize_summary",
    "purchase_orders", "order_candidates", "transfers", "order_reasons", "plan_changes",
    "previous_orders",
)  # fmt: skip


def run(night: Night) -> None:
    """Publish plan_kpis, exceptions and report.html."""
    tables = {name: night.read(name) for name in _TABLES}
    tables["daily_demand"] = night.read("daily_demand", COLUMNS)
    previous = night.read_previous("plan_kpis")
    found = find(tables, night.as_of, previous is not None)
    kpis = plan_kpis(tables, found, night.as_of, night.settings)
    night.write("plan_kpis", kpis)
    view = NightView(as_text(tables), found.orders, found.risk, night.as_of)
    night.write("exceptions", exceptions(view, night.settings.review.approval_usd))
    page = report_html(tables, found, kpis, previous, night.as_of, night.settings.review)
    night.write_files("report", {"report.html": page})
