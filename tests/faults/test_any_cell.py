"""Whatever happens to a cell or column: findings or ContractError, never another exception; and
the order of rows changes no byte."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.tables import RAW_TABLES, TABLES
from pipeline.errors import ContractError
from pipeline.ingest.check import check_raw
from tests.faults.test_reading import Tables, night, planned, same
from tests.ingest.conftest import AS_OF, edit, small_world

__all__ = ["planned", "small_world"]  # fixtures used by name
ODD = (
    "", " ", "\u00a0", "0", "-0.0", "-1", "1e200", "1e400", "9223372036854775808", "4003230000014",
    "nan", "inf", "NaT", "None", "true", "05/06/2025", "20250610", "2025-06-10T05:00:00Z",
    "2025-06-10 00:00:00+02:00", "9999-12-31", "0001-01-01", "1677-01-01", "12,5", "1.234,50",
    "١٢", "a\x00b", "line\nbreak", '"', "=1+1", "[/red]", "x" * 5000,
    "ITEM-0001 ", "\u200bITEM-0001",
)  # fmt: skip
PLACES = [(table.name, column) for table in RAW_TABLES for column in table.columns]


@st.composite
def faults(draw: st.DrawFn) -> tuple[str, str, str, str, float]:
    """(table, column, what happens, a text, share of the column's cells that it happens to)."""
    table, column = draw(st.sampled_from(PLACES))
    what = draw(st.sampled_from(["put", "put", "put", "pad", "repeat", "drop", "type"]))
    text = draw(st.sampled_from(ODD) | st.text(max_size=12))
    return table, column, what, text, draw(st.sampled_from([0.0, 0.1, 1.0]))


def spoil(folder: Path, fault: tuple[str, str, str, str, float]) -> None:
    """Do to the folder what the fault says; tables that it lacks stay absent."""
    table, column, what, text, share = fault
    path = folder / f"{table}.csv"
    if not path.exists():
        return
    frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    if column not in frame:
        return
    rows = np.arange(len(frame)) < max(1, share * len(frame))
    if what == "put":
        frame[column] = frame[column].where(~rows, text)
    elif what == "pad":
        frame[column] = frame[column].where(~rows, f"\u00a0{text[:3].strip()}" + frame[column])
    elif what == "repeat":
        frame = pd.concat([frame, frame[rows].assign(**{column: text})])
    elif what == "drop":
        frame = frame.drop(columns=column)
    else:
        path.unlink()
        whole = pd.to_numeric(frame[column], errors="coerce")
        retyped = {0.0: whole, 0.1: pd.to_datetime(whole, unit="s", utc=True), 1.0: whole.notna()}
        frame.assign(**{column: retyped[share]}).to_parquet(folder / f"{table}.parquet")
        return
    frame.to_csv(path, index=False)


@given(st.lists(faults(), min_size=1, max_size=3))
@settings(max_examples=12, deadline=None, derandomize=True,
          suppress_health_check=list(HealthCheck))  # fmt: skip
def test_any_cell_may_be_anything(small_world: Path, spoilt: list) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(small_world, Path(scratch) / "raw"))
        for fault in spoilt:
            spoil(folder, fault)
        report = check_raw(folder, AS_OF)
        assert report.lines()
        if report.is_fatal:
            with pytest.raises(ContractError, match="Next: "):
                night(folder)
            return
        with suppress(ContractError):  # a check may be kinder: it does not know tonight's history
            assert set(TABLES) >= set(night(folder))


def test_the_order_of_rows_and_columns_changes_no_byte(
    small_world: Path, tmp_path: Path, planned: Tables
) -> None:
    folder = Path(shutil.copytree(small_world, tmp_path / "raw"))
    for table in RAW_TABLES:
        if (folder / f"{table.name}.csv").exists():
            edit(folder, table.name, lambda frame: frame.sample(frac=1, random_state=5)[
                list(reversed(frame.columns))])  # fmt: skip
    tables = night(folder)
    unsorted = ("sales", "prices", "availability")
    same(tables, planned, *unsorted)
    for name in unsorted:
        key = list(TABLES[name].key)
        pd.testing.assert_frame_equal(
            tables[name].sort_values(key, ignore_index=True),
            planned[name].sort_values(key, ignore_index=True),
        )
    pd.testing.assert_frame_equal(tables["quarantine"], planned["quarantine"])


def test_rows_that_say_what_is_so_anyway_change_no_demand(
    small_world: Path, tmp_path: Path, planned: Tables
) -> None:
    """No sale, a price that stays, a day in stock: as without the rows."""
    folder = Path(shutil.copytree(small_world, tmp_path / "raw"))
    day = "2025-06-03"

    def more(frame: pd.DataFrame, **cells: str) -> pd.DataFrame:
        rows = frame.drop_duplicates(["item_id", "region_id"], keep="last").assign(**cells)
        keys = frame[["item_id", "region_id", next(iter(cells))]].apply(tuple, axis=1)
        own = rows[["item_id", "region_id", next(iter(cells))]].apply(tuple, axis=1)
        known = planned["items"]["item_id"].astype("str").tolist()
        return pd.concat([frame, rows[~own.isin(keys) & rows["item_id"].isin(known)]])

    edit(folder, "sales", lambda frame: more(frame, date=day, units="0"))
    edit(folder, "availability", lambda frame: more(frame, date=day, in_stock_share="1"))
    last = pd.read_csv(folder / "prices.csv", dtype="str").sort_values("start_date")
    kept = last.drop_duplicates(["item_id", "region_id"], keep="last")
    stays = kept[kept["start_date"] < AS_OF.isoformat()].assign(start_date=AS_OF.isoformat())
    edit(folder, "prices", lambda frame: pd.concat([frame, stays]))
    tables = night(folder)
    for name in ("daily_demand", "lead_times", "demand_calendar"):
        pd.testing.assert_frame_equal(tables[name], planned[name])
