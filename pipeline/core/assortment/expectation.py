"""What customers must have wanted and where they turned, given what they chose from each offer.

For an offer with its complement U: F = (I − ρ_UU)⁻¹, P = λ_S + λ_U F ρ_US, w = counts / P,
B = F ρ_US. Expected first choices: λ_i w_i where offered, else λ_i (B w)_i; moves from i to j:
(λ_U F)_i ρ_ij times w_j or (B w)_j. Leaving is the last state, always on offer.
"""

import numpy as np

from pipeline.core.assortment.chain import Array
from pipeline.kernels import njit

FLOOR = 1e-12


@njit(nogil=True, cache=True)
def _visits(transition: Array, out: Array) -> Array:
    """F = (I − ρ_UU)⁻¹ by Gauss–Jordan without pivots: such a matrix needs none."""
    n = len(out)
    a, b = np.eye(n), np.eye(n)
    for i in range(n):
        for j in range(n):
            a[i, j] -= transition[out[i], out[j]]
    for k in range(n):
        pivot = max(a[k, k], FLOOR)
        a[k] /= pivot
        b[k] /= pivot
        for i in range(n):
            share = a[i, k]
            if i != k and share != 0.0:
                a[i] -= share * a[k]
                b[i] -= share * b[k]
    return b


@njit(nogil=True, cache=True)
def _weights(
    arrival: Array, transition: Array, come: Array, out: Array, offered: Array, counts: Array,
    coming: float, weight: Array,
) -> float:  # fmt: skip
    """w = counts / P into `weight`, 0 where not offered; returns the log-likelihood."""
    fit, leaving = 0.0, len(arrival) - 1
    for j in range(len(arrival)):
        weight[j] = 0.0
        if offered[j]:
            chance = arrival[j]
            for a in range(len(out)):
                chance += come[a] * transition[out[a], j]
            chance = max(chance, FLOOR)
            if j == leaving and coming >= 0.0:
                weight[j] = coming  # those who leave are as many as expected
            elif counts[j] > 0.0:
                weight[j] = counts[j] / chance
                fit += counts[j] * np.log(chance)
    return fit


@njit(nogil=True, cache=True)
def _add(
    arrival: Array, transition: Array, visits: Array, come: Array, out: Array, weight: Array,
    first: Array, moves: Array,
) -> None:  # fmt: skip
    """One offer's first choices and moves; weight gains (B w) where a product is out."""
    u, states = len(out), len(arrival)
    onward = np.zeros(u)
    for a in range(u):
        for j in range(states):
            onward[a] += transition[out[a], j] * weight[j]
    for a in range(u):
        ahead = 0.0
        for b in range(u):
            ahead += visits[a, b] * onward[b]
        weight[out[a]] = ahead
    for j in range(states):
        first[j] += arrival[j] * weight[j]
    for a in range(u):
        for j in range(states):
            moves[out[a], j] += come[a] * transition[out[a], j] * weight[j]


@njit(nogil=True, cache=True)
def expect(
    arrival: Array, transition: Array, offered: Array, counts: Array, coming: Array, first: Array,
    moves: Array,
) -> float:  # fmt: skip
    """Add expected first choices [states] and moves [states, states] of all offers, in place.

    offered, counts: [offers, states]; coming: [offers] customers expected where leavers are not
    seen, else −1. Returns the log-likelihood of the counts.
    """
    fit, weight = 0.0, np.empty(len(arrival))
    for o in range(len(offered)):
        out = np.flatnonzero(~offered[o])
        visits = _visits(transition, out)
        come = np.zeros(len(out))  # λ_U F
        for a in range(len(out)):
            come += arrival[out[a]] * visits[a]
        fit += _weights(
            arrival, transition, come, out, offered[o], counts[o], coming[o], weight
        )  # fmt: skip
        _add(arrival, transition, visits, come, out, weight, first, moves)
    return fit
