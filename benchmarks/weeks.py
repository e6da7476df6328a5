"""Weeks and flows against the exact linear programme of the whole horizon.

    python -m benchmarks.weeks [--items 60] [--world NAME] [--json FILE]

The tests' world of 16 nodes over six weeks, its docks and storage cut in some weeks to a share of
what a free plan uses, with and without an event of three times the demand in weeks 3 and 4. HiGHS
solves the programme with an inventory balance by week (tests/oracles/weeks_lp.py): no bound may lie
above it, no plan below.
"""

import argparse
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from pipeline.contracts.settings import Settings
from pipeline.core.evaluate import evaluate
from pipeline.core.serve import serve
from pipeline.core.solve import SolveParams, solve
from pipeline.optimize.night_model import NightModel, night_model
from tests.optimize import world
from tests.oracles.weeks_lp import exact_cost

SETTINGS = Settings.model_validate(
    {"optimize": {"scenarios": 128, "audit_items": 0}, "run": {"threads": 1}}
)
Share = Callable[[str, str, int], float | None]
INBOUND, STORAGE = "inbound_units_per_day", "storage_cuft"


def dock(node: str, share: float) -> Share:
    """A dock at a share of its free use, in all weeks."""
    return lambda name, resource, week: share if (name, resource) == (node, INBOUND) else None


def every(resource: str, share: float, weeks: tuple[int, ...] = tuple(range(6))) -> Share:
    """All nodes at a share of their free use in some weeks."""
    return lambda name, kind, week: share if kind == resource and week in weeks else None


def either(first: Share, second: Share) -> Share:
    """Both cuts."""
    return lambda *row: share if (share := first(*row)) is not None else second(*row)


WORLDS: dict[str, tuple[bool, Share]] = {
    "dock of DC-EAST at 90 %": (False, dock("DC-EAST", 0.9)),
    "dock of DC-EAST at 75 %": (False, dock("DC-EAST", 0.75)),
    "dock of DC-EAST at 50 %": (False, dock("DC-EAST", 0.5)),
    "dock of FC-EAST at 75 %": (False, dock("FC-EAST", 0.75)),
    "docks at 50 % in weeks 3-4": (False, every(INBOUND, 0.5, (2, 3))),
    "storage at 70 %": (False, every(STORAGE, 0.7)),
    "docks and storage at 80 %": (False, either(every(INBOUND, 0.8), every(STORAGE, 0.8))),
    "docks and storage at 60 %": (False, either(every(INBOUND, 0.6), every(STORAGE, 0.6))),
    "event": (True, lambda *_: None),
    "event, docks at 150 % in weeks 3-4": (True, every(INBOUND, 1.5, (2, 3))),
}


def with_event(raw: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Three times the demand in weeks 3 and 4."""
    table = raw["demand_quantiles"].copy()
    days = table["window_days"]
    values = [c for c in table.columns if table[c].dtype.kind == "f"]
    table[values] = table[values].mul(np.where(days >= 28, (days + 28) / days, 1.0), axis=0)
    return {**raw, "demand_quantiles": table}


def free_use(model: NightModel) -> dict[tuple[str, str, int], float]:
    """What tonight's free levels use of every row, in every week."""
    weeks = model.capacity.rows.shape[0]
    levels = np.tile(model.unpriced, (weeks, 1))
    free = np.zeros(model.capacity.rows.shape)
    placed = serve(model.network.woods, model.ahead, levels, free)
    used = model.capacity.rows.usage(evaluate(model.network.woods, model.ahead, placed, weeks)[1])
    keys = zip(model.capacity.node, model.capacity.resource, model.capacity.week, strict=True)
    return {
        (model.network.names[j], str(name), int(t)): float(units)
        for (j, name, t), units in zip(keys, used, strict=True)
    }


def limited(name: str, raw: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables with the limits, and the event, of a world."""
    is_event, share = WORLDS[name]
    use = free_use(night_model(raw, world.AS_OF, SETTINGS))
    rows = []
    for (node, resource, week), units in sorted(use.items()):
        part = share(node, resource, week)
        first = pd.Timestamp(world.AS_OF + timedelta(days=1 + 7 * week))
        rows.append((node, resource, first, 1e6 if part is None else part * units))
    limits = pd.DataFrame(rows, columns=["node_id", "resource", "start_date", "capacity"])
    return {**(with_event(raw) if is_event else raw), "node_capacity": limits}


def measure(name: str, items: int) -> dict[str, float]:
    """Figures of one world."""
    raw = limited(name, world.tables(items, 1e6, 1e6))
    model = night_model(raw, world.AS_OF, SETTINGS)
    began = process_time()
    plan = solve(model.network.woods, [model.ahead], model.capacity.rows, SolveParams())
    cpu_s = process_time() - began
    exact, price = exact_cost(model.network.woods, model.ahead, model.capacity.rows)
    proof = plan.certificate
    return {
        "exact_usd": exact,
        "bound_below": 1.0 - proof.lower / exact,
        "plan_above": proof.upper / exact - 1.0,
        "violation": proof.violation,
        "levels_tonight": float(plan.position[0][:items].sum()),
        "price": float(plan.price.sum()),
        "exact_price": float(price.sum()),
        "cpu_s": cpu_s,
    }


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--world", choices=list(WORLDS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = [options.world] if options.world else list(WORLDS)
    figures = {name: measure(name, options.items) for name in names}
    table = Table("world", "LP usd", "bound below", "plan above", "violation", "levels tonight",
                  "prices", "LP prices", "CPU s")  # fmt: skip
    for name, row in figures.items():
        table.add_row(
            name, f"{row['exact_usd']:.1f}", f"{row['bound_below']:.3%}",
            f"{row['plan_above']:.3%}", f"{row['violation']:.1e}",
            f"{row['levels_tonight']:.0f}", f"{row['price']:.2f}", f"{row['exact_price']:.2f}",
            f"{row['cpu_s']:.2f}",
        )  # fmt: skip
    Console(width=140).print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
