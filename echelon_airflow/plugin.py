"""What Airflow loads at the start of each of its processes; keep it light."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from echelon_airflow.timetable import BusinessDates


class EchelonPlugin(AirflowPlugin):
    """Registers the timetable, so that the scheduler can read it back."""

    name = "echelon"
    timetables = [BusinessDates]  # noqa: RUF012  Airflow declares the attribute as a plain list
