"""The weekly training, ahead of the night that needs the model, so that no night waits for it.

Optional: the nightly DAG trains where no current model lies there, and gets the same bytes.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow.sdk import Asset, Param, Variable, dag, get_current_context, task

from echelon_airflow.tasks import resolve_night, run_stage
from echelon_airflow.timetable import BusinessDates

OPTIONAL = ["null", "string"]
UNTIL = os.environ.get("ECHELON_SCHEDULE_UNTIL")  # last date that is scheduled; backfills ignore it
SUNDAY = 6  # the default of settings.forecast.train_weekday


@task(execution_timeout=timedelta(minutes=5))
def business_date() -> dict[str, str]:
    """Fix the business date and where its data lie, once for all tasks."""
    context = get_current_context()
    run = context["dag_run"]
    day = run.logical_date.date() if run.logical_date else None
    return resolve_night(
        context["params"], run.run_type, day, lambda key: Variable.get(key, default=None)
    )


@task
def ingest() -> None:
    """Read the business date's raw data."""
    run_stage("ingest", get_current_context()["ti"].xcom_pull(task_ids="business_date"))


@task(execution_timeout=timedelta(hours=2), outlets=[Asset("echelon_forecast_model")])
def train() -> None:
    """Train the model that nights from this business date use, unless it is current."""
    run_stage("train", get_current_context()["ti"].xcom_pull(task_ids="business_date"))


@dag(
    dag_id="weekly_train",
    schedule=BusinessDates(hours_after_midnight=1, weekday=SUNDAY),
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
        "as_of": Param(None, type=OPTIONAL, format="date"),
        "dataset": Param(None, type=OPTIONAL, enum=[None, "sample", "m5", "raw"]),
        "raw_dir": Param(None, type=OPTIONAL),
        "out_dir": Param(None, type=OPTIONAL),
        "settings_file": Param(None, type=OPTIONAL),
    },
    tags=["echelon"],
    doc_md=__doc__,
)
def weekly_train() -> None:
    """Ingest, then train."""
    business_date() >> ingest() >> train()


weekly_train()
