"""Sums of departments: each by its regression on the calendar, reconciled at the cells.

Every one of the nine levels above items is forecast by its own regression on the calendar
(`regression`): the network's total by the days that all regions share, a region's department by
its region's own. The nine answers contradict each other; the cells (departments of regions) that
contradict them least, each sum weighed by the inverse of its size (a count's variance grows with
it), are the forecast,

    min over b of Σ_s (y_s − Σ_c∈s b_c)² / v_s,

weighted least squares as in Wickramasuriya, Athanasopoulos and Hyndman (2019), eq. 9, with v_s in
proportion to the sum's mean. All sums add up from b.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import product
from pipeline.forecast.events import occasions
from pipeline.forecast.levels import UPPER, Cells, Sums
from pipeline.forecast.panel import F64, Calendar
from pipeline.forecast.regression import calendar_effects, regress, solved

CLOSED_SHARE = 0.1
"""A day that sells less than this of the median day is closed."""
RECURRING_SHARE = 0.1
"""An event type on more than this share of all days is a recurring condition, such as pay days."""
LEAST_DAYS = 540
"""History in days below which nothing is said of a year: no regression."""


@dataclass(frozen=True)
class Departments:
    """Daily sums of departments of regions.

    units       (cells, days) units sold; days before the first sale are 0
    calendar    of days + ahead
    """

    first_date: np.datetime64
    units: F64
    cells: Cells
    calendar: Calendar

    @property
    def days(self) -> int:
        """Number of days known."""
        return int(self.units.shape[1])

    def sums(self) -> list[Sums]:
        """What the sums of each of the nine levels are made of."""
        return [self.cells.sums(level) for level in UPPER]

    def regions_of_sums(self) -> list[npt.NDArray[np.intp]]:
        """The regions of each sum, level by level."""
        found = []
        for level, own in zip(UPPER, self.sums(), strict=True):
            place = self.cells.place(level.place)
            of = {int(p): np.unique(self.cells.region[place == p]) for p in np.unique(place)}
            found += [of[int(p)].astype(np.intp) for p in own.place]
        return found

    def until(self, days: int) -> Departments:
        """The sums as known `days` days after their start."""
        return replace(self, units=self.units[:, :days])


@dataclass(frozen=True)
class Conditions:
    """What is known of the days of a place: flags (days, flags) and days of named events."""

    flags: F64
    events: dict[str, list[int]]

    @staticmethod
    def of(calendar: Calendar, regions: npt.NDArray[np.intp]) -> Conditions:
        """The conditions of some regions together: the mean of their flags, events of any."""
        flags = calendar.flags[regions].astype(np.float64).mean(axis=0)
        often = (flags > 0).mean(axis=0) > RECURRING_SHARE
        named = occasions(calendar.named, calendar.flags.shape[0], len(flags))
        days = np.asarray(named[:, regions].any(axis=1))
        events = {f"{k:04d}": np.flatnonzero(own).tolist() for k, own in enumerate(list(days))}
        return Conditions(flags[:, often], {k: on for k, on in events.items() if on})

    def same(self, other: Conditions) -> bool:
        """Whether nothing tells the two apart."""
        if self is other:
            return True
        return self.events == other.events and np.array_equal(self.flags, other.flags)


def recurring(calendar: Calendar) -> npt.NDArray[np.bool_]:
    """Flags (flags,) that are recurring conditions in some region."""
    often = (calendar.flags > 0).mean(axis=1) > RECURRING_SHARE
    return np.asarray(often.any(axis=0))


def regressed(own: Departments, at: int, ahead: int) -> F64:
    """Units (sums of all levels, ahead) of the days from day `at` on by each sum's regression on
    the calendar, from sales before it alone."""
    units = own.units[:, :at]
    sums = own.sums()
    y = np.zeros((sum(len(s.product) for s in sums), ahead))
    known = np.concatenate([s.add(units) for s in sums])
    groups: list[tuple[Conditions, list[int]]] = []
    conditions_of: dict[bytes, Conditions] = {}
    for row, regions in enumerate(own.regions_of_sums()):
        place = regions.tobytes()
        if place not in conditions_of:
            conditions_of[place] = Conditions.of(own.calendar, regions)
        here = conditions_of[place]
        for conditions, rows in groups:
            if conditions.same(here):
                rows.append(row)
                break
        else:
            groups.append((here, [row]))
    dates = own.first_date + np.arange(at + ahead)
    closed = is_closed(units)
    for conditions, rows in groups:
        shut = [name for name, days in conditions.events.items()
                if closed[[d for d in days if d < at]].any()]  # fmt: skip
        effects = calendar_effects(dates, conditions.flags[: at + ahead], conditions.events, shut)
        y[rows] = regress(known[rows], *effects)
    return y


def is_closed(units: F64) -> npt.NDArray[np.bool_]:
    """Days (days,) on which hardly anything is sold anywhere."""
    total = units.sum(axis=0)
    return np.asarray(total < CLOSED_SHARE * np.median(total))


def reconciled(y: F64, sums: list[Sums], cells: int) -> F64:
    """Cells (cells, days) whose sums contradict `y` (all sums, days) least, none below 0."""
    member = np.zeros((len(y), cells))
    start = 0
    for own in sums:
        member[start + own.code, np.arange(cells)] = 1.0
        start += len(own.product)
    weight = 1.0 / np.maximum(y.mean(axis=1), 1e-3)
    pulled = (member * weight[:, None]).T
    return np.maximum(solved(product(pulled, member), product(pulled, y)), 0.0)
