"""A chain whose customers look at prices: who arrives where, and who buys there, depend on them.

An offered product is not simply there: a customer who stands at i buys with probability a_i, which
falls with its price, or goes on like one who finds it out. With arrivals λ and transitions ρ the
visits solve y = λ + ρᵀ((1 − a) y) and product i sells a_i y_i. Offers are the case a ∈ {0, 1}; the
logit with prices is the case a = 1. λ = softmax(α + x·γ), a = σ(δ + x·η), x what is known of each
product that day (log price, deal, …). Fitted by penalized likelihood, slopes by implicit
differentiation; the penalty pulls each product's slopes to those of all, and the transitions to the
shares. No integer decision rests on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from pipeline.core.arithmetic import product
from pipeline.core.assortment.chain import Floats

_KEEN = 3.0  # a customer of a product at its usual price buys with σ(3) = 95 % at first
_LEAST = 1e-9


@dataclass(frozen=True)
class PricedChain:
    """base, keen: [products]; arrival_slope, buying_slope: [products, covariates]; turning:
    [products, products] logits of where a customer turns, those from a product to itself unused.
    buying is None for the logit: whoever arrives buys."""

    base: Floats
    arrival_slope: Floats
    keen: Floats
    buying_slope: Floats
    turning: Floats
    is_logit: bool = False

    def chances(self, covariates: Floats) -> Floats:
        """Probability of each product [days, products] given covariates [days, products, …]."""
        return _forward(self, covariates)[0]


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _turns(turning: Floats) -> Floats:
    logits = turning.copy()
    np.fill_diagonal(logits, -np.inf)
    return _softmax(logits)


def _forward(chain: PricedChain, x: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """chances, λ, a, visits [days, products] and the systems [days, products, products]."""
    arrival = _softmax(chain.base + (x * chain.arrival_slope).sum(axis=-1))
    if chain.is_logit:
        return arrival, arrival, np.ones_like(arrival), arrival, np.zeros((0, 0, 0))
    logits = np.clip(chain.keen + (x * chain.buying_slope).sum(axis=-1), -12.0, 12.0)
    buys = 1.0 / (1.0 + np.exp(-logits))
    system = np.eye(len(chain.base)) - _turns(chain.turning).T * (1.0 - buys)[:, None, :]
    visits = np.linalg.solve(system, arrival[:, :, None])[:, :, 0]
    return buys * visits, arrival, buys, visits, system


def _pack(chain: PricedChain) -> Floats:
    parts = [chain.base, chain.arrival_slope]
    if not chain.is_logit:
        parts += [chain.keen, chain.buying_slope, chain.turning]
    return np.concatenate([part.ravel() for part in parts])


def _unpack(values: Floats, like: PricedChain) -> PricedChain:
    parts = [like.base, like.arrival_slope, like.keen, like.buying_slope, like.turning]
    at = 0
    for p, part in enumerate(parts[: 2 if like.is_logit else 5]):
        parts[p] = values[at : at + part.size].reshape(part.shape)
        at += part.size
    return PricedChain(parts[0], parts[1], parts[2], parts[3], parts[4], like.is_logit)


def _gradient(chain: PricedChain, x: Floats, bought: Floats) -> tuple[float, PricedChain]:
    """−log-likelihood of bought [days, products] and its slopes, in a chain's shape."""
    chances, arrival, buys, visits, system = _forward(chain, x)
    loss = -float((bought * np.log(np.maximum(chances, _LEAST))).sum())
    if chain.is_logit:
        pull = arrival * bought.sum(axis=1, keepdims=True) - bought
        return loss, PricedChain(
            pull.sum(axis=0), (pull[:, :, None] * x).sum(axis=0), chain.keen, chain.buying_slope,
            chain.turning, True,
        )  # fmt: skip
    turns = _turns(chain.turning)
    to_visits = -bought / np.maximum(visits, _LEAST)
    worth = np.linalg.solve(system.transpose(0, 2, 1), to_visits[:, :, None])[:, :, 0]
    to_logits = arrival * (worth - (arrival * worth).sum(axis=1, keepdims=True))
    to_buys = -bought / np.maximum(buys, _LEAST) - visits * product(worth, turns.T)
    to_keen = to_buys * buys * (1.0 - buys)
    to_turns = product(((1.0 - buys) * visits).T, worth)
    to_turning = turns * (to_turns - (turns * to_turns).sum(axis=1, keepdims=True))
    return loss, PricedChain(
        to_logits.sum(axis=0), (to_logits[:, :, None] * x).sum(axis=0), to_keen.sum(axis=0),
        (to_keen[:, :, None] * x).sum(axis=0), to_turning,
    )  # fmt: skip


def _penalized(
    like: PricedChain, x: Floats, bought: Floats, pull: float, shares: Floats
) -> Callable[[Floats], tuple[float, Floats]]:
    """The function that is minimized, of packed values."""

    def function(values: Floats) -> tuple[float, Floats]:
        chain = _unpack(values, like)
        loss, slopes = _gradient(chain, x, bought)
        apart = [
            part - part.mean(axis=0) for part in (chain.arrival_slope, chain.buying_slope)
        ]  # fmt: skip
        off = chain.turning - np.log(shares)[None, :]
        off = off - off.mean(axis=1, keepdims=True)
        loss += 0.5 * pull * float((apart[0] ** 2).sum())
        arrival_slope = slopes.arrival_slope + pull * apart[0]
        if chain.is_logit:
            return loss, _pack(PricedChain(slopes.base, arrival_slope, off[0], off, off, True))
        loss += 0.5 * pull * float((apart[1] ** 2).sum() + (off**2).sum())
        loss += 0.5 * pull * float(((chain.keen - _KEEN) ** 2).sum())
        return loss, _pack(
            PricedChain(
                slopes.base, arrival_slope, slopes.keen + pull * (chain.keen - _KEEN),
                slopes.buying_slope + pull * apart[1], slopes.turning + pull * off,
            )
        )  # fmt: skip

    return function


def fit_priced(
    covariates: Floats, bought: Floats, pull: float, is_logit: bool = False, steps: int = 300
) -> PricedChain:
    """The chain that makes `bought` [days, products] most likely, given covariates
    [days, products, covariates]; pull: strength of the penalty, in purchases."""
    n, c = bought.shape[1], covariates.shape[2]
    shares = (bought.sum(axis=0) + 0.5) / (bought.sum() + 0.5 * n)
    start = PricedChain(
        np.log(shares), np.zeros((n, c)), np.full(n, _KEEN), np.zeros((n, c)),
        np.tile(np.log(shares), (n, 1)), is_logit,
    )  # fmt: skip
    function = _penalized(start, covariates, bought, pull, shares)
    options = {"maxiter": steps, "maxcor": 20}
    found = minimize(function, _pack(start), jac=True, method="L-BFGS-B", options=options)
    return _unpack(found.x, start)


def mean_log_likelihood(chain: PricedChain, covariates: Floats, bought: Floats) -> float:
    """Log-likelihood per unit bought."""
    chances = np.maximum(chain.chances(covariates), _LEAST)
    return float((bought * np.log(chances)).sum() / bought.sum())
