"""Watch: every hour, tell once of nights that are late or broken, stock-outs and full nodes.

By mail and webhook as the environment says (ECHELON_SMTP, ECHELON_WEBHOOK; docs/desk.md); without
either it does nothing. A what-if or backfill is not told of: it looks at the newest night alone.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task

from echelon_airflow.parts import business_date, dated, this_night
from echelon_airflow.release import tell_of


@task
def look() -> None:
    """Tell what has not been told."""
    tell_of(this_night())


@dag(dag_id="watch_nights", schedule=timedelta(hours=1), **dated(__doc__))
def watch_nights() -> None:
    """Where the nights lie, then a look at them."""
    business_date() >> look()


watch_nights()
