"""Table demand_hierarchy: the forecast of every level, day, week and month, in units and USD."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.settings import HierarchySettings
from pipeline.forecast.above import rows_of
from pipeline.forecast.departments import LEAST_DAYS
from pipeline.forecast.hierarchy import (
    USD_COLUMNS,
    LevelForecast,
    Periods,
    item_levels,
    means_of,
    upper_levels,
)
from pipeline.forecast.model import Model
from pipeline.forecast.panel import F64, Panel
from pipeline.forecast.pull import Above
from pipeline.forecast.total_models import TotalModels

NETWORK, ALL, OTHER = "network", "all", "(other)"


@dataclass(frozen=True)
class HierarchyNames:
    """Names of the codes: items by code, categories, departments, territories and regions."""

    item: list[str]
    category: list[str]
    department: list[str]
    territory: list[str]
    region: list[str]

    def of(self, grain: str, codes: np.ndarray) -> np.ndarray:
        """Names (n,) of codes; a group that the model has not seen is '(other)'."""
        if grain in (NETWORK, ALL):
            return np.full(len(codes), grain, object)
        return np.array([*getattr(self, grain), OTHER], object)[codes]


def forecast_levels(
    panel: Panel,
    daily: F64,
    model: Model,
    above: Above,
    upper: Periods,
    network: Periods,
    territory: Periods,
    levels: F64,
    threads: int,
) -> list[LevelForecast]:
    """All levels but items in regions; `daily` (series, days) are the days that the plan buys on.

    upper, network, territory   periods of sums above items, of items over the network, and of
                                items over a territory
    """
    if model.errors is None or model.sums is None:
        raise ValueError("the model was fitted without what stands above its series")
    reach = max(upper.reach, network.reach, territory.reach, daily.shape[1])
    beyond = beyond_the_plan(panel, daily, above, reach, model.totals)
    means = means_of(panel, daily, above.cell, beyond, upper.windows)
    cells = above.departments.cells
    errors = model.errors.at(rows_of(cells, model.notes["cells"]))
    found = upper_levels(cells, above.cell, means, errors, upper, levels)
    return found + item_levels(
        panel, cells.territory, model.sums, network, territory, levels, threads,
        lambda periods: means_of(panel, daily, above.cell, beyond, periods.windows),
    )  # fmt: skip


def beyond_the_plan(
    panel: Panel, daily: F64, above: Above, reach: int, models: TotalModels | None
) -> F64:
    """Units (cells, reach) of days past the plan's last: the departments' own forecast, in
    proportion to what the plan says of its last four weeks; where departments know no year, the
    mean of those weeks."""
    near = daily.shape[1]
    planned = above.sums(daily, slice(None))
    last = slice(max(near - 28, 0), near)
    weeks = planned[:, last]
    weekday = (near + np.arange(7) - last.start) % 7
    week = np.stack([weeks[:, day::7].mean(axis=1) for day in weekday if day < weeks.shape[1]], 1)
    again = np.tile(week, (1, -(-max(reach - near, 1) // week.shape[1])))
    flat = np.concatenate([planned, again], axis=1)[:, :reach]
    if above.departments.days < LEAST_DAYS:
        return flat
    own = above.foresee(panel.days - 1, reach, models)
    total = own[:, last].sum(axis=1)
    ratio = np.where(total > 0, weeks.sum(axis=1) / np.maximum(total, 1e-9), 0.0)
    return np.where(total[:, None] > 0, own * np.clip(ratio, 0.2, 5.0)[:, None], flat)


def periods_of(
    as_of: pd.Timestamp, settings: HierarchySettings, planned_days: int
) -> tuple[Periods, Periods]:
    """Periods of all sums, and the fewer ones of items over a territory."""
    days = min(settings.days, planned_days)
    every = Periods.of(as_of, days, settings.weeks, settings.months)
    kept = [
        k for k, (kind, (start, n)) in enumerate(zip(every.kinds, every.windows, strict=True))
        if kind != "day" and start + n - 1 <= 7 * settings.territory_weeks
    ]  # fmt: skip
    return every, every.some(kept)


def hierarchy_table(
    found: list[LevelForecast], names: HierarchyNames, as_of: pd.Timestamp
) -> pd.DataFrame:
    """demand_hierarchy without `model_date`, sorted by key.

    It is the night's largest table, so words are codes throughout, and columns are put in order one
    by one.
    """
    found = [own for own in found if own.mean.size]

    def of_rows(parts: list[np.ndarray]) -> np.ndarray:
        each = zip(parts, found, strict=True)
        return np.concatenate([part.repeat(own.mean.shape[1]) for part, own in each])

    def of_periods(parts: list[np.ndarray]) -> np.ndarray:
        each = zip(parts, found, strict=True)
        return np.concatenate([np.tile(part, len(own.mean)) for part, own in each])

    spans = [np.array(own.periods.windows, np.int64) for own in found]
    codes, words = {}, {}
    for name, parts, spread in (
        ("product_level", [np.full(len(o.mean), o.level.product, object) for o in found], of_rows),
        ("product_id", [names.of(o.level.product, o.sums.product) for o in found], of_rows),
        ("place_level", [np.full(len(o.mean), o.level.place, object) for o in found], of_rows),
        ("place_id", [names.of(o.level.place, o.sums.place) for o in found], of_rows),
        ("period", [np.array(o.periods.kinds, object) for o in found], of_periods),
    ):
        words[name] = pd.Index(sorted({str(word) for part in parts for word in part}), dtype="str")
        codes[name] = spread([words[name].get_indexer(part).astype(np.int32) for part in parts])
    start = of_periods([span[:, 0] for span in spans])
    order = np.lexsort((start, *reversed(codes.values())))
    first = as_of.to_datetime64().astype("datetime64[D]")
    columns = {
        name: pd.Categorical.from_codes(own[order], words[name]) for name, own in codes.items()
    } | {
        "period_start_date": (first + start[order]).astype("datetime64[s]"),
        "period_days": of_periods([span[:, 1] for span in spans])[order],
        "mean_units": np.concatenate([own.mean.ravel() for own in found])[order],
    }
    for k, name in enumerate(QUANTILE_COLUMNS):
        columns[name] = np.concatenate([o.quantiles[:, :, k].ravel() for o in found])[order].round(
            2
        )
    columns["mean_usd"] = np.concatenate([own.mean_usd.ravel() for own in found])[order]
    for k, name in enumerate(USD_COLUMNS):
        usd = np.concatenate([own.quantiles_usd[:, :, k].ravel() for own in found])
        columns[name] = usd[order].round(2)
    return pd.DataFrame(columns, copy=False)


PUBLISHED_LEVELS = np.array(QUANTILE_LEVELS)
