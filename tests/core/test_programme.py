"""The relaxed programme: the best bound and prices there are, and exact one-sided slopes."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.ascent import climb, sample_dual
from pipeline.core.item import sweep
from pipeline.core.prices import Sample
from pipeline.core.programme import relax, slopes
from tests.core.instances import random_items, storage_rows, woods


def instance(n: int, seed: int, share: float = 0.6):
    items = random_items(n, seed)
    _, used = sweep(woods(), items, np.array([0, n]), np.zeros((1, 1, 2, 4)))
    return items, storage_rows(share * used[0, 0, 0] + 0.1)


def test_relaxed_value_is_the_maximum_of_the_dual_function():
    for seed in range(3):
        items, capacity = instance(60, seed)
        relaxed = relax(woods(), items, capacity)
        dual = sample_dual(woods(), Sample(items, np.array([0, 60]), np.ones(1)), capacity)
        climbed = dual(climb(dual, capacity, None, 300, 1e-10)[0].price).value
        assert climbed <= relaxed.lower * (1 + 1e-6)
        assert relaxed.lower == pytest.approx(dual(relaxed.price).value, rel=1e-6)
        assert climbed == pytest.approx(relaxed.lower, rel=1e-3)


def test_overflow_is_what_the_limit_lacks_even_for_nothing():
    items, capacity = instance(20, 4)
    capacity = replace(capacity, limit=np.array([-2.0, 5.0, 5.0, 5.0]))
    relaxed = relax(woods(), items, capacity)
    assert relaxed.overflow == pytest.approx([2.0, 0.0, 0.0, 0.0])
    assert relaxed.price[0] == pytest.approx(100.0)


def test_items_whose_knots_are_hidden_are_worth_nothing():
    items, capacity = instance(10, 2)
    count = items.count.copy()
    count[3:7] = 0
    shown = np.concatenate([np.arange(3), np.arange(7, 10)])
    hidden = relax(woods(), replace(items, count=count), capacity)
    assert hidden.lower == pytest.approx(relax(woods(), items.take(shown), capacity).lower)
    assert (hidden.units[3:7] == 0.0).all()


def test_slopes_are_those_of_the_value_on_both_sides_of_a_kink():
    items, capacity = instance(40, 1)
    relaxed = relax(woods(), items, capacity)
    left, right = slopes(woods(), items, capacity, relaxed.price)
    for row in range(4):
        step = 1e-3 * np.eye(4)[row]
        values = [
            relax(woods(), items, replace(capacity, limit=capacity.limit + sign * step)).lower
            for sign in (-1.0, 0.0, 1.0)
        ]
        assert left[row] == pytest.approx((values[0] - values[1]) / 1e-3, abs=0.02)
        assert right[row] == pytest.approx((values[1] - values[2]) / 1e-3, abs=0.02)
        assert left[row] >= relaxed.price[row] >= right[row]


def test_left_exceeds_right_where_a_whole_unit_just_fits():
    items, capacity = instance(1, 3)
    relaxed = relax(woods(), items, replace(capacity, limit=np.full(4, 1e3)))
    room = relaxed.units[0] * items.use[0, 0]  # every node holds just what it wants
    capacity = replace(capacity, limit=room)
    left, right = slopes(woods(), items, capacity, np.zeros(4))
    assert (right == 0.0).all()
    assert (left[relaxed.units[0] > 0] > 0.0).all()
