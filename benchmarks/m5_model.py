"""Echelon's forecaster on the 12 levels of M5: direct forecasts blended with sums of stores.

Each tier has trees of its own, by the same code. The mean of a series above the stores is the
geometric mean of its direct forecast and of the sum of its stores' forecasts; the spread is
learned on the errors of that blend, on days that neither had seen.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from m5_data import LEVELS, M5, TIERS, Tier, add_up, tier
from m5_scores import LEVELS_Q

from pipeline.contracts.settings import ForecastSettings, MeanSettings, ShapeSettings
from pipeline.forecast.mean import fit_mean
from pipeline.forecast.model import calibration_rows
from pipeline.forecast.panel import F64
from pipeline.forecast.spread import fit_spread
from pipeline.forecast.windows import Windows, foresee, join

AHEAD = 28
DAYS = [(h, 1) for h in range(1, AHEAD + 1)]
SEED = 20160424
DIRECT_SHARE = {"top": 0.5, "items": 0.5}
SETTINGS = {
    "top": ForecastSettings(
        mean=MeanSettings(
            train_days=1500, rows_per_origin=6, trees=150, leaves=15, leaf_rows=300,
            learning_rate=0.06,
        ),
        shape=ShapeSettings(trees=60, leaves=8, leaf_rows=500),
    ),
    "items": ForecastSettings(mean=MeanSettings(rows_per_origin=4)),
    "stores": ForecastSettings(),
}  # fmt: skip


@dataclass(frozen=True)
class Foreseen:
    """Means of the next 28 days at several origins: origin day → windows of all series."""

    tier: Tier
    past: dict[int, Windows]
    future: Windows


@dataclass(frozen=True)
class Forecast:
    """Quantiles (series, 28, 9) of every tier, and what they cost."""

    keys: pd.DataFrame
    quantiles: F64
    mean: F64
    train_cpu_s: float
    predict_cpu_s: float
    peak_gb: float


def forecast(data: M5, origin: int, threads: int) -> Forecast:
    """Nine quantiles of days origin + 1 … origin + 28 for all 42,840 series."""
    started = time.process_time()
    predicting = 0.0
    foreseen = {}
    for name in TIERS:
        own = tier(data, name, origin, AHEAD)
        past_trees, trees = (
            _grow(own, name, last, threads)
            for last in (own.panel.days - 1 - SETTINGS[name].calibration_days, own.panel.days - 1)
        )
        past = _foresee_past(own, past_trees, name, threads)
        before = time.process_time()
        future = foresee(trees, own.panel, own.totals, own.panel.days - 1, DAYS, threads)
        predicting += time.process_time() - before
        foreseen[name] = Foreseen(own, past, future)
    parts, means = [], []
    for name, own in foreseen.items():
        blended = own if name == "stores" else _blend(data, name, own, foreseen["stores"])
        past = join(list(blended.past.values()))
        units = past.units(own.tier.panel)
        chosen = np.isfinite(units)
        if name != "top":
            rows = calibration_rows(own.tier.panel, SETTINGS[name], SEED)
            chosen &= np.isin(past.series, rows)
        past, units = past.take(chosen), units[chosen]
        learn = np.ones(len(units), bool)
        correct = learn
        if name != "top":
            learn = own.tier.panel.item[past.series] % 2 == 1
            correct = ~learn
        spread, _ = fit_spread(past, units, learn, correct, SETTINGS[name], SEED, threads)
        before = time.process_time()
        found = spread.quantiles(blended.future, LEVELS_Q, threads)
        predicting += time.process_time() - before
        parts.append(found.reshape(-1, AHEAD, len(LEVELS_Q)))
        means.append(blended.future.mean.reshape(-1, AHEAD))
    total = time.process_time() - started
    return Forecast(
        pd.concat([own.tier.keys for own in foreseen.values()], ignore_index=True),
        np.concatenate(parts),
        np.concatenate(means),
        total - predicting,
        predicting,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )


def _grow(own: Tier, name: str, last: int, threads: int) -> lgb.Booster:
    return fit_mean(own.panel, own.totals, SETTINGS[name].mean, AHEAD, last, SEED, threads)


def _foresee_past(own: Tier, trees: lgb.Booster, name: str, threads: int) -> dict[int, Windows]:
    """Windows of days after the cut, by origin (days before the end of history)."""
    panel, settings = own.panel, SETTINGS[name]
    cut = panel.days - 1 - settings.calibration_days
    found = {}
    for at in range(cut, panel.days - AHEAD, settings.calibration_step_days):
        found[panel.days - at] = foresee(trees, panel, own.totals, at, DAYS, threads)
    return found


def _blend(data: M5, name: str, own: Foreseen, stores: Foreseen) -> Foreseen:
    share = DIRECT_SHARE[name]

    def mix(direct: Windows, below: Windows) -> Windows:
        daily = below.mean.reshape(-1, AHEAD)
        sums = [add_up(data.series, daily, LEVELS[k - 1]) for k in TIERS[name]]
        log_sum = np.log(np.concatenate(sums).ravel())
        return direct.with_mean(np.exp(share * np.log(direct.mean) + (1 - share) * log_sum))

    past = {back: mix(windows, stores.past[back]) for back, windows in own.past.items()}
    return Foreseen(own.tier, past, mix(own.future, stores.future))


def write(found: Forecast, origin: int, path: Path) -> None:
    """The long table: a row for each series and day, nine quantiles in columns."""
    rows = found.keys.loc[:, ["level", "agg_1", "agg_2"]]
    long = rows.loc[rows.index.repeat(AHEAD)].reset_index(drop=True)
    long["d"] = np.tile(np.arange(origin + 1, origin + 1 + AHEAD), len(rows))
    for j, level in enumerate(LEVELS_Q):
        long[f"q{level:g}"] = found.quantiles[:, :, j].ravel()
    long.to_parquet(path, compression="zstd", index=False)
