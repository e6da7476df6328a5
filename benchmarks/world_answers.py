"""Published or exact values of textbook systems, and what the world's own kernel makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.inventory import demand as laws
from pipeline.core.inventory import divergent
from pipeline.core.inventory.pooling import erlang_loss
from pipeline.core.inventory.serial import SerialSystem, optimal_serial
from pipeline.simulate.report.intervals import interval
from pipeline.simulate.textbook.known_answers import (
    divergent_cost,
    lost_sales_cost,
    pooling_units,
    serial_cost,
)


@dataclass(frozen=True)
class Answered:
    """value: published or exact, as `source` says; allowed: how exact the record says it is;
    is_covered: within the 95 % interval, widened by `allowed`."""

    system: str
    source: str
    value: float
    allowed: float
    simulated: float
    half_width: float
    is_covered: bool


def answers(folder: Path) -> Iterator[Answered]:
    """Every instance of the folder that the world can be set to, one by one."""
    for record in _records(folder, "lost_sales"):
        yield from _lost_sales(record)
    for record in _records(folder, "serial"):
        yield from _serial(record)
    for record in _records(folder, "divergent_owmr"):
        yield from _divergent(record)
    yield _pooling()


def as_rows(found: list[Answered]) -> list[dict[str, Any]]:
    """For JSON."""
    return [asdict(answer) for answer in found]


def _records(folder: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((folder / f"{name}.json").read_text())["records"]


def _answer(
    system: str, source: str, value: float, allowed: float, costs: NDArray[np.float64]
) -> Answered:
    found = interval(costs)
    is_covered = bool(abs(found.mean - value) <= found.half_width + allowed)
    return Answered(system, source, value, allowed, found.mean, found.half_width, is_covered)


def _lost_sales(record: dict[str, Any]) -> Iterator[Answered]:
    """Base stock at one node: cost recomputed exactly by dynamic programming."""
    best = (record.get("recomputed") or {}).get("best_base_stock")
    if best:
        lead, penalty = record["params"]["lead_time"], record["params"]["p"]
        demand = np.random.default_rng(0).poisson(record["params"]["mean"], (400, 400, 1))
        costs = lost_sales_cost(demand, lead, best["S"], penalty, 60, seed=1)
        yield _answer(record["id"], "exact", best["avg_cost"], 0.0, costs)


def _serial(record: dict[str, Any]) -> Iterator[Answered]:
    """Clark and Scarf's optimum; normal demand is rounded to units where that changes nothing."""
    p = record["params"]
    leads = p["lead_times"][::-1]
    law, value = p["demand"], record["published"]["optimal_avg_cost"]
    is_poisson = law["type"] == "poisson"
    if value is None or any(lead != int(lead) for lead in leads):
        return
    if not is_poisson and law["sd"] < 10:
        return
    holding = [float(h) for h in p["echelon_holding"][::-1]]
    demand = laws.poisson(law["rate"]) if is_poisson else laws.normal(law["mean"], law["sd"])
    plan = optimal_serial(SerialSystem(holding, leads, p["backorder_cost"], demand))
    rng, shape = np.random.default_rng(0), (400, 300, 1)
    drawn = rng.poisson(law["rate"], shape) if is_poisson else np.maximum(
        np.round(rng.normal(law["mean"], law["sd"], shape)), 0).astype(np.int64)  # fmt: skip
    levels = [round(level) for level in plan.echelon_levels]
    costs = serial_cost(drawn, levels, leads, holding, p["backorder_cost"], 60, seed=1)
    yield _answer(record["id"], "published", value, record["tolerance_rel"] * value, costs)


def _divergent(record: dict[str, Any]) -> Iterator[Answered]:
    """Kaynov's systems with Poisson demand: published cost of the best echelon base stock.

    The levels are not published; they are searched by the classical library, whose own simulation
    of them is shown as well.
    """
    p = record["params"]
    law = p["demand"]
    is_known = "retailer_lead_times" in p and p["customers"] in ("lost_sales", "backorder")
    if not is_known or not all(spec.startswith("P") for spec in law):
        return
    n = len(law)
    system = divergent.DivergentSystem(
        p["warehouse_lead_time"], tuple(p["retailer_lead_times"]),
        tuple(laws.poisson(float(spec[1:])) for spec in law), p["h_warehouse"],
        (p["h_retailer"],) * n, (p["penalty"],) * n, p["customers"],
    )  # fmt: skip
    plan = divergent.best_echelon_base_stock(system, "proportional", periods=p["periods"])
    mean = [float(spec[1:]) for spec in law]
    demand = np.random.default_rng(0).poisson(mean, (p["periods"], 600, n))
    costs = divergent_cost(
        demand, plan.warehouse_level, list(plan.retailer_levels), p["warehouse_lead_time"],
        p["retailer_lead_times"], p["h_warehouse"], np.full(n, p["h_retailer"]),
        np.full(n, p["penalty"]), 1, p["customers"] == "backorder",
    )  # fmt: skip
    value = record["published"]["echelon_base_stock_proportional"]
    yield _answer(record["id"], "published", value, record["tolerance_rel"] * value, costs)
    yield _answer(f"{record['id']}, same levels", "classical library", plan.cost,
                  2 * plan.standard_error, costs)  # fmt: skip


def _pooling() -> Answered:
    """Four warehouses of one unit that help each other: Erlang's loss formula, with the blocked
    share as a control on the number of orders."""
    demand = np.random.default_rng(0).poisson(0.0125, (1000, 600, 4))
    asked, lost, _ = pooling_units(demand, 40, 200, seed=1)
    blocked = erlang_loss(4, 0.05 * 40.5)
    value = blocked * float(asked.mean())
    return _answer("lateral pooling, units lost", "exact", value, 0.0,
                   lost - blocked * asked + value)  # fmt: skip
