"""Reads a folder in the raw contract: <table>.csv, <table>.parquet or a folder of Parquet parts.

Only finding and parsing files happens here; `clean` reads each cell as a value, for itself.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from pipeline.contracts.settings import IngestSettings
from pipeline.contracts.tables import RAW_TABLES, Table
from pipeline.ingest.csv_file import read_csv
from pipeline.ingest.findings import Finding
from pipeline.ingest.parquet_file import read_parquet
from pipeline.ingest.raw_file import RawFile


@dataclass
class RawTables:
    """Frames by table name as they were found; what else is known of their files; findings."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    files: dict[str, RawFile] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_folder(folder: Path, settings: IngestSettings | None = None) -> RawTables:
    """Every raw table of the folder, with a fatal finding for each that is absent or unreadable."""
    settings = settings or IngestSettings()
    raw = RawTables()
    if not folder.is_dir():
        raw.findings.append(_fatal("raw folder", f"{folder} is not a folder",
                                   "Name the folder that holds the raw files."))  # fmt: skip
        return raw
    for table in RAW_TABLES:
        path = _find(folder, table, raw)
        if path is None:
            continue
        try:
            file = _read(path, table, settings)
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            text = " ".join(str(error).split())[:200]
            raw.findings.append(_fatal(table.name, f"{path.name} cannot be read: {text}",
                                       "Export the file again; it may be cut off."))  # fmt: skip
            continue
        raw.findings += file.findings
        if not any(finding.severity == "fatal" for finding in file.findings):
            raw.findings += _missing_columns(file.names, file.frame, table)
        raw.frames[table.name] = file.frame
        raw.files[table.name] = file
    raw.findings += _cut_ends(raw.files)
    return raw


def _cut_ends(files: dict[str, RawFile]) -> list[Finding]:
    """CSV files that end within a line where others end with one: a cut last number reads well."""
    ends = {name: file.has_open_end for name, file in files.items()
            if file.has_open_end is not None and len(file.rows)}  # fmt: skip
    if all(ends.values()):
        return []
    return [
        Finding(name, int(files[name].rows[-1]), "", "the last line has no end, other files' "
                "last lines have", "", "Compare the row with its source: it may be cut off.",
                "warning")
        for name, is_open in ends.items() if is_open
    ]  # fmt: skip


def _find(folder: Path, table: Table, raw: RawTables) -> Path | None:
    places = [folder / f"{table.name}.csv", folder / f"{table.name}.parquet", folder / table.name]
    found = [path for path in places if path.exists() or path.is_symlink()]
    for path in found:
        if not path.exists():
            raw.findings.append(_fatal(
                table.name, f"{path.name} is a link to {path.readlink()}, which is not there",
                "Mend the link, or remove it where the table is left out on purpose."))  # fmt: skip
            return None
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raw.findings.append(_fatal(table.name, f"is there twice, as {names}", "Keep one of them."))
    elif not found and not table.is_optional:
        raw.findings.append(_fatal(table.name, f"file is missing in {folder}",
                                   f"Add {table.name}.csv or {table.name}.parquet."))  # fmt: skip
    return found[0] if len(found) == 1 else None


def _read(path: Path, table: Table, settings: IngestSettings) -> RawFile:
    if path.suffix == ".csv":
        return read_csv(path, table, settings.separator, settings.decimal_mark)
    return read_parquet(path, table)


def _missing_columns(names: list[str], frame: pd.DataFrame, table: Table) -> list[Finding]:
    findings = []
    spare = [name for name in names if name and name not in table.readable]
    for name in table.columns:
        if name in frame.columns or name in table.optional:
            continue
        close = difflib.get_close_matches(name, [other.lower() for other in spare], 1, 0.6)
        old = next((other for other in spare if close and other.lower() == close[0]), "")
        hint = f"Rename {old!r} to it." if old else "Add it; docs/tables.md says what it is."
        findings.append(Finding(table.name, 0, name, "column is missing", "", hint, "fatal"))
    return findings


def _fatal(table: str, rule: str, action: str) -> Finding:
    return Finding(table, 0, "", rule, "", action, "fatal")
