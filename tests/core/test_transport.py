"""Serving a scenario is the transportation problem, and its derivatives are those of the value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from pipeline.core.transport import serve, serve_all


def exact(reward: np.ndarray, stock: np.ndarray, demand: np.ndarray) -> float:
    """The transportation problem by HiGHS; reward: [nodes, cells]."""
    nodes, cells = reward.shape
    usd = np.where(np.isfinite(reward), reward, -1e4)
    supply = np.kron(np.eye(nodes), np.ones((1, cells)))
    asked = np.kron(np.ones((1, nodes)), np.eye(cells))
    limit = np.concatenate([stock, demand])
    return -float(linprog(-usd.ravel(), A_ub=np.vstack([supply, asked]), b_ub=limit).fun)


def instance(seed: int):
    rng = np.random.default_rng(seed)
    nodes, cells = int(rng.integers(1, 6)), int(rng.integers(1, 9))
    usd = rng.uniform(-1, 8, (nodes, cells))
    reward = np.where(rng.random((nodes, cells)) < 0.8, usd, -np.inf)
    return reward, rng.integers(0, 6, nodes).astype(float), rng.poisson(2, cells).astype(float)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_value_and_both_derivatives_are_those_of_the_programme(seed):
    reward, stock, demand = instance(seed)
    gain, loss = np.empty(len(stock)), np.empty(len(stock))
    unserved = np.zeros((1, len(demand)))
    value = serve(np.vstack([reward, unserved]), stock, demand, gain, loss)
    assert value == pytest.approx(exact(reward, stock, demand), abs=1e-6)
    for j, unit in enumerate(np.eye(len(stock))):
        assert gain[j] == pytest.approx(exact(reward, stock + unit, demand) - value, abs=1e-6)
        if stock[j] > 0:
            assert loss[j] == pytest.approx(value - exact(reward, stock - unit, demand), abs=1e-6)
        else:
            assert loss[j] == np.inf


def test_the_last_unit_is_kept_for_whom_it_is_worth_most():
    # one unit at each node; the second order can only be served by node 0, so the first goes to 1
    reward = np.array([[5.0, 3.0], [4.0, -np.inf], [0.0, 0.0]])
    gain, loss = np.empty(2), np.empty(2)
    assert serve(reward, np.ones(2), np.ones(2), gain, loss) == pytest.approx(7.0)
    assert gain == pytest.approx([1.0, 0.0])  # a second unit at node 0 saves the detour
    assert loss == pytest.approx([3.0, 2.0])  # without node 1: 5 instead of 7


def test_many_scenarios_are_averaged():
    reward, stock, demand = instance(7)
    whole = np.vstack([reward, np.zeros((1, len(demand)))])
    gain, loss = np.empty((3, len(stock))), np.empty((3, len(stock)))
    each = [serve(whole, stock, d, gain[i], loss[i]) for i, d in enumerate((demand, 2 * demand))]
    both = serve_all(whole, stock, np.stack([demand, 2 * demand]), gain[2], loss[2])
    assert both == pytest.approx(np.mean(each))
    assert gain[2] == pytest.approx(gain[:2].mean(axis=0))
