"""Quantiles of all windows that the plan asks for, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.settings import Settings
from pipeline.forecast.assemble import Assembled
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.panel import Panel, totals
from pipeline.forecast.windows import OFF_SALE_UNITS, foresee


def plan_windows(settings: Settings) -> list[tuple[int, int]]:
    """Windows (start day, days): each length from tomorrow on, and the weeks of the horizon."""
    from_tomorrow = [(1, days) for days in settings.forecast.window_days]
    weeks = [(1 + 7 * week, 7) for week in range(settings.planning.horizon_weeks)]
    return sorted(set(from_tomorrow + weeks))


def shards(panel: Panel, items: int) -> Iterator[slice]:
    """Rows of `items` items at a time; the panel is sorted by item."""
    firsts = np.flatnonzero(np.diff(panel.item, prepend=-1))
    edges = [*firsts[::items], panel.series]
    for low, high in pairwise(edges):
        yield slice(int(low), int(high))


def forecast_windows(
    assembled: Assembled,
    model: Model,
    windows: list[tuple[int, int]],
    shard_items: int,
    threads: int,
) -> pd.DataFrame:
    """demand_quantiles without `model_date`, sorted by key."""
    panel = assembled.panel
    sums = totals(panel)
    levels = np.array(QUANTILE_LEVELS)
    mean_of = daily_mean(model.mean, threads)
    frames = []
    for rows in shards(panel, shard_items):
        shard = panel.take(rows)
        seen = foresee(mean_of, shard, sums, panel.days - 1, windows)
        columns = {
            "item_id": assembled.items[rows][seen.series],
            "region_id": assembled.regions[rows][seen.series],
            "window_start_day": seen.start.astype(np.int64),
            "window_days": seen.days.astype(np.int64),
            "mean_units": np.where(seen.mean > OFF_SALE_UNITS, seen.mean, 0.0),
        }
        found = model.spread.quantiles(seen, levels, threads)
        columns |= dict(zip(QUANTILE_COLUMNS, found.T, strict=True))
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
