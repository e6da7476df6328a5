"""Raw frames to typed, checked frames: what was not known at as_of is dropped before all else.

Rows of the tables that describe the network must all be right (a node left out silently would
change the plan); in the others a bad row is set aside, with its reason, up to a threshold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.check import cast_column, violations
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.settings import IngestSettings
from pipeline.contracts.tables import RAW_TABLES, Table
from pipeline.ingest.findings import Finding, Severity
from pipeline.ingest.raw import RawTables
from pipeline.ingest.rules import ROW_RULES

STRUCTURAL = ("regions", "nodes", "lanes", "delivery_options", "delivery_speeds", "order_hours",
              "node_capacity")  # fmt: skip
"""Tables in which a bad row is fatal."""
_Broken = tuple[int, str, str, str]
_LISTED_WHEN_TOO_MANY = 100
_DEFAULTS: dict[str, float | None] = {"unit_weight_lb": 0.0, "end_date": None}


@dataclass
class Cleaned:
    """Clean frames by table name, and every finding made on the way."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def fatal(self) -> list[Finding]:
        """The findings that stop a night."""
        return [finding for finding in self.findings if finding.severity == "fatal"]


def clean(raw: RawTables, as_of: date, settings: IngestSettings) -> Cleaned:
    """Typed and checked tables as known at the end of `as_of`; nothing is raised, see `fatal`.

    Row numbers count from 1 the rows that were known at as_of, in the order of the file, so that
    rows added later change no finding.
    """
    result = Cleaned(findings=list(raw.findings))
    seen: dict[str, pd.Series] = {}
    unreadable = {finding.table for finding in raw.findings if finding.severity == "fatal"}
    for table in sorted(RAW_TABLES, key=lambda table: table.name not in STRUCTURAL):
        frame = raw.frames.get(table.name)
        if frame is None or table.name in unreadable:
            frame = pd.DataFrame({name: pd.Series(dtype="str") for name in table.columns})
        visible = _visible(frame, table, as_of)
        recoded = raw.recoded_rows.get(table.name)
        _clean_table(
            frame[visible], table, result, seen, settings,
            None if recoded is None else recoded[visible],
        )  # fmt: skip
    return result


def _visible(frame: pd.DataFrame, table: Table, as_of: date) -> np.ndarray:
    """Rows that are not dated after as_of; an unreadable date is no reason to hide a row."""
    if not table.history_date or table.history_date not in frame:
        return np.ones(len(frame), dtype=bool)
    days, _ = cast_column(frame[table.history_date], COLUMNS[table.history_date])
    return ~(days > pd.Timestamp(as_of)).to_numpy()


def _clean_table(
    frame: pd.DataFrame, table: Table, result: Cleaned, seen: dict[str, pd.Series],
    settings: IngestSettings, recoded: np.ndarray | None,
) -> None:  # fmt: skip
    frame = frame.reset_index(drop=True)
    typed, bad = _typed(frame, table)
    broken = [*bad, *_broken_rows(typed, table, result, seen)]
    aside = np.zeros(len(frame), dtype=bool)
    aside[[row for row, *_ in broken]] = True
    is_fatal = table.name in STRUCTURAL
    too_many = not is_fatal and _is_above_threshold(table, aside, result, settings)
    listed = broken[:_LISTED_WHEN_TOO_MANY] if too_many else broken
    result.findings += _told(frame, table, listed, "fatal" if is_fatal else "set_aside")
    if recoded is not None:
        result.findings += [
            Finding(table.name, int(row) + 1, "", "text is not UTF-8", "",
                    "Read as Windows-1252; export the file in UTF-8.", "mended")
            for row in np.flatnonzero(recoded)
        ]  # fmt: skip
    for name in table.columns:
        if f"{table.name}.{name}" in _REFERENCED:
            seen[f"{table.name}.{name}"] = typed[name].dropna().drop_duplicates()
    kept = _without_orphans(typed[~aside], table, result)
    result.tables[table.name] = _tight(kept, table)


def _broken_rows(
    typed: pd.DataFrame, table: Table, result: Cleaned, seen: dict[str, pd.Series]
) -> list[_Broken]:
    """Rows that break the contract of a column, a key, a reference, or a rule of the row."""
    known = {name: values.tolist() for name, values in seen.items()}
    if "parent_node_id" in table.columns:
        known["nodes.node_id"] = typed["node_id"].dropna().tolist()
    broken: list[_Broken] = [
        (row, violation.column, violation.rule, violation.action)
        for violation in violations(typed, table, known)
        for row in violation.rows
    ]
    for check in ROW_RULES.get(table.name, ()):
        mask = check.broken(typed, result.tables)
        broken += [(int(row), check.column, check.rule, check.action)
                   for row in np.flatnonzero(mask)]  # fmt: skip
    return broken


