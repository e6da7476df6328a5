"""Sums of departments: several models of the totals, averaged and reconciled at the cells.

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
from pipeline.forecast.total_paths import ERROR_DAYS, PathErrors

CLOSED_SHARE = 0.1
"""A day that sells less than this of the median day is closed."""
RECURRING_SHARE = 0.1
"""An event type on more than this share of all days is a recurring condition, such as pay days."""
BACK, STEP_DAYS = 26, 28
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
        recurring = (flags > 0).mean(axis=0) > RECURRING_SHARE
        named = occasions(calendar.named, calendar.flags.shape[0], len(flags))
        days = np.asarray(named[:, regions].any(axis=1))
        events = {f"{k:04d}": np.flatnonzero(own).tolist() for k, own in enumerate(list(days))}
        return Conditions(flags[:, recurring], {k: on for k, on in events.items() if on})

    def same(self, other: Conditions) -> bool:
        """Whether nothing tells the two apart."""
        return self.events == other.events and np.array_equal(self.flags, other.flags)


def foresee_departments(own: Departments, at: int, ahead: int) -> F64:
    """Units (cells, ahead) of the days from day `at` on, from sales before it alone."""
    units = own.units[:, :at]
    sums = [own.cells.sums(level) for level in UPPER]
    y = np.zeros((sum(len(s.product) for s in sums), ahead))
    known = np.concatenate([s.add(units) for s in sums])
    done = 0
    groups: list[tuple[Conditions, list[int]]] = []
    for level, own_sums in zip(UPPER, sums, strict=True):
        for k, place in enumerate(own_sums.place):
            regions = np.unique(own.cells.region[own.cells.place(level.place) == place])
            here = Conditions.of(own.calendar, regions.astype(np.intp))
            for conditions, rows in groups:
                if conditions.same(here):
                    rows.append(done + k)
                    break
            else:
                groups.append((here, [done + k]))
        done += len(own_sums.product)
    dates = own.first_date + np.arange(at + ahead)
    closed = is_closed(units)
    for conditions, rows in groups:
        shut = [name for name, days in conditions.events.items()
                if closed[[d for d in days if d < at]].any()]  # fmt: skip
        effects = calendar_effects(dates, conditions.flags[: at + ahead], conditions.events, shut)
        y[rows] = regress(known[rows], *effects)
    return reconciled(y, sums, len(units))


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


def past_errors(own: Departments) -> PathErrors:
    """Errors of the forecasts from each of the last `BACK` origins, `STEP_DAYS` apart."""
    last = own.days - ERROR_DAYS
    origins = range(last, max(last - STEP_DAYS * BACK, LEAST_DAYS - 181), -STEP_DAYS)
    spans = [slice(at, at + ERROR_DAYS) for at in origins]
    return PathErrors.of(
        np.stack([own.units[:, span] for span in spans]),
        np.stack([foresee_departments(own, at, ERROR_DAYS) for at in origins]),
        np.stack([is_closed(own.units[:, : span.stop])[span] for span in spans]),
    )
