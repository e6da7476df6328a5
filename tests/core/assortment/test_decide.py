from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pipeline.core.assortment.chain import Chain, logit_chain
from pipeline.core.assortment.decide import Effort, decide
from pipeline.core.assortment.exact import exact_profits
from pipeline.core.assortment.lists import chain_seasons
from pipeline.core.assortment.newsvendor import newsvendor
from pipeline.core.assortment.season_sizes import season_sizes
from pipeline.core.assortment.terms import Terms, profit
from tests.core.assortment.instances import random_chain, random_terms


def test_two_equal_products_and_five_customers_have_the_published_optimum() -> None:
    chain = logit_chain(np.exp([1.0, 1.0]), 1.0)  # simopt's dynamnews
    exact = exact_profits(chain, np.full(2, 9.0), np.full(2, 5.0), 5, np.array([5, 5]))
    assert exact.max() == pytest.approx(13.198774, abs=1e-6)
    assert exact[2, 2] == exact.max()
    assert exact[2, 3] == pytest.approx(11.57052, abs=1e-5)
    seasons = chain_seasons(chain, np.full(20_000, 5), 1)
    terms = Terms.plain(np.full(2, 9.0), np.full(2, 5.0))
    assert decide(chain, terms, seasons).best.units.tolist() == [2, 2]


def test_the_climb_comes_within_a_tenth_of_a_percent_of_exact_optima() -> None:
    random = np.random.default_rng(12)
    lost = []
    for case in range(6):
        n, customers = int(random.integers(2, 5)), int(random.integers(5, 11))
        chain, terms = random_chain(random, n), random_terms(random, n)
        terms = Terms.plain(terms.price_usd, terms.unit_cost_usd)
        seasons = chain_seasons(chain, np.full(20_000, customers), case)
        found = decide(chain, terms, seasons, Effort(starts=6, final_passes=400, tries=40))
        exact = exact_profits(
            chain, terms.price_usd, terms.unit_cost_usd, customers, np.full(n, customers)
        )
        lost.append(1.0 - exact[tuple(found.best.units)] / exact.max())
    assert np.mean(lost) <= 1e-3
    assert max(lost) <= 1e-2


def test_exact_profits_are_what_sampled_seasons_earn_on_average() -> None:
    random = np.random.default_rng(3)
    chain, terms = random_chain(random, 3), random_terms(random, 3)
    terms = Terms.plain(terms.price_usd, terms.unit_cost_usd)
    exact = exact_profits(chain, terms.price_usd, terms.unit_cost_usd, 6, np.array([2, 1, 3]))
    seasons = chain_seasons(chain, np.full(40_000, 6), 7)
    sampled = profit(seasons, terms, np.array([2, 1, 3]), False).profit_usd
    assert sampled == pytest.approx(exact[2, 1, 3], abs=4.5 * 15 / 200)


def test_no_plan_earns_more_than_the_bound_and_none_less_than_a_thresholded_one() -> None:
    random = np.random.default_rng(21)
    for case in range(8):
        chain, terms = random_chain(random, 12), random_terms(random, 12)
        terms = replace(terms, salvage_usd=np.zeros(12))
        seasons = chain_seasons(chain, season_sizes(60.0, 300), case)
        found = decide(chain, terms, seasons)
        assert found.best.profit_usd >= found.thresholded.profit_usd
        assert found.best.profit_usd <= 60.0 * found.fluid.bound_usd * 1.05  # of sampled seasons


def test_a_product_that_does_not_earn_its_listing_is_not_carried() -> None:
    chain = Chain(np.array([0.5, 0.3]), np.array([[0.0, 0.2], [0.8, 0.0]]))
    plain = Terms.plain(np.array([10.0, 10.0]), np.array([4.0, 4.0]))
    seasons = chain_seasons(chain, season_sizes(40.0, 500), 1)
    assert (decide(chain, plain, seasons).best.units > 0).all()
    dear = replace(plain, listing_usd=np.array([0.0, 80.0]))
    units = decide(chain, dear, seasons).best.units
    assert units[0] > 0
    assert units[1] == 0


def test_units_come_in_whole_cases_and_closed_products_get_none() -> None:
    random = np.random.default_rng(2)
    chain, terms = random_chain(random, 6), random_terms(random, 6)
    terms = replace(terms, case_units=np.array([1, 6, 4, 3, 12, 1]), is_open=np.arange(6) != 0)
    units = decide(chain, terms, chain_seasons(chain, season_sizes(80.0, 300), 4)).best.units
    assert units.sum() > 0
    assert not (units % terms.case_units).any()
    assert units[0] == 0


def test_a_group_without_margin_carries_nothing() -> None:
    chain = random_chain(np.random.default_rng(2), 4)
    terms = Terms.plain(np.full(4, 5.0), np.full(4, 6.0))
    found = decide(chain, terms, chain_seasons(chain, np.full(10, 9), 4))
    assert not found.best.units.any()
    assert found.fluid.bound_usd == 0.0


def test_one_product_alone_gets_its_newsvendor_quantity() -> None:
    chain = Chain(np.array([1.0]), np.zeros((1, 1)))
    terms = Terms.plain(np.array([10.0]), np.array([3.0]))
    seasons = chain_seasons(chain, season_sizes(50.0, 4000), 1)
    units = newsvendor(seasons, terms, np.array([True]))
    assert units[0] == stats.poisson.ppf(0.7, 50.0)
    assert decide(chain, terms, seasons).best.units.tolist() == units.tolist()


@pytest.mark.parametrize(("expected", "dispersion"), [(0.3, 1.0), (40.0, 1.0), (25.0, 4.0)])
def test_season_sizes_have_the_distributions_mean_and_variance(
    expected: float, dispersion: float
) -> None:
    sizes = season_sizes(expected, 20_000, dispersion)
    assert sizes.mean() == pytest.approx(expected, rel=2e-3)
    assert sizes.var() == pytest.approx(expected * dispersion, rel=2e-2)
    assert season_sizes(expected, 50, dispersion).tolist() == sizes[:50].tolist()
    assert season_sizes(expected, 3, 0.0).tolist() == [round(expected)] * 3
