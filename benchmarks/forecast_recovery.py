"""What the forecaster recovers of a world whose truth is known, and how it starts new items.

    python benchmarks/forecast_recovery.py [--raw ../shared/data/m5]

Price and event: a panel with a known elasticity and a known event lift, of which only the past is
seen. Seasons: items that sell nine times as much at their best as at their worst, of which one, two
and three years are known, asked for the eight weeks in which they rise; beside it what the last
four weeks say. Cannibalization: the share of a promotion's gain that another item of its group
loses. Censoring: a panel that loses sales to stock-outs; the bias left with the stock-outs marked,
and with sales taken for demand. Cold start (needs the M5 folder's sample of full histories):
series in their first 28 days, against what the old series of their department sold in the last 28
days, in the years in which most items were launched; by age, since the first week knows least.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from m5_data import read, sampled_panel
from rich.console import Console
from rich.table import Table

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.contracts.settings import ForecastSettings, MeanSettings
from pipeline.forecast.censoring import demand_behind
from pipeline.forecast.mean import daily_mean, fit_mean
from pipeline.forecast.model import fit
from pipeline.forecast.panel import F32, F64, Calendar, Panel, totals
from pipeline.forecast.promotions import effects_of, past_runs
from pipeline.forecast.scores import pinball
from pipeline.forecast.seasons import with_exposure
from pipeline.forecast.windows import foresee

DAYS, AHEAD = 560, 28
WEEKDAY = np.array([0.8, 0.8, 0.9, 1.0, 1.2, 1.3, 1.0])
SEEDS = (7, 17, 27)  # panels of a known effect
SETTINGS = MeanSettings(train_days=400, rows_per_origin=4, trees=150, leaves=31, leaf_rows=50)


def synthetic(
    series: int, elasticity: float, lift: float, seed: int, price_ahead: float, is_event: bool
) -> tuple[Panel, F64]:
    """A panel, and the true mean of its next 28 days at `price_ahead` with or without the event."""
    random = np.random.default_rng(seed)
    days = DAYS + AHEAD
    base = np.exp(random.normal(0.7, 1.0, series))
    price = np.full((series, days), 10.0)
    for i in range(series):
        start = int(random.integers(0, 50))
        while start < DAYS:
            price[i, start : start + 14] = random.choice([6.0, 7.0, 8.0, 9.0])
            start += int(random.integers(35, 70))
    price[:, DAYS:] = price_ahead
    event = np.zeros(days, bool)
    event[random.choice(DAYS, 45, replace=False)] = True
    event[DAYS:] = is_event
    weekday = WEEKDAY[np.arange(days) % 7]
    mean = base[:, None] * weekday * (price / 10) ** elasticity * np.where(event, lift, 1.0)
    demand = random.negative_binomial(4, 4 / (4 + mean[:, :DAYS])).astype(np.float32)
    flags = event[None, :, None].astype(np.float32)
    far = np.full((1, days), 28, np.float32)
    code, zero = np.arange(series, dtype=np.int32), np.zeros(series, np.int32)
    calendar = Calendar(flags, far, far, np.arange(days, dtype=np.int32) - 364)
    panel = Panel(
        np.datetime64("2022-01-03"), demand, price.astype(np.float32),
        np.zeros(demand.shape, bool), zero, zero + 10**6, code, zero, zero, zero, zero, calendar,
    )  # fmt: skip
    return with_exposure(panel), mean[:, DAYS:]


def total_ahead(panel: Panel, days: int = AHEAD) -> float:
    """Expected units of all series over the next `days`, by a model of the panel."""
    sums = totals(panel)
    trees = fit_mean(panel, sums, SETTINGS, days, panel.days - 1, 1, 1)
    seen = foresee(daily_mean(trees), panel, sums, panel.days - 1, [(1, days)])
    return float(seen.mean.sum())


def plain(demand: np.ndarray, ahead: int) -> Panel:
    """A panel of one region of `demand` (series, days), at 10 USD."""
    n, days = demand.shape
    code, zero = np.arange(n, dtype=np.int32), np.zeros(n, np.int32)
    far = np.full((1, days + ahead), 28, np.float32)
    calendar = Calendar(np.zeros((1, days + ahead, 1), np.float32), far, far,
                        np.arange(days + ahead, dtype=np.int32) - 364)  # fmt: skip
    return Panel(
        np.datetime64("2022-01-03"), demand.astype(np.float32),
        np.full((n, days + ahead), 10.0, np.float32), np.zeros(demand.shape, bool), zero,
        zero + 10**6, code, zero, zero, zero, zero, calendar,
    )  # fmt: skip


def seasons() -> list[tuple[int, float, float]]:
    """(years known, expected over truth in the rising weeks, the last four weeks' over it)."""
    rows, ahead = [], 56
    for years in (1, 2, 3):
        random = np.random.default_rng(5)
        days = round(365.25 * years) + 20
        wave = np.exp(1.1 * np.sin(2 * np.pi * (np.arange(days + ahead) - days) / 365.25))
        mean = np.exp(random.normal(0.7, 0.8, 80))[:, None] * wave
        demand = random.negative_binomial(4, 4 / (4 + mean[:, :days]))
        truth = mean[:, days:].sum()
        found = total_ahead(with_exposure(plain(demand, ahead)), ahead)
        rows.append((years, found / truth, demand[:, -28:].sum() * 2 / truth))
    return rows


def cannibalization() -> list[tuple[float, float, float, float]]:
    """(share taken, mean, lowest and highest recovered) in groups of two among thirty items."""
    rows = []
    for taken in (0.2, 0.5):
        found = []
        for seed in SEEDS:
            random = np.random.default_rng(seed)
            mean, price = np.full((30, DAYS), 8.0), np.full((30, DAYS + AHEAD), 10.0, np.float32)
            for item in range(0, 30, 2):
                for start in range(40 + 3 * item, DAYS - 40, 90):
                    price[item, start : start + 14] = 7.0
                    mean[item, start : start + 14] += 8.0
                    mean[item + 1, start : start + 14] -= 8.0 * taken
            panel = replace(plain(random.poisson(mean), AHEAD), price=price)
            group = np.arange(30) // 2
            runs = past_runs(panel, group)
            found.append(np.mean([effects_of(runs, group, g).taken for g in range(15)]))
        rows.append((taken, float(np.mean(found)), float(min(found)), float(max(found))))
    return rows


def price_and_event() -> list[tuple[str, float, float, float, float]]:
    """(what, truth, mean, lowest and highest recovered): elasticities from 10 to 7 USD, lifts."""
    rows = []
    for elasticity in (-1.0, -2.5):
        found = []
        for seed in SEEDS:
            dear, cheap = (
                total_ahead(synthetic(300, elasticity, 1.0, seed, usd, False)[0])
                for usd in (10.0, 7.0)
            )
            found.append(np.log(cheap / dear) / np.log(0.7))
        rows.append(("own-price elasticity", elasticity, np.mean(found), min(found), max(found)))
    for lift in (1.3, 2.0):
        found = []
        for seed in SEEDS:
            without, with_event = (
                total_ahead(synthetic(300, -1.0, lift, seed, 10.0, flag)[0])
                for flag in (False, True)
            )
            found.append(with_event / without)
        rows.append(("event lift", lift, np.mean(found), min(found), max(found)))
    return rows


def censored_bias() -> list[tuple[float, float, float]]:
    """(share of demand lost, bias with stock-outs marked, bias with sales taken for demand)."""
    rows = []
    for cover in (2.2, 1.5, 1.1):
        panel, truth = synthetic(300, -1.0, 1.0, 9, 10.0, False)
        random = np.random.default_rng(3)
        shelf = np.ceil(cover * panel.demand.mean(axis=1))[:, None]
        is_short = (random.random(panel.demand.shape) < 0.4) & (panel.demand >= shelf)
        sales = np.where(is_short, shelf, panel.demand).astype(np.float32)
        # the k-th of n arrivals, uniform over the day, comes on average at k / (n + 1)
        beta = random.beta(np.maximum(shelf, 1), np.maximum(panel.demand - shelf + 1, 1))
        share = np.where(is_short, beta, 1.0).astype(np.float32)
        is_out = np.zeros(sales.shape, bool)
        is_out[:, 1:] = is_short[:, :-1] & (random.random(is_short[:, 1:].shape) < 0.5)
        sales[is_out], share[is_out] = 0.0, 0.0
        cut = share < 1
        lost = 1 - sales.sum() / panel.demand.sum()
        marked = total_ahead(_with(panel, demand_behind(sales, share, cut)))
        naive = total_ahead(_with(panel, sales))
        rows.append((float(lost), marked / truth.sum() - 1, naive / truth.sum() - 1))
    return rows


def _with(panel: Panel, demand: F32) -> Panel:
    return Panel(**{**{k: getattr(panel, k) for k in panel.__dataclass_fields__}, "demand": demand})


def cold_start(raw: Path, origins: range) -> list[tuple[str, int, float, float, float, float]]:
    """(age, series, our pinball loss, that of peers' quantiles, our bias, theirs), units."""
    data = read(raw)
    levels = np.array(QUANTILE_LEVELS)
    parts = []
    for origin in origins:
        panel, future = sampled_panel(data, raw, origin, AHEAD)
        age = panel.days - panel.launch_day
        new = np.flatnonzero((age < AHEAD) & (panel.launch_day <= panel.days))
        if len(new) == 0:
            continue
        sums = totals(panel)
        settings = ForecastSettings(mean=MeanSettings(leaf_rows=100, trees=100))
        model, _ = fit(panel, sums, settings, [(1, AHEAD)], 1, 1)
        seen = foresee(daily_mean(model.mean), panel, sums, panel.days - 1, [(1, AHEAD)])
        found = model.spread.quantiles(seen, levels, 1)[new]
        recent = np.nansum(panel.demand[:, -AHEAD:], axis=1)
        old = age > 2 * AHEAD
        peers = np.array([
            np.quantile(recent[old & (panel.department == panel.department[i])], levels)
            for i in new
        ])  # fmt: skip
        usual = [recent[old & (panel.department == panel.department[i])].mean() for i in new]
        parts.append(
            np.stack([
                age[new], pinball(future[new], found, levels).mean(axis=1),
                pinball(future[new], peers, levels).mean(axis=1), future[new], seen.mean[new],
                usual,
            ])
        )  # fmt: skip
    days, ours, theirs, units, mean, usual_units = np.concatenate(parts, axis=1)
    ages = [("all", -1, 99), ("first week", -1, 7)]
    ages += [(f"days {low} to {low + 6}", low, low + 7) for low in (7, 14, 21)]
    return [
        (name, int(own.sum()), ours[own].mean(), theirs[own].mean(),
         mean[own].sum() / units[own].sum(), usual_units[own].sum() / units[own].sum())
        for name, own in ((name, (days >= low) & (days < high)) for name, low, high in ages)
    ]  # fmt: skip


def main() -> None:
    """Run all parts and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, help="M5 folder, for the cold start")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    console = Console()
    result: dict[str, object] = {}
    effects, bias = price_and_event(), censored_bias()
    frames = {
        "seasons": pd.DataFrame(
            seasons(), columns=["years", "expected_over_truth", "last_weeks_over_truth"]
        ),
        "cannibalization": pd.DataFrame(
            cannibalization(), columns=["taken", "recovered", "low", "high"]
        ),
        "price and event": pd.DataFrame(
            effects, columns=["effect", "truth", "recovered", "low", "high"]
        ),
        "censoring": pd.DataFrame(bias, columns=["lost_share", "bias_marked", "bias_as_sales"]),
    }
    if options.raw:
        columns = ["age", "series", "pinball_units", "peers_units", "bias", "peers_bias"]
        frames["cold start"] = pd.DataFrame(
            cold_start(options.raw, range(420, 1000, 35)), columns=columns
        )
    for name, frame in frames.items():
        table = Table(*frame.columns, title=name)
        for row in frame.itertuples(index=False):
            table.add_row(*(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row))
        console.print(table)
        result[name] = frame.to_dict("records")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
