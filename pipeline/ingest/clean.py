"""Raw frames to typed, checked frames: what was not known at as_of is dropped before all else.

Rows of the tables that describe the network must all be right (a node left out silently would
change the plan); in the others a bad row is set aside, with its reason, up to a threshold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.check import cast_column, violations
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.settings import IngestSettings
from pipeline.contracts.tables import RAW_TABLES, Table
from pipeline.ingest.broken import Broken, told
from pipeline.ingest.cells import Cells, Reading, read_cells
from pipeline.ingest.findings import Finding
from pipeline.ingest.for_all import meant_for_all
from pipeline.ingest.raw import RawTables
from pipeline.ingest.raw_file import RawFile
from pipeline.ingest.repeats import added_up, repeats
from pipeline.ingest.restated import restated
from pipeline.ingest.returns import netted
from pipeline.ingest.rules import ROW_RULES
from pipeline.ingest.thresholds import quantity_rules, too_many

STRUCTURAL = ("regions", "nodes", "lanes", "delivery_options", "delivery_speeds", "order_hours",
              "node_capacity")  # fmt: skip
"""Tables in which a bad row is fatal."""
_UNSORTED = ("sales", "prices", "availability")
"""Large tables whose users do not look at the order of rows."""
_DEFAULTS: dict[str, float | None] = {"unit_weight_lb": 0.0, "end_date": None}
_READ_FIRST = ("items", "item_units", "currency_rates")
"""Tables by which the rows of others are restated."""
_REFERENCED = {target for table in RAW_TABLES for target in table.references.values()}


@dataclass
class Cleaned:
    """Clean frames by table name, and every finding made on the way."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def fatal(self) -> list[Finding]:
        """The findings that stop a night."""
        return [finding for finding in self.findings if finding.severity == "fatal"]


def clean(
    raw: RawTables, as_of: date, settings: IngestSettings, sees_future: bool = False
) -> Cleaned:
    """Typed and checked tables as known at the end of `as_of`; nothing is raised, see `fatal`.

    sees_future: history dated later is looked at, too (a check of the whole folder).
    """
    result = Cleaned(findings=list(raw.findings))
    seen: dict[str, pd.Series] = {}
    unreadable = {finding.table for finding in raw.findings if finding.severity == "fatal"}
    for table in sorted(RAW_TABLES, key=_turn):
        frame = raw.frames.get(table.name)
        file = raw.files.get(table.name)
        if frame is None or table.name in unreadable:
            frame, file = (
                pd.DataFrame({name: pd.Series(dtype="str") for name in table.columns}),
                None,
            )
        file = file or RawFile(frame, np.arange(1, len(frame) + 1))
        cleaning = _Cleaning(table, file, as_of, settings, sees_future)
        cleaning.run(frame, result, seen)
    return result


def clean_table(
    table: Table, file: RawFile, as_of: date, settings: IngestSettings,
    known: Mapping[str, pd.DataFrame],
) -> Cleaned:  # fmt: skip
    """More rows of one table, held against the clean tables that are `known`, which are among
    those returned; the table holds the new rows alone."""
    result = Cleaned(tables=dict(known))
    seen = {}
    for target in _REFERENCED:
        parent, column = target.split(".")
        seen[target] = known[parent][column].drop_duplicates()
    _Cleaning(table, file, as_of, settings, False).run(file.frame, result, seen)
    return result


