"""The ascent finds the dual's maximum: slow twins are L-BFGS on the dual and on the box model."""

import numpy as np
import pytest
from scipy.optimize import minimize

from pipeline.core import ascent
from pipeline.core.ascent import Start, box_ascent, climb, newton_step, sample_dual
from pipeline.core.prices import Capacity, Sample
from tests.core.instances import random_items, storage_rows, woods


def instance(share: float) -> tuple[Sample, Capacity]:
    items = random_items(1500, 11)
    sample = Sample(items, np.array([0, 1500]), np.ones(1))
    free = sample_dual(woods(), sample, storage_rows(np.ones(4)))(np.zeros(4)).used
    return sample, storage_rows(share * free[:4])


def slow_maximum(sample: Sample, capacity: Capacity) -> float:
    dual = sample_dual(woods(), sample, capacity)

    def negative(price: np.ndarray) -> tuple[float, np.ndarray]:
        point = dual(price)
        return -point.value, -(capacity.rows @ point.used - capacity.limit)

    bounds = [(0.0, top) for top in capacity.overflow_usd]
    options = {"maxiter": 500, "ftol": 1e-13}
    found = minimize(
        negative, np.full(4, 0.1), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return -float(found.fun)


@pytest.mark.parametrize("share", [0.5, 0.8, 1.2])
def test_climb_reaches_what_hundreds_of_gradient_steps_reach(share):
    sample, capacity = instance(share)
    dual = sample_dual(woods(), sample, capacity)
    found, evaluations = climb(dual, capacity, None, 40, 1e-7)
    assert dual(found.price).value >= slow_maximum(sample, capacity) * (1 - 1e-4)
    assert evaluations <= 40


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_climb_with_a_curvature_by_cell_reaches_it_too(share, monkeypatch):
    monkeypatch.setattr(ascent, "MANY_CELLS", 0)
    sample, capacity = instance(share)
    dual = sample_dual(woods(), sample, capacity)
    found, _ = climb(dual, capacity, None, 60, 1e-9)
    assert found.curvature.ndim == 1
    assert dual(found.price).value >= slow_maximum(sample, capacity) * (1 - 2e-3)


def test_climb_from_its_own_end_stops_at_once():
    sample, capacity = instance(0.7)
    dual = sample_dual(woods(), sample, capacity)
    found, first = climb(dual, capacity, None, 40, 1e-6)
    again, second = climb(dual, capacity, found, 40, 1e-4)
    assert second <= 3 < first
    assert dual(again.price).value >= dual(found.price).value


def test_step_in_the_box_is_the_quadratic_programmes():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    bend, slope = root @ root.T + 0.1 * np.eye(6), rng.normal(size=6) * 3
    low, high = -rng.random(6), rng.random(6)
    slow = minimize(
        lambda d: d @ bend @ d / 2 - slope @ d, np.zeros(6), jac=lambda d: bend @ d - slope,
        method="L-BFGS-B", bounds=list(zip(low, high, strict=True)), options={"ftol": 1e-15},
    )  # fmt: skip
    assert box_ascent(bend, slope, low, high, 500) == pytest.approx(slow.x, abs=1e-4)


def test_newton_step_stays_between_zero_and_the_cost_of_overflow():
    capacity = storage_rows(np.array([0.0, 1.0, 1e9, 1.0]), overflow_usd=2.0)
    used = np.array([50.0, 1.5, 3.0, 0.5, 0.0, 0.0, 0.0, 0.0])
    start = Start(np.full(4, 0.5), np.eye(8))
    price, gain = newton_step(capacity, start.curvature, start.price, used)
    assert price == pytest.approx([2.0, 1.0, 0.0, 0.0], abs=1e-4)
    assert gain > 0
