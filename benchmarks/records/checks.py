"""A record, the answers to it, and the rows that compare them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_TOLERANCE = 0.01  # relative, where a record names none


class NotSolvedError(Exception):
    """The record cannot be answered; the message says why."""


@dataclass(frozen=True)
class Record:
    """One benchmark record: parameters, quantities to reproduce, and how far to trust them."""

    id: str
    params: dict[str, Any]
    published: dict[str, Any]
    derived: dict[str, Any]
    recomputed: dict[str, Any]
    confidence: str
    tolerance_rel: float | None
    tolerance_abs: float | None
    tolerance_percentage_points: float | None
    notes: str
    file: str

    @property
    def expected(self) -> dict[str, Any]:
        """Published quantities, then derived, then recomputed ones, without empty values."""
        merged = {**self.recomputed, **self.derived}
        merged.update({k: v for k, v in self.published.items() if v is not None})
        return {k: v for k, v in merged.items() if v is not None and k not in ("note", "start")}

    def allowed(self, published: float) -> float:
        """Largest absolute deviation that passes."""
        if self.tolerance_abs is not None:
            return self.tolerance_abs
        relative = DEFAULT_TOLERANCE if self.tolerance_rel is None else self.tolerance_rel
        return relative * abs(published)


@dataclass(frozen=True)
class Answer:
    """Our value for one quantity of a record; None where the note says why there is none.

    `scale` replaces |published| in the relative error (percentages relate to 100, an entry of a
    vector to its largest entry); `tolerance` replaces the record's (absolute).
    """

    quantity: str
    published: float
    ours: float | None
    scale: float | None = None
    tolerance: float | None = None
    note: str = ""


@dataclass
class Row:
    """One line of the report; `ok` is None where nothing can be compared."""

    id: str
    quantity: str
    published: float | None
    ours: float | None
    rel_error: float | None
    tolerance: float | None
    ok: bool | None
    seconds: float
    confidence: str
    file: str
    note: str = ""


@dataclass
class Report:
    """All rows of a run."""

    rows: list[Row] = field(default_factory=list)

    def failures(self, confidences: tuple[str, ...]) -> list[Row]:
        """Rows outside their tolerance among records of these confidences."""
        return [row for row in self.rows if row.ok is False and row.confidence in confidences]


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file; a list, or an object with `records`."""
    content = json.loads(path.read_text(encoding="utf-8"))
    entries = content if isinstance(content, list) else content.get("records", [])
    for number, entry in enumerate(entries):
        yield Record(
            id=str(entry.get("id", f"{path.stem}[{number}]")),
            params=dict(entry.get("params") or {}),
            published=_quantities(entry.get("published")),
            derived=_quantities(entry.get("derived")),
            recomputed=_quantities(entry.get("recomputed")),
            confidence=str(entry.get("confidence", "")).replace("−", "-"),
            tolerance_rel=entry.get("tolerance_rel"),
            tolerance_abs=entry.get("tolerance_abs"),
            tolerance_percentage_points=entry.get("tolerance_abs_pct"),
            notes=str(entry.get("notes") or ""),
            file=path.name,
        )


def _quantities(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def compare(record: Record, answer: Answer, seconds: float) -> Row:
    """Row for one answer. Ours is rounded to a hundredth of the tolerance, the precision at which
    a printed value and a tolerance of half its last digit can be told apart."""
    allowed = record.allowed(answer.published) if answer.tolerance is None else answer.tolerance
    scale = (abs(answer.published) if answer.scale is None else answer.scale) or 1.0
    tolerance = round(allowed / scale, 12)
    ours, error = answer.ours, None
    if ours is not None:
        if allowed > 0:
            ours = round(ours, math.ceil(-math.log10(allowed / 100)))
        error = round(abs(ours - answer.published) / scale, 12)
    return Row(
        id=record.id,
        quantity=answer.quantity,
        published=answer.published,
        ours=ours,
        rel_error=error,
        tolerance=tolerance,
        ok=error is not None and error <= tolerance,
        seconds=round(seconds, 3),
        confidence=record.confidence,
        file=record.file,
        note=answer.note,
    )


def unsolved(record: Record, reason: str, seconds: float) -> Row:
    """Row for a record that could not be answered; one whose answers are words has none."""
    has_answer = any(not isinstance(value, str) for value in record.expected.values())
    return Row(
        id=record.id,
        quantity="",
        published=None,
        ours=None,
        rel_error=None,
        tolerance=None,
        ok=False if has_answer else None,
        seconds=round(seconds, 3),
        confidence=record.confidence,
        file=record.file,
        note=f"not solved: {reason}",
    )
