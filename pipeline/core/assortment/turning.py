"""How many turn to another product, and to which, where those who leave are not seen.

Retail sales tell little of each pair of products: where every chance is at least zero, the luck of
pairs adds up to too many who turn. How many turn is therefore one chance for the whole group,
learned from the group's sums (`expected_staying`): on days with products out these are smaller by
those who left. Whom they turn to is learned with it held fixed (`learn_turning`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Chain, Floats
from pipeline.core.assortment.choices import Choices
from pipeline.core.assortment.expectation import FLOOR, expect
from pipeline.core.assortment.latent import one_class
from pipeline.core.assortment.learn import Learned, Prior, class_prior

_ROUNDS, _CLOSE = 400, 1e-7
_GRID = np.linspace(0.0, 1.0, 21)
_NOBODY = 0.5  # belief, before any sale is seen, that nobody turns; any other share is as likely


def leaving_prior(weights: Floats, leaves: float) -> Prior:
    """Nobody leaves while her first choice is there; who misses it leaves with chance `leaves`, or
    turns to the others by their weights [products]."""
    inside = class_prior(one_class(weights, 0.0))
    n = len(weights)
    transition = inside.transition.copy()
    transition[:n] *= 1.0 - leaves
    transition[:n, n] = leaves if n > 1 else 1.0
    return Prior(inside.arrival, transition)


def expected_staying(
    sold: Floats, seen: NDArray[np.bool_], means: Callable[[float], Floats]
) -> float:
    """Expected chance that who misses her choice turns to another rather than leaves.

    sold: [series, days] units of the group; seen: days observed; means(stay): the units [series,
    days] that so many who stay would make likely. Sales are Poisson, overdispersed as much as the
    best fit leaves; half of the belief beforehand is that nobody turns, so that a plan counts on
    others winning customers back only as far as sales say so.
    """
    each, best, spread = np.empty(len(_GRID)), -np.inf, 1.0
    for k, stay in enumerate(_GRID):
        mean = means(float(stay))
        at = seen & (mean > FLOOR)
        n, m = sold[at], mean[at]
        each[k] = (n * np.log(m) - m).sum()
        if each[k] > best and len(n):
            best, spread = each[k], max(float(((n - m) ** 2 / m).mean()), 1.0)
    fine = np.linspace(0.0, 1.0, 10 * (len(_GRID) - 1) + 1)
    likely = np.exp((np.interp(fine, _GRID, each) - best) / spread)
    belief = np.full(len(fine), (1.0 - _NOBODY) / (len(fine) - 1))
    belief[0] = _NOBODY
    likely *= belief
    return float((likely * fine).sum() / likely.sum())


def learn_turning(
    choices: Sequence[Choices], weights: Sequence[Floats], stay: float, strength: float
) -> tuple[Learned, list[Chain]]:
    """Where those who turn turn to: one chain for all series, and each series' with its own mix.

    choices: of each series, with `arrivals`; weights: its logit's [products]; stay: chance of
    turning, of every product; strength: moves from a product that the logit's chain counts for.
    """
    n = len(weights[0])
    size = np.array([each.chosen.sum() for each in choices])
    size = size / size.sum() if size.sum() > 0 else np.full(len(choices), 1.0 / len(choices))
    pooled = sum((s * w for s, w in zip(size, weights, strict=True)), np.zeros(n))
    prior = leaving_prior(pooled, 1.0 - stay)
    arrivals = [np.append(w, 0.0) for w in weights]
    transition = prior.transition.copy()
    whole = [_with_leaving(each) for each in choices]
    for _ in range(_ROUNDS):
        moves, firsts = np.zeros((n + 1, n + 1)), []
        for arrival, (offered, counts, coming) in zip(arrivals, whole, strict=True):
            first = np.zeros(n + 1)
            expect(arrival, transition, offered, counts, coming, first, moves)
            firsts.append(first)
        before = transition
        transition = _turned(moves, prior, stay, strength)
        arrivals = [_mix(f, w, strength) for f, w in zip(firsts, weights, strict=True)]
        if np.abs(transition - before).max() < _CLOSE:
            break
    onward = transition[:n, :n]
    moved = moves[:n].sum(axis=1)
    total = np.sum(firsts, axis=0)
    mean = _mix(total, pooled, strength)[:n]
    learned = Learned(
        Chain(mean, onward), moved / np.maximum(moved + strength, FLOOR), total[:n],
        float(moves[:, n].sum()),
    )  # fmt: skip
    return learned, [Chain(arrival[:n], onward) for arrival in arrivals]


def _with_leaving(choices: Choices) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Offers and counts with leaving as the last state, always there; customers expected."""
    offered = np.column_stack([choices.offered, np.full(len(choices), True)])
    coming = np.full(len(choices), -1.0) if choices.arrivals is None else choices.arrivals
    return offered, np.column_stack([choices.chosen, choices.left]), coming


def _turned(moves: Floats, prior: Prior, stay: float, strength: float) -> Floats:
    """Transitions from expected moves and the prior's, `stay` of each product's going on."""
    n = len(moves) - 1
    onward = moves[:n, :n] + max(strength, FLOOR) * prior.transition[:n, :n]
    total = onward.sum(axis=1, keepdims=True)
    found = prior.transition.copy()
    found[:n, :n] = np.where(total > 0, stay * onward / np.maximum(total, 1e-300), 0.0)
    return found


def _mix(first: Floats, weights: Floats, strength: float) -> Floats:
    """What customers come for [states], from expected first choices and the logit's."""
    arrival = first + max(strength, FLOOR) * np.append(weights, 0.0)
    arrival[-1] = 0.0
    return np.asarray(arrival / arrival.sum())
