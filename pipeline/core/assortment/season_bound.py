"""The tighter bound: no stock of any size can earn more on average over seasons like these.

In season w, A customers arrive wanting each product. Let the seller choose whom to pass on, and let
those passed on move in the chain's proportions: a linear programme for each season, tied by the
units q bought before (x_iʷ ≤ q_i, sample average approximation). Its dual prices a unit of i in
season w at μ_iʷ, on average over seasons what a unit costs, and each season is then an optimal
stopping problem. *Any* such prices bound the programme; a few dozen steps of subgradient descent
find good ones. The mean over independent samples bounds the true optimum from above in expectation
(Mak, Morton & Wood, Operations Research Letters 1999), which gives the one-sided confidence limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Array, Chain, Floats
from pipeline.core.assortment.season_sizes import season_sizes
from pipeline.core.assortment.stopping import stop
from pipeline.core.assortment.terms import Terms
from pipeline.kernels import njit

_STUDENT_95 = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833)
"""One-sided 95 % points of Student's t with 1, 2, … degrees of freedom."""


@dataclass(frozen=True)
class SeasonBound:
    """mean_usd of `samples` independent bounds, and upper_usd that the true one lies below with
    95 % confidence."""

    mean_usd: float
    upper_usd: float
    samples: int


@njit(nogil=True, cache=True)
def _value(
    arrivals: Array, transition: Array, price: Array, unit: Array, served: Array
) -> float:  # fmt: skip
    """Σ_w of the seasons' stopping values at unit prices [seasons, products]; served likewise."""
    n = len(price)
    ends, offered, value = np.empty((n, n)), np.zeros(n, np.bool_), np.zeros(n)
    total = 0.0
    for w in range(len(arrivals)):
        served[w] = arrivals[w]
        ends[:] = transition
        total += stop(price - unit[w], served[w], ends, offered, value)
    return total


@njit(nogil=True, cache=True)
def _project(unit: Array, cost: Array) -> None:
    """Nearest prices [seasons, products] ≥ 0 with each product's mean at its cost, in place."""
    seasons = len(unit)
    for i in range(unit.shape[1]):
        ordered = np.sort(unit[:, i])[::-1]
        held, shift = 0.0, 0.0
        for k in range(seasons):
            held += ordered[k]
            trial = (held - seasons * cost[i]) / (k + 1)
            if k == 0 or ordered[k] > trial:
                shift = trial
        for w in range(seasons):
            unit[w, i] = max(unit[w, i] - shift, 0.0)


def _sampled_arrivals(chain: Chain, sizes: NDArray[np.int64], seed: int) -> Floats:
    random = np.random.Generator(np.random.PCG64(seed))
    chances = np.append(chain.arrival, max(1.0 - chain.arrival.sum(), 0.0))
    drawn = random.multinomial(sizes, chances / chances.sum())
    return np.asarray(drawn[:, :-1], np.float64)


def season_bound(
    chain: Chain, terms: Terms, customers: float, earned_usd: float, *, seasons: int = 50,
    samples: int = 4, steps: int = 120, dispersion: float = 1.0, seed: int = 1,
) -> SeasonBound:  # fmt: skip
    """Upper bound on the expected profit of any units; earned_usd: what a plan is known to earn.

    Salvage counts as lower cost and lower price; listing costs and cases are left out, which keeps
    the bound valid. Work: samples × steps × seasons × one stopping problem.
    """
    price = np.where(terms.is_open, terms.price_usd - terms.salvage_usd, 0.0)
    cost = np.maximum(terms.unit_cost_usd - terms.salvage_usd, 0.0)
    found = []
    for sample in range(samples):
        sizes = season_sizes(customers, seasons * (sample + 1), dispersion)[-seasons:]
        arrivals = _sampled_arrivals(chain, sizes, seed + sample)
        found.append(_descend(arrivals, chain.transition, price, cost, earned_usd, steps))
    mean = float(np.mean(found))
    if samples < 2:
        return SeasonBound(mean, np.inf, samples)
    point = _STUDENT_95[min(samples - 1, len(_STUDENT_95)) - 1]
    return SeasonBound(mean, mean + point * float(np.std(found, ddof=1)) / samples**0.5, samples)


def _descend(
    arrivals: Floats, transition: Floats, price: Floats, cost: Floats, earned: float, steps: int
) -> float:
    """The least bound that Polyak's steps find, aiming below the best so far by a part of what is
    open; the part falls when three steps in a row bring nothing."""
    seasons = len(arrivals)
    unit, served = np.tile(cost, (seasons, 1)), np.empty_like(arrivals)
    best, kept, part, idle = np.inf, unit, 0.5, 0
    scale = np.maximum(cost, 1e-9)
    for _ in range(steps):
        bound = _value(arrivals, transition, price, unit, served) / seasons
        idle = 0 if bound < best - 1e-5 * abs(best) else idle + 1
        if bound < best:
            best, kept = bound, unit
        if idle >= 3:
            idle, part, unit = 0, 0.6 * part, kept
            _value(arrivals, transition, price, unit, served)
            bound = best
        slope = (served.mean(axis=0) - served) * scale
        length = float((slope * slope).sum()) / seasons
        if length < 1e-18:
            break
        unit = unit - (bound - best + part * max(best - earned, 0.0)) / length * slope * scale
        _project(unit, cost)
    return best
