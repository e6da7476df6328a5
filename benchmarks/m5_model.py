"""Echelon's forecaster on the 12 levels of M5: every level is the product's own answer.

The stores' series are fitted as the night fits them, with the departments' five years above them
(`pipeline.forecast`): departments pull the stores, items over states and the nation have their own
spread, and levels 1 to 9 are sums of the same joint paths. Nothing is computed here but names.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from m5_data import M5, TIERS, Tier, tier
from m5_peers import PeerForecast
from m5_scores import LEVELS_Q

from pipeline.contracts.settings import ForecastSettings
from pipeline.forecast.above import keyed
from pipeline.forecast.departments import Departments
from pipeline.forecast.hierarchy import LevelForecast, Means, Periods, upper_levels
from pipeline.forecast.hierarchy_table import forecast_levels
from pipeline.forecast.levels import LEVELS, Cells
from pipeline.forecast.model import fit
from pipeline.forecast.panel import F64
from pipeline.forecast.pull import Above
from pipeline.forecast.serve import foreseen, scaled, shards
from pipeline.forecast.total_models import foresee_departments, learn_totals

AHEAD = 28
DAYS = [(h, 1) for h in range(1, AHEAD + 1)]
SEED = 20160424
SHARD_ITEMS = 500
_COLUMNS = {
    "item": "item_id", "department": "dept_id", "category": "cat_id", "region": "store_id",
    "territory": "state_id",
}  # fmt: skip


@dataclass(frozen=True)
class Forecast:
    """Quantiles (series, 28, 9) of all levels, and what they cost."""

    keys: pd.DataFrame
    quantiles: F64
    mean: F64
    pull: list[float]
    train_cpu_s: float
    predict_cpu_s: float
    peak_gb: float


def forecast(data: M5, origin: int, threads: int) -> Forecast:
    """Nine quantiles of days origin + 1 … origin + 28 for all 42,840 series."""
    started = time.process_time()
    stores, top = tier(data, "stores", origin, AHEAD), tier(data, "top", origin, AHEAD)
    above = above_stores(data, stores, top)
    model, _ = fit(
        stores.panel, stores.totals, ForecastSettings(), DAYS, SEED, threads, above=above
    )
    model.notes["cells"] = keyed(above.departments.cells)
    trained = time.process_time()
    panel = stores.panel
    seen = [
        foreseen(panel.take(rows), stores.totals, model, DAYS, threads)
        for rows in shards(panel, SHARD_ITEMS)
    ]
    seen = scaled(seen, panel, model, above, DAYS)
    quantiles = [model.spread.quantiles(own.windows, LEVELS_Q, threads) for own in seen]
    daily = np.concatenate([own.daily for own in seen])
    days = Periods(DAYS, ["day"] * AHEAD)
    levels = forecast_levels(panel, daily, model, above, days, days, days, LEVELS_Q, threads)
    keys = pd.concat([tier(data, name, origin, AHEAD).keys for name in TIERS], ignore_index=True)
    own = keys["level"].to_numpy() == 12
    found, mean = np.empty((len(keys), AHEAD, len(LEVELS_Q))), np.empty((len(keys), AHEAD))
    found[own] = np.concatenate(quantiles).reshape(-1, AHEAD, len(LEVELS_Q))
    mean[own] = daily
    for level in levels:
        rows = rows_of(keys, level, data.series)
        found[rows], mean[rows] = level.quantiles, level.mean
    total = time.process_time() - started
    return Forecast(
        keys, found, mean, model.notes["pull"], trained - started,
        total - (trained - started),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )  # fmt: skip


def departments_alone(data: M5, origin: int) -> Forecast:
    """Levels 1 to 9 by the departments' own models, without any trees: a minute's look."""
    started = time.process_time()
    stores, top = tier(data, "stores", origin, AHEAD), tier(data, "top", origin, AHEAD)
    own = above_stores(data, stores, top).departments
    models, errors = learn_totals(own, own.days, 1)
    trained = time.process_time()
    daily = foresee_departments(own, own.days, AHEAD, models)
    days = Periods(DAYS, ["day"] * AHEAD)
    means = Means(daily, np.ones(daily.shape), daily)
    cell = np.arange(len(daily))
    found = np.empty((len(top.keys), AHEAD, len(LEVELS_Q)))
    mean = np.empty((len(top.keys), AHEAD))
    for level in upper_levels(own.cells, cell, means, errors, days, LEVELS_Q):
        rows = rows_of(top.keys, level, data.series)
        found[rows], mean[rows] = level.quantiles, level.mean
    return Forecast(
        top.keys, found, mean, [1.0, 1.0], trained - started, time.process_time() - trained,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )  # fmt: skip


def above_stores(data: M5, stores: Tier, top: Tier) -> Above:
    """Departments of stores from the first day known on, and each series' department."""
    series = data.series
    codes = {name: pd.factorize(series[column], sort=True)[0].astype(np.int32)
             for name, column in _COLUMNS.items()}  # fmt: skip
    territory = np.zeros(int(codes["region"].max()) + 1, np.int32)
    territory[codes["region"]] = codes["territory"]
    cells, cell = Cells.of(codes["category"], codes["department"], codes["region"], territory)
    keys = top.keys[top.keys["level"] == 9]
    place = pd.MultiIndex.from_frame(keys[["dept_id", "store_id"]])
    names = series.groupby(cell).first()
    rows = place.get_indexer(pd.MultiIndex.from_frame(names[["dept_id", "store_id"]]))
    units = np.nan_to_num(top.panel.demand[keys.index.to_numpy()[rows]]).astype(np.float64)
    regions = stores_of(top)
    calendar = top.panel.calendar
    own = Departments(
        top.panel.first_date, units, cells,
        type(calendar)(
            calendar.flags[regions], calendar.days_to[regions], calendar.days_since[regions],
            calendar.aligned_day,
            named=None if calendar.named is None else calendar.named[:, regions],
            event_names=calendar.event_names,
        ),
    )  # fmt: skip
    return Above(own, cell, stores.first_d - top.first_d)


