"""The plan in random worlds with events, closures and cuts, against rules and a plan of one week.

    python -m benchmarks.random_worlds [--worlds 20] [--first 0] [--days 42] [--truths 1] \
        [--no-one-week] [--json FILE]

Each world is another sample (items, regions, network, vendors, demand) in which something is
announced: an event of one and a half to three times the demand of a category, docks or space at 40
to 80 %, each for some weeks from the third on, and in every third world a closed site. Small
forecast trees, stored forecasts, one replication: a world is one draw, and there are many; with
--truths each is lived so many times, with other demand and other luck after the same past. Shown
are the profits of the plan, of the same code that sees one week ahead (planning.horizon_weeks 1),
and of rules; worlds in which each is beaten; the mean lead with its interval over worlds. Where a
rule earns more, the parts of profit and the items that do it. Stops and resumes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil

os.environ.setdefault("OMP_NUM_THREADS", "1")

from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from rich.console import Console
from rich.table import Table
from scipy.stats import t as student

from benchmarks.policies import whence
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.stage import run_scenario

LAST = date(2025, 6, 28)
RULES = ("base_stock", "drp")
NEXT_TRUTH = 1000
"""From the seed of one truth of a world to that of the next."""
SETTINGS: dict[str, dict[str, Any]] = {
    "forecast": {
        "mean": {"trees": 60, "leaves": 15, "leaf_rows": 40},
        "shape": {"trees": 20, "leaves": 8, "leaf_rows": 100},
        "calibration_days": 28, "explained_items": 5,
    },
    "optimize": {"scenarios": 128, "rank_banks": 4, "exact_items": 0, "audit_items": 0,
                 "certified_items": 0, "price_derivatives": False},
    "buy": {"order_line_usd": 0.0},  # the world charges nothing for a line
    "run": {"threads": 1},
}  # fmt: skip


def changes(raw: Path, rng: np.random.Generator, days: int, closes: bool) -> list[dict[str, Any]]:
    """What is announced in the world of the raw tables."""

    def weeks() -> dict[str, int]:
        first = int(rng.integers(15, max(days - 20, 16)))
        return {"from_day": first, "to_day": first + int(rng.integers(7, 22)) - 1}

    nodes = pd.read_csv(raw / "nodes.csv")
    groups = sorted(pd.read_csv(raw / "items.csv")["category"].unique())
    docks = nodes.loc[nodes["is_vendor_receiving"], "node_id"].tolist()
    factor = float(np.round(rng.uniform(1.5, 3.0), 1))
    found: list[dict[str, Any]] = [
        {"kind": "surge", "factor": factor, "planned_factor": factor, "event_name": "event",
         "item_groups": [str(rng.choice(groups))], **weeks()},
        {"kind": "capacity", "resource": "inbound_units_per_day", "nodes": [str(rng.choice(docks))],
         "factor": float(np.round(rng.uniform(0.4, 0.8), 2)), **weeks()},
        {"kind": "capacity", "resource": "storage_cuft",
         "nodes": [str(rng.choice(nodes["node_id"]))],
         "factor": float(np.round(rng.uniform(0.4, 0.8), 2)), **weeks()},
    ]  # fmt: skip
    sites = nodes.loc[nodes["tier"] == "same_day_site", ["node_id", "parent_node_id"]]
    if closes and len(sites):
        site = sites.iloc[int(rng.integers(len(sites)))]
        found.append({"kind": "closed_node", "node_id": str(site["node_id"]),
                      "stock_to": str(site["parent_node_id"])})  # fmt: skip
    return found


def lived(
    seed: int, truths: int, days: int, items: int, out: Path, one_week: bool,
    laid_over: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Profits of a world by who plans it, one of each truth, with what is announced in it;
    laid_over: settings."""
    raw = out / f"raw_{seed:03d}"
    size = SampleSize(items=items, regions=2 + seed % 3, days=160)
    write_sample(raw, size, LAST, seed)
    (raw / "overrides.csv").unlink()  # the plan obeys planners (a quality hold), rules do not
    rng = np.random.default_rng([seed, 13])
    known = changes(raw, rng, days, seed % 3 == 0)
    profits: dict[str, list[float]] = {}
    lost: dict[str, list[float]] = {}
    plans = ((6, (*RULES, "echelon")), (1, ("echelon",)))[: 1 + one_week]
    for truth, (weeks, policies) in product(range(truths), plans):
        settings = {**SETTINGS, "planning": {"horizon_weeks": weeks}}
        for section, values in laid_over.items():
            settings[section] = {**settings.get(section, {}), **values}
        scenario = Scenario.model_validate({
            "name": "random_world", "dataset": "sample", "raw_dir": raw, "start": LAST,
            "days": days, "replications": 1, "seed": seed + 1 + NEXT_TRUTH * truth,
            "demand": "resampled", "forecasts": "stored", "settings": settings, "changes": known,
        })  # fmt: skip
        folders = [out / f"world_{seed:03d}_{weeks}_{truth}", out / f"world_{seed:03d}_6_0"]
        _lend_past(folders[1], folders[0])
        ran = run_scenario(scenario, policies, folders[0], with_bound=False)
        totals = ran.tables["simulated_totals"].astype({"policy": "str"})
        for name, usd in totals.groupby("policy")["profit_usd"].mean().items():
            profits.setdefault("one_week" if weeks == 1 else str(name), []).append(float(usd))
        best = max(RULES, key=lambda name: profits[name][-1])
        if weeks > 1 and profits[best][-1] > profits["echelon"][-1]:
            lost = whence(ran, "echelon", best)
    return {"world": seed, "announced": known, "profit_usd": profits, "whence_usd": lost}


