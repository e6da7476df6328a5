"""Shifts that cover a day's hours of work at the least cost, overtime beside them.

min sum_s cost_s n_s + sum_h overtime o_h  s.t.  sum_{s covers h} n_s + o_h >= need_h, n and o
integers: a set cover with consecutive ones, solved to the optimum by OR-Tools.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from ortools.sat.python import cp_model

from pipeline.errors import UsageError


@dataclass(frozen=True)
class Shift:
    """A shift: its first hour of the day, its hours, and what one worker costs for it."""

    first_hour: int
    hours: int
    cost_usd: float

    def covers(self, hour: int) -> bool:
        """Whether a worker of this shift works in `hour`; shifts may run past midnight."""
        return (hour - self.first_hour) % 24 < self.hours


@dataclass(frozen=True)
class Staffing:
    """Workers of each shift, overtime hours of each hour of the day, and the cost of both."""

    workers: tuple[int, ...]
    overtime: tuple[int, ...]
    cost_usd: float


def cover_hours(
    need_workers: list[float], shifts: list[Shift], overtime_usd_per_hour: float,
    most_overtime_per_hour: int = 10**6,
) -> Staffing:  # fmt: skip
    """Least-cost staffing of 24 hours; raises UsageError where no staffing covers them."""
    need = [ceil(value - 1e-9) for value in need_workers]
    model = cp_model.CpModel()
    top = max(need, default=0)
    workers = [model.new_int_var(0, top, f"shift{i}") for i in range(len(shifts))]
    overtime = [
        model.new_int_var(0, min(top, most_overtime_per_hour), f"over{h}") for h in range(24)
    ]
    for hour in range(24):
        present = [w for w, shift in zip(workers, shifts, strict=True) if shift.covers(hour)]
        model.add(sum(present) + overtime[hour] >= need[hour])
    cents = [round(100 * shift.cost_usd) for shift in shifts]
    model.minimize(sum(c * w for c, w in zip(cents, workers, strict=True))
                   + sum(round(100 * overtime_usd_per_hour) * o for o in overtime))  # fmt: skip
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    if solver.solve(model) != cp_model.OPTIMAL:
        raise UsageError(
            "no staffing covers the day's hours. Next: add a shift, or allow overtime."
        )
    return Staffing(tuple(int(solver.value(w)) for w in workers),
                    tuple(int(solver.value(o)) for o in overtime),
                    solver.objective_value / 100)  # fmt: skip
