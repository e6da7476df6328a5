"""Lifts of named events by item: before, during and after, shrunk from item to group to all.

An occurrence sells U units where B would have sold, by the quiet days within four weeks around it,
the weekdays of its group and the item's own season. How far log(U / B) is off without any event,
the same days some weeks before and after tell (`lift_evidence`). An item's log lift is drawn to
that of its department, which is drawn to that of all items, and that to nothing: by how much lifts
differ among items (method of moments), or less where the evidence is beyond doubt (the positive
part of James and Stein, which does not forget one item that sells twenty times as much among a
thousand that do not).

A day ahead gets the lift of the occurrences before its own, a day behind also that of its own, so
that nothing is learned from the day that is to be forecast. Events that fall on more than a tenth
of all days, and of those from the first occurrence to the last, are no occasion: their type is a
feature of the trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import single_exp
from pipeline.forecast.lift_evidence import (
    Around,
    Sums,
    measured,
    windows_of,
)
from pipeline.forecast.panel import F64, Panel

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MOST_SHARE = 0.1
BESIDE_DAYS = 3
PRIOR_VARIANCE = {"during": 0.02, "before": 0.005, "after": 0.005}
"""Of the log lifts of a company's events, and of its departments' off them. M5's 30 events in six
years vary by 0.010, 0.002 and 0.004, its departments by about as much again."""
LEAST_SOLD = 0.2
"""Share of what others' lift and its own other occurrences say below which an item was most
likely not there."""
OTHERS_UNITS = 2.0
"""Usual units that others' lift counts for beside an item's own other occurrences."""
CERTAIN = 4.0
"""A lift counts beyond what others do where it lies two standard errors away."""
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
    around = Around.of(panel, weekday_index(panel, quiet), quiet[:, : panel.days])
    for event in rare:
        _add(panel, list(occurrences(event)), around, ahead, seen)
    return replace(panel, lift=single_exp(ahead), lift_seen=single_exp(seen))


def occasions(named: Bools | None, regions: int, days: int) -> Bools:
    """The events (events, regions, days) that are rare enough to be occasions."""
    if named is None:
        return np.zeros((0, regions, days), bool)
    return np.asarray(named[is_rare(named)])


def is_rare(named: Bools) -> Bools:
    """Which events (events, regions, days) are occasions (events,).

    A month of feasts is on a twelfth of all days, but two or three months of them may lie within
    the days that are known: so days count up to the last occurrence as well, without it.
    """
    on = np.asarray(named.any(axis=1))
    return np.array([min(days.mean(), _between_share(days)) <= MOST_SHARE for days in on], bool)


def _between_share(days: Bools) -> float:
    """Share of the days from the first occurrence of an event (days,) to its last; 1 of a single
    one."""
    begins = _begins(days)
    return float(days[begins[0] : begins[-1]].mean()) if len(begins) > 1 else 1.0


def _begins(days: Bools) -> npt.NDArray[np.intp]:
    """First day of each occurrence of an event (days,)."""
    some = np.flatnonzero(days)
    return some[np.diff(some, prepend=-99) > BESIDE_DAYS + 1]


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
    begins = _begins(np.asarray(event.any(axis=0)))
    if len(begins) == 0:
        return
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
    panel: Panel, places: Sequence[Occurrences], around: Around,
    ahead: npt.NDArray[np.float32], seen: npt.NDArray[np.float32],
) -> None:  # fmt: skip
    """Add the log lifts of an event, before, during and after it, to its days ahead and behind."""
    items = int(panel.item.max()) + 1
    group_of = np.zeros(items, np.int64)
    group_of[panel.item] = panel.department + 1
    windows = [
        windows_of(found.days[found.begins < panel.days, :, : panel.days], around.quiet)
        for found in places
    ]
    for found, own, sums in zip(places, windows, around.sums(windows), strict=True):
        log_lift = np.zeros(items)
        for k, days in enumerate(found.days):
            before = log_lift
            if days[:, : panel.days].any():
                log_lift = shrunk(
                    sums.take(own.occurrences(k)), sums.take(own.placebos(k)), group_of,
                    PRIOR_VARIANCE[found.place],
                )  # fmt: skip
            for r in np.flatnonzero(days.any(axis=1)):
                rows = np.flatnonzero(panel.region == r)
                here = np.flatnonzero(days[r])
                ahead[np.ix_(rows, here)] += before[panel.item[rows], None]
                here = here[here < panel.days]
                seen[np.ix_(rows, here)] += log_lift[panel.item[rows], None]


def shrunk(event: Sums, placebo: Sums, group: Ints, prior: float) -> F64:
    """Log lifts (items,) of occurrences `event`, whose error `placebo` tells; see the module."""
    all_ = np.zeros(len(group), np.int64)
    every = _believed(0.0, *measured(event.by(all_), placebo.by(all_)), prior)
    of_group = measured(event.by(group), placebo.by(group))
    middle = _believed(float(every[0]), *of_group, prior)[group]
    # What hardly sells where others do, and where it did at other times, was most likely not there;
    # and where nothing is known yet of the days after, an item may have come or gone just then.
    told = np.minimum(np.exp(middle), _otherwise(event, middle))
    untold = event.sold < LEAST_SOLD * event.usual * told
    own = event.without(untold | (event.lone > 0.5 * event.usual))
    known = own.usual.sum(axis=0) > 0.5
    found, variance = measured(own, placebo)
    off = np.where(known, found - middle, 0.0)
    return np.asarray(
        np.clip(middle + own_share(off, variance, known) * off, -MOST_LOG_LIFT, MOST_LOG_LIFT)
    )


def _otherwise(event: Sums, middle: F64) -> F64:
    """Lifts (occurrences, items) of the other occurrences of an item, drawn to `middle`."""
    sold, usual = (own.sum(axis=0) - own for own in (event.sold, event.usual))
    return np.asarray((sold + OTHERS_UNITS * np.exp(middle)) / (usual + OTHERS_UNITS))


def _believed(middle: float, found: F64, variance: F64, prior: float) -> F64:
    """What is found drawn to `middle`, less where it is beyond doubt that it is off it."""
    off = found - middle
    share = np.maximum(prior / (prior + variance), _certain(off, variance))
    return np.asarray(middle + share * off)


def _certain(off: F64, variance: F64) -> F64:
    """The positive part of James and Stein: 0 within two standard errors."""
    return np.asarray(np.maximum(1 - CERTAIN * variance / np.maximum(off**2, 1e-9), 0.0))


def own_share(off: F64, variance: F64, known: Bools) -> F64:
    """Share (items,) of what items measure `off` their middle that is believed of each."""
    weight = np.where(known, 1 / variance, 0.0)
    between = max(0.0, float((weight * (off**2 - variance)).sum() / max(weight.sum(), 1e-9)))
    return np.asarray(np.maximum(between / (between + variance), _certain(off, variance)))


def middle_of(middle: float, measured: Any, variance: Any, prior: float) -> F64:
    """What is measured with an error of `variance`, drawn to `middle`."""
    return np.asarray(middle + prior / (prior + variance) * (measured - middle))
