"""What Airflow loads at the start of each of its processes; keep it light."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from echelon_airflow.desk import DESK_PREFIX, desk_app
from echelon_airflow.report import PREFIX, report_app
from echelon_airflow.timetable import BusinessDates


class EchelonPlugin(AirflowPlugin):
    """Registers the timetable, so that the scheduler can read it back, and the report's pages."""

    # Airflow declares these attributes as plain lists of the instance.
    name = "echelon"
    timetables = [BusinessDates]  # noqa: RUF012  see above
    fastapi_apps = [  # noqa: RUF012  as above
        {"app": report_app, "url_prefix": PREFIX, "name": "echelon"},
        {"app": desk_app, "url_prefix": DESK_PREFIX, "name": "echelon_desk"},
    ]
    external_views = [  # noqa: RUF012  as above
        {
            "name": "Plan", "href": f"{PREFIX}/run?run_id={{RUN_ID}}",
            "destination": "dag_run", "url_route": "plan",
        },
        {
            "name": "Desk", "href": f"{DESK_PREFIX}/",
            "destination": "nav", "url_route": "desk",
        },
        {
            "name": "Planned nights", "href": f"{PREFIX}/nights",
            "destination": "nav", "url_route": "planned-nights",
        },
    ]  # fmt: skip
