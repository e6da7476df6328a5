"""The elastic Dantzig-Wolfe master: mix the blocks' stored answers so that capacity holds.

min  sum_bc cost_bc x_bc + sum_r overflow_usd_r o_r
s.t. sum_bc usage_bcr x_bc - o_r <= limit_r,   sum_c x_bc = 1,   x, o >= 0

Most rows never matter, so it is solved over the rows that are priced or nearly full, and again with
those that its answer exceeds, until it exceeds none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import bmat, csr_matrix, hstack, identity
from scipy.sparse.csgraph import connected_components

from pipeline.core.prices import Capacity

NEARLY_FULL = 0.98


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
) -> Mix:
    """Best mix of columns: cost [blocks, columns], usage [blocks, columns, rows]; rows: those that
    probably matter."""
    limit = capacity.limit
    could = usage.max(axis=1).sum(axis=0) > limit
    even = usage.mean(axis=1).sum(axis=0)
    active = even > limit - (1 - NEARLY_FULL) * np.abs(limit)
    active[rows] = True
    active &= could
    while True:
        found = _over_rows(cost, usage, capacity, np.flatnonzero(active))
        used = np.einsum("bc,bcr->r", found.share, usage)
        exceeded = could & ~active & (used > limit + 1e-9 * np.abs(limit))
        if not exceeded.any():
            return found
        active |= exceeded


def _over_rows(
    cost: NDArray[np.float64],
    usage: NDArray[np.float64],
    capacity: Capacity,
    rows: NDArray[np.int64],
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
            found = _one_part(cost[mine], usage[mine][:, :, own], capacity, own)
            share[mine], price[own], overflow[own] = found[:3]
            value += found[3]
    return Mix(share, price, overflow, value, rows)


def _one_part(
    cost: NDArray[np.float64],
    usage: NDArray[np.float64],
    capacity: Capacity,
    rows: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Shares [blocks, columns], prices and overflow of the given rows, and value of a part; usage:
    [blocks, columns, these rows]."""
    blocks, columns, _ = usage.shape
    n = blocks * columns
    scale = np.maximum(np.abs(capacity.limit[rows]), 1.0)
    taken = csr_matrix(usage.reshape(n, -1).T / scale[:, None])
    unit = max(float(np.abs(cost).sum()) / columns, 1.0)
    ends = np.arange(0, n + 1, columns)
    whole = csr_matrix((np.ones(n), np.arange(n), ends), shape=(blocks, n + len(rows)))
    found = linprog(
        np.concatenate([cost.ravel(), capacity.overflow_usd[rows] * scale]) / unit,
        A_ub=hstack([taken, -identity(len(rows))]),
        b_ub=capacity.limit[rows] / scale,
        A_eq=whole,
        b_eq=np.ones(blocks),
        method="highs-ds",
    )
    if found.status != 0:
        raise RuntimeError(f"the master problem was not solved: {found.message}")
    price = np.maximum(-found.ineqlin.marginals, 0.0) * unit / scale
    share = np.maximum(found.x[:n].reshape(blocks, columns), 0.0)
    return (
        share / share.sum(axis=1, keepdims=True),
        np.minimum(price, capacity.overflow_usd[rows]),
        np.maximum(found.x[n:], 0.0) * scale,
        float(found.fun * unit),
    )
