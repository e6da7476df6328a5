"""What the planning DAGs share: the first task, parameters, defaults. Imports nothing heavy."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Param, Variable, get_current_context, task

from echelon_airflow.tasks import resolve_night

OPTIONAL = ["null", "string"]
_UNTIL = os.environ.get("ECHELON_SCHEDULE_UNTIL")
SCHEDULED_UNTIL = datetime.fromisoformat(_UNTIL) if _UNTIL else None
"""Last date that is scheduled, if any; backfills ignore it."""
TRAINING = timedelta(hours=2)
DEFAULT_ARGS = {
    "retries": 2,
    "retry_delay": timedelta(minutes=5),
    "execution_timeout": timedelta(minutes=30),
    "pool": "echelon",
}


def params() -> dict[str, Any]:
    """The typed form of a manual run; what is left empty comes from Variables, then defaults."""
    return {
        "as_of": Param(None, type=OPTIONAL, format="date", description="Manual runs only: this "
                       "business date instead of the logical date."),
        "dataset": Param(None, type=OPTIONAL, enum=[None, "sample", "m5", "raw"]),
        "raw_dir": Param(None, type=OPTIONAL, description="Folder of the raw data."),
        "out_dir": Param(None, type=OPTIONAL, description="Where tables and reports go. Give a "
                         "what-if run a folder of its own."),
        "settings_file": Param(None, type=OPTIONAL, description="YAML; empty: the defaults."),
    }  # fmt: skip


@task(task_id="business_date", execution_timeout=timedelta(minutes=5))
def business_date() -> dict[str, str]:
    """Fix the business date and where its data lie, once for all tasks."""
    context = get_current_context()
    run = context["dag_run"]
    day = run.logical_date.date() if run.logical_date else None
    return resolve_night(
        context["params"], run.run_type, day, lambda key: Variable.get(key, default=None)
    )


def this_night() -> dict[str, str]:
    """What `business_date` fixed, inside a later task."""
    night: dict[str, str] = get_current_context()["ti"].xcom_pull(task_ids="business_date")
    return night
