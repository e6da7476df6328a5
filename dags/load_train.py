"""Peak load, weekly: what is odd in the load series, and how their backtests score.

Skipped where the raw folder holds no load series.
"""

from __future__ import annotations

from airflow.sdk import dag

from echelon_airflow.parts import SUNDAY, business_date, dated, load_task
from echelon_airflow.timetable import BusinessDates


@dag(
    dag_id="load_train",
    schedule=BusinessDates(hours_after_midnight=2, weekday=SUNDAY),
    **dated(__doc__),
)
def load_train() -> None:
    """One stage, after the business date is fixed."""
    business_date() >> load_task("load_train")


load_train()
