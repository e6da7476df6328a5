"""Peak load against statsforecast and Prophet: rolling origins on six public series.

    python benchmarks/peak_load.py --series rte --data ../shared/data/peak_load --json rte.json

WAPE of the central curve, error of each day's peak (ours: the median of the paths' maxima; the
others': the largest value of their curve), share of daily peaks under our 95 % quantile, seconds
a fit. Everything ours decides, it decides by backtests inside the history before the origin; the
rivals run on their defaults in the same run (MSTL and AutoMFLES on the last 13 weeks).
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from peak_load_data import F64, SPECS, Series, read
from prophet import Prophet
from rich.console import Console
from rich.table import Table
from statsforecast.models import MSTL, AutoMFLES, SeasonalNaive

from pipeline.core.load.forecast import Request, forecast_series

PATHS = 500
RIVAL_WEEKS = 13
Answer = tuple[F64, F64, F64 | None]
"""Curve [days, slots], peak of each day, 95 % quantile of the peak (None: has none)."""


def echelon(series: Series, origin: int) -> Answer:
    """Ours: the central curve and quantiles of the day's maximum, from paths."""
    ahead = series.spec.horizon_days
    history, holiday = series.load[:origin], series.holiday[: origin + ahead]
    request = Request(history, series.first_day, holiday, ahead, paths=PATHS, seed=origin)
    fit = forecast_series(request)
    peaks = fit.peaks(ahead)
    return fit.curve, np.median(peaks, axis=0), np.quantile(peaks, 0.95, axis=0)


def _filled(series: Series, origin: int, weeks: int = 0) -> F64:
    """History as one vector without gaps, the last `weeks` of it where they are given."""
    slots = series.load.shape[1]
    values = pd.Series(series.load[:origin].ravel()).interpolate(limit_direction="both")
    return values.to_numpy()[-weeks * 7 * slots if weeks else 0 :]


def _curve(values: F64, series: Series) -> Answer:
    curve = np.maximum(np.asarray(values).reshape(series.spec.horizon_days, -1), 0.0)
    return curve, curve.max(axis=1), None


def _seasons(history: F64, slots: int) -> list[int]:
    return [slots, 7 * slots] if len(history) > 14 * slots else [slots]


def seasonal_naive(series: Series, origin: int) -> Answer:
    """The last week again."""
    slots = series.load.shape[1]
    model = SeasonalNaive(7 * slots)
    ahead = series.spec.horizon_days * slots
    return _curve(model.forecast(_filled(series, origin), ahead)["mean"], series)


def mstl(series: Series, origin: int) -> Answer:
    """Multiple seasonal-trend decomposition by LOESS, trend by automatic exponential smoothing."""
    slots, history = series.load.shape[1], _filled(series, origin, RIVAL_WEEKS)
    model = MSTL(_seasons(history, slots))
    return _curve(model.forecast(history, series.spec.horizon_days * slots)["mean"], series)


def auto_mfles(series: Series, origin: int) -> Answer:
    """AutoMFLES, validated on a horizon of its own where the history is long enough."""
    slots, history = series.load.shape[1], _filled(series, origin, RIVAL_WEEKS)
    ahead = series.spec.horizon_days * slots
    test = ahead if len(history) > 4 * ahead else slots
    model = AutoMFLES(test_size=test, season_length=_seasons(history, slots))
    return _curve(model.forecast(history, ahead)["mean"], series)


def prophet(series: Series, origin: int) -> Answer:
    """Prophet on its defaults, with the country's holidays."""
    slots, ahead = series.load.shape[1], series.spec.horizon_days
    stamps = pd.date_range(series.first_day, periods=(origin + ahead) * slots,
                           freq=f"{series.spec.minutes}min")  # fmt: skip
    model = Prophet()
    model.add_country_holidays(series.spec.country)
    model.fit(pd.DataFrame({"ds": stamps[: origin * slots], "y": _filled(series, origin)}))
    future = pd.DataFrame({"ds": stamps[origin * slots :]})
    return _curve(model.predict(future)["yhat"].to_numpy(), series)


METHODS: dict[str, Callable[[Series, int], Answer]] = {
    "echelon": echelon, "seasonal_naive": seasonal_naive, "mstl": mstl,
    "auto_mfles": auto_mfles, "prophet": prophet,
}  # fmt: skip


def score(series: Series, method: str) -> dict[str, object]:
    """Scores of a method over all origins, shares not per cent."""
    missed = total = peak_missed = peaks = covered = days = seconds = 0.0
    by_origin = []
    for origin in series.origins:
        started = time.process_time()
        curve, peak, high = METHODS[method](series, origin)
        seconds += time.process_time() - started
        actual = series.load[origin : origin + series.spec.horizon_days]
        top = np.nanmax(actual, axis=1)
        missed += float(np.nansum(np.abs(actual - curve)))
        total += float(np.nansum(actual))
        peak_missed += float(np.abs(top - peak).sum())
        peaks += float(top.sum())
        by_origin.append(float(np.nansum(np.abs(actual - curve)) / np.nansum(actual)))
        if high is not None:
            covered += float((top <= high).sum())
            days += len(top)
    return {
        "series": series.spec.name, "method": method, "wape": missed / total,
        "peak_error": peak_missed / peaks, "covered_days": covered, "days": days,
        "seconds_per_fit": seconds / len(series.origins), "wape_by_origin": by_origin,
        "origins": [str(series.first_day + origin) for origin in series.origins],
    }  # fmt: skip


def main() -> None:
    """Score the chosen series and methods, print a table, write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", default="all", help=f"all, or some of {', '.join(SPECS)}")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/peak_load"))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    names = list(SPECS) if given.series == "all" else given.series.split(",")
    shown = Table("series", "method", "WAPE %", "peak error %", "peaks ≤ q95", "CPU s a fit")
    rows = []
    for name in names:
        series = read(SPECS[name], given.data)
        for method in given.methods.split(","):
            row = score(series, method)
            rows.append(row)
            days = f"{row['covered_days']:.0f} / {row['days']:.0f}" if row["days"] else "–"
            shown.add_row(name, method, f"{100 * float(str(row['wape'])):.2f}",
                          f"{100 * float(str(row['peak_error'])):.2f}", days,
                          f"{float(str(row['seconds_per_fit'])):.2f}")  # fmt: skip
    Console().print(shown)
    verdict(rows)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def verdict(rows: list[dict[str, object]]) -> None:
    """One line a series: ours against the best rival, and the pooled coverage of the peaks."""
    covered = sum(float(str(row["covered_days"])) for row in rows)
    days = sum(float(str(row["days"])) for row in rows)
    for name in dict.fromkeys(str(row["series"]) for row in rows):
        mine = [row for row in rows if row["series"] == name and row["method"] == "echelon"]
        others = [row for row in rows if row["series"] == name and row["method"] != "echelon"]
        if not mine or not others:
            continue
        ratios = [
            float(str(mine[0][key])) / min(float(str(row[key])) for row in others)
            for key in ("wape", "peak_error")
        ]
        print(f"{name}: WAPE {ratios[0]:.3f} x the best rival's, peak error {ratios[1]:.3f} x")
    if days:
        print(f"Daily peaks under their 95 % quantile, pooled: {covered / days:.1%} of {days:.0f}")


if __name__ == "__main__":
    main()
