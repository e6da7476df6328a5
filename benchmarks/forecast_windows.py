"""Demand over 7, 14 and 28 days on M5: loss and coverage, direct against summed paths.

    python benchmarks/forecast_windows.py --raw ../shared/data/m5 --origin 1885

Item × region windows come from the model as the night uses it. Item × network windows come
twice: directly (the same code on items summed over regions), and as sums over regions of paths
drawn through the rank copula of past errors, which is what the optimizer does.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from m5_data import LEVELS, M5, Tier, add_up, read, tier
from rich.console import Console
from rich.table import Table

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.contracts.settings import ForecastSettings
from pipeline.forecast.dependence import joint_ranks, rank_correlation
from pipeline.forecast.distribution import quantiles_at
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model, fit
from pipeline.forecast.panel import F64
from pipeline.forecast.scores import VELOCITY_NAMES, pinball, velocity_class
from pipeline.forecast.shape import predict_shape
from pipeline.forecast.spread import PastErrors
from pipeline.forecast.windows import Windows, foresee

WINDOWS = [(1, 7), (1, 14), (1, 28)]
Q = np.array(QUANTILE_LEVELS)
NOMINAL = (0.5, 0.9, 0.95)
SEED = 20160424


def fitted(own: Tier, threads: int) -> tuple[Model, PastErrors, Windows]:
    """Model, its past errors, and windows from the origin on."""
    model, errors = fit(own.panel, own.totals, ForecastSettings(), WINDOWS, SEED, threads)
    ahead = foresee(
        daily_mean(model.mean, threads), own.panel, own.totals, own.panel.days - 1, WINDOWS
    )
    return model, errors, ahead


def actual(data: M5, origin: int, level: int) -> F64:
    """Units of each series of a level in each of the windows, in the order of `foresee`."""
    start = origin + 1 - data.first_d
    sums = [data.sales[:, start : start + days].sum(axis=1) for _, days in WINDOWS]
    return add_up(data.series, np.stack(sums, axis=1), LEVELS[level - 1]).ravel()


def summed_paths(
    own: Tier,
    model: Model,
    errors: PastErrors,
    ahead: Windows,
    units: F64,
    paths: int,
    threads: int,
) -> tuple[F64, F64]:
    """Quantiles of items over all regions from joint paths (items × windows, levels), and ranks."""
    panel = own.panel
    windows = errors.windows
    long = windows.days >= 7
    occasion = panel.item[windows.series] * 10_000 + windows.origin + windows.days * 7
    regions = int(panel.region.max()) + 1
    correlation = rank_correlation(
        errors.rank[long], occasion[long], panel.region[windows.series][long], regions
    )
    rank = joint_ranks(correlation, paths, SEED)
    grid = np.linspace(0.002, 0.998, 250)
    size, none = predict_shape(model.spread.shape, model.spread.start, ahead.x, threads)
    out = np.empty((len(ahead.mean) // regions, len(Q)))
    table = quantiles_at(ahead.mean, size, none, grid)  # (series × windows, grid)
    shape = (-1, regions, len(WINDOWS))
    place = np.arange(len(ahead.mean)).reshape(shape).transpose(0, 2, 1).reshape(-1, regions)
    step = np.clip(np.searchsorted(grid, rank), 0, len(grid) - 1)  # (paths, regions)
    at = np.random.default_rng(SEED).random(len(place))
    for k, rows in enumerate(place):
        draws = table[rows[None, :], step].sum(axis=1)
        out[k] = np.quantile(draws, Q)
        below = (draws < units[k]).mean()
        at[k] = below + at[k] * ((draws <= units[k]).mean() - below)
    return out, at


def report(units: F64, mean: F64, days: np.ndarray, quantiles: F64, rank: F64) -> pd.DataFrame:
    """Pinball loss and coverage by ranks, by length and by velocity class."""
    velocity = velocity_class(mean, days)
    rows = []
    for name, own in [(f"{d} days", days == d) for d in np.unique(days)] + [
        (v, velocity == v) for v in VELOCITY_NAMES
    ]:
        if own.any():
            covered = [float((rank[own] <= level).mean()) for level in NOMINAL]
            loss = float(pinball(units[own], quantiles[own], Q).mean())
            rows.append((name, int(own.sum()), loss, *covered, mean[own].sum() / units[own].sum()))
    names = ["group", "windows", "pinball_units", *(f"coverage_{q}" for q in NOMINAL), "bias"]
    return pd.DataFrame(rows, columns=names)


def main() -> None:
    """Fit, forecast, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--origin", type=int, default=1885)
    parser.add_argument("--items", type=int, default=3049, help="items, drawn at random")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data = read(options.raw).sample(options.items)
    seen = data.until(options.origin)
    stores, items = (tier(seen, name, options.origin, 28) for name in ("stores", "items"))
    model, errors, ahead = fitted(stores, options.threads)
    units = actual(data, options.origin, 12)
    quantiles = model.spread.quantiles(ahead, Q, options.threads)
    rank = model.spread.ranks(ahead, units, SEED, options.threads)
    parts = {"item × region": report(units, ahead.mean, ahead.days, quantiles, rank)}
    units = actual(data, options.origin, 10)
    summed = summed_paths(stores, model, errors, ahead, units, 500, options.threads)
    sums = ahead.mean.reshape(-1, 10, len(WINDOWS)).sum(axis=1).ravel()
    model, _, direct = fitted(items, options.threads)
    direct = direct.take((items.keys["level"] == 10).to_numpy()[direct.series])
    quantiles = model.spread.quantiles(direct, Q, options.threads)
    rank = model.spread.ranks(direct, units, SEED, options.threads)
    parts["item × network, direct"] = report(units, direct.mean, direct.days, quantiles, rank)
    parts["item × network, summed paths"] = report(units, sums, direct.days, *summed)
    console = Console(width=130)
    for name, frame in parts.items():
        table = Table(*frame.columns, title=f"{name}, origin d_{options.origin}")
        for row in frame.itertuples(index=False):
            table.add_row(*(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row))
        console.print(table)
    if options.json:
        text = {name: frame.to_dict("records") for name, frame in parts.items()}
        options.json.write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
