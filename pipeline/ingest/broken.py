"""Rows that break one rule, and how they are told: by row, by rule, or once for a whole column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.contracts.tables import Table
from pipeline.ingest.findings import Finding, Severity

_LISTED_WHEN_TOO_MANY = 100
"""Rows listed for each rule where so many are bad that the night stops; all are counted."""


@dataclass(frozen=True)
class Broken:
    """Rows (from 0) that break a rule, the column at fault, what to do; is_all: no cell of the
    column keeps it; is_fatal: not even one row may."""

    rows: np.ndarray
    column: str
    rule: str
    action: str
    is_all: bool = False
    is_fatal: bool = False

    def without(self, left_out: np.ndarray) -> Broken:
        """The same without some rows (a mask)."""
        return replace(self, rows=self.rows[~left_out[self.rows]])


def told(
    broken: Sequence[Broken], table: Table, shown: pd.DataFrame, numbers: np.ndarray,
    is_fatal: bool, too_many: bool,
) -> Iterator[Finding]:  # fmt: skip
    """A finding for each row and column: the first rule that it breaks is the one to mend.

    shown: the cells as written; numbers: of the rows in the user's file.
    """
    done: dict[str, np.ndarray] = {}
    for group in broken:
        seen = done.setdefault(group.column, np.zeros(len(shown), dtype=bool))
        rows = group.rows[~seen[group.rows]]
        seen[rows] = True
        if not len(rows):
            continue
        severity: Severity = "fatal" if is_fatal or group.is_fatal or group.is_all else "set_aside"
        at = int(rows[0])
        if group.is_all:
            yield Finding(table.name, int(numbers[at]), group.column, f"no cell of the column can "
                          f"be read: it {group.rule}", written(shown, at, group.column),
                          group.action, "fatal", "", len(rows))  # fmt: skip
            continue
        listed = rows[:_LISTED_WHEN_TOO_MANY] if too_many else rows
        for row in listed.tolist():
            yield Finding(table.name, int(numbers[row]), group.column, group.rule,
                          written(shown, row, group.column), group.action, severity,
                          written(shown, row, ", ".join(table.key)))  # fmt: skip
        if len(rows) > len(listed):
            at = int(rows[len(listed)])
            yield Finding(table.name, int(numbers[at]), group.column, group.rule,
                          written(shown, at, group.column), group.action, severity,
                          "and more", len(rows) - len(listed))  # fmt: skip


def written(shown: pd.DataFrame, row: int, columns: str) -> str:
    """The cells at fault as a person would write them, whatever the file's format."""
    words = []
    for name in columns.split(","):
        if name.strip() in shown:
            value = shown[name.strip()].iloc[row]
            is_day = isinstance(value, pd.Timestamp) and not pd.isna(value)
            text = f"{value:%Y-%m-%d}" if is_day else "" if pd.isna(value) else str(value).strip()
            words.append(text.removesuffix(".0") if isinstance(value, float) else text)
    return " / ".join(word[:60] for word in words)
