"""A made-up retailer with known parts: moved events, slope breaks, robots, tracking, speed.

    python benchmarks/peak_retailer.py --json retailer.json            # all parts
    python benchmarks/peak_retailer.py --parts events,nowcast --seeds 20

events: the seventh sale comes ten days later than the others' rhythm and lasts 48 hours, not 24;
event-hour WAPE beside the true curve's (which knows all but the noise) and Prophet's with the
sales as holidays. breaks: 200 series, half with a break of 15 % a year or more; found within three
weeks of its day, and false alarms. robots: windows planted in hourly series, F1 by window. nowcast:
error of the rest of an event after a fifth of it, against the forecast's before it. speed: 100
series of three years by the hour and a year of minutes, in CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from prophet import Prophet
from rich.console import Console
from rich.table import Table

from pipeline.core.load.events import Occurrence
from pipeline.core.load.forecast import Request, forecast_series
from pipeline.core.load.made_up import Retailer, retailer
from pipeline.core.load.nowcast import fit_tracker, nowcast

DAY = 1440
Figures = dict[str, float]


def _sale(day: int, hours: int, amplitude: float = 1.0) -> Occurrence:
    start = day * DAY + 9 * 60
    return Occurrence("sale", start, start + 60 * hours, amplitude)


PAST = tuple(_sale(day, 24) for day in (90, 225, 365, 500, 640, 775))
COMING = _sale(915, 48)  # 135-140 days after the last, and ten days later than its own rhythm: 905


def _request(made: Retailer, history: int, occurrences: tuple[Occurrence, ...]) -> Request:
    days = len(made.load)
    return Request(made.load[:history], made.first_day, ("",) * days, days - history, occurrences)


def _hours_of(one: Occurrence, days: int) -> np.ndarray:
    t = (np.arange(days * 24) * 60 + 30.0).reshape(days, 24)
    return (t >= one.start) & (t < one.end)


def events(seeds: int) -> Figures:
    """Event-hour WAPE of ours, the true curve and Prophet."""
    missed: dict[str, float] = {"echelon": 0.0, "truth": 0.0, "prophet": 0.0}
    total, days, history = 0.0, 925, 895
    for seed in range(seeds):
        made = retailer(days, (*PAST, COMING), seed=seed)
        at = _hours_of(COMING, days)[history:]
        actual = made.load[history:]
        curves = {
            "echelon": forecast_series(_request(made, history, (*PAST, COMING))).curve,
            "truth": made.true_curve[history:],
        }
        if seed < 5:
            curves["prophet"] = _prophet(made, history)
        for name, curve in curves.items():
            missed[name] += float(np.abs(actual - curve)[at].sum() / actual[at].sum())
        total += 1
    ours, truth = missed["echelon"] / total, missed["truth"] / total
    prophet = missed["prophet"] / min(total, 5)
    return {"event_wape": ours, "true_model_wape": truth, "prophet_wape": prophet,
            "ratio_to_truth": ours / truth, "prophet_ratio": prophet / ours}  # fmt: skip


def _prophet(made: Retailer, history: int) -> np.ndarray:
    """Prophet on its defaults; each sale is a holiday of as many days as it touches."""
    days = len(made.load)
    stamps = pd.date_range(made.first_day, periods=days * 24, freq="h")
    touched = [
        {"holiday": "sale", "ds": stamps[0] + pd.Timedelta(days=day)}
        for one in made.occurrences
        for day in range(int(one.start // DAY), int((one.end - 1) // DAY) + 1)
    ]
    model = Prophet(holidays=pd.DataFrame(touched))
    load = made.load[:history].ravel()
    model.fit(pd.DataFrame({"ds": stamps[: history * 24], "y": load}))
    future = pd.DataFrame({"ds": stamps[history * 24 :]})
    return np.asarray(model.predict(future)["yhat"]).reshape(-1, 24)


def breaks(series: int) -> Figures:
    """Share of planted breaks found within 21 days of their day, and of clean series with one."""
    found = false = with_break = 0
    random = np.random.default_rng(11)
    for seed in range(series):
        planted = seed % 2 == 0
        day = int(random.integers(250, 750)) if planted else -1
        size = float(random.choice([-1, 1]) * random.uniform(0.15, 0.5)) if planted else 0.0
        made = retailer(1000, (), seed=1000 + seed, break_day=day, break_per_year=size,
                        wander_sd=0.008)  # fmt: skip
        answer = forecast_series(replace(_request(made, 993, ()), paths=2)).breaks
        near = [one for one in answer if planted and abs(one.day - day) <= 21]
        found += bool(near)
        with_break += planted
        false += bool([one for one in answer if one not in near])
    return {"found_share": found / with_break, "false_share": false / series}


def robots(series: int) -> Figures:
    """F1 by window over hourly series with 6 windows each, and what they cost the forecast."""
    hits = said = planted = 0
    missed_clean = missed_dirty = 0.0
    for seed in range(series):
        made = retailer(400, (), seed=2000 + seed, robot_windows=6)
        clean = retailer(400, (), seed=2000 + seed)
        dirty_fit = forecast_series(replace(_request(made, 386, ()), paths=2))
        clean_fit = forecast_series(replace(_request(clean, 386, ()), paths=2))
        answer = [(w.first, w.last) for w in dirty_fit.windows if w.kind == "robots"]
        truth = [window for window in made.robots if window[1] <= 386 * 24]
        hits += sum(any(a < d and c < b for a, b in answer) for c, d in truth)
        said += len(answer)
        planted += len(truth)
        actual = clean.load[386:]
        missed_dirty += float(np.abs(actual - dirty_fit.curve).sum())
        missed_clean += float(np.abs(actual - clean_fit.curve).sum())
    precision, recall = min(hits, said) / max(said, 1), hits / planted
    return {"f1": 2 * precision * recall / max(precision + recall, 1e-9), "precision": precision,
            "recall": recall, "error_against_clean": missed_dirty / missed_clean}  # fmt: skip


def tracking(seeds: int) -> Figures:
    """Error of the last four fifths of an event, tracked from its first, over the forecast's."""
    before = after = 0.0
    days, history = 925, 910
    random = np.random.default_rng(7)
    for seed in range(seeds):
        # Each sale draws its own height: that is what there is to learn while it runs.
        past = tuple(replace(one, amplitude=float(random.uniform(0.7, 1.3))) for one in PAST)
        coming = replace(COMING, amplitude=float(random.uniform(0.7, 1.3)))
        made = retailer(days, (*past, coming), seed=3000 + seed)
        told = tuple(replace(one, amplitude=1.0) for one in (*past, coming))
        fit = forecast_series(_request(made, history, told))
        spans = []
        for one in told[:-1]:
            at = _hours_of(one, days)[:history]
            spans.append(np.log(made.load[:history][at] / fit.hindsight[at]))
        tracker = fit_tracker(np.stack(spans))
        at = _hours_of(coming, days)[history:]
        actual, forecast = made.load[history:][at], fit.curve[at]
        fifth = len(actual) // 5
        now = nowcast(actual[:fifth], forecast, tracker)
        before += float(np.abs(actual[fifth:] - forecast[fifth:]).sum())
        after += float(np.abs(actual[fifth:] - now.curve).sum())
    return {"error_ratio": after / before}


