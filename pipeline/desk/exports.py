"""A listing as CSV, Excel or Parquet; text that a spreadsheet would run as a formula is defused."""

from __future__ import annotations

import io

import pandas as pd

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def encoded(frame: pd.DataFrame, kind: str) -> bytes:
    """The frame as a file of that kind."""
    sink = io.BytesIO()
    if kind == "parquet":
        frame.to_parquet(sink, index=False)
        return sink.getvalue()
    safe = frame.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(_defused)
    if kind == "csv":
        return safe.to_csv(index=False).encode()
    with pd.ExcelWriter(sink, engine="openpyxl") as book:
        safe.to_excel(book, index=False, sheet_name="desk")
    return sink.getvalue()


def _defused(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
