"""Echelon's forecaster on the 12 levels of M5: one coherent set of means, spreads by tier.

Trees by the same code on the stores' 30,490 series and on the 154 sums of departments and above,
and a regression on the calendar (`pipeline.forecast.regression`) of the 70 departments of stores.
The three are mixed (in logarithms) at the departments; the stores' means are scaled to the mixture
and then add up to every level. The spread of items and stores is learned on the errors of those
means, on days that no tree had seen; that of the upper levels is the regression's own past errors.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from m5_data import LEVELS, M5, TIERS, Tier, add_up, tier
from m5_peers import PeerForecast
from m5_scores import LEVELS_Q
from m5_sums import (
    DEPARTMENTS,
    department_codes,
    departments_ahead,
    upper_quantiles,
    upper_sums,
)

from pipeline.contracts.settings import ForecastSettings, MeanSettings
from pipeline.forecast.features import COLUMN
from pipeline.forecast.mean import daily_mean, fit_mean
from pipeline.forecast.model import calibration_rows
from pipeline.forecast.panel import F32, F64
from pipeline.forecast.spread import fit_spread
from pipeline.forecast.windows import Windows, foresee, join

AHEAD = 28
DAYS = [(h, 1) for h in range(1, AHEAD + 1)]
SEED = 20160424
REGRESSION, TREES, SUMMED = 0.6, 0.2, 0.2  # weights at departments, chosen on origins ≤ 1857
SETTINGS = {
    "top": ForecastSettings(
        mean=MeanSettings(
            train_days=1500, rows_per_origin=6, trees=150, leaves=15, leaf_rows=300,
            learning_rate=0.06,
        ),
    ),
    "items": ForecastSettings(),
    "stores": ForecastSettings(),
}  # fmt: skip


@dataclass(frozen=True)
class Forecast:
    """Quantiles (series, 28, 9) of all levels, and what they cost."""

    keys: pd.DataFrame
    quantiles: F64
    mean: F64
    train_cpu_s: float
    predict_cpu_s: float
    peak_gb: float


@dataclass(frozen=True)
class Means:
    """Daily means (series, 28) by tier at one origin."""

    by_tier: dict[str, F64]


def forecast(data: M5, origin: int, threads: int) -> Forecast:
    """Nine quantiles of days origin + 1 … origin + 28 for all 42,840 series."""
    started = time.process_time()
    tiers = {name: tier(data, name, origin, AHEAD) for name in TIERS}
    calibration = ForecastSettings()
    cut = origin - calibration.calibration_days
    early, late = (
        {name: _grow(tiers[name], name, last, threads) for name in ("top", "stores")}
        for last in (cut, origin)
    )
    backs = range(cut, origin - AHEAD + 1, calibration.calibration_step_days)
    past = {at: _means(data, tiers, early, at) for at in backs}
    trained = time.process_time()
    future = _means(data, tiers, late, origin)
    predicting = time.process_time() - trained
    parts = []
    for name, own in tiers.items():
        if name == "top":
            parts.append(upper_quantiles(data, own, origin, future.by_tier[name]))
            continue
        rows = calibration_rows(own.panel, SETTINGS[name], SEED)
        found = join([_windows(own, name, rows, at, means) for at, means in past.items()])
        units = found.units(own.panel.take(rows))
        learn = own.panel.item[rows][found.series] % 2 == 1
        seen = np.isfinite(units)
        spread, _ = fit_spread(
            found.take(seen), units[seen], learn[seen], ~learn[seen], SETTINGS[name], SEED, threads
        )
        before = time.process_time()
        ahead = _windows(own, name, np.arange(own.panel.series), origin, future)
        parts.append(spread.quantiles(ahead, LEVELS_Q, threads).reshape(-1, AHEAD, len(LEVELS_Q)))
        predicting += time.process_time() - before
    total = time.process_time() - started
    return Forecast(
        pd.concat([own.keys for own in tiers.values()], ignore_index=True),
        np.concatenate(parts),
        np.concatenate([future.by_tier[name] for name in tiers]),
        total - predicting,
        predicting,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )


def _grow(own: Tier, name: str, last_d: int, threads: int) -> Callable[[F32], F64]:
    last = last_d - own.first_d
    weight = None
    if name == "top":  # the score weighs levels alike, however many series they have
        per_level = own.keys["level"].map(own.keys["level"].value_counts()).to_numpy()
        weight = per_level**-0.5 / (per_level**-0.5).mean()
    trees = fit_mean(own.panel, own.totals, SETTINGS[name].mean, AHEAD, last, SEED, threads, weight)
    return daily_mean(trees, threads)


def _level(x: F32) -> F64:
    return np.exp(x[:, COLUMN["log_level"]]).astype(np.float64)


def _means(
    data: M5, tiers: dict[str, Tier], mean_of: dict[str, Callable[[F32], F64]], at: int
) -> Means:
    """Means of the 28 days after day `at`: stores scaled to their departments, then added up."""
    top, below = tiers["top"], tiers["stores"]
    direct, stores = (
        foresee(mean_of[name], own.panel, own.totals, at - own.first_d, DAYS).mean.reshape(
            -1, AHEAD
        )
        for name, own in (("top", top), ("stores", below))
    )
    summed = add_up(data.series, stores, LEVELS[DEPARTMENTS - 1])
    parts = (
        (REGRESSION, departments_ahead(data, top, at)),
        (TREES, direct[top.keys["level"].to_numpy() == DEPARTMENTS]),
        (SUMMED, summed),
    )
    mixed = np.exp(sum(weight * np.log(np.maximum(units, 1e-3)) for weight, units in parts))
    stores = stores * (mixed / np.maximum(summed, 1e-9))[department_codes(data.series)]
    items = np.concatenate([add_up(data.series, stores, LEVELS[k - 1]) for k in TIERS["items"]])
    return Means({"top": upper_sums(top, mixed), "items": items, "stores": stores})


def _windows(own: Tier, name: str, rows: np.ndarray, at: int, means: Means) -> Windows:
    """Windows of some series with the given means."""
    bare = foresee(_level, own.panel.take(rows), own.totals, at - own.first_d, DAYS)
    return bare.with_mean(np.maximum(means.by_tier[name][rows].ravel(), 1e-3))


def write(found: Forecast | PeerForecast, origin: int, path: Path) -> None:
    """The long table: a row for each series and day, nine quantiles in columns."""
    rows = found.keys.loc[:, ["level", "agg_1", "agg_2"]]
    long = rows.loc[rows.index.repeat(AHEAD)].reset_index(drop=True)
    long["d"] = np.tile(np.arange(origin + 1, origin + 1 + AHEAD), len(rows))
    for j, level in enumerate(LEVELS_Q):
        long[f"q{level:g}"] = found.quantiles[:, :, j].ravel()
    long = long.dropna()
    long.to_parquet(path, compression="zstd", index=False)
