"""Forecasts as tables: periods with quantiles, components, changes, findings, scores."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.contracts.settings import LoadSettings
from pipeline.core.load.days import PARTS
from pipeline.core.load.explain import in_units
from pipeline.core.load.forecast import LoadForecast, in_slots
from pipeline.load.history import SeriesInput

QUANTILES = ("05", "50", "95", "99")
PART_WORDS = {
    "typical": "the usual level", "trend": "the trend", "year": "the time of year",
    "week": "the day of the week", "holiday": "holidays and the days beside them",
    "recent": "how the last days stood against the usual", "event": "events and launches",
    "clock": "hours that a clock change adds or takes",
}  # fmt: skip


def forecast_frame(one: SeriesInput, fit: LoadForecast, settings: LoadSettings) -> pd.DataFrame:
    """Rows of load_forecast: weeks, days, hours and intervals that add up to one another."""
    slots, start = one.load.shape[1], len(one.load) * one.load.shape[1]
    per_hour = max(1, slots // 24)
    parts: list[pd.DataFrame] = []
    day_sum, day_top = [], []
    for day in range(one.horizon_days):
        loads = fit.path_loads(day)
        curve, top = fit.curve[day], loads.max(axis=1)
        if one.repeats is not None:  # an hour that comes twice has both in its one row
            curve, loads = curve * one.repeats[day], loads * one.repeats[day]
        first = start + day * slots
        day_sum.append(loads.sum(axis=1))
        day_top.append(top)
        if day < settings.minute_horizon_days and slots > 1:
            at = [one.time_of(first + s) for s in range(slots)]
            parts.append(_rows(one.name, "minute", at, curve, loads, loads))
        if day < settings.hour_horizon_days and slots > 24:
            hours = loads.reshape(len(loads), 24, per_hour)
            at = [one.time_of(first + h * per_hour) for h in range(24)]
            by_hour = curve.reshape(24, per_hour).sum(axis=1)
            parts.append(_rows(one.name, "hour", at, by_hour, hours.sum(axis=2),
                               hours.max(axis=2)))  # fmt: skip
    sums, tops = np.column_stack(day_sum), np.column_stack(day_top)
    total = _real(one, fit).sum(axis=1)
    at = [one.time_of(start + day * slots) for day in range(one.horizon_days)]
    parts.append(_rows(one.name, "day", at, total, sums, tops))
    monday = np.array([(stamp - pd.Timedelta(days=stamp.day_of_week)).value for stamp in at])
    weeks, where = np.unique(monday, return_inverse=True)
    week_sums = np.column_stack([sums[:, where == k].sum(axis=1) for k in range(len(weeks))])
    week_tops = np.column_stack([tops[:, where == k].max(axis=1) for k in range(len(weeks))])
    of_week = np.array([total[where == k].sum() for k in range(len(weeks))])
    stamps = [pd.Timestamp(int(value), unit=at[0].unit) for value in weeks]
    parts.append(_rows(one.name, "week", stamps, of_week, week_sums, week_tops))
    return pd.concat(parts, ignore_index=True)


def _real(one: SeriesInput, fit: LoadForecast) -> np.ndarray:
    """The curve [days, slots] with every slot as often as the local clock shows it."""
    return fit.curve if one.repeats is None else fit.curve * one.repeats


def _rows(
    name: str, grain: str, at: list[pd.Timestamp], curve: np.ndarray, loads: np.ndarray,
    tops: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    levels = [0.05, 0.5, 0.95, 0.99]
    load_q = np.quantile(loads, levels, axis=0)
    peak_q = np.quantile(tops, levels[1:], axis=0)
    frame = {"series": name, "load_grain": grain, "start_time": at, "expected_load": curve}
    frame |= {f"load_q{q}": load_q[i] for i, q in enumerate(QUANTILES)}
    frame |= {f"peak_q{q}": peak_q[i] for i, q in enumerate(QUANTILES[1:])}
    return pd.DataFrame(frame)


def components_frame(one: SeriesInput, fit: LoadForecast) -> pd.DataFrame:
    """Rows of load_components: what each day's forecast is made of; parts add up to it."""
    slots, start = one.load.shape[1], len(one.load) * one.load.shape[1]
    logs = {part: fit.base.level.parts[part] for part in PARTS if part != "level"}
    base = fit.base.curve.sum(axis=1)
    shift = sum(logs.values(), np.zeros(len(base)))
    units = in_units(logs, base / np.exp(shift))
    units["event"] = fit.curve.sum(axis=1) - sum(units.values(), np.zeros(len(base)))
    if one.repeats is not None:
        units["clock"] = (_real(one, fit) - fit.curve).sum(axis=1)
    at = [one.time_of(start + day * slots) for day in range(one.horizon_days)]
    parts = []
    for part, values in units.items():
        words = PART_WORDS[part]
        share = values / np.maximum(base, 1e-12)
        sentence = [
            f"{words[0].upper()}{words[1:]}: {value:,.0f} ({ratio:+.0%})"
            for value, ratio in zip(values, share, strict=True)
        ]
        parts.append(pd.DataFrame({"series": one.name, "start_time": at, "load_part": part,
                                   "part_load": values, "sentence": sentence}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def changes_frame(now: pd.DataFrame, before: pd.DataFrame | None) -> pd.DataFrame:
    """Rows of load_changes: the parts of the days that both plans forecast, differenced."""
    columns = ["series", "load_part", "change_load", "sentence"]
    if before is None or before.empty:
        return pd.DataFrame(columns=columns)
    key = ["series", "start_time", "load_part"]
    a, b = (frame.astype({"series": "str", "load_part": "str"}) for frame in (now, before))
    both = a.merge(b, on=key, suffixes=("", "_before"))
    both["change_load"] = both["part_load"] - both["part_load_before"]
    found = both.groupby(["series", "load_part"], as_index=False, sort=True)["change_load"].sum()
    found["sentence"] = [
        f"{PART_WORDS[part]} moved the forecast of the common days by {change:+,.0f}."
        for part, change in zip(found["load_part"], found["change_load"], strict=True)
    ]
    return found[columns]


def findings_frame(one: SeriesInput, fit: LoadForecast | None) -> pd.DataFrame:
    """Rows of load_findings of a series: of its rows and events, and of the fit."""
    rows = [
        {"series": f.series, "start_time": f.start, "end_time": f.end, "load_finding": f.kind,
         "observed_load": np.nan, "fitted_load": np.nan, "effect_load": np.nan,
         "is_excluded": f.is_excluded, "sentence": f.sentence}
        for f in one.findings
    ]  # fmt: skip
    if fit is not None:
        rows += _fit_findings(one, fit)
    frame = pd.DataFrame(rows, columns=["series", "start_time", "end_time", "load_finding",
                                        "observed_load", "fitted_load", "effect_load",
                                        "is_excluded", "sentence"])  # fmt: skip
    return frame.drop_duplicates(["series", "start_time", "load_finding"])


def _fit_findings(one: SeriesInput, fit: LoadForecast) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    days = len(one.load)
    width = fit.base.data.slots // fit.base.data.blocks
    for window in in_slots(fit.windows, fit.base):
        excess = (window.load - window.expected) * width
        is_out = window.kind != "unknown"
        word = "more" if excess > 0 else "less"
        then = ("not learned from. To take it back, add it to load_windows as accepted." if is_out
                else "learned from, as unusual days come again. To take it out, add it to "
                     "load_windows as excluded.")  # fmt: skip
        rows.append({
            "series": one.name, "start_time": one.time_of(window.first),
            "end_time": one.time_of(window.last), "load_finding": window.kind,
            "observed_load": window.load * width, "fitted_load": window.expected * width,
            # Learned from, a window's excess comes back as its share of the usual days.
            "effect_load": excess / days * 28, "is_excluded": is_out,
            "sentence": f"{abs(excess):,.0f} {word} than expected over "
                        f"{(window.last - window.first) * one.minutes / 60:.1f} hours; {then}",
        })  # fmt: skip
    rows += [_change_row(one, "slope_break", found.day, "Growth changed by "
                         f"{np.expm1(found.change_per_year):+.0%} a year.")
             for found in fit.breaks]  # fmt: skip
    rows += [_change_row(one, "level_shift", found.day, "From here on the level is "
                         f"{np.expm1(found.change):+.0%} against what it was.")
             for found in fit.shifts]  # fmt: skip
    return rows


def _change_row(one: SeriesInput, kind: str, day: int, sentence: str) -> dict[str, object]:
    at = one.time_of(day * one.load.shape[1])
    return {"series": one.name, "start_time": at, "end_time": at, "load_finding": kind,
            "observed_load": np.nan, "fitted_load": np.nan, "effect_load": np.nan,
            "is_excluded": False, "sentence": sentence}  # fmt: skip


def scores_frame(one: SeriesInput, fit: LoadForecast) -> pd.DataFrame:
    """Rows of load_scores: backtest curves by lead, with the peaks' coverage from their paths."""
    curves, origins = fit.base.backtest_curves(), fit.base.level.origins
    rows: dict[str, list[tuple[float, ...]]] = {}
    factor = np.quantile(np.exp(fit.draw.level), 0.95, axis=0)
    noise = float(np.median(fit.pool.noise.max(axis=1)))
    for k, origin in enumerate(origins):
        for h in range(curves.shape[1]):
            actual, curve = fit.scored[int(origin) + h], curves[k, h]
            if not np.isfinite(actual).all() or actual.sum() <= 0:
                continue
            high = curve.max() * factor[min(h, len(factor) - 1)] * max(noise, 1.0)
            bucket = "001-007" if h < 7 else ("008-028" if h < 28 else "029-")
            rows.setdefault(bucket, []).append(
                (np.abs(actual - curve).sum(), actual.sum(), curve.sum(),
                 abs(actual.max() - curve.max()), actual.max(), float(actual.max() <= high))
            )  # fmt: skip
    found = []
    for bucket, values in sorted(rows.items()):
        v = np.array(values)
        found.append({
            "series": one.name, "lead_bucket": bucket, "scored_rows": len(v),
            "load_wape": v[:, 0].sum() / v[:, 1].sum(),
            "load_bias": v[:, 2].sum() / v[:, 1].sum() - 1,
            "peak_error": v[:, 3].sum() / v[:, 4].sum(), "peak_coverage_95": v[:, 5].mean(),
        })  # fmt: skip
    return pd.DataFrame(found, columns=["series", "lead_bucket", "scored_rows", "load_wape",
                                        "load_bias", "peak_error", "peak_coverage_95"])  # fmt: skip
