"""A game day from script to report: what was planned and sent, how it was answered, who gave in."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
import pandas as pd

from pipeline.load.fire import Limits, Outcome, fire, starts_of
from pipeline.load.journeys import requests_per_visit

SLOW_FACTOR, SLOW_MS, FAILED_SHARE = 4.0, 50.0, 0.02


@dataclass(frozen=True)
class Rehearsal:
    """Rows of gameday_result, the first service to saturate, and what each step took a second."""

    result: pd.DataFrame
    first_saturated: str
    saturated_minute: int
    throughput_per_second: float
    sustained_per_second: float
    """Visits a second that were answered in the best minute before anything gave in."""
    chi_square: float
    """Of sent against planned requests by minute, with as many degrees of freedom as minutes."""
    was_broken_off: str


def rehearse(
    plan: pd.DataFrame, target: str, limits: Limits, seconds_per_minute: float = 60.0, seed: int = 0
) -> Rehearsal:
    """Send the script `plan` (rows of gameday_plan) to the target and tell what came of it."""
    minutes = int(plan["minute"].max()) + 1
    starts, steps = [], []
    names = sorted(plan["journey_step"].astype("str").unique())
    for k, name in enumerate(names):
        own = plan[plan["journey_step"].astype("str") == name].sort_values("minute", kind="stable")
        counts = np.zeros(minutes, dtype=np.int64)
        counts[own["minute"].to_numpy()] = own["planned_requests"].to_numpy()
        at = starts_of(counts, seconds_per_minute, seed + k)
        starts.append(at)
        steps.append(np.full(len(at), k))
    start, step = np.concatenate(starts), np.concatenate(steps)
    order = np.argsort(start, kind="stable")
    start, step = start[order], step[order]
    paths = [f"/{quote(names[k])}" for k in step]
    outcome = fire(target, start, paths, limits)
    minute = np.minimum((start / seconds_per_minute).astype(np.int64), minutes - 1)
    result = _result(plan, outcome, minute, step, names)
    first, when = _first_saturated(result)
    planned = result.groupby("minute")["planned_requests"].sum().to_numpy(dtype=float)
    sent = result.groupby("minute")["sent_requests"].sum().to_numpy(dtype=float)
    chi = float(((sent - planned) ** 2 / np.maximum(planned, 1.0)).sum())
    span = max(float(start[-1]) if len(start) else 0.0, 1e-9)
    sustained = _sustained_visits(result, when) / seconds_per_minute
    return Rehearsal(result, first, when, float(outcome.is_ok.sum() / span), sustained, chi,
                     outcome.was_broken_off)  # fmt: skip


def _sustained_visits(result: pd.DataFrame, saturated_minute: int) -> float:
    """Most visits of a minute, a visit being its share of answered requests, before saturation."""
    whole = result if saturated_minute < 0 else result[result["minute"] < saturated_minute]
    if whole.empty:
        return 0.0
    sums = whole.groupby("minute")[["sent_requests", "failed_requests"]].sum()
    answered = sums["sent_requests"] - sums["failed_requests"]
    return float(answered.max()) / sum(requests_per_visit().values())


def _result(
    plan: pd.DataFrame, outcome: Outcome, minute: np.ndarray, step: np.ndarray, names: list[str]
) -> pd.DataFrame:
    seen = pd.DataFrame({
        "minute": minute, "journey_step": [names[k] for k in step], "sent": outcome.sent,
        "failed": outcome.sent & ~outcome.is_ok, "ms": 1000 * outcome.latency_s,
    })  # fmt: skip
    by = seen.groupby(["minute", "journey_step"])
    told = pd.DataFrame({
        "sent_requests": by["sent"].sum(), "failed_requests": by["failed"].sum(),
        "latency_p50_ms": by["ms"].quantile(0.5), "latency_p99_ms": by["ms"].quantile(0.99),
    }).reset_index()  # fmt: skip
    result = plan.astype({"journey_step": "str"}).merge(
        told, on=["minute", "journey_step"], how="left"
    )
    counts = ["sent_requests", "failed_requests"]
    result[counts] = result[counts].fillna(0).astype("int64")
    return result.fillna(0.0).sort_values(["minute", "journey_step"], ignore_index=True)


def _first_saturated(result: pd.DataFrame) -> tuple[str, int]:
    """Step that is first to fail or to answer much later than the others' usual; '' for none.

    A step saturates in a minute in which its median latency is 50 ms above that of the minute's
    median step, or 2 % of its requests fail; where no step stands out, in the first minute in which
    the latency is four times the run's. Of steps in one minute, the slowest.
    """
    used = result[result["sent_requests"] > 0]
    # What slows all steps of a minute alike is the generator, the network or the whole site.
    alike = used.groupby("minute")["latency_p50_ms"].transform("median")
    usual = float(used["latency_p50_ms"].median())
    beside = used["latency_p50_ms"] > alike + SLOW_MS
    failing = used["failed_requests"] > FAILED_SHARE * used["sent_requests"]
    whole = used["latency_p50_ms"] > max(SLOW_FACTOR * usual, SLOW_MS)
    slow = beside | failing if (beside | failing).any() else whole
    if not slow.any():
        return "", -1
    bad = used[slow].sort_values(["minute", "latency_p50_ms"], ascending=[True, False])
    return str(bad["journey_step"].iloc[0]), int(bad["minute"].iloc[0])
