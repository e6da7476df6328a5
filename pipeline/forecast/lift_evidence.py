"""What an event's days sold against the days around them, and how far that is off without one.

The same days up to six weeks before and after an occurrence, where no event is near, are placebos:
what they are off by, beyond counts, is an item's wander: it runs out, is cleared, comes back. Where
what was sold before an occurrence and after it differ, what would have been sold meanwhile is known
to half of their difference. So an item that ran out beside a feast has no lift of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from pipeline.forecast.panel import F32, F64, I32, Panel
from pipeline.kernels import njit

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

AROUND_DAYS = 28
LEAST_QUIET_DAYS = 7.0
DISPERSION = 1.5
OCCURRENCE_VARIANCE = 0.02
"""Least of what a log lift varies by from year to year."""
PLACEBO_WEEKS = (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)
PRIOR_PLACEBOS = 4.0
"""Placebos that the wander of all items counts for beside an item's own."""
LEAST_USUAL = 0.5


@dataclass(frozen=True)
class Windows:
    """An event's occurrences in order, each followed by its placebos.

    start, day: the days of window w in region r are day[start[w * regions + r] :
    start[w * regions + r + 1]], ascending; occurrence: (windows,) the one it is or stands beside;
    is_placebo: (windows,).
    """

    start: Ints
    day: Ints
    occurrence: Ints
    is_placebo: Bools

    def occurrences(self, last: int) -> Bools:
        """The windows that are occurrences up to one of them."""
        return ~self.is_placebo & (self.occurrence <= last)

    def placebos(self, last: int) -> Bools:
        """The windows that are placebos of these."""
        return self.is_placebo & (self.occurrence <= last)


def windows_of(occurrences: Bools, quiet: Bools) -> Windows:
    """Windows of days (occurrences, regions, days) and their placebos, all `quiet`."""
    days = occurrences.shape[2]
    day: list[npt.NDArray[np.intp]] = []
    start, owner, is_placebo = [0], [], []

    def add(mask: Bools, occurrence: int, placebo: bool) -> None:
        owner.append(occurrence)
        is_placebo.append(placebo)
        for row in mask:
            day.append(np.flatnonzero(row))
            start.append(start[-1] + len(day[-1]))

    for k, own in enumerate(occurrences):
        add(own, k, False)
        at = np.flatnonzero(own.any(axis=0))
        for shift in 7 * np.array(PLACEBO_WEEKS):
            if len(at) and at[0] + shift >= 0 and at[-1] + shift < days:
                moved = np.roll(own, shift, axis=1)
                if (quiet | ~moved).all():
                    add(moved, k, True)
    return Windows(
        np.array(start, np.int64), np.concatenate([*day, np.zeros(0, np.intp)]).astype(np.int64),
        np.array(owner, np.int64), np.array(is_placebo, bool),
    )  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """What windows (windows, items) sold, and what they would have by the quiet days around.

    usual: by the days before and after together; early, late: by those on one side, late as early
    where nothing is known yet of the days after; lone: usual of such; near: units on those days.
    """

    sold: F64
    usual: F64
    early: F64
    late: F64
    lone: F64
    near: F64

    def take(self, windows: Bools) -> Sums:
        """Some of the windows."""
        return Sums(*(own[windows] for own in self._all()))

    def without(self, cells: Bools) -> Sums:
        """The same with nothing in some cells (windows, items)."""
        return Sums(*(np.where(cells, 0.0, own) for own in self._all()))

    def by(self, code: Ints) -> Sums:
        """Sums over the items of each code."""
        count = int(code.max()) + 1
        none = np.zeros((0, count))
        return Sums(*(
            np.stack([np.bincount(code, row, count).astype(np.float64) for row in own])
            if len(own) else none
            for own in self._all()
        ))  # fmt: skip

    def total(self) -> Sums:
        """All windows as one."""
        return Sums(*(own.sum(axis=0, keepdims=True) for own in self._all()))

    def _all(self) -> list[F64]:
        return [getattr(self, field.name) for field in fields(self)]


@dataclass(frozen=True)
class Around:
    """A panel's days as windows are judged by: units where seen, and the usual share of each day.

    demand: (series, days) units, NaN where unknown or a suspected stock-out; season: (items, days)
    or (1, days); price_lift: (series, days) or (1, days); weekday: (series, 7), from Monday; quiet:
    (regions, days).
    """

    demand: F32
    season: F32
    price_lift: F32
    weekday: F64
    first_weekday: int
    quiet: Bools
    item: I32
    region: I32

    @classmethod
    def of(cls, panel: Panel, weekday: F64, quiet: Bools) -> Around:
        """Of a panel, the weekday indices of its groups (groups, 7), and its quiet days."""
        flat = np.ones((1, panel.days), np.float32)
        suspected = panel.is_censored & (panel.demand == 0)
        return cls(
            np.where(suspected, np.float32(np.nan), panel.demand),
            panel.item_days(),
            flat if panel.price_lift is None else panel.price_lift,
            weekday[panel.group], panel.first_weekday, np.ascontiguousarray(quiet), panel.item,
            panel.region,
        )  # fmt: skip

    def sums(self, windows: Sequence[Windows]) -> list[Sums]:
        """The sums of several sets of windows, by item."""
        if not windows:  # a calendar without events
            return []
        counts = [len(own.occurrence) for own in windows]
        ends = np.cumsum([0, *(own.start[-1] for own in windows)])
        start = [own.start[:-1] + end for own, end in zip(windows, ends[:-1], strict=True)]
        out = np.zeros((6, sum(counts), int(self.item.max()) + 1))
        _sums(
            self.demand, self.season, self.price_lift, self.weekday, self.first_weekday, self.quiet,
            self.item, self.region, np.concatenate([*start, ends[-1:]]),
            np.concatenate([own.day for own in windows]), AROUND_DAYS, LEAST_QUIET_DAYS, out,
        )  # fmt: skip
        return [Sums(*part) for part in np.split(out, np.cumsum(counts)[:-1], axis=1)]


