"""An event while it runs: what is left of it, minute by minute, with alarms and their reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.core.load.nowcast import Tracker, nowcast

ALARM_CHANCE, ALARM_RATIO = 0.2, 0.25


@dataclass(frozen=True)
class Tracked:
    """A step of the tracking: when, what is expected of the rest, and the alarm ('' for none)."""

    at: pd.Timestamp
    ratio: float
    remaining_load: float
    peak: float
    peak_time: pd.Timestamp
    chance_over: float
    alarm: str


def track(
    actual: pd.Series, forecast: pd.Series, tracker: Tracker, capacity: float = np.inf,
    every: int = 1, paths: np.ndarray | None = None,
) -> list[Tracked]:  # fmt: skip
    """Follow `actual` (by local time, a prefix of `forecast`'s times), every `every` slots."""
    times = forecast.index
    known = actual.reindex(times).to_numpy(dtype="float64")
    expected = forecast.to_numpy(dtype="float64")
    done = int(actual.index.isin(times).sum())
    steps = []
    for slots in range(every, done + 1, every):
        now = nowcast(known[:slots], expected, tracker, paths, capacity)
        last = times[min(now.peak_slot, len(times) - 1)]
        ratio = float(np.exp(now.log_ratio))
        alarm = _alarm(now.chance_over, ratio, capacity)
        steps.append(Tracked(times[slots - 1], ratio, float(now.curve.sum()), now.peak, last,
                             now.chance_over, alarm))  # fmt: skip
    return steps


def _alarm(chance_over: float, ratio: float, capacity: float) -> str:
    reasons = []
    if chance_over > ALARM_CHANCE:
        reasons.append(f"the rest exceeds a capacity of {capacity:,.0f} with {chance_over:.0%}")
    if abs(np.log(ratio)) > ALARM_RATIO:
        word = "above" if ratio > 1 else "below"
        reasons.append(f"load runs {abs(ratio - 1):.0%} {word} the forecast")
    return "; ".join(reasons)


def nowcast_frame(
    series: str, actual: pd.Series, forecast: pd.Series, tracker: Tracker
) -> pd.DataFrame:
    """Rows of load_nowcast: observed slots as they came, the rest as it now looks."""
    times = forecast.index
    done = int(actual.index.isin(times).sum())
    known = actual.reindex(times).to_numpy(dtype="float64")
    now = nowcast(known[:done], forecast.to_numpy(dtype="float64"), tracker)
    expected = np.concatenate([forecast.to_numpy(dtype="float64")[:done], now.curve])
    ratio = float(np.exp(now.log_ratio))
    return pd.DataFrame({
        "series": series, "start_time": times, "observed_load": known, "expected_load": expected,
        "peak_q50": now.peak,
        "sentence": f"Load runs at {ratio:.0%} of the forecast.",
    })  # fmt: skip
