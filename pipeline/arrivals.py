"""When units on order come, by chance: lead times as fitted, given how long they have taken.

The night (stages place and project) reads them here, so that both expect the same. Weeks are
planning weeks, Monday to Sunday, in which capacity for flow is held; week 0 holds tomorrow.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LATEST_DAYS = 420
_AT_ONCE = 4_096
"""Lines whose chances by day are held at once."""


def week_of(days_ahead: Ints, as_of: date) -> Ints:
    """Planning week of each day, given in days after as_of; what is overdue comes tomorrow."""
    return (np.maximum(days_ahead, 1) - 1 + (as_of.weekday() + 1) % 7) // 7


def day_chances(lines: pd.DataFrame, lead_times: pd.DataFrame, as_of: date, days: int) -> Floats:
    """[lines, days] chance that what is open of a line comes on a day from tomorrow on.

    lines: vendor_id, item_id, order_date, expected_arrival_date. A line that has taken longer than
    any lead time of its vendor, or whose vendor has none, counts on its expected date; overdue, it
    is taken to be as late again as it is already. What comes after the last day is left out.
    """
    found = np.zeros((len(lines), days))
    if lines.empty:
        return found
    today = pd.Timestamp(as_of)
    ids = ["vendor_id", "item_id"]
    open_lines = pd.DataFrame({name: lines[name].astype("str").to_numpy() for name in ids})
    open_lines["line"] = np.arange(len(lines))
    open_lines["age"] = (today - pd.to_datetime(lines["order_date"])).dt.days.to_numpy()
    fitted = lead_times[[*ids, "lead_time_days", "probability"]].astype(dict.fromkeys(ids, "str"))
    rows = open_lines.merge(fitted, on=ids)
    ahead = rows["lead_time_days"].to_numpy(np.int64) - rows["age"].to_numpy(np.int64)
    line, chance = rows["line"].to_numpy(), rows["probability"].to_numpy(float)
    line, chance, ahead = line[ahead > 0], chance[ahead > 0], ahead[ahead > 0]
    total = np.bincount(line, chance, len(lines))
    inside = ahead <= days
    np.add.at(found, (line[inside], ahead[inside] - 1), (chance / total[line])[inside])
    expected = (pd.to_datetime(lines["expected_arrival_date"]) - today).dt.days.to_numpy(np.int64)
    expected = np.maximum(np.abs(expected), 1)
    certain = np.flatnonzero((total <= 0) & (expected <= days))
    found[certain, expected[certain] - 1] = 1.0
    return found


def week_chances(lines: pd.DataFrame, lead_times: pd.DataFrame, as_of: date, weeks: int) -> Floats:
    """[lines, weeks] chance that what is open of a line comes in a week; see day_chances."""
    days = 7 * weeks - (as_of.weekday() + 1) % 7
    first = np.searchsorted(week_of(np.arange(1, days + 1), as_of), np.arange(weeks))
    by_day = day_chances(lines, lead_times, as_of, days)
    return np.minimum(np.add.reduceat(by_day, first, axis=1), 1.0)  # sums of tenths may exceed 1


def equal_chances(lines: pd.DataFrame, lead_times: pd.DataFrame, as_of: date, ways: int) -> Ints:
    """[lines, ways] days from tomorrow, 1, on which what is open of a line comes, each as likely;
    see day_chances. What comes later than `LATEST_DAYS` comes then."""
    found = np.empty((len(lines), ways), np.int64)
    for first in range(0, len(lines), _AT_ONCE):
        own = slice(first, first + _AT_ONCE)
        reached = day_chances(lines.iloc[own], lead_times, as_of, LATEST_DAYS).cumsum(axis=1)
        for way in range(ways):
            found[own, way] = (reached < (way + 0.5) / ways).sum(axis=1) + 1
    return np.minimum(found, LATEST_DAYS)
