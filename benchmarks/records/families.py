"""Which family a record belongs to, by its parameters, and the run over all records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.records.checks import (
    Answer,
    NotSolvedError,
    Record,
    Report,
    Row,
    compare,
    read_records,
    unsolved,
)
from benchmarks.records.dual_sourcing import solve_dual_sourcing
from benchmarks.records.guaranteed import solve_guaranteed_service
from benchmarks.records.lost_sales import SOLVERS, solve_fixed_cost, solve_lost_sales
from benchmarks.records.multi_echelon import (
    solve_divergent,
    solve_network,
    solve_pooling,
    solve_serial,
    solve_special_delivery,
)
from benchmarks.records.placement import solve_placement
from benchmarks.records.single_stage import solve_budget, solve_single_stage

Params = dict[str, Any]
Solver = Callable[[Record], Iterator[Answer]]


def _is_serial(p: Params) -> bool:
    return isinstance(p.get("lead_times"), list) and bool(
        {"echelon_holding", "local_holding"} & p.keys()
    )


# The first family whose test the parameters pass; never the id.
FAMILIES: tuple[tuple[Callable[[Params], bool], Solver], ...] = (
    (lambda p: "budget" in p, solve_budget),
    (lambda p: "num_local_warehouses" in p, solve_pooling),
    (lambda p: {"c_e", "l_r"} <= p.keys(), solve_dual_sourcing),
    (lambda p: {"customers", "retailer_lead_times"} <= p.keys(), solve_divergent),
    (lambda p: "special_delivery_cost" in p, solve_special_delivery),
    (lambda p: {"edges_w_r_weight", "levels"} <= p.keys(), solve_network),
    (lambda p: {"total_inventory", "cost"} <= p.keys(), solve_placement),
    (
        lambda p: "edges" in p and bool({"processing_time", "processing_times"} & p.keys()),
        solve_guaranteed_service,
    ),
    (_is_serial, solve_serial),
    (lambda p: "K_fixed" in p, solve_fixed_cost),
)


def solver_for(record: Record) -> Solver:
    """The solver of the family that the record's parameters belong to."""
    p = record.params
    for belongs, solver in FAMILIES:
        if belongs(p):
            return solver
    if {"lead_time", "p"} <= p.keys() and SOLVERS.keys() & record.expected.keys():
        return solve_lost_sales
    if {"h", "holding", "holding_cost"} & p.keys() or {"r", "c", "demand"} <= p.keys():
        return solve_single_stage
    if not record.expected:
        raise NotSolvedError("an instance only: the record has no published answer")
    raise NotSolvedError(f"no family known here has the parameters {sorted(p)}")


def check_record(record: Record) -> list[Row]:
    """The rows of one record; whatever goes wrong becomes a row that says so."""
    started = time.perf_counter()
    rows: list[Row] = []
    try:
        solve = solver_for(record)
        for answer in solve(record):
            rows.append(compare(record, answer, time.perf_counter() - started))
            started = time.perf_counter()
        if not rows:
            raise NotSolvedError("no quantity to compare")
    except NotSolvedError as error:
        rows.append(unsolved(record, str(error), time.perf_counter() - started))
    except Exception as error:  # one bad record must not stop the report
        reason = f"{type(error).__name__}: {error}"
        rows.append(unsolved(record, reason, time.perf_counter() - started))
    return rows


def check_files(paths: list[Path], show: Callable[[Row], None]) -> Report:
    """All rows of all files, each shown as soon as it is known."""
    report = Report()
    for path in paths:
        for record in read_records(path):
            for row in check_record(record):
                report.rows.append(row)
                show(row)
    return report
