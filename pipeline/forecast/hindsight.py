"""What would have been forecast four weeks ago, by trees that had not seen what came."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.forecast.assemble import Assembled
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.panel import F64, totals
from pipeline.forecast.scores import velocity_class
from pipeline.forecast.seasons import as_known
from pipeline.forecast.serve import shards
from pipeline.forecast.windows import foresee

SCORED_DAYS = (7, 14, 28)
_COLUMNS = ("item_id", "item_group", "velocity", "region_id", "window_days", "mean_units")


def foreseen_lately(
    assembled: Assembled, model: Model, items: pd.DataFrame, shard_items: int, threads: int
) -> tuple[pd.DataFrame, F64, F64]:
    """Windows that ended by now, what was demanded in them, and their quantiles.

    The windows (`_COLUMNS`) start max(SCORED_DAYS) days ago. Only the trees are from before the
    fact; spread and levels are the model's own.
    """
    origin = assembled.panel.days - 1 - max(SCORED_DAYS)
    panel = as_known(assembled.panel, origin) if origin >= 1 else assembled.panel
    empty = pd.DataFrame({name: pd.Series(dtype=float) for name in _COLUMNS})
    frames, units, found = [empty], [np.empty(0)], [np.empty((0, len(QUANTILE_LEVELS)))]
    sums, mean_of = totals(panel), daily_mean(model.early)
    category = items.set_index(items["item_id"].astype(str))["category"].astype(str)
    windows = [(1, days) for days in SCORED_DAYS]
    for rows in shards(panel, shard_items) if origin >= 1 else ():
        shard = panel.take(rows)
        seen = foresee(mean_of, shard, sums, origin, windows)
        y = seen.units(shard)
        seen, y = seen.take(np.isfinite(y)), y[np.isfinite(y)]
        item = assembled.items[rows][seen.series]
        columns = (
            item, category.loc[item.tolist()].to_numpy(), velocity_class(seen.mean, seen.days),
            assembled.regions[rows][seen.series], seen.days.astype(np.int64), seen.mean,
        )  # fmt: skip
        frames.append(pd.DataFrame(dict(zip(_COLUMNS, columns, strict=True))))
        units.append(y)
        found.append(model.spread.quantiles(seen, np.array(QUANTILE_LEVELS), threads))
    filled = [frame for frame in frames if len(frame)] or [empty]
    return pd.concat(filled, ignore_index=True), np.concatenate(units), np.concatenate(found)
