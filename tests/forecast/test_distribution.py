"""The zero-inflated negative binomial against scipy's, and its ranks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pipeline.forecast.distribution import (
    _normal_quantile,
    _probability_up_to,
    log_likelihood,
    quantiles_at,
    ranks,
)

LEVELS = np.array([0.005, 0.1, 0.25, 0.5, 0.75, 0.9, 0.995])


def slow_quantile(mean: float, size: float, none: float, level: float) -> int:
    """Smallest y with P(Y ≤ y) ≥ level, by trying y = 0, 1, 2 …"""
    m = mean / (1 - none)
    y = 0
    while none + (1 - none) * stats.nbinom.cdf(y, size, size / (size + m)) < level - 1e-12:
        y += 1
    return y


@pytest.mark.parametrize("none", [0.0, 0.3])
@pytest.mark.parametrize(("mean", "size"), [(0.1, 0.5), (1.0, 2.0), (7.5, 0.8), (60.0, 30.0)])
def test_quantiles_are_those_of_the_slow_search(mean: float, size: float, none: float) -> None:
    found = quantiles_at(np.array([mean]), np.array([size]), np.array([none]), LEVELS)[0]
    assert found.tolist() == [slow_quantile(mean, size, none, level) for level in LEVELS]


def test_large_means_use_an_expansion_within_half_a_percent() -> None:
    mean, size = 40_000.0, 200.0
    found = quantiles_at(np.array([mean]), np.array([size]), np.array([0.0]), LEVELS)[0]
    exact = stats.nbinom.ppf(LEVELS, size, size / (size + mean))
    np.testing.assert_allclose(found, exact, rtol=5e-3)


def test_likelihood_is_scipys_up_to_the_term_of_the_data() -> None:
    for y in (0, 1, 5):
        m, r = 2.0 / 0.9, 1.7
        inner = stats.nbinom.pmf(y, r, r / (r + m))
        expected = np.log(0.1 * (y == 0) + 0.9 * inner)
        constant = stats.poisson.logpmf(y, 1.0) + 1.0  # −log y!
        got = log_likelihood(float(y), 2.0, np.log(r), np.log(0.1 / 0.9)) + constant
        assert got == pytest.approx(expected, rel=1e-9)


def test_ranks_of_the_true_law_are_uniform() -> None:
    random = np.random.default_rng(3)
    y = random.negative_binomial(2, 2 / (2 + 4.0), 20_000) * (random.random(20_000) > 0.2)
    n = len(y)
    rank = ranks(y.astype(float), np.full(n, 3.2), np.full(n, 2.0), np.full(n, 0.2),
                 random.random(n))  # fmt: skip
    assert stats.kstest(rank, "uniform").statistic < 0.015


def test_cumulative_probability_of_large_means_is_close_to_scipys() -> None:
    for y in (33_000.0, 40_000.0, 47_000.0):
        exact = stats.nbinom.cdf(y, 200.0, 200.0 / 40_200.0)
        assert _probability_up_to(y, 40_000.0, 200.0, 0.0) == pytest.approx(exact, abs=2e-3)


def test_normal_quantile_is_scipys() -> None:
    for p in (1e-6, 0.01, 0.3, 0.5, 0.9, 0.999):
        assert _normal_quantile(p) == pytest.approx(stats.norm.ppf(p), abs=1e-7)
