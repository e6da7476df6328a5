"""The weekly training, ahead of the night that needs the model, so that no night waits for it.

Optional: the nightly DAG trains where no current model lies there, and gets the same bytes.
"""

from __future__ import annotations

from airflow.sdk import dag

from echelon_airflow.parts import SUNDAY, business_date, dated, stage_task
from echelon_airflow.timetable import BusinessDates
from pipeline.stages import BY_NAME


@dag(
    dag_id="weekly_train",
    schedule=BusinessDates(hours_after_midnight=1, weekday=SUNDAY),
    **dated(__doc__),
)
def weekly_train() -> None:
    """Ingest, then train."""
    business_date() >> stage_task(BY_NAME["ingest"]) >> stage_task(BY_NAME["train"])


weekly_train()
