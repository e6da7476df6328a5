"""Rehearsed trials: is a planted effect of 1 % found, is the truth covered, does a null stay null?

    python -m benchmarks.labs --labs 100 --json labs.json

Every lab is a world of its own: items, luck and assignment. The planted effect multiplies arm B's
profit by 1.01, so the truth is exact. The last lines measure interference: two policies share too
little space, and the truth comes from running all A and all B.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.simulate.lab_world import LabRun, common_price, lab_world
from pipeline.simulate.labs import design, pair_sd, pairs_needed, power, verdict

CLUSTER_SIZE, DAYS = 2, 84
INTERFERENCE_ITEMS, ROOM = 900, 1.05  # space: so many times what all A use
Figures = dict[str, float]


def main() -> None:
    """Run all labs, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=int, default=100)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--interference-labs", type=int, default=10)
    parser.add_argument("--lift", type=float, default=0.01)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    began = time.process_time()
    figures = calibration(arguments.labs, arguments.items, arguments.lift)
    figures |= interference(arguments.interference_labs)
    figures["cpu_s"] = time.process_time() - began
    table = Table("figure", "value", title=f"{arguments.labs} labs, {arguments.items} items each")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.5g}")
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def calibration(n_labs: int, n_items: int, lift: float) -> Figures:
    """Labs with the planted lift, and the same labs without it."""
    found = covered = quiet = 0
    errors, widths, chances, removed, needed = [], [], [], [], []
    for seed in range(n_labs):
        world, nobody = lab_world(n_items, seed), np.zeros(n_items, dtype=bool)
        run = world.run(1.5, 1.5, nobody, seed, 2 * DAYS, DAYS)
        before, during = (clusters(part) for part in np.split(run.profit_usd, 2))
        trial = design(before, seed)
        null = verdict(trial, during, before)
        planted = verdict(trial, np.where(trial.is_b, during * (1 + lift), during), before)
        found += planted.low > 0
        covered += planted.low <= lift <= planted.high
        quiet += null.low <= 0 <= null.high
        errors.append(planted.lift - lift)
        widths.append((planted.high - planted.low) / 2)
        removed.append(planted.noise_removed)
        # Planned from the first period alone: an A/A trial on its halves, of half the length.
        first, second = (clusters(part) for part in np.split(run.profit_usd[:DAYS], 2))
        noise = pair_sd(design(first, seed), second, first) / np.sqrt(2)
        chances.append(power(lift, noise, trial.n_pairs))
        needed.append(pairs_needed(lift, noise) or np.nan)
    return {
        "planted_lift": lift, "found_of_100": 100 * found / n_labs,
        "covered_of_100": 100 * covered / n_labs, "null_quiet_of_100": 100 * quiet / n_labs,
        "mean_error": float(np.mean(errors)), "mean_half_width": float(np.mean(widths)),
        "power_planned_percent": 100 * float(np.mean(chances)),
        "pairs": float(trial.n_pairs), "pairs_needed_for_80_percent": float(np.mean(needed)),
        "noise_removed_by_cuped": float(np.mean(removed)),
    }  # fmt: skip


def interference(n_labs: int) -> Figures:
    """Bias of the trial against all-B less all-A, with overflow shared and at a common price."""
    found: dict[str, list[float]] = {"shared_overflow": [], "common_price": []}
    truth = []
    n_items = INTERFERENCE_ITEMS
    everyone, nobody = np.ones(n_items, dtype=bool), np.zeros(n_items, dtype=bool)
    for seed in range(n_labs):
        free = lab_world(n_items, seed)
        usual = free.run(1.0, 1.0, nobody, seed, DAYS, DAYS).space_cuft.sum(axis=1).mean(axis=0)
        world = lab_world(n_items, seed, ROOM * usual)
        earned = []
        for arm in (nobody, everyone):
            run = world.run(1.0, 2.0, arm, seed, 2 * DAYS, DAYS)
            earned.append((run.profit_usd - run.overflow_usd)[DAYS:].sum())
        truth.append(earned[1] / earned[0] - 1)
        is_b = np.repeat(design(clusters(run.profit_usd[:DAYS]), seed).is_b, CLUSTER_SIZE)
        mixed = world.run(1.0, 2.0, is_b, seed, 2 * DAYS, DAYS)
        tail = LabRun(mixed.profit_usd[DAYS:], mixed.overflow_usd[DAYS:], mixed.space_cuft[DAYS:])
        price, overflow_usd = common_price(tail, is_b, world)
        base = 2 * tail.profit_usd[:, ~is_b].sum() - overflow_usd
        outcomes = {
            "shared_overflow": mixed.profit_usd - mixed.overflow_usd,
            "common_price": mixed.profit_usd - price * mixed.space_cuft.sum(axis=2),
        }
        for name, outcome in outcomes.items():
            before, during = clusters(outcome[:DAYS]), clusters(outcome[DAYS:])
            trial = design(clusters(run.profit_usd[:DAYS]), seed)
            whole = None if name == "shared_overflow" else base / len(during)
            found[name].append(verdict(trial, during, before, base=whole).lift)
    return {
        "interference_truth": float(np.mean(truth)),
        **{f"estimate_with_{name}": float(np.mean(lifts)) for name, lifts in found.items()},
        **{f"bias_with_{name}": float(np.mean(np.array(lifts) - np.array(truth)))
           for name, lifts in found.items()},
    }  # fmt: skip


def clusters(profit: np.ndarray) -> np.ndarray:
    """[clusters] profit of neighbouring items over the days."""
    return profit.sum(axis=0).reshape(-1, CLUSTER_SIZE).sum(axis=1)


if __name__ == "__main__":
    main()