def _lend_past(first: Path, folder: Path) -> None:
    """The cleaned past of a world's first run, and the model trained on it, to another folder."""
    if first.exists() and not folder.exists():
        for part in ("source", "base/nights"):
            shutil.copytree(first / part, folder / part)


def main() -> None:
    """Live the worlds, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--days", type=int, default=42)
    parser.add_argument("--items", type=int, default=12)
    parser.add_argument("--truths", type=int, default=1, help="how often each world is lived")
    parser.add_argument("--no-one-week", action="store_true", help="leave out the plan that sees "
                        "one week ahead, which is half of the time")  # fmt: skip
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON, laid over the "
                        "planner's settings")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("random_worlds"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    console, found = Console(width=120), []
    for seed in range(arguments.first, arguments.first + arguments.worlds):
        one = lived(
            seed, arguments.truths, arguments.days, arguments.items, arguments.out,
            not arguments.no_one_week, arguments.settings,
        )  # fmt: skip
        found.append(one)
        for name, usd in one["profit_usd"].items():
            mean, half = _lead(one["profit_usd"]["echelon"], usd)
            width = f" ± {half:,.0f}" if len(usd) > 1 else ""
            behind = "" if name == "echelon" else f"; the plan is ahead by {mean:,.0f}{width}"
            console.print(f"world {seed}, {name}: {', '.join(f'{x:,.0f}' for x in usd)}{behind}")
        if arguments.json:
            arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    profit = pd.DataFrame([
        {name: np.mean(usd) for name, usd in one["profit_usd"].items()} for one in found
    ])  # fmt: skip
    table = Table(
        "held against", "worlds not below", "mean lead, usd", "95 % interval", "of its profit"
    )
    for name in profit.columns.drop("echelon"):
        not_below = (profit["echelon"] - profit[name] >= -1e-6).sum()
        mean, half = _lead(profit["echelon"], profit[name])
        table.add_row(name, f"{not_below} of {len(profit)}", f"{mean:,.0f}",
                      f"{mean - half:,.0f} to {mean + half:,.0f}",
                      f"{mean / abs(profit[name].mean()):+.1%}")  # fmt: skip
    console.print(table)


def _lead(plan_usd: ArrayLike, other_usd: ArrayLike) -> tuple[float, float]:
    """Mean lead over the other, usd, and half the width of its 95 % interval; nan of one pair."""
    lead = np.subtract(plan_usd, other_usd)
    if len(lead) < 2:
        return float(lead.mean()), float("nan")
    half = student.ppf(0.975, len(lead) - 1) * lead.std(ddof=1) / len(lead) ** 0.5
    return float(lead.mean()), float(half)


if __name__ == "__main__":
    main()
