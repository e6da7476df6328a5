"""The elastic Dantzig-Wolfe master: mix the blocks' stored answers so that capacity holds.

min  sum_bc cost_bc x_bc + sum_r overflow_usd_r o_r
s.t. sum_bc usage_bcr x_bc - o_r <= limit_r,   sum_c x_bc = 1,   x, o >= 0

Most rows never matter, so it is solved over the rows that are priced or nearly full, and again
with those that its answer exceeds, until it exceeds none. Nor do most answers: a part begins with
the few of each block that are cheapest at the last prices, and others enter as long as one is
cheaper at the prices found than its block's: the optimum is that of all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import bmat, csr_matrix, hstack, identity
from scipy.sparse.csgraph import connected_components

from pipeline.core.arithmetic import product
from pipeline.core.prices import Capacity

NEARLY_FULL = 0.98
FEW = 5
"""Answers of a block that its master begins with."""
SOME = 1e-9
"""Share of the cost of a block by which an answer must be cheaper to enter."""


@dataclass(frozen=True)
class Mix:
    """share: [blocks, columns] weight of each stored answer; price: [rows] usd per unit;
    overflow: [rows] paid excess; value: usd; rows: those that it was solved over."""

    share: NDArray[np.float64]
    price: NDArray[np.float64]
    overflow: NDArray[np.float64]
    value: float
    rows: NDArray[np.int64]


def mix(
    cost: NDArray[np.float64],
    usage: NDArray[np.float64],
    capacity: Capacity,
    rows: NDArray[np.int64],
    price: NDArray[np.float64] | None = None,
) -> Mix:
    """Best mix of columns: cost [blocks, columns], usage [blocks, columns, rows]; rows: those that
    probably matter; price: [rows] a guess, by default zero."""
    price = np.zeros(len(capacity)) if price is None else price
    limit = capacity.limit
    could = usage.max(axis=1).sum(axis=0) > limit
    even = usage.mean(axis=1).sum(axis=0)
    active = even > limit - (1 - NEARLY_FULL) * np.abs(limit)
    active[rows] = True
    active &= could
    while True:
        found = _over_rows(cost, usage, capacity, np.flatnonzero(active), price)
        used = np.einsum("bc,bcr->r", found.share, usage)
        exceeded = could & ~active & (used > limit + 1e-9 * np.abs(limit))
        if not exceeded.any():
            return found
        active |= exceeded
        price = found.price


def _over_rows(
    cost: NDArray[np.float64],
    usage: NDArray[np.float64],
    capacity: Capacity,
    rows: NDArray[np.int64],
    guess: NDArray[np.float64],
) -> Mix:
    """The master over some rows only, in parts that share no row: weeks, where nothing waits."""
    blocks, columns, _ = usage.shape
    share = np.zeros((blocks, columns))
    share[np.arange(blocks), cost.argmin(axis=1)] = 1.0
    price, overflow, value = np.zeros(len(capacity)), np.zeros(len(capacity)), 0.0
    touches = usage[:, :, rows].max(axis=1) > 0.0
    links = csr_matrix(touches)
    both = bmat([[None, links], [links.T, None]]) if len(rows) else identity(blocks)
    _, part = connected_components(both, directed=False)
    for label in np.unique(part):
        mine = np.flatnonzero(part[:blocks] == label)
        own = rows[part[blocks:] == label] if len(rows) else rows
        if not len(mine):
            overflow[own] = np.maximum(-capacity.limit[own], 0.0)
            price[own] = np.where(overflow[own] > 0, capacity.overflow_usd[own], 0.0)
            value += float((capacity.overflow_usd * overflow)[own].sum())
        elif not len(own):
            value += float(cost[mine].min(axis=1).sum())
        else:
            found = _one_part(cost[mine], usage[mine][:, :, own], capacity, own, guess[own])
            share[mine], price[own], overflow[own] = found[:3]
            value += found[3]
    return Mix(share, price, overflow, value, rows)


def _one_part(
    cost: NDArray[np.float64],
    usage: NDArray[np.float64],
    capacity: Capacity,
    rows: NDArray[np.int64],
    guess: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Shares [blocks, columns], prices and overflow of the given rows, and value of a part; usage:
    [blocks, columns, these rows]; guess: prices of these rows."""
    priced = cost + product(usage, guess)
    live = np.zeros(cost.shape, np.bool_)
    few = np.argsort(priced, axis=1, kind="stable")[:, :FEW]
    np.put_along_axis(live, few, values=True, axis=1)
    while True:
        share, price, overflow, value = _over_columns(cost, usage, capacity, rows, live)
        priced = cost + product(usage, price)
        best = np.where(live, priced, np.inf).min(axis=1)
        enters = priced.min(axis=1) < best - SOME * np.abs(cost).max(axis=1)
        if not enters.any():
            return share / share.sum(axis=1, keepdims=True), price, overflow, value
        few = np.argsort(priced, axis=1, kind="stable")[enters, :2]
        live[np.flatnonzero(enters)[:, None], few] = True


def _over_columns(
    cost: NDArray[np.float64],
    usage: NDArray[np.float64],
    capacity: Capacity,
    rows: NDArray[np.int64],
    live: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """As _one_part, of the live [blocks, columns] only."""
    blocks, n = len(cost), int(live.sum())
    scale = np.maximum(np.abs(capacity.limit[rows]), 1.0)
    taken = csr_matrix(usage[live].T / scale[:, None])
    unit = max(float(np.abs(cost).max(axis=1).sum()), 1.0)
    ends = np.concatenate([[0], np.cumsum(live.sum(axis=1))])
    whole = csr_matrix((np.ones(n), np.arange(n), ends), shape=(blocks, n + len(rows)))
    found = linprog(
        np.concatenate([cost[live], capacity.overflow_usd[rows] * scale]) / unit,
        A_ub=hstack([taken, -identity(len(rows))]),
        b_ub=capacity.limit[rows] / scale,
        A_eq=whole,
        b_eq=np.ones(blocks),
        method="highs-ds",
    )
    if found.status != 0:
        raise RuntimeError(f"the master problem was not solved: {found.message}")
    price = np.maximum(-found.ineqlin.marginals, 0.0) * unit / scale
    share = np.zeros(cost.shape)
    share[live] = np.maximum(found.x[:n], 0.0)
    return (
        share,
        np.minimum(price, capacity.overflow_usd[rows]),
        np.maximum(found.x[n:], 0.0) * scale,
        float(found.fun * unit),
    )
