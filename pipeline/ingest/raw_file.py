"""One file of a raw folder as it was found: columns not yet read as values, and row numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.tables import Table
from pipeline.ingest.findings import Finding, Severity


@dataclass
class RawFile:
    """What a file holds: the contract's columns that it has, as text or as typed by Parquet.

    rows: number of each row in the user's own file, from 1 below the header, blank lines counted.
    names: of all columns of the file.
    ragged: rows that have too few or too many fields, by number. recoded: what was mended in the
    bytes of rows, by number. has_open_end: whether a CSV file's last line lacks its end; None where
    the file has no lines. empty_days: days whose part is there and holds no row.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    names: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    ragged: dict[int, str] = field(default_factory=dict)
    recoded: dict[int, str] = field(default_factory=dict)
    has_decimal_comma: bool = False
    has_open_end: bool | None = None
    empty_days: frozenset[date] = frozenset()


def names_of(header: Sequence[str], table: Table) -> tuple[list[str], list[Finding]]:
    """The header's names without spare spaces, and a fatal finding for each column that is there
    twice; names that differ in case only are the same."""
    names = [str(name).replace("\ufeff", "").strip() for name in header]
    seen = Counter(name.casefold() for name in names)
    twice = [name for name in table.readable if seen[name.casefold()] > 1]
    return names, [
        told(table, name, "column is there twice", "Keep one of them.", "fatal") for name in twice
    ]


def told(
    table: Table, column: str, rule: str, action: str, severity: Severity, row: int = 0,
    value: str = "",
) -> Finding:  # fmt: skip
    """A finding about a file."""
    return Finding(table.name, row, column, rule, value, action, severity)
