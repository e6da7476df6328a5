"""A game day's script: the busiest day of the next fortnight, minute by minute. Started by hand.

It only writes the script; load is sent by a person: `echelon load gameday-run`.
"""

from __future__ import annotations

from airflow.sdk import Asset, dag, task

from echelon_airflow.parts import (
    DEFAULT_ARGS,
    business_date,
    params,
    this_night,
)
from echelon_airflow.tasks import run_load
from pipeline.stages import LOAD_STAGES

STAGE = next(stage for stage in LOAD_STAGES if stage.name == "game_day")


@task(outlets=[Asset(f"echelon_{made}") for made in (*STAGE.writes, *STAGE.files)])
def script() -> None:
    """Run the stage and publish its tables."""
    run_load(STAGE.name, this_night())


@dag(
    dag_id="game_day",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=params(),
    tags=["echelon"],
    doc_md=__doc__,
)
def game_day() -> None:
    """One stage, after the business date is fixed."""
    business_date() >> script()


game_day()
