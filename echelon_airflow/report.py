"""The report as a page of Airflow's: a tab on each run, and a list of planned nights.

Airflow does not authenticate the apps of plugins, so every route here requires the right to read
the nightly DAG. A report may hold names from raw files: it is served into a sandbox without
scripts or cookies.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from fastapi import FastAPI

PREFIX = "/echelon"
DAG_ID = "nightly_plan"
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
LIST_HEADERS = {
    "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}  # fmt: skip
REPORT_HEADERS = LIST_HEADERS | {"Content-Security-Policy": f"sandbox; {POLICY}"}


async def report_app(scope: Any, receive: Any, send: Any) -> None:
    """ASGI entry that builds the app when it is first asked: every task imports plugins too."""
    await build_app()(scope, receive, send)


@cache
def build_app() -> FastAPI:
    """Routes: /nights (all reports), /nights/DATE, and /run?run_id=… (the run's own report)."""
    from airflow.api_fastapi.core_api.security import requires_access_dag
    from fastapi import Depends, FastAPI
    from fastapi.responses import HTMLResponse

    allowed = Depends(requires_access_dag("GET", param_dag_id=DAG_ID))
    app = FastAPI(dependencies=[allowed], docs_url=None, redoc_url=None, openapi_url=None)

    def page(night: dict[str, str]) -> HTMLResponse:
        content = _report(night["out_dir"], date.fromisoformat(night["as_of"]))
        if content is None:
            return missing(
                f"The night of {night['as_of']} has no report yet. It is the last thing that a "
                "night makes: look again when the run has ended, or at the log of a failed task."
            )
        return HTMLResponse(content, headers=REPORT_HEADERS)

    def missing(text: str) -> HTMLResponse:
        return HTMLResponse(_page("No report", f"<p>{escape(text)}</p>"), 404, LIST_HEADERS)

    @app.get("/nights")
    def nights() -> HTMLResponse:
        """Links to the reports in the default folder, the newest first."""
        return HTMLResponse(_list_nights(_night({}, None)["out_dir"]), headers=LIST_HEADERS)

    @app.get("/nights/{as_of}")
    def night(as_of: date) -> HTMLResponse:
        """The report of a business date in the default folder."""
        return page(_night({}, as_of))

    @app.get("/run")
    def run(run_id: str) -> HTMLResponse:
        """The report that a run of the nightly DAG wrote, wherever its parameters say."""
        found = _run_night(run_id)
        return page(found) if found else missing("There is no such run, or it has no date yet.")

    return app


def _night(
    params: dict[str, Any], day: date | None, run_type: str = "manual", asked_on: date | None = None
) -> dict[str, str]:
    from echelon_airflow.tasks import resolve_night

    return resolve_night(
        params, run_type, day, lambda key: Variable.get(key, default=None), asked_on
    )


def _run_night(run_id: str) -> dict[str, str] | None:
    from airflow.models import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        chosen = select(DagRun).where(DagRun.dag_id == DAG_ID, DagRun.run_id == run_id)
        run = session.scalar(chosen)
        if run is None:
            return None
        day = run.logical_date.date() if run.logical_date else None
        try:
            return _night(dict(run.conf or {}), day, run.run_type, run.run_after.date())
        except AirflowFailException:  # a place that is not, or no longer, allowed
            return None


def _report(out_dir: str, as_of: date) -> bytes | None:
    from pipeline.errors import EchelonError
    from pipeline.store import Store

    try:
        return Store(out_dir).read_files(as_of, "report")["report.html"]
    except EchelonError:
        return None


def _list_nights(out_dir: str) -> str:
    from pipeline.store import Store

    days = sorted(Store(out_dir).dates("report"), reverse=True)
    links = "".join(f'<li><a href="nights/{day}">{day}</a></li>' for day in days)
    return _page("Planned nights", f"<ul>{links or '<li>None yet.</li>'}</ul>")


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<style>:root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;margin:2rem}"
        f"</style><h1>{title}</h1>{content}</html>"
    )
