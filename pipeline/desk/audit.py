"""Page *Audit*: who changed, approved, released what and when, the newest first."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import func, or_, select

from pipeline.desk.site import Known, The
from pipeline.records.database import AUDIT, Records

PAGE_ROWS = 200
router = APIRouter()


@router.get("/{place}/{as_of}/audit")
def audit(
    request: Request, desk: The, person: Known, place: str, as_of: date, q: str = "",
    who: str = "", action: str = "", page: int = 1,
) -> Response:  # fmt: skip
    """The audit table, searched and filtered by the address."""
    desk.nights.night(place, as_of)  # 404 where there is no such night to come from
    asked = q.strip()[:200], who, action, max(1, min(page, 100_000))
    found = audit_page(desk.records, *asked)
    return desk.show(request, person, place, as_of, "audit", **found)


def audit_page(records: Records | None, q: str, who: str, action: str, page: int) -> dict[str, Any]:
    """`rows` of a page (newest first), `count` in all, and the `people` and `actions` there are."""
    if records is None:
        return {"rows": [], "count": 0, "page": 1, "page_count": 1, "q": q, "who": who,
                "action": action, "people": [], "actions": [], "has_records": False}  # fmt: skip
    table = AUDIT.c
    terms = []
    if who:
        terms.append(table.person == who)
    if action:
        terms.append(table.action == action)
    if q:
        text = func.lower(q)
        terms.append(or_(
            func.lower(table.subject).contains(text, autoescape=False),
            func.lower(table.detail).contains(text, autoescape=False),
        ))  # fmt: skip
    with records.reading() as connection:
        count = connection.execute(select(func.count()).select_from(AUDIT).where(*terms)).scalar()
        rows = connection.execute(
            select(AUDIT).where(*terms).order_by(table.id.desc()).limit(PAGE_ROWS)
            .offset((page - 1) * PAGE_ROWS)
        ).mappings().all()  # fmt: skip
        people = connection.execute(select(table.person).distinct().order_by(table.person))
        actions = connection.execute(select(table.action).distinct().order_by(table.action))
        return {
            "rows": [dict(row) for row in rows], "count": int(count or 0), "page": page,
            "page_count": max(1, -(-int(count or 0) // PAGE_ROWS)), "q": q, "who": who,
            "action": action, "people": list(people.scalars()), "actions": list(actions.scalars()),
            "has_records": True,
        }  # fmt: skip
