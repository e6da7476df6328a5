"""In which week units on order come, by chance: lead times as fitted, given how long they have taken.

Weeks are planning weeks, Monday to Sunday, in which capacity for flow is held; week 0 holds tomorrow.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def week_of(days_ahead: Ints, as_of: date) -> Ints:
    """Planning week of each day, given in days after as_of; what is overdue comes tomorrow."""
    return (np.maximum(days_ahead, 1) - 1 + (as_of.weekday() + 1) % 7) // 7


def week_chances(
    lines: pd.DataFrame, lead_times: pd.DataFrame, as_of: date, weeks: int
) -> Floats:
    """[lines, weeks] chance that what is open of a line comes in a week.

    lines: vendor_id, item_id, order_date, expected_arrival_date. A line that has taken longer than
    any lead time of its vendor, or whose vendor has none, counts on its expected date. What comes
    after the last week is left out.
    """
    found = np.zeros((len(lines), weeks))
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
    week = week_of(ahead, as_of)
    inside = week < weeks
    np.add.at(found, (line[inside], week[inside]), (chance / total[line])[inside])
    expected = (pd.to_datetime(lines["expected_arrival_date"]) - today).dt.days.to_numpy(np.int64)
    week = week_of(expected, as_of)
    certain = np.flatnonzero((total <= 0) & (week < weeks))
    found[certain, week[certain]] = 1.0
    return found
