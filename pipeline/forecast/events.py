"""Lifts of named events by item: before, during and after, shrunk from item to group to all.

An occurrence sells U units where B would have sold, by the quiet days within four weeks around it,
the weekdays of its group and the item's own season. An item's log lift is log(U / B) drawn to that
of its department, which is drawn to that of all items, and that to nothing: by how much lifts
differ among items (method of moments), or less where the item's own evidence is beyond doubt (the
positive part of James and Stein, which does not forget one item that sells twenty times as much
among a thousand that do not).

A day ahead gets the lift of the occurrences before its own, a day behind also that of its own, so
that nothing is learned from the day that is to be forecast. Events that fall on more than a tenth
of all days are no occasion: their type is a feature of the trees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import single_exp
from pipeline.forecast.panel import F64, Panel

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MOST_SHARE = 0.1
AROUND_DAYS = 28
BESIDE_DAYS = 3
LEAST_QUIET_DAYS = 7.0
DISPERSION = 1.5
OCCURRENCE_VARIANCE = 0.02
PRIOR_VARIANCE = {"during": 0.25, "before": 0.04, "after": 0.04}
CERTAIN = 4.0
"""An item's own lift counts beyond what others do where it lies two standard errors away."""
MOST_LOG_LIFT = np.log(50.0)


@dataclass(frozen=True)
class Occurrences:
    """Days (occurrences, regions, days) of an event's place; first day of each, ascending."""

    place: str
    days: Bools
    begins: npt.NDArray[np.intp]


def with_lifts(panel: Panel) -> Panel:
    """`panel` with the lifts of its calendar's named events."""
    total = panel.days + panel.ahead
    rare = occasions(panel.calendar.named, int(panel.region.max()) + 1, total)
    if not rare.any():
        return replace(panel, lift=None, lift_seen=None)
    ahead = np.zeros((panel.series, panel.days + panel.ahead), np.float32)
    seen = np.zeros((panel.series, panel.days), np.float32)
    quiet = quiet_days(rare)
    weekday = weekday_index(panel, quiet)
    for event in rare:
        for found in occurrences(event):
            _add(panel, found, quiet, weekday, ahead, seen)
    return replace(panel, lift=single_exp(ahead), lift_seen=single_exp(seen))


def occasions(named: Bools | None, regions: int, days: int) -> Bools:
    """The events (events, regions, days) that are rare enough to be occasions."""
    if named is None:
        return np.zeros((0, regions, days), bool)
    return np.asarray(named[named.any(axis=1).mean(axis=1) <= MOST_SHARE])


def quiet_days(named: Bools) -> Bools:
    """Days (regions, days) on and beside which no event falls."""
    busy = np.asarray(named.any(axis=0))
    out = busy.copy()
    for shift in range(1, BESIDE_DAYS + 1):
        out[:, shift:] |= busy[:, :-shift]
        out[:, :-shift] |= busy[:, shift:]
    return ~out


def occurrences(event: Bools) -> Iterator[Occurrences]:
    """The places before, during and after of an event (regions, days), day by day disjoint."""
    some = np.flatnonzero(event.any(axis=0))
    if len(some) == 0:
        return
    begins = some[np.diff(some, prepend=some[0] - 99) > BESIDE_DAYS + 1]
    number = np.searchsorted(begins, np.arange(event.shape[1]) + BESIDE_DAYS, side="right") - 1
    shifted = {"during": event}
    for place, step in (("before", -1), ("after", 1)):
        near = np.zeros_like(event)
        for far in range(1, BESIDE_DAYS + 1):
            if step < 0:
                near[:, :-far] |= event[:, far:]
            else:
                near[:, far:] |= event[:, :-far]
        shifted[place] = near & ~event
    for place, days in shifted.items():
        own = np.stack([days & (number == k) for k in range(len(begins))])
        yield Occurrences(place, own, begins)


def weekday_index(panel: Panel, quiet: Bools) -> F64:
    """Weekday indices (groups, 7) of each group's units on quiet days, drawn to a flat week."""
    groups = int(panel.group.max()) + 1
    weekday = (panel.first_weekday + np.arange(panel.days)) % 7
    sums, count = np.zeros((groups, 7)), np.zeros((groups, 7))
    days = quiet[:, : panel.days]
    for k in range(7):
        own = days & (weekday == k)
        for r in np.unique(panel.region):
            rows = np.flatnonzero(panel.region == r)
            values = panel.demand[rows][:, own[r]]
            np.add.at(sums[:, k], panel.group[rows], np.nansum(values, axis=1))
            np.add.at(count[:, k], panel.group[rows], np.isfinite(values).sum(axis=1))
    mean = sums.sum(axis=1, keepdims=True) / np.maximum(count.sum(axis=1, keepdims=True), 1)
    prior = 20.0
    return np.asarray(
        np.where(mean > 0, (sums + prior * mean) / np.maximum((count + prior) * mean, 1e-9), 1.0)
    )


