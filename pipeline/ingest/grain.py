"""Sales reported by week or month: recognised or declared, and shared out among the days.

Only periods that are over by as_of are known: a row dated the first day of its week holds days that
no night before the week's end may see. A period's units are dealt to its days as a Poisson process
would have sold them: given the total n, the days are multinomial(n; w), w by the share of each day
on which the item could be bought: on sale, its region open, in stock. The draws hang on item,
region and period only, so neither other rows nor other nights change them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.findings import Finding

_LEAST_PERIODS = 6
_LEAST_WEIGHT = 1e-9
_LAST_DAYS = (4, 5, 6)
"""Weekdays (Friday to Sunday) that, where nothing else tells, name the week that they end."""
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Periods:
    """Reported periods, ascending: the date that names each, and its first and last day, as days
    since 1970. Days beyond the last period are reported one by one."""

    label: Ints
    first: Ints
    last: Ints

    @property
    def is_daily(self) -> bool:
        """Whether no period is longer than a day."""
        return not len(self.label)


def epoch_days(dates: pd.Series) -> Ints:
    """Days since 1970 of each date."""
    return np.asarray(dates.to_numpy().astype("datetime64[D]").astype(np.int64))


def reported_periods(
    dates: pd.Series, as_of: pd.Timestamp, settings: IngestSettings
) -> tuple[Periods, list[Finding]]:
    """The periods by which sales with these dates were reported, and what to say of them.

    `ingest.sales_grain` declares day, week or month; auto takes a start of the history in which all
    dates lie on one weekday, or on the first (last) day of the month, for that grain; daily rows
    may follow.
    """
    label = np.unique(epoch_days(dates))
    grain: str = settings.sales_grain
    count = len(label)
    if grain == "auto":
        grain, count = _recognised(label)
    if grain == "day" or not count:
        return Periods(*np.zeros((3, 0), np.int64)), []
    own = label[:count]
    is_last = _names_last_day(own, grain, epoch_days(pd.Series([as_of]))[0], settings)
    first, last = _span(own, grain, is_last, count < len(label))
    word = {"week": "weeks", "month": "months"}[grain]
    end = "end" if is_last else "begin"
    found = Finding(
        "sales", 0, "date", f"sales are read as those of whole {word} that {end} on their date",
        f"{len(own)} dates", "Shared out among the days on which each could be sold; declare "
        "ingest.sales_grain and ingest.sales_date to settle it.", "warning",
    )  # fmt: skip
    return Periods(own, first, last), [found] if settings.sales_grain == "auto" else []


def without_part(periods: Periods, sales: pd.DataFrame) -> Periods:
    """The periods without a first one that sold less than half of what the next ones did: the file
    begins within it."""
    if len(periods.label) < _LEAST_PERIODS:
        return periods
    units = sales["units"].groupby(epoch_days(sales["date"])).sum()
    units = units.reindex(periods.label[:_LEAST_PERIODS], fill_value=0).to_numpy()
    if units[0] >= 0.5 * np.median(units[1:]):
        return periods
    return Periods(periods.label[1:], periods.first[1:], periods.last[1:])


def _recognised(label: Ints) -> tuple[str, int]:
    """Grain of the longest start of the dates that has one, and its number of dates."""
    if len(label) < _LEAST_PERIODS:
        return "day", 0
    gap = np.diff(label)
    place, weekday = _month_place(label), (label + 3) % 7
    for grain, least, same in (
        ("month", 26, place), ("month", 26, 10 + weekday), ("week", 7, 10 + weekday),
    ):  # fmt: skip
        fits = np.concatenate([[same[0] > 0], (gap >= least) & (same[1:] == same[0])])
        count = len(label) if fits.all() else int(fits.argmin())
        if count >= _LEAST_PERIODS:
            # The first daily row of a mixed file may lie on the weekday of the weekly ones.
            is_mixed = count < len(label) and gap[count - 1] < least
            return grain, count - 1 if is_mixed and gap[count - 1] == 1 else count
    return "day", 0


def _month_place(label: Ints) -> Ints:
    """1 for the first day of a month, 2 for the last, else 0."""
    date = label.astype("datetime64[D]")
    first = date == date.astype("datetime64[M]").astype("datetime64[D]")
    tomorrow = date + np.timedelta64(1, "D")
    last = tomorrow == tomorrow.astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray(np.where(first, 1, np.where(last, 2, 0)))


def _are_calendar_months(label: Ints) -> bool:
    """Whether periods run from the first to the last of a month, not over four or five weeks."""
    place = _month_place(label)
    return bool(place[0] > 0 and (place == place[0]).all())


def _names_last_day(label: Ints, grain: str, as_of: int, settings: IngestSettings) -> bool:
    if settings.sales_date != "auto":
        return settings.sales_date == "last_day"
    if grain == "month" and _are_calendar_months(label):
        return bool(_month_place(label)[0] == 2)
    return bool((label[-1] + 3) % 7 in _LAST_DAYS)


def _span(label: Ints, grain: str, is_last: bool, is_mixed: bool) -> tuple[Ints, Ints]:
    """First and last day of each period; one that lacks a neighbour is as long as the usual one."""
    gap = np.diff(label)
    if grain == "week":
        days = np.full(len(label), 7, np.int64)
    elif _are_calendar_months(label):
        month = label.astype("datetime64[D]").astype("datetime64[M]")
        start = month.astype("datetime64[D]").astype(np.int64)
        end = (month + 1).astype("datetime64[D]").astype(np.int64) - 1
        return start, end
    else:
        usual = int(np.median(gap))
        days = np.append(gap, usual) if not is_last else np.append(usual, gap)
        days = np.where(days > 35, usual, days).astype(np.int64)
    return (label - days + 1, label) if is_last else (label, label + days - 1)


def spread_to_days(
    sales: pd.DataFrame, periods: Periods, sells: npt.NDArray[np.float32], series: Ints,
    first_day: int, as_of: pd.Timestamp,
) -> pd.DataFrame:  # fmt: skip
    """Sales (item_id, region_id, date, units) by day: periods over by `as_of` are dealt out.

    `sells` [series, days from the day `first_day`]: share of each day on which a series could sell,
    0 where its region is closed, it is not on sale, or it is out of stock. `series` [rows] is the
    one of each row of `sales`. A period without such a day falls on its last one.
    """
    if periods.is_daily:
        return sales
    day = epoch_days(sales["date"])
    known = day >= periods.label[0]
    sales, day, series = sales[known], day[known], series[known]
    at = np.searchsorted(periods.label, day)
    at = np.minimum(at, len(periods.label) - 1)
    is_period = periods.label[at] == day
    over = periods.last[at] <= epoch_days(pd.Series([as_of]))[0]
    rows = np.flatnonzero(is_period & over)
    first, last = periods.first[at[rows]], periods.last[at[rows]]
    left = sales["units"].to_numpy(np.int64)[rows].copy()
    key = _keys(sales, rows, periods.label[at[rows]])
    days = np.arange(int((last - first).max(initial=0)) + 1)
    place = np.clip(first[:, None] + days - first_day, 0, sells.shape[1] - 1)
    weight = np.where(days <= (last - first)[:, None], sells[series[rows, None], place], 0.0)
    weight[np.arange(len(rows)), last - first] += ~weight.any(axis=1)
    parts = []
    for k in days:
        to_come = weight[:, k + 1 :].sum(axis=1)
        share = weight[:, k] / np.maximum(weight[:, k] + to_come, _LEAST_WEIGHT)
        units = binom.ppf(_uniform(key, int(k)), left, share)
        units = np.where(to_come > 0, units, np.where(share > 0, left, 0)).astype(np.int64)
        left -= units
        part = sales.iloc[rows][["item_id", "region_id"]].assign(
            date=(first + k).astype("datetime64[D]").astype("datetime64[s]"), units=units
        )  # fmt: skip
        parts.append(part[units > 0])
    daily = sales[~is_period & (day > periods.last[-1])]
    return pd.concat([*parts, daily], ignore_index=True)


def _keys(sales: pd.DataFrame, rows: Ints, label: Ints) -> npt.NDArray[np.uint64]:
    """A number from item, region and period of each row."""
    names = sales.iloc[rows]
    hashed = pd.util.hash_array(
        (names["item_id"].astype("str") + "\0" + names["region_id"].astype("str")).to_numpy(object)
    )  # fmt: skip
    return hashed ^ _mixed(label.astype(np.uint64))


def _uniform(key: npt.NDArray[np.uint64], k: int) -> npt.NDArray[np.float64]:
    """Numbers in (0, 1) from keys and the number of the day."""
    mixed = _mixed(key + np.uint64((k + 1) * 0x9E3779B97F4A7C15 % 2**64))
    return np.asarray(((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53)


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
