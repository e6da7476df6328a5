import numpy as np
import pytest

from pipeline.core.assortment.chain import offer
from pipeline.core.assortment.lists import chain_seasons, listed_seasons
from pipeline.core.assortment.marginals import play
from tests.core.assortment.instances import random_chain, random_terms


def test_marginal_values_equal_finite_differences_on_200_random_instances() -> None:
    random = np.random.default_rng(5)
    for case in range(200):
        n, customers = int(random.integers(1, 8)), int(random.integers(1, 30))
        seasons = chain_seasons(random_chain(random, n), np.full(3, customers), case)
        terms, units = random_terms(random, n), random.integers(0, 8, n)
        here = play(seasons, terms.price_usd, terms.salvage_usd, units)
        for i in range(n):
            one = np.eye(n, dtype=int)[i]
            more = play(seasons, terms.price_usd, terms.salvage_usd, units + one, False)
            gained = more.earned_usd - here.earned_usd
            assert here.more_usd[i] == pytest.approx(gained, abs=1e-9)
            if units[i]:
                fewer = play(seasons, terms.price_usd, terms.salvage_usd, units - one, False)
                lost = here.earned_usd - fewer.earned_usd
                assert here.fewer_usd[i] == pytest.approx(lost, abs=1e-9)


def test_customers_take_the_first_product_on_their_list_that_is_in_stock() -> None:
    seasons = listed_seasons([[[0, 1], [0, 1], [0], [1, 0]]], 2)
    result = play(seasons, np.array([10.0, 4.0]), np.zeros(2), np.array([1, 1]))
    assert result.earned_usd == 14.0  # 0 to the first, 1 to the second, then both are out
    assert result.sold.tolist() == [1.0, 1.0]
    assert result.more_usd.tolist() == [10.0, 4.0]  # second takes 0 and leaves a 1 to the fourth


def test_shares_of_sampled_customers_are_those_of_the_chain() -> None:
    chain = random_chain(np.random.default_rng(8), 5)
    seasons = chain_seasons(chain, np.full(10, 20_000), 3)
    offered = np.array([True, False, True, False, False])
    result = play(seasons, np.ones(5), np.zeros(5), np.where(offered, 10**6, 0), False)
    expected = offer(chain, offered)[0]
    error = np.sqrt(expected * (1 - expected) / 200_000)
    assert (np.abs(result.sold / 20_000 - expected) < 4.5 * error + 1e-12).all()


def test_a_customer_draws_the_same_list_whatever_the_others_are() -> None:
    chain = random_chain(np.random.default_rng(9), 6)
    many = chain_seasons(chain, np.array([40, 30, 50]), 11)
    few = chain_seasons(chain, np.array([25, 30]), 11)
    for season, customers in ((0, 25), (1, 30)):
        for t in range(customers):
            c, d = many.first[season] + t, few.first[season] + t
            one = many.items[many.start[c] : many.start[c + 1]]
            other = few.items[few.start[d] : few.start[d + 1]]
            assert one.tolist() == other.tolist()
    taken = many.take(2)
    assert len(taken) == 2
    assert taken.items.tolist() == many.items[: taken.start[-1]].tolist()


def test_no_list_names_a_product_twice() -> None:
    seasons = chain_seasons(random_chain(np.random.default_rng(4), 4), np.full(5, 200), 1)
    for c in range(1000):
        listed = seasons.items[seasons.start[c] : seasons.start[c + 1]].tolist()
        assert len(set(listed)) == len(listed)
