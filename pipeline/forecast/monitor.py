"""Stage monitor: how good the forecasts have been, what moved them, what demand did not fit.

Apart from forecast because no plan waits for it: it runs beside optimize, buy and place, and a
simulated night leaves it out.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from pipeline.forecast.explanation import explain
from pipeline.forecast.hindsight import SCORED_DAYS, foreseen_lately
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.outliers import breaks, findings
from pipeline.forecast.panel import totals
from pipeline.forecast.revision import REVISED_DAYS, forecast_changes
from pipeline.forecast.scores import score_groups
from pipeline.forecast.serve import shards
from pipeline.forecast.stage import what_is_known
from pipeline.forecast.windows import day_features, on_sale
from pipeline.store import Night

LISTED_DAYS = 28


def run(night: Night) -> None:
    """Publish changes since yesterday, scores of the last forecasts, and findings."""
    model = Model.from_files(night.read_model())
    known = what_is_known(night, model, REVISED_DAYS)
    shard_items, threads = night.settings.forecast.shard_items, night.settings.run.threads
    changes = forecast_changes(
        daily_mean(model.mean), known.panel, totals(known.panel),
        list(shards(known.panel, shard_items)), known.items,
        night.settings.forecast.explained_items,
    )  # fmt: skip
    night.write("forecast_changes", changes)

    origin = night.as_of - timedelta(days=max(SCORED_DAYS))
    rows, units, found = foreseen_lately(known, model, night.read("items"), shard_items, threads)
    scores = score_groups(rows, units, found)
    night.write("forecast_scores", scores.assign(origin_date=pd.Timestamp(origin)))

    keys = pd.DataFrame({"item_id": known.items, "region_id": known.regions})
    spikes = findings(night.as_of, keys, known.spikes, known.demand, LISTED_DAYS)
    long = (rows["window_days"] == max(SCORED_DAYS)).to_numpy()
    moved = breaks(
        origin, rows.loc[long, ["item_id", "region_id"]], units[long],
        rows.loc[long, "mean_units"].to_numpy(), found[long, 0], found[long, -1],
    )  # fmt: skip
    listed = pd.concat([spikes, moved], ignore_index=True)
    order = ["item_id", "region_id", "finding_date", "finding"]
    night.write("demand_findings", listed.sort_values(order, ignore_index=True))


def drivers_of(night: Night, item_id: str) -> pd.Series:
    """Units of each driver in an item's next 28 days, all regions; they add up to the forecast."""
    model = Model.from_files(night.read_model())
    known = what_is_known(night, model, REVISED_DAYS)
    own = known.panel.take(np.flatnonzero(known.items == item_id))
    ahead, last = np.arange(1, REVISED_DAYS + 1, dtype=np.int32), own.days - 1
    x = day_features(own, totals(known.panel), last, ahead)
    is_sold = on_sale(own, last + ahead).ravel()
    names = pd.Index([item_id])
    return explain(model.mean, x[is_sold], np.zeros(is_sold.sum(), int), names).loc[item_id]
