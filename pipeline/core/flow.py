"""What flows: ways into nodes over the weeks, their prices, and what they make of an item's gaps.

A unit served in a week from a node must have entered it, in that week or in an earlier one and then
waited. At prices the cheapest way costs

    m_jt = min( enter_jt + leave_ft + m_ft,  m_j,t-1 + holding_j + cube price_HELD,j,t-1 )

with f the node that feeds j (none where vendors deliver). There is no fixed cost, so one way is
best for all units: a running minimum over weeks. Serving from j costs m_jt + leave_jt.

A unit of demand that stands at set S is served from S's cheapest node at m_S, or goes on, which
costs g_S and what it costs there: h_S = min(m_S, g_S + h_parent), nothing beyond the root. So what
is served within S, E D_S - E(D_S - Y_S)+, pays h_S - h_parent more, and its gap falls to
g_S - (h_S - h_parent), never below zero: knots save the same share of their usd less. That the
cheapest node of S serves whatever stock of S is left relaxes the problem, so optima bound it.

(No fixed cost: the zero-inventory property of H. M. Wagner and T. M. Whitin, Management Science 5,
1958. Capacity prices over weeks: their Lagrangian.)
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels import njit

Array = NDArray[Any]

HELD, LEAVING, ENTERING = 0, 1, 2
"""Kinds of resources: what stands at a node, what leaves it; all from ENTERING on enter it."""


@njit(nogil=True, cache=True)
def is_priced(price: Array) -> bool:
    """Whether anything that flows has a price."""
    for t in range(price.shape[0]):
        for r in range(LEAVING, price.shape[1]):
            for j in range(price.shape[2]):
                if price[t, r, j] > 0.0:
                    return True
    return False


@njit(nogil=True, cache=True, inline="always")
def ways(
    week: int, turn: float, place_usd: Array, use: Array, price: Array, priced: bool,
    feeder: Array, order: Array, way: Array, waits: Array,
) -> None:  # fmt: skip
    """Usd ``way[t, j]`` of having a unit enter node j for week t, and whether it waits there from
    the week before; order: feeders first."""
    for t in range(week + 1):
        for i in range(len(order)):
            j = order[i]
            waits[t, j], way[t, j] = False, 0.0
            if not priced:
                continue
            usd = 0.0
            for r in range(ENTERING, len(use)):
                usd += use[r] * price[t, r, j]
            if feeder[j] >= 0:
                usd += use[LEAVING] * price[t, LEAVING, feeder[j]] + way[t, feeder[j]]
            if t > 0:
                kept = way[t - 1, j] + turn * (place_usd[j] + use[HELD] * price[t - 1, HELD, j])
                if kept < usd:
                    usd, waits[t, j] = kept, True
            way[t, j] = usd


@njit(nogil=True, cache=True, inline="always")
def gates(
    n_sets: int, parent: Array, home: Array, week: int, place_usd: Array, use: Array,
    price: Array, gap_usd: Array, way: Array, priced: bool, toll: Array, usd: Array, low: Array,
    share: Array, gate: Array,
) -> None:  # fmt: skip
    """By set the share of its gap that prices leave, zero where it does not serve; and the node
    that serves what stands there, -1 for none. usd: [nodes] of serving from each, with its
    toll."""
    for s in range(n_sets):
        low[s], gate[s] = np.inf, -1
    for j in range(len(home)):
        usd[j] = np.inf
        if home[j] >= 0 and place_usd[j] < np.inf:
            usd[j] = way[week, j] + toll[j]
            if priced:
                usd[j] += use[LEAVING] * price[week, LEAVING, j]
            if usd[j] < low[home[j]]:
                low[home[j]], gate[home[j]] = usd[j], j
    for s in range(n_sets - 1):
        if low[s] < low[parent[s]]:
            low[parent[s]], gate[parent[s]] = low[s], gate[s]
    for s in range(n_sets - 1, -1, -1):
        beyond, outside = 0.0, -1
        if parent[s] >= 0:
            beyond, outside = low[parent[s]], gate[parent[s]]
        if low[s] < gap_usd[s] + beyond:
            share[s] = 1.0 - (low[s] - beyond) / gap_usd[s] if gap_usd[s] > 0.0 else 0.0
        else:
            low[s], gate[s], share[s] = gap_usd[s] + beyond, outside, 0.0


@njit(nogil=True, cache=True, inline="always")
def unit_worth(
    week: int, place_usd: Array, use: Array, rise: Array, price: Array, way: Array, worth: Array
) -> None:
    """Minus the priced cost of a unit of level at each node."""
    for j in range(len(worth)):
        worth[j] = (
            -np.float64(place_usd[j]) - np.float64(use[HELD]) * price[week, HELD, j]
            - rise[j] * way[week, j]
        )  # fmt: skip


@njit(nogil=True, cache=True, inline="always")
def credit(wanted: Array, worth: Array, toll: Array) -> None:
    """Credit units with their toll, as far as they keep a cost."""
    for j in range(len(worth)):
        toll[j] = 0.0
        if wanted[j] > 0.0 and worth[j] > -np.inf:
            toll[j] = min(wanted[j], max(-worth[j], 0.0))
            worth[j] += toll[j]


@njit(nogil=True, cache=True, inline="always")
def within(n_sets: int, parent: Array, home: Array, y: Array, held: Array) -> None:
    """Units in every set."""
    held[:n_sets] = 0.0
    for j in range(len(y)):
        if home[j] >= 0:
            held[home[j]] += y[j]
    for s in range(n_sets - 1):
        held[parent[s]] += held[s]


@njit(nogil=True, cache=True, inline="always")
def first_served(
    n_sets: int, parent: Array, home: Array, p: int, count: Array, knots: Array, gap_usd: Array,
    share: Array, gate: Array, y: Array, held: Array, cover: Array, served: Array,
) -> None:  # fmt: skip
    """Units [nodes] that the cheapest nodes serve of what the position y covers: the slope of the
    item's optimum in the prices; cover: [sets] what they serve within."""
    within(n_sets, parent, home, y, held)
    served[:] = 0.0
    for s in range(n_sets):
        cover[s] = 0.0
        if share[s] > 0.0 and held[s] > 0.0:
            covered, left = 0.0, held[s]
            for q in range(p, p + count[s]):
                step = min(np.float64(knots[q, 0]), left)
                covered += step * knots[q, 1]
                left -= step
                if left <= 0.0:
                    break
            covered /= gap_usd[s]
            cover[s] = covered
            served[gate[s]] += covered
            if parent[s] >= 0 and gate[parent[s]] >= 0:
                served[gate[parent[s]]] -= covered
        p += count[s]


@njit(nogil=True, cache=True, inline="always")
def book(
    week: int, turn: float, rise: Array, use: Array, y: Array, served: Array, feeder: Array,
    order: Array, waits: Array, flow: Array, used: Array,
) -> None:  # fmt: skip
    """Add to used [weeks, kinds, nodes] what enters, waits and leaves for what is served."""
    flow[: week + 1] = 0.0
    for i in range(len(order) - 1, -1, -1):
        j = order[i]
        used[week, LEAVING, j] += use[LEAVING] * served[j]
        flow[week, j] += served[j] + rise[j] * y[j]
        for t in range(week, -1, -1):
            units = flow[t, j]
            if units == 0.0:
                continue
            if waits[t, j]:
                flow[t - 1, j] += units
                used[t - 1, HELD, j] += turn * use[HELD] * units
                continue
            for r in range(ENTERING, len(use)):
                used[t, r, j] += use[r] * units
            if feeder[j] >= 0:
                used[t, LEAVING, feeder[j]] += use[LEAVING] * units
                flow[t, feeder[j]] += units
