"""Spread of a window's demand around its mean, learned on forecasts made before the fact.

Two sets of trees, grown together on the likelihood of `distribution`: one for the logarithm of
the size r, one for the logit of the chance of none. They correct a start that follows each item:
the variance of its window of mean m is φ m for the lumps in which its units come, and c m² for what
is not known of its level. φ is the item's own ratio of variance to mean on a day (`dispersion`).
"""

from __future__ import annotations

import math

import lightgbm as lgb
import numpy as np

from pipeline.contracts.settings import ShapeSettings
from pipeline.core.arithmetic import single_log
from pipeline.forecast.distribution import log_likelihood
from pipeline.forecast.features import COLUMN
from pipeline.forecast.mean import DETERMINISTIC, workers
from pipeline.forecast.panel import F32, F64, I32, Panel
from pipeline.kernels import njit
from pipeline.progress import step

_BORROWED = (
    "log_level", "ratio_7", "ratio_28", "ratio_56", "ratio_112", "zero_share_28",
    "zero_share_112", "days_since_sale", "nonzero_size", "variation_112", "peak_28", "age_days",
    "item_7_28", "item_share", "price_vs_28", "price_log", "days_to_event", "department",
    "category", "censored_28", "silence", "item_silence",
)  # fmt: skip
SHAPE_FEATURES = (
    "log_mean", "log_days", "start_day", "mean_vs_level", "mean_log_exposure",
    "log_dispersion", *_BORROWED
)  # fmt: skip
_DISPERSION = SHAPE_FEATURES.index("log_dispersion")
USUAL_DISPERSION, BORROWED_UNITS = 1.5, 6.0
_LEAST = 0.02
_LIMITS = ((-3.0, 9.0), (-12.0, 4.0))


def dispersion(panel: Panel, origin: int) -> F32:
    """Units a sale of a series comes in (series,), Σ y² / Σ y over the last year up to `origin`: of
    unrelated sales that is the variance of a day over its mean. Drawn to that of the item, and
    that to `USUAL_DISPERSION`, each with the weight of `BORROWED_UNITS` units."""
    past = np.nan_to_num(panel.demand[:, max(0, origin + 1 - 364) : origin + 1])
    units = past.sum(axis=1, dtype=np.float64)
    square = np.square(past, dtype=np.float64).sum(axis=1)
    own = np.bincount(panel.item, square) + BORROWED_UNITS * USUAL_DISPERSION
    own = own / (np.bincount(panel.item, units) + BORROWED_UNITS)
    found = (square + BORROWED_UNITS * own[panel.item]) / (units + BORROWED_UNITS)
    return np.asarray(found, np.float32)


def shape_features(x: F32, mean: F64, exposure: F64, start: I32, days: I32, dispersion: F32) -> F32:
    """Features (rows, `SHAPE_FEATURES`) of windows of so much `exposure`; `x` are the features of
    their first days."""
    out = np.empty((len(mean), len(SHAPE_FEATURES)), np.float32)
    out[:, 0] = np.log(mean)
    out[:, 1] = np.log(days)
    out[:, 2] = start
    out[:, 3] = np.log(mean / exposure) - x[:, COLUMN["log_level"]]
    out[:, 4] = np.log(exposure / days)
    out[:, _DISPERSION] = single_log(dispersion)
    out[:, 6:] = x[:, [COLUMN[name] for name in _BORROWED]]
    return out


@njit(cache=True)
def _part(y, mean, none, r, high, low):  # type: ignore[no-untyped-def]  # numba kernel
    """`distribution.log_likelihood`, to the bit, where `high` = log Γ(y + r) and `low` = log Γ(r)
    are known."""
    m = mean / (1.0 - none)
    log_p0 = -r * math.log1p(m / r)
    if y == 0.0:
        return math.log(none + (1.0 - none) * math.exp(log_p0))
    return math.log1p(-none) + log_p0 + high - low - y * math.log1p(r / m)


@njit(cache=True)
def _slopes(y, mean, log_size, logit_none, weight, gradient, curvature):  # type: ignore[no-untyped-def]  # numba kernel
    """First and second differences of the negative log likelihood in both parameters; what their
    five likelihoods share is computed once."""
    step = 0.05
    size, none, value = np.empty(3), np.empty(3), np.empty(3)
    high, low = np.zeros(3), np.zeros(3)
    for k in range(y.shape[0]):
        a = min(max(log_size[k], -3.0), 9.0)
        b = min(max(logit_none[k], -12.0), 4.0)
        for j in range(3):
            size[j] = math.exp(a + (j - 1) * step)
            none[j] = 1.0 / (1.0 + math.exp(-(b + (j - 1) * step)))
            if y[k] > 0.0:
                high[j], low[j] = math.lgamma(y[k] + size[j]), math.lgamma(size[j])
        for j in range(3):
            value[j] = _part(y[k], mean[k], none[1], size[j], high[j], low[j])
        gradient[k, 0] = -weight[k] * (value[2] - value[0]) / (2 * step)
        curvature[k, 0] = weight[k] * max(0.02, -(value[2] - 2 * value[1] + value[0]) / step**2)
        up = _part(y[k], mean[k], none[2], size[1], high[1], low[1])
        down = _part(y[k], mean[k], none[0], size[1], high[1], low[1])
        gradient[k, 1] = -weight[k] * (up - down) / (2 * step)
        curvature[k, 1] = weight[k] * max(0.02, -(up - 2 * value[1] + down) / step**2)


