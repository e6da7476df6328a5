"""The routes of overrides: a form with a preview, pasted rows, and the versions of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from pipeline.contracts.columns import OVERRIDE_KINDS, OVERRIDE_TARGETS
from pipeline.desk.people import Person, require_within, require_writer
from pipeline.desk.preview import Preview, preview
from pipeline.desk.scoring import SCORED_AFTER_DAYS, override_scores, scores_by_planner
from pipeline.desk.site import Desk, Known, The, back
from pipeline.desk.tables import NightTables
from pipeline.errors import UsageError
from pipeline.records.overrides import (
    SCOPES,
    Override,
    current_overrides,
    describe,
    from_fields,
    override_history,
    parse_pasted,
    save_override,
)

MOST_FORM_BYTES = 1_000_000
FIELDS = (
    "override_id", "version", "override_target", "override_kind", "override_value", *SCOPES,
    "start_date", "expiry_date", "why",
)  # fmt: skip
router = APIRouter()


@router.get("/{place}/{as_of}/overrides")
def overrides(request: Request, desk: The, person: Known, place: str, as_of: date) -> Response:
    """Overrides in force or coming, and the form for a new one (filled from the address)."""
    return _page(request, desk, person, place, as_of, dict(request.query_params))


@router.post("/{place}/{as_of}/overrides")
async def change(request: Request, desk: The, person: Known, place: str, as_of: date) -> Response:
    """Preview an override, save it, or withdraw it (the form's `action`)."""
    fields = await _form(request, person) | {"planner": person.name}
    action = fields.pop("action", "preview")
    try:
        override = from_fields(fields, as_of)
        if problems := override.problems():
            raise UsageError("; ".join(problems))
        if action == "preview":
            seen = preview(desk.nights.store(place), as_of, desk.settings, override)
            return _page(request, desk, person, place, as_of, fields, seen=seen)
        if action == "save":
            _guard(desk, person, place, as_of, override)
        kept = replace(override, is_withdrawn=action == "withdraw")
        save_override(desk.kept(), kept, person.name)
    except UsageError as error:
        return _page(request, desk, person, place, as_of, fields, str(error).split("; "))
    return back(request, place, as_of, "overrides")


@router.post("/{place}/{as_of}/overrides/paste")
async def paste(request: Request, desk: The, person: Known, place: str, as_of: date) -> Response:
    """Overrides pasted from a spreadsheet: all are saved, or none and why."""
    fields = await _form(request, person)
    found, problems = parse_pasted(fields.get("pasted", ""), person.name, as_of)
    if problems:
        return _page(request, desk, person, place, as_of, fields, problems)
    try:
        for override in found:
            _guard(desk, person, place, as_of, override)
    except UsageError as error:
        return _page(request, desk, person, place, as_of, fields, [str(error)])
    for override in found:
        save_override(desk.kept(), override, person.name)
    return back(request, place, as_of, "overrides")


def _guard(desk: Desk, person: Person, place: str, as_of: date, override: Override) -> None:
    """UsageError where the override moves more of tonight's money than the person may."""
    if person.is_lead or not desk.nights.night(place, as_of).has("purchase_orders"):
        return
    seen = preview(desk.nights.store(place), as_of, desk.settings, override)
    moved = float(seen.lines["usd"].abs().sum())
    require_within(person, moved, desk.settings.review.planner_override_usd, describe(override))


@router.get("/{place}/{as_of}/overrides/{override_id}")
def history(
    request: Request, desk: The, person: Known, place: str, as_of: date, override_id: str
) -> Response:
    """All versions of an override."""
    versions = override_history(desk.kept(), override_id)
    if not versions:
        raise HTTPException(404, f"There is no override {override_id}.")
    return desk.show(
        request, person, place, as_of, "override", current="overrides", versions=versions
    )


def _value_added(night: NightTables) -> list[dict[str, Any]]:
    """Overrides of forecasts: how much nearer to what came they were than the system's own."""
    return night.rows(
        "select planner, override_kind, override_direction, horizon_days, error_units_before, "
        "error_units, value_added_units from forecast_value_added order by 1, 2, 3, 4", (),
        "forecast_value_added",
    )  # fmt: skip


async def _form(request: Request, person: Person) -> dict[str, str]:
    require_writer(request, person)
    size = request.headers.get("content-length", "")
    if not size.isdigit() or int(size) > MOST_FORM_BYTES:
        raise HTTPException(413, f"A form may hold {MOST_FORM_BYTES:,} bytes at most.")
    sent = await request.form(max_files=0)
    return {name: str(value).strip() for name, value in sent.items()}


def _page(
    request: Request, desk: Desk, person: Person, place: str, as_of: date, filled: dict[str, str],
    problems: list[str] | None = None, seen: Preview | None = None,
) -> Response:  # fmt: skip
    filled = dict.fromkeys(FIELDS, "") | filled
    snapshot = desk.nights.night(place, as_of).rows(
        "select * from overrides order by expiry_date, override_id", (), "overrides"
    )
    night = desk.nights.night(place, as_of)
    rate = desk.settings.planning.holding_rate_per_year
    scores = night.remember("override_scores", lambda: override_scores(night.store, as_of, rate))
    current = [] if desk.records is None else current_overrides(desk.records, as_of)
    return desk.show(
        request, person, place, as_of, "overrides", status=422 if problems else 200,
        current_overrides=current, snapshot=snapshot, filled=filled, problems=problems or [],
        seen=seen, scopes=SCOPES, fields=FIELDS, targets=OVERRIDE_TARGETS, kinds=OVERRIDE_KINDS,
        has_records=desk.records is not None, scores=scores_by_planner(scores),
        scored_days=SCORED_AFTER_DAYS, value_added=_value_added(night),
    )  # fmt: skip
