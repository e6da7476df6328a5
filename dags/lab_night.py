"""A lab's night: plan one business date under both settings files; each item follows its arm.

Started by hand, once for each of the lab's business dates, after `echelon lab assign`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task

from echelon_airflow.parts import LAB_ARGS, by_hand
from echelon_airflow.trials import run_lab_night

PARAMS = {
    "lab": Param("configs/labs/cover.yaml", type="string"),
    "as_of": Param("2025-07-06", type="string", format="date", description="Business date."),
    "dataset": Param("sample", type="string", enum=["sample", "m5", "raw"]),
    "raw_dir": Param("data/sample", type="string"),
    "out_dir": Param("data/runs/lab", type="string"),
}


@task(execution_timeout=timedelta(hours=6))
def plan_by_arm() -> None:
    """Run both arms' stages and publish what each item's arm decided."""
    run_lab_night(get_current_context()["params"])


@dag(
    dag_id="lab_night",
    schedule=None,
    **by_hand(__doc__) | {"params": PARAMS, "default_args": LAB_ARGS},
)
def night_by_arm() -> None:
    """One task: the arms share the machine."""
    plan_by_arm()


night_by_arm()
