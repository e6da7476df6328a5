"""One-sided derivatives against the slow twin: the dual climbed anew at the changed capacity."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.ascent import climb, sample_dual
from pipeline.core.prices import Capacity, Sample
from pipeline.core.sensitivity import _Master, derivatives
from pipeline.core.solve import SolveParams, solve
from tests.core.instances import random_items, storage_rows, woods


def exact_value(sample: Sample, capacity: Capacity) -> float:
    dual = sample_dual(woods(), sample, capacity)
    return dual(climb(dual, capacity, None, 200, 1e-9)[0].price).value


def test_derivatives_are_near_the_slopes_of_the_exact_value_on_both_sides():
    items = random_items(3000, 21)
    sample = Sample(items, np.array([0, 3000]), np.ones(1))
    free = sample_dual(woods(), sample, storage_rows(np.ones(4)))(np.zeros(4)).used[:4]
    capacity = storage_rows(free * np.array([0.6, 0.7, 2.0, 0.8]))
    plan = solve(woods(), [items], capacity, SolveParams(target_gap=1e-5))
    rows = capacity.take(plan.kept)
    left, right = derivatives(plan.answers.cost, plan.answers.usage, rows, plan.answers.mix)
    now = exact_value(sample, capacity)
    for at, row in enumerate(plan.kept):
        if row == 2:  # slack
            assert left[at] == right[at] == 0.0
            continue
        step = 0.01 * capacity.limit[row]
        change = np.zeros(4)
        change[row] = step
        less = exact_value(sample, replace(capacity, limit=capacity.limit - change)) - now
        more = now - exact_value(sample, replace(capacity, limit=capacity.limit + change))
        assert left[at] == pytest.approx(less / step, rel=0.1)
        assert right[at] == pytest.approx(more / step, rel=0.1)
        assert left[at] >= right[at]


def test_a_master_that_glop_leaves_has_the_same_value_from_nothing(monkeypatch):
    items = random_items(400, 5)
    free = sample_dual(woods(), Sample(items, np.array([0, 400]), np.ones(1)), storage_rows(
        np.ones(4)))(np.zeros(4)).used[:4]  # fmt: skip
    capacity = storage_rows(free * np.array([0.6, 0.7, 0.5, 0.8]))
    answers = solve(woods(), [items], capacity, SolveParams()).answers
    master = _Master(answers.cost, answers.usage, capacity)
    usual = [master.value_at(row, -0.01 * capacity.limit[row]) for row in range(4)]
    monkeypatch.setattr(master.solver, "Solve", lambda: 6)  # not solved
    anew = [master.value_at(row, -0.01 * capacity.limit[row]) for row in range(4)]
    assert anew == pytest.approx(usual, rel=1e-9)
    master.capacity = replace(capacity, overflow_usd=-np.ones(4))  # without an end
    assert np.isnan(master.value())