@njit(cache=True)
def _sums(
    demand: F32, season: F32, price: F32, weekday: F64, first_weekday: int, quiet: Bools, item: I32,
    region: I32, start: Ints, day: Ints, around: int, least: float, out: F64,
) -> None:  # fmt: skip
    """Add up `Sums` by window and item. A window must have quiet days before it: what the first
    days of a history sold against what came later is how an item began."""
    series, days = demand.shape
    regions, windows = quiet.shape[0], out.shape[1]
    units, weight, factor = np.zeros(days + 1), np.zeros(days + 1), np.zeros(days)
    for i in range(series):
        r = region[i]
        of_season = item[i] if len(season) > 1 else 0
        of_price = i if len(price) > 1 else 0
        for d in range(days):
            known = not np.isnan(demand[i, d])
            factor[d] = 0.0
            if known:
                factor[d] = weekday[i, (first_weekday + d) % 7] * season[of_season, d]
                factor[d] *= price[of_price, d]
            plain = known and quiet[r, d]
            units[d + 1] = units[d] + (demand[i, d] if plain else 0.0)
            weight[d + 1] = weight[d] + (factor[d] if plain else 0.0)
        for w in range(windows):
            a, b = start[w * regions + r], start[w * regions + r + 1]
            if a == b:
                continue
            first, last = day[a], day[b - 1] + 1
            low, high = max(0, first - around), min(days, last + around)
            before, of_before = units[first] - units[low], weight[first] - weight[low]
            after, of_after = units[high] - units[last], weight[high] - weight[last]
            if of_before < least:
                continue
            own, of_own = 0.0, 0.0
            for k in range(a, b):
                if factor[day[k]] > 0.0:
                    own += demand[i, day[k]]
                    of_own += factor[day[k]]
            early = before / of_before * of_own
            out[0, w, item[i]] += own
            out[2, w, item[i]] += early
            if of_after >= least:
                out[1, w, item[i]] += (before + after) / (of_before + of_after) * of_own
                out[3, w, item[i]] += after / of_after * of_own
                out[5, w, item[i]] += before + after
            else:
                out[1, w, item[i]] += early
                out[3, w, item[i]] += early
                out[4, w, item[i]] += early
                out[5, w, item[i]] += before


def measured(event: Sums, placebo: Sums) -> tuple[F64, F64]:
    """Log lifts (items,) of all occurrences together, and the variances of their errors.

    Errors are those of counts; what placebos are off by beyond them; and what is not known of the
    level, by how it changed from before to after, or where that is not known yet, by how it changed
    around placebos.
    """
    every = event.total()
    times = np.maximum((event.usual > 0).sum(axis=0), 1)
    wander = _log_ratio(placebo.sold, placebo.usual) ** 2 - _of_counts(placebo) - _halved(placebo)
    change = _log_ratio(placebo.early, placebo.late) ** 2 - _of_counts(placebo)
    unknown = every.lone[0] / np.maximum(every.usual[0], 1e-9) * _drawn(change, placebo)
    once = np.maximum(_drawn(wander, placebo), OCCURRENCE_VARIANCE) + unknown
    once = once + _halved(event).sum(axis=0) / times
    return _log_ratio(every.sold, every.usual)[0], _of_counts(every)[0] + once / times


def _drawn(values: F64, sums: Sums) -> F64:
    """Means (items,) of `values` (windows, items), each item's drawn to that of all."""
    known = sums.usual > LEAST_USUAL
    weight = np.where(known, 1 / (_of_counts(sums) + OCCURRENCE_VARIANCE), 0.0)
    common = (weight * np.minimum(values, 1.0)).sum() / max(weight.sum(), 1e-9)
    total = np.where(known, values, 0.0).sum(axis=0) + PRIOR_PLACEBOS * max(float(common), 0.0)
    return np.asarray(np.maximum(total / (known.sum(axis=0) + PRIOR_PLACEBOS), 0.0))


def _log_ratio(one: F64, other: F64) -> F64:
    return np.asarray(np.log((one + 0.1) / (other + 0.1)))


def _of_counts(sums: Sums) -> F64:
    return np.asarray(DISPERSION * (1 / (sums.sold + 0.5) + 1 / (sums.near + 0.5)))


def _halved(sums: Sums) -> F64:
    return np.asarray((0.5 * _log_ratio(sums.early, sums.late)) ** 2)
