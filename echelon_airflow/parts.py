"""What the DAG files share: the first task, parameters, a stage's task. Imports nothing heavy."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Asset, Param, Variable, get_current_context, task
from airflow.utils.types import DagRunType

from echelon_airflow.tasks import resolve_night, run_load, run_stage
from pipeline.stages import LOAD_STAGES, Stage

OPTIONAL = ["null", "string"]
SUNDAY = 6
"""The weekday of weekly DAGs: the default of settings.forecast.train_weekday."""
_UNTIL = os.environ.get("ECHELON_SCHEDULE_UNTIL")
SCHEDULED_UNTIL = datetime.fromisoformat(_UNTIL) if _UNTIL else None
"""Last date that is scheduled, if any; backfills ignore it."""
_TRIES = {"retries": 2, "retry_delay": timedelta(minutes=5)}
DEFAULT_ARGS = _TRIES | {"execution_timeout": timedelta(minutes=30), "pool": "echelon"}
LAB_ARGS = _TRIES | {"pool": "echelon_labs"}
_TRAINING = timedelta(hours=2)


def by_hand(doc: str | None) -> dict[str, Any]:
    """Arguments of a DAG that only a person starts."""
    return {
        "catchup": False, "max_active_runs": 1, "default_args": DEFAULT_ARGS, "params": _params(),
        "tags": ["echelon"], "doc_md": doc,
    }  # fmt: skip


def dated(doc: str | None) -> dict[str, Any]:
    """Arguments of a DAG that is scheduled by business dates."""
    return by_hand(doc) | {"start_date": datetime(2011, 1, 1), "end_date": SCHEDULED_UNTIL}


@task(task_id="business_date", execution_timeout=timedelta(minutes=5))
def business_date() -> dict[str, str]:
    """Fix the business date and where its data lie, once for all tasks."""
    context = get_current_context()
    run = context["dag_run"]
    day = run.logical_date.date() if run.logical_date else None
    return resolve_night(
        context["params"], run_type(), day, lambda key: Variable.get(key, default=None),
        run.run_after.date(),
    )  # fmt: skip


def run_type() -> str:
    """What started the run, e.g. 'manual': a worker's context has it as a member of an
    enumeration, whose text is another one."""
    return DagRunType(get_current_context()["dag_run"].run_type).value


def this_night() -> dict[str, str]:
    """What `business_date` fixed, inside a later task."""
    night: dict[str, str] = get_current_context()["ti"].xcom_pull(task_ids="business_date")
    return night


def stage_task(stage: Stage) -> Any:
    """The task of one of the night's stages, with the tables that it makes as its assets."""
    compares = bool(stage.reads_previous or stage.reads_earlier)
    return _stage.override(
        task_id=stage.name,
        pool="echelon_changes" if compares else "echelon",
        execution_timeout=_TRAINING if stage.name == "train"
        else DEFAULT_ARGS["execution_timeout"],
        outlets=_assets(stage),
    )(stage.name)  # fmt: skip


def load_task(name: str) -> Any:
    """The task of one of the load stages, with the tables that it makes as its assets."""
    stage = next(stage for stage in LOAD_STAGES if stage.name == name)
    return _load.override(task_id=name, outlets=_assets(stage))(name)


@task
def _stage(name: str) -> None:
    run_stage(name, this_night())


@task
def _load(name: str) -> None:
    run_load(name, this_night())


def _assets(stage: Stage) -> list[Asset]:
    return [Asset(f"echelon_{made}") for made in (*stage.writes, *stage.files)]


def _params() -> dict[str, Any]:
    """The typed form of a manual run; what is left empty comes from Variables, then defaults."""
    return {
        "as_of": Param(None, type=OPTIONAL, format="date", description="Manual runs only: this "
                       "business date. Empty: the logical date, or, where that day has not ended "
                       "yet, the newest date that can be planned."),
        "dataset": Param(None, type=OPTIONAL, enum=[None, "sample", "m5", "raw"]),
        "raw_dir": Param(None, type=OPTIONAL, description="Folder of the raw data."),
        "out_dir": Param(None, type=OPTIONAL, description="Where tables and reports go. Give a "
                         "what-if run a folder of its own."),
        "settings_file": Param(None, type=OPTIONAL, description="YAML; empty: the defaults."),
    }  # fmt: skip
