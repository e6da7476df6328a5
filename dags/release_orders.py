"""Release: what a night's large orders wait for. Asks in *Required actions*, then releases once.

Runs after the night of its business date. Backfills never ask and never release; a rerun finds its
lines decided. What holds when nobody answers is declared (ECHELON_APPROVAL_DEFAULT, default: leave
them waiting; ECHELON_APPROVAL_HOURS, default 12). Lines below the threshold leave in any case.
"""

from __future__ import annotations

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, get_current_context, task

from echelon_airflow.parts import OPTIONAL, business_date, dated, run_type, this_night
from echelon_airflow.release import (
    ANSWERS,
    DEFAULT,
    WAIT,
    may_release,
    question,
    settle_and_release,
)
from echelon_airflow.timetable import BusinessDates


@task.short_circuit
def releases_at_all() -> bool:
    """Skip everything in backfills, and where no target is configured."""
    return may_release(run_type())


@task.short_circuit(ignore_downstream_trigger_rules=False)
def waiting() -> str:
    """What waits; the question is skipped where nothing does."""
    return question(this_night())


@task(trigger_rule="none_failed")
def release() -> None:
    """Record the answer and release."""
    settle_and_release(this_night(), get_current_context()["ti"].xcom_pull(task_ids="approve"))


@dag(
    dag_id="release_orders",
    schedule=BusinessDates(hours_after_midnight=5),
    **dated(__doc__),
)
def release_orders() -> None:
    """Date, may it, what waits, a person, the release."""
    approve = HITLOperator(
        task_id="approve",
        subject="Orders that wait for a person",
        body="{{ ti.xcom_pull(task_ids='waiting') }}",
        options=list(ANSWERS),
        defaults=DEFAULT,
        response_timeout=WAIT,
        params={
            "comment": Param(None, type=OPTIONAL, description="Why; kept with the decision."),
            "lines": Param(None, type=OPTIONAL, description="Ids of lines to leave out."),
        },
    )
    business_date() >> releases_at_all() >> waiting() >> approve >> release()


release_orders()
