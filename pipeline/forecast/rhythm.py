"""Sales that come by the calendar: orders every fortnight, the month's last day, third Thursdays.

A rhythm sorts days into classes: days of a cycle, days of the month from its first or its last,
weekdays of the month, days of a quarter. The index of a class is what an item sold on its days over
what it usually sells. Any rhythm fits something, so an item has none unless it has foretold: each
day of the past is forecast, as known before it, by the item's level alone, by its weekdays, and by
the rhythms that fit its sums best, and a rhythm is believed by the likelihood of what came under
negative binomials. A day's usual days by rhythm are the mean of the indices by probability.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from pipeline.forecast.panel import F32, F64, I32
from pipeline.kernels import njit

Ints = npt.NDArray[np.int64]

CYCLES = (*range(2, 7), *range(8, 64), 70, 84, 91)
"""Days of cycles; weeks are what others are compared with."""
TRIED = 3
BORROWED_UNITS = 0.2
LEVEL_DAYS = 182.0
"""Half-life of the level that an index refers to."""
HALF_LIFE_DAYS = 21.0
FIRST_DAYS, JUDGED_DAYS = 56, 364
LEAST_FIT = 8.0
SIZES = np.array([0.1, 0.6, 4.0, 40.0])
PRIOR = 1e-3
"""Probability that an item has a rhythm beyond its weekdays, before it foretold any."""
MOST_EVIDENCE = 4.0
"""Most that one day says for a rhythm."""
LEAST = 0.02


def classes(first_date: np.datetime64, days: int) -> I32:
    """Class (rhythms, days) of each day from `first_date` on, from 0; weekdays are the first
    rhythm."""
    date = first_date.astype("datetime64[D]") + np.arange(days)
    month = date.astype("datetime64[M]")
    day = (date - month.astype("datetime64[D]")).astype(np.int64)
    left = ((month + 1).astype("datetime64[D]") - date).astype(np.int64) - 1
    number, weekday = date.astype(np.int64), (date.astype(np.int64) + 3) % 7
    of_quarter, of_two = month.astype(np.int64) % 3, month.astype(np.int64) % 2
    made = [
        weekday, day, left, 7 * (day // 7) + weekday, 7 * (left // 7) + weekday,
        31 * of_quarter + day, 31 * of_quarter + left, 31 * of_two + day,
        *(number % cycle for cycle in CYCLES),
    ]  # fmt: skip
    return np.stack(made).astype(np.int32)


def rhythm(
    units: F64, usual: F64, first: npt.NDArray[np.integer], first_date: np.datetime64
) -> F32:
    """Usual days (items, days + ahead) that each day counts for by the item's rhythm.

    `units` (items, days) are sales of days with `usual` (items, days + ahead) above 0, `first`
    (items,) each item's first day.
    """
    kind = classes(first_date, usual.shape[1])
    out = np.ones(usual.shape, np.float32)
    _rhythms(units, usual, first.astype(np.int64), kind, kind.max(axis=1) + 1, out)
    return out


@njit(cache=True)
def _fit(units, usual, first, days, kind, count, lumps):  # type: ignore[no-untyped-def]  # numba kernel
    """Log likelihood of an item's sums by class, in lumps of which a usual day sells `lumps`, over
    that of no rhythm: Poisson sales, each class's index drawn from a Gamma law of mean 1."""
    sold, expected = np.zeros(count), np.zeros(count)
    for d in range(first, days):
        sold[kind[d]] += units[d]
        expected[kind[d]] += usual[d]
    per_unit = lumps * expected.sum() / sold.sum()
    b, gain = BORROWED_UNITS, 0.0
    for c in range(count):
        s, e = sold[c] * per_unit, expected[c] * lumps
        gain += math.lgamma(b + s) - (b + s) * math.log(b + e) + e
    return gain + count * (b * math.log(b) - math.lgamma(b))


