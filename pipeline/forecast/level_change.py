"""Whether an item's level has become another: a new level is learned from what came since.

A mean that forgets a half in three weeks follows a step for two months; of a step that is beyond
doubt nothing before it should be remembered. Each day an item's sum over all regions in the last
one to eight weeks is judged against the level before them: the signed root of twice the log
likelihood ratio of two Poisson laws (Wilks), over the standard deviation that lumps, the level's
own error and the item's drift make one expect. How far an item's level drifts anyway is its own
record: what earlier sums of four weeks were off by. A change must be alike in both halves of its
span, or it is no level; what falls below an eighth is silence (`series_level`), no change.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.forecast.panel import I32, Totals
from pipeline.kernels import njit

SPAN_DAYS = np.array([7, 14, 21, 28, 42, 56])
RECORD_DAYS, REST_DAYS = 28, 28
"""Spans whose errors tell an item's drift; a change is not judged so soon after another."""
CHANGED, UNEVEN = 4.0, 3.0
"""Standard deviations of a change; twice the log odds of two levels within it that refute it."""
DRIFT, LEAST_DRIFT, BORROWED_RECORDS, MOST_RECORD = 0.2, 0.05, 4.0, 1.0
"""Relative standard deviation that levels drift by from four weeks to the next, at first and at
least; the records that the first is worth; the most that one record adds to the variance."""
LEAST_SHARE, LEAST_LUMPS = 0.125, 4.0
USUAL_UNITS, BORROWED_UNITS = 1.5, 6.0


@njit(cache=True)
def lump_units(units, square, days):  # type: ignore[no-untyped-def]  # numba kernel
    """Units that sales come in: the variance of a day over its mean, one at least."""
    size = (square + BORROWED_UNITS * USUAL_UNITS) / (units + BORROWED_UNITS)
    return max(size - units / max(days, 1.0), 1.0)


def level_begins(totals: Totals, items: I32, half_life: float, period_days: int) -> I32:
    """Day (items, lead + days + 1), from the first of `totals`, since when the levels of some
    `items` have been as they are before a day; 0 if ever. Spans are two periods at least."""
    out = np.zeros((len(totals.item_units), totals.item_units.shape[1] + 1), np.int32)
    spans = np.unique(np.maximum(SPAN_DAYS // period_days, 2))
    record, rest = max(1, RECORD_DAYS // period_days), max(1, REST_DAYS // period_days)
    _changes(
        totals.item_units, totals.item_count, np.unique(items), spans, record, rest, half_life, out
    )
    return out


@njit(cache=True)
def _change(came, expected, lump, known, drift):  # type: ignore[no-untyped-def]  # numba kernel
    """Standard deviations by which `came` differs from `expected` units of a level that `known`
    units tell; 0 where nothing can be said."""
    if came <= 0.0 or came < LEAST_SHARE * expected or expected <= 0.0:
        return 0.0
    if max(came, expected) < LEAST_LUMPS * lump:
        return 0.0
    odds = 2.0 * (came * math.log(came / expected) - came + expected)
    return math.sqrt(max(odds, 0.0) / (lump + expected * (lump / known + drift)))


@njit(cache=True)
def _is_even(late, late_days, came, days, lump, drift):  # type: ignore[no-untyped-def]  # numba kernel
    """Whether both halves of a span sell alike: `late` of all that `came`, in so many days."""
    early, due = came - late, came * late_days / days
    odds = late * math.log(late / due) if late > 0.0 else 0.0
    if early > 0.0 and came > due:
        odds += early * math.log(early / (came - due))
    return 2.0 * odds <= UNEVEN * (lump + 0.5 * came * drift)


@njit(cache=True)
def _changes(sold, count, items, spans, record, rest, half_life, out):  # type: ignore[no-untyped-def]  # numba kernel
    decay, days = 0.5 ** (1.0 / half_life), sold.shape[1]
    for i in items:
        own, usual = np.zeros(days + 1), np.zeros(days + 1)  # running sums
        level, known, drift = np.zeros(days + 1), np.ones(days + 1), np.zeros(days + 1)
        units, weight, square, seen, off, records = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        drift[0], last = DRIFT**2, 0
        for d in range(1, days + 1):
            own[d], usual[d] = own[d - 1] + sold[i, d - 1], usual[d - 1] + count[i, d - 1]
            if count[i, d - 1] > 0:
                square, seen = square + sold[i, d - 1] ** 2, seen + 1.0
                units = units * decay + sold[i, d - 1]
                weight = weight * decay + count[i, d - 1]
            lump, most, change = lump_units(own[d], square, seen), CHANGED, 0
            if (d - 1) % record == 0 and d - 1 > 2 * record:
                begin = d - record
                expected = level[begin] * (usual[d] - usual[begin])
                if expected > 0.0:
                    error = (own[d] - own[begin] - expected) ** 2 / expected
                    error -= lump * (1.0 + expected / known[begin])
                    off += min(max(error / expected, -0.1), MOST_RECORD)
                    records += 1.0
            of_record = (BORROWED_RECORDS * DRIFT**2 + off) / (BORROWED_RECORDS + records)
            drift[d] = max(of_record, LEAST_DRIFT**2)
            for span in spans:
                begin, middle = d - span, d - span // 2
                if begin < last + rest:
                    continue
                came, length = own[d] - own[begin], usual[d] - usual[begin]
                found = _change(came, level[begin] * length, lump, known[begin], drift[begin])
                if found > most and _is_even(
                    own[d] - own[middle], usual[d] - usual[middle], came, length, lump, drift[begin]
                ):
                    most, change = found, span
            if change > 0:
                last = d - change
                units, weight = own[d] - own[last], usual[d] - usual[last]
            out[i, d] = last
            level[d] = units / weight if weight > 0 else 0.0
            known[d] = max(units, 1.0)
