"""The clairvoyant bound on programmes small enough to solve by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.simulate.clairvoyant import _Item, solve
from pipeline.simulate.record import order_churn

INF = np.inf


def item(**change: object) -> _Item:
    """One node, one cell, two weeks of 10 units worth 5 each; serving costs 1, new units 2."""
    data = {
        "demand": np.array([[10.0], [10.0]]), "value": np.array([[5.0], [5.0]]),
        "serve_usd": np.array([[1.0]]), "new_usd": np.array([2.0]),
        "arrivals": np.zeros((2, 1)), "stock": np.zeros(1), "hold_usd": np.array([0.1]),
        "lanes": np.zeros((0, 2), dtype=np.int64), "move_usd": np.zeros(0),
        "days": np.array([7.0, 7.0]), "first_week": 1,
    }  # fmt: skip
    return _Item(**{**data, **change})


@pytest.mark.parametrize(
    ("change", "profit"),
    [
        ({}, 30.0),  # nothing in week 1; 10 x (5 - 2) in week 2
        ({"first_week": 0}, 60.0),  # both weeks: 20 x 3
        ({"stock": np.array([10.0])}, 70.0),  # 10 x (5 - 1) now, 10 x 3 later
        # 20 in stock: 10 x 4 each week; 10 are held at the end of week 1, all its 7 days at 0.1.
        ({"stock": np.array([20.0])}, 80.0 - 7.0),
        # That costs 0.7 a unit and saves 1, so it pays; at 0.2 a day selling it now is better.
        ({"stock": np.array([20.0]), "first_week": 2}, 73.0),
        # Arrivals of week 1 are held for one day only before week 2.
        ({"arrivals": np.array([[20.0], [0.0]])}, 80.0 - 1.0),
    ],
)
def test_small_programmes(change: dict, profit: float) -> None:
    assert solve(item(**change)) == pytest.approx(profit)


def test_stock_in_the_wrong_place_moves_if_the_lane_is_cheap_enough() -> None:
    """Node 1 cannot serve; moving to node 0 costs 1.5, against 4 gained."""
    found = solve(item(
        serve_usd=np.array([[1.0], [INF]]).T, stock=np.array([0.0, 10.0]),
        arrivals=np.zeros((2, 2)), hold_usd=np.array([0.0, 0.0]),
        lanes=np.array([[1, 0]]), move_usd=np.array([1.5]), first_week=2,
    ))  # fmt: skip
    assert found == pytest.approx(10 * (5 - 1 - 1.5))


def test_churn_is_0_for_the_same_orders_every_week_and_1_for_orders_every_other_week() -> None:
    same = np.tile(np.array([[3, 0]]), (21, 1))
    assert order_churn(same) == 0.0
    other = same.copy()
    other[7:14] = 0
    assert order_churn(other) == 1.0
    assert order_churn(same[:3]) == 0.0
