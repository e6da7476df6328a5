"""A simulation: compare policies in a scenario, against a world that answers. Started by hand.

A retry resumes where the last night ended; the report lies under <out_dir>/<scenario>/results.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Asset, Param, dag, get_current_context, task

from echelon_airflow.parts import LAB_ARGS, by_hand
from echelon_airflow.trials import run_simulation
from pipeline.stages import SIMULATE

PARAMS = {
    "scenario": Param("configs/scenarios/baseline.yaml", type="string"),
    "compare": Param("echelon,single_echelon", type="string", description="Policies."),
    "days": Param(None, type=["null", "integer"], minimum=1, description="Empty: as declared."),
    "out_dir": Param("data/runs/simulations", type="string"),
}


@task(
    execution_timeout=timedelta(hours=24),
    outlets=[Asset(f"echelon_{name}") for name in (*SIMULATE.writes, *SIMULATE.files)],
)
def simulate() -> None:
    """Run the scenario night by night; publish its tables and report."""
    run_simulation(get_current_context()["params"])


@dag(
    dag_id="simulate",
    schedule=None,
    **by_hand(__doc__) | {"params": PARAMS, "default_args": LAB_ARGS},
)
def simulation() -> None:
    """One task: a run keeps its own checkpoints."""
    simulate()


simulation()
