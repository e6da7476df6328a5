"""Records of guaranteed service times on trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.records.checks import Answer, Record
from pipeline.core.inventory.guaranteed_service import Stage, guaranteed_service


def solve_guaranteed_service(record: Record) -> Iterator[Answer]:
    """Service times of a tree; a number stands for all stages, a list for them in order."""
    p = record.params
    edges = [(str(a), str(b)) for a, b in p["edges"]]
    names = sorted({name for edge in edges for name in edge})

    def of(name: str, *words: str) -> float | None:
        return next((_one(p[word], name, names) for word in words if word in p), None)

    stages = {}
    for name in names:
        promise = of(name, "external_outbound_cst", "promise")
        stages[name] = Stage(
            int(of(name, "processing_time", "processing_times") or 0),
            of(name, "local_holding_cost", "holding_cost", "holding", "h") or 0.0,
            of(name, "demand_standard_deviation", "demand_sd", "sd") or 0.0,
            int(of(name, "external_inbound_cst", "inbound") or 0),
            None if promise is None else int(promise),
        )
    factor = float(p.get("demand_bound_constant", p.get("z", 1.0)))
    found = guaranteed_service(stages, edges, factor)
    for quantity in ("cost", "optimal_cost", "opt_cost"):
        if quantity in record.expected:
            yield Answer(quantity, float(record.expected[quantity]), found.cost)


def _one(value: Any, name: str, names: list[str]) -> float | None:
    """The number of one stage, None where it has none."""
    if isinstance(value, dict):
        return None if value.get(name) is None else float(value[name])
    if isinstance(value, list):
        return float(value[names.index(name)])
    return float(value)
