"""The night: plan one business date, stage by stage. The logical date is the business date.

One run at a time (`max_active_runs`): the stages already use every core, and each plan describes
its changes against the night before. Backfills may go in either direction, and leave the same
bytes: the last task refreshes tomorrow's comparison if tomorrow was planned first.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from echelon_airflow.parts import business_date, dated, stage_task, this_night
from echelon_airflow.tasks import finish_night
from echelon_airflow.timetable import BusinessDates
from pipeline.stages import STAGES, upstream


@task(task_id="refresh_successor", pool="echelon_changes")
def refresh() -> None:
    """Mark the night whole; refresh the next night's comparison, if there is one."""
    finish_night(this_night())


@dag(
    dag_id="nightly_plan",
    schedule=BusinessDates(hours_after_midnight=3),
    **dated(__doc__),
)
def nightly_plan() -> None:
    """One task for each stage; an edge is a table that one writes and another reads."""
    first, last = business_date(), refresh()
    tasks: dict[str, Any] = {}
    for stage in STAGES:
        tasks[stage.name] = stage_task(stage)
        for name in upstream(stage):
            tasks[name] >> tasks[stage.name]
    first >> tasks[STAGES[0].name]
    tasks[STAGES[-1].name] >> last


nightly_plan()
