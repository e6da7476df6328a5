"""The central curve: coherent, robust, better than the last week again."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.load.anomalies import find_windows
from pipeline.core.load.blend import backtest_origins, softmax_weights
from pipeline.core.load.grid import block_count, level_and_shape, shares
from pipeline.core.load.level import carry
from pipeline.core.load.model import BaseForecast, forecast_base, forecast_clean
from pipeline.core.load.paths import Draw, ErrorPool, draw_paths, error_pool, path_loads
from pipeline.core.load.ridge import lagged_moments, moments, solve

FIRST = np.datetime64("2023-01-02")


def made_up(days: int, slots: int = 24, noise: float = 0.03, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    d = np.arange(days)[:, None]
    t = np.arange(slots)[None, :] / slots
    week = np.where(d % 7 >= 5, 0.6, 1.0)
    shape = 1 + 0.6 * np.sin(2 * np.pi * (t - 0.3)) + 0.2 * (d % 7 >= 5) * np.sin(4 * np.pi * t)
    drift = np.exp(np.cumsum(random.normal(0, 0.01, days)))[:, None]
    return 1000 * week * shape * drift * np.exp(random.normal(0, noise, (days, slots)))


def no_holidays(days: int) -> tuple[str, ...]:
    return ("",) * days


def pool_of(load: np.ndarray, fit: BaseForecast, weekend: np.ndarray) -> ErrorPool:
    return error_pool(load, fit.backtest_curves(), fit.level.origins, fit.fitted_curve(), weekend,
                      fit.data.offset)  # fmt: skip


def test_ridge_equals_the_textbook_solution():
    random = np.random.default_rng(3)
    X, y, w = random.normal(size=(40, 5)), random.normal(size=(40, 2)), random.uniform(size=40)
    penalty = np.array([0.1, 1, 2, 0.5, 3])
    gram, cross = moments(X, y, w, 0.98, np.array([25, 40]))
    for k, n in enumerate((25, 40)):
        W = np.diag(w[:n] * 0.98 ** np.arange(n - 1, -1, -1))
        expected = np.linalg.solve(X[:n].T @ W @ X[:n] + np.diag(penalty), X[:n].T @ W @ y[:n])
        np.testing.assert_allclose(solve(gram[k], cross[k], penalty), expected, atol=1e-10)


def test_lagged_moments_make_the_normal_equations_of_quasi_differences():
    random = np.random.default_rng(4)
    X, y, w = random.normal(size=(30, 3)), random.normal(size=30), random.uniform(size=30)
    gram, cross = lagged_moments(X, y, w, 1.0, np.array([30]))
    rho = 0.7
    D, e = X.copy(), y.copy()
    D[1:] -= rho * X[:-1]
    e[1:] -= rho * y[:-1]
    g = gram[0, 0] - rho * gram[0, 1] + rho**2 * gram[0, 2]
    c = cross[0, 0] - rho * cross[0, 1] + rho**2 * cross[0, 2]
    np.testing.assert_allclose(np.tril(g), np.tril(D.T @ np.diag(w) @ D), atol=1e-12)
    np.testing.assert_allclose(c, D.T @ (w * e), atol=1e-12)


def test_shares_add_up_to_the_day_for_hours_and_minutes():
    for slots in (24, 48, 1440):
        load = made_up(20, slots)
        data = level_and_shape(load, np.arange(20) % 7)
        part = shares(data.log_share, data.log_level, data.offset, slots)
        np.testing.assert_allclose(part.mean(axis=1), 1.0, atol=1e-12)
    assert [block_count(slots) for slots in (24, 96, 144, 1440)] == [24, 96, 72, 96]


def test_the_forecast_beats_repeating_the_last_week_where_the_level_drifts():
    ours = naive = 0.0
    for seed in range(4):
        load = made_up(140, seed=seed)
        fit = forecast_base(load[:126], FIRST, no_holidays(140), 14)
        actual = load[126:]
        ours += np.abs(actual - fit.curve).sum()
        naive += np.abs(actual - np.tile(load[119:126], (2, 1))).sum()
    assert ours < 0.9 * naive


def test_a_week_whose_pattern_moves_is_followed_day_by_day():
    busy_saturdays = made_up(119)
    later = np.arange(119)[:, None] >= 70
    busy_saturdays *= np.where(later & (np.arange(119)[:, None] % 7 == 5), 1.5, 1.0)
    fit = forecast_base(busy_saturdays[:112], FIRST, no_holidays(119), 7)
    saturday = fit.curve[5].sum() / busy_saturdays[117].sum()
    assert abs(np.log(saturday)) < 0.1


def test_a_whole_week_carried_on_repeats_the_last_one():
    residual = np.random.default_rng(8).normal(size=23)
    ahead = carry(residual, np.ones(23), 0.0, 1.0, 0.0, 0.0, 1.0, 14)
    np.testing.assert_allclose(ahead, np.tile(residual[16:], 2))
    ahead = carry(residual, np.ones(23), 0.6, 1.0, 0.0, 0.0, 0.0, 3)
    np.testing.assert_allclose(ahead, residual[-1] * 0.6 ** np.arange(1, 4))


def test_a_smoothed_residual_goes_on_as_exponential_smoothing_with_a_damped_trend():
    y, alpha, beta, phi = np.random.default_rng(9).normal(size=30), 0.3, 0.05, 0.9
    level, trend = 0.0, 0.0
    for value in y:  # Gardner and McKenzie's form: level first, the trend from its steps
        before = level
        level = alpha * value + (1 - alpha) * (level + phi * trend)
        trend = beta / alpha * (level - before) + (1 - beta / alpha) * phi * trend
    expected = [level + trend * sum(phi**i for i in range(1, h + 1)) for h in (1, 2, 3, 4)]
    ahead = carry(y, np.ones(30), 1.0, alpha, beta, phi, 0.0, 4)
    np.testing.assert_allclose(ahead, expected)


def test_what_happens_after_the_origin_changes_no_backtest_before_it():
    load = made_up(100)
    other = load.copy()
    other[90:] *= 3
    one, two = (forecast_base(x[:90], FIRST, no_holidays(97), 7) for x in (load, other))
    np.testing.assert_array_equal(one.curve, two.curve)


def test_the_parts_of_the_level_add_up():
    fit = forecast_base(made_up(100), FIRST, no_holidays(128), 28)
    np.testing.assert_allclose(sum(fit.level.parts.values()), fit.level.log_level, atol=1e-12)


def test_missing_hours_and_a_lost_day_hardly_move_the_forecast():
    load = made_up(100)
    gaps = load.copy()
    gaps[40], gaps[50, 3:9], gaps[99, 20:] = np.nan, np.nan, np.nan
    whole, holed = (forecast_base(x, FIRST, no_holidays(107), 7).curve for x in (load, gaps))
    assert np.abs(whole / holed - 1).mean() < 0.01


def test_robots_and_an_outage_are_found_and_kept_out():
    load = made_up(100)
    bad = load.copy()
    bad[60, 2:6] *= 6  # robots at night
    bad[80, 10:15] = 0.5  # the site was down
    clean, _ = forecast_clean(load, FIRST, no_holidays(107), 7)
    found, windows = forecast_clean(bad, FIRST, no_holidays(107), 7)
    kinds = {(w.kind, w.first, w.last) for w in windows if w.kind != "unknown"}
    assert kinds == {("robots", 60 * 24 + 2, 60 * 24 + 6), ("outage", 80 * 24 + 10, 80 * 24 + 15)}
    assert np.abs(found.curve / clean.curve - 1).mean() < 0.03


def test_a_busy_day_as_a_whole_is_no_robot():
    load, fitted = made_up(60, noise=0.05), made_up(60, noise=0.0)
    fitted *= load.mean(axis=1, keepdims=True) / fitted.mean(axis=1, keepdims=True)
    load[30] *= 1.4
    windows = find_windows(load, fitted)
    assert [w.kind for w in windows] == []


def day_peaks(pool: ErrorPool, draw: Draw, curve: np.ndarray) -> np.ndarray:
    return np.column_stack([
        path_loads(pool, draw, curve[day], day).max(axis=1) for day in range(len(curve))
    ])  # fmt: skip


def test_paths_hold_peaks_that_the_mean_curve_lacks():
    random = np.random.default_rng(5)
    load = random.poisson(made_up(60, 1440, noise=0.0) / 50).astype(float)  # 20 a minute
    fit, _ = forecast_clean(load[:53], FIRST, no_holidays(60), 7)
    weekend = np.arange(60) % 7 >= 5
    pool = pool_of(load[:53], fit, weekend)
    peaks = day_peaks(pool, draw_paths(pool, weekend[53:], 300, 1), fit.curve)
    actual = load[53:].max(axis=1)
    assert (fit.curve.max(axis=1) < 0.85 * actual).all()
    assert np.abs(np.median(peaks, axis=0) / actual - 1).mean() < 0.1
    assert (np.quantile(peaks, 0.99, axis=0) >= actual).mean() > 0.8


def test_a_week_of_history_has_peaks_above_its_curve_too():
    random = np.random.default_rng(6)
    load = random.poisson(made_up(9, 1440, noise=0.0) / 50).astype(float)
    fit, _ = forecast_clean(load[:8], FIRST, no_holidays(9), 1)
    pool = pool_of(load[:8], fit, np.arange(9) % 7 >= 5)
    peaks = day_peaks(pool, draw_paths(pool, np.zeros(1, bool), 200, 1), fit.curve)
    assert not len(fit.level.origins)
    assert abs(np.log(np.median(peaks) / load[8].max())) < 0.25
    assert np.quantile(peaks, 0.95) > np.median(peaks) > 1.1 * fit.curve.max()


def test_each_level_error_comes_once_up_and_once_down_from_all_origins_alike():
    error = np.arange(1.0, 6.0)[:, None] * np.ones(3)
    pool = ErrorPool(error, np.ones((1, 24)), np.zeros(1, bool), 1.0)
    level = draw_paths(pool, np.zeros(3, bool), 40, 7).level
    np.testing.assert_array_equal(level[0::2], -level[1::2])
    assert np.unique(level[0::2, 0], return_counts=True)[1].tolist() == [4] * 5


def test_paths_are_the_same_for_the_same_seed():
    load = made_up(60)
    fit = forecast_base(load, FIRST, no_holidays(67), 7)
    weekend = np.arange(67) % 7 >= 5
    pool = pool_of(load, fit, weekend)
    one, two, three = (draw_paths(pool, weekend[60:], 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.level, two.level)
    assert not np.array_equal(one.level, three.level)


@pytest.mark.parametrize("days", [1, 3, 8, 9, 15])
def test_a_few_days_of_history_still_give_a_forecast(days):
    fit = forecast_base(made_up(days), FIRST, no_holidays(days + 14), 14)
    assert np.isfinite(fit.curve).all()
    assert (fit.curve > 0).all()
    assert np.log(fit.curve.mean() / made_up(days).mean()) < 1


def test_a_series_of_zeros_is_forecast_as_next_to_nothing():
    fit = forecast_base(np.zeros((30, 24)), FIRST, no_holidays(37), 7)
    assert fit.curve.max() <= 0.11


def test_origins_leave_history_to_learn_from_and_weights_favour_the_best():
    origins, ahead = backtest_origins(100, 28)
    assert origins[-1] + ahead == 100
    assert origins[0] >= 50
    weights = softmax_weights(np.array([1.0, 1.05, 2.0]), 0.05)
    assert weights.argmax() == 0
    assert weights[2] < 1e-6
