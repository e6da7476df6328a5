"""Classes of customers, each a logit: where neighbours are alike, and a better prior of the chain.

Fitted by expectation–maximization over classes, each class pulled to the one logit of all by a few
imagined choices. One class is the logit itself. Its chain moves a customer of i on by the classes
that choose i: λ_i = Σ_k π_k v_ki, ρ_ij = Σ_k π_k v_ki v_kj / (1 − v_ki) / λ_i (Blanchet, Gallego &
Goyal 2016, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.core.arithmetic import product
from pipeline.core.assortment.chain import Floats
from pipeline.core.assortment.choices import Choices
from pipeline.core.assortment.logit import fit_logit

_ROUNDS, _CLOSE = 300, 1e-8
_PULL = 5.0  # choices from everything that each class is imagined to make as all do
_STARTS = 3
_SEED = 20160424


@dataclass(frozen=True)
class Classes:
    """share: [classes]; weight: [classes, states] of each product and, last, of leaving; each row
    adds up to one."""

    share: Floats
    weight: Floats


def one_class(weights: Floats, outside: float) -> Classes:
    """The logit as the only class."""
    weight = np.append(weights, outside)
    return Classes(np.ones(1), weight[None, :] / weight.sum())


def fit_classes(choices: Choices, classes: int) -> Classes:
    """So many classes, from the most likely of a few starts; leavers only where they are seen."""
    pooled = one_class(*fit_logit(choices))
    if classes == 1:
        return pooled
    offered = np.column_stack([choices.offered, np.full(len(choices), True)]).astype(float)
    left = choices.left if choices.arrivals is None else np.zeros(len(choices))
    counts = np.column_stack([choices.chosen, left])
    random = np.random.Generator(np.random.PCG64(_SEED))
    best, most = pooled, -np.inf
    for _ in range(_STARTS):
        tilt = np.exp(random.normal(0.0, 1.0, (classes, counts.shape[1])))
        found, fit = _fitted(offered, counts, pooled.weight[0], tilt)
        if fit > most:
            best, most = found, fit
    return best


def _fitted(offered: Floats, counts: Floats, pooled: Floats, tilt: Floats) -> tuple[Classes, float]:
    weight = pooled * tilt
    weight /= weight.sum(axis=1, keepdims=True)
    share = np.full(len(tilt), 1.0 / len(tilt))
    fit = -np.inf
    for _ in range(_ROUNDS):
        chance = weight[:, None, :] * offered / product(weight, offered.T)[:, :, None]
        joint = share[:, None, None] * chance
        total = np.maximum(joint.sum(axis=0), 1e-300)
        mine = joint / total * counts
        before, fit = fit, float((counts * np.log(total))[counts > 0].sum())
        share = mine.sum(axis=(1, 2)) + 1.0
        share /= share.sum()
        for _inner in range(3):
            tries = mine.sum(axis=2) / product(weight, offered.T)
            asked = product(tries, offered) + _PULL / weight.sum(axis=1, keepdims=True)
            weight = (mine.sum(axis=1) + _PULL * pooled) / np.maximum(asked, 1e-300)
            weight /= weight.sum(axis=1, keepdims=True)
        if fit - before < _CLOSE * abs(fit):
            break
    return Classes(share, weight), fit
