"""What users would pick instead: the competition's naive benchmarks, and two libraries.

The libraries run as their own documentation shows. Exponential smoothing of 42,840 series takes
hours, so `statsforecast` gets the 154 upper series and a sample of the stores' series, and its
seconds are scaled up to all of them.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from m5_data import M5, TIERS, Tier, tier
from m5_scores import LEVELS_Q
from scipy.special import ndtri

PEERS = ("naive", "snaive", "statsforecast", "mlforecast")
AHEAD = 28


@dataclass(frozen=True)
class PeerForecast:
    """Quantiles (series, 28, 9) and what they cost; `keys` name the series."""

    keys: pd.DataFrame
    quantiles: np.ndarray
    train_cpu_s: float
    predict_cpu_s: float
    peak_gb: float


def naive(sales: np.ndarray, season: int) -> np.ndarray:
    """Last value (or that of the same weekday), normal errors that grow with √periods ahead."""
    ahead = np.arange(1, AHEAD + 1)
    last = sales[:, -season:][:, (ahead - 1) % season]
    steps = sales[:, season:] - sales[:, :-season]
    begun = np.cumsum(np.nan_to_num(sales), axis=1)[:, :-season] > 0
    usable = begun & np.isfinite(steps)
    squares = np.where(usable, np.nan_to_num(steps) ** 2, 0).sum(axis=1)
    sd = np.sqrt(squares / np.maximum(usable.sum(axis=1), 1))
    grown = sd[:, None] * np.sqrt(np.ceil(ahead / season))
    return np.maximum(last[:, :, None] + grown[:, :, None] * ndtri(LEVELS_Q), 0)


def peer_forecast(name: str, data: M5, origin: int) -> PeerForecast:
    """The forecast of a peer at an origin."""
    started = time.process_time()
    tiers = [tier(data, part, origin, AHEAD) for part in TIERS]
    if name in ("naive", "snaive"):
        season = 1 if name == "naive" else 7
        parts = [naive(np.nan_to_num(own.panel.demand), season) for own in tiers]
    elif name == "mlforecast":
        parts = [_mlforecast(own) for own in tiers]
    else:
        parts = [_statsforecast(own) for own in tiers]
    keys = pd.concat([own.keys for own in tiers], ignore_index=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return PeerForecast(keys, np.concatenate(parts), time.process_time() - started, 0.0, peak)


def _long(own: Tier) -> pd.DataFrame:
    demand = own.panel.demand
    days = pd.date_range(own.panel.first_date, periods=demand.shape[1])
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(demand)), demand.shape[1]),
            "ds": np.tile(days, len(demand)),
            "y": demand.ravel(),
        }
    )
    return frame[np.isfinite(frame["y"])]


def _mlforecast(own: Tier) -> np.ndarray:
    """Recursive LightGBM on lags and rolling means, conformal intervals, as documented."""
    import lightgbm as lgb  # noqa: PLC0415  # only where this peer is run
    from mlforecast import MLForecast  # noqa: PLC0415  # same
    from mlforecast.lag_transforms import RollingMean  # noqa: PLC0415  # same
    from mlforecast.utils import PredictionIntervals  # noqa: PLC0415  # same

    model = MLForecast(
        models={"lgbm": lgb.LGBMRegressor(verbosity=-1, n_jobs=1)},
        freq="D",
        lags=[7, 14, 21, 28],
        lag_transforms={1: [RollingMean(7), RollingMean(28)], 7: [RollingMean(28)]},
        date_features=["dayofweek", "month", "day"],
        num_threads=1,
    )
    long = _long(own)
    enough = long.groupby("unique_id")["y"].transform("size") > 4 * AHEAD
    intervals = PredictionIntervals(n_windows=2, h=AHEAD)
    model.fit(long[enough], prediction_intervals=intervals, static_features=[])
    widths = sorted({round(100 * abs(2 * q - 1), 6) for q in LEVELS_Q if q != 0.5})
    table = model.predict(AHEAD, level=widths).sort_values(["unique_id", "ds"])
    out = np.zeros((len(own.keys), AHEAD, len(LEVELS_Q)))
    ids = table["unique_id"].unique()
    for j, q in enumerate(LEVELS_Q):
        width = round(100 * abs(2 * q - 1), 6)
        column = "lgbm" if q == 0.5 else f"lgbm-{'lo' if q < 0.5 else 'hi'}-{width}"
        out[ids, :, j] = table[column].to_numpy().reshape(-1, AHEAD)
    return np.maximum(np.sort(out, axis=2), 0)


def _statsforecast(own: Tier, sample: int = 300) -> np.ndarray:
    """Automatic exponential smoothing with a weekly season; others get their seasonal naive."""
    from statsforecast import StatsForecast  # noqa: PLC0415  # same
    from statsforecast.models import AutoETS  # noqa: PLC0415  # same

    demand = np.nan_to_num(own.panel.demand)
    out = naive(demand, 7)
    chosen = np.arange(len(demand))
    if len(chosen) > sample:
        chosen = np.sort(np.random.default_rng(1).choice(chosen, sample, replace=False))
    long = _long(own)
    model = StatsForecast(models=[AutoETS(season_length=7)], freq="D", n_jobs=1)
    widths = sorted({round(100 * abs(2 * q - 1), 6) for q in LEVELS_Q if q != 0.5})
    table = model.forecast(
        df=long[long["unique_id"].isin(chosen)], h=AHEAD, level=widths
    ).sort_values(["unique_id", "ds"])
    ids = table["unique_id"].unique()
    for j, q in enumerate(LEVELS_Q):
        width = round(100 * abs(2 * q - 1), 6)
        column = "AutoETS" if q == 0.5 else f"AutoETS-{'lo' if q < 0.5 else 'hi'}-{width}"
        out[ids, :, j] = table[column].to_numpy().reshape(-1, AHEAD)
    return np.maximum(out, 0)
