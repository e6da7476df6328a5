"""Five companies through the same code, no tuning by company, against what users would pick.

    python benchmarks/companies.py --shared ../shared/data [--series 400] [--json FILE]

Pinball loss over the published levels, each window by itself, over mean demand; expected over
sold; share of demand within the 0.9 quantile (mid-ranks). Peers are given the quantiles of their
own past errors, by series: seasonal naive, a moving average, simple exponential smoothing, TSB
(Teunter, Syntetos, Babai 2011), automatic exponential smoothing (statsforecast, where installed),
and one global LightGBM on lags and calendar with the quantiles of its errors by size of forecast.
Ours sees what a night makes of the same sales: seasons, lifts of cut prices, closed weekdays,
days whose export broke off, suspected stock-outs, spikes. Dominick's prices of the weeks ahead are
known to it, as in a night where they are planned.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from companies_data import COMPANIES, Company, as_the_night_sees
from companies_peers import PEERS
from rich.console import Console
from rich.table import Table

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.contracts.settings import ForecastSettings, MeanSettings, ShapeSettings
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import fit
from pipeline.forecast.panel import totals
from pipeline.forecast.scores import pinball
from pipeline.forecast.windows import foresee

Q = np.array(QUANTILE_LEVELS)
WEEKLY = ForecastSettings(
    mean=MeanSettings(train_days=120, origin_step_days=2, leaf_rows=100, trees=150, leaves=31),
    shape=ShapeSettings(leaf_rows=200),
    calibration_days=32,
    calibration_step_days=8,
)


def ours(company: Company, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Means (series, windows) and quantiles (series, windows, levels)."""
    reach = max(start + n - 1 for start, n in company.windows)
    panel = as_the_night_sees(company.until(days, reach))
    sums = totals(panel)
    settings = ForecastSettings() if company.period_days == 1 else WEEKLY
    model, _ = fit(panel, sums, settings, company.windows, 1, 1)
    seen = foresee(daily_mean(model.mean), panel, sums, panel.days - 1, company.windows)
    shape = (panel.series, len(company.windows))
    return seen.mean.reshape(shape), model.spread.quantiles(seen, Q, 1).reshape(*shape, len(Q))


def demanded(company: Company, days: int) -> np.ndarray:
    """What came in each window (series, windows); NaN where it is not known."""
    units = company.units[:, days:]
    return np.stack([units[:, s - 1 : s - 1 + n].sum(axis=1) for s, n in company.windows], axis=1)


Forecaster = Callable[[Company, int], tuple[np.ndarray, np.ndarray]]


def score(company: Company, forecaster: Forecaster) -> dict[str, float]:
    """Loss, expected over sold, coverage and CPU seconds over all origins."""
    began = time.process_time()
    loss, expected, came, held, count = 0.0, 0.0, 0.0, 0.0, 0
    for days in company.origins:
        actual = demanded(company, days)
        mean, quantiles = forecaster(company, days)
        known = np.isfinite(actual) & np.isfinite(mean)
        known &= np.isfinite(company.units[:, :days]).any(axis=1)[:, None]
        y, q = actual[known], quantiles[known]
        loss += float(pinball(y, q, Q).mean(axis=-1).sum())
        expected, came = expected + float(mean[known].sum()), came + float(y.sum())
        top = q[:, list(QUANTILE_LEVELS).index(0.9)]
        held += float(((y < top) + 0.5 * (y == top)).sum())
        count += len(y)
    return {
        "loss": loss / max(came, 1.0), "expected_over_sold": expected / max(came, 1.0),
        "held_by_q0.9": held / count, "cpu_s": time.process_time() - began,
    }  # fmt: skip


def main() -> None:
    """Forecast, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--series", type=int, default=400, help="series of each company, at most")
    parser.add_argument("--company", nargs="+", help="names of functions in companies_data")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    console = Console(width=140)
    peers = {name: own for name, own in PEERS.items()
             if name != "AutoETS" or find_spec("statsforecast")}  # fmt: skip
    if "AutoETS" not in peers:
        console.print("AutoETS is left out: statsforecast is not installed (uv sync --group bench)")
    found = {}
    for load in COMPANIES:
        if options.company and load.__name__ not in options.company:
            continue
        company = load(options.shared).some(options.series)
        rows = {name: score(company, own) for name, own in {"Echelon": ours, **peers}.items()}
        found[company.name] = rows
        frame = pd.DataFrame(rows).T
        table = Table("", *frame.columns, title=f"{company.name}: {len(company.units)} series, "
                      f"origins {company.origins}")  # fmt: skip
        for name, row in frame.iterrows():
            table.add_row(str(name), *(f"{value:.3f}" for value in row))
        console.print(table)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
