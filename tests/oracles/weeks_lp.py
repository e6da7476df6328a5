"""The multi-week problem as one linear programme over an inventory balance by week, for HiGHS.

Columns by item, week and node: levels y, units served u, arrivals a, and what is carried to the
next week b; by step of demand what stays short z; by row its overflow o.

    min  sum place y + sum usd z + sum holding b + sum overflow_usd o
    s.t. y(S) + z(S) >= all steps of S;      u(S) + z(S) chance >= demand of S;      u <= y
         b_t = b_t-1 + a_t - u_t - rise y_t - (what goes on to nodes that it feeds)
         rows on cube (y + turn b), on a, and on what leaves: u and what goes on
"""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity


class _Rows:
    """Rows of a sparse system, gathered entry by entry."""

    def __init__(self) -> None:
        self.row: list[int] = []
        self.column: list[int] = []
        self.value: list[float] = []
        self.right: list[float] = []

    def add(self, entries: list[tuple[int, float]], right: float) -> None:
        for column, value in entries:
            self.row.append(len(self.right))
            self.column.append(column)
            self.value.append(value)
        self.right.append(right)

    def matrix(self, columns: int):
        return coo_matrix((self.value, (self.row, self.column)), (len(self.right), columns)).tocsr()


def exact_cost(  # noqa: PLR0912, PLR0915 - one system, built row by row
    woods: Forest, ahead: ItemTables, capacity: Capacity, is_capped: bool = True
) -> tuple[float, np.ndarray]:
    """Least usd of fractional plans, and the rows' dual prices; ahead: rows week by week. Without
    is_capped a node may serve more than its level, as long as its sets do not."""
    weeks, kinds, nodes = capacity.shape
    n = len(ahead) // weeks
    cost: list[float] = []
    most: list[float] = []

    def column(usd: float, top: float = np.inf) -> int:
        cost.append(usd)
        most.append(top)
        return len(cost) - 1

    least, balance = _Rows(), _Rows()
    cells: dict[int, list[tuple[int, float]]] = {}

    def uses(t: int, kind: int, j: int, at: int, each: float) -> None:
        cells.setdefault((t * kinds + kind) * nodes + j, []).append((at, each))

    for k in range(n):
        y, u, a, b = (np.full((weeks, nodes), -1) for _ in range(4))
        for t in range(weeks):
            i = t * n + k
            use, turn, tree = ahead.use[i], float(ahead.turn[i]), woods.trees[ahead.tree[i]]
            for j in range(nodes):
                usd = float(ahead.place_usd[i, j])
                may = np.isfinite(usd) and tree.home[j] >= 0
                a[t, j] = column(0.0)
                b[t, j] = column(turn * usd if np.isfinite(usd) else 0.0,
                                 np.inf if np.isfinite(usd) and t + 1 < weeks else 0.0)  # fmt: skip
                if may:
                    y[t, j], u[t, j] = column(usd), column(0.0)
                    uses(t, 0, j, y[t, j], float(use[0]))
                    uses(t, 1, j, u[t, j], float(use[1]))
                    if is_capped:
                        least.add([(u[t, j], 1.0), (y[t, j], -1.0)], 0.0)
                uses(t, 0, j, b[t, j], turn * float(use[0]))
                for r in range(2, kinds):
                    uses(t, r, j, a[t, j], float(use[r]))
                if woods.feeder[j] >= 0:
                    uses(t, 1, woods.feeder[j], a[t, j], float(use[1]))
            p = int(ahead.start[i])
            for s in range(tree.n_sets):
                q = p + int(ahead.count[i, s])
                if q > p:
                    z = [column(float(v), float(w)) for w, v in ahead.knots[p:q].astype(float)]
                    inside = [j for j in np.flatnonzero(tree.members[s]) if y[t, j] >= 0]
                    units = ahead.knots[p:q, 0].astype(float)
                    chance = ahead.knots[p:q, 1].astype(float) / float(ahead.gap_usd[i, s])
                    least.add([(y[t, j], -1.0) for j in inside] + [(c, -1.0) for c in z],
                              -units.sum())  # fmt: skip
                    least.add([(u[t, j], -1.0) for j in inside]
                              + [(c, -g) for c, g in zip(z, chance, strict=True)],
                              -float(units @ chance))  # fmt: skip
                p = q
            for j in range(nodes):
                entries = [(b[t, j], 1.0), (a[t, j], -1.0)]
                if t:
                    entries.append((b[t - 1, j], -1.0))
                if y[t, j] >= 0:
                    entries += [(u[t, j], 1.0), (y[t, j], float(ahead.rise[i]))]
                entries += [(a[t, i2], 1.0) for i2 in np.flatnonzero(woods.feeder == j)]
                balance.add(entries, 0.0)
    first = len(least.right)
    for row in range(len(capacity)):
        part = slice(capacity.rows.indptr[row], capacity.rows.indptr[row + 1])
        entries = [
            (at, share * each)
            for cell, share in zip(
                capacity.rows.indices[part], capacity.rows.data[part], strict=True
            )
            for at, each in cells.get(int(cell), [])
        ]
        least.add([*entries, (column(float(capacity.overflow_usd[row])), -1.0)],
                  float(capacity.limit[row]))  # fmt: skip
    found = linprog(
        cost, A_ub=least.matrix(len(cost)), b_ub=least.right, A_eq=balance.matrix(len(cost)),
        b_eq=balance.right, bounds=np.column_stack([np.zeros(len(most)), most]), method="highs",
    )  # fmt: skip
    assert found.status == 0, found.message
    return float(found.fun), -found.ineqlin.marginals[first:]
