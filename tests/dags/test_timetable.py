"""The timetable of business dates."""

from __future__ import annotations

import pendulum
import pytest
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.utils.types import DagRunType

from echelon_airflow.timetable import BusinessDates


def runs(timetable, first, last):
    """Logical dates of a backfill, as Airflow collects them."""
    restriction = TimeRestriction(pendulum.parse(first), pendulum.parse(last), catchup=True)
    found, interval = [], None
    while True:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=interval, restriction=restriction
        )
        if info is None:
            return found
        found.append(info.logical_date.to_date_string())
        interval = info.data_interval


def test_a_backfill_plans_both_ends_of_its_range():
    found = runs(BusinessDates(3), "2016-04-10", "2016-04-23")
    assert (found[0], found[-1], len(found)) == ("2016-04-10", "2016-04-23", 14)


@pytest.mark.parametrize("day", ["2024-03-10", "2024-11-03", "2024-02-29"])
def test_a_range_of_one_day_is_that_day(day):
    assert runs(BusinessDates(3), day, day) == [day]


def test_a_weekly_range_holds_its_weekday_only():
    found = runs(BusinessDates(1, weekday=6), "2016-04-08", "2016-04-24")
    assert found == ["2016-04-10", "2016-04-17", "2016-04-24"]


def test_a_night_starts_some_hours_after_its_day_has_ended():
    day = pendulum.datetime(2016, 4, 10)
    info = BusinessDates(3).next_dagrun_info(
        last_automated_data_interval=DataInterval(day.subtract(days=1), day),
        restriction=TimeRestriction(None, None, catchup=True),
    )
    assert info.logical_date == day
    assert info.run_after == pendulum.datetime(2016, 4, 11, 3)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2016-04-11T02:59", "2016-04-09"),  # the 10th has ended, but its 3 hours have not
        ("2016-04-11T03:00", "2016-04-10"),
    ],
)
def test_without_catch_up_only_the_newest_due_date_is_planned(now, day, monkeypatch):
    moment = pendulum.parse(now)
    monkeypatch.setattr(pendulum, "now", lambda _zone: moment)
    info = BusinessDates(3).next_dagrun_info(
        last_automated_data_interval=None,
        restriction=TimeRestriction(pendulum.datetime(2011, 1, 1), None, catchup=False),
    )
    assert info.logical_date.to_date_string() == day


def test_the_scheduler_reads_back_what_the_dag_file_said():
    timetable = BusinessDates(1, weekday=6)
    assert BusinessDates.deserialize(timetable.serialize()).serialize() == timetable.serialize()
    assert timetable.summary == "one business date a week"


def test_a_scheduled_run_is_named_after_its_business_date():
    day = pendulum.datetime(2016, 4, 10)
    after, interval = day.add(days=1, hours=3), DataInterval(day, day.add(days=1))
    names = [
        BusinessDates(3).generate_run_id(run_type=kind, run_after=after, data_interval=interval)
        for kind in (DagRunType.SCHEDULED, DagRunType.MANUAL)
    ]
    assert names == ["scheduled__2016-04-10", "manual__2016-04-11T03:00:00+00:00"]
