"""Two models of the totals, averaged and reconciled at the cells.

Every sum of every level is forecast by its regression on the calendar (`departments.regressed`)
and by trees over all of them, which read the regression's answer (`total_trees`). Their logarithms
are averaged, by a share of the trees that past forecasts of both say, drawn half of the way to a
plain mean, which is hard to beat (Bates and Granger 1969). On days on which the regression expects
a closed shop it stands alone: trees are not taught such days. So it does beyond the trees' reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import lightgbm as lgb
import numpy as np

from pipeline.forecast.departments import (
    CLOSED_SHARE,
    LEAST_DAYS,
    Departments,
    is_closed,
    reconciled,
    recurring,
    regressed,
)
from pipeline.forecast.events import is_rare
from pipeline.forecast.levels import Codes
from pipeline.forecast.panel import F64, Calendar
from pipeline.forecast.total_paths import ERROR_DAYS, PathErrors
from pipeline.forecast.total_trees import Bools, SumDays, TotalTrees, grow

BACK, STEP_DAYS = 26, 28
GROWN_EVERY = 4
"""Past forecasts of so many origins are made by the same trees, grown before the first of them."""
MEAN_SHARE, PRIOR = 0.5, 1.0


@dataclass(frozen=True)
class KnownCalendar:
    """What trees know of a calendar: rare events by name, recurring flags by number. It stays what
    it was when they were grown, whatever other nights' calendars hold."""

    events: tuple[str, ...]
    flags: tuple[int, ...]

    @staticmethod
    def of(calendar: Calendar) -> KnownCalendar:
        """The events of a calendar that are rare enough to be occasions, and its conditions."""
        flags = tuple(np.flatnonzero(recurring(calendar)).tolist())
        if calendar.named is None:
            return KnownCalendar((), flags)
        names = zip(_names(calendar), is_rare(calendar.named), strict=True)
        return KnownCalendar(tuple(name for name, is_rare in names if is_rare), flags)


@dataclass(frozen=True)
class TotalModels:
    """Trees of the totals, their share of the mean of both models, and the calendar they know."""

    trees: TotalTrees
    share: float
    known: KnownCalendar

    def to_notes(self) -> dict[str, Any]:
        """All but the trees, as plain values."""
        known = {"events": list(self.known.events), "flags": list(self.known.flags)}
        return {"share": self.share} | known

    @staticmethod
    def from_notes(booster: lgb.Booster, notes: dict[str, Any]) -> TotalModels:
        """The models that `to_notes` wrote, with the trees that have seen everything."""
        known = KnownCalendar(tuple(notes["events"]), tuple(notes["flags"]))
        return TotalModels(TotalTrees([(0, booster)]), notes["share"], known)


def foresee_departments(
    own: Departments, at: int, ahead: int, models: TotalModels | None = None
) -> F64:
    """Units (cells, ahead) of the days from day `at` on, from sales before it alone; by the
    regressions alone without `models`."""
    y = regressed(own, at, ahead)
    if models is not None:
        drawn = models.trees.foresee(sum_days(own, at, models.known), at, y)
        y = averaged(own, at, y, drawn, models.share)
    return reconciled(y, own.sums(), len(own.units))


def averaged(own: Departments, at: int, y: F64, drawn: F64 | None, share: float) -> F64:
    """Sums (sums, ahead) between the regressions' `y` and the trees' logarithms `drawn`."""
    if drawn is None:
        return y
    found, reach = y.copy(), drawn.shape[1]
    usual = np.median(own.units[:, :at].sum(axis=0))
    is_open = y[0, :reach] >= CLOSED_SHARE * usual  # the first sum is that of everything
    mixed = np.expm1((1 - share) * np.log1p(y[:, :reach]) + share * drawn)
    found[:, :reach] = np.where(is_open, np.maximum(mixed, 0.0), y[:, :reach])
    return found


