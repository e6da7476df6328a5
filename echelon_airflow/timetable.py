"""A timetable of business dates: the logical date *is* the date that is planned.

Cron schedules name a run after the moment at which it starts, the night after the business date,
so that a backfill "from the 10th to the 23rd" would plan the 9th to the 22nd. Here a range of
dates in Airflow's backfill form means those business dates, both ends included.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airflow.utils.types import DagRunType
from pendulum import DateTime


class BusinessDates(Timetable):
    """A run for each day, or for one weekday (0 Monday … 6 Sunday), some hours after the day ends.

    Days are UTC: `hours_after_midnight` must leave time for the last sales of the business date to
    arrive, in whatever time zone the business lives.
    """

    def __init__(self, hours_after_midnight: int, weekday: int | None = None) -> None:
        self._hours, self._weekday = hours_after_midnight, weekday
        self.description = f"{self.summary}, {hours_after_midnight} h after its end (UTC)"

    @property
    def summary(self) -> str:
        """What the UI shows in its column of schedules."""
        return "each business date" if self._weekday is None else "one business date a week"

    def serialize(self) -> dict[str, Any]:
        """The arguments, as the scheduler stores them."""
        return {"hours_after_midnight": self._hours, "weekday": self._weekday}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        """The timetable that `serialize` described."""
        return cls(**data)

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The day that holds the moment chosen for a manual run."""
        day = run_after.in_timezone("UTC").start_of("day")
        return DataInterval(day, day.add(days=1))

    def generate_run_id(
        self,
        *,
        run_type: DagRunType,
        run_after: DateTime,
        data_interval: DataInterval | None,
        **extra: Any,
    ) -> str:
        """A scheduled run is named after its business date, not after the night it starts in."""
        if run_type == DagRunType.SCHEDULED and data_interval is not None:
            day = data_interval.start.in_timezone("UTC").to_date_string()
            return run_type.generate_run_id(suffix=day)
        named: str = super().generate_run_id(
            run_type=run_type, run_after=run_after, data_interval=data_interval, **extra
        )
        return named

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The run after the last one; without catch-up no date before the newest that is due."""
        earliest = [_day_at_or_after(restriction.earliest)] if restriction.earliest else []
        if last_automated_data_interval is not None:
            last = last_automated_data_interval.start.in_timezone("UTC").start_of("day")
            earliest.append(last.add(days=1))
        if not restriction.catchup:
            due = pendulum.now("UTC").subtract(hours=self._hours).start_of("day").subtract(days=1)
            earliest.append(self._scheduled(due, step=-1))
        if not earliest:
            return None
        day = self._scheduled(max(earliest), step=1)
        if restriction.latest is not None and day > restriction.latest:
            return None
        return DagRunInfo(
            run_after=day.add(days=1) + timedelta(hours=self._hours),
            data_interval=DataInterval(day, day.add(days=1)),
            partition_key=None,
            partition_date=None,
        )

    def _scheduled(self, day: DateTime, step: int) -> DateTime:
        while self._weekday is not None and day.weekday() != self._weekday:
            day = day.add(days=step)
        return day


def _day_at_or_after(moment: DateTime) -> DateTime:
    day = moment.in_timezone("UTC").start_of("day")
    return day if day == moment else day.add(days=1)
