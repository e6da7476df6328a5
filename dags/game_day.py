"""A game day's script: the busiest day of the next fortnight, minute by minute. Started by hand.

It only writes the script; load is sent by a person: `echelon load gameday-run`.
"""

from __future__ import annotations

from airflow.sdk import dag

from echelon_airflow.parts import business_date, by_hand, load_task


@dag(dag_id="game_day", schedule=None, **by_hand(__doc__))
def game_day() -> None:
    """One stage, after the business date is fixed."""
    business_date() >> load_task("game_day")


game_day()
