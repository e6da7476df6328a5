"""Loss functions, sums over periods and grids agree with plain integration and convolution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from pipeline.core.inventory import demand as d

CONTINUOUS = [
    d.normal(50, 8),
    d.uniform(10, 30),
    d.gamma(20, 9),
    d.gamma(7, 7),
    d.lognormal(2.0, 0.5),
    d.continuous(stats.weibull_min(1.7, scale=12)),
]


@pytest.mark.parametrize("demand", CONTINUOUS)
@pytest.mark.parametrize("probability", [0.05, 0.5, 0.97])
def test_loss_is_the_integral_of_the_upper_tail(demand: d.Continuous, probability: float) -> None:
    x = demand.quantile(probability)
    integral = integrate.quad(demand.frozen.sf, x, np.inf, epsabs=1e-12)[0]
    assert demand.loss(x) == pytest.approx(integral, abs=1e-8)


@pytest.mark.parametrize("demand", CONTINUOUS)
def test_grid_keeps_the_mean_and_the_loss_at_its_points(demand: d.Continuous) -> None:
    grid = demand.on_grid(demand.sd / 10)
    assert grid.mean == pytest.approx(demand.mean, rel=1e-7)
    point = float(grid.values[grid.values.size // 3])
    assert grid.loss(point) == pytest.approx(demand.loss(point), abs=1e-6 * demand.sd)


def test_sums_over_periods() -> None:
    assert d.normal(50, 8).over(5).sd == pytest.approx(8 * 5**0.5)
    assert d.poisson(16).over(0.25).mean == pytest.approx(4)  # 16 · 0.25
    twice = d.discrete_uniform(0, 4).over(2)
    assert twice.probabilities[4] == pytest.approx(5 / 25)  # 0+4, 1+3, 2+2, 3+1, 4+0
    assert d.uniform(0, 10).over(3).mean == pytest.approx(15, rel=1e-6)
    with pytest.raises(ValueError, match=r"0\.5 periods"):
        d.geometric(5).over(0.5)


@given(mean=st.floats(-5, 20), sd=st.floats(0.5, 15))
@settings(max_examples=30, deadline=None)
def test_rounded_normal_is_the_law_of_rounded_draws(mean: float, sd: float) -> None:
    demand = d.rounded_normal(mean, sd)
    assert demand.probabilities.sum() == pytest.approx(1)
    assert demand.cdf(0) == pytest.approx(stats.norm.cdf((0.5 - mean) / sd), abs=1e-9)
    assert demand.cdf(3) == pytest.approx(stats.norm.cdf((3.5 - mean) / sd), abs=1e-9)


@given(mean=st.floats(0.2, 12))
@settings(max_examples=30, deadline=None)
def test_geometric_and_poisson_have_their_moments(mean: float) -> None:
    assert d.geometric(mean).mean == pytest.approx(mean, rel=1e-6)
    assert d.geometric(mean).sd ** 2 == pytest.approx(mean * (1 + mean), rel=1e-5)
    assert d.poisson(mean).sd ** 2 == pytest.approx(mean, rel=1e-6)