def speed() -> Figures:
    """CPU seconds for 100 series x 3 years by the hour, and for a year by the minute."""
    forecast_series(_request(retailer(60), 53, ()))  # compile
    hourly = [retailer(1095 + 28, (), seed=seed) for seed in range(10)]
    started = time.process_time()
    for made in hourly:
        forecast_series(_request(made, 1095, ()))
    ten = time.process_time() - started
    minutes = retailer(365 + 28, (), minutes=1)
    started = time.process_time()
    forecast_series(_request(minutes, 365, ()))
    return {
        "hundred_series_cpu_s": 10 * ten,
        "year_of_minutes_cpu_s": time.process_time() - started,
    }


def main() -> None:
    """Run the chosen parts, print a table, write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="events,breaks,robots,nowcast,speed")
    parser.add_argument("--seeds", type=int, default=20, help="Retailers of events and nowcast.")
    parser.add_argument("--series", type=int, default=200, help="Series of breaks and robots.")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    run = {
        "events": lambda: events(given.seeds), "breaks": lambda: breaks(given.series),
        "robots": lambda: robots(given.series), "nowcast": lambda: tracking(given.seeds),
        "speed": speed,
    }  # fmt: skip
    found = {part: run[part]() for part in given.parts.split(",")}
    shown = Table("part", "figure", "value")
    for part, figures in found.items():
        for name, value in figures.items():
            shown.add_row(part, name, f"{value:.4f}")
    Console().print(shown)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
