"""A lab's night: plan one business date under both settings files; each item follows its arm.

Started by hand or by a backfill over the lab's business dates, after `echelon lab assign`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task


@task(execution_timeout=timedelta(hours=6))
def plan_by_arm() -> None:
    """Run both arms' stages and publish what each item's arm decided."""
    from datetime import date  # noqa: PLC0415  only the worker needs these
    from pathlib import Path  # noqa: PLC0415  as above

    from airflow.sdk.exceptions import AirflowFailException  # noqa: PLC0415  as above

    from pipeline.errors import EchelonError  # noqa: PLC0415  as above
    from pipeline.simulate.labs.plan import load_lab  # noqa: PLC0415  as above
    from pipeline.simulate.labs.stage import lab_night  # noqa: PLC0415  as above
    from pipeline.store import Source, Store  # noqa: PLC0415  as above

    params = get_current_context()["params"]
    root = Path(__file__).resolve().parents[1]
    try:
        lab = load_lab(root / params["lab"])
        lab = lab.model_copy(update={
            name: root / path for name in ("settings_a", "settings_b")
            if (path := getattr(lab, name)) is not None
        })  # fmt: skip
        source = Source(params["dataset"], root / params["raw_dir"])
        store = Store(root / params["out_dir"])
        routed = lab_night(lab, store, source, date.fromisoformat(params["as_of"]))
    except EchelonError as error:  # no retry can mend what the input says
        raise AirflowFailException(str(error)) from error
    print(f"order lines by arm: {routed.lines}; small orders: {routed.small_vendors}")


@dag(
    dag_id="lab_night",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "pool": "echelon_labs"},
    params={
        "lab": Param("configs/labs/cover.yaml", type="string"),
        "as_of": Param("2025-07-06", type="string", format="date", description="Business date."),
        "dataset": Param("sample", type="string", enum=["sample", "m5", "raw"]),
        "raw_dir": Param("data/sample", type="string"),
        "out_dir": Param("data/runs/lab", type="string"),
    },
    tags=["echelon"],
    doc_md=__doc__,
)
def night_by_arm() -> None:
    """One task: the arms share the machine."""
    plan_by_arm()


night_by_arm()
