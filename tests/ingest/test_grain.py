"""Sales of weeks and months: recognised, said, and shared out without losing a unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.grain import reported_periods, spread_to_days

AS_OF = pd.Timestamp("2025-06-29")  # a Sunday
AUTO = IngestSettings()


def dates(*args: str, **rest: object) -> pd.Series:
    return pd.Series(pd.date_range(*args, **rest)).astype("datetime64[s]")  # type: ignore[call-overload]  # keywords of date_range


def days(values: np.ndarray) -> list[str]:
    return values.astype("datetime64[D]").astype(str).tolist()


@pytest.mark.parametrize(
    ("named", "first", "last"),
    [
        (dates("2025-01-05", AS_OF, freq="7D"), "2025-06-23", "2025-06-29"),  # Sundays end a week
        (dates("2025-01-06", AS_OF, freq="7D"), "2025-06-23", "2025-06-29"),  # Mondays begin one
        (dates("2024-10-01", AS_OF, freq="MS"), "2025-06-01", "2025-06-30"),
        (dates("2024-10-31", AS_OF, freq="ME"), "2025-05-01", "2025-05-31"),
    ],
)
def test_weeks_and_months_are_recognised_by_their_dates(
    named: pd.Series, first: str, last: str
) -> None:
    periods, told = reported_periods(named, AS_OF, AUTO)
    assert (days(periods.first)[-1], days(periods.last)[-1]) == (first, last)
    assert len(told) == 1


def test_retail_periods_of_four_four_and_five_weeks_run_from_date_to_date() -> None:
    named = pd.Series(pd.Timestamp("2024-07-01") + pd.to_timedelta(
        np.cumsum([0, 28, 28, 35, 28, 28, 35, 28, 28, 35]), unit="D"))  # fmt: skip
    periods, _ = reported_periods(named, AS_OF, AUTO)
    assert (periods.last - periods.first + 1).tolist()[:9] == [28, 28, 35, 28, 28, 35, 28, 28, 35]


def test_daily_sales_are_left_as_they_are() -> None:
    for named in (dates("2025-01-01", AS_OF), dates("2025-01-01", AS_OF, freq="B"),
                  dates("2025-06-01", "2025-06-22", freq="7D")):  # fmt: skip
        periods, told = reported_periods(named, AS_OF, AUTO)
        assert periods.is_daily
        assert not told


def test_weeks_followed_by_days_are_told_apart() -> None:
    named = pd.concat([dates("2024-10-07", "2025-03-31", freq="7D"), dates("2025-04-07", AS_OF)])
    periods, _ = reported_periods(named, AS_OF, AUTO)
    assert days(periods.last)[-1] == "2025-04-06"


def test_a_declared_grain_is_taken_without_a_word() -> None:
    named = dates("2025-06-08", AS_OF, freq="7D")
    declared = IngestSettings(sales_grain="week", sales_date="first_day")
    periods, told = reported_periods(named, AS_OF, declared)
    assert days(periods.first)[0] == "2025-06-08"
    assert not told


def sales(units: int, weeks: int = 30) -> pd.DataFrame:
    named = pd.date_range(end=AS_OF, periods=weeks, freq="7D").astype("datetime64[s]")
    rows = [(f"i{k}", "r", day, units) for k in range(20) for day in named]
    return pd.DataFrame(rows, columns=["item_id", "region_id", "date", "units"])


def spread(frame: pd.DataFrame, is_open: np.ndarray, as_of: pd.Timestamp = AS_OF) -> pd.DataFrame:
    periods, _ = reported_periods(frame["date"], as_of, AUTO)
    sells = np.repeat(is_open, frame["item_id"].nunique(), axis=0).astype(np.float32)
    series = pd.factorize(frame["item_id"], sort=True)[0]
    return spread_to_days(frame, periods, sells, series, int(periods.first[0]), as_of)


@pytest.mark.parametrize("units", [1, 9, 5000])
def test_each_week_keeps_its_units_and_varies_by_day_like_a_poisson_process(units: int) -> None:
    frame = sales(units)
    daily = spread(frame, np.ones((1, 210), dtype=bool))
    ends = daily["date"] + pd.to_timedelta(6 - daily["date"].dt.day_of_week, unit="D")
    weekly = daily.groupby(["item_id", ends])["units"].sum()
    assert (weekly == units).all()
    assert len(weekly) == len(frame)
    grid = daily.pivot_table(index="item_id", columns="date", values="units", fill_value=0)
    share = 1 / 7  # multinomial: variance n p (1 - p)
    assert grid.to_numpy().var() == pytest.approx(units * share * (1 - share), rel=0.1)
    by_day = daily.groupby(daily["date"].dt.day_of_week)["units"].sum() / frame["units"].sum()
    assert by_day.to_numpy() == pytest.approx(share, abs=0.04)


def test_closed_days_of_a_week_get_nothing() -> None:
    frame = sales(10)
    is_open = np.tile([True] * 5 + [False] * 2, 30)[None, :]
    daily = spread(frame, is_open)
    assert daily["units"].sum() == frame["units"].sum()
    assert (daily["date"].dt.day_of_week < 5).all()


def test_a_week_that_is_not_over_is_not_seen() -> None:
    """Dated its first day, its row holds sales of days after as_of."""
    frame = sales(10).assign(date=lambda f: f["date"] + pd.Timedelta(days=1))
    wednesday = pd.Timestamp("2025-07-02")
    assert frame["date"].max() == pd.Timestamp("2025-06-30")
    daily = spread(frame, np.ones((1, 300), dtype=bool), wednesday)
    assert daily["date"].max() <= pd.Timestamp("2025-06-29")


def test_other_rows_and_other_nights_change_no_draw() -> None:
    frame = sales(9)
    is_open = np.ones((1, 210), dtype=bool)
    whole = spread(frame, is_open)
    part = spread(frame[frame["item_id"] == "i7"], is_open)
    own = whole[whole["item_id"] == "i7"].sort_values("date", ignore_index=True)
    pd.testing.assert_frame_equal(own, part.sort_values("date", ignore_index=True))


def test_days_on_which_nobody_could_buy_get_nothing() -> None:
    """Out of stock on three days of each week, half of a fourth: the week sold on the rest."""
    frame = sales(700)
    there = np.tile([1, 1, 1, 0.5, 0, 0, 0], 30)[None, :]
    daily = spread(frame, there)
    by_day = daily.groupby(daily["date"].dt.day_of_week)["units"].sum() / frame["units"].sum()
    assert by_day.reindex(range(7), fill_value=0).to_numpy() == pytest.approx(
        there[0, :7] / 3.5, abs=0.01
    )
    assert daily["units"].sum() == frame["units"].sum()
