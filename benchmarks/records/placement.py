"""Records of initial placement with fulfillment in hindsight."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.records.checks import Answer, NotSolvedError, Record
from pipeline.core.inventory import placement as pl


def solve_placement(record: Record) -> Iterator[Answer]:
    """Least expected hindsight cost, and the cost of the placement that the record gives."""
    p = record.params
    if record.expected.get("min_expected_hindsight_cost") is None:
        raise NotSolvedError("no hindsight cost is given")
    problem = pl.PlacementProblem(
        cost=np.array(p["cost"], dtype=np.float64),
        lost_sale=np.array(p["lost_sale"], dtype=np.float64),
        probabilities=np.array(p["p"], dtype=np.float64),
        orders=int(p["T"]),
    )
    published = float(record.expected["min_expected_hindsight_cost"])
    best = pl.best_placement(problem, round(p["total_inventory"]))
    note = f"ours {best.units.tolist()}"
    yield Answer("min_expected_hindsight_cost", published, best.cost, note=note)
    given = record.expected.get("placement")
    if given is not None:
        outcomes, weights = pl.demand_outcomes(problem)
        ours = pl.hindsight_cost(problem, np.array(given, dtype=np.int64), outcomes, weights)
        yield Answer("cost_at_given_placement", published, ours)
