"""Quantities product by product, as if what is offered were never out: where the climb starts.

`thresholded` is our reading of El Housni et al. (Management Science 2023): of the products that the
bound would offer, keep those that sell most, so that demand pools, and give each its newsvendor
quantity; how many is tried out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Array
from pipeline.core.assortment.lists import Seasons
from pipeline.core.assortment.terms import Terms, Trial, profit
from pipeline.kernels import njit

_SHRINK = 0.8  # each assortment tried has this share of the products of the one before


@njit(nogil=True, cache=True)
def _demands(first: Array, start: Array, items: Array, offered: Array, demand: Array) -> None:
    for w in range(len(first) - 1):
        for c in range(first[w], first[w + 1]):
            for p in range(start[c], start[c + 1]):
                if offered[items[p]]:
                    demand[items[p], w] += 1
                    break


def demands(seasons: Seasons, offered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Units [products, seasons] asked of each product if the offered ones never run out."""
    found = np.zeros((seasons.products, len(seasons)), np.int64)
    _demands(seasons.first, seasons.start, seasons.items, offered, found)
    return found


def newsvendor(seasons: Seasons, terms: Terms, offered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The quantile of each offered product's demand at its critical ratio, in whole cases."""
    demand = np.sort(demands(seasons, offered & terms.is_open), axis=1)
    rank = np.ceil(terms.critical_ratio * len(seasons)).astype(np.int64) - 1
    units = np.take_along_axis(demand, np.maximum(rank, 0)[:, None], axis=1)[:, 0]
    units = np.where(terms.margin_usd > 0, units, 0)
    cases = (2 * units + terms.case_units) // (2 * terms.case_units)
    return np.asarray(cases * terms.case_units)


def first_choices(seasons: Seasons, terms: Terms) -> NDArray[np.int64]:
    """Quantities of a planner who knows of no substitution: first choices only."""
    return newsvendor(seasons, terms, np.full(seasons.products, True))


def thresholded(
    seasons: Seasons, terms: Terms, served: NDArray[np.float64], offered: NDArray[np.bool_]
) -> list[Trial]:
    """Trials of the offered products, then of ever fewer, those with most sales `served` first."""
    order = np.argsort(-np.where(offered, served, -1.0), kind="stable")
    count, trials = int(offered.sum()), []
    while count > 0:
        kept = np.zeros(len(offered), np.bool_)
        kept[order[:count]] = True
        trials.append(profit(seasons, terms, newsvendor(seasons, terms, kept), False))
        count = min(int(count * _SHRINK), count - 1)
    return trials
