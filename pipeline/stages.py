"""Table of contents: each stage, the tables it reads and writes, and its entry point.

Entry points are strings, so that reading this file (as the DAGs do) imports nothing heavy.
Stages run in this order; an edge is a table or file that one writes and another reads.
"""

from __future__ import annotations

from dataclasses import dataclass

SCORED_DAYS_AGO = (7, 14, 28, 56)
"""How long ago the forecasts were published that a night scores, in days."""


@dataclass(frozen=True)
class Stage:
    """One step of the night: `reads` and `writes` are table names of the same business date."""

    name: str
    entry: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    reads_previous: tuple[str, ...] = ()
    """Tables of the day before as_of, used where they exist: no plan of orders depends on them."""
    reads_earlier: tuple[str, ...] = ()
    """Tables of the nights SCORED_DAYS_AGO, used where they exist (only to score them)."""
    files: tuple[str, ...] = ()
    """Reports and models that it publishes as files."""
    uses: tuple[str, ...] = ()
    """Files of other stages that it reads: the model, of the date that the rule names."""


_WORLD = (
    "items", "regions", "nodes", "lanes", "delivery_options", "delivery_speeds", "order_hours",
    "vendors", "vendor_items", "prices", "calendar", "closures", "stock", "open_orders",
    "open_transfers", "node_capacity", "overrides",
)  # fmt: skip

_FORECAST_ONLY = ("item_attributes", "launch_plans")
_ASSORT_ONLY = ("choice_groups",)
_OPTIMIZE_ONLY = ("service_targets",)

STAGES = (
    Stage(
        "ingest",
        "pipeline.ingest.stage:run",
        (),
        (
            *_WORLD, *_FORECAST_ONLY, *_ASSORT_ONLY, *_OPTIMIZE_ONLY, "demand_calendar",
            "daily_demand", "item_life", "vendor_calendar", "vendor_months", "stock_age",
            "price_breaks", "award_standing", "truck_terms", "lead_times", "quarantine",
        ),
    ),
    Stage(
        "train",
        "pipeline.forecast.train:run",
        (
            "items", *_FORECAST_ONLY, *_ASSORT_ONLY, "regions", "nodes", "delivery_options",
            "prices", "calendar", "demand_calendar", "daily_demand",
        ),
        (),
        files=("forecast_model",),
    ),
    Stage(
        "forecast",
        "pipeline.forecast.stage:run",
        (
            "items", *_FORECAST_ONLY, *_ASSORT_ONLY, "regions", "nodes", "delivery_options",
            "prices", "calendar", "demand_calendar", "daily_demand", "overrides",
        ),
        (
            "demand_quantiles", "demand_before_overrides", "demand_dependence",
            "demand_hierarchy",
        ),
        uses=("forecast_model",),
    ),
    Stage(
        "assort",
        "pipeline.assort.stage:run",
        (
            "items", "regions", "vendor_items", "prices", *_ASSORT_ONLY, "daily_demand",
            "demand_quantiles",
        ),
        ("substitution", "first_choice", "assortment", "assortment_summary"),
    ),
    Stage(
        "optimize",
        "pipeline.optimize.stage:run",
        (
            *_WORLD, *_OPTIMIZE_ONLY, "lead_times", "vendor_calendar", "demand_quantiles",
            "demand_dependence",
            "substitution", "first_choice",
        ),
        (
            "base_stock_levels", "weekly_levels", "network_targets", "position_values",
            "capacity_prices", "service_levels", "solver_trace", "optimize_summary",
            "problem_sets", "problem_items", "problem_holding", "problem_knots", "problem_demand",
            "problem_rows",
            "problem_tolls", "weekly_entries",
        ),
    ),
    Stage(
        "buy",
        "pipeline.buy.stage:run",
        (
            "items", "nodes", "vendors", "vendor_calendar", "vendor_items", "price_breaks",
            "award_standing", "truck_terms", "lead_times", "item_life", "stock",
            "open_orders", "open_transfers", "overrides", "network_targets", "position_values",
            "demand_quantiles",
        ),
        ("purchase_orders", "order_candidates"),
    ),
    Stage(
        "place",
        "pipeline.place.stage:run",
        (
            "items", "nodes", "lanes", "vendor_items", "stock", "open_orders", "open_transfers",
            "node_capacity", "overrides", "base_stock_levels", "capacity_prices",
            "purchase_orders", "demand_quantiles", "delivery_options", "delivery_speeds",
            "order_hours", "lead_times",
        ),
        (
            "inbound_assignments", "transfers", "assignment_offers", "assignment_worth",
            "protection_levels",
        ),
    ),
    Stage(
        "monitor",
        "pipeline.forecast.monitor:run",
        (
            "items", *_FORECAST_ONLY, *_ASSORT_ONLY, "regions", "prices", "calendar",
            "demand_calendar", "daily_demand",
        ),
        ("forecast_scores", "forecast_changes", "demand_findings"),
        uses=("forecast_model",),
    ),
    Stage(
        "project",
        "pipeline.review.project:run",
        (
            "items", "nodes", "vendors", "vendor_items", "vendor_calendar", "lead_times", "stock",
            "open_orders", "open_transfers", "demand_quantiles", "demand_dependence",
            "demand_hierarchy", "network_targets", "base_stock_levels", "purchase_orders",
        ),
        ("projection",),
    ),
    Stage(
        "accuracy",
        "pipeline.forecast.accuracy_stage:run",
        ("items", "daily_demand"),
        ("forecast_accuracy", "forecast_value_added"),
        reads_earlier=("demand_quantiles", "demand_before_overrides"),
    ),
    Stage(
        "explain",
        "pipeline.explain.stage:run",
        (
            "items", "item_life", "nodes", "lanes", "vendors", "vendor_items", "stock",
            "open_orders", "open_transfers",
            "overrides", "network_targets", "base_stock_levels", "purchase_orders", "transfers",
        ),
        ("order_reasons", "transfer_reasons", "plan_changes", "previous_orders"),
        reads_previous=(
            "purchase_orders", "transfers", "network_targets", "base_stock_levels", "stock",
            "open_orders", "open_transfers", "overrides",
        ),
    ),
    Stage(
        "review",
        "pipeline.review.stage:run",
        (
            "items", "item_life", "nodes", "lanes", "vendors", "vendor_items", "stock",
            "open_orders", "open_transfers", "overrides", "quarantine", "daily_demand",
            "demand_quantiles",
            "demand_dependence", "demand_findings", "forecast_scores", "forecast_changes",
            "network_targets", "capacity_prices",
            "service_levels", "solver_trace", "optimize_summary", "purchase_orders",
            "order_candidates", "transfers",
            "order_reasons", "plan_changes", "previous_orders",
        ),
        ("plan_kpis", "exceptions"),
        reads_previous=("plan_kpis",),
        files=("report",),
    ),
)  # fmt: skip

