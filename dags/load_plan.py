"""Peak load, nightly: forecasts from weeks to minutes, capacity orders, the load report.

The logical date is the business date; events count from the date on which they are announced.
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

STAGE = next(stage for stage in LOAD_STAGES if stage.name == "load_plan")


@task(outlets=[Asset(f"echelon_{made}") for made in (*STAGE.writes, *STAGE.files)])
def plan() -> None:
    """Run the stage and publish its tables."""
    run_load(STAGE.name, this_night())


@dag(
    dag_id="load_plan",
    schedule=BusinessDates(hours_after_midnight=4),
    start_date=datetime(2011, 1, 1),
    end_date=SCHEDULED_UNTIL,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=params(),
    tags=["echelon"],
    doc_md=__doc__,
)
def load_plan() -> None:
    """One stage, after the business date is fixed."""
    business_date() >> plan()


load_plan()
