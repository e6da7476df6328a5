"""Reads the load tables of a raw folder: `<table>.csv` or `<table>.parquet`, each optional."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.contracts.check import require
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.load_tables import LOAD_INPUTS
from pipeline.contracts.tables import TABLES
from pipeline.errors import UsageError


def has_load_series(folder: Path) -> bool:
    """Whether the folder holds any load series; without them the load stages have nothing to do."""
    return any((folder / f"load_series{kind}").exists() for kind in (".csv", ".parquet"))


def read_inputs(folder: Path) -> dict[str, pd.DataFrame]:
    """Every load table of the folder, checked; an absent one is empty.

    Raises ContractError for values that break their column, UsageError without load series.
    """
    if not has_load_series(folder):
        raise UsageError(
            f"{folder} holds no load_series.csv or load_series.parquet. "
            "Next: add one (docs/peak_load.md says what it holds), or leave the load stages out."
        )
    return {words[0]: _read(folder, words[0]) for words in LOAD_INPUTS}


def _read(folder: Path, name: str) -> pd.DataFrame:
    table = TABLES[name]
    csv, parquet = folder / f"{name}.csv", folder / f"{name}.parquet"
    if csv.exists() and parquet.exists():
        raise UsageError(f"{name} is there twice, as CSV and Parquet. Next: keep one of them.")
    if csv.exists():
        frame = pd.read_csv(csv, keep_default_na=False, na_values=[""], dtype="str")
    elif parquet.exists():
        frame = pd.read_parquet(parquet)
    else:
        frame = pd.DataFrame(columns=list(table.columns))
    for column in table.columns:
        if column not in frame and COLUMNS[column].null:
            frame[column] = pd.NA
    return require(frame, table)