BY_NAME = {stage.name: stage for stage in STAGES}

SIMULATE = Stage(
    "simulate",
    "pipeline.simulate.stage:run_scenario",
    (),
    (
        "simulated_days", "simulated_tiers", "simulated_nodes", "simulated_speeds",
        "simulated_item_weeks", "simulated_totals", "simulated_refusals",
        "simulated_losses",
    ),
    files=("simulation_report",),
)  # fmt: skip
"""Not part of the night: it runs the stages above against a world that answers."""

LOAD_STAGES = (
    Stage(
        "load_train",
        "pipeline.load.stage:train",
        (),
        ("load_findings", "load_scores"),
    ),
    Stage(
        "load_plan",
        "pipeline.load.stage:plan",
        (),
        ("load_forecast", "load_components", "load_changes", "capacity_orders"),
        reads_previous=("load_components",),
        files=("load_report",),
    ),
    Stage(
        "load_labor",
        "pipeline.load.stage:labor",
        (
            "regions", "items", "nodes", "lanes", "delivery_options", "delivery_speeds",
            "order_hours", "node_capacity", "demand_quantiles", "open_orders", "purchase_orders",
            "inbound_assignments", "transfers", "capacity_prices",
        ),
        ("labor_plan",),
        files=("labor_report",),
    ),
    Stage(
        "game_day",
        "pipeline.load.stage:script",
        (),
        ("gameday_plan",),
        reads_previous=("demand_quantiles",),
    ),
)  # fmt: skip
"""Peak load, beside the night: weekly, nightly, after the night, and by hand."""

LAB_ASSIGN = Stage(
    "lab_assign", "pipeline.simulate.labs.stage:assign_lab", ("items",), ("lab_assignment",)
)
LAB_READ = Stage(
    "lab_read", "pipeline.simulate.labs.stage:read_lab", ("lab_assignment",), ("lab_looks",),
    files=("lab_verdict",),
)  # fmt: skip
"""Not part of the night either: a trial of two settings files, by `echelon lab`."""


def upstream(stage: Stage) -> tuple[str, ...]:
    """Names of the stages whose tables or files `stage` reads, in order."""
    makers = {made: maker.name for maker in STAGES for made in (*maker.writes, *maker.files)}
    found = {makers[name] for name in (*stage.reads, *stage.uses)}
    return tuple(other.name for other in STAGES if other.name in found)
