"""Stage optimize: reads forecasts and the network, writes levels, targets, prices, certificate."""

from __future__ import annotations

from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from pipeline.optimize.units import units_of
from pipeline.store import Night

_TABLES = (
    "items", "regions", "nodes", "lanes", "delivery_options", "delivery_speeds", "order_hours",
    "vendor_items", "prices", "stock", "open_orders", "open_transfers", "node_capacity",
    "overrides", "lead_times", "vendor_calendar", "demand_quantiles", "demand_dependence",
    "substitution", "first_choice", "service_targets",
)  # fmt: skip


def run(night: Night) -> None:
    """Publish the optimizer's tables."""
    units = units_of(night.settings)
    tables = units.tables({name: night.read(name) for name in _TABLES})
    settings = units.settings(night.settings)
    planned = optimize_night(night_model(tables, night.as_of, settings), settings)
    for name, frame in units.written(planned).items():
        night.write(name, frame)
