"""What retail sales say: who came is not seen, what was in stock is.

Sales n_jt ~ Poisson(Λ_t P_j(S_t)): Λ_t, the customers of a region's day if everything were in
stock, is the group's sales of the weeks around over the share of customers who found something,
times the weekday's pattern; S_t is what was in stock. A day on which an item was there for a share
of the time is shared out over the offers in between: items leave the shelf one by one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Chain, Floats, offer
from pipeline.core.assortment.choices import Choices, grouped
from pipeline.core.assortment.learn import Learned
from pipeline.core.assortment.logit import fit_logit
from pipeline.core.assortment.turning import expected_staying, learn_turning, leaving_prior

_WINDOW_DAYS = 57
_FEW = 1e-9


@dataclass(frozen=True)
class RetailFit:
    """learned; first_choices, recaptured: [series, days, products] units that customers wanted
    first, and units sold to those who had wanted another; arrivals: [series, days]."""

    learned: Learned
    first_choices: Floats
    recaptured: Floats
    arrivals: Floats


@dataclass(frozen=True)
class _Parts:
    """Parts of days with one offer each: the day (flat), the share of it, the offer's place."""

    day: NDArray[np.int64]
    share: Floats
    offers: NDArray[np.bool_]
    which: NDArray[np.int64]


def learn_retail(units: Floats, in_stock: Floats, strength: float) -> RetailFit:
    """The chain behind sales; units, in_stock: [series, days, products], NaN units not observed.

    strength: moves that the prior counts for (see `learn_turning`). Days without any observation
    are left out; sales on days when an item is said to be out count as in stock for the share sold.
    """
    series, days, n = units.shape
    seen: NDArray[np.bool_] = np.asarray(np.isfinite(units).all(axis=2))
    sold = np.where(seen[:, :, None], np.nan_to_num(units), 0.0)
    share = np.where(sold > 0, np.maximum(in_stock, 0.05), in_stock)
    parts = [_parts(each) for each in share]
    total = sold.sum(axis=2)
    each = range(series)
    weights = [fit_logit(_choices(parts[r], sold[r], total[r], seen[r]))[0] for r in each]

    def coming(stay: float) -> tuple[Floats, Floats]:
        """Customers, and the share of them that found something, if so many turn."""
        found = np.ones((series, days))
        for r in each:
            prior = leaving_prior(weights[r], 1.0 - stay)
            chain = Chain(prior.arrival[:n], prior.transition[:n, :n])
            found[r] = _chances(chain, parts[r]).sum(axis=1)
        return _arrivals(total, found, seen), found

    def means(stay: float) -> Floats:
        came, found = coming(stay)
        return came * found

    stay = expected_staying(total, seen, means)
    came = coming(stay)[0]
    choices = [_choices(parts[r], sold[r], came[r], seen[r]) for r in each]
    learned, chains = learn_turning(choices, weights, stay, strength)
    first, taken = np.empty(sold.shape), np.empty(sold.shape)
    for r in each:
        first[r] = _first_choices(chains[r], parts[r], sold[r], came[r])
        own = chains[r].arrival * came[r][:, None] * share[r]
        chances = _chances(chains[r], parts[r])
        others = 1.0 - own / np.maximum(chances * came[r][:, None], _FEW)
        taken[r] = sold[r] * np.clip(others, 0.0, 1.0)
    return RetailFit(learned, np.where(seen[:, :, None], first, np.nan), taken, came)


def _parts(share: Floats) -> _Parts:
    """Each day's offers: items leave in order of the share of the day that they were there."""
    whole = (share >= 1.0) | (share <= 0.0)
    day, weight, offer_of = [], [], []
    simple = whole.all(axis=1)
    day.append(np.flatnonzero(simple))
    weight.append(np.ones(len(day[0])))
    offer_of.append(share[simple] >= 1.0)
    for d in np.flatnonzero(~simple):
        ends = np.unique(np.concatenate([[0.0, 1.0], np.clip(share[d], 0.0, 1.0)]))
        for low, high in itertools.pairwise(ends):
            day.append(np.array([d]))
            weight.append(np.array([high - low]))
            offer_of.append((share[d] >= high - 1e-12)[None, :])
    masks, which = np.unique(np.concatenate(offer_of), axis=0, return_inverse=True)
    return _Parts(np.concatenate(day), np.concatenate(weight), masks, which.reshape(-1))


