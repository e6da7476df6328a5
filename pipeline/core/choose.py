"""One stored answer for every block of a small world, by a mixed-integer programme.

In a large world the blocks that the master leaves mixed are few, and rounding them is cheap. In a
small one they are most: so whole answers are chosen together.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix, hstack, identity

from pipeline.core.columns import Answers
from pipeline.core.prices import Capacity

NODES = 200
"""Of branch and bound, at most: never a time, so that a night gives the same plan anywhere."""
GAP = 2e-4


def whole_answers(found: Answers, capacity: Capacity) -> NDArray[np.float64] | None:
    """share [blocks, columns] with a single 1 for every block, or None if none was found."""
    blocks, columns, _ = found.usage.shape
    n, rows = blocks * columns, len(capacity)
    unit = max(abs(found.mix.value), 1e-9)
    scale = np.maximum(np.abs(capacity.limit), 1.0)
    each = csr_matrix((np.ones(n), np.arange(n), np.arange(0, n + 1, columns)), (blocks, n + rows))
    taken = csr_matrix(found.usage.reshape(n, -1).T / scale[:, None])
    answer = milp(
        np.concatenate([found.cost.ravel(), capacity.overflow_usd * scale]) / unit,
        constraints=[
            LinearConstraint(each, 1.0, 1.0),
            LinearConstraint(hstack([taken, -identity(rows)]).tocsr(), -np.inf,
                             capacity.limit / scale),
        ],
        bounds=Bounds(0.0, np.concatenate([np.ones(n), np.full(rows, np.inf)])),
        integrality=np.concatenate([np.ones(n), np.zeros(rows)]),
        options={"mip_rel_gap": GAP, "node_limit": NODES},
    )  # fmt: skip
    if answer.x is None:
        return None
    share = np.zeros((blocks, columns))
    share[np.arange(blocks), answer.x[:n].reshape(blocks, columns).argmax(axis=1)] = 1.0
    return share
