"""Records of lost sales: Zipkin, Xin, Bijvank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.records.checks import Answer, NotSolvedError, Record
from benchmarks.records.demand_specs import integer_demand, parse_demand
from pipeline.core.inventory.lost_sales import (
    LostSales,
    best_capped_base_stock,
    is_exact_possible,
    optimal_lost_sales,
)
from pipeline.core.inventory.lost_sales_base_stock import best_base_stock
from pipeline.core.inventory.lost_sales_fixed import (
    FixedCostLostSales,
    optimal_fixed_cost_by_period,
    optimal_fixed_cost_lost_sales,
)
from pipeline.core.inventory.lost_sales_heuristics import myopic_cost, vector_base_stock_cost
from pipeline.core.inventory.lost_sales_simulation import (
    simulated_base_stock,
    simulated_capped_base_stock,
)


def _is_exact(problem: LostSales) -> bool:
    return problem.lead_time <= 5 and is_exact_possible(problem)


def capped_cost(problem: LostSales) -> float:
    """Exactly where the state space allows it, by simulation where it does not."""
    if _is_exact(problem):
        return best_capped_base_stock(problem).cost
    return simulated_capped_base_stock(problem).cost


def base_stock_cost(problem: LostSales) -> float:
    """Cost of the best base-stock level; long lead times are simulated."""
    if problem.lead_time <= 4:
        return best_base_stock(problem).cost
    return simulated_base_stock(problem).cost


SOLVERS: dict[str, Callable[[LostSales], float]] = {
    "optimal_avg_cost": optimal_lost_sales,
    "optimal": optimal_lost_sales,
    "best_base_stock_avg_cost": base_stock_cost,
    "base_stock": base_stock_cost,
    "best_base_stock": base_stock_cost,
    "capped_bs": capped_cost,
    "capped_base_stock": capped_cost,
    "capped_base_stock_avg_cost": capped_cost,
    "myopic1": myopic_cost,
    "myopic2": lambda problem: myopic_cost(problem, 2),
    "svbs": vector_base_stock_cost,
}


def solve_lost_sales(record: Record) -> Iterator[Answer]:
    """Every quantity of the record that names a policy known here."""
    p = record.params
    if p.get("c", 0):
        raise NotSolvedError("a unit cost is not part of these records' convention")
    lead = float(p["lead_time"])
    if lead != int(lead) or lead < 1:
        raise NotSolvedError(f"lead time {lead}: a whole number of periods is needed")
    demand = integer_demand(p["demand"], p)
    problem = LostSales(demand, float(p["h"]), float(p["p"]), int(lead))
    expected = record.expected
    if "best_base_stock_avg_cost" in expected:
        expected.pop("best_base_stock", None)  # the same quantity, recomputed
    known = [name for name in expected if name in SOLVERS]
    if not known:
        raise NotSolvedError(f"no policy known here among {sorted(record.expected)}")
    for name in known:
        value = expected[name]
        published = float(value["avg_cost"] if isinstance(value, dict) else value)
        try:
            yield Answer(name, published, SOLVERS[name](problem), note=_how(name, problem))
        except ValueError as error:
            yield Answer(name, published, None, note=f"not solved: {error}")


def _how(name: str, problem: LostSales) -> str:
    """Says when ours is a simulation; exact otherwise, so a deviation is the printed value's."""
    is_long = problem.lead_time > 4 and SOLVERS[name] is base_stock_cost
    if is_long or (name.startswith("capped") and not _is_exact(problem)):
        return "both simulated; ours on 60 million periods, standard error about 0.01 or less"
    return "ours exact"


def solve_fixed_cost(record: Record) -> Iterator[Answer]:
    """Fixed order cost and periodic review: a Poisson process, or demand by the period."""
    p = record.params
    if "optimal_avg_cost" not in record.expected:
        raise NotSolvedError("no optimal average cost is given")
    published = float(record.expected["optimal_avg_cost"])
    if "demand" in p and "process" not in str(p["demand"]) and "rate" not in p:
        lead = float(p["lead_time"])
        if lead != int(lead) or lead < 1 or float(p.get("review", 1)) != 1:
            raise NotSolvedError(f"lead time {lead}: a whole number of periods is needed")
        by_period = LostSales(
            integer_demand(p["demand"], p), float(p["h"]), float(p["p"]), int(lead)
        )
        ours = optimal_fixed_cost_by_period(by_period, _fixed(p))
        yield Answer("optimal_avg_cost", published, ours, note="demand by the period")
        return
    review = float(p.get("review", 1))
    rate = float(p.get("rate", p.get("mean", 0)))
    if parse_demand("poisson", {"rate": rate}).mean <= 0:
        raise NotSolvedError("a positive demand rate is needed")
    problem = FixedCostLostSales(
        rate=rate * review,
        holding=float(p["h"]) * review,
        penalty=float(p["p"]),
        fixed_cost=float(_fixed(p)),
        lead_time=float(p["lead_time"]) / review,
    )
    ours = optimal_fixed_cost_lost_sales(problem) / review
    yield Answer("optimal_avg_cost", published, ours, note="Poisson process")


def _fixed(p: dict[str, Any]) -> float:
    return float(p.get("K_fixed", p.get("K", 0.0)))
