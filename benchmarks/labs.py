"""Rehearsed trials: is a planted effect of 1 % found, is the truth covered, does a null stay null?

    python -m benchmarks.labs --labs 100 --json labs.json

Every lab is a world of its own: items, luck and assignment. The planted effect multiplies arm B's
profit by 1.01, so the truth is exact. Two designs are rehearsed on the same worlds: item clusters
side by side, and the whole network switching back and forth. Then interference is measured: two
policies share too little space, the truth comes from running all A and all B, and each design's
estimate is held against it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numba
import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.simulate.labs.rehearsal import LabRun, LabWorld, common_price, from_day, lab_world
from pipeline.simulate.labs.switchback import SwitchBack, carry_over, switch_back, switch_verdict
from pipeline.simulate.labs.trial import (
    Verdict,
    design,
    pair_sd,
    pairs_needed,
    power,
    sd_behind,
    verdict,
)

CLUSTER_SIZE, DAYS = 2, 84
INTERFERENCE_ITEMS, ROOM = 900, 1.05  # space: so many times what all A use
SWITCH = {"n_pairs": 12, "period_days": 7, "washout_days": 2}  # as many days as the other trial
SLOW_SWITCH = {"n_pairs": 6, "period_days": 14, "washout_days": 7}  # stock needs a week to follow
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
    numba.set_num_threads(1)  # days of small worlds: a second thread would only wait
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


class Tally:
    """Labs of one design: how often each thing was said, and how well."""

    def __init__(self, lift: float) -> None:
        self.lift, self.planted, self.null = lift, list[Verdict](), list[Verdict]()
        self.chances, self.needed = list[float](), list[float]()

    def note(self, planted: Verdict, null: Verdict, noise: float) -> None:
        """A lab with the planted effect and the same without; noise: a pair's, told beforehand."""
        self.planted.append(planted)
        self.null.append(null)
        self.chances.append(power(self.lift, noise, planted.n_pairs))
        self.needed.append(pairs_needed(self.lift, noise) or np.nan)

    def figures(self, design_name: str) -> Figures:
        """Shares of 100 labs, errors, and what the power calculation had promised."""
        found = {
            "found_of_100": 100 * np.mean([v.low > 0 for v in self.planted]),
            "covered_of_100": 100 * np.mean([v.low <= self.lift <= v.high for v in self.planted]),
            "null_quiet_of_100": 100 * np.mean([v.low <= 0 <= v.high for v in self.null]),
            "mean_error": np.mean([v.lift - self.lift for v in self.planted]),
            "mean_half_width": np.mean([(v.high - v.low) / 2 for v in self.planted]),
            "power_planned_percent": 100 * np.mean(self.chances),
            "pairs": self.planted[0].n_pairs,
            "pairs_needed_for_80_percent": np.mean(self.needed),
        }  # fmt: skip
        return {f"{design_name}: {name}": float(value) for name, value in found.items()}


def calibration(n_labs: int, n_items: int, lift: float) -> Figures:
    """Labs with the planted lift, and the same labs without it, in both designs."""
    side_by_side, switching, removed = Tally(lift), Tally(lift), []
    for seed in range(n_labs):
        nobody = np.zeros((2 * DAYS, n_items), dtype=bool)
        run = lab_world(n_items, seed).run(1.5, 1.5, nobody, seed)
        before, during = (clusters(part) for part in np.split(run.profit_usd, 2))
        trial = design(before, seed)
        planted = verdict(trial, np.where(trial.is_b, during * (1 + lift), during), before)
        # Planned from the first period alone: an A/A trial on its halves, of half the length.
        first, second = (clusters(part) for part in np.split(run.profit_usd[:DAYS], 2))
        noise = pair_sd(design(first, seed), second, first) / np.sqrt(2)
        side_by_side.note(planted, verdict(trial, during, before), noise)
        removed.append(planted.noise_removed)
        _switch_lab(switching, run.profit_usd.sum(axis=1)[:, None], seed)
    return {
        "planted_lift": lift, **side_by_side.figures("clusters"),
        "clusters: noise_removed_by_cuped": float(np.mean(removed)),
        **switching.figures("switch-back"),
    }  # fmt: skip


