import itertools

import numpy as np

from pipeline.core.assortment.catalogs import Products, accept
from pipeline.core.assortment.chain import Chain
from pipeline.core.assortment.decide import QUICK
from pipeline.core.assortment.group import (
    Group,
    Work,
    decide_group,
    decide_groups,
    value_if_dropped,
)
from pipeline.core.assortment.limits import decide_in_space, fewest, profit_curve, sampled
from pipeline.core.assortment.terms import Terms, profit
from pipeline.core.assortment.tiers import decide_local, tiered_chain
from tests.core.assortment.instances import random_chain, random_terms

WORK = Work(seasons=120, fresh=120, bound_samples=2, bound_seasons=20, bound_steps=40, effort=QUICK)


def random_group(seed: int, products: int = 8, customers: float = 50.0) -> Group:
    random = np.random.default_rng(seed)
    terms = random_terms(random, products)
    terms = Terms.plain(terms.price_usd, terms.unit_cost_usd)
    return Group(random_chain(random, products), terms, customers, 1.0, seed)


def test_a_groups_answer_depends_on_neither_workers_nor_neighbours() -> None:
    groups = [random_group(seed) for seed in range(6)]
    alone = decide_group(groups[3], WORK)
    for workers in (1, 3):
        found = decide_groups(groups, WORK, workers)
        assert found[3].units.tolist() == alone.units.tolist()
        assert found[3].profit_usd == alone.profit_usd
        assert found[3].season_bound == alone.season_bound


def test_no_groups_profit_exceeds_its_bounds() -> None:
    for seed in range(6):
        found = decide_group(random_group(seed), WORK)
        assert found.profit_usd <= found.season_bound.upper_usd
        assert found.season_bound.mean_usd <= 1.02 * found.lp_bound_usd


def test_the_curve_loses_one_product_at_a_time_and_ends_with_none() -> None:
    group = random_group(2)
    seasons = sampled(group, WORK)
    units = decide_group(group, WORK).units
    curve = profit_curve(group, seasons, units)
    counts = [int((trial.units > 0).sum()) for trial in curve]
    assert counts[-1] == 0
    assert all(later < earlier for earlier, later in itertools.pairwise(counts))
    assert curve[-1].profit_usd == 0.0
    best = fewest(curve, 2)
    assert (best.units > 0).sum() <= 2
    assert best.profit_usd >= curve[-2].profit_usd


def test_units_fit_the_space_and_more_space_never_earns_less() -> None:
    group, cube = random_group(5), np.linspace(0.5, 3.0, 8)
    free = cube @ decide_group(group, WORK).units
    earned, prices = [], []
    for share in (0.25, 0.5, 0.75, 1.5):
        found = decide_in_space(group, WORK, cube, share * free)
        assert cube @ found.trial.units <= share * free + 1e-9
        earned.append(found.trial.profit_usd)
        prices.append(found.price_usd)
    assert earned == sorted(earned)
    assert prices[0] > prices[-1] == 0.0


def test_what_a_product_adds_is_the_profit_lost_without_it() -> None:
    group = random_group(7)
    units = decide_group(group, WORK).units
    lost = value_if_dropped(group, WORK, units)
    assert not lost[units == 0].any()
    assert lost[units > 0].max() > 0


def test_patient_customers_are_left_to_the_network_and_impatient_ones_get_stock_nearby() -> None:
    chain = Chain(np.array([0.5, 0.5]), np.array([[0.0, 0.3], [0.3, 0.0]]))
    terms = Terms.plain(np.array([10.0, 10.0]), np.array([6.0, 6.0]))
    group = Group(chain, terms, 40.0)
    plan = decide_local(group, np.array([1.0, 0.0]), np.full(2, 4.1), WORK)
    assert plan.near_units[0] == 0
    assert plan.near_units[1] > 10
    assert plan.waits[0] > 18
    assert plan.waits[1] == 0
    assert plan.profit_usd >= plan.without_usd


def test_without_patience_the_tiers_are_the_group_alone() -> None:
    group = random_group(9, 5)
    chain = tiered_chain(group.chain, np.zeros(5))
    assert (chain.transition[:5, :5] == group.chain.transition).all()
    assert not chain.transition[:, 5:].any()
    plan = decide_local(group, np.zeros(5), np.ones(5), WORK)
    alone = profit(sampled(group, WORK), group.terms, plan.near_units)
    assert abs(plan.profit_usd - alone.profit_usd) < 1e-9


def test_a_catalog_buys_less_when_better_ones_are_to_come() -> None:
    present = Products(np.array([1.0, 1.0]), np.array([10.0, 10.0]), np.array([6.0, 6.0]))
    better = Products(np.array([3.0, 3.0]), np.array([20.0, 22.0]), np.array([6.0, 6.0]))
    found = accept(present, better, 3, 1.0, 60.0)
    assert found.alone_units.sum() > 20
    assert found.units.sum() < 0.6 * found.alone_units.sum()
    nothing = accept(present, better, 0, 1.0, 60.0)
    assert abs(nothing.units.sum() - found.alone_units.sum()) <= 4
