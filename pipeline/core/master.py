"""The elastic Dantzig-Wolfe master: mix the blocks' stored answers so that capacity holds.

min  sum_bc cost_bc x_bc + sum_r overflow_usd_r o_r
s.t. sum_bc usage_bcr x_bc - o_r <= limit_r,   sum_c x_bc = 1,   x, o >= 0
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity, kron

from pipeline.core.prices import Capacity


@dataclass(frozen=True)
class Mix:
    """share: [blocks, columns] weight of each stored answer; price: [rows] usd per unit;
    overflow: [rows] paid excess; value: usd."""

    share: NDArray[np.float64]
    price: NDArray[np.float64]
    overflow: NDArray[np.float64]
    value: float


def mix(cost: NDArray[np.float64], usage: NDArray[np.float64], capacity: Capacity) -> Mix:
    """Best mix of columns: cost [blocks, columns], usage [blocks, columns, rows]."""
    blocks, columns, _ = usage.shape
    binding = np.flatnonzero(usage.max(axis=1).sum(axis=0) > capacity.limit)
    scale = np.maximum(np.abs(capacity.limit[binding]), 1.0)
    taken = csr_matrix(usage[:, :, binding].reshape(blocks * columns, -1).T / scale[:, None])
    overflow_usd = capacity.overflow_usd[binding] * scale
    unit = max(float(np.abs(cost).sum()) / columns, 1.0)
    found = linprog(
        np.concatenate([cost.ravel(), overflow_usd]) / unit,
        A_ub=hstack([taken, -identity(len(binding))]) if len(binding) else None,
        b_ub=capacity.limit[binding] / scale if len(binding) else None,
        A_eq=hstack(
            [kron(identity(blocks), np.ones((1, columns))), csr_matrix((blocks, len(binding)))]
        ),
        b_eq=np.ones(blocks),
        method="highs",
    )
    if found.status != 0:
        raise RuntimeError(f"the master problem was not solved: {found.message}")
    price, overflow = np.zeros(len(capacity)), np.zeros(len(capacity))
    if len(binding):
        price[binding] = np.maximum(-found.ineqlin.marginals, 0.0) * unit / scale
        overflow[binding] = np.maximum(found.x[blocks * columns :], 0.0) * scale
    price = np.minimum(price, capacity.overflow_usd)
    share = np.maximum(found.x[: blocks * columns].reshape(blocks, columns), 0.0)
    return Mix(share / share.sum(axis=1, keepdims=True), price, overflow, found.fun * unit)
