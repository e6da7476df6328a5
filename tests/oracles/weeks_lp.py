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


class _Horizon:
    """The programme of some items and weeks, column by column."""

    def __init__(self, woods: Forest, ahead: ItemTables, capacity: Capacity) -> None:
        self.woods, self.ahead, self.capacity = woods, ahead, capacity
        self.cost: list[float] = []
        self.most: list[float] = []
        self.least, self.balance = _Rows(), _Rows()
        self.cells: dict[int, list[tuple[int, float]]] = {}

    def column(self, usd: float, top: float = np.inf) -> int:
        self.cost.append(usd)
        self.most.append(top)
        return len(self.cost) - 1

    def uses(self, t: int, kind: int, j: int, at: int, each: float) -> None:
        _, kinds, nodes = self.capacity.shape
        self.cells.setdefault((t * kinds + kind) * nodes + j, []).append((at, each))

    def add_nodes(self, i: int, t: int, columns: np.ndarray, is_capped: bool) -> None:
        """Columns (y, u, a, b) [4, nodes] of a row of the tables, and what they use."""
        ahead, woods, (weeks, kinds, nodes) = self.ahead, self.woods, self.capacity.shape
        use, turn = ahead.use[i].astype(float), float(ahead.turn[i])
        home = woods.trees[ahead.tree[i]].home
        for j in range(nodes):
            usd = float(ahead.place_usd[i, j])
            may = np.isfinite(usd)
            a = columns[2, j] = self.column(0.0)
            waits = np.inf if may and t + 1 < weeks else 0.0
            b = columns[3, j] = self.column(turn * usd if may else 0.0, waits)
            if may and home[j] >= 0:
                y, u = columns[:2, j] = self.column(usd), self.column(0.0)
                self.uses(t, 0, j, y, use[0])
                self.uses(t, 1, j, u, use[1])
                if is_capped:
                    self.least.add([(u, 1.0), (y, -1.0)], 0.0)
            self.uses(t, 0, j, b, turn * use[0])
            for r in range(2, kinds):
                self.uses(t, r, j, a, use[r])
            if woods.feeder[j] >= 0:
                self.uses(t, 1, woods.feeder[j], a, use[1])

    def add_demand(self, i: int, columns: np.ndarray) -> None:
        """What is short, and what is not served, in every set of a row of the tables."""
        ahead, tree = self.ahead, self.woods.trees[self.ahead.tree[i]]
        p = int(ahead.start[i])
        for s in range(tree.n_sets):
            q = p + int(ahead.count[i, s])
            units, usd = ahead.knots[p:q].astype(float).T
            p = q
            if not len(units):
                continue
            z = [self.column(v, w) for w, v in zip(units, usd, strict=True)]
            inside = [j for j in np.flatnonzero(tree.members[s]) if columns[0, j] >= 0]
            chance = usd / float(ahead.gap_usd[i, s])
            self.least.add(
                [(columns[0, j], -1.0) for j in inside] + [(c, -1.0) for c in z], -units.sum()
            )
            self.least.add(
                [(columns[1, j], -1.0) for j in inside]
                + [(c, -g) for c, g in zip(z, chance, strict=True)],
                -float(units @ chance),
            )

    def add_balance(self, i: int, now: np.ndarray, before: np.ndarray | None) -> None:
        """What enters and waited is what is served, goes on, raises levels or waits."""
        (y, u, a, b), rise = now, self.ahead.rise[i].astype(float)
        for j in range(len(y)):
            entries = [(b[j], 1.0), (a[j], -1.0)]
            if before is not None:
                entries.append((before[3, j], -1.0))
            if y[j] >= 0:
                entries += [(u[j], 1.0), (y[j], rise[j])]
            entries += [(a[fed], 1.0) for fed in np.flatnonzero(self.woods.feeder == j)]
            self.balance.add(entries, 0.0)

    def add_rows(self) -> None:
        """The capacity rows and their overflow."""
        rows = self.capacity.rows
        for row in range(len(self.capacity)):
            part = slice(rows.indptr[row], rows.indptr[row + 1])
            entries = [
                (at, share * each)
                for cell, share in zip(rows.indices[part], rows.data[part], strict=True)
                for at, each in self.cells.get(int(cell), [])
            ]
            over = self.column(float(self.capacity.overflow_usd[row]))
            self.least.add([*entries, (over, -1.0)], float(self.capacity.limit[row]))


def exact_cost(
    woods: Forest, ahead: ItemTables, capacity: Capacity, is_capped: bool = True
) -> tuple[float, np.ndarray]:
    """Least usd of fractional plans, and the rows' dual prices; ahead: rows week by week. Without
    is_capped a node may serve more than its level, as long as its sets do not."""
    weeks, _, nodes = capacity.shape
    n = len(ahead) // weeks
    made = _Horizon(woods, ahead, capacity)
    for k in range(n):
        before = None
        for t in range(weeks):
            now = np.full((4, nodes), -1)
            made.add_nodes(t * n + k, t, now, is_capped)
            made.add_demand(t * n + k, now)
            made.add_balance(t * n + k, now, before)
            before = now
    first = len(made.least.right)
    made.add_rows()
    columns = len(made.cost)
    found = linprog(
        made.cost, A_ub=made.least.matrix(columns), b_ub=made.least.right,
        A_eq=made.balance.matrix(columns), b_eq=made.balance.right,
        bounds=np.column_stack([np.zeros(columns), made.most]), method="highs",
    )  # fmt: skip
    assert found.status == 0, found.message
    return float(found.fun), -found.ineqlin.marginals[first:]
