"""The routes of approval and release."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from pipeline.desk.approving import approval_page
from pipeline.desk.people import Person, require_within, require_writer
from pipeline.desk.releasing import release_night
from pipeline.desk.site import Desk, Known, The, back
from pipeline.records.decisions import decide
from pipeline.records.releases import confirm

router = APIRouter()


@router.get("/{place}/{as_of}/approval")
def approval(request: Request, desk: The, person: Known, place: str, as_of: date) -> Response:
    """Orders by state: what waits for a person, what may leave, what has left."""
    night, root = desk.nights.night(place, as_of), desk.nights.store(place).root
    found = approval_page(night, desk.records, root, desk.settings.review.approval_usd)
    return desk.show(request, person, place, as_of, "approval", release_to=desk.release_to, **found)


@router.post("/{place}/{as_of}/approval")
async def decided(request: Request, desk: The, person: Known, place: str, as_of: date) -> Response:
    """Approve or refuse the ticked lines, release all that may leave, or confirm a release."""
    require_writer(request, person)
    sent = await request.form(max_files=0, max_fields=100_000)
    action = str(sent.get("action", ""))
    if action == "release":
        release(desk, person, place, as_of)
    elif action == "confirm":
        confirm(desk.kept(), str(sent.get("release_key", "")), as_of, person.name)
    elif action in ("approve", "refuse"):
        ticked = {str(value) for value in sent.getlist("line")}
        comment = str(sent.get("comment", "")).strip()[:500]
        _decide(desk, person, place, as_of, ticked, action == "approve", comment)
    else:
        raise HTTPException(422, "action: approve, refuse, release or confirm.")
    return back(request, place, as_of, "approval")


def release(desk: Desk, person: Person, place: str, as_of: date) -> None:
    """Prepare what may leave, then deliver all that is prepared; each line once, whatever fails."""
    if not desk.release_to:
        raise HTTPException(404, "No target of releases is configured.")
    desk.nights.night(place, as_of)  # 404 where nothing of it is published
    release_night(
        desk.nights.store(place), as_of, desk.kept(), desk.settings.review.approval_usd,
        desk.release_to, person.name,
    )  # fmt: skip


def _decide(
    desk: Desk, person: Person, place: str, as_of: date, ticked: set[str], is_approved: bool,
    comment: str,
) -> None:  # fmt: skip
    rows = desk.nights.night(place, as_of).rows(
        "select order_line_id, order_units, order_cost_usd from purchase_orders", (),
        "purchase_orders",
    )  # fmt: skip
    units = {row["order_line_id"]: row["order_units"] for row in rows}
    unknown = sorted(ticked - set(units))
    if unknown:
        raise HTTPException(
            422, f"No such line tonight: {', '.join(unknown[:5])}. The night was planned anew: "
            "look again.",
        )  # fmt: skip
    if not ticked:
        raise HTTPException(422, "No line was ticked.")
    for row in rows:
        if is_approved and row["order_line_id"] in ticked:
            limit = desk.settings.review.planner_approval_usd
            require_within(person, row["order_cost_usd"], limit, row["order_line_id"])
    chosen = [(line, units[line]) for line in sorted(ticked)]
    root = desk.nights.store(place).root
    decide(desk.kept(), root, chosen, is_approved, comment, person.name)
