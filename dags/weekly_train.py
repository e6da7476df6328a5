"""The weekly training, ahead of the night that needs the model, so that no night waits for it.

Optional: the nightly DAG trains where no current model lies there, and gets the same bytes.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import Asset, dag, task

from echelon_airflow.parts import (
    DEFAULT_ARGS,
    SCHEDULED_UNTIL,
    TRAINING,
    business_date,
    params,
    this_night,
)
from echelon_airflow.tasks import run_stage
from echelon_airflow.timetable import BusinessDates

SUNDAY = 6  # the default of settings.forecast.train_weekday


@task
def ingest() -> None:
    """Read the business date's raw data."""
    run_stage("ingest", this_night())


@task(execution_timeout=TRAINING, outlets=[Asset("echelon_forecast_model")])
def train() -> None:
    """Train the model that nights from this business date use, unless it is current."""
    run_stage("train", this_night())


@dag(
    dag_id="weekly_train",
    schedule=BusinessDates(hours_after_midnight=1, weekday=SUNDAY),
    start_date=datetime(2011, 1, 1),
    end_date=SCHEDULED_UNTIL,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=params(),
    tags=["echelon"],
    doc_md=__doc__,
)
def weekly_train() -> None:
    """Ingest, then train."""
    business_date() >> ingest() >> train()


weekly_train()
