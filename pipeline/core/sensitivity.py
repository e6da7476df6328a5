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

from pipeline.core.master import Mix
from pipeline.core.prices import Capacity

STEP = 0.002
"""Change of capacity, as a share of it."""


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
    rows = np.union1d(solved.rows, matter)
    master = _Master(cost, usage[:, :, rows], capacity.take(rows))
    value = master.value()
    for row in matter.tolist():
        at = int(np.searchsorted(rows, row))
        step = STEP * max(abs(float(capacity.limit[row])), 1.0)
        less, more = (master.value_at(at, sign * step) for sign in (-1.0, 1.0))
        left[row] = min(max((less - value) / step, solved.price[row]), capacity.overflow_usd[row])
        right[row] = max(min((value - more) / step, solved.price[row]), 0.0)
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
        self.limit = capacity.limit
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
        if self.solver.Solve() != pywraplp.Solver.OPTIMAL:
            raise RuntimeError("the master problem was not solved for a derivative")
        return float(self.solver.Objective().Value())

    def value_at(self, row: int, change: float) -> float:
        """The same with a changed limit of one row."""
        self.rows[row].SetUb(float(self.limit[row]) + change)
        found = self.value()
        self.rows[row].SetUb(float(self.limit[row]))
        return found
