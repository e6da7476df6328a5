"""Quantiles of all windows that the plan asks for, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.settings import RunSettings, Settings
from pipeline.forecast.assemble import Assembled
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.overriding import Rule, overridden
from pipeline.forecast.panel import F64, Panel, Totals, totals
from pipeline.forecast.windows import OFF_SALE_UNITS, Windows, foresee_tonight


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


@dataclass(frozen=True)
class Asked:
    """What is asked of the days ahead: windows (start day, days), and planners' rules."""

    windows: list[tuple[int, int]]
    rules: list[Rule]

    def take(self, rows: slice) -> Asked:
        """The same for some of the series."""
        return replace(self, rules=[rule.take(rows) for rule in self.rules])


def forecast_windows(
    assembled: Assembled, model: Model, asked: Asked, shard_items: int, run: RunSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """demand_quantiles without `model_date`, and demand_before_overrides, sorted by key.

    Shards run here one after another, each on `run.threads` threads, or on Dask's workers; they
    are put together in order, so the bytes are the same.
    """
    panel = assembled.panel
    sums = totals(panel)
    parts = list(shards(panel, shard_items))
    if run.engine == "dask":
        found = _on_dask(panel, parts, sums, model, asked, run)
    else:
        found = [
            shard_quantiles(panel.take(rows), sums, model, asked.take(rows), run.threads)
            for rows in parts
        ]
    for rows, frames in zip(parts, found, strict=True):
        for frame in frames:
            series = frame.pop("series").to_numpy()
            frame.insert(0, "item_id", assembled.items[rows][series])
            frame.insert(1, "region_id", assembled.regions[rows][series])
    published, before = (
        pd.concat(frames, ignore_index=True) for frames in zip(*found, strict=True)
    )
    return published, before


def shard_quantiles(
    shard: Panel, sums: Totals, model: Model, asked: Asked, threads: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quantiles of the windows of a shard, and of those that rules changed as they were before
    and by whose rule; `series` is the place in the shard."""
    levels = np.array(QUANTILE_LEVELS)
    days = foresee_tonight(daily_mean(model.mean, threads), shard, sums, asked.windows)
    seen = days.windows(asked.windows)
    found = model.spread.quantiles(seen, levels, threads)
    mean = np.where(seen.mean > OFF_SALE_UNITS, seen.mean, 0.0)
    before = _frame(seen, mean, found)
    redraw = overridden(days.mean, shard.item, shard.region, asked.rules)
    touched = np.array([redraw.touched[:, s : s + n].max(axis=1) for s, n in asked.windows]).T
    rows = np.flatnonzero(touched.ravel() >= 0)
    if len(rows):
        new, named = (replace(days, mean=m).sums(asked.windows).ravel()[rows]
                      for m in (redraw.mean, redraw.named))  # fmt: skip
        own = seen.take(rows)
        found[rows] = model.spread.redrawn(
            own, new, named / np.maximum(new, OFF_SALE_UNITS), levels, threads
        )
        mean[rows] = np.where(new > OFF_SALE_UNITS, new, 0.0)
    last = touched.ravel()[rows]
    changed = before.iloc[rows].assign(
        override_id=[asked.rules[k].override_id for k in last],
        override_kind=[asked.rules[k].kind for k in last],
        planner=[asked.rules[k].planner for k in last],
    )
    return _frame(seen, mean, found), changed


def _frame(seen: Windows, mean: F64, found: F64) -> pd.DataFrame:
    columns = {
        "series": seen.series,
        "window_start_day": seen.start.astype(np.int64),
        "window_days": seen.days.astype(np.int64),
        "mean_units": mean,
    }
    return pd.DataFrame(columns | dict(zip(QUANTILE_COLUMNS, found.T.copy(), strict=True)))


def _on_dask(
    panel: Panel, parts: list[slice], sums: Totals, model: Model, asked: Asked, run: RunSettings
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Shards on the workers of `run.scheduler`; sums and model travel to each worker once."""
    from dask.distributed import Client  # noqa: PLC0415  # an optional dependency

    with Client(run.scheduler) as client:
        shared = client.scatter([sums, model.to_files()], broadcast=True)
        futures = [
            client.submit(_from_files, panel.take(rows), *shared, asked.take(rows), pure=False)
            for rows in parts
        ]
        found: list[tuple[pd.DataFrame, pd.DataFrame]] = client.gather(futures)
    return found


def _from_files(
    shard: Panel, sums: Totals, files: dict[str, bytes], asked: Asked
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return shard_quantiles(shard, sums, Model.from_files(files), asked, 1)
