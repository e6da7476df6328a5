"""Departments pull the series where they know better: one factor for each cell and day.

A regression on years of a department's calendar knows holidays and slow drifts that trees over
thousands of items do not; trees know prices, launches and stock-outs. Series are scaled so that
their cell's sum is the geometric mean of the two,

    factor = (regression / sum of series) ^ weight,

and the weight is learned from forecasts of both made before the fact: least squares on the errors'
logarithms, drawn to no pull at all. Without 624 days of history nothing pulls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.forecast.departments import LEAST_DAYS, Departments, foresee_departments, is_closed
from pipeline.forecast.levels import Codes, Sums
from pipeline.forecast.panel import F64, Panel
from pipeline.forecast.total_paths import ERROR_DAYS, PathErrors

PRIOR_SHARE = 0.25
LEAST_UNITS = 50.0
"""A cell that is expected to sell less in a day is not pulled: its calendar is noise, and on small
cells of M5 items came out worse."""
MOST_LOG_FACTOR = 1.0
RECENT_DAYS = 56


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

    def foresee(self, origin: int, reach: int) -> F64:
        """The departments' own forecast (cells, reach) after the panel's day `origin`."""
        return foresee_departments(self.departments, origin + 1 + self.first_day, reach)


def factors(summed: F64, own: F64, weight: float) -> F64:
    """Factors (cells, days) that draw sums of series `summed` towards the cells' `own` forecast."""
    known = (summed >= LEAST_UNITS) & (own > 0)
    gap = np.log(np.where(known, own, 1.0)) - np.log(np.where(known, summed, 1.0))
    return np.asarray(np.exp(weight * np.clip(gap, -MOST_LOG_FACTOR, MOST_LOG_FACTOR)))


@dataclass(frozen=True)
class Seen:
    """One past forecast of all cells: of summed series, the departments' own, and what came."""

    summed: F64
    own: F64
    came: F64


def learned_weight(past: list[Seen]) -> float:
    """The weight of the departments' own forecast, from both ones' past errors."""
    top, below = 0.0, 0.0
    for seen in past:
        units = np.minimum(np.minimum(seen.summed, seen.own), seen.came)
        known = units >= LEAST_UNITS
        summed, own, came = (
            np.log(np.where(known, each, 1.0)) for each in (seen.summed, seen.own, seen.came)
        )
        both, gap = summed - came, own - summed
        size = seen.came.mean(axis=1, keepdims=True)
        top -= float((size * both * gap).sum())
        below += float((size * gap**2).sum())
    if below <= 0:
        return 0.0
    return round(float(np.clip(top / (below * (1 + PRIOR_SHARE)), 0.0, 1.0)), 4)


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
