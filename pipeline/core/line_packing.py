"""Lines cut to what rows of capacity have room for: shares by an LP, then whole lots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp

from pipeline.core.arithmetic import product

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def best_shares(value: Floats, units: Ints, use: Floats, room: Floats) -> tuple[Floats, Floats]:
    """Share of each line to keep, and each row's price, by LP (GLOP): the most value that fits."""
    solver = pywraplp.Solver.CreateSolver("GLOP")
    rows = [solver.RowConstraint(-solver.infinity(), max(float(cap), 0.0), "") for cap in room]
    shares = []
    for line, worth in enumerate(value):
        x = solver.NumVar(0.0, 1.0, "")
        solver.Objective().SetCoefficient(x, float(worth))
        for row in np.flatnonzero(use[:, line]):
            rows[row].SetCoefficient(x, float(use[row, line] * units[line]))
        shares.append(x)
    solver.Objective().SetMaximization()
    status = solver.Solve()
    if status != solver.OPTIMAL:
        raise ArithmeticError(f"packing LP of {len(value)} lines: status {status}")
    share = np.array([x.solution_value() for x in shares])
    price = np.array([max(row.dual_value(), 0.0) for row in rows])
    return np.clip(share, 0.0, 1.0), price


def filled(kept: Ints, wanted: Ints, lot: Ints, rate: Floats, rows: tuple[Floats, Floats]) -> Ints:
    """Give back whole lots, the most valuable unit first, as long as every row has room."""
    use, room = rows
    kept = kept.copy()
    left = room - product(use, kept)
    for line in np.argsort(-rate, kind="stable"):
        missing = wanted[line] - kept[line]
        if missing <= 0:
            continue
        mine = use[:, line] > 0
        fits = np.floor(left[mine] / use[mine, line] + 1e-9).min(initial=missing)
        more = max(int(min(missing, fits)), 0) // lot[line] * lot[line]
        kept[line] += more
        left -= use[:, line] * more
    return kept
