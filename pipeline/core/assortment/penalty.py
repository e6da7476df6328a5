"""How much to believe the prior: cross-validation over offers, over choices, or between the two.

A chain that is asked about an offer it has seen mostly repeats its shares; one asked what happens
when another product is dropped must carry over from other offers. Which of them counts depends on
what is asked: a decision asks about offers never seen (`unseen_share` 1, the default), a forecast
of the next customers mostly about old ones (`next_unseen_share`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.core.arithmetic import dot
from pipeline.core.assortment.chain import Floats, logit_chain
from pipeline.core.assortment.choices import Choices, log_likelihood
from pipeline.core.assortment.latent import fit_classes
from pipeline.core.assortment.learn import Learned, Prior, class_prior, learn
from pipeline.core.assortment.logit import fit_logit

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 10000.0)
"""Moves that the prior may count for."""
CLASSES = (1, 2, 3, 5)
"""Classes of the logit mixture that the prior may be the chain of; one is the logit."""
_USUAL, _USUAL_SPREAD = 50.0, 10.0  # strengths that held true elsewhere, as a factor
_FOLDS = 5
_ROUNDS = 150  # of each trial fit
_SEED = 20160424
_OFFER_COUNTS, _CHOICE_COUNTS = 0.2, 0.5  # choices held out together err together: they count less


@dataclass(frozen=True)
class Chosen:
    """learned with so many `classes` in the prior and at its `strength`; scores: [classes,
    strengths] log-likelihood per choice held out; logit_score: that of the logit."""

    learned: Learned
    classes: Floats
    strength: float
    scores: Floats
    logit_score: float


def next_unseen_share(choices: Choices) -> float:
    """Chance that the next customer meets an offer not seen yet: the share of choices that are the
    only one from their offer (Good & Turing)."""
    seen = choices.chosen.sum(axis=1)
    return float((seen == 1).sum() / max(seen.sum(), 1.0))


def by_offer(choices: Choices) -> list[tuple[Choices, Choices]]:
    """(kept, held) by fold: whole offers are held out; the most frequent are dealt out first."""
    order = np.argsort(-choices.chosen.sum(axis=1), kind="stable")
    fold = np.empty(len(choices), np.int64)
    fold[order] = np.arange(len(choices)) % _FOLDS
    return [(choices.take(fold != f), choices.take(fold == f)) for f in range(_FOLDS)]


def by_choice(choices: Choices) -> list[tuple[Choices, Choices]]:
    """(kept, held) by fold: a fifth of the choices is held out, whatever their offer."""
    counts = np.column_stack([choices.chosen, choices.left])
    whole = np.rint(counts).astype(np.int64)
    cell = np.repeat(np.arange(whole.size), whole.ravel())
    dealt = np.random.Generator(np.random.PCG64(_SEED)).permutation(len(cell)) % _FOLDS
    found = []
    for f in range(_FOLDS):
        held = np.bincount(cell[dealt == f], minlength=whole.size).reshape(whole.shape)
        parts = []
        rest: Floats = counts - held
        for part in (rest, counts - rest):
            parts.append(Choices(choices.offered, part[:, :-1], part[:, -1]))
        found.append((parts[0], parts[1]))
    return found


def _score(split: list[tuple[Choices, Choices]], given_purchase: bool) -> tuple[Floats, float]:
    """Log-likelihood per choice held out, [classes, strengths] and of the logit."""
    scores, logit_score, held_choices = np.zeros((len(CLASSES), len(STRENGTHS))), 0.0, 0.0
    for kept, held in split:
        if not held.chosen.any() or not kept.chosen.any():
            continue
        held_choices += held.chosen.sum()
        weights, outside = fit_logit(kept)
        logit_score += log_likelihood(logit_chain(weights, outside), held, given_purchase)
        for c, count in enumerate(CLASSES):
            prior = prior_of(kept, count)
            for s, strength in enumerate(STRENGTHS):
                chain = learn(kept, strength, prior, _ROUNDS).chain
                scores[c, s] += log_likelihood(chain, held, given_purchase)
    return scores / max(held_choices, 1.0), logit_score / max(held_choices, 1.0)


def prior_of(choices: Choices, classes: int) -> Prior:
    """The prior of so many classes."""
    return class_prior(fit_classes(choices, classes))


def learn_penalized(
    choices: Choices, unseen_share: float = 1.0, given_purchase: bool = True
) -> Chosen:
    """The chain with the prior, and the strength of it, that predict held-out choices best.

    unseen_share: weight of choices from offers not seen, the others' is the rest. Few choices
    cannot tell strengths apart: the one taken is the geometric mean of all,
    and the prior the mean of all, each weighted by how
    likely it makes the held-out choices and by how usual it is.
    """
    scores, logit_score = np.zeros((len(CLASSES), len(STRENGTHS))), 0.0
    for share, split in ((unseen_share, by_offer), (1.0 - unseen_share, by_choice)):
        if share > 0.0:
            found = _score(split(choices), given_purchase)
            scores, logit_score = scores + share * found[0], logit_score + share * found[1]
    place = np.log(np.array(STRENGTHS))
    usual = -0.5 * ((place - np.log(_USUAL)) / np.log(_USUAL_SPREAD)) ** 2
    counts = unseen_share * _OFFER_COUNTS + (1.0 - unseen_share) * _CHOICE_COUNTS
    belief = counts * choices.chosen.sum() * scores + usual
    belief = np.exp(belief - belief.max())
    belief /= belief.sum()
    strength = float(np.exp(dot(belief, np.broadcast_to(place, belief.shape))))
    by_class = belief.sum(axis=1)
    learned = learn(choices, strength, _blend([prior_of(choices, c) for c in CLASSES], by_class))
    return Chosen(learned, by_class, strength, scores, logit_score)


def _blend(priors: list[Prior], shares: Floats) -> Prior:
    """The mean of priors, weighted by shares."""
    return Prior(
        sum((s * p.arrival for s, p in zip(shares, priors, strict=True)), np.zeros(1)),
        sum((s * p.transition for s, p in zip(shares, priors, strict=True)), np.zeros(1)),
    )
