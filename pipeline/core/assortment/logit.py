"""The multinomial logit, the simplest choice model and the prior of the chain.

Fitted by minorization–maximization (Hunter, Annals of Statistics 2004): v_i ← times chosen over
Σ choices from each offer / its total weight. A little weight on an even choice from everything
keeps products that nobody bought above zero.
"""

from __future__ import annotations

import numpy as np

from pipeline.core.arithmetic import product
from pipeline.core.assortment.chain import Floats
from pipeline.core.assortment.choices import Choices

_ROUNDS, _CLOSE = 2000, 1e-10
_EVEN_CHOICES = 0.5  # for each product


def fit_logit(choices: Choices, rounds: int = _ROUNDS) -> tuple[Floats, float]:
    """Weights [products] that add up to 1, and the weight of leaving (0 if nobody is seen to).

    Leavers are used where they are seen; inferred ones are not.
    """
    offered = np.column_stack([choices.offered, np.full(len(choices), True)]).astype(float)
    left = choices.left if choices.arrivals is None else np.zeros(len(choices))
    wins = np.column_stack([choices.chosen, left])
    seen = wins.sum(axis=1)
    n = choices.offered.shape[1]
    wanted = wins.sum(axis=0)
    wanted[:n] += _EVEN_CHOICES
    weight = np.full(n + 1, 1.0 / n)
    if not left.any():
        weight[n] = 0.0
    for _ in range(rounds):
        total = product(offered, weight)
        tries = product(seen / total, offered)
        tries[:n] += _EVEN_CHOICES * n / weight[:n].sum()
        new = np.where(weight > 0, wanted / tries, 0.0)
        new /= new[:n].sum()
        moved = np.abs(new - weight).max()
        weight = new
        if moved < _CLOSE:
            break
    return weight[:n], float(weight[n])
