"""Quantiles of all windows that the plan asks for, shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.settings import RunSettings, Settings
from pipeline.forecast.assemble import Assembled
from pipeline.forecast.dependence import AWAY, EVERY
from pipeline.forecast.features import silence_of_items
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.overriding import Rule, overridden
from pipeline.forecast.panel import F64, I32, Panel, Totals, totals
from pipeline.forecast.pull import Above, factors
from pipeline.forecast.series_level import SILENT
from pipeline.forecast.sum_spread import window_sums
from pipeline.forecast.windows import OFF_SALE_UNITS, Windows, foresee_tonight
from pipeline.progress import counted


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


@dataclass(frozen=True)
class Served:
    """What is forecast tonight.

    quantiles   demand_quantiles without `model_date`, sorted by key
    before      demand_before_overrides, sorted by key
    daily       (series, days) expected units of the days ahead, overrides included
    """

    quantiles: pd.DataFrame
    before: pd.DataFrame
    daily: F64


@dataclass(frozen=True)
class Shard:
    """Some series as foreseen tonight: units (series, days), and the windows asked for."""

    item: I32
    region: I32
    daily: F64
    windows: Windows

    def times(self, factor: F64 | None, asked: list[tuple[int, int]]) -> Shard:
        """The same with each day times `factor` (series, days), None for all the same."""
        if factor is None:
            return self
        daily = self.daily * factor
        mean = np.maximum(window_sums(daily, asked).ravel(), OFF_SALE_UNITS)
        return replace(self, daily=daily, windows=self.windows.with_mean(mean))


def forecast_windows(
    assembled: Assembled,
    model: Model,
    asked: Asked,
    shard_items: int,
    run: RunSettings,
    above: Above | None = None,
) -> Served:
    """Quantiles of all windows; series are first foreseen, then drawn to what stands `above`.

    Shards run here one after another, each on `run.threads` threads, or on Dask's workers; they
    are put together in order, so the bytes are the same.
    """
    panel = assembled.panel
    sums = totals(panel)
    parts = list(shards(panel, shard_items))
    work = [(panel.take(rows), asked.take(rows), rows) for rows in parts]
    if run.engine == "dask":
        found = _on_dask(work, sums, model, above, panel, run)
    else:
        seen = [
            foreseen(shard, sums, model, own.windows, run.threads)
            for shard, own, _ in counted("means of the days ahead", work)
        ]
        seen = scaled(seen, panel, model, above, asked.windows)
        pairs = list(zip(seen, work, strict=True))
        found = [
            shard_quantiles(own, model, asked_of, run.threads)
            for own, (_, asked_of, _) in counted("forecasts of items", pairs)
        ]
    group = groups_of(panel, sums, model)
    for rows, (published, before, _) in zip(parts, found, strict=True):
        published["dependence_group"] = group[rows][published["series"]]
        for frame in (published, before):
            series = frame.pop("series").to_numpy()
            frame.insert(0, "item_id", assembled.items[rows][series])
            frame.insert(1, "region_id", assembled.regions[rows][series])
    quantiles, before = (pd.concat([one[k] for one in found], ignore_index=True) for k in (0, 1))
    return Served(quantiles, before, np.concatenate([daily for _, _, daily in found]))


def groups_of(panel: Panel, sums: Totals, model: Model) -> npt.NDArray[np.object_]:
    """Which group of the model's dependence each series belongs to tonight."""
    is_away = silence_of_items(panel, sums)[panel.item, -1] > SILENT
    known = AWAY in model.notes["dependence"]
    return np.where(is_away & known, AWAY, EVERY).astype(object)


def scaled(
    seen: list[Shard],
    panel: Panel,
    model: Model,
    above: Above | None,
    asked: list[tuple[int, int]],
) -> list[Shard]:
    """The shards of a panel, drawn to what stands above them."""
    drawn = _factors(panel, [own.daily for own in seen], model, above)
    ends = np.cumsum([0, *(len(own.daily) for own in seen)])
    return [
        own.times(drawn and drawn(slice(int(low), int(high))), asked)
        for own, (low, high) in zip(seen, pairwise(ends), strict=True)
    ]


def _factors(
    panel: Panel, daily: list[F64], model: Model, above: Above | None
) -> Callable[[slice], F64] | None:
    """The factors (series, days) of some rows that draw them to what stands above."""
    whole, beyond = model.notes.get("pull", (0.0, 0.0))
    if above is None or max(whole, beyond) <= 0:
        return None
    origin = panel.whole_origin(panel.days - 1)
    if origin != panel.days - 1:
        return None  # reported periods that are not over: nothing above them is known better
    summed = above.sums(np.concatenate(daily), slice(None))
    drawn = factors(summed, above.foresee(origin, summed.shape[1], model.totals), (whole, beyond))
    return lambda rows: drawn[above.cell[rows]]