def _add(
    panel: Panel,
    found: Occurrences,
    quiet: Bools,
    weekday: F64,
    ahead: npt.NDArray[np.float32],
    seen: npt.NDArray[np.float32],
) -> None:
    """Add the log lifts of one place of an event to its days ahead and behind."""
    items = int(panel.item.max()) + 1
    group_of = np.zeros(items, np.int64)
    group_of[panel.item] = panel.department + 1
    sold, usual = np.zeros(items), np.zeros(items)
    log_lift, known = np.zeros(items), 0
    for days, begin in zip(found.days, found.begins, strict=True):
        past = days[:, : panel.days]
        before = log_lift
        if begin < panel.days and past.any():
            for r in np.flatnonzero(past.any(axis=1)):
                rows = np.flatnonzero(panel.region == r)
                own, base = _sums(panel, rows, np.flatnonzero(past[r]), quiet[r], weekday)
                np.add.at(sold, panel.item[rows], own)
                np.add.at(usual, panel.item[rows], base)
            known += 1
            log_lift = shrunk(sold, usual, group_of, known, PRIOR_VARIANCE[found.place])
        for r in np.flatnonzero(days.any(axis=1)):
            rows = np.flatnonzero(panel.region == r)
            here = np.flatnonzero(days[r])
            ahead[np.ix_(rows, here)] += before[panel.item[rows], None]
            here = here[here < panel.days]
            seen[np.ix_(rows, here)] += log_lift[panel.item[rows], None]


def _sums(
    panel: Panel,
    rows: npt.NDArray[np.intp],
    days: npt.NDArray[np.intp],
    quiet: Bools,
    weekday: F64,
) -> tuple[F64, F64]:
    """Units of some series on `days`, and what they would have sold by the quiet days around."""
    near = np.arange(max(0, days[0] - AROUND_DAYS), min(panel.days, days[-1] + AROUND_DAYS + 1))
    near = near[quiet[near]]
    usual_day = weekday[panel.group[rows]]
    season = np.ones((len(rows), panel.days), np.float32)
    if panel.season is not None:
        season *= panel.season[panel.item[rows], : panel.days]
    if panel.price_lift is not None:
        season *= panel.price_lift[rows, : panel.days]
    around, on = panel.demand[np.ix_(rows, near)], panel.demand[np.ix_(rows, days)]
    of_near = usual_day[:, (panel.first_weekday + near) % 7] * np.isfinite(around)
    of_near = of_near * season[:, near]
    of_days = usual_day[:, (panel.first_weekday + days) % 7] * np.isfinite(on)
    of_days = of_days * season[:, days]
    weight = of_near.sum(axis=1)
    level = np.nansum(around, axis=1) / np.maximum(weight, 1e-9)
    is_known = weight >= LEAST_QUIET_DAYS
    units = np.where(is_known, np.nansum(on, axis=1), 0.0)
    return units.astype(np.float64), np.where(is_known, level * of_days.sum(axis=1), 0.0)


def shrunk(
    sold: F64, usual: F64, group: npt.NDArray[np.int64], occurrences: int, prior: float
) -> F64:
    """Log lifts (items,) of `sold` units where `usual` would have sold; see the module."""
    every = float(_toward(sold.sum(), usual.sum(), 0.0, occurrences, prior))
    groups = int(group.max()) + 1
    sold_by, usual_by = (np.bincount(group, units, groups) for units in (sold, usual))
    middle = _toward(sold_by, usual_by, every, occurrences, prior / 4)[group]
    measured = np.log((sold + 0.1) / (usual + 0.1))
    variance = DISPERSION / (sold + 0.5) + OCCURRENCE_VARIANCE / occurrences
    off = measured - middle
    found = middle + np.where(usual > 0.5, own_share(off, variance, usual > 0), 0.0) * off
    return np.asarray(np.clip(found, -MOST_LOG_LIFT, MOST_LOG_LIFT))


def own_share(off: F64, variance: F64, known: Bools) -> F64:
    """Share (items,) of what items measure `off` their middle that is believed of each."""
    weight = np.where(known, 1 / variance, 0.0)
    between = max(0.0, float((weight * (off**2 - variance)).sum() / max(weight.sum(), 1e-9)))
    own = np.maximum(
        between / (between + variance), 1 - CERTAIN * variance / np.maximum(off**2, 1e-9)
    )
    return np.asarray(np.maximum(own, 0.0))


def _toward(sold: Any, usual: Any, middle: float, occurrences: int, prior: float) -> F64:
    measured = np.log((sold + 0.1) / (usual + 0.1))
    variance = DISPERSION / (sold + 0.5) + OCCURRENCE_VARIANCE / occurrences
    return middle_of(middle, measured, variance, prior)


def middle_of(middle: float, measured: Any, variance: Any, prior: float) -> F64:
    """What is measured with an error of `variance`, drawn to `middle`."""
    return np.asarray(middle + prior / (prior + variance) * (measured - middle))
