"""Stage accuracy: what was published 1, 2, 4 and 8 weeks ago against what came.

Apart from monitor because it reads earlier nights: a backfill of one of those runs this stage
again, and nothing reads what it publishes.
"""

from __future__ import annotations

from datetime import timedelta

from pipeline.forecast.accuracy import forecast_accuracy, scored_windows, value_added
from pipeline.stages import SCORED_DAYS_AGO
from pipeline.store import Night


def run(night: Night) -> None:
    """Publish the accuracy of earlier nights' forecasts, and what overrides added to them."""
    demand = night.read("daily_demand")
    windows, before = {}, {}
    for days in SCORED_DAYS_AGO:
        published = night.read_earlier("demand_quantiles", days)
        overridden = night.read_earlier("demand_before_overrides", days)
        if published is None:
            continue
        origin = night.as_of - timedelta(days=days)
        windows[days] = scored_windows(published, demand, origin, days)
        if overridden is not None:
            before[days] = overridden
    night.write("forecast_accuracy", forecast_accuracy(windows, night.read("items"), night.as_of))
    night.write("forecast_value_added", value_added(windows, before))
