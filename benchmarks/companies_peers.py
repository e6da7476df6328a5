"""What users would pick instead, on windows: rates carried forward with their own past errors."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
from companies_data import Company

from pipeline.contracts.columns import QUANTILE_LEVELS

Q = np.array(QUANTILE_LEVELS)
LAGS = (1, 2, 3, 4, 8, 13)
Found = tuple[np.ndarray, np.ndarray]


def _filled(company: Company, days: int) -> np.ndarray:
    return np.nan_to_num(company.units[:, :days]).astype(np.float64)


def _with_errors(company: Company, days: int, rate: np.ndarray) -> Found:
    """`rate` (series, days) per period, as known after each; quantiles of its past errors."""
    y = _filled(company, days)
    running = np.concatenate([np.zeros((len(y), 1)), np.cumsum(y, axis=1)], axis=1)
    means, found = [], []
    for start, n in company.windows:
        last = days - (start + n - 1)
        at = np.arange(max(days // 3, 8), last)
        came = running[:, at + start + n - 1] - running[:, at + start - 1]
        error = came - n * rate[:, at - 1]
        mean = n * rate[:, -1]
        means.append(mean)
        found.append(np.maximum(mean[:, None] + np.quantile(error, Q, axis=1).T, 0))
    return np.stack(means, axis=1), np.stack(found, axis=1)


def moving_average(company: Company, days: int) -> Found:
    """The mean of the last eight weeks."""
    y, span = _filled(company, days), 56 // company.period_days
    running = np.concatenate([np.zeros((len(y), 1)), np.cumsum(y, axis=1)], axis=1)
    end = np.arange(1, days + 1)
    begin = np.maximum(end - span, 0)
    return _with_errors(company, days, (running[:, end] - running[:, begin]) / (end - begin))


def smoothing(company: Company, days: int) -> Found:
    """Simple exponential smoothing; the constant of each series by its one-step errors."""
    y = _filled(company, days)
    best, lowest = np.zeros_like(y), np.full(len(y), np.inf)
    for alpha in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5):
        rate = np.empty_like(y)
        level = y[:, :8].mean(axis=1)
        for t in range(days):
            level = level + alpha * (y[:, t] - level)
            rate[:, t] = level
        error = ((y[:, 9:] - rate[:, 8:-1]) ** 2).mean(axis=1)
        better = error < lowest
        best[better], lowest[better] = rate[better], error[better]
    return _with_errors(company, days, best)


def tsb(company: Company, days: int, alpha: float = 0.2, beta: float = 0.1) -> Found:
    """Teunter, Syntetos and Babai (2011): chance and size of a sale smoothed apart."""
    y = _filled(company, days)
    rate = np.empty_like(y)
    sold = y > 0
    chance = sold.mean(axis=1)
    size = np.where(sold.any(axis=1), y.sum(axis=1) / np.maximum(sold.sum(axis=1), 1), 0.0)
    for t in range(days):
        chance = chance + beta * (sold[:, t] - chance)
        size = np.where(sold[:, t], size + alpha * (y[:, t] - size), size)
        rate[:, t] = chance * size
    return _with_errors(company, days, rate)


def seasonal_naive(company: Company, days: int) -> Found:
    """A year ago where two years are known, else the last such window; its past errors."""
    y = _filled(company, days)
    year = 364 // company.period_days
    running = np.concatenate([np.zeros((len(y), 1)), np.cumsum(y, axis=1)], axis=1)
    means, found = [], []
    for start, n in company.windows:
        end = start + n - 1
        back = year if days > year + 2 * end + 8 else -(-end // 7) * 7
        at = np.arange(back + 1, days - end + 1)
        came = running[:, at + end] - running[:, at + start - 1]
        then = running[:, at + end - back] - running[:, at + start - 1 - back]
        mean = running[:, days + end - back] - running[:, days + start - 1 - back]
        means.append(mean)
        found.append(np.maximum(mean[:, None] + np.quantile(came - then, Q, axis=1).T, 0))
    return np.stack(means, axis=1), np.stack(found, axis=1)


def global_lightgbm(company: Company, days: int) -> Found:
    """One LightGBM for all series and windows on lags, means, window and time of the year."""
    y = _filled(company, days)
    running = np.concatenate([np.zeros((len(y), 1)), np.cumsum(y, axis=1)], axis=1)
    unit = 7 // company.period_days

    def rows(at: int, window: tuple[int, int]) -> np.ndarray:
        lags = [running[:, at - (k - 1) * unit] - running[:, max(at - k * unit, 0)] for k in LAGS]
        means = [(running[:, at] - running[:, max(at - n * unit, 0)]) / n for n in (4, 13, 26)]
        when = (at * company.period_days) % 365
        extra = [np.full(len(y), v) for v in (*window, when)]
        return np.stack([*lags, *means, *extra, company.item, company.region], axis=1)

    reach = max(s + n - 1 for s, n in company.windows)
    first = 14 * unit if days > 30 * unit else 3 * unit
    x, z, cut = [], [], []
    for at in range(first, days - reach + 1, max(1, (days - first) // 60)):
        for s, n in company.windows:
            x.append(rows(at, (s, n)))
            z.append(running[:, at + s + n - 1] - running[:, at + s - 1])
            cut.append(np.full(len(y), at > days - reach - max(days // 5, reach)))
    late = np.concatenate(cut)
    if late.all():  # too short to hold any back: the errors are those of its own fit
        late[: len(late) // 2] = False
    features, target = np.concatenate(x), np.concatenate(z)
    options = {"objective": "tweedie", "verbosity": -1, "num_threads": 1, "learning_rate": 0.05,
               "num_leaves": 31, "min_data_in_leaf": 50, "seed": 1}  # fmt: skip
    early = lgb.train(options, lgb.Dataset(features[~late], target[~late]), 150)
    whole = lgb.train(options, lgb.Dataset(features, target), 150)
    past = np.maximum(np.asarray(early.predict(features[late])), 1e-3)
    ratio = target[late] / past
    edges = np.quantile(past, np.arange(0.1, 1, 0.1))
    table = np.stack([
        np.quantile(ratio[np.searchsorted(edges, past) == k], Q) if
        (np.searchsorted(edges, past) == k).any() else np.quantile(ratio, Q)
        for k in range(10)
    ])  # fmt: skip
    means = np.stack([np.maximum(np.asarray(whole.predict(rows(days, w))), 1e-3)
                      for w in company.windows], axis=1)  # fmt: skip
    return means, means[:, :, None] * table[np.searchsorted(edges, means)]


def auto_ets(company: Company, days: int) -> Found:
    """statsforecast's AutoETS, its means by day and its normal quantiles of the windows' sums."""
    import pandas as pd  # with its library
    from scipy.special import ndtri  # same
    from statsforecast import StatsForecast  # only where installed
    from statsforecast.models import AutoETS  # same

    y = _filled(company, days)
    n, reach = len(y), max(s + d - 1 for s, d in company.windows)
    dates = pd.date_range("2000-01-02", periods=days, freq=f"{company.period_days}D")
    long = pd.DataFrame({"unique_id": np.repeat(np.arange(n), days), "ds": np.tile(dates, n),
                         "y": y.ravel()})  # fmt: skip
    season = 7 if company.period_days == 1 else 1
    engine = StatsForecast([AutoETS(season_length=season)], freq=f"{company.period_days}D")
    out = engine.forecast(df=long, h=reach, level=[68])
    daily = np.maximum(out["AutoETS"].to_numpy().reshape(n, reach), 0)
    sd = (out["AutoETS-hi-68"] - out["AutoETS"]).to_numpy().reshape(n, reach)
    means = np.stack([daily[:, s - 1 : s - 1 + d].sum(axis=1) for s, d in company.windows], 1)
    wide = np.stack([np.sqrt((sd[:, s - 1 : s - 1 + d] ** 2).sum(axis=1))
                     for s, d in company.windows], axis=1)  # fmt: skip
    return means, np.maximum(means[:, :, None] + wide[:, :, None] * ndtri(Q), 0)


PEERS: dict[str, Callable[[Company, int], Found]] = {
    "seasonal naive": seasonal_naive,
    "moving average": moving_average,
    "exponential smoothing": smoothing,
    "TSB": tsb,
    "global LightGBM": global_lightgbm,
    "AutoETS": auto_ets,
}
