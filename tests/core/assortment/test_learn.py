import itertools

import numpy as np
import pytest

from pipeline.core.assortment.chain import Chain, logit_chain, offer
from pipeline.core.assortment.choices import Choices, grouped, log_likelihood
from pipeline.core.assortment.latent import fit_classes, one_class
from pipeline.core.assortment.learn import class_prior, learn
from pipeline.core.assortment.logit import fit_logit
from pipeline.core.assortment.penalty import by_choice, by_offer, learn_penalized, next_unseen_share
from tests.core.assortment.instances import random_chain

WEIGHTS = np.array([0.684, 0.859, 0.236, 0.471, 0.8, 0.875])


def sampled(chain: Chain, masks: np.ndarray, customers: float, seed: int) -> Choices:
    """Choices of so many customers from each offer."""
    random = np.random.default_rng(seed)
    chances = [np.append(f, 1 - f.sum()) for f in (offer(chain, mask)[0] for mask in masks)]
    counts = np.array([random.multinomial(int(customers), p / p.sum()) for p in chances], float)
    return Choices(masks, counts[:, :-1], counts[:, -1])


def all_masks(products: int) -> np.ndarray:
    """Every offer but the empty one."""
    return np.array(list(itertools.product((False, True), repeat=products))[1:])


def test_a_logit_is_recovered_from_its_own_choices() -> None:
    masks = all_masks(6)
    chain = logit_chain(WEIGHTS, 1.0)
    exact = np.array([offer(chain, mask)[0] for mask in masks]) * 1e6
    weights, outside = fit_logit(Choices(masks, exact, 1e6 - exact.sum(axis=1)))
    assert weights / outside == pytest.approx(WEIGHTS, rel=1e-4)


def test_the_chain_is_recovered_from_many_choices() -> None:
    random = np.random.default_rng(3)
    chain = random_chain(random, 4)
    learned = learn(sampled(chain, all_masks(4), 200_000, 1), 0.0, rounds=1000)
    assert learned.chain.arrival == pytest.approx(chain.arrival, abs=0.01)
    assert learned.chain.transition == pytest.approx(chain.transition, abs=0.04)
    assert (learned.data_share > 0.99).all()


def test_every_round_of_learning_makes_the_choices_likelier() -> None:
    choices = sampled(random_chain(np.random.default_rng(5), 5), all_masks(5)[::3], 50, 2)
    fits = [
        log_likelihood(learn(choices, 0.0, rounds=rounds).chain, choices, False)
        for rounds in (1, 2, 4, 8, 16, 64)
    ]
    assert fits == sorted(fits)


def test_without_information_about_substitution_the_chain_is_the_logits() -> None:
    everything = np.ones((1, 5), bool)
    choices = Choices(everything, np.array([[50.0, 30, 10, 5, 5]]), np.array([40.0]))
    learned = learn(choices, 10.0)
    logit = logit_chain(*fit_logit(choices))
    assert learned.chain.transition == pytest.approx(logit.transition, abs=1e-6)
    assert not learned.data_share.any()


def test_one_class_of_customers_is_the_logit_and_its_prior_the_logits_chain() -> None:
    choices = sampled(logit_chain(WEIGHTS, 1.0), all_masks(6)[::5], 200, 4)
    weights, outside = fit_logit(choices)
    assert fit_classes(choices, 1).weight[0] == pytest.approx(
        np.append(weights, outside) / (1 + outside)
    )
    prior = class_prior(one_class(weights, outside))
    logit = logit_chain(weights, outside)
    assert prior.arrival[:6] == pytest.approx(logit.arrival)
    assert prior.transition[:6, :6] == pytest.approx(logit.transition)


def test_two_classes_that_never_mix_are_told_apart_from_a_single_logit() -> None:
    masks = all_masks(4)
    first, second = np.array([0.7, 0.3, 1e-6, 1e-6]), np.array([1e-6, 1e-6, 0.4, 0.6])
    shares = 0.5 * masks * first / (masks @ first)[:, None]
    shares += 0.5 * masks * second / (masks @ second)[:, None]
    choices = Choices(masks, 1000 * shares, np.zeros(len(masks)))
    prior = class_prior(fit_classes(choices, 2))
    assert prior.transition[0, 1] > 0.9  # who misses 0 turns to 1, not to the other pair
    assert prior.transition[2, 3] > 0.9


def test_the_penalized_chain_predicts_unseen_offers_better_than_the_logit() -> None:
    random = np.random.default_rng(8)
    chain = random_chain(random, 6)
    masks = all_masks(6)
    shuffled = random.permutation(len(masks))
    known, unseen = masks[shuffled[:20]], masks[shuffled[20:]]
    chosen = learn_penalized(sampled(chain, known, 300, 1))
    logit = logit_chain(*fit_logit(sampled(chain, known, 300, 1)))
    truth = sampled(chain, unseen, 5000, 2)
    assert log_likelihood(chosen.learned.chain, truth) > log_likelihood(logit, truth)


def test_choices_of_a_logit_are_given_a_strong_prior() -> None:
    chosen = learn_penalized(sampled(logit_chain(WEIGHTS, 1.0), all_masks(6)[::5], 150, 6))
    assert chosen.strength > 30.0
    assert chosen.classes.sum() == pytest.approx(1.0)


def test_held_out_parts_add_up_to_the_choices() -> None:
    choices = sampled(logit_chain(WEIGHTS, 1.0), all_masks(6)[::7], 40, 6)
    held = sum(part.chosen for _, part in by_choice(choices))
    assert held == pytest.approx(choices.chosen)
    assert sum(len(part) for _, part in by_offer(choices)) == len(choices)
    once = Choices(np.eye(2, dtype=bool), np.array([[1.0, 0], [0, 3.0]]), np.zeros(2))
    assert next_unseen_share(once) == 0.25  # one choice of four is its offer's only one


def test_equal_offers_are_added_up_whatever_their_order() -> None:
    masks = np.array([[True, False], [True, True], [True, False]])
    chosen, left = np.array([[1.0, 0], [0, 2], [3, 0]]), np.array([1.0, 0, 1])
    one = grouped(masks, chosen, left)
    other = grouped(masks[::-1], chosen[::-1], left[::-1])
    assert one.chosen.tolist() == other.chosen.tolist() == [[4.0, 0.0], [0.0, 2.0]]
    assert one.left.tolist() == [2.0, 0.0]


def test_unusable_choices_say_what_is_wrong() -> None:
    choices = Choices(np.array([[True, False]]), np.array([[0.0, 2.0]]), np.zeros(1))
    assert choices.problems() == ["1 choices lie outside their offer"]
    nothing = Choices(np.zeros((1, 2), bool), np.zeros((1, 2)), np.zeros(1))
    assert nothing.problems() == ["nothing was ever offered", "nothing was ever chosen"]
