"""What lifts of named events are worth on M5: errors of a level forecast with them and without.

    python benchmarks/event_lifts.py --raw ../shared/data/m5 --origins 1836 1864 1885

A plain forecast (each series' last six weeks, its department's weekdays) of the 28 days after each
origin, with the lifts that were known then and without any, on item totals: absolute error over
units by day and by window, bias, and the units that the fifty worst weeks were too high by, which
is what an order pays for. No tree is trained: trees may mend what lifts get wrong, or not.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from m5_data import M5, read, tier
from rich.console import Console
from rich.table import Table

from pipeline.forecast.panel import F64, Panel, sums_by

AHEAD, LEVEL_DAYS, WEEKDAY_DAYS = 28, 42, 112


def main() -> None:
    """Score, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--origins", type=int, nargs="+", default=[1836, 1864, 1885])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    data = read(given.raw)
    rows = [row for origin in given.origins for row in scores(data, origin)]
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()))
    Console().print(table)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")


def scores(data: M5, origin: int) -> list[dict[str, object]]:
    """A row without lifts and one with them."""
    days = min(AHEAD, data.last_d - origin)
    panel = tier(data, "stores", origin, AHEAD).panel
    first = origin - data.first_d + 1
    came = sums_by(panel.item, np.nan_to_num(data.sales[:, first : first + days]))
    rows: list[dict[str, object]] = []
    for name, known in (
        ("without lifts", replace(panel, lift=None, lift_seen=None)), ("with", panel),
    ):  # fmt: skip
        found = sums_by(known.item, np.nan_to_num(level_forecast(known, days)))
        off, whole = np.abs(found - came).sum(), np.abs((found - came).sum(axis=1)).sum()
        weeks = np.add.reduceat(found - came, range(0, days, 7), axis=1)
        rows.append({
            "origin": origin, "forecast": name, "by day": float(off / came.sum()),
            f"{days} days": float(whole / came.sum()), "bias": float(found.sum() / came.sum()),
            "fifty worst weeks, units": int(np.sort(np.maximum(weeks, 0.0), axis=None)[-50:].sum()),
        })  # fmt: skip
    return rows


def level_forecast(panel: Panel, days: int) -> F64:
    """Units (series, days) by level, weekday and exposure."""
    demand = np.where(panel.observed(), panel.demand, np.nan)[:, -LEVEL_DAYS:]
    behind, ahead = panel.exposure()
    exposure = (behind[:, -LEVEL_DAYS:] * np.isfinite(demand)).sum(axis=1)
    level = np.nansum(demand, axis=1) / np.maximum(exposure, 1e-9)
    weekday = (panel.first_weekday + np.arange(panel.days + panel.ahead)) % 7
    index = np.ones((int(panel.department.max()) + 1, 7))
    for code in range(len(index)):
        sold = np.nansum(panel.demand[panel.department == code], axis=0)[-WEEKDAY_DAYS:]
        of_day = weekday[panel.days - WEEKDAY_DAYS : panel.days]
        of_days = np.array([sold[of_day == k].mean() for k in range(7)])
        index[code] = of_days / of_days.mean()
    coming = slice(panel.days, panel.days + days)
    return np.asarray(
        level[:, None] * ahead[:, coming] * index[panel.department][:, weekday[coming]]
    )


if __name__ == "__main__":
    main()
