"""The capacitated nested problem as a mixed-integer programme, solved exactly by HiGHS."""

import numpy as np
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import lil_matrix

from pipeline.core.item import ItemTables
from pipeline.core.network import Tree


def exact_plan(tree: Tree, items: ItemTables, limit: np.ndarray, overflow_usd: float) -> float:
    """Least cost with integer positions; resource 0 of every node is limited, strictly where
    overflow costs infinitely much."""
    n, nodes = items.place_usd.shape
    n_y, n_z = n * nodes, len(items.knots)
    columns = n_y + n_z + nodes
    rows = lil_matrix((n * tree.n_sets + nodes, columns))
    low = np.full(n * tree.n_sets + nodes, -np.inf)
    high = np.full(n * tree.n_sets + nodes, np.inf)
    for k in range(n):
        p = int(items.start[k])
        for s in range(tree.n_sets):
            row = k * tree.n_sets + s
            for j in np.flatnonzero(tree.members[s]):
                rows[row, k * nodes + j] = 1
            q = p + int(items.count[k, s])
            rows[row, n_y + p : n_y + q] = 1
            low[row] = items.knots[p:q, 0].sum()
            p = q
    for j in range(nodes):
        row = n * tree.n_sets + j
        for k in range(n):
            rows[row, k * nodes + j] = items.use[k, 0]
        rows[row, n_y + n_z + j] = -1
        high[row] = limit[j]
    is_strict = np.isinf(overflow_usd)
    over = np.full(nodes, 0.0 if is_strict else overflow_usd)
    most = np.full(nodes, 0.0 if is_strict else np.inf)
    cost = np.concatenate([items.place_usd.ravel(), items.knots[:, 1], over])
    upper = np.concatenate([np.full(n_y, np.inf), items.knots[:, 0], most])
    whole = np.concatenate([np.ones(n_y), np.zeros(n_z + nodes)])
    found = milp(
        cost,
        constraints=LinearConstraint(rows.tocsr(), low, high),
        bounds=(0, upper),
        integrality=whole,
        options={"mip_rel_gap": 1e-5},
    )
    return float(found.fun)
