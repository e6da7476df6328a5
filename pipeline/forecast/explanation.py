"""How much of a forecast comes from which driver, in units that add up exactly.

A day's mean is exp(level + bias + Σ φ), φ being the trees' Shapley values (Lundberg's TreeSHAP).
The level's own drivers give the flat forecast μ₀; what the others add, μ − μ₀, is shared in
proportion to their φ: φ · (μ − μ₀) / log(μ / μ₀), the logarithmic mean Divisia index, which leaves
no remainder (Ang, Energy Policy 32, 2004). Windows are sums of days, so their drivers add up too.
How a forecast came to change is a matter of two nights: see `revision`.
"""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.forecast.features import COLUMN, FEATURES, drivers_of_features
from pipeline.forecast.panel import F32, F64

DRIVERS = tuple(dict.fromkeys(FEATURES.values()))


def daily_drivers(booster: lgb.Booster, x: F32) -> F64:
    """Units of each driver (rows, DRIVERS); a row sums to its mean."""
    raw = np.asarray(booster.predict(x, pred_contrib=True))
    groups = np.array([DRIVERS.index(driver) for driver in drivers_of_features(x.shape[1])])
    phi = np.zeros((len(x), len(DRIVERS)))
    np.add.at(phi.T, groups, raw[:, :-1].T)
    level = DRIVERS.index("level")
    phi[:, DRIVERS.index("season")] += x[:, COLUMN["log_exposure"]]  # season, growth and events
    phi[:, DRIVERS.index("price")] += x[:, COLUMN["log_price_lift"]]
    phi[:, DRIVERS.index("trend")] += x[:, COLUMN["log_return"]]
    log_flat = x[:, COLUMN["log_level"]] + raw[:, -1] + phi[:, level]
    phi[:, level] = 0.0
    log_mean = log_flat + phi.sum(axis=1)
    out = phi * _logarithmic_mean(np.exp(log_mean), np.exp(log_flat))[:, None]
    out[:, level] = np.exp(log_flat)
    return out


def _logarithmic_mean(a: F64, b: F64) -> F64:
    ratio = np.log(a / b)
    near = np.abs(ratio) < 1e-9
    return np.where(near, a, (a - b) / np.where(near, 1.0, ratio))


def explain(
    booster: lgb.Booster, x: F32, row: npt.NDArray[np.integer], names: pd.Index
) -> pd.DataFrame:
    """Drivers (columns, units) of forecasts `names`; day `x[k]` belongs to forecast `row[k]`."""
    units = np.zeros((len(names), len(DRIVERS)))
    np.add.at(units, row, daily_drivers(booster, x))
    return pd.DataFrame(units, index=names, columns=list(DRIVERS))
