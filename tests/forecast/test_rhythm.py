"""Rhythms: orders that come by the calendar are foreseen on their days, and chance has none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pipeline.forecast.panel import Calendar, Panel
from pipeline.forecast.rhythm import rhythm

DAYS, AHEAD = 800, 92
DATES = pd.date_range("2022-05-24", periods=DAYS + AHEAD)
Bools = npt.NDArray[np.bool_]

ORDERS: dict[str, Callable[[pd.DatetimeIndex], Bools]] = {
    "every fortnight": lambda dates: np.arange(len(dates)) % 14 == 3,
    "one week in three": lambda dates: np.arange(len(dates)) // 7 % 3 == 0,
    "every 45 days": lambda dates: np.arange(len(dates)) % 45 == 40,
    "the month's last day": lambda dates: np.asarray(dates.is_month_end),
    "paydays": lambda dates: np.isin(dates.day, [1, 15]),
    "third Thursdays": lambda dates: (dates.day_of_week == 3) & ((dates.day - 1) // 7 == 2),
    "last Fridays": lambda dates: (
        (dates.day_of_week == 4) & (dates.day > dates.days_in_month - 7)
    ),
    "the tenth of a quarter's second month": lambda dates: (
        (dates.day == 10) & (dates.month % 3 == 2)
    ),
}  # fmt: skip


def usual_days(units: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Usual days (items, days + ahead) by rhythm of items of one region."""
    n, total = len(units), DAYS + AHEAD
    code, far = np.arange(n, dtype=np.int32), np.full(n, 10**6, np.int32)
    nothing = np.zeros((1, total), np.float32)
    calendar = Calendar(nothing[:, :, None], nothing, nothing, np.zeros(total, np.int32))
    one = np.zeros(n, np.int32)
    panel = Panel(
        DATES[0].to_datetime64().astype("datetime64[D]"), units.astype(np.float32),
        np.ones((n, total), np.float32), np.zeros((n, DAYS), bool), one, far, code, one, one, one,
        one, calendar,
    )  # fmt: skip
    return rhythm(panel, np.ones(total, bool))


@pytest.mark.parametrize("name", ORDERS)
def test_orders_by_the_calendar_are_expected_on_their_days(name: str) -> None:
    ordered = np.asarray(ORDERS[name](DATES))
    draws = np.random.default_rng(1).poisson(np.where(ordered, 20.0, 0.0)[:DAYS], (6, DAYS))
    ahead = usual_days(draws.astype(float))[:, DAYS:]
    assert ((ahead * ordered[DAYS:]).sum(axis=1) > 0.85 * ahead.sum(axis=1)).all()
    assert (ahead[:, ordered[DAYS:]].min(axis=1) > 0.5 * ahead.max(axis=1)).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_chance_has_no_rhythm(seed: int) -> None:
    """Steady, slow and lumpy sales, weekdays, a level that grows, a month of every year."""
    random = np.random.default_rng(seed)
    week = 1.0 + (DATES.day_of_week == 5)[:DAYS] * 4.0
    rates = [0.05, 0.3, 2.0, 30.0, week, 4.0 * 2.0 ** (np.arange(DAYS) / 365),
             np.where(DATES.month[:DAYS] == 8, 20.0, 0.0)]  # fmt: skip
    steady = np.concatenate([random.poisson(rate, (20, DAYS)) for rate in rates])
    lumps = 30.0 * (random.random((40, DAYS)) < 0.05)
    found = usual_days(np.concatenate([steady, lumps]))
    off = np.abs(found - 1.0).max(axis=1) > 0.1
    assert off.sum() <= 1


def test_a_rhythm_that_has_ended_is_not_expected() -> None:
    """A year of fortnightly orders, then as much every day."""
    ordered = np.arange(DAYS) % 14 == 3
    units = np.where(np.arange(DAYS) < 336, 28.0 * ordered, 2.0)[None]
    assert np.abs(usual_days(units)[:, DAYS:] - 1.0).max() < 0.2
