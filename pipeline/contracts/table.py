"""What a table is: who publishes it, what a row is, its key and its columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Table:
    """One table: who publishes it, what a row is, its key, and its columns in order."""

    name: str
    stage: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()
    references: dict[str, str] = field(default_factory=dict)
    """Column -> 'table.column' that must hold its value."""
    nullable: tuple[str, ...] = ()
    """Columns that may be null in this table only, with the meaning given in `grain`."""
    admits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Column -> the values admitted in this table, where they differ from the column's."""
    is_optional: bool = False
    """Raw only: the file may be absent, which means an empty table."""
    raw_only: tuple[str, ...] = ()
    """Raw only: optional columns that say how a row is written (unit of measure, currency); ingest
    uses them up and publishes the row in planned units and the plan's money."""
    history_date: str = ""
    """Raw only: the date column that may not lie after as_of (history), if any."""

    @property
    def readable(self) -> tuple[str, ...]:
        """Columns that a raw file may have."""
        return (*self.columns, *self.raw_only)


def table(name: str, stage: str, grain: str, key: str, columns: str, **rest: Any) -> Table:
    """A table whose key and columns are names with spaces between them."""
    return Table(name, stage, grain, tuple(key.split()), tuple(columns.split()), **rest)
