"""Stores' departments, 70 large sums with five years of history: their own forecast and errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from m5_data import LEVELS, M5, TIERS, Tier, add_up
from m5_scores import LEVELS_Q

from pipeline.forecast.panel import F64
from pipeline.forecast.regression import calendar_effects, regress

AHEAD = 28
DEPARTMENTS = 9  # the level store × department
BACK = 26  # past forecasts, four weeks apart, whose errors give the spread
CLOSED_SHARE = 0.1  # a day that sells less than this of the median day is closed


def departments_ahead(data: M5, own: Tier, at: int) -> F64:
    """Units (70, 28) of the days after day `at` of the calendar, from sales up to it alone."""
    rows = np.flatnonzero(own.keys["level"] == DEPARTMENTS)
    known = at - own.first_d + 1
    dates = own.panel.first_date + np.arange(known + AHEAD)
    named = data.calendar[["event_name_1", "event_name_2"]].to_numpy()
    events: dict[str, list[int]] = {}
    for day, names in enumerate(named[own.first_d - 1 :]):
        for name in names:
            if isinstance(name, str):
                events.setdefault(name, []).append(day)
    units = np.nan_to_num(own.panel.demand[rows, :known]).astype(np.float64)
    total = units.sum(axis=0)
    is_closed = total < CLOSED_SHARE * np.median(total)
    closed = {
        name for name, days in events.items() if is_closed[[d for d in days if d < known]].any()
    }
    out = np.empty((len(rows), AHEAD))
    state = own.keys["state_id"].to_numpy()[rows]
    for name in np.unique(state):
        here = state == name
        region = own.panel.region[rows[here][0]]
        snap = own.panel.calendar.flags[region, : known + AHEAD, 3].astype(np.float64)
        out[here] = regress(units[here], *calendar_effects(dates, snap, events, closed))
    return out


def upper_sums(own: Tier, departments: F64) -> F64:
    """The sums (154, days) of levels 1 to 9 that departments (70, days) add up to."""
    keys = own.keys[own.keys["level"] == DEPARTMENTS].reset_index(drop=True)
    return np.concatenate([add_up(keys, departments, LEVELS[k - 1]) for k in TIERS["top"]])


def upper_quantiles(data: M5, own: Tier, origin: int, mean: F64) -> F64:
    """Quantiles (154, 28, 9) around `mean`, from the regression's errors at `BACK` past origins.

    Logarithms of actual over forecast are scaled by each series' root mean square and by a linear
    growth in days ahead; their quantiles are then those of all series of a level together.
    """
    actual = own.panel.demand.astype(np.float64)
    total = actual[0]
    errors = []
    for at in range(origin - AHEAD, max(origin - AHEAD * (BACK + 1), own.first_d + 360), -AHEAD):
        days = slice(at - own.first_d + 1, at - own.first_d + 1 + AHEAD)
        foreseen = upper_sums(own, departments_ahead(data, own, at))
        is_closed = total[days] < CLOSED_SHARE * np.median(total)
        error = np.log1p(actual[:, days]) - np.log1p(foreseen)
        errors.append(np.where(is_closed, np.nan, error))
    past = np.stack(errors)
    size = np.sqrt(np.nanmean(past**2, axis=(0, 2)))[:, None]
    ahead = np.arange(AHEAD)
    growth = np.sqrt(np.nanmean((past / size) ** 2, axis=(0, 1)))
    growth = np.polyval(np.polyfit(ahead, growth, 1), ahead)
    scaled = past / (size * growth)
    level = own.keys["level"].to_numpy()
    shape = np.empty((len(mean), len(LEVELS_Q)))
    for k in np.unique(level):
        shape[level == k] = np.nanquantile(scaled[:, level == k], LEVELS_Q)
    spread = (size * growth)[:, :, None] * shape[:, None, :]
    return np.maximum(np.expm1(np.log1p(mean)[:, :, None] + spread), 0.0)


def department_codes(series: pd.DataFrame) -> np.ndarray:
    """Place among the 70 departments of each of the stores' series."""
    index = pd.MultiIndex.from_frame(series[list(LEVELS[DEPARTMENTS - 1])])
    return np.asarray(pd.factorize(index, sort=True)[0])
