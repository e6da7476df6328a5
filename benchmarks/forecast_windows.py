"""Demand over 7 to 91 days on M5: loss and coverage, direct against summed paths.

    python benchmarks/forecast_windows.py --raw ../shared/data/m5 --origins 1745 1773 1801

Origins are scored together, each by a model of its own past; windows that are not over by the last
day of the data are left out. With all items, departments pull as they do in a night; a sample of
items (`--items`) has none above it. Improbable runs without sales are
marked as the night marks them, and scored by what was sold. Coverage is that of randomised ranks:
a count that has probability itself gets a uniform draw from its jump (Brockwell 2007), since no
quantile of a slow item can cover exactly its level.
Item × region windows come from the model as the night uses it. Item × network windows come
twice: directly (the same code on items summed over regions), and as sums over regions of paths
drawn through the rank copula of past errors, which is what the optimizer does.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from m5_data import LEVELS, M5, Tier, add_up, read, tier
from m5_model import above_stores
from rich.console import Console
from rich.table import Table

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.contracts.settings import ForecastSettings, IngestSettings
from pipeline.core.copula import Dependence
from pipeline.forecast.assemble import Names
from pipeline.forecast.dependence import joint_ranks
from pipeline.forecast.learned_dependence import learned_dependence
from pipeline.forecast.model import Model, fit
from pipeline.forecast.panel import F64, I32
from pipeline.forecast.pull import Above
from pipeline.forecast.scores import VELOCITY_NAMES, pinball, velocity_class
from pipeline.forecast.serve import foreseen, groups_of, scaled
from pipeline.forecast.spread import PastErrors
from pipeline.forecast.windows import Windows
from pipeline.ingest.zero_runs import suspected_stockouts

WINDOWS = [(1, days) for days in (7, 14, 28, 56, 91)]
Q = np.array(QUANTILE_LEVELS)
NOMINAL = (0.05, 0.5, 0.9, 0.95)
RUN_EDGES = (0, 3, 6, 14, 28, 56, 10_000)
SEED = 20160424
BANKS = 40
"""Banks of paths that items take turns at: the tails of a single one are off for all alike."""


Asked = list[tuple[int, int]]


def fitted(
    own: Tier, asked: Asked, threads: int, above: Above | None = None
) -> tuple[Model, PastErrors, Windows]:
    """Model, its past errors, and the windows `asked` from the origin on."""
    settings = ForecastSettings()
    model, errors = fit(own.panel, own.totals, settings, asked, SEED, threads, above=above)
    seen = foreseen(own.panel, own.totals, model, asked, threads)
    return model, errors, scaled([seen], own.panel, model, above, asked)[0].windows


def actual(data: M5, origin: int, level: int, asked: Asked) -> F64:
    """Units of each series of a level in each of the windows, in the order of `foresee`."""
    start = origin + 1 - data.first_d
    sums = [data.sales[:, start : start + days].sum(axis=1) for _, days in asked]
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
    regions = int(panel.region.max()) + 1
    names = Names(tuple(map(str, range(regions))), (), (), ())
    model.notes.update(learned_dependence(panel, own.totals, names, errors, model.spread, SEED))
    group = groups_of(panel, own.totals, model)
    grid = np.linspace(0.002, 0.998, 250)
    out = np.empty((len(ahead.mean) // regions, len(Q)))
    table = model.spread.quantiles(ahead, grid, threads)  # (series × windows, grid)
    shape = (-1, regions, len(np.unique(ahead.days)))
    place = np.arange(len(ahead.mean)).reshape(shape).transpose(0, 2, 1).reshape(-1, regions)
    step = {}  # (banks, paths, regions) of each group and length, as the optimizer draws them
    for named, correlation in model.notes["dependence"].items():
        together = Dependence(np.array(correlation), model.notes["dependence_growth"][named])
        for days in np.unique(ahead.days).tolist():
            ranks = joint_ranks(together.over(days), BANKS * paths, SEED).reshape(BANKS, paths, -1)
            step[named, days] = np.minimum((ranks * len(grid)).astype(np.int64), len(grid) - 1)
    at = np.random.default_rng(SEED).random(len(place))
    for k, rows in enumerate(place):
        banks = step[group[ahead.series[rows[0]]], int(ahead.days[rows[0]])]
        drawn = banks[k // shape[-1] % BANKS]
        draws = table[rows[None, :], drawn].sum(axis=1)
        out[k] = np.quantile(draws, Q)
        below = (draws < units[k]).mean()
        at[k] = below + at[k] * ((draws <= units[k]).mean() - below)
    return out, at


@dataclass(frozen=True)
class Scored:
    """Windows of one origin: what came, what was expected, quantiles and ranks."""

    units: F64
    mean: F64
    days: I32
    quantiles: F64
    rank: F64
    run_days: I32  # days without sales before the origin

    @staticmethod
    def pooled(parts: list[Scored]) -> Scored:
        """The windows of several origins."""
        names = [field.name for field in fields(Scored)]
        return Scored(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def report(scored: Scored) -> pd.DataFrame:
    """Pinball loss, coverage and bias by length, velocity class and days since the last sale."""
    velocity = velocity_class(scored.mean, scored.days)
    parts = [(f"{d} days", scored.days == d) for d in np.unique(scored.days)]
    parts += [(v, velocity == v) for v in VELOCITY_NAMES]
    for low, high in pairwise(RUN_EDGES):
        parts.append(
            (f"{low}-{high - 1} days unsold", (scored.run_days >= low) & (scored.run_days < high))
        )
    rows = []
    for name, own in parts:
        if own.any():
            covered = [float((scored.rank[own] <= level).mean()) for level in NOMINAL]
            loss = float(pinball(scored.units[own], scored.quantiles[own], Q).mean())
            bias = scored.mean[own].sum() / max(scored.units[own].sum(), 1.0)
            rows.append((name, int(own.sum()), loss, *covered, bias))
    names = ["group", "windows", "pinball_units", *(f"coverage_{q}" for q in NOMINAL), "bias"]
    return pd.DataFrame(rows, columns=names)


def marked(own: Tier) -> Tier:
    """The tier with improbable runs without sales marked as ingest marks them."""
    demand, rule = own.panel.demand, IngestSettings()
    on_sale = np.isfinite(demand)
    suspected = suspected_stockouts(
        np.nan_to_num(demand), on_sale, rule.stockout_probability, rule.stockout_max_days
    )
    return replace(own, panel=replace(own.panel, is_censored=suspected & on_sale))


def unsold(own: Tier, windows: Windows) -> I32:
    """Days without sales up to the origin, for each window."""
    sold = np.nan_to_num(own.panel.demand) > 0
    run = np.where(sold.any(axis=1), sold[:, ::-1].argmax(axis=1), sold.shape[1])
    return run[windows.series].astype(np.int32)


def one_origin(data: M5, origin: int, threads: int) -> dict[str, Scored]:
    """The windows of one origin, three ways."""
    seen = data.until(origin)
    asked = [(start, days) for start, days in WINDOWS if origin + days <= data.last_d]
    reach = max(days for _, days in asked)
    stores, items = (tier(seen, name, origin, reach) for name in ("stores", "items"))
    stores, above = marked(stores), None
    if data.departments is not None:
        above = above_stores(seen, stores, tier(seen, "top", origin, reach))
    model, errors, ahead = fitted(stores, asked, threads, above)
    units = actual(data, origin, 12, asked)
    quantiles = model.spread.quantiles(ahead, Q, threads)
    rank = model.spread.ranks(ahead, units, SEED, threads)
    run = unsold(stores, ahead)
    found = {"item × region": Scored(units, ahead.mean, ahead.days, quantiles, rank, run)}
    units = actual(data, origin, 10, asked)
    summed = summed_paths(stores, model, errors, ahead, units, 500, threads)
    sums = ahead.mean.reshape(-1, 10, len(asked)).sum(axis=1).ravel()
    model, _, direct = fitted(items, asked, threads)
    direct = direct.take((items.keys["level"] == 10).to_numpy()[direct.series])
    quantiles = model.spread.quantiles(direct, Q, threads)
    rank = model.spread.ranks(direct, units, SEED, threads)
    run = unsold(items, direct)
    found["item × network, direct"] = Scored(units, direct.mean, direct.days, quantiles, rank, run)
    found["item × network, summed paths"] = Scored(units, sums, direct.days, *summed, run)
    return found


def main() -> None:
    """Fit, forecast, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--origins", type=int, nargs="+", default=[1745, 1773, 1801])
    parser.add_argument("--items", type=int, default=3049, help="items, drawn at random")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data = read(options.raw)
    if options.items < len(np.unique(data.series["item_id"])):
        data = data.sample(options.items)
    each = [one_origin(data, origin, options.threads) for origin in options.origins]
    console = Console(width=130)
    text = {}
    for name in each[0]:
        frame = report(Scored.pooled([found[name] for found in each]))
        table = Table(*frame.columns, title=f"{name}, origins {options.origins}")
        for row in frame.itertuples(index=False):
            table.add_row(*(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row))
        console.print(table)
        text[name] = frame.to_dict("records")
    if options.json:
        options.json.write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
