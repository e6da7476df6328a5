"""What a customer is worth where she stands, and the bound that follows: an optimal stopping.

Feldman & Topaloglu (2017): the best assortment without chance and without limits is the linear
programme max Σ m_i x_i, x_i + z_i = λ_i + Σ_j ρ_ji z_j. Its dual v_i = max(m_i, Σ_j ρ_ij v_j, 0) is
an optimal stopping problem, which state elimination solves exactly in one sweep (Sonin 1999):
no solver, no tolerance of a simplex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Array, Chain, Floats, eliminate
from pipeline.kernels import njit


@dataclass(frozen=True)
class FluidPlan:
    """served: [products] share of customers who buy each; value_usd: [products] worth of a customer
    who stands there; is_offered: [products]; bound_usd: worth of one customer, v·λ."""

    served: Floats
    value_usd: Floats
    is_offered: NDArray[np.bool_]
    bound_usd: float


@njit(nogil=True, cache=True)
def stop(margin: Array, flow: Array, ends: Array, offered: Array, value: Array) -> float:
    """Solve in place: flow, ends start as arrival and transition; returns the customer's worth."""
    n = len(margin)
    for k in range(n):
        offered[k] = margin[k] > 0.0
        if not offered[k]:
            eliminate(flow, ends, k)
    moved = True
    while moved:
        moved = False
        for i in range(n):
            if not offered[i]:
                continue
            onward = 0.0
            for j in range(n):
                if j != i:
                    onward += ends[i, j] * max(margin[j], 0.0)
            if onward > (margin[i] + 1e-12) * (1.0 - ends[i, i]):
                offered[i] = False
                eliminate(flow, ends, i)
                moved = True
    total = 0.0
    for i in range(n):
        value[i] = margin[i] if offered[i] else 0.0
        total += flow[i] * value[i]
    for i in range(n):
        for j in range(n):
            if not offered[i] and offered[j]:
                value[i] += ends[i, j] * value[j]
    return total


def fluid_plan(chain: Chain, margin_usd: Floats) -> FluidPlan:
    """The best offer to a stream of customers without chance; margin_usd: [products] of a sale.

    No stock of any size earns more per customer than `bound_usd`; with only an assortment to
    choose, its offer is optimal. Products of no margin are not offered.
    """
    n = len(chain)
    flow, ends = chain.arrival.copy(), chain.transition.copy()
    offered, value = np.zeros(n, np.bool_), np.zeros(n)
    bound = stop(margin_usd, flow, ends, offered, value)
    return FluidPlan(flow, value, offered, float(bound))
