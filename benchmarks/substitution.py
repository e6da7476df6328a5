"""What planning with substitution earns: the night with groups against the same night without.

    python -m benchmarks.substitution --worlds 4 --days 28 --out sub --json substitution.json

Worlds of benchmarks/substitution_world.py, in which customers turn to others by a true chain,
and the same ones in which all leave. The night learns the chain from its history and stock-outs
(stage assort, items may be dropped); the rival is the same night that is told of no groups. Profit
is the world's; a world counts once, intervals are over worlds.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy import stats

from benchmarks.substitution_world import START, Asked, write_world
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.stage import run_scenario

CONSOLE = Console()
SETTINGS = {
    "run": {"threads": 1}, "assort": {"drops_items": True}, "buy": {"order_line_usd": 0.0},
    "forecast": {"mean": {"trees": 60, "leaves": 15, "leaf_rows": 40},
                 "shape": {"trees": 20, "leaves": 8, "leaf_rows": 100}, "calibration_days": 28},
    "optimize": {"scenarios": 128, "rank_banks": 4},
}  # fmt: skip


def main() -> None:
    """Run the worlds, print the table, write the JSON."""
    arguments = _arguments()
    rows = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.worlds):
        for leaves in (arguments.leaves, 1.0):
            row = _world(arguments, seed, leaves)
            CONSOLE.log(f"world {seed}, leaves {leaves:.0%}: {row}")
            rows.append(row)
    found = pd.DataFrame(rows)
    summary = {
        "with_chain": _interval(found[found["leaves"] < 1]),
        "without": _interval(found[found["leaves"] == 1]),
    }
    CONSOLE.print(_table(found, summary))
    if arguments.json:
        content = {"worlds": rows, "gain": summary}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=4)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--items", type=int, default=18)
    parser.add_argument("--regions", type=int, default=2)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--leaves", type=float, default=0.25,
                        help="customers who leave rather than turn to another")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("substitution"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _world(arguments: argparse.Namespace, seed: int, leaves: float) -> dict[str, float]:
    """Profit of both nights in a world, the second half of the run beside the whole."""
    began = time.process_time()
    row: dict[str, float] = {"world": seed, "leaves": leaves}
    for told in (True, False):
        name = f"w{seed}_{'all_leave' if leaves == 1 else 'chain'}_{'on' if told else 'off'}"
        asked = Asked(seed, arguments.items, arguments.regions, arguments.days, leaves)
        raw = arguments.out / "raw" / name
        chain = arguments.out / "raw" / f"{name}_chain.csv"
        if not chain.exists():
            raw.mkdir(parents=True, exist_ok=True)
            write_world(raw, asked, told)
        scenario = Scenario(
            name=name, dataset="raw", raw_dir=raw, start=START, days=arguments.days,
            replications=1, seed=seed, chain=chain, settings=SETTINGS,
        )  # fmt: skip
        tables = run_scenario(scenario, ["echelon"], arguments.out / name, with_bound=False).tables
        days = tables["simulated_days"].sort_values("date")
        label = "on" if told else "off"
        row[f"profit_{label}"] = float(days["profit_usd"].sum())
        row[f"later_{label}"] = float(days["profit_usd"].iloc[len(days) // 2 :].sum())
        row[f"lost_{label}"] = float(days["lost_units"].sum())
        row[f"stock_{label}"] = float(days["inventory_usd"].mean())
    row["gain"] = row["profit_on"] / row["profit_off"] - 1
    row["later_gain"] = row["later_on"] / row["later_off"] - 1
    row["cpu_s"] = time.process_time() - began
    return row


def _interval(found: pd.DataFrame) -> dict[str, list[float]]:
    """Mean gain with its 95 % interval over worlds: [low, mean, high]."""
    told = {}
    for name in ("gain", "later_gain"):
        values = found[name].to_numpy(float)
        half = np.nan
        if len(values) > 1:
            half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
        told[name] = [values.mean() - half, values.mean(), values.mean() + half]
    return told


def _table(found: pd.DataFrame, summary: dict[str, dict[str, list[float]]]) -> Table:
    table = Table("world", "leave", "profit without", "with groups", "gain", "2nd half",
                  "lost units", "stock, USD", title="With and without groups")  # fmt: skip
    for row in found.to_dict("records"):
        table.add_row(
            f"{row['world']:.0f}", f"{row['leaves']:.0%}", f"{row['profit_off']:,.0f}",
            f"{row['profit_on']:,.0f}", f"{row['gain']:+.2%}", f"{row['later_gain']:+.2%}",
            f"{row['lost_off']:,.0f} → {row['lost_on']:,.0f}",
            f"{row['stock_off']:,.0f} → {row['stock_on']:,.0f}",
        )  # fmt: skip
    for name, gains in summary.items():
        cells = [f"{mean:+.2%} ({low:+.2%} to {high:+.2%})" for low, mean, high in gains.values()]
        table.add_row("mean", name, "", "", *cells, "", "")
    return table


if __name__ == "__main__":
    main()
