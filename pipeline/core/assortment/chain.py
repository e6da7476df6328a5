"""The Markov chain choice model: who arrives wanting what, and where they turn when it is out.

Blanchet, Gallego & Goyal, Operations Research 64 (2016). A customer arrives at product i with
probability `arrival[i]`, buys it if it is offered, else moves to j with `transition[i, j]` and so
on; what the rows lack of one leaves without buying. Exact for the multinomial logit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels import njit

Array = NDArray[Any]
Floats = NDArray[np.float64]
_SLACK = 1e-6  # by which probabilities read from a file may exceed one


@dataclass(frozen=True)
class Chain:
    """arrival: [products]; transition: [products, products], no product leads to itself.

    Raises ValueError where a probability is negative, not finite, or a sum is above one.
    """

    arrival: Floats
    transition: Floats

    def __post_init__(self) -> None:
        n = len(self.arrival)
        if self.transition.shape != (n, n):
            raise ValueError(f"transition is {self.transition.shape}, not ({n}, {n})")
        for name, values in (("arrival", self.arrival[None]), ("transition", self.transition)):
            if not np.isfinite(values).all() or (values < 0).any():
                raise ValueError(f"{name} has a negative or missing probability")
            if n and values.sum(axis=1).max() > 1.0 + _SLACK:
                raise ValueError(f"{name} sums to {values.sum(axis=1).max():.6f}, above one")
        if self.transition.diagonal().any():
            raise ValueError("a product leads to itself")

    def __len__(self) -> int:
        return len(self.arrival)


def logit_chain(weights: Floats, outside: float) -> Chain:
    """The chain that equals a multinomial logit with these weights [products] and outside weight.

    arrival v_i / V and transition v_j / (V − v_i), V the sum of all weights (ibid., section 3).
    """
    total = weights.sum() + outside
    transition = weights[None, :] / (total - weights)[:, None]
    np.fill_diagonal(transition, 0.0)
    return Chain(weights / total, transition)


@njit(nogil=True, cache=True, error_model="numpy")
def eliminate(flow: Array, transition: Array, k: int) -> None:
    """Take product k out of offer, in place: whoever comes to it goes on to where it leads.

    flow: [products] arrivals; afterwards row i of `transition` says where a customer who finds i
    sold out ends or stands next, among the products not eliminated. No subtraction but that of
    the way back to k itself; the same digits on every processor.
    """
    n = len(flow)
    stays = 1.0 - transition[k, k]
    for j in range(n):  # customers who can only come back to k leave
        transition[k, j] = transition[k, j] / stays if j != k and stays > 1e-12 else 0.0
    for i in range(n):
        share = transition[i, k]
        if share != 0.0 and i != k:
            transition[i, k] = 0.0
            for j in range(n):
                transition[i, j] += share * transition[k, j]
    share = flow[k]
    flow[k] = 0.0
    for j in range(n):
        flow[j] += share * transition[k, j]


@njit(nogil=True, cache=True)
def _offer(arrival: Array, transition: Array, offered: Array, flow: Array, ends: Array) -> None:
    flow[:] = arrival
    ends[:] = transition
    for k in range(len(arrival)):
        if not offered[k]:
            eliminate(flow, ends, k)


def offer(chain: Chain, offered: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """What happens when the products of the mask `offered` [products] are in stock.

    Returns the probability that a customer buys each product [products] and, for a customer who
    stands at product i and finds it out, the probability [products, products] that she buys j:
    rows of products not offered.
    """
    flow, ends = np.empty(len(chain)), np.empty((len(chain), len(chain)))
    _offer(chain.arrival, chain.transition, offered, flow, ends)
    return flow, ends
