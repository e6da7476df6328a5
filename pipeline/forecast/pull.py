"""Departments pull the series where they know better: one factor for each cell and day.

A regression on years of a department's calendar knows holidays and slow drifts that trees over
thousands of items do not; trees know prices, launches and stock-outs. Series are scaled so that
their cell's sum is a geometric mean of the two,

    factor = A ^ a · (regression / sum of series / A) ^ b,

where A is what regressions say of the day over what series say, of all cells together: of the sum
of everything the calendar knows most, of a single cell its trees. Both weights are learned from
forecasts made before the fact: least squares on the errors' logarithms, each within 0 and 1.
A day on which regressions know that shops are shut, as on a Christmas that the series' own history
does not hold yet, is no matter of weights: series sell what little the regressions say.
Without 624 days of history nothing pulls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.forecast.departments import CLOSED_SHARE, LEAST_DAYS, Departments, is_closed
from pipeline.forecast.levels import Codes, Sums
from pipeline.forecast.panel import F64, Panel
from pipeline.forecast.total_models import TotalModels, foresee_departments
from pipeline.forecast.total_paths import ERROR_DAYS, PathErrors

LEAST_UNITS = 50.0
"""A cell that is expected to sell less in a day is not pulled: its calendar is noise, and on small
cells of M5 items came out worse."""
MOST_LOG_FACTOR = 1.0
RECENT_DAYS = 56
ROUNDS = 50
Weights = tuple[float, float]
"""Of all cells together, and of a cell beyond them."""


@dataclass(frozen=True)
class Above:
    """What stands above a panel's series: `cell` (series,) of `departments`, whose day
    `first_day` is the panel's day 0."""

    departments: Departments
    cell: Codes
    first_day: int

    @property
    def knows_years(self) -> bool:
        """Whether a year's course can be told of at the panel's first origins."""
        return self.departments.days >= LEAST_DAYS + 84

    def sums(self, values: F64, rows: Codes | slice) -> F64:
        """Sums (cells, …) of some series' values; cells without series are 0."""
        own = Sums.of(self.cell[rows], np.zeros(len(values), np.int64))
        out = np.zeros((len(self.departments.units), *values.shape[1:]))
        out[own.product] = own.add(values)
        return out

    def share(self, panel: Panel, rows: Codes, origin: int) -> F64:
        """What the cells (cells,) sold up to day `origin`, over what `rows` alone sold."""
        end = origin + 1
        begin = max(end - RECENT_DAYS, 0)
        some = np.nan_to_num(panel.demand[rows, begin:end]).astype(np.float64)
        whole = self.departments.units[:, begin + self.first_day : end + self.first_day]
        return np.asarray((whole.sum(axis=1) + 1.0) / (self.sums(some, rows).sum(axis=1) + 1.0))

    def foresee(self, origin: int, reach: int, models: TotalModels | None) -> F64:
        """The departments' own forecast (cells, reach) after the panel's day `origin`."""
        return foresee_departments(self.departments, origin + 1 + self.first_day, reach, models)


def gaps(summed: F64, own: F64, known: npt.NDArray[np.bool_]) -> tuple[F64, F64]:
    """Logarithms (cells, days) of `own` over `summed`: of all cells that are `known` together, and
    of each beyond that; 0 where it is not known."""
    together = [np.maximum(np.where(known, each, 0.0).sum(axis=0), 1e-9) for each in (own, summed)]
    whole = np.where(known, np.log(together[0]) - np.log(together[1]), 0.0)
    each = np.log(np.where(known, own, 1.0)) - np.log(np.where(known, summed, 1.0))
    return whole, each - whole


def factors(summed: F64, own: F64, weights: Weights) -> F64:
    """Factors (cells, days) that draw sums of series `summed` towards the cells' `own` forecast;
    of all cells alike where shops are shut."""
    whole, beyond = gaps(summed, own, (summed >= LEAST_UNITS) & (own > 0))
    drawn = weights[0] * whole + weights[1] * beyond
    found = np.exp(np.clip(drawn, -MOST_LOG_FACTOR, MOST_LOG_FACTOR))
    of_own, of_series = own.sum(axis=0), summed.sum(axis=0)
    shut = of_own < CLOSED_SHARE * of_series
    return np.asarray(np.where(shut, of_own / np.maximum(of_series, 1e-9), found))


@dataclass(frozen=True)
class Seen:
    """One past forecast of all cells: of summed series, the departments' own, and what came."""

    summed: F64
    own: F64
    came: F64


def learned_weights(past: list[Seen]) -> Weights:
    """The weights of the departments' own forecast, from both ones' past errors."""
    left, right = np.zeros((2, 2)), np.zeros(2)
    for seen in past:
        known = np.minimum(np.minimum(seen.summed, seen.own), seen.came) >= LEAST_UNITS
        apart = gaps(seen.summed, seen.own, known)
        of_all, of_each = gaps(seen.summed, seen.came, known)
        size = seen.came.mean(axis=1, keepdims=True)
        for j in range(2):
            right[j] += float((size * apart[j] * (of_all + of_each)).sum())
            for k in range(2):
                left[j, k] += float((size * apart[j] * apart[k]).sum())
    found = np.zeros(2)
    for _ in range(ROUNDS):  # each within its limits, given the other
        for j in range(2):
            if left[j, j] > 0:
                rest = right[j] - left[j, 1 - j] * found[1 - j]
                found[j] = np.clip(rest / left[j, j], 0.0, 1.0)
    return round(float(found[0]), 4), round(float(found[1]), 4)


def errors_of_sums(past: list[Seen]) -> PathErrors:
    """Path errors of summed series, where departments know too little for their own; forecasts of
    fewer days are repeated."""
    day = np.arange(ERROR_DAYS)
    parts = [(own, day % own.came.shape[1]) for own in past if own.came.shape[1]]
    return PathErrors.of(
        np.stack([own.came[:, at] for own, at in parts]),
        np.stack([own.summed[:, at] for own, at in parts]),
        np.stack([is_closed(own.came)[at] for own, at in parts]),
    )
