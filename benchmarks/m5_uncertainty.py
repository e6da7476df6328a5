"""M5 uncertainty: nine quantiles of 28 days for the 42,840 series of the 12 levels.

    python benchmarks/m5_uncertainty.py --raw ../shared/data/m5 --origin 1885 --out forecast.parquet

Trains on days up to the origin only. Where the folder holds the 28 days after it, prints the
competition's loss by level and by quantile beside the published entries. `--peer` runs a library
in our place. `--items` scores levels 10 to 12 on some items alone, with their weights scaled to
add up to one; the libraries forecast those only.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from m5_data import M5, read, scales, truth, weights
from m5_model import AHEAD, Forecast, departments_alone, forecast, write
from m5_peers import PEERS, PeerForecast, is_scored, peer_forecast
from m5_scores import LEVELS_Q, coverage, published, wspl
from rich.console import Console
from rich.table import Table


def score(
    data: M5, raw: Path, origin: int, found: Forecast | PeerForecast, items: np.ndarray
) -> dict[str, object]:
    """WSPL by level and quantile, and coverage, over the upper levels and the series of `items`."""
    weight, scale = weights(data, origin), scales(data, origin, raw)
    actual = truth(data, found.keys, origin + 1, origin + AHEAD)
    by_level = {}
    scored = is_scored(found.keys, items)
    for level in found.keys["level"].unique():
        rows = np.flatnonzero(found.keys["level"] == level)
        own = scored[rows]
        share, rows = weight[level - 1][own], rows[own]
        by_level[int(level)] = wspl(
            actual[rows], found.quantiles[rows], share / share.sum(), scale[level - 1][own]
        )
    losses = np.array(list(by_level.values()))
    covered = coverage(actual[scored], found.quantiles[scored])
    return {
        "wspl_mean": float(losses.mean()),
        "wspl_by_level": {str(k): float(v.mean()) for k, v in by_level.items()},
        "wspl_by_quantile": _by_quantile(losses.mean(axis=0)),
        "coverage": _by_quantile(covered),
    }


def _by_quantile(values: np.ndarray) -> dict[str, float]:
    return {f"{q:g}": float(v) for q, v in zip(LEVELS_Q, values, strict=True)}


def show(console: Console, result: dict[str, object], raw: Path, name: str) -> None:
    """Loss by level and quantile beside the best published entries."""
    table = Table(title="WSPL (published entries were scored on days 1942-1969)")
    levels: dict[str, float] = result["wspl_by_level"]  # type: ignore[assignment]  # JSON value
    by_quantile: dict[str, float] = result["wspl_by_quantile"]  # type: ignore[assignment]  # same
    slices = ["Avg", *(f"L{k}" for k in levels), *by_quantile]
    ours = [result["wspl_mean"], *levels.values(), *by_quantile.values()]
    entries = pd.DataFrame()
    path = raw / "official_scores.parquet"
    if path.exists():
        official = pd.read_parquet(path)
        official = official[official["competition"] != "accuracy"]
        entries = pd.concat(
            [published(official, "top50").head(5), published(official, "benchmark")]
        )
    for column in ("slice", name, *entries.index):
        table.add_column(str(column)[:14], justify="right", no_wrap=True)
    for k, part in enumerate(slices):
        others = [f"{entries.loc[e, part]:.4f}" for e in entries.index]
        table.add_row(part, f"{ours[k]:.4f}", *others)
    console.print(table)
    console.print({"coverage": {k: round(v, 3) for k, v in result["coverage"].items()}})  # type: ignore[attr-defined]  # JSON value


def main() -> None:
    """Parse the command line, forecast, score and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, required=True, help="folder with the M5 files")
    parser.add_argument("--origin", type=int, required=True, help="last day (1 …) to train on")
    parser.add_argument("--out", type=Path, help="Parquet file for the quantiles")
    parser.add_argument("--peer", choices=PEERS, help="a library or benchmark instead of Echelon")
    parser.add_argument("--items", type=int, help="score on so many items and the upper levels")
    parser.add_argument(
        "--departments-alone",
        action="store_true",
        help="levels 1 to 9 only, by the departments' models without trees (20 CPU seconds)",
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    console = Console(width=200)
    data = read(options.raw)
    if not data.first_d + 200 <= options.origin <= data.last_d:
        parser.error(f"--origin must lie in {data.first_d + 200} … {data.last_d}")
    seen = data.until(options.origin)
    names = np.unique(data.series["item_id"])
    drawn = np.random.default_rng(1).permutation(names)[: options.items]
    found: Forecast | PeerForecast
    if options.peer:
        found = peer_forecast(options.peer, seen, options.origin, drawn)
    else:
        found = (
            departments_alone(seen, options.origin)
            if options.departments_alone
            else forecast(seen, options.origin, options.threads)
        )
    result: dict[str, object] = {
        "origin": options.origin,
        "forecaster": options.peer or "echelon",
        "train_cpu_s": found.train_cpu_s,
        "predict_cpu_s": found.predict_cpu_s,
        "peak_gb": found.peak_gb,
    }
    if isinstance(found, Forecast):
        result["pull"] = found.pull
    console.print({k: round(v, 2) if isinstance(v, float) else v for k, v in result.items()})
    if options.out:
        write(found, options.origin, options.out)
    if data.last_d >= options.origin + AHEAD:
        known = drawn if options.peer else names
        result |= score(data, options.raw, options.origin, found, known)
        show(console, result, options.raw, str(result["forecaster"]))
        if options.items and not options.peer:
            sample = score(data, options.raw, options.origin, found, drawn)
            result["sample"] = sample
            console.print(f"on {options.items} items: {sample['wspl_mean']:.4f}")
            console.print(sample["wspl_by_level"])
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
