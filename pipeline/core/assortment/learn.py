"""A chain from offers and choices: expectation–maximization with the logit's chain as prior.

Şimşek & Topaloglu (Operations Research 2018) give the steps without a prior (see `expectation`).
The prior counts as `strength` moves from each product, so that where nothing was seen the chain is
the logit's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.core.arithmetic import product
from pipeline.core.assortment.chain import Chain, Floats
from pipeline.core.assortment.choices import Choices
from pipeline.core.assortment.expectation import FLOOR, expect
from pipeline.core.assortment.latent import Classes, one_class
from pipeline.core.assortment.logit import fit_logit

_ROUNDS, _CLOSE = 400, 1e-7


@dataclass(frozen=True)
class Prior:
    """arrival: [states] and transition: [states, states] of the logit's chain; the last state is
    leaving, from which nothing moves."""

    arrival: Floats
    transition: Floats


@dataclass(frozen=True)
class Learned:
    """chain; data_share: [products] share of what is said of a product's customers that comes from
    data, moves seen / (moves seen + strength); first_choices: [products] expected customers;
    left: customers inferred or seen to leave."""

    chain: Chain
    data_share: Floats
    first_choices: Floats
    left: float


def class_prior(classes: Classes) -> Prior:
    """Where the customers of classes of logits go (see `latent`); one class: the logit's chain."""
    chosen = classes.share[:, None] * classes.weight
    arrival = chosen.sum(axis=0)
    n = classes.weight.shape[1] - 1
    rest = np.maximum(1.0 - classes.weight, FLOOR)
    transition = product((chosen / rest).T, classes.weight)
    transition[np.arange(n + 1), np.arange(n + 1)] = 0.0
    transition[n] = 0.0
    transition[:n] /= np.maximum(transition[:n].sum(axis=1, keepdims=True), 1e-300)
    return Prior(arrival, transition)


def learn(
    choices: Choices, strength: float, prior: Prior | None = None, rounds: int = _ROUNDS
) -> Learned:
    """The chain that the choices make most likely, the prior counting as `strength` moves each.

    prior: that of the logit fitted to the same choices, unless given.
    """
    n = choices.offered.shape[1]
    if prior is None:
        prior = class_prior(one_class(*fit_logit(choices)))
    arrival, transition = prior.arrival.copy(), prior.transition.copy()
    offered = np.column_stack([choices.offered, np.full(len(choices), True)])
    counts = np.column_stack([choices.chosen, choices.left])
    coming = np.full(len(choices), -1.0)
    for _ in range(rounds):
        first, moves = np.zeros(n + 1), np.zeros((n + 1, n + 1))
        expect(arrival, transition, offered, counts, coming, first, moves)
        before = transition
        arrival, transition = _most_likely(first, moves, prior, strength)
        if np.abs(transition - before).max() < _CLOSE:
            break
    seen = moves[:n].sum(axis=1)
    share = seen / np.maximum(seen + strength, FLOOR)
    left = float(first[n] + moves[:, n].sum())
    return Learned(Chain(arrival[:n], transition[:n, :n]), share, first[:n], left)


def _most_likely(
    first: Floats, moves: Floats, prior: Prior, strength: float
) -> tuple[Floats, Floats]:
    """Arrival and transition from expected counts and the prior's; unseen rows are the prior's."""
    arrival = first + max(strength, FLOOR) * prior.arrival
    transition = moves + max(strength, FLOOR) * prior.transition
    total = transition.sum(axis=1, keepdims=True)
    return arrival / arrival.sum(), np.where(total > 0, transition / np.maximum(total, 1e-300), 0.0)
