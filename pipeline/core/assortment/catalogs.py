"""Catalogs that arrive one after another: what to accept of this one while the next are unknown.

Two stages. Later catalogs are sampled from products of past ones; for each sample the later units
are chosen knowing it, and this catalog's units are climbed to the best mean over all samples, the
later units answering in turn (El Housni et al. decide a whole season at once; vendors do not).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Floats, logit_chain
from pipeline.core.assortment.decide import QUICK, decide
from pipeline.core.assortment.lists import Seasons, chain_seasons
from pipeline.core.assortment.season_sizes import season_sizes
from pipeline.core.assortment.terms import Terms, profit

_ROUNDS, _PASSES = 3, 25


@dataclass(frozen=True)
class Products:
    """Products on offer by a vendor: logit weight, price and unit cost, arrays [products]."""

    weight: Floats
    price_usd: Floats
    unit_cost_usd: Floats


@dataclass(frozen=True)
class Accepted:
    """units: [products] of this catalog; profit_usd: expected of the whole season; alone_units:
    what would be bought if no other catalog came."""

    units: NDArray[np.int64]
    profit_usd: float
    alone_units: NDArray[np.int64]


@dataclass(frozen=True)
class _Future:
    seasons: Seasons
    terms: Terms
    weights: Floats


def accept(
    present: Products, past: Products, later_products: int, outside: float, customers: float,
    *, samples: int = 8, seasons: int = 60, seed: int = 1,
) -> Accepted:  # fmt: skip
    """Units of the present catalog. past: products from which later catalogs are drawn;
    later_products: how many are still to come; outside: weight of leaving."""
    random = np.random.Generator(np.random.PCG64(seed))
    sizes = season_sizes(customers, seasons)
    n = len(present.weight)
    futures = [
        _future(present, past, random.integers(0, len(past.weight), later_products), outside,
                sizes, seed + s)
        for s in range(samples)
    ]  # fmt: skip
    alone = _future(present, past, np.zeros(0, np.int64), outside, sizes, seed)
    alone_units = decide(
        logit_chain(alone.weights, outside), alone.terms, alone.seasons, QUICK
    ).best.units  # fmt: skip
    plans = [
        decide(logit_chain(f.weights, outside), f.terms, f.seasons, QUICK).best.units
        for f in futures
    ]
    units = np.rint(np.mean([plan[:n] for plan in plans], axis=0)).astype(np.int64)
    later = [plan[n:] for plan in plans]
    value = -np.inf
    for _ in range(_ROUNDS):
        later = [_answer(f, units, mine) for f, mine in zip(futures, later, strict=True)]
        units, value = _climb(futures, units, later)
    return Accepted(units, value, alone_units)


def _future(
    present: Products, past: Products, drawn: NDArray[np.int64], outside: float,
    sizes: NDArray[np.int64], seed: int,
) -> _Future:  # fmt: skip
    weights = np.concatenate([present.weight, past.weight[drawn]])
    terms = Terms.plain(
        np.concatenate([present.price_usd, past.price_usd[drawn]]),
        np.concatenate([present.unit_cost_usd, past.unit_cost_usd[drawn]]),
    )
    return _Future(chain_seasons(logit_chain(weights, outside), sizes, seed), terms, weights)


def _answer(
    future: _Future, units: NDArray[np.int64], later: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The later units, climbed while the present ones stay: single steps of every product."""
    n = len(units)
    at = profit(future.seasons, future.terms, np.concatenate([units, later]))
    share = 1.0
    for _ in range(_PASSES):
        step = _step(at.outcome.more_usd, at.outcome.fewer_usd, future.terms, at.units, n, share)
        trial = profit(future.seasons, future.terms, at.units + step)
        if trial.profit_usd > at.profit_usd + 1e-9:
            at = trial
        else:
            share *= 0.5
    return at.units[n:]


def _step(
    more: Floats, fewer: Floats, terms: Terms, units: NDArray[np.int64], fixed: int, share: float
) -> NDArray[np.int64]:
    """±1 for the products, beyond the first `fixed`, with the largest gains."""
    up = more - terms.unit_cost_usd
    down = np.where(units > 0, terms.unit_cost_usd - fewer, -np.inf)
    gain = np.maximum(up, down)
    gain[:fixed] = -np.inf
    able = np.flatnonzero(gain > 1e-9)
    chosen = able[np.argsort(-gain[able], kind="stable")][: max(1, int(share * len(able)))]
    step = np.zeros(len(units), np.int64)
    step[chosen] = np.where(up[chosen] >= down[chosen], 1, -1)
    return step


def _climb(
    futures: Sequence[_Future], units: NDArray[np.int64], later: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], float]:
    """The present units, climbed on the mean over futures while the later ones stay."""
    n = len(units)
    plain = replace(
        futures[0].terms,
        **{
            name: getattr(futures[0].terms, name)[:n]
            for name in ("price_usd", "unit_cost_usd", "salvage_usd", "listing_usd", "case_units",
                         "is_open")
        },
    )  # fmt: skip

    def mean(trial: NDArray[np.int64]) -> tuple[float, Floats, Floats]:
        found = [
            profit(f.seasons, f.terms, np.concatenate([trial, mine]))
            for f, mine in zip(futures, later, strict=True)
        ]
        return (
            float(np.mean([one.profit_usd for one in found])),
            np.mean([one.outcome.more_usd[:n] for one in found], axis=0),
            np.mean([one.outcome.fewer_usd[:n] for one in found], axis=0),
        )

    value, more, fewer = mean(units)
    share = 1.0
    for _ in range(_PASSES):
        trial = units + _step(more, fewer, plain, units, 0, share)
        found = mean(trial)
        if found[0] > value + 1e-9:
            units, (value, more, fewer) = trial, found
        else:
            share *= 0.5
    return units, value
