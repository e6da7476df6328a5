"""What a column is: its name, physical kind, meaning, range and what a missing value means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "category", "int", "float", "bool", "date", "time"]


@dataclass(frozen=True)
class Column:
    """One column: physical kind, meaning, closed range, admitted values, and what null means."""

    name: str
    kind: Kind
    meaning: str
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    null: str = ""
