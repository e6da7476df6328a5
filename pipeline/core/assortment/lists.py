"""Customers as preference lists: the one form in which any choice model enters the decision.

A season is a sequence of customers, each a list of products from first choice to last; she takes
the first that is in stock, or leaves. A list is a walk of the chain until it leaves, without what
she has been to; a ranking, a latent class or recorded choices give lists too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Array, Chain
from pipeline.kernels import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2 ** -53
_STEPS_EACH = 20  # a walk ends after this many steps for each product, 100 more for all


@dataclass(frozen=True)
class Seasons:
    """Sampled seasons: season w's customers are first[w]:first[w + 1], customer c's list is
    items[start[c]:start[c + 1]]; products: how many there are."""

    products: int
    first: NDArray[np.int64]
    start: NDArray[np.int64]
    items: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.first) - 1

    def take(self, seasons: int) -> Seasons:
        """The first so many seasons."""
        last = int(self.first[min(seasons, len(self))])
        return Seasons(
            self.products,
            self.first[: seasons + 1],
            self.start[: last + 1],
            self.items[: self.start[last]],
        )


@njit(nogil=True, cache=True)
def _uniform(state: np.uint64) -> tuple[np.uint64, float]:
    """SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): the next state and a number in [0, 1)."""
    state += _STEP
    z = (state ^ (state >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return state, np.float64((z ^ (z >> _S31)) >> _S11) * _TO_UNIT


@njit(nogil=True, cache=True)
def _place(cumulative: Array, u: float) -> int:
    """First position whose cumulative probability exceeds u; the length where none does."""
    low, high = 0, len(cumulative)
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > u:
            high = middle
        else:
            low = middle + 1
    return low


@njit(nogil=True, cache=True)
def _walk(
    arrival: Array, onward: Array, seed: np.uint64, season: int, customer: int, seen: Array,
    found: Array,
) -> int:  # fmt: skip
    """One customer's list into `found`, its length returned; seen: [products] scratch, all 0."""
    n = len(arrival)
    state = seed + _MIX_1 * np.uint64(season + 1)
    state, _ = _uniform(state)
    state = state ^ (_MIX_2 * np.uint64(customer + 1))
    state, _ = _uniform(state)
    length, left = 0, 100 + _STEPS_EACH * n
    state, u = _uniform(state)
    at = _place(arrival, u)
    while at < n and left > 0:
        if seen[at] == 0:
            seen[at] = 1
            found[length] = at
            length += 1
            if length == n:
                break
        state, u = _uniform(state)
        at = _place(onward[at], u)
        left -= 1
    for p in range(length):
        seen[found[p]] = 0
    return length


@njit(nogil=True, cache=True)
def _lengths(arrival: Array, onward: Array, seed: np.uint64, first: Array, length: Array) -> None:
    seen, found = np.zeros(len(arrival), np.int8), np.empty(len(arrival), np.int32)
    for w in range(len(first) - 1):
        for c in range(first[w], first[w + 1]):
            length[c] = _walk(arrival, onward, seed, w, c - first[w], seen, found)


@njit(nogil=True, cache=True)
def _fill(
    arrival: Array, onward: Array, seed: np.uint64, first: Array, start: Array, items: Array
) -> None:
    seen, found = np.zeros(len(arrival), np.int8), np.empty(len(arrival), np.int32)
    for w in range(len(first) - 1):
        for c in range(first[w], first[w + 1]):
            length = _walk(arrival, onward, seed, w, c - first[w], seen, found)
            items[start[c] : start[c] + length] = found[:length]


def chain_seasons(chain: Chain, customers: NDArray[np.int64], seed: int) -> Seasons:
    """Seasons of `customers` [seasons] customers each, who walk the chain.

    Customer t of season w draws the same list whatever the others are: fewer seasons or customers
    are the first ones of more.
    """
    first = np.concatenate([[0], np.cumsum(customers)]).astype(np.int64)
    arrival = np.cumsum(chain.arrival)
    onward = np.cumsum(chain.transition, axis=1)
    length = np.zeros(first[-1], np.int64)
    _lengths(arrival, onward, np.uint64(seed), first, length)
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    items = np.empty(start[-1], np.int32)
    _fill(arrival, onward, np.uint64(seed), first, start, items)
    return Seasons(len(chain), first, start, items)


def listed_seasons(seasons: Sequence[Sequence[Sequence[int]]], products: int) -> Seasons:
    """Seasons from lists written out: of seasons, of customers, of products."""
    lists = [customer for season in seasons for customer in season]
    sizes = [len(season) for season in seasons]
    items = [product for customer in lists for product in customer]
    return Seasons(
        products,
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.concatenate([[0], np.cumsum([len(customer) for customer in lists])]).astype(np.int64),
        np.array(items, np.int32),
    )
