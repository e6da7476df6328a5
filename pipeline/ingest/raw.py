"""Reads a folder in the raw contract: <table>.csv, <table>.parquet or a folder of Parquet parts.

Only reading happens here. Values of CSV files stay text until `clean` types each cell for itself,
so that one bad row cannot change how another is read.
"""

from __future__ import annotations

import difflib
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts.tables import RAW_TABLES, Table
from pipeline.ingest.findings import Finding


@dataclass
class RawTables:
    """Frames by table name as they were found, the rows whose text had to be recoded, findings."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    recoded_rows: dict[str, np.ndarray] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_folder(folder: Path) -> RawTables:
    """Every raw table of the folder, with a fatal finding for each that is absent or unreadable."""
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
            frame, recoded = _read(path)
        except (OSError, ValueError, pa.ArrowException) as error:
            text = " ".join(str(error).split())[:200]
            raw.findings.append(_fatal(table.name, f"{path.name} cannot be read: {text}",
                                       "Export the file again; it may be cut off."))  # fmt: skip
            continue
        frame.columns = [str(name).strip() for name in frame.columns]
        raw.findings += _missing_columns(frame, table)
        raw.frames[table.name] = frame
        if recoded.any():
            raw.recoded_rows[table.name] = recoded
    return raw


def _find(folder: Path, table: Table, raw: RawTables) -> Path | None:
    places = [folder / f"{table.name}.csv", folder / f"{table.name}.parquet", folder / table.name]
    found = [path for path in places if path.exists()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raw.findings.append(_fatal(table.name, f"is there twice, as {names}", "Keep one of them."))
    elif not found and not table.is_optional:
        raw.findings.append(_fatal(table.name, f"file is missing in {folder}",
                                   f"Add {table.name}.csv or {table.name}.parquet."))  # fmt: skip
    return found[0] if len(found) == 1 else None


def _read(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    if path.suffix == ".csv":
        return _read_csv(path)
    if path.is_dir():
        parts = sorted(path.glob("*.parquet"))
        if not parts:
            raise ValueError("the folder holds no .parquet file")
        data = pa.concat_tables([pq.read_table(part, partitioning=None) for part in parts],
                                promote_options="permissive")  # fmt: skip
    else:
        data = pq.read_table(path, partitioning=None)
    frame = data.to_pandas()
    return frame, np.zeros(len(frame), dtype=bool)


def _read_csv(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Every cell as text; lines that are not UTF-8 are read as Windows-1252 and told of."""
    content = path.read_bytes()
    recoded = np.zeros(0, dtype=bool)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text, recoded = _decode_lines(content.removeprefix(b"\xef\xbb\xbf"))
    if not text.strip():
        raise ValueError("the file is empty: not even a header")
    frame = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False, na_values=[""],
                        skip_blank_lines=True)  # fmt: skip
    mask = np.zeros(len(frame), dtype=bool)
    mask[: len(recoded)] = recoded[: len(frame)]
    return frame, mask


def _decode_lines(content: bytes) -> tuple[str, np.ndarray]:
    lines, recoded = [], []
    for line in content.splitlines():
        try:
            lines.append(line.decode("utf-8"))
            recoded.append(False)
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252", errors="replace"))
            recoded.append(True)
    return "\n".join(lines), np.array(recoded[1:], dtype=bool)


def _missing_columns(frame: pd.DataFrame, table: Table) -> list[Finding]:
    findings = []
    spare = [name for name in frame.columns if name not in table.columns]
    for name in table.columns:
        if name in frame.columns or name in table.optional:
            continue
        close = difflib.get_close_matches(name, [str(other) for other in spare], 1, 0.6)
        hint = f"Rename {close[0]!r} to it." if close else "Add it; docs/tables.md says what it is."
        findings.append(Finding(table.name, 0, name, "column is missing", "", hint, "fatal"))
    return findings


def _fatal(table: str, rule: str, action: str) -> Finding:
    return Finding(table, 0, "", rule, "", action, "fatal")
