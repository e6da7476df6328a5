"""A simulation: compare policies in a scenario, against a world that answers. Started by hand.

A retry resumes where the last night ended; the report lies under <out_dir>/<scenario>/results.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Asset, Param, Variable, dag, get_current_context, task

from echelon_airflow.roots import require_allowed
from pipeline.stages import SIMULATE


@task(
    execution_timeout=timedelta(hours=24),
    outlets=[Asset(f"echelon_{name}") for name in (*SIMULATE.writes, *SIMULATE.files)],
)
def simulate() -> None:
    """Run the scenario night by night; publish its tables and report."""
    from pathlib import Path  # noqa: PLC0415  only the worker needs these

    from airflow.sdk.exceptions import AirflowFailException  # noqa: PLC0415  as above

    from pipeline.errors import SettingsError, UsageError  # noqa: PLC0415  as above
    from pipeline.simulate.scenarios.scenario import load_scenario  # noqa: PLC0415  as above
    from pipeline.simulate.stage import run_scenario  # noqa: PLC0415  as above

    params = get_current_context()["params"]
    root = Path(__file__).resolve().parents[1]
    for name, below in (("scenario", "configs"), ("out_dir", "data")):
        require_allowed(name, str(root / params[name]), [str(root / below)],
                        lambda key: Variable.get(key, default=None))  # fmt: skip
    try:
        scenario = load_scenario(root / params["scenario"])
        raw_dir = root / scenario.raw_dir
        scenario = scenario.model_copy(update={"raw_dir": raw_dir})
        run_scenario(
            scenario, params["compare"].split(","), root / params["out_dir"] / scenario.name,
            params["days"],
            on_day=lambda day: print(f"{day.policy} #{day.replication} {day.as_of}: "
                                     f"{day.profit_usd:,.0f} USD"),
        )  # fmt: skip
    except (SettingsError, UsageError) as error:  # no retry can mend these
        raise AirflowFailException(str(error)) from error


@dag(
    dag_id="simulate",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "pool": "echelon_labs"},
    params={
        "scenario": Param("configs/scenarios/baseline.yaml", type="string"),
        "compare": Param("echelon,single_echelon", type="string", description="Policies."),
        "days": Param(None, type=["null", "integer"], minimum=1, description="Empty: as declared."),
        "out_dir": Param("data/runs/simulations", type="string"),
    },
    tags=["echelon"],
    doc_md=__doc__,
)
def simulation() -> None:
    """One task: a run keeps its own checkpoints."""
    simulate()


simulation()
