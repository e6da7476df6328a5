"""What is known of a day in advance: its place in week and year, its holidays, the trend.

Rows are days, columns features; each column has a ridge penalty (in days of data that weigh as
much as the prior) and the part of the explanation that it belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Days = NDArray[np.datetime64]

PARTS = ("level", "trend", "year", "week", "holiday", "recent")
"""Parts of a day's level, in the order in which they are read; 'recent' is the carried residual."""
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True)
class DayTable:
    """Features of days: `X` [days, columns], penalties, parts, and the yearly order of each."""

    X: F64
    penalty: F64
    part: tuple[str, ...]
    yearly: NDArray[np.int64]
    """Harmonic of the year that a column is (0: none), so that candidates may leave them out."""


@dataclass
class _Columns:
    values: list[F64] = field(default_factory=list)
    penalty: list[float] = field(default_factory=list)
    part: list[str] = field(default_factory=list)
    yearly: list[int] = field(default_factory=list)

    def add(self, values: NDArray[np.generic], penalty: float, part: str, yearly: int = 0) -> None:
        self.values.append(np.asarray(values, dtype=np.float64))
        self.penalty.append(penalty)
        self.part.append(part)
        self.yearly.append(yearly)

    def table(self) -> DayTable:
        return DayTable(np.ascontiguousarray(np.column_stack(self.values)),
                        np.array(self.penalty), tuple(self.part),
                        np.array(self.yearly, dtype=np.int64))  # fmt: skip


def day_of_week(first: np.datetime64, n: int) -> NDArray[np.int64]:
    """0 Monday … 6 Sunday of `n` days from `first`."""
    return (np.arange(n) + int(first.astype("datetime64[D]").astype(np.int64)) + 3) % 7


def day_class(first: np.datetime64, holiday: Sequence[str]) -> NDArray[np.int64]:
    """Day of the week, with holidays counted as Sundays."""
    is_holiday = np.array([bool(name) for name in holiday])
    return np.where(is_holiday, SUNDAY, day_of_week(first, len(holiday)))


def _angle(first: np.datetime64, n: int) -> F64:
    days = first.astype("datetime64[D]") + np.arange(n)
    since = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.float64)
    return 2 * np.pi * (since + 0.5) / 365.25


def level_days(
    first: np.datetime64, holiday: Sequence[str], history_days: int, knots: Sequence[int] = ()
) -> DayTable:
    """Features of the day's level: trend with slope breaks, year, week, holidays and their eves.

    holiday: name of each day's holiday ('' for none), history first. A name seen in the history
    has its own deviation from holidays in general, and so have the days beside it. `knots` are days
    of the history at which the slope changes.
    """
    n = len(holiday)
    columns = _Columns()
    columns.add(np.ones(n), 1e-6, "level")
    years = (np.arange(n) - history_days) / 365.25
    columns.add(years, 1.0, "trend")
    for knot in knots:
        columns.add(np.maximum(years - years[knot], 0.0), 0.3, "trend")
    kind, week_day = day_class(first, holiday), day_of_week(first, n)
    weekend = kind >= SATURDAY
    columns.add(weekend, 0.05, "week")
    for k in range(7):
        columns.add(kind == k, 0.3, "week")
    _add_holidays(columns, holiday, history_days, week_day)
    angle = _angle(first, n)
    for k in range(1, 7):
        for wave in (np.sin(k * angle), np.cos(k * angle)):
            columns.add(wave, 0.3 * k * k, "year", k)
    for wave in (np.sin(angle), np.cos(angle)):
        columns.add(weekend * wave, 1.0, "year", 1)
    return columns.table()


def _add_holidays(
    columns: _Columns, holiday: Sequence[str], history_days: int, week_day: NDArray[np.int64]
) -> None:
    is_holiday = np.array([bool(name) for name in holiday])
    if not is_holiday[:history_days].any():
        return
    plain = ~is_holiday
    after, before = _shift(is_holiday, 1) & plain, _shift(is_holiday, -1) & plain
    columns.add(is_holiday, 2.0, "holiday")
    columns.add(before & (week_day < SATURDAY), 2.0, "holiday")
    columns.add(after & (week_day < SATURDAY), 2.0, "holiday")
    columns.add((before & (week_day == 0)) | (after & (week_day == 4)), 1.0, "holiday")
    for name in sorted({name for name in holiday[:history_days] if name}):
        named = np.array([other == name for other in holiday])
        columns.add(named, 1.0, "holiday")
        columns.add(_shift(named, 1) & plain, 3.0, "holiday")
        columns.add(_shift(named, -1) & plain, 3.0, "holiday")


def _shift(flags: NDArray[np.bool_], days: int) -> NDArray[np.bool_]:
    """Flags moved by `days`; what comes in from outside is False."""
    moved = np.zeros_like(flags)
    if days > 0:
        moved[days:] = flags[:-days]
    else:
        moved[:days] = flags[-days:]
    return moved


def shape_days(first: np.datetime64, holiday: Sequence[str], history_days: int) -> DayTable:
    """Features of the day's shape: class of day, season, holidays by name."""
    n = len(holiday)
    columns = _Columns()
    columns.add(np.ones(n), 1e-6, "level")
    kind = day_class(first, holiday)
    weekend = kind >= SATURDAY
    columns.add(weekend, 0.1, "week")
    for k in range(7):
        columns.add(kind == k, 1.0, "week")
    if any(holiday[:history_days]):
        columns.add(np.array([bool(name) for name in holiday]), 3.0, "holiday")
        for name in sorted({name for name in holiday[:history_days] if name}):
            columns.add(np.array([other == name for other in holiday]), 3.0, "holiday")
    angle = _angle(first, n)
    for k in range(1, 4):
        for wave in (np.sin(k * angle), np.cos(k * angle)):
            columns.add(wave, 1.0 * k * k, "year", k)
            if k <= 2:
                columns.add(weekend * wave, 4.0 * k, "year", k)
    return columns.table()
