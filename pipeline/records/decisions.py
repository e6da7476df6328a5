"""Approvals: which of a night's order lines a person has approved or refused, and who."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select

from pipeline.records.database import DECISIONS, RELEASED_LINES, Records, now

_NAMED = 100
"""So many lines are named in the audit; all of them are in order_decisions."""


@dataclass(frozen=True)
class Decision:
    """The last decision on an order line: on how many units, approved or not, by whom."""

    order_line_id: str
    order_units: int
    is_approved: bool
    comment: str
    person: str


def decide(
    records: Records, place: str, lines: Iterable[tuple[str, int]], is_approved: bool, comment: str,
    person: str,
) -> int:  # fmt: skip
    """Approve or refuse lines (order_line_id, order_units) that are not released; how many."""
    chosen = list(lines)
    word = "approve" if is_approved else "refuse"
    named = ", ".join(f"{line} ({units:,})" for line, units in chosen[:_NAMED])
    more = f" and {len(chosen) - _NAMED:,} more" if len(chosen) > _NAMED else ""
    detail = f"{len(chosen)} lines: {comment}; {named}{more}"
    with records.writing(person, word, place, detail) as connection:
        released = set(
            connection.scalars(
                select(RELEASED_LINES.c.order_line_id).where(RELEASED_LINES.c.place == place)
            )
        )
        rows = [
            {
                "place": place, "order_line_id": line, "order_units": int(units),
                "is_approved": int(is_approved), "comment": comment, "person": person,
                "recorded_at": now(),
            }
            for line, units in chosen
            if line not in released
        ]  # fmt: skip
        if rows:
            connection.execute(insert(DECISIONS), rows)
    return len(rows)


def decisions(records: Records, place: str, prefix: str) -> dict[str, Decision]:
    """The last decision on each line whose id starts with `prefix` (a business date)."""
    query = (
        select(DECISIONS)
        .where(DECISIONS.c.place == place, DECISIONS.c.order_line_id.startswith(prefix))
        .order_by(DECISIONS.c.id)
    )
    with records.reading() as connection:
        rows = connection.execute(query).mappings().all()
    return {
        row["order_line_id"]: Decision(
            row["order_line_id"], row["order_units"], bool(row["is_approved"]), row["comment"],
            row["person"],
        )
        for row in rows
    }  # fmt: skip
