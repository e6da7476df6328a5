"""One-sided derivatives of the optimal cost in each capacity row.

The optimal cost is convex and piecewise linear in capacity, so at a kink the loss of a unit less
exceeds the gain of a unit more. Both are differences of the master problem, solved again over the
stored answers with a little less and a little more of the row. Its value is never below the exact
one and meets it where the search ended, to within the target gap, so they are estimates: within a
few percent of the dual function's own differences (tests/core/test_sensitivity.py).
"""

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity, kron

from pipeline.core.arithmetic import product
from pipeline.core.master import Mix
from pipeline.core.prices import Capacity

STEP = 0.002
"""Change of capacity, as a share of it."""
NEAR = 6
"""Answers of a block, at least, of which a mix may change so little: the cheapest at the prices."""


def derivatives(
    cost: NDArray[np.float64], usage: NDArray[np.float64], capacity: Capacity, solved: Mix
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Loss [rows] in usd per unit of capacity less, and gain per unit more.

    cost [blocks, columns] and usage [blocks, columns, rows] are the stored answers. Rows whose
    price is zero and that are not full have neither. One programme over the rows that matter keeps
    its basis from row to row.
    """
    left, right = np.zeros(len(capacity)), np.zeros(len(capacity))
    used = (solved.share[:, :, None] * usage).sum(axis=(0, 1))
    full = used >= capacity.limit * (1 - STEP) - 1e-9
    matter = np.flatnonzero((solved.price > 0) | full)
    if not len(matter):
        return left, right
    rows = np.union1d(solved.rows, matter)
    priced = np.where(solved.share > 0, -np.inf, cost + product(usage, solved.price))
    n = max(NEAR, int((solved.share > 0).sum(axis=1).max(initial=0)))
    near = np.argsort(priced, axis=1, kind="stable")[:, :n]
    some = np.take_along_axis(usage[:, :, rows], near[:, :, None], axis=1)
    master = _Master(np.take_along_axis(cost, near, axis=1), some, capacity.take(rows))
    value = master.value()
    for row in matter.tolist():
        at = int(np.searchsorted(rows, row))
        step = STEP * max(abs(float(capacity.limit[row])), 1.0)
        less, more = (master.value_at(at, sign * step) for sign in (-1.0, 1.0))
        price = solved.price[row]
        loss, gain = (less - value) / step, (value - more) / step
        left[row] = min(max(np.nan_to_num(loss, nan=price), price), capacity.overflow_usd[row])
        right[row] = max(min(np.nan_to_num(gain, nan=price), price), 0.0)
    return left, right


class _Master:
    """The master problem (core.master) over some rows in GLOP, solved again from its last basis."""

    def __init__(
        self, cost: NDArray[np.float64], usage: NDArray[np.float64], capacity: Capacity
    ) -> None:
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        self.solver.SetSolverSpecificParametersAsString(
            "use_preprocessing: false use_dual_simplex: true"
        )
        self.cost, self.usage, self.capacity = cost, usage, capacity
        endless = self.solver.infinity()
        self.rows = [self.solver.Constraint(-endless, float(limit)) for limit in capacity.limit]
        objective = self.solver.Objective()
        for row, usd in zip(self.rows, capacity.overflow_usd.tolist(), strict=True):
            over = self.solver.NumVar(0.0, endless, "")
            row.SetCoefficient(over, -1.0)
            objective.SetCoefficient(over, usd)
        for block in range(len(cost)):
            whole = self.solver.Constraint(1.0, 1.0)
            for column in range(cost.shape[1]):
                share = self.solver.NumVar(0.0, endless, "")
                whole.SetCoefficient(share, 1.0)
                objective.SetCoefficient(share, float(cost[block, column]))
                for row in np.flatnonzero(usage[block, column]).tolist():
                    self.rows[row].SetCoefficient(share, float(usage[block, column, row]))

    def value(self) -> float:
        """Usd of the best mix."""
        return self.value_at(0, 0.0)

    def value_at(self, row: int, change: float) -> float:
        """The same with a changed limit of one row; NaN where no solver finds it."""
        limit = float(self.capacity.limit[row])
        self.rows[row].SetUb(limit + change)
        solved = self.solver.Solve() == pywraplp.Solver.OPTIMAL
        found = float(self.solver.Objective().Value()) if solved else self._anew(row, change)
        self.rows[row].SetUb(limit)
        return found

    def _anew(self, row: int, change: float) -> float:
        """By HiGHS, from nothing: GLOP's last basis can leave it without a pivot that it trusts."""
        blocks, columns, rows = self.usage.shape
        limit = self.capacity.limit.astype(float)
        limit[row] += change
        used = csr_matrix(self.usage.reshape(blocks * columns, rows).T)
        whole = kron(identity(blocks), np.ones((1, columns)))
        found = linprog(
            np.concatenate([self.cost.ravel(), self.capacity.overflow_usd]),
            A_ub=hstack([used, -identity(rows)]), b_ub=limit,
            A_eq=hstack([whole, csr_matrix((blocks, rows))]), b_eq=np.ones(blocks), method="highs",
        )  # fmt: skip
        return float(found.fun) if found.status == 0 else float("nan")
