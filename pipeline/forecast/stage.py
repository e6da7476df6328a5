"""Stage forecast: quantiles of demand for every item, region and window that the plan asks for."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.forecast.assemble import Assembled, Names, assemble
from pipeline.forecast.dependence import dependence_table
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.overriding import apply_overrides
from pipeline.forecast.panel import totals
from pipeline.forecast.scores import score_groups, velocity_class
from pipeline.forecast.serve import forecast_windows, plan_windows, shards
from pipeline.forecast.windows import foresee
from pipeline.store import Night

SCORED_DAYS = (7, 14, 28)


def run(night: Night) -> None:
    """Read the night's tables and its model; publish quantiles, dependence and scores."""
    model = Model.from_files(night.read_model())
    items = night.read("items")
    windows = plan_windows(night.settings)
    ahead = max(start + days for start, days in windows)
    assembled = assemble(
        night.as_of, ahead, Names.from_notes(model.notes), items, night.read("prices"),
        night.read("calendar"), night.read("daily_demand"),
    )  # fmt: skip
    shard_items, threads = night.settings.forecast.shard_items, night.settings.run.threads
    quantiles = forecast_windows(assembled, model, windows, shard_items, threads)
    quantiles = apply_overrides(quantiles, night.read("overrides"), night.as_of)
    night.write("demand_quantiles", quantiles.assign(model_date=pd.Timestamp(night.model_date)))
    night.write("demand_dependence", dependence_table(model.notes))
    scores = score_last(assembled, model, items, shard_items, threads)
    scores["origin_date"] = [pd.Timestamp(night.as_of - timedelta(days=max(SCORED_DAYS)))] * len(
        scores
    )
    night.write("forecast_scores", scores)


def score_last(
    assembled: Assembled, model: Model, items: pd.DataFrame, shard_items: int, threads: int
) -> pd.DataFrame:
    """Scores of the forecasts of the last days, by trees that were grown without them."""
    panel = assembled.panel
    origin = panel.days - 1 - max(SCORED_DAYS)
    if origin < 1:
        return score_groups(*_nothing())
    sums, mean_of = totals(panel), daily_mean(model.early, threads)
    category = items.set_index(items["item_id"].astype(str))["category"].astype(str)
    frames, units, found = [], [], []
    for rows in shards(panel, shard_items):
        shard = panel.take(rows)
        seen = foresee(mean_of, shard, sums, origin, [(1, days) for days in SCORED_DAYS])
        y = seen.units(shard)
        seen, y = seen.take(np.isfinite(y)), y[np.isfinite(y)]
        frames.append(
            pd.DataFrame(
                {
                    "item_group": category.loc[
                        assembled.items[rows][seen.series].tolist()
                    ].to_numpy(),
                    "velocity": velocity_class(seen.mean, seen.days),
                    "region_id": assembled.regions[rows][seen.series],
                    "window_days": seen.days.astype(np.int64),
                    "mean_units": seen.mean,
                }
            )
        )
        units.append(y)
        found.append(model.spread.quantiles(seen, np.array(QUANTILE_LEVELS), threads))
    return score_groups(
        pd.concat(frames, ignore_index=True), np.concatenate(units), np.concatenate(found)
    )


def _nothing() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    columns = ("item_group", "velocity", "region_id", "window_days", "mean_units")
    empty = pd.DataFrame({name: pd.Series(dtype=float) for name in columns})
    return empty, np.empty(0), np.empty((0, len(QUANTILE_LEVELS)))
