"""NAB's labels as a side effect: what the load model finds in public server and traffic series.

    python -m benchmarks.nab ../shared/data/peak_load --json nab.json

Scored as NAB does (Lavin and Ahmad 2015, "Evaluating Real-time Anomaly Detection Algorithms",
section III): the first detection in a window earns the scaled sigmoid of its place in it, others
of the window nothing, a missed window costs 1, a detection outside A_FP; the first 15 % of a series
are probation. 0 is finding nothing, 100 all windows at their start. Ours sees the whole series, as
a planner's weekly run does, where NAB's own detectors see the past only: not a rank on its board.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from pipeline.core.load.forecast import Request, forecast_series

PROBATION_SHARE = 0.15
FALSE_COST = {"standard": 0.11, "few false alarms": 0.22, "few misses": 0.055}
MISS_COST = {"standard": 1.0, "few false alarms": 1.0, "few misses": 2.0}


def main() -> None:
    """Find, score, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of nab_real_series.parquet")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = pd.read_parquet(arguments.folder / "nab_real_series.parquet")
    labels = pd.read_parquet(arguments.folder / "nab_anomaly_windows.parquet")
    found: dict[str, dict] = {}
    for name, own in rows.groupby(rows["series"].astype("str"), sort=True):
        spans = labels[labels["series"].astype("str") == name]
        found[str(name)] = _series(own, spans)
    table = Table("series", "windows", "found", "false")
    for name, one in found.items():
        table.add_row(name, str(one["windows"]), str(one["hits"]), str(one["false"]))
    score = {
        profile: normalised(list(found.values()), FALSE_COST[profile], MISS_COST[profile])
        for profile in FALSE_COST
    }
    console = Console()
    console.print(table)
    console.print({name: round(value, 1) for name, value in score.items()})
    if arguments.json:
        content = {"series": found, "score": score}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n")


def _series(rows: pd.DataFrame, spans: pd.DataFrame) -> dict:
    """Windows, and for each detection its place: in a window first, or how far from the last."""
    stamp, value = pd.DatetimeIndex(rows["timestamp"]), rows["value"].to_numpy(float)
    minutes = max(5, round(float(np.median(np.diff(stamp)) / np.timedelta64(1, "m")) / 5) * 5)
    first, slots = stamp[0].normalize(), 1440 // minutes
    at = ((stamp - first) // pd.Timedelta(minutes=minutes)).to_numpy()
    mean = pd.Series(value).groupby(at).mean()
    days = int(at.max()) // slots + 1
    load = np.full(days * slots, np.nan)
    load[mean.index.to_numpy()] = mean.to_numpy()
    request = Request(load.reshape(days, slots), np.datetime64(first, "D"), ("",) * (days + 7), 7)
    fit = forecast_series(request)
    width = fit.base.data.slots // fit.base.data.blocks
    starts = [first + pd.Timedelta(minutes=w.first * width * minutes) for w in fit.windows]
    probation = stamp[0] + PROBATION_SHARE * (stamp[-1] - stamp[0])
    windows = [(a, b) for a, b in zip(spans["anomaly_start"], spans["anomaly_end"], strict=True)]
    return places([s for s in starts if s >= probation], windows)


def places(starts: list[pd.Timestamp], windows: list[tuple[pd.Timestamp, pd.Timestamp]]) -> dict:
    """earned: sigmoid of each window's first detection; lost: of each detection outside."""
    earned, lost = [], []
    windows = sorted(windows)
    for a, b in windows:
        inside = [s for s in starts if a <= s <= b]
        if inside:
            earned.append(_sigmoid((min(inside) - b) / (b - a)))
    for s in starts:
        if any(a <= s <= b for a, b in windows):
            continue
        before = [(a, b) for a, b in windows if b < s]
        lost.append(-_sigmoid((s - before[-1][1]) / (before[-1][1] - before[-1][0]))
                    if before else 1.0)  # fmt: skip
    return {"windows": len(windows), "hits": len(earned), "false": len(lost),
            "earned": earned, "lost": lost}  # fmt: skip


def _sigmoid(y: float) -> float:
    """NAB's scaled sigmoid: near 1 at a window's start (-1), 0 at its end, near -1 far after."""
    return 2.0 / (1.0 + float(np.exp(min(5.0 * y, 50.0)))) - 1.0


def normalised(series: list[dict], false_cost: float, miss_cost: float) -> float:
    """0 for finding nothing, 100 for every window found at its start and nothing else."""
    windows = sum(one["windows"] for one in series)
    raw = sum(
        sum(one["earned"]) - false_cost * sum(one["lost"])
        - miss_cost * (one["windows"] - one["hits"]) for one in series
    )  # fmt: skip
    least, best = -miss_cost * windows, windows * _sigmoid(-1.0)
    return 100.0 * (raw - least) / (best - least)


if __name__ == "__main__":
    main()
