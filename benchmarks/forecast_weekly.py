"""Two other companies' weekly demand through the same code, nothing tuned: Intel and Favorita.

    python benchmarks/forecast_weekly.py --shared ../shared/data

A week takes the place of a day. The loss is the pinball loss over all levels of the next eight
weeks' demand, each week by itself, divided by mean demand; beside it a seasonal naive forecast
(the same week of the year before, else the last week, with its own past errors' quantiles) and
automatic exponential smoothing (statsforecast) on a sample of the series.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.contracts.settings import ForecastSettings, MeanSettings, ShapeSettings
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import fit
from pipeline.forecast.panel import F32, F64, I32, Calendar, Panel, totals
from pipeline.forecast.scores import pinball
from pipeline.forecast.windows import foresee

AHEAD = 8
Q = np.array(QUANTILE_LEVELS)
WEEKS = [(h, 1) for h in range(1, AHEAD + 1)]
SETTINGS = ForecastSettings(
    mean=MeanSettings(train_days=120, origin_step_days=2, leaf_rows=100, trees=150, leaves=31),
    shape=ShapeSettings(leaf_rows=200),
    calibration_days=32,
    calibration_step_days=8,
)


def intel(shared: Path) -> tuple[F32, I32, I32]:
    """Orders (series, weeks), item and region of each series."""
    frame = pd.read_parquet(shared / "intel_forecasts_orders" / "intel_187_weeks.parquet")
    table = frame.pivot_table(
        index=["sku", "distribution_center"], columns="week", values="customer_orders",
        aggfunc="sum",
    )  # fmt: skip
    keys = table.index.to_frame()
    item = pd.factorize(keys["sku"], sort=True)[0]
    region = pd.factorize(keys["distribution_center"], sort=True)[0]
    return table.to_numpy(np.float32), item.astype(np.int32), region.astype(np.int32)


def favorita(shared: Path) -> tuple[F32, I32, I32]:
    """Sales (series, weeks), item and store of each series."""
    path = shared / "favorita_weekly_21_stores" / "weekly_sales_w0_w139.parquet"
    frame = pd.read_parquet(path)
    table = frame.pivot_table(index=["sku_idx", "store_idx"], columns="week_idx", values="units")
    keys = table.index.to_frame().astype(np.int32)
    units = np.maximum(table.to_numpy(np.float32), 0)  # a few weeks are net returns
    return units, keys["sku_idx"].to_numpy(), keys["store_idx"].to_numpy()


def panel_of(demand: F32, item: I32, region: I32) -> Panel:
    """Weeks as days, without prices and events."""
    n, weeks = demand.shape
    days = weeks + AHEAD
    regions = int(region.max()) + 1
    far = np.full((regions, days), 28, np.float32)
    flags = np.zeros((regions, days, 1), np.float32)
    calendar = Calendar(flags, far, far, np.arange(days, dtype=np.int32) - 52)
    seen = np.isfinite(demand)
    launch = np.where(seen.any(axis=1), seen.argmax(axis=1), weeks).astype(np.int32)
    zero = np.zeros(n, np.int32)
    return Panel(
        np.datetime64("2013-01-02"), demand, np.full((n, days), np.nan, np.float32),
        np.zeros(demand.shape, bool), launch, zero + 10**6, item, region, zero, zero, region,
        calendar, period_days=7,
    )  # fmt: skip


def ours(demand: F32, item: I32, region: I32) -> F64:
    """Quantiles (series, weeks ahead, levels)."""
    panel = panel_of(demand, item, region)
    sums = totals(panel)
    model, _ = fit(panel, sums, SETTINGS, WEEKS, 1, 1)
    seen = foresee(daily_mean(model.mean), panel, sums, panel.days - 1, WEEKS)
    return model.spread.quantiles(seen, Q, 1).reshape(-1, AHEAD, len(Q))


def seasonal_naive(demand: F32) -> F64:
    """Last year's week plus the quantiles of such forecasts' past errors."""
    season = 52 if demand.shape[1] > 60 else 1
    filled = np.nan_to_num(demand)
    last = filled[:, -season:][:, :AHEAD]
    errors = filled[:, season:] - filled[:, :-season]
    spread = np.quantile(errors, Q, axis=1).T
    return np.maximum(last[:, :, None] + spread[:, None, :], 0)


def smoothing(demand: F32) -> F64:
    """Automatic exponential smoothing, as statsforecast's documentation runs it."""
    from statsforecast import StatsForecast  # only where this peer is run
    from statsforecast.models import AutoETS  # same

    n, weeks = demand.shape
    long = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(n), weeks),
            "ds": np.tile(np.arange(weeks), n),
            "y": np.nan_to_num(demand).ravel(),
        }
    )
    widths = sorted({round(100 * abs(2 * q - 1), 6) for q in QUANTILE_LEVELS if q != 0.5})
    table = StatsForecast(models=[AutoETS(season_length=1)], freq=1, n_jobs=1).forecast(
        df=long, h=AHEAD, level=widths
    )
    table = table.sort_values(["unique_id", "ds"])
    out = np.empty((n, AHEAD, len(Q)))
    for j, q in enumerate(QUANTILE_LEVELS):
        width = round(100 * abs(2 * q - 1), 6)
        name = "AutoETS" if q == 0.5 else f"AutoETS-{'lo' if q < 0.5 else 'hi'}-{width}"
        out[:, :, j] = table[name].to_numpy().reshape(n, AHEAD)
    return np.maximum(out, 0)


def loss(actual: F64, quantiles: F64) -> tuple[float, float]:
    """Scaled pinball loss, and coverage of the 0.9 quantile, over observed weeks."""
    seen = np.isfinite(actual)
    value = pinball(actual[seen], quantiles[seen], Q).mean() / actual[seen].mean()
    covered = (actual[seen] <= quantiles[seen][:, QUANTILE_LEVELS.index(0.9)]).mean()
    return float(value), float(covered)


def main() -> None:
    """Score three origins of each company and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--data", nargs="+", default=["intel", "favorita"])
    parser.add_argument("--peers", type=int, default=200, help="series for statsforecast")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for name in options.data:
        demand, item, region = {"intel": intel, "favorita": favorita}[name](options.shared)
        for back in (8, 16, 24):
            origin = demand.shape[1] - back
            known, actual = demand[:, :origin], demand[:, origin : origin + AHEAD].astype(float)
            live = np.isfinite(known).sum(axis=1) > 10
            some = np.flatnonzero(live)[:: max(1, int(live.sum()) // options.peers)]
            started = time.process_time()
            found = ours(known, item, region)
            seconds = time.process_time() - started
            started = time.process_time()
            peer = loss(actual[some], smoothing(known[some]))
            rows.append(
                (name, origin, *loss(actual[live], found[live]), round(seconds, 1),
                 *loss(actual[live], seasonal_naive(known)[live]),
                 loss(actual[some], found[some])[0], *peer,
                 round((time.process_time() - started) * live.sum() / len(some), 1))
            )  # fmt: skip
    columns = (
        "data", "origin", "loss", "cover_0.9", "cpu_s", "snaive", "snaive_0.9", "loss_sample",
        "ets_sample", "ets_0.9", "ets_cpu_s_all",
    )  # fmt: skip
    table = Table(*columns, title="weekly demand, eight weeks ahead")
    for row in rows:
        table.add_row(*(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row))
    Console(width=140).print(table)
    if options.json:
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        options.json.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
