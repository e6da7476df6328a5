"""What the published plan costs and uses, from the definition: shortage by set, holding, waiting.

Of every set the larger of two is paid: what its levels leave short of its knots, and what is not
served from within though it stands there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.certify.bound import CHUNK, scaled_units
from pipeline.certify.problem import HELD, LEAVING, USES, Floats, Problem, SizeClass


@dataclass(frozen=True)
class PlanValue:
    """cost_usd: of levels and flows of the items that the nested model plans, without overflow;
    usage: [rows] in the rows' units; overflow_usd: paid for published overflow; violation: largest
    relative excess over capacity and overflow."""

    cost_usd: float
    usage: Floats
    overflow_usd: float
    violation: float


def plan_value(problem: Problem) -> PlanValue:
    """The published plan, valued anew."""
    used = np.zeros((len(problem.weeks), len(USES), len(problem.node_ids)))
    cost = 0.0
    for sizes in problem.classes:
        for t in range(len(problem.weeks)):
            for first in range(0, len(sizes.items), CHUNK):
                part = np.arange(first, min(first + CHUNK, len(sizes.items)))
                usd = _week_usd(problem, sizes, part, t, used)
                is_counted = ~problem.is_general[sizes.items[part]] if t == 0 else slice(None)
                cost += float(usd[is_counted].sum())
    rows = problem.rows
    usage = np.array([
        rows.share[r] * used[rows.week[r], rows.kind[r], rows.nodes[r]].sum()
        for r in range(len(rows.limit))
    ])  # fmt: skip
    excess = np.maximum(usage - rows.limit - rows.overflow, 0.0)
    relative = excess / np.maximum(np.abs(rows.limit), 1.0)
    paid = float(rows.overflow_usd @ rows.overflow)
    return PlanValue(cost, usage, paid, float(relative.max(initial=0.0)))


def _week_usd(problem: Problem, sizes: SizeClass, part: np.ndarray, t: int, used: Floats) -> Floats:
    """[items] usd of a week's levels and flows; adds to used [weeks, kinds, nodes]."""
    k = sizes.items[part]
    level = problem.level[t, k]
    served = np.minimum(problem.served[t, k], level)
    units, usd = scaled_units(sizes, part, t), sizes.usd[part]
    inside = sizes.members.T.astype(float)
    held, through = level @ inside, served @ inside
    begins = np.cumsum(units, axis=2) - units
    covered = np.clip(held[:, :, None] - begins, 0.0, units)
    asked = (units * usd).sum(axis=2)
    short = asked - (covered * usd).sum(axis=2)
    cost = np.maximum(short, asked - through * sizes.gap_usd[part]).sum(axis=1)
    holding = np.where(level > 0, problem.holding_usd[k], 0.0)
    cost += (holding * level).sum(axis=1)
    use = problem.use[k]
    used[t, HELD] += use[:, HELD] @ level
    used[t, LEAVING] += use[:, LEAVING] @ served
    entering = served + problem.rise[t, k] * level
    for j in range(level.shape[1]):
        cost += _way_in(problem, k, t, j, entering[:, j], used)
    return cost


def _way_in(
    problem: Problem, k: np.ndarray, t: int, j: int, entering: Floats, used: Floats
) -> Floats:
    """[items] usd of what waits on the way into node j for week t; adds to used."""
    cost = np.zeros(len(k))
    use, at = problem.use[k], j
    until = np.full(len(k), t)
    for place in range(problem.entered.shape[3]):
        came = problem.entered[t, k, j, place]
        for week in range(t):
            waits = np.where((came <= week) & (week < until), entering, 0.0) * problem.turn
            cost += np.where(waits > 0, problem.holding_usd[k, at], 0.0) * waits
            used[week, HELD, at] += use[:, HELD] @ waits
        for week in range(t + 1):
            now = np.where(came == week, entering, 0.0)
            used[week, LEAVING + 1 :, at] += now @ use[:, LEAVING + 1 :]
            if problem.feeder[at] >= 0:
                used[week, LEAVING, problem.feeder[at]] += now @ use[:, LEAVING]
        if problem.feeder[at] < 0:
            break
        at, until = int(problem.feeder[at]), came
    return cost
