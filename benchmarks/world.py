"""The simulated world alone: speed, memory, threads, and textbook systems against theory.

python -m benchmarks.world --items 5000 --days 60 --json world.json
python -m benchmarks.world --answers ../shared/benchmarks
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import numba
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.world_answers import answers, as_rows
from pipeline.simulate.textbook.instances import fixed_lead_time
from pipeline.simulate.world.day import World
from pipeline.simulate.world.model import WorldModel, WorldRules, world_model
from pipeline.simulate.world.randomness import poisson_demand
from pipeline.simulate.world.state import Decisions, empty_state

REGIONS, SITES, CENTERS = 10, 16, 8


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--answers", type=Path, help="folder of the published instances")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    console = Console(width=max(Console().width, 110))  # names of systems are long
    figures = speed(arguments.items, arguments.days)
    table = Table("figure", "value", title="the world alone")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.6g}" if isinstance(value, float) else str(value))
    console.print(table)
    if arguments.answers:
        # Thousands of days of a small world each: a second thread would only wait for the first.
        numba.set_num_threads(1)
        found = []
        for answer in answers(arguments.answers):
            console.log(f"{answer.system}: {'covered' if answer.is_covered else 'NOT covered'}")
            found.append(answer)
        figures["answers"] = as_rows(found)
        show = Table("system", "source", "value ± allowed", "simulated ± 95 %", "covered",
                     title="the world against known answers")  # fmt: skip
        for a in found:
            show.add_row(a.system, a.source, f"{a.value:,.3f} ± {a.allowed:,.3f}",
                         f"{a.simulated:,.3f} ± {a.half_width:,.3f}",
                         "yes" if a.is_covered else "no")  # fmt: skip
        console.print(show)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def speed(n_items: int, n_days: int) -> dict:
    """Item-node-days a CPU second on one thread, and whether two threads give the same bytes."""
    model = network(n_items)
    live(model, 2, 1)  # compiles
    spent, state = live(model, n_days, 1)
    _, twin = live(model, n_days, min(2, numba.config.NUMBA_NUM_THREADS))
    done = n_items * len(model.nodes) * n_days
    return {
        "items": n_items, "nodes": len(model.nodes), "days": n_days, "cpu_s": spent,
        "million_item_node_days_per_cpu_s": done / spent / 1e6,
        "is_same_with_two_threads": bool(state == twin),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }  # fmt: skip


def live(model: WorldModel, n_days: int, threads: int) -> tuple[float, bytes]:
    """CPU seconds of the days with everything on: demand, orders, receipts, costs, ledger."""
    numba.set_num_threads(threads)
    n_items, n_regions, n_nodes = model.shape
    rng = np.random.default_rng(1)
    mean = rng.gamma(0.5, 2.0, (n_items, n_regions)) * 1.1  # 1.1 units a day, as M5 has
    world = World(model, fixed_lead_time(model, 5), empty_state(model), 1)
    world.state.on_hand += 4
    demand = np.zeros((n_items, n_regions), dtype=np.int64)
    price, capacity = np.full(demand.shape, 20.0), np.full((n_nodes, 3), 1e9)
    began = time.process_time()
    for day in range(n_days):
        poisson_demand(1, model.item_key, model.region_key, day, mean, demand)
        world.live(day, demand, price, reorder(world, day), capacity)
    return time.process_time() - began, world.state.on_hand.tobytes()


def reorder(world: World, day: int) -> Decisions:
    """A seventh of the items order twelve units to each node that has fewer than four."""
    n_items = len(world.model.items)
    due = np.arange(day % 7, n_items, 7)
    k, node = np.nonzero(world.state.on_hand[due] < 4)
    item, none = due[k], np.zeros(0, dtype=np.int64)
    zero = np.zeros(len(item), dtype=np.int64)
    return Decisions(zero, item, node.astype(np.int64), np.full(len(item), 12), zero.astype(float),
                     zero + day + 6, none, none, none, none, none)  # fmt: skip


def network(n_items: int) -> WorldModel:
    """24 nodes, 10 regions, 2 speeds, cut-offs at four hours."""
    items = [f"item_{k:06d}" for k in range(n_items)]
    nodes = [f"site_{j:02d}" for j in range(SITES)] + [f"center_{j:02d}" for j in range(CENTERS)]
    regions = [f"region_{r:02d}" for r in range(REGIONS)]
    options = []
    for r, region in enumerate(regions):
        near = [nodes[(r + i * REGIONS) % SITES] for i in range(2)] + [nodes[SITES + r % CENTERS]]
        for i, node in enumerate(near):
            options.append((region, "fast", node, 12.0 + 3 * i, 3.0 + i))
        options += [(region, "slow", node, 24.0, 2.0 + (j + r) % 7) for j, node in enumerate(nodes)]
    return world_model({
        "items": pd.DataFrame({"item_id": items, "size_class": "sortable", "unit_cube_cuft": 0.5}),
        "regions": pd.DataFrame({"region_id": regions}),
        "nodes": pd.DataFrame({"node_id": nodes, "tier": "fulfillment_center", "accepts": "any",
                               "handling_usd_per_unit": 0.3, "storage_usd_per_cuft_day": 0.01}),
        "vendors": pd.DataFrame({"vendor_id": ["vendor"]}),
        "vendor_items": pd.DataFrame({"item_id": items, "unit_cost_usd": 12.0}),
        "lanes": pd.DataFrame(columns=["from_node_id", "to_node_id", "lane_usd_per_cuft"]),
        "delivery_options": pd.DataFrame(options, columns=[
            "region_id", "speed", "node_id", "cutoff_hour", "ship_usd_per_unit"]),
        "delivery_speeds": pd.DataFrame({
            "region_id": np.repeat(regions, 2), "speed": ["fast", "slow"] * REGIONS,
            "promise_days": [1, 4] * REGIONS, "demand_share": [0.5, 0.5] * REGIONS,
            "missed_speed_usd_per_unit": [1.0, 0.2] * REGIONS}),
        "order_hours": pd.DataFrame({"hour": range(24), "demand_share": 1 / 24}),
    }, WorldRules())  # fmt: skip


if __name__ == "__main__":
    main()
