"""Stage assort: reads groups, sales, forecasts; writes substitution and the best assortments."""

from __future__ import annotations

from pipeline.assort.night import assort_night
from pipeline.store import Night

_TABLES = (
    "items", "regions", "vendor_items", "prices", "choice_groups", "daily_demand",
    "demand_quantiles",
)  # fmt: skip


def run(night: Night) -> None:
    """Publish the stage's four tables; they are empty where no group is named."""
    tables = {name: night.read(name) for name in _TABLES}
    for name, frame in assort_night(tables, night.as_of, night.settings).items():
        night.write(name, frame)
