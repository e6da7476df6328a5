"""Parquet files of a raw folder: one file, or a folder of parts, column types made few."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as kinds

from pipeline.contracts.tables import Table
from pipeline.ingest.raw_file import RawFile, names_of, told


def read_parquet(path: Path, table: Table) -> RawFile:
    """The contract's columns of a file or folder; raises ValueError or an Arrow error if torn."""
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not parts:
        raise ValueError("the folder holds no .parquet file")
    names: list[str] = []
    findings, pieces, empty = [], [], set()
    for part in parts:
        header = pq.read_schema(part).names
        names, twice = names_of(header, table)
        findings += [finding for finding in twice if finding not in findings]
        if twice:
            continue
        wanted = {old: new for old, new in zip(header, names, strict=True) if new in table.readable}
        piece = pq.read_table(part, columns=list(wanted), partitioning=None)
        piece = piece.rename_columns([wanted[name] for name in piece.column_names])
        if not len(piece):
            with suppress(ValueError):
                empty.add(date.fromisoformat(part.stem))
        pieces.append(piece.replace_schema_metadata(None))
    if findings:
        return RawFile(pd.DataFrame(), np.zeros(0, dtype="int64"), findings=findings)
    whole = pa.concat_tables(pieces, promote_options="permissive")
    columns = {}
    for name in whole.column_names:
        plain = _plain(whole[name])
        if plain is None:
            findings.append(told(
                table, name, f"holds {whole[name].type}, not one value in a cell",
                "Export the column as text, numbers or dates.", "fatal"))  # fmt: skip
            plain = pd.Series([None] * len(whole), dtype="str")
        columns[name] = plain
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(whole)))
    return RawFile(
        frame, np.arange(1, len(whole) + 1), names, findings, empty_days=frozenset(empty)
    )


def _plain(values: pa.ChunkedArray) -> pd.Series | None:
    """The column as text, dictionary of text, numbers, days or instants; None if it is none."""
    kind = values.type
    if kinds.is_dictionary(kind):
        if not _is_text(kind.value_type):
            return _plain(values.cast(kind.value_type))
        return values.unify_dictionaries().to_pandas()
    if kinds.is_decimal(kind) or (kinds.is_boolean(kind) and values.null_count):
        values = values.cast(pa.string())
    elif kinds.is_date(kind):
        values = values.cast(pa.date32()).cast(pa.timestamp("s"))
    elif kinds.is_timestamp(kind):
        values = values.cast(pa.timestamp("s", kind.tz), safe=False)
    elif kinds.is_null(kind):
        return pd.Series([None] * len(values), dtype="str")
    elif not (_is_text(kind) or kinds.is_integer(kind) or kinds.is_floating(kind)
              or kinds.is_boolean(kind)):  # fmt: skip
        return None
    series: pd.Series = values.to_pandas()
    return series.astype("str") if series.dtype == object else series


def _is_text(kind: pa.DataType) -> bool:
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))
