"""The night: plan one business date, stage by stage. The logical date is the business date.

One run at a time (`max_active_runs`): the stages already use every core, and each plan describes
its changes against the night before. Backfills may go in either direction, and leave the same
bytes: the last task refreshes tomorrow's comparison if tomorrow was planned first.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import Asset, dag, task

from echelon_airflow.parts import (
    DEFAULT_ARGS,
    SCHEDULED_UNTIL,
    TRAINING,
    business_date,
    params,
    this_night,
)
from echelon_airflow.tasks import finish_night, run_stage
from echelon_airflow.timetable import BusinessDates
from pipeline.stages import STAGES, upstream


@task
def stage(name: str) -> None:
    """Run a stage and publish its tables."""
    run_stage(name, this_night())


@task(task_id="refresh_successor", pool="echelon_changes")
def refresh() -> None:
    """Mark the night whole; refresh the next night's comparison, if there is one."""
    finish_night(this_night())


@dag(
    dag_id="nightly_plan",
    schedule=BusinessDates(hours_after_midnight=3),
    start_date=datetime(2011, 1, 1),
    end_date=SCHEDULED_UNTIL,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=params(),
    tags=["echelon"],
    doc_md=__doc__,
)
def nightly_plan() -> None:
    """One task for each stage; an edge is a table that one writes and another reads."""
    first, last = business_date(), refresh()
    tasks: dict[str, Any] = {}
    for entry in STAGES:
        compares = bool(entry.reads_previous or entry.reads_earlier)
        tasks[entry.name] = stage.override(
            task_id=entry.name,
            pool="echelon_changes" if compares else "echelon",
            execution_timeout=TRAINING
            if entry.name == "train"
            else DEFAULT_ARGS["execution_timeout"],
            outlets=[Asset(f"echelon_{name}") for name in (*entry.writes, *entry.files)],
        )(entry.name)
        for name in upstream(entry):
            tasks[name] >> tasks[entry.name]
    first >> tasks[STAGES[0].name]
    tasks[STAGES[-1].name] >> last


nightly_plan()