def _switch_lab(tally: Tally, daily: np.ndarray, seed: int) -> None:
    trial = switch_back(1, **SWITCH, seed=seed)
    planted = switch_verdict(trial, daily * np.where(trial.arms(), 1 + tally.lift, 1.0))
    half = switch_back(1, **(SWITCH | {"n_pairs": SWITCH["n_pairs"] // 2}), seed=seed)
    known = sd_behind(switch_verdict(half, daily[: half.n_days]))
    tally.note(planted, switch_verdict(trial, daily), known)


def interference(n_labs: int) -> Figures:
    """Each design's bias against all-B less all-A, where the arms share too little space."""
    found: dict[str, list[float]] = {
        "clusters, overflow shared": [], "clusters, common price": [], "switch-back": [],
        "switch-back, no washout": [],
    }  # fmt: skip
    truth, carried = [], []
    for seed in range(n_labs):
        world, alone, usual = _crowded(seed)
        truth.append(alone)
        trial = switch_back(1, **SLOW_SWITCH, seed=seed)
        run = world.run(1.0, 2.0, np.repeat(trial.arms(), INTERFERENCE_ITEMS, axis=1), seed)
        daily = (run.profit_usd - run.overflow_usd).sum(axis=1)[:, None]
        hasty = SwitchBack(trial.is_b, trial.period_days, 0)
        found["switch-back"].append(switch_verdict(trial, daily).lift)
        found["switch-back, no washout"].append(switch_verdict(hasty, daily).lift)
        carried.append((carry_over(hasty, daily), carry_over(trial, daily)))
        for name, lift in _side_by_side(world, usual, seed).items():
            found[name].append(lift)
    return {
        "interference: truth (all B / all A - 1)": float(np.mean(truth)),
        **{f"interference: estimate, {name}": float(np.mean(lifts))
           for name, lifts in found.items()},
        **{f"interference: bias, {name}": float(np.mean(np.array(lifts) - np.array(truth)))
           for name, lifts in found.items()},
        "carry-over after no washout": float(np.mean([first.lift for first, _ in carried])),
        "carry-over after the washout": float(np.mean([last.lift for _, last in carried])),
        "carry-over seen without washout, of 100":
            100 * float(np.mean([not first.low <= 0 <= first.high for first, _ in carried])),
        "carry-over seen after washout, of 100":
            100 * float(np.mean([not last.low <= 0 <= last.high for _, last in carried])),
    }  # fmt: skip


def _crowded(seed: int) -> tuple[LabWorld, float, np.ndarray]:
    """A world with too little space, the true lift, and [days, items] profit of a period of A."""
    nobody = np.zeros(INTERFERENCE_ITEMS, dtype=bool)
    free = lab_world(INTERFERENCE_ITEMS, seed).run(1.0, 1.0, from_day(nobody, DAYS), seed)
    usual = free.space_cuft.sum(axis=1).mean(axis=0)
    world = lab_world(INTERFERENCE_ITEMS, seed, ROOM * usual)
    earned = []
    for arm in (nobody, ~nobody):
        run = world.run(1.0, 2.0, from_day(arm, 2 * DAYS, DAYS), seed)
        earned.append((run.profit_usd - run.overflow_usd)[DAYS:].sum())
    return world, earned[1] / earned[0] - 1, run.profit_usd[:DAYS]


def _side_by_side(world: LabWorld, usual: np.ndarray, seed: int) -> Figures:
    """Lifts that a trial of item clusters finds, with overflow as charged and at a common price."""
    trial = design(clusters(usual), seed)
    is_b = np.repeat(trial.is_b, CLUSTER_SIZE)
    mixed = world.run(1.0, 2.0, from_day(is_b, 2 * DAYS, DAYS), seed)
    tail = LabRun(mixed.profit_usd[DAYS:], mixed.overflow_usd[DAYS:], mixed.space_cuft[DAYS:])
    price, overflow_usd = common_price(tail, is_b, world)
    base = 2 * tail.profit_usd[:, ~is_b].sum() - overflow_usd
    found = {}
    for name, outcome in (
        ("clusters, overflow shared", mixed.profit_usd - mixed.overflow_usd),
        ("clusters, common price", mixed.profit_usd - price * mixed.space_cuft.sum(axis=2)),
    ):
        before, during = clusters(outcome[:DAYS]), clusters(outcome[DAYS:])
        whole = None if name.endswith("shared") else base / len(during)
        found[name] = verdict(trial, during, before, base=whole).lift
    return found


def clusters(profit: np.ndarray) -> np.ndarray:
    """[clusters] profit of neighbouring items over the days."""
    return profit.sum(axis=0).reshape(-1, CLUSTER_SIZE).sum(axis=1)


if __name__ == "__main__":
    main()
