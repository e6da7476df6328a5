"""Findings about raw data: what is wrong, where, and what was done; the quarantine table's rows.

Fatal findings stop the night before anything is published; the others set rows aside or warn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Severity = Literal["fatal", "set_aside", "mended", "warning"]


@dataclass(frozen=True)
class Finding:
    """One finding: the table, the row (from 1; 0: the whole table), the rule and what to do."""

    table: str
    row: int
    column: str
    rule: str
    value: str
    reason: str
    severity: Severity = "set_aside"

    def __str__(self) -> str:
        where = f"{self.table}.{self.column}" if self.column else self.table
        at = f" at row {self.row}" if self.row else ""
        value = f" ({self.value})" if self.value else ""
        return f"{where}{at}: {self.rule}{value}. {self.reason}"


def quarantine_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """The quarantine table: one row for each table, row, column and rule."""
    rows = [
        (f.table, f.row, f.column or "-", f.rule, f.value, f.reason)
        for f in findings
    ]  # fmt: skip
    columns = ["table_name", "row_number", "column_name", "rule", "bad_value", "reason"]
    frame = pd.DataFrame(rows, columns=columns)
    key = ["table_name", "row_number", "column_name", "rule"]
    return frame.sort_values([*key, "bad_value"]).drop_duplicates(key, ignore_index=True)
