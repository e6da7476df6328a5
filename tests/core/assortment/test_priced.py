import numpy as np
import pytest
from scipy.optimize import approx_fprime

from pipeline.core.assortment.priced import (
    PricedChain,
    _pack,
    _penalized,
    fit_priced,
    mean_log_likelihood,
)


@pytest.mark.parametrize("is_logit", [True, False])
def test_slopes_of_the_likelihood_equal_finite_differences(is_logit: bool) -> None:
    random = np.random.default_rng(0)
    covariates, bought = random.normal(size=(5, 4, 2)), random.random((5, 4))
    chain = PricedChain(
        random.normal(size=4), random.normal(size=(4, 2)), random.normal(size=4),
        random.normal(size=(4, 2)), random.normal(size=(4, 4)), is_logit,
    )  # fmt: skip
    function = _penalized(chain, covariates, bought, 0.7, np.array([0.1, 0.2, 0.3, 0.4]))
    numeric = approx_fprime(_pack(chain), lambda values: function(values)[0], 1e-7)
    assert function(_pack(chain))[1] == pytest.approx(numeric, abs=1e-5)


def test_chances_add_up_to_one_and_a_dearer_product_sells_less() -> None:
    chain = PricedChain(
        np.zeros(3), np.full((3, 1), -0.5), np.full(3, 2.0), np.full((3, 1), -4.0), np.zeros((3, 3))
    )
    prices = np.array([[0.0, 0, 0], [0.5, 0, 0]])[:, :, None]
    chances = chain.chances(prices)
    assert chances.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert chances[1, 0] < chances[0, 0]
    assert chances[1, 1] > chances[0, 1]


def test_a_chain_with_prices_predicts_its_own_population_better_than_the_logit() -> None:
    random = np.random.default_rng(4)
    truth = PricedChain(
        np.array([0.5, 0.0, 0.3, -0.5]), np.zeros((4, 1)), np.full(4, 1.0), np.full((4, 1), -6.0),
        4.0 * np.eye(4)[[1, 0, 3, 2]],
    )  # fmt: skip
    prices = random.normal(0.0, 0.3, (400, 4, 1))
    bought = np.array([random.multinomial(20, p) for p in truth.chances(prices)], float)
    chain = fit_priced(prices[:300], bought[:300], 1.0)
    logit = fit_priced(prices[:300], bought[:300], 1.0, is_logit=True)
    ours = mean_log_likelihood(chain, prices[300:], bought[300:])
    assert ours > mean_log_likelihood(logit, prices[300:], bought[300:]) + 0.005
