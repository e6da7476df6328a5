"""Events that move and stretch: the body scales with the duration, the sharp edges do not.

On the log scale, with u = (t - start) / (end - start) inside an occurrence,
E(t) = A [B_pre(t) a + B_in(u) b + B_post(t) c] + sum_tau s_tau exp(-(t - start) / tau)
+ sum_tau q_tau exp(-(end - t) / tau), tau in 2, 10, 45 and 120 minutes. The body is smooth, edges
are short: occurrences of one duration cannot tell the two apart, and what is taken for an edge does
not stretch. Coefficients belong to the
kind of event and, shrunk towards those, to the series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from pipeline.core.load.ridge import moments, predict, solve

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

EDGE_MINUTES = (2.0, 10.0, 45.0, 120.0)
BODY_KNOTS = 9
BEFORE_DAYS, AFTER_DAYS = 2.0, 3.0
"""How far an event reaches before its start and after its end."""
KIND_PENALTY, SERIES_PENALTY = 1.0, 12.0
HEIGHT_PENALTY, BODY_PENALTY, OUTER_PENALTY, EDGE_PENALTY = 0.002, 0.1, 0.02, 0.1
ROUGHNESS_PENALTY = 3.0
"""Penalty of the body's second differences."""


@dataclass(frozen=True)
class Occurrence:
    """One event: kind, start and end in minutes since the first day's midnight, amplitude A."""

    kind: str
    start: float
    end: float
    amplitude: float = 1.0

    def span(self) -> tuple[float, float]:
        """Minutes from which and up to which the event is felt."""
        return self.start - 1440 * BEFORE_DAYS, self.end + 1440 * AFTER_DAYS

    def slots(self, minutes: int, days: int) -> I64:
        """Slots of the grid in which the event is felt."""
        first, last = self.span()
        most = days * (1440 // minutes)
        return np.arange(max(0, int(first // minutes)), min(most, int(-(-last // minutes))))


@dataclass(frozen=True)
class EventEffects:
    """Coefficients by kind, and what each is on the log scale at its height."""

    minutes: int
    coefficients: dict[str, F64]
    seen: dict[str, int]
    """Occurrences that each kind was learned from."""
    analog: dict[str, str]

    def log_effect(self, occurrences: Sequence[Occurrence], days: int) -> F64:
        """Log effect [days * slots] of the occurrences; a kind never seen borrows its analog's."""
        effect = np.zeros(days * (1440 // self.minutes))
        for one in occurrences:
            kind = one.kind if one.kind in self.coefficients else self.analog.get(one.kind, "")
            if kind not in self.coefficients:
                continue
            at = one.slots(self.minutes, days)
            effect[at] += predict(basis(one, at, self.minutes), self.coefficients[kind])[:, 0]
        return effect


def basis(one: Occurrence, slots: I64, minutes: int) -> F64:
    """Columns [slots, functions]: body, before, after, opening edges, closing edges."""
    # A slot is judged at its middle; edges shorter than a slot say nothing that it could hold.
    t = (slots + 0.5) * minutes
    inside = (t >= one.start) & (t < one.end)
    u = np.clip((t - one.start) / max(one.end - one.start, 1.0), 0.0, 1.0) * (BODY_KNOTS - 1)
    columns = [one.amplitude * inside]
    columns += [
        one.amplitude * inside * np.maximum(0.0, 1.0 - np.abs(u - k)) for k in range(BODY_KNOTS)
    ]
    before, after = (one.start - t) / 1440, (t - one.end) / 1440
    reach_before, reach_after = (before > 0) & (before <= BEFORE_DAYS), (after >= 0)
    reach_after &= after <= AFTER_DAYS
    for scale in (0.15, 0.7):
        taper = np.clip(1 - before / BEFORE_DAYS, 0, 1)
        columns.append(one.amplitude * reach_before * np.exp(-np.abs(before) / scale) * taper)
    for scale in (0.15, 0.7, 2.0):
        taper = np.clip(1 - after / AFTER_DAYS, 0, 1)
        columns.append(one.amplitude * reach_after * np.exp(-np.abs(after) / scale) * taper)
    for tau in _edges(minutes):
        columns.append(inside * np.exp(-np.maximum(t - one.start, 0.0) / tau))
        columns.append(inside * np.exp(-np.maximum(one.end - t, 0.0) / tau))
    return np.ascontiguousarray(np.column_stack(columns))


def _edges(minutes: int) -> list[float]:
    """Edges that slots of so many minutes can hold."""
    return [tau for tau in EDGE_MINUTES if tau >= 0.4 * minutes]


def _penalties(columns: int, minutes: int, strength: float) -> F64:
    """Least for the body's height, most for long edges: what may be body is taken for body."""
    penalty = np.full(columns, OUTER_PENALTY)
    penalty[0] = HEIGHT_PENALTY
    penalty[1 : 1 + BODY_KNOTS] = BODY_PENALTY
    edges = [EDGE_PENALTY * max(0.25, (tau / 60.0) ** 2) for tau in _edges(minutes)]
    penalty[columns - 2 * len(edges) :] = np.repeat(edges, 2)
    return penalty * strength


def _roughness(columns: int) -> F64:
    """Second differences of the body's knots, as rows [knots - 2, columns] whose target is 0."""
    rows = np.zeros((BODY_KNOTS - 2, columns))
    for k in range(BODY_KNOTS - 2):
        rows[k, 1 + k : 4 + k] = (1.0, -2.0, 1.0)
    return rows


def fit_events(
    log_residual: F64, occurrences: Sequence[Occurrence], minutes: int,
    analog: dict[str, str] | None = None, pooled: EventEffects | None = None,
) -> EventEffects:  # fmt: skip
    """Effects of the kinds in `occurrences` from log residuals [days, slots] (nan: unknown).

    The residual is log load less the log of the curve without events. `pooled` are the effects of
    the same kinds over all series of the region, towards which this series' are shrunk.
    """
    days = len(log_residual)
    flat = log_residual.ravel()
    coefficients = dict(pooled.coefficients) if pooled else {}
    seen = dict(pooled.seen) if pooled else {}
    for kind in sorted({one.kind for one in occurrences}):
        parts = []
        for one in occurrences:
            at = one.slots(minutes, days) if one.kind == kind else np.zeros(0, np.int64)
            at = at[np.isfinite(flat[at])]
            # What was seen only before its start says nothing about the event itself.
            if len(at) and (at[-1] + 1) * minutes > one.start:
                parts.append((basis(one, at, minutes), flat[at]))
        if not parts:
            continue
        X = np.vstack([x for x, _ in parts])
        y = np.concatenate([v for _, v in parts])
        prior = coefficients.get(kind)
        target = y if prior is None else y - predict(X, prior)[:, 0]
        # Minutes of one occurrence hardly are independent: they count as quarters of an hour.
        weight = np.full(len(y), min(1.0, minutes / 15.0))
        strength = KIND_PENALTY if prior is None else SERIES_PENALTY
        rows = _roughness(X.shape[1])
        X = np.vstack([X, rows])
        target = np.concatenate([target, np.zeros(len(rows))])
        weight = np.concatenate([weight, np.full(len(rows), ROUGHNESS_PENALTY * strength)])
        gram, cross = moments(X, target[:, None].copy(), weight, 1.0, np.array([len(target)]))
        found = solve(gram[0], cross[0], _penalties(X.shape[1], minutes, strength))
        coefficients[kind] = found if prior is None else prior + found
        seen[kind] = seen.get(kind, 0) + len(parts)
    return EventEffects(minutes, coefficients, seen, dict(analog or {}))


def launch_visits(t_minutes: F64, visitors: float, shape: float = 1.5, scale: float = 25.0) -> F64:
    """Visits per minute of a launch's burst: visitors x the Gamma density of minutes since it."""
    t = np.maximum(t_minutes, 0.0)
    with np.errstate(divide="ignore"):
        log_density = (shape - 1) * np.log(t / scale) - t / scale - lgamma(shape) - np.log(scale)
    return np.where(t_minutes > 0, visitors * np.exp(log_density), 0.0)


def orders_until_sold_out(visits: F64, conversion: float, stock_units: float) -> F64:
    """Orders of each period: conversion x visits until the stock is gone, then none."""
    wanted = np.cumsum(conversion * visits)
    sold = np.minimum(wanted, stock_units)
    return np.diff(sold, prepend=0.0)
