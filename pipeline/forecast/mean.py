"""Expected demand of a day: trees on the logarithm of the ratio to the series' level."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from pipeline.contracts.settings import MeanSettings
from pipeline.forecast.features import (
    COLUMN,
    FEATURES,
    feature_names,
    features,
    history,
)
from pipeline.forecast.forest import Forest
from pipeline.forecast.panel import F32, F64, I32, Panel, Totals
from pipeline.forecast.panel import totals as sums_of
from pipeline.forecast.seasons import as_known, in_season
from pipeline.progress import step

DETERMINISTIC = {
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
    "seed": 1,
    "feature_fraction_seed": 2,
    "bagging_seed": 3,
}


LAUNCH_AGES = np.array([0, 7, 14, 21])
"""Days on sale at which an item just launched is looked at."""


def workers(rows: int, threads: int) -> int:
    """Threads worth starting for so many rows; their number never changes a result."""
    return max(1, min(threads, rows // 200_000))


def sample_rows(
    panel: Panel, settings: MeanSettings, horizon: int, last_day: int, seed: int
) -> tuple[I32, I32, I32]:
    """Training rows (series, origin, target), sorted by series; every target ≤ `last_day`.

    Origins lie `origin_step_days` apart, back over `train_days`; at each one a series gets
    `rows_per_origin` horizons drawn at random, half of them within four weeks. A series enters
    on the day before its launch, so that its first days are learned as such.
    """
    random = np.random.default_rng(seed)
    first = max(last_day - settings.train_days, 0)
    origins = np.arange(last_day - 1, first - 1, -settings.origin_step_days, dtype=np.int32)[::-1]
    shape = (panel.series, len(origins), settings.rows_per_origin)
    near = random.integers(1, min(28, horizon) + 1, shape)
    far = random.integers(1, horizon + 1, shape)
    ahead = np.where(random.random(shape) < 0.5, near, far)
    jitter = random.integers(0, settings.origin_step_days, shape)
    origin = origins[None, :, None] - jitter
    target = origin + ahead
    keep = (origin >= 0) & (target <= last_day) & (target >= panel.launch_day[:, None, None])
    keep &= origin >= panel.launch_day[:, None, None] - 1
    series, place, draw = np.nonzero(keep)
    origin, target = origin[series, place, draw], target[series, place, draw]
    rows = np.stack([series, origin, target])
    rows = np.concatenate([rows, launch_rows(panel, settings, horizon, last_day, random)], axis=1)
    rows = rows[:, np.argsort(rows[0], kind="stable")]
    until, own = panel.silent_until()[rows[0], rows[1].clip(0)], panel.own_days()[rows[0], rows[2]]
    rows = rows[:, panel.observed()[rows[0], rows[2]] | (own & (rows[2] < until))]
    if panel.season is not None:
        rows = rows[:, in_season(panel.season)[panel.item[rows[0]], rows[2]]]
    series, origin, target = rows.astype(np.int32)
    return series, origin, target


def launch_rows(
    panel: Panel, settings: MeanSettings, horizon: int, last_day: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Further rows (3, n) for the first weeks of every item launched within the history.

    Launches are so rare among all rows that trees would not split for them, and a new item would
    be expected to sell like an old one.
    """
    fresh = np.flatnonzero((panel.launch_day > 0) & (panel.launch_day < last_day))
    age = np.repeat(LAUNCH_AGES, settings.launch_rows)
    origin = panel.launch_day[fresh, None] - 1 + age
    target = origin + random.integers(1, min(28, horizon) + 1, origin.shape)
    inside = target <= last_day
    series = np.broadcast_to(fresh[:, None], origin.shape)
    return np.stack([series[inside], origin[inside], target[inside]]).astype(np.int64)


def fit_mean(
    panel: Panel,
    totals: Totals,
    settings: MeanSettings,
    horizon: int,
    last_day: int,
    seed: int,
    threads: int,
    weight: F64 | None = None,
) -> lgb.Booster:
    """Trees trained on targets up to `last_day`.

    Poisson deviance with the level as offset; a row weighs 1 / (1 + level / `weight_units`), the
    inverse of a negative binomial's relative variance, so that large series do not drown the
    rest. `weight` multiplies that by series.
    """
    known = as_known(panel, last_day).until(last_day + 1)
    series, origin, target = sample_rows(known, settings, horizon, last_day, seed)
    seen = totals.until(last_day + 1) if known.season is None else sums_of(known)
    past = history(known, seen)
    x = features(known, seen, past, series, origin, target)
    level = np.exp(offset(x))
    row_weight = 1 / (1 + level / settings.weight_units)
    if weight is not None:
        row_weight *= weight[series]
    data = lgb.Dataset(
        x,
        known.demand[series, target],
        weight=row_weight,
        init_score=offset(x),
        feature_name=feature_names(known),
        categorical_feature=[len(FEATURES) + k for k in known.word_attributes],
        params={"max_bin": settings.max_bin, "bin_construct_sample_cnt": 200_000, "verbosity": -1},
        free_raw_data=True,
    )
    options = DETERMINISTIC | {
        "objective": "poisson",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": max(5, min(settings.leaf_rows, len(series) // 100)),
        "feature_fraction": 0.6,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "max_delta_step": 1.5,  # a Poisson step from a tiny mean to a large demand is unbounded
        "min_sum_hessian_in_leaf": 1.0,
        "num_threads": workers(len(series), threads),
    }
    return lgb.train(
        options, data, num_boost_round=settings.trees,
        callbacks=[lambda at: step("trees of the mean", at.iteration + 1, settings.trees)],
    )  # fmt: skip


def offset(x: F32) -> F64:
    """Logarithm of what a row would sell by its level, its day's exposure, its price and how far
    an item that is gone is back by then alone."""
    log_mean = x[:, COLUMN["log_level"]].astype(np.float64) + x[:, COLUMN["log_exposure"]]
    return np.asarray(log_mean + x[:, COLUMN["log_price_lift"]] + x[:, COLUMN["log_return"]])


def daily_mean(booster: lgb.Booster) -> Callable[[F32], F64]:
    """Function from a feature matrix to the expected units of its rows."""
    trees = Forest.of(booster)

    def predict(x: F32) -> F64:
        return np.asarray(np.exp(trees.raw(x) + offset(x)))

    return predict