@njit(cache=True)
def _foretell(units, usual, first, days, kind, count, index, out):  # type: ignore[no-untyped-def]  # numba kernel
    """Log likelihoods (sizes,) into `out` of an item's days as a rhythm foretold them, and its
    index (count,) at the end into `index`; a count of 1 is the level alone."""
    sold, expected = np.zeros(count), np.zeros(count)
    slow, fast = 0.5 ** (1.0 / LEVEL_DAYS), 0.5 ** (1.0 / HALF_LIFE_DAYS)
    level, level_days, own, own_days = 0.0, 0.0, 0.0, 0.0
    for d in range(first, days):
        if usual[d] <= 0.0:
            continue
        c = kind[d] if count > 1 else 0
        part = (sold[c] + BORROWED_UNITS) / (expected[c] + BORROWED_UNITS) if count > 1 else 1.0
        part = max(part, LEAST)
        if d >= max(first + FIRST_DAYS, days - JUDGED_DAYS):
            mean = (own + 0.02) / (own_days + 1.0) * usual[d] * part
            for j in range(len(SIZES)):
                r, y = SIZES[j], units[d]
                gain = -r * math.log1p(mean / r)
                if y > 0.0:
                    gain += y * math.log(mean / (mean + r))
                out[d, j] = gain
        slow_mean = (level + 0.02) / (level_days + 1.0)
        sold[c] += units[d]
        expected[c] += usual[d] * slow_mean
        level, level_days = level * slow + units[d], level_days * slow + usual[d]
        passed = fast ** min(part * usual[d], 1.0)
        own, own_days = own * passed + units[d], own_days * passed + part * usual[d]
    for c in range(count):
        index[c] = max((sold[c] + BORROWED_UNITS) / (expected[c] + BORROWED_UNITS), LEAST)


@njit(cache=True)
def _rhythms(all_units, all_usual, first, kind, count, out):  # type: ignore[no-untyped-def]  # numba kernel
    days = all_units.shape[1]
    rhythms = len(count)
    for i in range(len(all_units)):
        units, usual = all_units[i], all_usual[i]
        if days - first[i] < 2 * FIRST_DAYS:
            continue
        total, square, weight = 0.0, 0.0, 0.0
        for d in range(first[i], days):
            total += units[d]
            square += units[d] ** 2
            weight += usual[d]
        if total <= 0.0 or weight <= 0.0:
            continue
        mean = total / weight
        lump = max(square / total - mean, 1.0)
        fits = np.zeros(rhythms)
        for k in range(rhythms):
            fits[k] = _fit(units, usual, first[i], days, kind[k], count[k], mean / lump)
        fits[0] = -1.0
        tried = np.argsort(-fits)[:TRIED]
        if fits[tried[0]] < LEAST_FIT:
            continue
        experts = np.zeros(2 + TRIED, np.int64)
        experts[2:] = tried
        evidence = np.zeros((2 + TRIED, len(SIZES)))
        index = np.ones((2 + TRIED, count.max()))
        gains = np.zeros((2 + TRIED, days, len(SIZES)))
        for e in range(2 + TRIED):
            k = experts[e]
            classes_of = 1 if e == 0 else count[k]
            _foretell(units, usual, first[i], days, kind[k], classes_of, index[e], gains[e])
        for d in range(days):
            for j in range(len(SIZES)):
                evidence[0, j] += gains[0, d, j]
                for e in range(1, 2 + TRIED):
                    more = gains[e, d, j] - gains[0, d, j]
                    evidence[e, j] += gains[0, d, j] + min(max(more, -MOST_EVIDENCE), MOST_EVIDENCE)
        # what depends on size and units alone is common to all
        for j in range(len(SIZES)):
            const = 0.0
            for d in range(max(first[i] + FIRST_DAYS, days - JUDGED_DAYS), days):
                if units[d] > 0.0 and usual[d] > 0.0:
                    const += math.lgamma(units[d] + SIZES[j]) - math.lgamma(SIZES[j])
            evidence[:, j] += const
        top = evidence.max()
        chance = np.zeros(2 + TRIED)
        for e in range(2 + TRIED):
            prior = 0.5 if e < 2 else PRIOR / rhythms
            chance[e] = prior * np.exp(evidence[e] - top).sum()
        chance /= chance.sum()
        for d in range(out.shape[1]):
            value = chance[0] + chance[1]
            for e in range(2, 2 + TRIED):
                value += chance[e] * index[e, kind[experts[e], d]]
            out[i, d] = value
