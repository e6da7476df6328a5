import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from pipeline.core.assortment.chain import Floats
from pipeline.core.assortment.decide import decide
from pipeline.core.assortment.exact import exact_profits
from pipeline.core.assortment.lists import chain_seasons
from pipeline.core.assortment.season_bound import _descend, _project, season_bound
from pipeline.core.assortment.season_sizes import season_sizes
from pipeline.core.assortment.terms import Terms
from tests.core.assortment.instances import random_chain, random_terms


def sample_programme(arrivals: Floats, transition: Floats, price: Floats, cost: Floats) -> float:
    """The two-stage linear programme of the sampled seasons, by HiGHS: units, served, passed on."""
    seasons, n = arrivals.shape
    each, all_rows = sp.eye(n), sp.eye(seasons * n)
    nothing = sp.csr_matrix((seasons * n, n))
    balance = sp.hstack(
        [nothing, all_rows, sp.kron(sp.eye(seasons), each - sp.csr_matrix(transition.T))]
    )
    served = sp.hstack(
        [-sp.kron(np.ones((seasons, 1)), each), all_rows, sp.csr_matrix((seasons * n, seasons * n))]
    )
    value = np.concatenate([cost, np.tile(-price / seasons, seasons), np.zeros(seasons * n)])
    solved = linprog(
        value, A_ub=served.tocsr(), b_ub=np.zeros(seasons * n), A_eq=balance.tocsr(),
        b_eq=arrivals.ravel(), method="highs",
    )  # fmt: skip
    return -float(solved.fun)


def test_the_bound_lies_just_above_the_sample_programme() -> None:
    random, above = np.random.default_rng(3), []
    for _ in range(5):
        chain, terms = random_chain(random, 6), random_terms(random, 6)
        arrivals = random.multinomial(
            40, np.append(chain.arrival, 1 - chain.arrival.sum()), size=30
        )[:, :-1].astype(float)
        price, cost = terms.price_usd, terms.unit_cost_usd
        exact = sample_programme(arrivals, chain.transition, price, cost)
        bound = _descend(arrivals, chain.transition, price, cost, 0.9 * exact, 300)
        assert bound >= exact - 1e-9
        above.append(bound / exact)
    assert np.mean(above) <= 1.03
    assert max(above) <= 1.1


def test_no_exact_optimum_of_random_groups_exceeds_the_bound_with_confidence() -> None:
    random = np.random.default_rng(4)
    for case in range(8):
        chain, terms = random_chain(random, 3), random_terms(random, 3)
        terms = Terms.plain(terms.price_usd, terms.unit_cost_usd)
        best = exact_profits(
            chain, terms.price_usd, terms.unit_cost_usd, 8, np.full(3, 8)
        ).max()  # fmt: skip
        bound = season_bound(chain, terms, 8, best, dispersion=0.0, seed=case, steps=30)
        assert best <= bound.upper_usd + 1e-9
        assert bound.mean_usd <= bound.upper_usd


def test_the_bound_is_tighter_than_the_one_without_chance() -> None:
    random = np.random.default_rng(6)
    chain, terms = random_chain(random, 15), random_terms(random, 15)
    terms = Terms.plain(terms.price_usd, terms.unit_cost_usd)
    found = decide(chain, terms, chain_seasons(chain, season_sizes(60.0, 300), 1))
    bound = season_bound(chain, terms, 60.0, found.best.profit_usd)
    assert found.best.profit_usd < bound.upper_usd < 60.0 * found.fluid.bound_usd


def test_unit_prices_are_projected_to_their_mean_cost() -> None:
    random = np.random.default_rng(7)
    unit, cost = random.normal(2.0, 3.0, (40, 5)), np.array([0.0, 0.1, 1.0, 3.0, 8.0])
    _project(unit, cost)
    assert unit.mean(axis=0) == pytest.approx(cost, abs=1e-12)
    assert (unit >= 0).all()