def stores_of(top: Tier) -> np.ndarray:
    """Places of the stores, in alphabetical order, among the regions of the upper levels."""
    rows = top.keys["store_id"].ne("all").to_numpy()
    pairs = pd.Series(top.panel.region[rows], top.keys.loc[rows, "store_id"])
    return pairs[~pairs.index.duplicated()].sort_index().to_numpy()


def rows_of(keys: pd.DataFrame, own: LevelForecast, series: pd.DataFrame) -> np.ndarray:
    """Rows of `keys` that a level's sums are, in their order."""
    number = LEVELS.index(own.level) + 1
    rows = keys.index[keys["level"] == number]
    columns, wanted = [], []
    for grain, code in ((own.level.product, own.sums.product), (own.level.place, own.sums.place)):
        if grain in _COLUMNS:
            columns.append(_COLUMNS[grain])
            wanted.append(np.sort(series[_COLUMNS[grain]].unique())[code])
    if not columns:
        return rows.to_numpy()
    index = pd.MultiIndex.from_frame(keys.loc[rows, columns])
    return rows.to_numpy()[index.get_indexer(pd.MultiIndex.from_arrays(wanted))]


def write(found: Forecast | PeerForecast, origin: int, path: Path) -> None:
    """The long table: a row for each series and day, nine quantiles in columns."""
    rows = found.keys.loc[:, ["level", "agg_1", "agg_2"]]
    long = rows.loc[rows.index.repeat(AHEAD)].reset_index(drop=True)
    long["d"] = np.tile(np.arange(origin + 1, origin + 1 + AHEAD), len(rows))
    for j, level in enumerate(LEVELS_Q):
        long[f"q{level:g}"] = found.quantiles[:, :, j].ravel()
    long = long.dropna()
    long.to_parquet(path, compression="zstd", index=False)
