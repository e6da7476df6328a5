"""Stage forecast: quantiles of demand for every item, region and window that the plan asks for."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from pipeline.forecast.assemble import Names, assemble
from pipeline.forecast.dependence import dependence_table
from pipeline.forecast.explanation import explain
from pipeline.forecast.hindsight import SCORED_DAYS, foreseen_lately
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.outliers import breaks, findings
from pipeline.forecast.overriding import apply_overrides
from pipeline.forecast.panel import totals
from pipeline.forecast.revision import REVISED_DAYS, forecast_changes
from pipeline.forecast.scores import score_groups
from pipeline.forecast.serve import forecast_windows, plan_windows, shards
from pipeline.forecast.windows import day_features, on_sale
from pipeline.store import Night

LISTED_DAYS = 28


def drivers_of(night: Night, item_id: str) -> pd.Series:
    """Units of each driver in an item's next 28 days, all regions; they add up to the forecast."""
    model = Model.from_files(night.read_model())
    assembled = assemble(
        night.as_of, REVISED_DAYS, Names.from_notes(model.notes), night.read("items"),
        night.read("prices"), night.read("calendar"), night.read("daily_demand"),
    )  # fmt: skip
    own = assembled.panel.take(np.flatnonzero(assembled.items == item_id))
    ahead, last = np.arange(1, REVISED_DAYS + 1, dtype=np.int32), own.days - 1
    x = day_features(own, totals(assembled.panel), last, ahead)
    is_sold = on_sale(own, last + ahead).ravel()
    names = pd.Index([item_id])
    return explain(model.mean, x[is_sold], np.zeros(is_sold.sum(), int), names).loc[item_id]


def run(night: Night) -> None:
    """Publish quantiles, dependence, changes since yesterday, findings and scores."""
    model = Model.from_files(night.read_model())
    items = night.read("items")
    windows = plan_windows(night.settings)
    ahead = max(start + days for start, days in windows)
    assembled = assemble(
        night.as_of, ahead, Names.from_notes(model.notes), items, night.read("prices"),
        night.read("calendar"), night.read("daily_demand"),
    )  # fmt: skip
    shard_items, threads = night.settings.forecast.shard_items, night.settings.run.threads
    quantiles = forecast_windows(assembled, model, windows, shard_items, night.settings.run)
    quantiles = apply_overrides(quantiles, night.read("overrides"), night.as_of)
    night.write("demand_quantiles", quantiles.assign(model_date=pd.Timestamp(night.model_date)))
    night.write("demand_dependence", dependence_table(model.notes))

    changes = forecast_changes(
        daily_mean(model.mean, threads), assembled.panel, totals(assembled.panel),
        list(shards(assembled.panel, shard_items)), assembled.items,
        night.settings.forecast.explained_items,
    )  # fmt: skip
    night.write("forecast_changes", changes)

    origin = night.as_of - timedelta(days=max(SCORED_DAYS))
    rows, units, found = foreseen_lately(assembled, model, items, shard_items, threads)
    scores = score_groups(rows, units, found)
    night.write("forecast_scores", scores.assign(origin_date=pd.Timestamp(origin)))

    keys = pd.DataFrame({"item_id": assembled.items, "region_id": assembled.regions})
    spikes = findings(night.as_of, keys, assembled.spikes, assembled.demand, LISTED_DAYS)
    long = (rows["window_days"] == max(SCORED_DAYS)).to_numpy()
    moved = breaks(
        origin, rows.loc[long, ["item_id", "region_id"]], units[long],
        rows.loc[long, "mean_units"].to_numpy(), found[long, 0], found[long, -1],
    )  # fmt: skip
    listed = pd.concat([spikes, moved], ignore_index=True)
    order = ["item_id", "region_id", "finding_date", "finding"]
    night.write("demand_findings", listed.sort_values(order, ignore_index=True))
