"""Nothing dated after as_of changes a byte, and a rerun gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.contracts.tables import RAW_TABLES
from pipeline.store import Store
from tests.ingest.conftest import AS_OF, edit, files_of


def test_corrupting_the_future_changes_no_byte(raw: Path, ingest: Callable[..., Store]) -> None:
    before = files_of(ingest())
    touched = 0
    for table in RAW_TABLES:
        if not table.history_date:
            continue

        def corrupt(frame: pd.DataFrame, day: str = table.history_date) -> None:
            nonlocal touched
            future = frame[day] > AS_OF.isoformat()
            touched += int(future.sum())
            for name in frame.columns.drop(day):
                frame.loc[future, name] = "-17 nonsense"

        edit(raw, table.name, corrupt)
    assert touched > 300
    assert files_of(ingest(out="again")) == before


def test_rows_added_later_change_no_byte(raw: Path, ingest: Callable[..., Store]) -> None:
    """Not even the row numbers of the quarantine: they count what was known."""
    before = files_of(ingest())
    for table in RAW_TABLES:
        if table.history_date:
            edit(raw, table.name, lambda frame, day=table.history_date: frame[
                frame[day] <= AS_OF.isoformat()])  # fmt: skip
    assert files_of(ingest(out="again")) == before


def test_corrupting_the_past_is_seen(raw: Path, ingest: Callable[..., Store]) -> None:
    before = files_of(ingest())

    def one_more(frame: pd.DataFrame) -> None:
        row = np.flatnonzero(frame["date"] <= AS_OF.isoformat())[0]
        frame.loc[row, "units"] = str(int(frame.loc[row, "units"]) + 1)

    edit(raw, "sales", one_more)
    assert files_of(ingest(out="again")) != before


def test_the_same_night_twice_gives_the_same_bytes(ingest: Callable[..., Store]) -> None:
    assert files_of(ingest(out="one")) == files_of(ingest(out="two"))


def test_csv_and_parquet_give_the_same_bytes(raw: Path, ingest: Callable[..., Store]) -> None:
    before = files_of(ingest())
    for name in ("sales", "stock", "vendors", "nodes"):
        frame = pd.read_csv(raw / f"{name}.csv")
        if "date" in frame:
            frame["date"] = pd.to_datetime(frame["date"])
        (raw / f"{name}.csv").unlink()
        if name == "sales":
            (raw / name).mkdir()
            half = len(frame) // 2
            frame[:half].to_parquet(raw / name / "part-0.parquet", index=False)
            frame[half:].to_parquet(raw / name / "part-1.parquet", index=False)
        else:
            frame.to_parquet(raw / f"{name}.parquet", index=False)
    assert files_of(ingest(out="again")) == before
