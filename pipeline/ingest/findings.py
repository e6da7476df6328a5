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
    """One finding: the table, the row of the user's file (from 1 below the header; 0: the whole
    table), the rule and what to do.

    key: the row's identifiers, by which the quarantine names it: a row's number may change with
    rows added later, its key does not. rows: how many rows it stands for.
    """

    table: str
    row: int
    column: str
    rule: str
    value: str
    reason: str
    severity: Severity = "set_aside"
    key: str = ""
    rows: int = 1

    def __str__(self) -> str:
        where = f"{self.table}.{self.column}" if self.column else self.table
        at = f" at row {self.row}" if self.row else ""
        at = f" at {self.rows:,} rows, from row {self.row} on" if self.rows > 1 else at
        value = f" ({self.value})" if self.value else ""
        return f"{where}{at}: {self.rule}{value}. {self.reason}"


def quarantine_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """The quarantine table: findings that say the same of the same key are one row."""
    rows = [
        (f.table, f.column or "-", f.rule, f.key or "-", f.value, f.rows, f.reason)
        for f in findings
    ]  # fmt: skip
    columns = ["table_name", "column_name", "rule", "row_key", "bad_value", "row_count", "reason"]
    frame = pd.DataFrame(rows, columns=columns)
    key = columns[:5]
    counts = frame.groupby(key)["row_count"].sum()
    first = frame.sort_values([*key, "reason"]).drop_duplicates(key, ignore_index=True)
    count = first.set_index(key).index.map(counts)
    return first.assign(row_count=pd.Series(count, dtype="int64"))
