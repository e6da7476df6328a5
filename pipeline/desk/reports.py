"""The night's static pages beside the desk: the report that went by mail, peak load, labor."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from pipeline.desk.rendering import HEADERS
from pipeline.desk.site import Known, The
from pipeline.errors import MissingPartitionError

POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
REPORTS = {"report": "The night's report", "load_report": "Peak load",
           "labor_report": "Labor, doors and carts"}  # fmt: skip
"""Published files that hold a page, and what they are called."""
router = APIRouter()


@router.get("/{place}/{as_of}/{name}.html")
def report(desk: The, _: Known, place: str, as_of: date, name: str) -> HTMLResponse:
    """A published page, in a sandbox without scripts or cookies: names in it come from files."""
    if name not in REPORTS:
        raise HTTPException(
            404, f"There is no report {name[:40]}. There are: {', '.join(REPORTS)}."
        )
    try:
        files = desk.nights.store(place).read_files(as_of, name)
    except MissingPartitionError:
        raise HTTPException(404, f"The night of {as_of} has no {REPORTS[name].lower()}.") from None
    headers = HEADERS | {"Content-Security-Policy": POLICY}
    return HTMLResponse(files["report.html"], headers=headers)