def _arrivals(sold: Floats, found: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Customers [series, days] if everything were in stock: sales over the share served, smoothed,
    with the weekday's pattern of the whole history."""
    kept = np.where(seen, sold, 0.0)
    base = np.where(seen, found, 0.0)
    days = sold.shape[1]
    weekday = np.arange(days) % 7
    level = _windowed(kept) / np.maximum(_windowed(base), _FEW)
    pattern = np.ones((len(sold), 7))
    for w in range(min(7, days)):
        at = weekday == w
        asked = (level * base)[:, at].sum(axis=1)
        pattern[:, w] = np.where(asked > 20.0, kept[:, at].sum(axis=1) / np.maximum(asked, _FEW), 1)
    return np.asarray(level * pattern[:, weekday])


def _windowed(values: Floats) -> Floats:
    """Centered moving sums along days."""
    half = _WINDOW_DAYS // 2
    total = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    day = np.arange(values.shape[1])
    return (
        total[:, np.minimum(day + half + 1, values.shape[1])] - total[:, np.maximum(day - half, 0)]
    )


def _choices(parts: _Parts, sold: Floats, coming: Floats, seen: NDArray[np.bool_]) -> Choices:
    """Counts by offer; a mixed day's sales are shared by the time that each item was there."""
    rows = np.flatnonzero(seen[parts.day])
    day, share, which = parts.day[rows], parts.share[rows], parts.which[rows]
    offered = parts.offers[which]
    there = np.zeros_like(sold)
    np.add.at(there, day, share[:, None] * offered)
    portion = np.where(offered, share[:, None] / np.maximum(there[day], _FEW), 0.0)
    return grouped(offered, sold[day] * portion, np.zeros(len(rows)), coming[day] * share)


def _chances(chain: Chain, parts: _Parts) -> Floats:
    """Probability [days, products] of selling each product to a customer of the day."""
    each = np.array([offer(chain, mask)[0] for mask in parts.offers])
    found = np.zeros((int(parts.day.max(initial=-1)) + 1, len(chain)))
    np.add.at(found, parts.day, parts.share[:, None] * each[parts.which])
    return found


def _first_choices(chain: Chain, parts: _Parts, sold: Floats, coming: Floats) -> Floats:
    """Expected first choices [days, products] given the day's sales and the customers expected.

    Of a product sold, those who wanted it first in proportion; of one that is out, those among the
    sales of others who had wanted it, and its share of the customers who are thought to have left.
    """
    found = np.zeros_like(sold)
    n = len(chain)
    there = np.zeros_like(sold)
    np.add.at(there, parts.day, parts.share[:, None] * parts.offers[parts.which])
    for o, mask in enumerate(parts.offers):
        flow, ends = offer(chain, mask)
        reached = np.where(mask[:, None], np.eye(n) * mask, ends * mask)  # first choice -> bought
        wanted = chain.arrival[:, None] * reached / np.maximum(flow, _FEW)[None, :]
        leaves = np.where(mask, 0.0, chain.arrival * np.maximum(1.0 - reached.sum(axis=1), 0.0))
        rows = np.flatnonzero(parts.which == o)
        day, share = parts.day[rows], parts.share[rows]
        portion = np.where(mask, share[:, None] / np.maximum(there[day], _FEW), 0.0)
        bought = sold[day] * portion
        gained = (bought[:, None, :] * wanted[None, :, :]).sum(axis=2)
        np.add.at(found, day, gained + (coming[day] * share)[:, None] * leaves)
    return found
