"""Records of one stocking point: newsvendor, base-stock, (r, Q), (s, S), lot size, budget."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from benchmarks.records.checks import Answer, NotSolvedError, Record
from benchmarks.records.demand_specs import integer_demand, parse_demand
from pipeline.core.inventory import newsvendor as nv
from pipeline.core.inventory import single_stage as ss

ALIASES = {
    "base_stock_level": "S",
    "order_up_to": "S",
    "order_quantity": "Q",
    "reorder_point": "r",
    "expected_cost": "cost",
    "optimal_cost": "cost",
    "optimal_avg_cost": "cost",
    "expected_profit": "profit",
}


NAMES = {
    "holding": "h", "holding_cost": "h", "backorder": "p", "backorder_cost": "p",
    "stockout_cost": "p", "shortage_cost": "p", "penalty": "p", "b": "p", "fixed_cost": "K",
    "order_cost": "K", "L": "lead_time", "lambda": "rate", "demand_rate": "rate",
    "demand_mean": "rate", "demand_sd": "sd", "sigma": "sd",
}  # fmt: skip
"""Other words for parameters, and the ones that are used here."""


def _renamed(p: dict[str, Any]) -> dict[str, Any]:
    """Parameters under the names that are used here; one that is given twice keeps its own."""
    return {**{NAMES.get(name, name): value for name, value in p.items()}, **p}


def solve_single_stage(record: Record) -> Iterator[Answer]:
    """One item: which model is meant follows from the parameters that are given."""
    yield from _matching(record, _single_stage_values(record))


def _single_stage_values(record: Record) -> dict[str, float]:
    p = _renamed(record.params)
    fixed = p.get("K")
    if fixed is None and "r" in p and "c" in p:
        return _selling(p)
    missing = [name for name in ("h",) if name not in p]
    if missing:
        raise NotSolvedError(f"the record does not give {missing[0]}, the holding cost")
    holding, shortage = float(p["h"]), p.get("p")
    lead, rate = float(p.get("lead_time", 0)), p.get("rate")
    if fixed is None:
        level = ss.base_stock(parse_demand(p["demand"], p), holding, float(shortage), lead)
        return {"S": level.level_units, "cost": level.cost}
    if rate is not None and shortage is None:
        lot = ss.economic_order_quantity(float(rate), float(fixed), holding)
        return {"Q": lot.level_units, "cost": lot.cost}
    if shortage is None:
        raise NotSolvedError("the record does not give p, the backorder cost")
    if rate is None and ("Q" in record.expected or "order_quantity" in record.expected):
        rate = parse_demand(p["demand"], p).mean
    if rate is not None:
        return _continuous_review(p, float(fixed), holding, float(shortage), float(rate), lead)
    demand = integer_demand(p["demand"], p)
    found = ss.min_max_policy(demand, holding, float(shortage), float(fixed), round(lead))
    return {
        "s": found.reorder_point_units,
        "S": found.order_up_to_units,
        "cost": found.cost,
    }


def _selling(p: dict[str, Any]) -> dict[str, float]:
    """A newsvendor that is told by its price r and cost c."""
    demand = parse_demand(p["demand"], p)
    salvage, goodwill = float(p.get("v", 0.0)), float(p.get("g", 0.0))
    if "h" in p:  # a charge for a unit left over rather than a salvage value
        salvage = -float(p["h"]) if "v" not in p else salvage - float(p["h"])
    goodwill = float(p.get("p", goodwill))
    units, profit = nv.newsvendor_profit(demand, float(p["r"]), float(p["c"]), salvage, goodwill)
    return {"S": units, "Q": units, "profit": profit, "cost": -profit}


def _continuous_review(
    p: dict[str, Any], fixed: float, holding: float, shortage: float, rate: float, lead: float
) -> dict[str, float]:
    if "r" in p and "Q" in p:  # the cost of a policy that is given
        over = parse_demand(p["demand"], p).over(lead)
        cost = ss.reorder_cost(over, rate, fixed, holding, shortage, float(p["r"]), float(p["Q"]))
        return {"cost": cost}
    if "demand" in p and "sd" not in p:
        over = parse_demand(p["demand"], p).over(lead)
    elif p.get("sd") is not None:
        over = parse_demand(f"normal({rate},{p['sd']})", p).over(lead)
    else:
        over = parse_demand(f"poisson({rate})", p).over(lead)
    if lead == 0 and "lead_time" not in p:
        lot = ss.economic_order_quantity(rate, fixed, holding, shortage)
        return {"Q": lot.level_units, "cost": lot.cost}
    policy = ss.reorder_policy(over, rate, fixed, holding, shortage)
    return {"r": policy.reorder_point_units, "Q": policy.order_units, "cost": policy.cost}


def _matching(record: Record, values: dict[str, float]) -> Iterator[Answer]:
    found = False
    for name, published in record.expected.items():
        symbol = ALIASES.get(name, name)
        if symbol in values:
            found = True
            yield Answer(name, float(published), float(values[symbol]))
    if not found:
        raise NotSolvedError(f"none of {sorted(values)} is among the quantities given")


def solve_budget(record: Record) -> Iterator[Answer]:
    """Several items under a budget."""
    p = record.params
    prices, costs = [float(x) for x in p["price"]], [float(x) for x in p["cost"]]
    count = len(prices)
    salvage = p.get("salvage", 0.0)
    salvages = (
        [float(s) for s in salvage] if isinstance(salvage, list) else [float(salvage)] * count
    )
    spec = p["demand"]
    demands = [
        parse_demand(spec[i] if isinstance(spec, list) else spec, p, i) for i in range(count)
    ]
    budget = float(p["budget"]) if p.get("budget") is not None else math.inf
    plan = nv.budgeted_newsvendor(demands, prices, costs, salvages, budget)
    expected = record.expected
    scalars = {
        "lambda": plan.budget_price,
        "expected_profit": plan.expected_profit,
        "profit": plan.expected_profit,
    }
    for name, ours in scalars.items():
        if name in expected:
            published = float(expected[name])
            yield Answer(
                name,
                published,
                ours,
                scale=max(abs(published), 1e-3),
                tolerance=(record.tolerance_rel or 1e-6) * max(abs(published), 1e-3),
            )
    orders = [float(q) for q in expected.get("q", expected.get("Q", []))]
    largest = max(orders, default=1.0) or 1.0
    for i, published in enumerate(orders):
        yield Answer(
            f"q[{i}]",
            published,
            float(plan.order_units[i]),
            scale=largest,
            tolerance=(record.tolerance_rel or 1e-6) * largest,
        )
