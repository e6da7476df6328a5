"""Windows of a week to half a year on simulated sales: bias and coverage, single and summed.

    python benchmarks/simulated_windows.py [--panels 3] [--items 60] [--json FILE]

Every panel is another draw: negative binomial sales in packs of 1, 2 or 6 at rates from a few a
year to tens a day, levels that drift, four regions that share half of an item's drift. Windows of
item × region, and of items over all regions by joint paths as the optimizer draws them. Coverage
is that of randomised ranks. Nothing is tuned here; the truth is known to nobody.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from forecast_windows import NOMINAL, summed_paths
from rich.console import Console
from rich.table import Table

from pipeline.contracts.settings import ForecastSettings, MeanSettings, ShapeSettings
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import fit
from pipeline.forecast.panel import Calendar, Panel, totals
from pipeline.forecast.windows import foresee

WINDOWS = [(1, days) for days in (7, 14, 28, 56, 91, 180)]
REGIONS, DAYS = 4, 540
SETTINGS = ForecastSettings(
    mean=MeanSettings(trees=40, leaf_rows=100), shape=ShapeSettings(trees=40, leaf_rows=200)
)


def simulated(items: int, seed: int) -> tuple[Panel, np.ndarray]:
    """A panel of DAYS days, and the units (series, DAYS + the longest window) of all days."""
    random, ahead = np.random.default_rng(seed), WINDOWS[-1][1]
    n, days = items * REGIONS, DAYS + ahead
    item, region = (a.ravel() for a in np.indices((items, REGIONS)))
    drift = random.normal(0, 0.006, (items, days))[item] + random.normal(0, 0.006, (n, days))
    rate = np.exp(random.normal(-0.5, 1.5, items))[item] * random.gamma(4, 0.25, n)
    mean = rate[:, None] * np.exp(np.cumsum(drift, axis=1) - drift.sum(axis=1, keepdims=True) / 2)
    pack = random.choice([1, 2, 6], items)[item][:, None]
    units = random.negative_binomial(2, 2 / (2 + mean / pack)) * pack
    zero = np.zeros(n, np.int32)
    far = np.full((REGIONS, days), 28, np.float32)
    panel = Panel(
        np.datetime64("2023-01-02"), units[:, :DAYS].astype(np.float32),
        np.full((n, days), np.nan, np.float32), np.zeros((n, DAYS), bool), zero, zero + 10**6,
        item.astype(np.int32), region.astype(np.int32), zero, zero, region.astype(np.int32),
        Calendar(np.zeros((REGIONS, days, 1), np.float32), far, far,
                 np.arange(days, dtype=np.int32) - 364),
    )  # fmt: skip
    return panel, units


def one_panel(items: int, seed: int) -> dict[str, tuple[np.ndarray, ...]]:
    """Length, mean, units and rank of each window, single and summed over regions."""
    panel, units = simulated(items, seed)
    sums = totals(panel)
    model, errors = fit(panel, sums, SETTINGS, WINDOWS, seed, 1)
    ahead = foresee(daily_mean(model.mean), panel, sums, DAYS - 1, WINDOWS)
    came = np.stack([units[:, DAYS : DAYS + n].sum(axis=1) for _, n in WINDOWS], axis=1)
    rank = model.spread.ranks(ahead, came.ravel().astype(float), seed, 1)
    shape = (items, REGIONS, len(WINDOWS))
    total = came.reshape(shape).sum(axis=1).ravel().astype(float)
    mean = ahead.mean.reshape(shape).sum(axis=1).ravel()
    _, rank_of_sum = summed_paths(panel, model, errors, ahead, total, 500, 1)
    lengths = np.tile([n for _, n in WINDOWS], items)
    return {
        "item × region": (ahead.days, ahead.mean, came.ravel(), rank),
        "item × network, summed paths": (lengths, mean, total, rank_of_sum),
    }


def main() -> None:
    """Simulate, forecast, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--panels", type=int, default=3)
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    each = [one_panel(options.items, 100 + k) for k in range(options.panels)]
    names = ["windows", *(f"coverage_{q}" for q in NOMINAL), "expected_over_sold"]
    console, text = Console(width=120), {}
    for name in each[0]:
        days, mean, came, rank = (np.concatenate([p[name][k] for p in each]) for k in range(4))
        rows = {}
        for _, n in WINDOWS:
            own = days == n
            covered = [float((rank[own] <= level).mean()) for level in NOMINAL]
            rows[f"{n} days"] = [int(own.sum()), *covered, mean[own].sum() / came[own].sum()]
        table = Table("", *names, title=f"{name}, {options.panels} panels")
        for row, values in rows.items():
            table.add_row(row, str(values[0]), *(f"{v:.3f}" for v in values[1:]))
        console.print(table)
        text[name] = pd.DataFrame.from_dict(rows, orient="index", columns=names).to_dict("index")
    if options.json:
        options.json.write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