@dataclass
class _Cleaning:
    """The cleaning of one table."""

    table: Table
    file: RawFile
    as_of: date
    settings: IngestSettings
    sees_future: bool

    def run(self, frame: pd.DataFrame, result: Cleaned, seen: dict[str, pd.Series]) -> None:
        table = self.table
        reading = Reading(self.settings.date_format, self.settings.time_zone,
                          self.file.has_decimal_comma)  # fmt: skip
        cells = {name: _read(frame, name, reading) for name in table.columns}
        cells, restatements = restated(
            cells, frame, table, reading, result.tables, self.as_of
        )  # fmt: skip
        visible = self._visible(cells)
        values = {name: read.values for name, read in cells.items()}
        typed = pd.DataFrame(values, columns=list(table.columns))[visible].reset_index(drop=True)
        if table.name == "sales":
            typed, returned = netted(typed, self.settings)
            restatements += returned
        shown = frame[visible].reset_index(drop=True)
        rows = self.file.rows[visible]
        typed, wide = meant_for_all(typed, table, rows)
        blank = typed.isna().all(axis=1).to_numpy() & _all_blank(shown)
        quantities = [] if table.name in STRUCTURAL else list(
            quantity_rules(typed, table, self.as_of, self.settings)
        )  # fmt: skip
        # First those: a quantity that is not known tonight is no cell to leave out.
        broken = [*quantities, *_unread(cells, visible), *self._rule_breaks(typed, result, seen)]
        aside = _rows_of(broken, len(typed)) | blank
        broken = [*broken, *repeats(typed, table, aside, self.settings)]
        aside = _rows_of(broken, len(typed)) | blank
        broken = [group.without(blank) for group in broken]
        is_fatal = table.name in STRUCTURAL
        spoilt = any(group.is_all for group in broken)  # one finding names that cause already
        stops = [] if is_fatal or spoilt else too_many(
            typed, table, aside & ~blank, self.file, self.settings, result.tables, self.as_of
        )  # fmt: skip
        result.findings += stops
        result.findings += told(broken, table, shown, rows, is_fatal, spoilt or bool(stops))
        result.findings += self._told_of_file(cells, int(blank.sum()), is_fatal)
        result.findings += [*restatements, *wide]
        for name in table.columns:
            if f"{table.name}.{name}" in _REFERENCED:
                seen[f"{table.name}.{name}"] = typed[name].dropna().drop_duplicates()
        kept, added = added_up(typed[~aside], table)
        result.findings += added
        kept = _without_orphans(kept, table, result)
        result.tables[table.name] = _tight(kept, table)

    def _visible(self, cells: dict[str, Cells]) -> np.ndarray:
        """Rows not dated after as_of, and overrides that have not ended; an unreadable date is no
        reason to hide a row."""
        if self.table.name == "overrides":
            ends = cells["expiry_date"].values
            return ~(ends < pd.Timestamp(self.as_of)).to_numpy(dtype=bool)
        if self.sees_future or not self.table.history_date:
            return np.ones(len(self.file.rows), dtype=bool)
        days = cells[self.table.history_date].values
        return ~(days > pd.Timestamp(self.as_of)).to_numpy(dtype=bool)

    def _rule_breaks(
        self, typed: pd.DataFrame, result: Cleaned, seen: dict[str, pd.Series]
    ) -> Iterator[Broken]:
        """Rows that break the contract of a column, a reference, or a rule of the row."""
        known = {name: values.tolist() for name, values in seen.items()}
        if "parent_node_id" in self.table.columns:
            known["nodes.node_id"] = typed["node_id"].dropna().tolist()
        for violation in violations(typed, self.table, known, checks_keys=False):
            yield Broken(np.array(violation.rows, dtype="int64"), violation.column, violation.rule,
                         violation.action)  # fmt: skip
        for check in ROW_RULES.get(self.table.name, ()):
            mask = check.broken(typed, result.tables)
            yield Broken(np.flatnonzero(mask), check.column, check.rule, check.action)

    def _told_of_file(
        self, cells: dict[str, Cells], blank: int, is_fatal: bool
    ) -> Iterator[Finding]:
        name = self.table.name
        for row, rule in self.file.ragged.items():
            yield Finding(name, row, "", rule, "", "Quote texts that hold the separator.",
                          "fatal" if is_fatal else "set_aside")  # fmt: skip
        for row, rule in self.file.recoded.items():
            yield Finding(name, row, "", rule, "", "Read as Windows-1252; export the file in "
                          "UTF-8.", "mended", f"row {row}")  # fmt: skip
        if blank:
            yield Finding(name, 0, "", f"{blank} blank row(s)", "", "They are left out.", "mended")
        for column, read in cells.items():
            if read.compact_days:
                yield Finding(name, 0, column, "dates are whole numbers such as 20250629", "",
                              "They are read as YYYYMMDD.", "mended")  # fmt: skip


def _turn(table: Table) -> int:
    """Place of the table: what others refer to or are restated by comes first."""
    if table.name in STRUCTURAL:
        return 0
    return 1 if table.name in _READ_FIRST else 2


def _read(frame: pd.DataFrame, name: str, reading: Reading) -> Cells:
    if name in frame:
        return read_cells(frame[name], COLUMNS[name].kind, reading)
    values = pd.Series([_DEFAULTS.get(name)] * len(frame), index=frame.index)
    return Cells(cast_column(values, COLUMNS[name])[0])


def _unread(cells: dict[str, Cells], visible: np.ndarray) -> Iterator[Broken]:
    """Cells that could not be read; one group for all where a whole column fails in one way."""
    for name, read in cells.items():
        if read.code is None:
            continue
        code, good = read.code[visible], int(read.values[visible].notna().sum())
        for place, why in enumerate(read.why, 1):
            rows = np.flatnonzero(code == place)
            if len(rows):
                is_all = good == 0 and len(rows) == int((code > 0).sum()) and len(rows) > 1
                yield Broken(rows, name, why.rule, why.action, is_all)


def _all_blank(shown: pd.DataFrame) -> np.ndarray:
    """Rows in which nothing is written."""
    blank = np.ones(len(shown), dtype=bool)
    for name in shown:
        if not blank.any():
            break
        values = shown[name]
        none = values.isna().to_numpy()
        if isinstance(values.dtype, pd.StringDtype):
            none = none | (values.str.strip() == "").to_numpy(dtype=bool, na_value=True)
        blank &= none
    return blank


def _rows_of(broken: list[Broken], count: int) -> np.ndarray:
    aside = np.zeros(count, dtype=bool)
    for group in broken:
        aside[group.rows] = True
    return aside


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
    """The kept rows with their final dtypes, in an order that is not the file's."""
    final = {name: cast_column(frame[name], COLUMNS[name])[0] for name in table.columns}
    tight = pd.DataFrame(final, columns=list(table.columns))
    if table.name in _UNSORTED:
        return tight.reset_index(drop=True)
    return tight.sort_values(list(table.key), kind="stable", ignore_index=True)