def _told(
    frame: pd.DataFrame, table: Table, broken: list[_Broken], severity: Severity
) -> Iterator[Finding]:
    """A finding for each row and column: the first rule that it breaks is the one to mend."""
    told: set[tuple[int, str]] = set()
    for row, column, rule, action in broken:
        if (row, column) not in told:
            told.add((row, column))
            value = _shown(frame, row, column)
            yield Finding(table.name, row + 1, column, rule, value, action, severity)


def _typed(frame: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, list[_Broken]]:
    """The frame with every cell cast on its own, and the cells that could not be."""
    typed, bad = {}, []
    for name in table.columns:
        if name in frame:
            values = _stripped(frame[name])
        else:
            values = pd.Series([_DEFAULTS.get(name)] * len(frame), index=frame.index)
        typed[name], failed = cast_column(values, COLUMNS[name])
        kind = COLUMNS[name].kind
        bad += [(int(row), name, f"is not {_KIND_WORDS[kind]}", _KIND_ACTIONS[kind])
                for row in np.flatnonzero(failed)]  # fmt: skip
    return pd.DataFrame(typed, columns=list(table.columns)), bad


_KIND_WORDS = {
    "int": "a whole number", "float": "a number", "date": "a date", "bool": "true or false",
}  # fmt: skip
_KIND_ACTIONS = {
    "int": "Write digits only.", "float": "Write digits with a decimal point.",
    "date": "Write dates as YYYY-MM-DD.", "bool": "Write true or false.",
}  # fmt: skip
_REFERENCED = {target for table in RAW_TABLES for target in table.references.values()}


def _stripped(values: pd.Series) -> pd.Series:
    if not isinstance(values.dtype, pd.StringDtype):
        return values
    stripped: pd.Series = values.str.strip()
    return stripped


def _shown(frame: pd.DataFrame, row: int, column: str) -> str:
    """The value at fault as a person would write it, whatever the file's format."""
    words = []
    for name in column.split(","):
        if name.strip() in frame:
            value = frame[name.strip()].iloc[row]
            is_day = isinstance(value, pd.Timestamp) and not pd.isna(value)
            words.append(f"{value:%Y-%m-%d}" if is_day else "" if pd.isna(value) else str(value))
    return " / ".join(word[:60] for word in words)


def _is_above_threshold(
    table: Table, aside: np.ndarray, result: Cleaned, settings: IngestSettings
) -> bool:
    count = int(aside.sum())
    allowed = max(settings.quarantine_threshold_rows,
                  settings.quarantine_threshold_share * len(aside))  # fmt: skip
    if count <= allowed:
        return False
    result.findings.append(Finding(
        table.name, 0, "", f"{count} of {len(aside)} rows are bad, more than may be set aside "
        f"({settings.quarantine_threshold_share:.1%})", "",
        "Mend the rows below, or raise ingest.quarantine_threshold_share.", "fatal",
    ))  # fmt: skip
    return True


def _without_orphans(frame: pd.DataFrame, table: Table, result: Cleaned) -> pd.DataFrame:
    """Rows whose item, node or vendor was itself set aside leave with it, told of once."""
    for name, target in table.references.items():
        parent, column = target.split(".")
        if parent not in result.tables or parent == table.name:
            continue
        values = frame[name]
        orphan = values.notna() & ~values.isin(result.tables[parent][column].tolist())
        if orphan.any():
            gone = sorted(values[orphan].astype("str").unique())
            result.findings.append(Finding(
                table.name, 0, name, f"{int(orphan.sum())} row(s) left out with their {parent}",
                ", ".join(gone[:5]), f"Mend the rows of {parent} that were set aside.",
            ))  # fmt: skip
            frame = frame[~orphan]
    return frame


def _tight(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The kept rows with their final dtypes, now that nothing bad is left in them."""
    final = {name: cast_column(frame[name], COLUMNS[name])[0] for name in table.columns}
    return pd.DataFrame(final, columns=list(table.columns)).reset_index(drop=True)