def sum_days(own: Departments, at: int, known: KnownCalendar) -> SumDays:
    """The sums of all levels, and their calendar, as trees read them at day `at`."""
    units, sums = own.units[:, :at], own.sums()
    regions = own.regions_of_sums()
    days = own.calendar.flags.shape[1]
    flags = own.calendar.flags[:, :, list(known.flags)].astype(np.float64)
    code = _event_codes(own.calendar, known.events)
    made_of = [(k, int(product)) for k, level in enumerate(sums) for product in level.product]
    names = [(*made, int(own_regions.min()))
             for made, own_regions in zip(made_of, regions, strict=True)]  # fmt: skip
    return SumDays(
        np.log1p(np.concatenate([s.add(units) for s in sums])),
        is_closed(units),
        own.first_date + np.arange(days),
        np.stack([flags[rows].mean(axis=0) for rows in regions]),
        np.stack([_first_event(code[rows]) for rows in regions]),
        np.array(names, np.int64),
    )


def _names(calendar: Calendar) -> tuple[str, ...]:
    """Names of all named events; numbers where no names are known."""
    count = 0 if calendar.named is None else len(calendar.named)
    return calendar.event_names or tuple(f"{k:04d}" for k in range(count))


def _event_codes(calendar: Calendar, events: Sequence[str]) -> Codes:
    """Place (regions, days) among `events` of the first of them on each day, −1 for none."""
    code = np.full(calendar.flags.shape[:2], -1, np.int64)
    place = {name: k for k, name in enumerate(events)}
    known = [(place[name], k) for k, name in enumerate(_names(calendar)) if name in place]
    for number, k in sorted(known, reverse=True):
        if calendar.named is not None:
            code[calendar.named[k]] = number
    return code


def _first_event(code: Codes) -> Codes:
    """The first event (days,) of any region (regions, days)."""
    some = np.where(code < 0, np.iinfo(np.int64).max, code).min(axis=0)
    return np.where(some == np.iinfo(np.int64).max, -1, some)


def learn_totals(own: Departments, cut: int, threads: int) -> tuple[TotalModels, PathErrors]:
    """Models of the totals, and the errors of their past forecasts, which past trees made.

    Trees are grown on all days, on those before day `cut` (forecasts made before the fact), and
    for the past forecasts; the latter two say how much trees count for.
    """
    last = own.days - ERROR_DAYS
    origins = list(range(last, max(last - STEP_DAYS * BACK, LEAST_DAYS - 181), -STEP_DAYS))
    known = KnownCalendar.of(own.calendar)
    days = sum_days(own, own.days, known)
    ends = {end for end in (*origins[GROWN_EVERY - 1 :: GROWN_EVERY], cut) if end >= LEAST_DAYS}
    foreseen_at = cache(lambda at: regressed(own, at, ERROR_DAYS) if at >= LEAST_DAYS else None)
    trees = grow(days, {*ends, own.days}, foreseen_at, threads)
    by_regression = [regressed(own, at, ERROR_DAYS) for at in origins]
    by_trees = [trees.foresee(days, at, y) for at, y in zip(origins, by_regression, strict=True)]
    sums = own.sums()
    came = [np.concatenate([s.add(own.units[:, at : at + ERROR_DAYS]) for s in sums])
            for at in origins]  # fmt: skip
    shut = [is_closed(own.units[:, : at + ERROR_DAYS])[at:] for at in origins]
    top = TotalModels(trees, share_of_trees(by_regression, by_trees, came, shut), known)
    foreseen = [
        reconciled(averaged(own, at, y, drawn, top.share), sums, len(own.units))
        for at, y, drawn in zip(origins, by_regression, by_trees, strict=True)
    ]
    units = np.stack([own.units[:, at : at + ERROR_DAYS] for at in origins])
    return top, PathErrors.of(units, np.stack(foreseen), np.stack(shut))


def share_of_trees(
    regression: list[F64], trees: list[F64 | None], came: list[F64], closed: list[Bools]
) -> float:
    """The trees' share of the logarithm that errs least in squares, drawn to a plain mean."""
    together = apart = 0.0
    for y, drawn, units, shut in zip(regression, trees, came, closed, strict=True):
        if drawn is not None:
            base = np.log1p(y)
            gap = np.where(shut, 0.0, drawn - base)
            apart += float((gap**2).sum())
            together += float((gap * np.where(shut, 0.0, np.log1p(units) - base)).sum())
    if apart <= 0.0:
        return MEAN_SHARE
    share = (together + PRIOR * MEAN_SHARE * apart) / ((1.0 + PRIOR) * apart)
    return round(float(np.clip(share, 0.0, 1.0)), 4)
