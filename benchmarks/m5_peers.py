"""What users would pick instead: the competition's naive benchmarks, and two libraries.

The libraries run as their own documentation shows: `mlforecast` with recursive LightGBM on lags,
rolling means and date features, one model for each of the nine quantiles; `statsforecast` with
models of its tutorials: Holt-Winters with a weekly season above items, ADIDA
with conformal intervals for items (the best of its intermittent models at origin 1857), since its
AutoETS did not end in 15 minutes. All 42,840 series take them an hour and more, so they forecast
the 154 upper series and those of some items.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
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


def peer_forecast(name: str, data: M5, origin: int, items: np.ndarray) -> PeerForecast:
    """The forecast of a peer at an origin; NaN for series that are not of `items` or above."""
    started = time.process_time()
    parts, tables = [], []
    for part in TIERS:
        own = tier(data, part, origin, AHEAD)
        rows = np.flatnonzero(is_scored(own.keys, items))
        out = np.full((len(own.keys), AHEAD, len(LEVELS_Q)), np.nan)
        out[rows] = _PEERS[name](own, rows)
        parts.append(out)
        tables.append(own.keys)
    keys = pd.concat(tables, ignore_index=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return PeerForecast(keys, np.concatenate(parts), time.process_time() - started, 0.0, peak)


def is_scored(keys: pd.DataFrame, items: np.ndarray) -> np.ndarray:
    """Series of levels 1 to 9, and those of `items`."""
    return ((keys["level"] < 10) | keys["item_id"].isin(items)).to_numpy()


def _naive(own: Tier, rows: np.ndarray) -> np.ndarray:
    return naive(np.nan_to_num(own.panel.demand[rows]), 1)


def _seasonal_naive(own: Tier, rows: np.ndarray) -> np.ndarray:
    return naive(np.nan_to_num(own.panel.demand[rows]), 7)


def _long(own: Tier, rows: np.ndarray) -> pd.DataFrame:
    demand = own.panel.demand[rows]
    days = pd.date_range(own.panel.first_date, periods=demand.shape[1])
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(demand)), demand.shape[1]),
            "ds": np.tile(days, len(demand)),
            "y": demand.ravel(),
        }
    )
    return frame[np.isfinite(frame["y"])]


def _mlforecast(own: Tier, rows: np.ndarray) -> np.ndarray:
    """Recursive LightGBM on lags and rolling means, one model for each quantile."""
    import lightgbm as lgb  # only where this peer is run
    from mlforecast import MLForecast  # same
    from mlforecast.lag_transforms import RollingMean  # same

    model = MLForecast(
        models={
            f"q{q:g}": lgb.LGBMRegressor(objective="quantile", alpha=q, verbosity=-1, n_jobs=1)
            for q in LEVELS_Q
        },
        freq="D",
        lags=[7, 14, 21, 28],
        lag_transforms={1: [RollingMean(7), RollingMean(28)], 7: [RollingMean(28)]},
        date_features=["dayofweek", "month", "day"],
        num_threads=1,
    )
    long = _long(own, rows)
    enough = long.groupby("unique_id")["y"].transform("size") > 2 * AHEAD
    model.fit(long[enough], static_features=[])
    table = model.predict(AHEAD).sort_values(["unique_id", "ds"])
    out = np.zeros((len(rows), AHEAD, len(LEVELS_Q)))
    ids = table["unique_id"].unique()
    for j, q in enumerate(LEVELS_Q):
        out[ids, :, j] = table[f"q{q:g}"].to_numpy().reshape(-1, AHEAD)
    return np.maximum(np.sort(out, axis=2), 0)


def _statsforecast(own: Tier, rows: np.ndarray) -> np.ndarray:
    """Holt-Winters above items; for items ADIDA with conformal intervals of 12 past origins."""
    from statsforecast import StatsForecast  # same
    from statsforecast.models import ADIDA, HoltWinters  # same
    from statsforecast.utils import ConformalIntervals  # same

    out = naive(np.nan_to_num(own.panel.demand[rows]), 7)  # where a series is too short
    long = _long(own, rows)
    enough = long.groupby("unique_id")["y"].transform("size") > 3 * AHEAD
    intervals = ConformalIntervals(h=AHEAD, n_windows=12)
    is_upper = bool((own.keys["level"] < 10).all())
    model = HoltWinters(season_length=7) if is_upper else ADIDA(prediction_intervals=intervals)
    widths = sorted({round(100 * abs(2 * q - 1), 6) for q in LEVELS_Q if q != 0.5})
    table = StatsForecast(models=[model], freq="D", n_jobs=1).forecast(
        df=long[enough], h=AHEAD, level=widths
    )
    table = table.sort_values(["unique_id", "ds"])
    ids = table["unique_id"].unique()
    for j, q in enumerate(LEVELS_Q):
        side = "" if q == 0.5 else f"-{'lo' if q < 0.5 else 'hi'}-{round(100 * abs(2 * q - 1), 6)}"
        out[ids, :, j] = table[f"{model.alias}{side}"].to_numpy().reshape(-1, AHEAD)
    return np.maximum(out, 0)


_PEERS: dict[str, Callable[[Tier, np.ndarray], np.ndarray]] = {
    "naive": _naive,
    "snaive": _seasonal_naive,
    "statsforecast": _statsforecast,
    "mlforecast": _mlforecast,
}
