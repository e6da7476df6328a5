"""Peak load, weekly: what is odd in the load series, and how their backtests score.

Skipped where the raw folder holds no load series.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import Asset, dag, task

from echelon_airflow.parts import (
    DEFAULT_ARGS,
    SCHEDULED_UNTIL,
    business_date,
    params,
    this_night,
)
from echelon_airflow.tasks import run_load
from echelon_airflow.timetable import BusinessDates
from pipeline.stages import LOAD_STAGES

SUNDAY = 6
STAGE = next(stage for stage in LOAD_STAGES if stage.name == "load_train")


@task(outlets=[Asset(f"echelon_{made}") for made in (*STAGE.writes, *STAGE.files)])
def train() -> None:
    """Run the stage and publish its tables."""
    run_load(STAGE.name, this_night())


@dag(
    dag_id="load_train",
    schedule=BusinessDates(hours_after_midnight=2, weekday=SUNDAY),
    start_date=datetime(2011, 1, 1),
    end_date=SCHEDULED_UNTIL,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=params(),
    tags=["echelon"],
    doc_md=__doc__,
)
def load_train() -> None:
    """One stage, after the business date is fixed."""
    business_date() >> train()


load_train()
