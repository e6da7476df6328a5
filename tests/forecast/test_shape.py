"""The spread follows how an item's own units come."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.contracts.settings import ForecastSettings, MeanSettings, ShapeSettings
from pipeline.forecast.distribution import log_likelihood
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import fit
from pipeline.forecast.panel import totals
from pipeline.forecast.shape import (
    BORROWED_UNITS,
    SHAPE_FEATURES,
    USUAL_DISPERSION,
    _slopes,
    dispersion,
    shape_base,
)
from pipeline.forecast.windows import foresee
from tests.forecast.test_stopping import panel_of


def test_dispersion_is_units_a_sale_drawn_to_the_item_and_the_usual() -> None:
    """Two regions of one item and another item; days after the origin are not read."""
    demand = np.array([[0, 3, 0, 1, 99], [2, 0, 0, 0, 99], [0, 0, 0, 0, 99]], float)
    panel = panel_of(demand)
    panel.item[:] = [0, 0, 1]
    own = (14 + BORROWED_UNITS * USUAL_DISPERSION) / (6 + BORROWED_UNITS)
    expected = [
        (10 + BORROWED_UNITS * own) / (4 + BORROWED_UNITS),
        (4 + BORROWED_UNITS * own) / (2 + BORROWED_UNITS),
        USUAL_DISPERSION,
    ]
    np.testing.assert_allclose(dispersion(panel, 3), expected, rtol=1e-6)


def test_the_start_has_the_variance_of_lumps_and_of_an_unknown_level() -> None:
    """Mean 5, φ 3, f 0.6, c 0.1: 5 + (0.6 · 2 + 0.1 · 5 + 0.02) · 5 = 13.6."""
    x = np.zeros((1, len(SHAPE_FEATURES)), np.float32)
    x[0, 0], x[0, SHAPE_FEATURES.index("log_dispersion")] = np.log(5.0), np.log(3.0)
    log_size, none = shape_base(np.array([0.6, 0.1, -2.0]), x)[0]
    assert 5 + 25 / np.exp(log_size) == pytest.approx(13.6, rel=1e-5)
    assert none == -2.0


def test_slopes_are_differences_of_the_likelihood_to_the_bit() -> None:
    random = np.random.default_rng(5)
    mean = np.exp(random.normal(0, 2, 50))
    y = random.poisson(mean).astype(float)
    size, none = random.normal(0, 4, 50), random.normal(-6, 6, 50)  # some beyond their limits
    found, bent = np.empty((50, 2)), np.empty((50, 2))
    _slopes(y, mean, size, none, np.full(50, 2.0), found, bent)
    for k in range(50):
        at = [min(max(size[k], -3.0), 9.0), min(max(none[k], -12.0), 4.0)]
        here = log_likelihood(y[k], mean[k], *at)
        for j in range(2):
            up, down = (log_likelihood(y[k], mean[k], *(at + step * np.eye(2)[j]))
                        for step in (0.05, -0.05))  # fmt: skip
            assert found[k, j] == -2.0 * (up - down) / (2 * 0.05)
            assert bent[k, j] == 2.0 * max(0.02, -(up - 2 * here + down) / 0.05**2)


def test_what_sells_in_dozens_is_wider_than_what_sells_singly_at_the_same_rate() -> None:
    """Half a unit a day for all, four weeks: the 0.95 quantile of 14 single units is 20, that of
    dozens that come 1.17 times is 36, and more by what 25 orders leave unknown of their rate (a
    fifth). Items stand in no group that would tell them apart."""
    random = np.random.default_rng(3)
    pack = np.where(np.arange(160) % 2 == 0, 1, 12)
    panel = panel_of(random.poisson(0.5 / pack[:, None], (160, 300)) * pack[:, None])
    settings = ForecastSettings(
        mean=MeanSettings(trees=10, leaf_rows=100), shape=ShapeSettings(trees=20)
    )
    sums = totals(panel)
    model, _ = fit(panel, sums, settings, [(1, 28)], 3, 1)
    seen = foresee(daily_mean(model.mean), panel, sums, panel.days - 1, [(1, 28)])
    top = model.spread.quantiles(seen, np.array([0.95]), 1)[:, 0] / seen.mean
    assert np.median(top[pack == 1]) == pytest.approx(20 / 14, rel=0.2)
    assert np.median(top[pack == 12]) == pytest.approx(1.1 * 36 / 14, rel=0.2)
