"""Which family a record belongs to, by its parameters, and the run over all records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

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

Solver = Callable[[Record], Iterator[Answer]]


def solver_for(record: Record) -> Solver:
    """The family's solver; the parameters decide, never the id."""
    p = record.params
    if "budget" in p:
        return solve_budget
    if "num_local_warehouses" in p:
        return solve_pooling
    if "c_e" in p and "l_r" in p:
        return solve_dual_sourcing
    if "customers" in p and "retailer_lead_times" in p:
        return solve_divergent
    if "special_delivery_cost" in p:
        return solve_special_delivery
    if "edges_w_r_weight" in p and "levels" in p:
        return solve_network
    if "total_inventory" in p and "cost" in p:
        return solve_placement
    if isinstance(p.get("lead_times"), list) and ("echelon_holding" in p or "local_holding" in p):
        return solve_serial
    if "K_fixed" in p:
        return solve_fixed_cost
    if "lead_time" in p and "p" in p and SOLVERS.keys() & record.expected.keys():
        return solve_lost_sales
    if "h" in p or {"r", "c", "demand"} <= p.keys():
        return solve_single_stage
    if not record.expected:
        raise NotSolvedError("an instance without a published answer")
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
    except Exception as error:  # noqa: BLE001 — one bad record must not stop the report
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
