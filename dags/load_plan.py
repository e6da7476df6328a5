"""Peak load, nightly: forecasts from weeks to minutes, capacity orders, the load report.

The logical date is the business date; events count from the date on which they are announced.
Skipped where the raw folder holds no load series.
"""

from __future__ import annotations

from airflow.sdk import dag

from echelon_airflow.parts import business_date, dated, load_task
from echelon_airflow.timetable import BusinessDates


@dag(
    dag_id="load_plan",
    schedule=BusinessDates(hours_after_midnight=4),
    **dated(__doc__),
)
def load_plan() -> None:
    """One stage, after the business date is fixed."""
    business_date() >> load_task("load_plan")


load_plan()
