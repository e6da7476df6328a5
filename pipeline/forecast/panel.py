"""Dense demand history: one row for each series, one column for each day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

PRICE_BANDS, BAND_WIDTH = 24, 0.35
VISIBLE_DAYS, VISIBLE_ELSEWHERE_DAYS = 7.0, 3.0
"""A run of days without sales shows after so many of them, or as soon as the item's other regions
have been as silent for the latter in the mean."""
LEAST_EXPOSURE = 0.5


@dataclass(frozen=True)
class Calendar:
    """What is known in advance about the days of a panel.

    flags         (regions, days + ahead, event types) share of the region on which a type falls
    days_to       (regions, days + ahead) days until the next annual event, at most 28
    days_since    (regions, days + ahead) days since the last annual event, at most 28
    aligned_day   (days + ahead,) the day of about a year ago that a day resembles: the same
                  place beside the same moving event, else 364 days before; may be negative
    closed        (regions, days + ahead) days on which a region sells nothing; None: never
    period_ends   (periods,) days that end a week or month of sales reported in one
    named         (events, regions, days + ahead) days on which each named event falls
    event_names   names of those events; models of other nights know them by name
    """

    flags: F32
    days_to: F32
    days_since: F32
    aligned_day: I32
    closed: npt.NDArray[np.bool_] | None = None
    period_ends: I32 | None = None
    named: npt.NDArray[np.bool_] | None = None
    event_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """History of n series over `days` days, and what is known of `ahead` further days.

    demand        (n, days) units; NaN where nothing was observed (before launch, no record)
    price         (n, days + ahead) in units of `price_unit_usd`; NaN where unknown
    is_censored   (n, days) the day's sales were cut by a stock-out; beside a demand of 0 that is
                  only suspected
    launch_day    (n,) first day on sale; may be negative or beyond `days`
    end_day       (n,) first day no longer on sale
    item, region, department, category, group   (n,) codes; a group is a department in a region
    attributes    (n, attributes) what product lines record of their items, NaN where a line lacks
                  it; those named by place in `word_attributes` are codes of words
    expected      (n,) units a day that planners expect at launch, NaN where they say nothing
    season        (items, days + ahead) usual days that a day counts for by season and growth
    rhythm        (items, days + ahead) the same by a rhythm of the item's own
    lift          (n, days + ahead) the same by named events, as known before each
    lift_seen     (n, days) the same as known after each
    price_lift    (n, days + ahead) the same by cut prices
    period_days   days that a "day" stands for: 7 where demand is weekly
    """

    first_date: np.datetime64
    demand: F32
    price: F32
    is_censored: npt.NDArray[np.bool_]
    launch_day: I32
    end_day: I32
    item: I32
    region: I32
    department: I32
    category: I32
    group: I32
    calendar: Calendar
    attributes: F32 | None = None
    word_attributes: tuple[int, ...] = ()
    expected: F32 | None = None
    season: F32 | None = None
    rhythm: F32 | None = None
    lift: F32 | None = None
    lift_seen: F32 | None = None
    price_lift: F32 | None = None
    period_days: int = 1
    price_unit_usd: float = 1.0

    @property
    def days(self) -> int:
        """Number of observed days."""
        return int(self.demand.shape[1])

    @property
    def ahead(self) -> int:
        """Number of days after the last observed one whose prices and events are known."""
        return int(self.price.shape[1]) - self.days

    @property
    def series(self) -> int:
        """Number of series."""
        return int(self.demand.shape[0])

    @property
    def first_weekday(self) -> int:
        """Weekday of day 0, Monday = 0."""
        return int((self.first_date.astype("datetime64[D]").astype(np.int64) + 3) % 7)

    def seen_lift(self) -> F32 | float:
        """Lift (n, days) of the days behind; 1 without named events."""
        return 1.0 if self.lift_seen is None else self.lift_seen

    def exposure(self) -> tuple[F32, F32]:
        """How many usual days each day counts for: behind (n, days), and ahead (n, days + ahead)
        of it. With the second a day is forecast, with the first it is learned from; what cut
        prices lift is in the first, and ahead a factor of its own."""
        behind = np.ones(self.demand.shape, np.float32) * self.seen_lift()
        ahead = np.ones(self.price.shape, np.float32)
        if self.lift is not None:
            ahead = ahead * self.lift
        if self.season is not None:
            season = self.item_days()[self.item]
            behind, ahead = behind * season[:, : self.days], ahead * season
        if self.price_lift is not None:
            behind = behind * self.price_lift[:, : self.days]
        return behind, ahead

    def item_days(self) -> F32:
        """Usual days (items, days + ahead) that each day counts for by season, growth and rhythm;
        (1, days + ahead) ones where none of them is known."""
        if self.season is None:
            return np.ones((1, self.price.shape[1]), np.float32)
        return self.season if self.rhythm is None else self.season * self.rhythm

    def observed(self) -> npt.NDArray[np.bool_]:
        """Days (n, days) whose demand may teach or judge: seen, and in no suspected stock-out."""
        return self.own_days() & ~(self.is_censored & (self.demand == 0))

    def silent_until(self) -> I32:
        """The day (n, days) on which a suspected stock-out is over that shows on a day; the next
        day where none shows. Who forecasts within it foresees what nobody will buy as well: its
        days teach and judge what is forecast of them from then on."""
        day = np.arange(self.days, dtype=np.int32)
        suspected = self.is_censored & (self.demand == 0)
        before = np.maximum.accumulate(np.where(suspected, np.int32(-1), day), axis=1)
        run = (day - before).astype(np.float32)
        shows = (run >= VISIBLE_DAYS) | (self._elsewhere(run) >= VISIBLE_ELSEWHERE_DAYS)
        after = np.where(suspected, np.int32(self.days), day)[:, ::-1]
        after = np.minimum.accumulate(after, axis=1)[:, ::-1]
        return np.where(suspected & shows, after, day + 1)

    def _elsewhere(self, run: F32) -> F32:
        """Mean (n, days) of `run` over the other series of an item that are on sale; 0 without."""
        seen = self.own_days()
        total, count = (sums_by(self.item, own) for own in (np.where(seen, run, 0), seen))
        others = np.maximum(count[self.item] - seen, 1)
        return np.asarray((total[self.item] - np.where(seen, run, 0)) / others, np.float32)

    def own_days(self) -> npt.NDArray[np.bool_]:
        """Days (n, days) seen of the series itself: a successor also knows its predecessor's, on
        which it was not on sale."""
        return np.isfinite(self.demand) & (np.arange(self.days) >= self.launch_day[:, None])

    def closed(self, day: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Whether each series' region is closed (n, days) on the days `day`."""
        closed = self.calendar.closed
        if closed is None:
            return np.zeros((self.series, len(day)), bool)
        return closed[self.region[:, None], np.minimum(day, closed.shape[1] - 1)]

    def whole_origin(self, day: int) -> int:
        """The last day up to `day` that ends a reported period; `day` where sales are daily.

        Windows that start within a period would halve what its total varies by, and days of a
        period that is not over are not known yet.
        """
        ends = self.calendar.period_ends
        if ends is None or not len(ends):
            return day
        before = ends[ends <= day]
        return int(before[-1]) if len(before) else day

    def like(self) -> I32:
        """Code (n,) of the series that resemble one: its group, and its price within a third.

        The price is the first one known, which no later day can change.
        """
        known = np.isfinite(self.price)
        first = self.price[np.arange(self.series), known.argmax(axis=1)].astype(np.float64)
        steps = np.floor(
            np.log(np.where(known.any(axis=1), np.maximum(first, 1e-3), 1.0)) / BAND_WIDTH
        )
        band = np.clip(steps + PRICE_BANDS // 2, 0, PRICE_BANDS - 1)
        return np.asarray(self.group * PRICE_BANDS + band, np.int32)

    def take(self, rows: npt.NDArray[np.intp] | slice) -> Panel:
        """The panel of some series; codes stay those of the whole."""
        names = ("demand", "price", "is_censored", "launch_day", "end_day")
        codes = ("item", "region", "department", "category", "group")
        own = {name: getattr(self, name)[rows] for name in names + codes}
        for name in ("attributes", "expected", "lift", "lift_seen", "price_lift"):
            values = getattr(self, name)
            own[name] = None if values is None else values[rows]
        return replace(self, **own)

    def until(self, days: int) -> Panel:
        """The panel as it was known `days` days after its start: later demand is gone."""
        seen = None if self.lift_seen is None else self.lift_seen[:, :days]
        return replace(
            self, demand=self.demand[:, :days], is_censored=self.is_censored[:, :days],
            lift_seen=seen,
        )  # fmt: skip


@dataclass(frozen=True)
class Totals:
    """Daily sums that a series may lean on, from day `-lead` on; computed before sharding.

    group_units, group_count   (groups, lead + days) units and series observed
    item_units, item_count     (items, lead + days)
    like_units, like_count     (groups × PRICE_BANDS, lead + days), see `Panel.like`
    """

    lead: int
    group_units: F64
    group_count: F64
    item_units: F64
    item_count: F64
    like_units: F64
    like_count: F64

    def until(self, days: int) -> Totals:
        """The sums as known `days` days after day 0."""
        return Totals(
            self.lead,
            self.group_units[:, : self.lead + days],
            self.group_count[:, : self.lead + days],
            self.item_units[:, : self.lead + days],
            self.item_count[:, : self.lead + days],
            self.like_units[:, : self.lead + days],
            self.like_count[:, : self.lead + days],
        )


def sums_by(codes: I32, values: npt.NDArray[Any]) -> F64:
    """Sums (codes, days) of the rows of `values` (n, days) by code."""
    summed = np.zeros((int(codes.max()) + 1, values.shape[1]))
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    summed[codes[order][starts]] = np.add.reduceat(values[order], starts, axis=0, dtype=np.float64)
    return summed


def totals(panel: Panel) -> Totals:
    """Sums of `panel` by group, by item and by likeness, in units of a usual day."""
    observed, own = np.isfinite(panel.demand), panel.own_days()
    units = np.where(observed, panel.demand, 0).astype(np.float64)
    beat = np.ones((1, panel.days)) if panel.rhythm is None else panel.rhythm[:, : panel.days]
    beat = beat[panel.item if len(beat) > 1 else np.zeros(panel.series, np.intp)]
    units /= np.maximum(panel.exposure()[0] / beat, LEAST_EXPOSURE)
    count, counted = observed * beat, own * beat
    once = np.where(own, units, 0.0)  # a successor's past is its predecessor's
    return Totals(
        0,
        sums_by(panel.group, once),
        sums_by(panel.group, counted),
        sums_by(panel.item, units),
        sums_by(panel.item, count),
        sums_by(panel.like(), once),
        sums_by(panel.like(), counted),
    )


def event_distance(is_event: npt.NDArray[np.bool_], reach: int = 28) -> tuple[F32, F32]:
    """Days to the next and since the last event, for each region and day, capped at `reach`."""
    days = is_event.shape[1]
    to_next = np.full(is_event.shape, reach, np.float32)
    since = np.full(is_event.shape, reach, np.float32)
    for region, day in np.argwhere(is_event):
        near = np.arange(max(0, day - reach), day + 1)
        to_next[region, near] = np.minimum(to_next[region, near], day - near)
        near = np.arange(day, min(days, day + reach + 1))
        since[region, near] = np.minimum(since[region, near], near - day)
    return to_next, since


def align(days: int, annual: list[tuple[str, int]], before: int = 5, after: int = 3) -> I32:
    """The day of about a year before that each of `days` days resembles.

    `annual` holds (event, day) for every occurrence of the annual events, on any day number.
    Within `before` days ahead of an occurrence and `after` behind it, that is the same place
    beside the previous occurrence of the event (300 to 430 days earlier); else 364 days before.
    """
    aligned = np.arange(days, dtype=np.int32) - 364
    distance = np.full(days, before + after + 1)
    for event, day in annual:
        earlier = [d for name, d in annual if name == event and 300 <= day - d <= 430]
        if not earlier:
            continue
        for target in range(max(0, day - before), min(days, day + after + 1)):
            if abs(target - day) < distance[target]:
                distance[target] = abs(target - day)
                aligned[target] = max(earlier) + target - day
    return aligned
