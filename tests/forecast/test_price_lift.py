"""What promotions lift is taken out of the level, and put back where one is planned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.forecast.features import COLUMN, features, history
from pipeline.forecast.panel import Panel, totals
from pipeline.forecast.price_lift import cut_depths, elasticities, with_price_lift
from tests.forecast.test_series_level import DAYS, panel_of


def promoted(series: int, elasticity: float, seed: int, last_days: int = 14) -> Panel:
    """Ten units a day at 10 USD; a fortnight at 7 USD every ten weeks and in the `last_days`."""
    random = np.random.default_rng(seed)
    panel = panel_of(np.zeros((series, DAYS)), list(range(series)))
    price = np.full(panel.price.shape, 10.0, np.float32)
    for start in range(30, DAYS - 40, 70):
        price[:, start : start + 14] = 7.0
    price[:, DAYS - last_days : DAYS] = 7.0
    rate = 10.0 * (price[:, :DAYS] / 10.0) ** -elasticity
    return replace(panel, price=price, demand=random.poisson(rate).astype(np.float32))


@pytest.mark.parametrize("elasticity", [0.0, 1.5, 3.0])
def test_planted_elasticities_come_back(elasticity: float) -> None:
    panel = promoted(4, elasticity, 1)
    depth = np.where(panel.price < 8, np.log(10 / 7), 0.0).astype(np.float32)
    np.testing.assert_allclose(elasticities(panel, depth), elasticity, atol=0.2)


def test_the_level_after_a_promotion_is_that_of_other_days() -> None:
    panel = promoted(4, 3.0, 2)
    plain = history(panel, totals(panel)).level[:, -1]
    lifted = with_price_lift(panel)
    without = history(lifted, totals(lifted)).level[:, -1]
    assert (plain > 15).all()
    np.testing.assert_allclose(without, 10.0, rtol=0.12)


def test_a_planned_promotion_is_expected_to_lift_its_days() -> None:
    panel = promoted(4, 3.0, 3, last_days=0)
    price = panel.price.copy()
    price[:, DAYS + 7 :] = 7.0
    panel = with_price_lift(replace(panel, price=price))
    at = np.full(4, DAYS - 1, np.int32)
    sums, rows = totals(panel), np.arange(4, dtype=np.int32)
    x = features(panel, sums, history(panel, sums), rows, at, at + 10)
    np.testing.assert_allclose(np.exp(x[:, COLUMN["log_price_lift"]]), (10 / 7) ** 3, rtol=0.2)
    x = features(panel, sums, history(panel, sums), rows, at, at + 3)
    assert (x[:, COLUMN["log_price_lift"]] == 0).all()


def test_a_cut_that_lasts_is_a_price() -> None:
    panel = promoted(2, 1.5, 4, last_days=60)
    lift = with_price_lift(panel).price_lift
    assert lift is not None
    assert (lift[:, DAYS - 55] > 1.4).all()
    assert (lift[:, DAYS - 1] == 1).all()


def test_one_item_in_ten_that_answers_ten_times_as_much_is_believed() -> None:
    demand = np.concatenate([promoted(9, 0.5, 5).demand, promoted(1, 5.0, 6).demand])
    panel = replace(promoted(10, 0.5, 5), demand=demand)
    depth = np.where(panel.price < 8, np.log(10 / 7), 0.0).astype(np.float32)
    found = elasticities(panel, depth)
    assert found[9] == pytest.approx(5.0, abs=0.4)
    assert found[:9].mean() == pytest.approx(0.5, abs=0.2)
    assert found[:9].max() < 1.0


def test_a_price_of_a_cent_lifts_no_more_than_sixty_per_cent_off() -> None:
    panel = promoted(3, 3.0, 7, last_days=0)
    price = panel.price.copy()
    price[:, DAYS + 3], price[:, DAYS + 4] = 0.01, 4.0
    lift = with_price_lift(replace(panel, price=price)).price_lift
    assert lift is not None
    np.testing.assert_allclose(lift[:, DAYS + 3], lift[:, DAYS + 4], rtol=1e-5)
    assert (lift[:, DAYS + 3] <= 20.0 + 1e-3).all()


def test_a_price_is_cut_from_a_twentieth_on_until_it_is_the_usual_one() -> None:
    """Half of the samples of eight weeks at the new price, and a quarter: it is no cut any more."""
    price = np.full((3, 140), 10.0)
    price[0, 70:], price[1, 70:], price[2, 70:77] = 9.6, 9.4, 5.0
    depth = cut_depths(price, 1)
    assert not depth[0].any()
    assert depth[1, 70:112] == pytest.approx(np.log(10 / 9.4))
    assert not depth[1, :70].any()
    assert not depth[1, 126:].any()
    assert np.flatnonzero(depth[2]).tolist() == list(range(70, 77))