def fit_shape(
    x: F32,
    y: F64,
    mean: F64,
    start: F64,
    settings: ShapeSettings,
    threads: int,
    weight: F64,
) -> lgb.Booster:
    """Trees for (log r, logit π) of windows with features `x`, demand `y` and forecast `mean`.

    `start` is what the trees correct, see `shape_start`.
    """

    def objective(raw: F64, data: lgb.Dataset) -> tuple[F64, F64]:
        raw = raw.reshape(len(y), 2, order="F") if raw.ndim == 1 else raw
        gradient, curvature = np.empty((len(y), 2)), np.empty((len(y), 2))
        _slopes(
            y, mean, np.ascontiguousarray(raw[:, 0]), np.ascontiguousarray(raw[:, 1]),
            weight, gradient, curvature,
        )  # fmt: skip
        return gradient, curvature

    data = lgb.Dataset(
        x,
        y,
        init_score=shape_base(start, x).ravel(order="F"),
        feature_name=list(SHAPE_FEATURES),
        params={"max_bin": 63, "verbosity": -1},
    )
    options = DETERMINISTIC | {
        "objective": objective,
        "num_class": 2,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": max(5, min(settings.leaf_rows, len(y) // 50)),
        "min_sum_hessian_in_leaf": 0.1,
        "feature_fraction": 0.7,
        "lambda_l2": 5.0,
        "num_threads": workers(len(y), threads),
    }
    return lgb.train(
        options, data, num_boost_round=settings.trees,
        callbacks=[lambda at: step("trees of the spread", at.iteration + 1, settings.trees)],
    )  # fmt: skip


def shape_base(start: F64, x: F32) -> F64:
    """The pair (log r, logit π) (rows, 2) that the trees correct: the variance beside π is
    m + (f (φ − 1) + c m + `_LEAST`) m, with `start` = (f, c, logit π)."""
    share, doubt, none = start
    mean = np.exp(x[:, 0].astype(np.float64))
    lumps = np.maximum(np.exp(x[:, _DISPERSION].astype(np.float64)) - 1, 0.0)
    size = np.log(mean) - np.log(share * lumps + doubt * mean + _LEAST)
    return np.stack([np.clip(size, *_LIMITS[0]), np.full(len(x), none)], axis=1)


def shape_start(x: F32, y: F64, mean: F64, weight: F64) -> F64:
    """What `shape_base` starts from: the triple of a coarse grid that is likeliest for all rows."""
    every = slice(None, None, max(1, len(y) // 20_000))
    best, choice = -np.inf, (1.0, 0.1, -4.0)
    for share in (0.0, 0.3, 0.6, 1.0, 1.5):
        for doubt in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
            size = shape_base(np.array([share, doubt, 0.0]), x[every])[:, 0]
            for none in (-10.0, -3.5, -2.0, -1.0):
                of_rows = _likelihoods(y[every], mean[every], size, none)
                total = float((of_rows * weight[every]).sum())
                if total > best:
                    best, choice = total, (share, doubt, none)
    return np.array(choice)


def likelihood_of(y: F64, mean: F64, log_size: float) -> float:
    """Log likelihood of `y` under negative binomials of one size around `mean`."""
    return float(_likelihoods(y, mean, np.full(len(y), log_size), -12.0).sum())


def likeliest_size(y: F64, mean: F64) -> float:
    """Log size of negative binomials around `mean` that suits `y` best, of a coarse grid."""
    sizes = np.arange(-3.0, 6.1, 1.0)
    return float(sizes[int(np.argmax([likelihood_of(y, mean, a) for a in sizes]))])


@njit(cache=True)
def _likelihoods(y, mean, a, b):  # type: ignore[no-untyped-def]  # numba kernel
    out = np.empty(y.shape[0])
    for k in range(y.shape[0]):
        out[k] = log_likelihood(y[k], mean[k], a[k], b)
    return out


def predict_shape(booster: lgb.Booster, start: F64, x: F32, threads: int) -> tuple[F64, F64]:
    """Size r and chance of none π of windows with features `x`; `start` as fitted."""
    if len(x) == 0:
        return np.empty(0), np.empty(0)
    raw = np.asarray(booster.predict(x, raw_score=True, num_threads=workers(len(x), threads)))
    raw = raw + shape_base(start, x)
    (low_a, high_a), (low_b, high_b) = _LIMITS
    size = np.exp(np.clip(raw[:, 0], low_a, high_a))
    return size, 1 / (1 + np.exp(-np.clip(raw[:, 1], low_b, high_b)))
