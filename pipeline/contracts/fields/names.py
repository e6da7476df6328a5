"""Values that columns admit, and the names of the quantile columns."""

from __future__ import annotations

QUANTILE_LEVELS = (
    0.005, 0.025, 0.05, 0.1, 0.165, 0.25, 0.35, 0.5,
    0.65, 0.75, 0.835, 0.9, 0.95, 0.975, 0.99, 0.995,
)  # fmt: skip
"""Probability levels of every published quantile forecast; the nine M5 levels are among them."""


def quantile_column(level: float) -> str:
    """Name of the column that holds the quantile at `level`, e.g. 0.5 -> 'q0.5'."""
    return f"q{level:g}"


QUANTILE_COLUMNS = tuple(quantile_column(level) for level in QUANTILE_LEVELS)

USD_LEVELS = (0.05, 0.5, 0.95)
"""Probability levels of forecasts in USD."""
USD_COLUMNS = tuple(f"q{level:g}_usd" for level in USD_LEVELS)
PRODUCT_LEVELS = ("all", "category", "department", "item")
PLACE_LEVELS = ("network", "territory", "region")
PERIODS = ("day", "week", "month")

DEPENDENCE_GROUPS = ("all", "away")
"""Groups of items whose regions hang together in their own way; the second sells too little by far
in all regions at once."""
SIZE_CLASSES = ("sortable", "non_sortable")
TIERS = ("distribution_center", "fulfillment_center", "same_day_site")
RESOURCES = ("storage_cuft", "inbound_units_per_day", "outbound_units_per_day")
LEAVES = "leave"
"""What substitution names instead of an item where the customer leaves."""
NO_LIMIT = 1e12
"""A capacity that limits nothing."""
PRICED_RESOURCES = (*RESOURCES, "lane_cuft_per_day", "budget_usd_per_day")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OVERRIDE_KINDS = ("set", "at_least", "at_most", "multiply", "block")
OVERRIDE_TARGETS = ("order_units", "base_stock_units", "demand")
REASON_CODES = (
    "below_order_up_to", "moq", "order_minimum", "case_pack", "vendor_capacity", "budget",
    "cover_limit", "item_end", "shelf_life", "quiet", "silent", "truck_fill", "price_break",
    "override",
)  # fmt: skip
RAISED_WORDS = {
    "moq": "to reach the vendor's minimum quantity",
    "order_minimum": "to reach the vendor's order minimum",
    "truck_fill": "to reach a full truck",
    "price_break": "to reach the vendor's lower price, which saves more than holding it costs",
}
"""Why an order is larger than what is needed, by its reason code."""
AGE_BANDS = (
    "to_30_days", "to_60_days", "to_90_days", "to_180_days", "to_365_days", "older"
)  # fmt: skip
EXCEPTION_KINDS = (
    "large_order", "odd_order", "may_run_out", "full_node", "late_vendor", "forecast_moved",
    "data_finding",
)  # fmt: skip
ABC_CLASSES = ("A", "B", "C")
SERVICE_MEASURES = ("fill_rate", "promises_kept")
SERVICE_STATUS = ("reached_anyway", "met", "best_possible", "no_demand")
DRIVERS = (
    "demand_over_cover", "safety_stock", "built_ahead", "capacity_price", "service_target",
    "sold_out", "stock_on_hand", "on_order", "rounding", "override",
)  # fmt: skip
TRANSFER_DRIVERS = (
    "demand_over_cover", "safety_stock", "built_ahead", "capacity_price", "service_target",
    "stock_on_hand", "on_order", "source_limit", "rounding", "override",
)  # fmt: skip
