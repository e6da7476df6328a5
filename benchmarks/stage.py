"""The whole stage `optimize`: from tables in memory to the published frames.

    python -m benchmarks.stage [--items 1000,10000] [--world NAME] [--json FILE]

The network of 16 nodes over six weeks, docks and storage of all nodes at a share of what a free
plan uses (worlds of benchmarks.weeks). CPU seconds of one thread, by phase, after a small night has
compiled the kernels; the demand of a thousand items repeats, their costs and sizes do not.
"""

import argparse
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import resource
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.weeks import SETTINGS, WORLDS, limited
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from tests.optimize import world

DISTINCT = 1_000
Frames = dict[str, pd.DataFrame]


def tables(items: int, seed: int = 0) -> Frames:
    """The tests' world with many items: what repeats gets a name, a cost and a size of its own."""
    base = world.tables(min(items, DISTINCT), 1e6, 1e6)
    copies = -(-items // DISTINCT)
    if copies == 1:
        return base
    rng = np.random.default_rng(seed)
    scale = {name: rng.lognormal(0.0, 0.2, (copies, DISTINCT)) for name in ("usd", "cuft")}
    columns = {
        "list_price_usd": "usd", "unit_cost_usd": "usd", "price_usd": "usd",
        "unit_cube_cuft": "cuft",
    }  # fmt: skip
    found = dict(base)
    number = {name: i for i, name in enumerate(base["items"]["item_id"])}
    for table, frame in base.items():
        if "item_id" not in frame or frame.empty:
            continue
        at = frame["item_id"].map(number).to_numpy()
        parts = []
        for copy in range(copies):
            part = frame.assign(item_id=frame["item_id"] + f"-{copy:03d}")
            for column, kind in columns.items():
                if column in part:
                    part[column] = part[column].to_numpy() * scale[kind][copy, at]
            parts.append(part)
        found[table] = pd.concat(parts, ignore_index=True)
    return found


def measure(name: str, items: int) -> dict[str, float]:
    """Figures of one night."""
    raw = limited(name, tables(items))
    began = process_time()
    model = night_model(raw, world.AS_OF, SETTINGS)
    built = process_time()
    frames = optimize_night(model, SETTINGS)
    done = process_time()
    summary = frames["optimize_summary"].set_index("measure")["value"]
    return {
        "items": float(items),
        "rows": float(summary["capacity_rows"]),
        "priced_rows": float(summary["priced_rows"]),
        "gap": float(summary["certified_gap"]),
        "violation": float(summary["violation"]),
        "cost_usd": float(summary["upper_bound_usd"]),
        "model_cpu_s": built - began,
        "plan_cpu_s": done - built,
        "stage_cpu_s": done - began,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", default="1000,10000", help="numbers of items, with commas")
    parser.add_argument("--world", choices=list(WORLDS), default="docks and storage at 80 %")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    measure(options.world, 200)  # compiles
    figures = [measure(options.world, int(items)) for items in options.items.split(",")]
    shown = Table("items", "rows", "priced", "gap", "violation", "model CPU s", "plan CPU s",
                  "stage CPU s", "peak GB", title=options.world)  # fmt: skip
    for row in figures:
        shown.add_row(
            f"{row['items']:,.0f}", f"{row['rows']:.0f}", f"{row['priced_rows']:.0f}",
            f"{row['gap']:.3%}", f"{row['violation']:.1e}", f"{row['model_cpu_s']:.2f}",
            f"{row['plan_cpu_s']:.2f}", f"{row['stage_cpu_s']:.2f}", f"{row['peak_gb']:.2f}",
        )  # fmt: skip
    Console(width=120).print(shown)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
