"""The night: plan one business date, stage by stage. The logical date is the business date.

One run at a time (`max_active_runs`): the stages already use every core, and each plan describes
its changes against the night before. Backfills may go in either direction, and leave the same
bytes: the last task refreshes tomorrow's comparison if tomorrow was planned first.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Asset, Param, Variable, dag, get_current_context, task

from echelon_airflow.tasks import refresh_successor, resolve_night, run_stage
from echelon_airflow.timetable import BusinessDates
from pipeline.stages import STAGES, upstream

TRAINING = timedelta(hours=2)
UNTIL = os.environ.get("ECHELON_SCHEDULE_UNTIL")  # last date that is scheduled; backfills ignore it
OPTIONAL = ["null", "string"]


@task(task_id="business_date", execution_timeout=timedelta(minutes=5))
def business_date() -> dict[str, str]:
    """Fix the business date and where its data lie, once for all tasks."""
    context = get_current_context()
    run = context["dag_run"]
    day = run.logical_date.date() if run.logical_date else None
    return resolve_night(
        context["params"], run.run_type, day, lambda key: Variable.get(key, default=None)
    )


@task
def stage(name: str) -> None:
    """Run a stage and publish its tables."""
    run_stage(name, get_current_context()["ti"].xcom_pull(task_ids="business_date"))


@task(task_id="refresh_successor", pool="echelon_changes")
def refresh() -> None:
    """Refresh the next night's comparison, if there is one."""
    refresh_successor(get_current_context()["ti"].xcom_pull(task_ids="business_date"))


@dag(
    dag_id="nightly_plan",
    schedule=BusinessDates(hours_after_midnight=3),
    start_date=datetime(2011, 1, 1),
    end_date=datetime.fromisoformat(UNTIL) if UNTIL else None,
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(minutes=5),
        "execution_timeout": timedelta(minutes=30),
        "pool": "echelon",
    },
    params={
        "as_of": Param(None, type=OPTIONAL, format="date", description="Manual runs only: plan "
                       "this business date instead of the logical date."),
        "dataset": Param(None, type=OPTIONAL, enum=[None, "sample", "m5", "raw"]),
        "raw_dir": Param(None, type=OPTIONAL, description="Folder of the raw data."),
        "out_dir": Param(None, type=OPTIONAL, description="Where tables and reports go. Give a "
                         "what-if run a folder of its own."),
        "settings_file": Param(None, type=OPTIONAL, description="YAML; empty: the defaults."),
    },
    tags=["echelon"],
    doc_md=__doc__,
)  # fmt: skip
def nightly_plan() -> None:
    """One task for each stage; an edge is a table that one writes and another reads."""
    first, last = business_date(), refresh()
    tasks: dict[str, Any] = {}
    for entry in STAGES:
        compares = bool(entry.reads_previous)
        tasks[entry.name] = stage.override(
            task_id=entry.name,
            pool="echelon_changes" if compares else "echelon",
            execution_timeout=TRAINING if entry.name == "train" else timedelta(minutes=30),
            outlets=[Asset(f"echelon_{name}") for name in (*entry.writes, *entry.files)],
        )(entry.name)
        for name in upstream(entry):
            tasks[name] >> tasks[entry.name]
    first >> tasks[STAGES[0].name]
    tasks[STAGES[-1].name] >> last


nightly_plan()
