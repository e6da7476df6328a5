"""One-sided derivatives of the optimal cost in each capacity row.

The optimal cost is convex and piecewise linear in capacity, so at a kink the loss of a unit less
exceeds the gain of a unit more. Both are differences of the master problem, solved again over the
stored answers with a little less and a little more of the row. Its value is never below the exact
one and meets it where the search ended, to within the target gap, so they are estimates: within a
few percent of the dual function's own differences (tests/core/test_sensitivity.py).
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.master import Mix, mix
from pipeline.core.prices import Capacity

STEP = 0.002
"""Change of capacity, as a share of it."""


def derivatives(
    cost: NDArray[np.float64], usage: NDArray[np.float64], capacity: Capacity, solved: Mix
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Loss [rows] in usd per unit of capacity less, and gain per unit more.

    cost [blocks, columns] and usage [blocks, columns, rows] are the stored answers. Rows whose
    price is zero and that are not full have neither.
    """
    left, right = np.zeros(len(capacity)), np.zeros(len(capacity))
    used = (solved.share[:, :, None] * usage).sum(axis=(0, 1))
    full = used >= capacity.limit * (1 - STEP) - 1e-9
    for row in np.flatnonzero((solved.price > 0) | full):
        step = STEP * max(abs(capacity.limit[row]), 1.0)
        change = []
        for sign in (-1.0, 1.0):
            limit = capacity.limit.copy()
            limit[row] += sign * step
            moved = Capacity(capacity.rows, capacity.shape, limit, capacity.overflow_usd)
            change.append((mix(cost, usage, moved, solved.rows).value - solved.value) / step)
        left[row] = min(max(change[0], solved.price[row]), capacity.overflow_usd[row])
        right[row] = max(min(-change[1], solved.price[row]), 0.0)
    return left, right