def foreseen(
    shard: Panel, sums: Totals, model: Model, windows: list[tuple[int, int]], threads: int
) -> Shard:
    """The days and windows ahead of a shard, by the model's trees."""
    days = foresee_tonight(daily_mean(model.mean), shard, sums, windows)
    return Shard(shard.item, shard.region, days.mean[:, 1:], days.windows(windows))


def shard_quantiles(
    shard: Shard, model: Model, asked: Asked, threads: int
) -> tuple[pd.DataFrame, pd.DataFrame, F64]:
    """Quantiles of the windows of a shard; those of windows that rules changed as they were before
    and by whose rule; and the days with all rules. `series` is the place in the shard."""
    levels = np.array(QUANTILE_LEVELS)
    daily, seen = shard.daily, shard.windows
    found = model.spread.quantiles(seen, levels, threads)
    mean = np.where(seen.mean > OFF_SALE_UNITS, seen.mean, 0.0)
    before = _frame(seen, mean, found)
    redraw = overridden(
        np.concatenate([np.zeros((len(daily), 1)), daily], axis=1), shard.item, shard.region,
        asked.rules,
    )  # fmt: skip
    touched = np.array([redraw.touched[:, s : s + n].max(axis=1) for s, n in asked.windows]).T
    rows = np.flatnonzero(touched.ravel() >= 0)
    if len(rows):
        new, named = (window_sums(m[:, 1:], asked.windows).ravel()[rows]
                      for m in (redraw.mean, redraw.named))  # fmt: skip
        own = seen.take(rows)
        found[rows] = model.spread.redrawn(
            own, new, named / np.maximum(new, OFF_SALE_UNITS), levels, threads
        )
        mean[rows] = np.where(new > OFF_SALE_UNITS, new, 0.0)
    after = _frame(seen, mean, found)
    # A rule that says what is expected anyway changed nothing, and is not told of.
    rows = rows[(after.iloc[rows] != before.iloc[rows]).any(axis=1).to_numpy(dtype=bool)]
    last = touched.ravel()[rows]
    changed = before.iloc[rows].assign(
        override_id=[asked.rules[k].override_id for k in last],
        override_kind=[asked.rules[k].kind for k in last],
        planner=[asked.rules[k].planner for k in last],
    )
    return after, changed, redraw.mean[:, 1:]


def _frame(seen: Windows, mean: F64, found: F64) -> pd.DataFrame:
    columns = {
        "series": seen.series,
        "window_start_day": seen.start.astype(np.int64),
        "window_days": seen.days.astype(np.int64),
        "mean_units": mean,
    }
    return pd.DataFrame(columns | dict(zip(QUANTILE_COLUMNS, found.T.copy(), strict=True)))


def _on_dask(
    work: list[tuple[Panel, Asked, slice]],
    sums: Totals,
    model: Model,
    above: Above | None,
    panel: Panel,
    run: RunSettings,
) -> list[tuple[pd.DataFrame, pd.DataFrame, F64]]:
    """Shards on the workers of `run.scheduler`; sums and model travel to each worker once, and
    what is foreseen stays there until its factors are known."""
    from dask.distributed import Client  # noqa: PLC0415  # an optional dependency

    with Client(run.scheduler) as client:
        shared = client.scatter([sums, model.to_files()], broadcast=True)
        seen = [
            client.submit(_foreseen_by, shard, *shared, asked.windows, pure=False)
            for shard, asked, _ in work
        ]
        daily = client.gather([client.submit(_daily, own, pure=False) for own in seen])
        drawn = _factors(panel, daily, model, above)
        futures = [
            client.submit(_quantiles_by, own, shared[1], asked, drawn and drawn(rows), pure=False)
            for own, (_, asked, rows) in zip(seen, work, strict=True)
        ]
        found: list[tuple[pd.DataFrame, pd.DataFrame, F64]] = client.gather(futures)
    return found


def _foreseen_by(
    shard: Panel, sums: Totals, files: dict[str, bytes], windows: list[tuple[int, int]]
) -> Shard:
    return foreseen(shard, sums, Model.from_files(files), windows, 1)


def _daily(shard: Shard) -> F64:
    return shard.daily


def _quantiles_by(
    shard: Shard, files: dict[str, bytes], asked: Asked, factor: F64 | None
) -> tuple[pd.DataFrame, pd.DataFrame, F64]:
    return shard_quantiles(shard.times(factor, asked.windows), Model.from_files(files), asked, 1)
