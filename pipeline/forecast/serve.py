"""Quantiles of all windows that the plan asks for, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.settings import RunSettings, Settings
from pipeline.forecast.assemble import Assembled
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.panel import Panel, Totals, totals
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
    run: RunSettings,
) -> pd.DataFrame:
    """demand_quantiles without `model_date`, sorted by key.

    Shards run here one after another, each on `run.threads` threads, or on Dask's workers; they
    are put together in order, so the bytes are the same.
    """
    panel = assembled.panel
    sums = totals(panel)
    parts = list(shards(panel, shard_items))
    if run.engine == "dask":
        found = _on_dask(panel, parts, sums, model, windows, run)
    else:
        found = [
            shard_quantiles(panel.take(rows), sums, model, windows, run.threads) for rows in parts
        ]
    for rows, frame in zip(parts, found, strict=True):
        series = frame.pop("series").to_numpy()
        frame.insert(0, "item_id", assembled.items[rows][series])
        frame.insert(1, "region_id", assembled.regions[rows][series])
    return pd.concat(found, ignore_index=True)


def shard_quantiles(
    shard: Panel, sums: Totals, model: Model, windows: list[tuple[int, int]], threads: int
) -> pd.DataFrame:
    """Quantiles of the windows of a shard; `series` is the place in it."""
    seen = foresee(daily_mean(model.mean, threads), shard, sums, shard.days - 1, windows)
    found = model.spread.quantiles(seen, np.array(QUANTILE_LEVELS), threads)
    columns = {
        "series": seen.series,
        "window_start_day": seen.start.astype(np.int64),
        "window_days": seen.days.astype(np.int64),
        "mean_units": np.where(seen.mean > OFF_SALE_UNITS, seen.mean, 0.0),
    }
    return pd.DataFrame(columns | dict(zip(QUANTILE_COLUMNS, found.T, strict=True)))


def _on_dask(
    panel: Panel,
    parts: list[slice],
    sums: Totals,
    model: Model,
    windows: list[tuple[int, int]],
    run: RunSettings,
) -> list[pd.DataFrame]:
    """Shards on the workers of `run.scheduler`; sums and model travel to each worker once."""
    from dask.distributed import Client  # noqa: PLC0415  # an optional dependency

    with Client(run.scheduler) as client:
        shared = client.scatter([sums, model.to_files()], broadcast=True)
        futures = [
            client.submit(_from_files, panel.take(rows), *shared, windows, pure=False)
            for rows in parts
        ]
        found: list[pd.DataFrame] = client.gather(futures)
    return found


def _from_files(
    shard: Panel, sums: Totals, files: dict[str, bytes], windows: list[tuple[int, int]]
) -> pd.DataFrame:
    return shard_quantiles(shard, sums, Model.from_files(files), windows, 1)
