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

from pipeline.forecast.panel import F32, I32, Panel, sums_by
from pipeline.kernels import njit

CYCLES = (*range(2, 7), *range(8, 64), 70, 84, 91)
"""Days of cycles; weeks are what others are compared with."""
TRIED, LEAST_FIT = 3, 8.0
"""Rhythms that are asked to foretell: the best by the likelihood of sums, of so much at least."""
BORROWED_UNITS, LEAST = 0.2, 0.02
"""An index is drawn to 1 by so many units (a Gamma prior), and never less than the latter."""
LEVEL_DAYS, HALF_LIFE_DAYS = 182.0, 21.0
"""Half-lives of the level that an index refers to, and of the one that is forecast with."""
FIRST_DAYS, JUDGED_DAYS = 56, 364
"""Days of a history that judge nothing, and last days that do."""
SIZES = np.array([0.3, 1.0, 5.0, 40.0])
"""Sizes of the negative binomials by which rhythms are judged; which is true is unknown."""
PRIOR, MOST_EVIDENCE = 1e-3, 4.0
"""Probability that an item has a rhythm beyond its weekdays, before it foretold any, and the most
that one day says for a rhythm."""


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


def rhythm(panel: Panel, is_usual: npt.NDArray[np.bool_]) -> F32:
    """Usual days (items, days + ahead) that each day counts for by its item's rhythm, 1 without;
    learned on the days (days + ahead,) that are usual."""
    days = panel.days
    units = sums_by(panel.item, np.nan_to_num(panel.demand)) * is_usual[:days]
    seen = sums_by(panel.item, np.isfinite(panel.demand)) > 0
    usual = seen.astype(np.float64) * is_usual[:days]
    first = np.where(seen.any(axis=1), seen.argmax(axis=1), days)
    kind = classes(panel.first_date, len(is_usual))
    out = np.ones((len(units), len(is_usual)), np.float32)
    _rhythms(units, usual, first, kind, kind.max(axis=1) + 1, out)
    return out


@njit(cache=True)
def _fit(units, usual, kind, count, lumps):  # type: ignore[no-untyped-def]  # numba kernel
    """Log likelihood of an item's sums by class, in lumps of which a usual day sells `lumps`, over
    that of no rhythm: Poisson sales, each class's index drawn from a Gamma law of mean 1."""
    sold, expected = np.zeros(count), np.zeros(count)
    for d in range(len(units)):
        sold[kind[d]] += units[d]
        expected[kind[d]] += usual[d]
    per_unit = lumps * expected.sum() / sold.sum()
    b, gain = BORROWED_UNITS, 0.0
    for c in range(count):
        s, e = sold[c] * per_unit, expected[c] * lumps
        gain += math.lgamma(b + s) - (b + s) * math.log(b + e) + e
    return gain + count * (b * math.log(b) - math.lgamma(b))


@njit(cache=True)
def _foretell(units, usual, kind, count, judged, index, log_chance):  # type: ignore[no-untyped-def]  # numba kernel
    """Log probabilities (days, sizes) of an item's days from `judged` on, as a rhythm foretold
    them, without the terms that all rhythms share; its index (count,) at the end."""
    sold, expected = np.zeros(count), np.zeros(count)
    slow, fast = 0.5 ** (1.0 / LEVEL_DAYS), 0.5 ** (1.0 / HALF_LIFE_DAYS)
    level, level_days, own, own_days = 0.0, 0.0, 0.0, 0.0
    for d in range(len(units)):
        if usual[d] <= 0.0:
            continue
        c, y = kind[d], units[d]
        part = max((sold[c] + BORROWED_UNITS) / (expected[c] + BORROWED_UNITS), LEAST)
        if count == 1:
            part = 1.0
        if d >= judged:
            mean = (own + 0.02) / (own_days + 1.0) * usual[d] * part
            for j, r in enumerate(SIZES):
                log_chance[d, j] = y * math.log(mean / (mean + r)) - r * math.log1p(mean / r)
        sold[c] += y
        expected[c] += usual[d] * (level + 0.02) / (level_days + 1.0)
        level, level_days = level * slow + y, level_days * slow + usual[d]
        passed = fast ** min(part * usual[d], 1.0)
        own, own_days = own * passed + y, own_days * passed + part * usual[d]
    for c in range(count):
        index[c] = max((sold[c] + BORROWED_UNITS) / (expected[c] + BORROWED_UNITS), LEAST)


@njit(cache=True)
def _rhythms(all_units, all_usual, first, kind, count, out):  # type: ignore[no-untyped-def]  # numba kernel
    """Fill `out` (items, days + ahead); `kind` and `count` are the classes of each rhythm."""
    rhythms, days = len(count), all_units.shape[1]
    experts = 2 + TRIED  # the level alone, weekdays, and those that fit best
    fits, alone = np.zeros(rhythms), np.zeros_like(kind[0])
    for i in range(len(all_units)):
        begin = first[i]
        units, usual = all_units[i, begin:], all_usual[i, begin:]
        total, weight = units.sum(), usual.sum()
        if days - begin < 2 * FIRST_DAYS or total <= 0.0 or weight <= 0.0:
            continue
        mean = total / weight
        lump = max((units**2).sum() / total - mean, 1.0)
        for k in range(1, rhythms):
            fits[k] = _fit(units, usual, kind[k, begin:], count[k], mean / lump)
        fits[0] = -np.inf
        if fits.max() < LEAST_FIT:
            continue
        tried = np.empty(TRIED, np.int64)
        for n in range(TRIED):
            tried[n] = np.argmax(fits)
            fits[tried[n]] = -np.inf
        judged = max(FIRST_DAYS, days - begin - JUDGED_DAYS)
        log_chance = np.zeros((experts, days - begin, len(SIZES)))
        index = np.ones((experts, count.max()))
        _foretell(units, usual, alone, 1, judged, index[0], log_chance[0])
        _foretell(units, usual, kind[0, begin:], count[0], judged, index[1], log_chance[1])
        for e, own in enumerate(tried):
            _foretell(
                units, usual, kind[own, begin:], count[own], judged, index[e + 2], log_chance[e + 2]
            )
        chance = _chances(units, log_chance, judged, PRIOR / rhythms)
        for d in range(out.shape[1]):
            out[i, d] = chance[0] + chance[1]
            for e, own in enumerate(tried):
                out[i, d] += chance[e + 2] * index[e + 2, kind[own, d]]


@njit(cache=True)
def _chances(units, log_chance, judged, prior):  # type: ignore[no-untyped-def]  # numba kernel
    """Probabilities (experts,) by what they foretold, each size as likely as any; `prior` is that
    of a rhythm beyond weekdays."""
    evidence = np.zeros((len(log_chance), len(SIZES)))
    for j, r in enumerate(SIZES):
        for d in range(judged, len(units)):
            base = log_chance[0, d, j]
            if units[d] > 0.0:
                evidence[:, j] += math.lgamma(units[d] + r) - math.lgamma(r)
            for e in range(len(log_chance)):
                more = log_chance[e, d, j] - base
                evidence[e, j] += base + min(max(more, -MOST_EVIDENCE), MOST_EVIDENCE)
    chance = np.exp(evidence - evidence.max()).sum(axis=1)
    chance[2:] *= prior / 0.5
    return chance / chance.sum()
