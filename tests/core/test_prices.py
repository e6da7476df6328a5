"""Capacity rows: which are implied by others, and how usage and prices mirror each other."""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix

from pipeline.core.prices import Capacity, stratified


def rows(coefficients: np.ndarray, limit: list[float]) -> Capacity:
    return Capacity(csr_matrix(coefficients), (1, 1, 2), np.array(limit), np.full(len(limit), 9.0))


def test_slack_week_is_implied_by_the_tight_one():
    capacity = rows(np.array([[1.0, 2.0], [1.0, 2.0], [0.5, 1.0]]), [10.0, 8.0, 5.0])
    assert capacity.essential().tolist() == [1]  # per unit of limit: 0.1, 0.125, 0.1


def test_rows_that_cross_are_all_kept():
    capacity = rows(np.array([[1.0, 2.0], [2.0, 1.0]]), [10.0, 10.0])
    assert capacity.essential().tolist() == [0, 1]


def test_of_equal_rows_one_is_kept():
    capacity = rows(np.array([[1.0, 2.0], [1.0, 2.0]]), [10.0, 10.0])
    assert capacity.essential().tolist() == [0]


def test_steps_of_a_rising_cost_imply_no_row():
    """A step is exceeded where that pays, so the rows beyond it still count; others imply it."""
    steps = replace(
        rows(np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]), [8.0, 10.0, 9.0]),
        is_step=np.array([True, True, False]),
    )
    assert steps.essential().tolist() == [0, 2]
    assert steps.take(np.array([0, 2])).is_step.tolist() == [True, False]


def test_price_of_a_plan_is_the_price_of_its_usage():
    rng = np.random.default_rng(0)
    capacity = Capacity(csr_matrix(rng.random((5, 12))), (2, 2, 3), np.ones(5), np.ones(5))
    price, used = rng.random(5), rng.random((2, 2, 3))
    assert np.isclose((capacity.on_items(price) * used).sum(), price @ capacity.usage(used))


def test_strata_stand_for_every_item():
    size = np.random.default_rng(0).lognormal(0, 2, 5000)
    strata = stratified(size, 400, 0)
    drawn = np.diff(strata.bounds)
    assert np.isclose((drawn * strata.weight).sum(), 5000)
    assert len(np.unique(strata.rows)) == len(strata.rows)
    weight = np.repeat(strata.weight, drawn)
    assert abs(weight @ size[strata.rows] / size.sum() - 1) < 0.05
