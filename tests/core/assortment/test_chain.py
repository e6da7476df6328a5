import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from pipeline.core.assortment.chain import Chain, logit_chain, offer
from pipeline.core.assortment.stopping import fluid_plan
from tests.core.assortment.instances import random_chain


def test_elimination_equals_the_absorbing_chains_linear_equations() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        chain = random_chain(random, int(random.integers(1, 9)))
        offered = random.random(len(chain)) < 0.5
        flow, ends = offer(chain, offered)
        out = ~offered
        lost = np.linalg.solve(
            np.eye(int(out.sum())) - chain.transition[np.ix_(out, out)],
            chain.transition[np.ix_(out, offered)],
        )
        assert ends[np.ix_(out, offered)] == pytest.approx(lost, abs=1e-12)
        bought = chain.arrival[offered] + chain.arrival[out] @ lost
        assert flow[offered] == pytest.approx(bought, abs=1e-12)
        assert not flow[out].any()


def test_the_chain_of_a_logit_chooses_as_the_logit_does_from_every_offer() -> None:
    weights = np.array([0.684, 0.859, 0.236, 0.471, 0.8, 0.875])
    chain = logit_chain(weights, 1.0)
    for offered in itertools.product((False, True), repeat=6):
        mask = np.array(offered)
        flow, _ = offer(chain, mask)
        assert flow == pytest.approx(weights * mask / (1.0 + weights @ mask), abs=1e-14)


def test_stopping_finds_the_best_of_all_assortments() -> None:
    random = np.random.default_rng(2)
    for _ in range(40):
        chain = random_chain(random, int(random.integers(2, 8)))
        margin = random.uniform(-2, 20, len(chain))
        best = max(
            float(offer(chain, np.array(mask))[0] @ margin)
            for mask in itertools.product((False, True), repeat=len(chain))
        )
        plan = fluid_plan(chain, margin)
        assert plan.bound_usd == pytest.approx(best, abs=1e-10)
        assert offer(chain, plan.is_offered)[0] @ margin == pytest.approx(best, abs=1e-10)


def test_stopping_equals_the_linear_programme_and_its_dual() -> None:
    random = np.random.default_rng(3)
    chain = random_chain(random, 30)
    margin = random.uniform(-2, 20, 30)
    balance = np.hstack([np.eye(30), np.eye(30) - chain.transition.T])
    cost = np.concatenate([-margin, np.zeros(30)])
    solved = linprog(cost, A_eq=balance, b_eq=chain.arrival, method="highs")
    plan = fluid_plan(chain, margin)
    assert plan.bound_usd == pytest.approx(-solved.fun, rel=1e-9)
    assert plan.value_usd == pytest.approx(
        np.maximum(np.maximum(margin, chain.transition @ plan.value_usd), 0.0), abs=1e-9
    )


def test_customers_who_can_only_turn_in_circles_leave() -> None:
    chain = Chain(np.array([0.5, 0.5]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert offer(chain, np.array([False, False]))[0].sum() == 0.0
    assert offer(chain, np.array([True, False]))[0] == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize(
    ("arrival", "onward"),
    [([0.7, 0.6], 0.1), ([-0.1, 0.6], 0.1), ([0.5, 0.5], 1.2), ([float("nan"), 0.5], 0.1)],
)
def test_probabilities_that_are_none_are_refused(arrival: list[float], onward: float) -> None:
    with pytest.raises(ValueError, match=r"probability|above one"):
        Chain(np.array(arrival), np.array([[0.0, onward], [onward, 0.0]]))
