"""Nights of one raw folder that grows by a part a day, each made from the ones before.

A folder is read and cleaned whole for the first night only; then the day's own parts are cleaned
and added. The tables are those that `clean_world` makes, bit for bit, but for `quarantine`, which
is empty: whoever plans so (the simulator) has made the rows himself. What is found wrong with a
day's rows, or an earlier date, has the whole folder read again.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from pandas.api.types import union_categoricals

from pipeline.contracts.settings import IngestSettings
from pipeline.contracts.tables import TABLES, Table
from pipeline.errors import ContractError
from pipeline.ingest.clean import clean, clean_table
from pipeline.ingest.findings import quarantine_frame
from pipeline.ingest.parquet_file import read_parquet
from pipeline.ingest.raw import read_folder
from pipeline.ingest.world import night_tables

_ADDED_TO = ("sales", "availability", "receipts")
_OF_TONIGHT = ("stock", "open_orders", "open_transfers")
"""Tables of which a night looks at its own day's rows only."""

Tables = dict[str, pd.DataFrame]


class Growing:
    """What was made of the folder so far; `night` is asked for one business date after another."""

    def __init__(self, folder: Path, settings: IngestSettings) -> None:
        self._folder, self._settings = folder, settings
        self._tables: Tables = {}
        self._as_of: date | None = None

    def night(self, as_of: date) -> Tables:
        """Every table that ingest publishes; raises ContractError as `clean_world` does."""
        if not self._add(as_of) or self._tables["availability"].empty:  # whose place stock takes
            cleaned = clean(read_folder(self._folder, self._settings), as_of, self._settings)
            if cleaned.fatal:
                raise ContractError(cleaned.fatal, "mend the raw files.")
            self._tables = cleaned.tables
        self._as_of = as_of
        made, _ = night_tables(self._tables, as_of, self._settings)
        return {**made, "quarantine": quarantine_frame([])}

    def _add(self, as_of: date) -> bool:
        """Add the parts of the days since the last night; False if there was none, or if anything
        about them is to be told."""
        if self._as_of is None or as_of < self._as_of:
            return False
        tables = self._tables
        for days in range((as_of - self._as_of).days):
            day = self._as_of + timedelta(days=days + 1)
            found = self._day(day, tables)
            if found is None:
                return False
            tables = {**tables, **found}
        self._tables = tables
        return True

    def _day(self, day: date, tables: Tables) -> Tables | None:
        """What a day's parts change; None if anything about them is to be told."""
        found = {}
        for name in (*_ADDED_TO, *_OF_TONIGHT):
            path, table = self._folder / name / f"{day}.parquet", TABLES[name]
            if not path.exists():  # nothing was sold, received, …
                continue
            file = read_parquet(path, table)
            part = clean_table(table, file, day, self._settings, tables)
            if part.findings or file.findings:
                return None
            new = part.tables[name]
            found[name] = new if name in _OF_TONIGHT else _together(tables[name], new, table)
        return found


def _together(old: pd.DataFrame, new: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Both tables' rows, as one cleaning would have left them."""
    if old.empty or new.empty:
        return new if old.empty else old
    columns: dict[str, object] = {}
    for name in old:
        if isinstance(old[name].dtype, pd.CategoricalDtype):
            columns[name] = union_categoricals([old[name], new[name]], sort_categories=True)
        else:
            columns[name] = pd.concat([old[name], new[name]], ignore_index=True)
    whole = pd.DataFrame(columns)
    if table.name in ("sales", "availability"):  # whose users do not look at the order of rows
        return whole
    return whole.sort_values(list(table.key), kind="stable", ignore_index=True)


def kept_of(memory: dict[str, object], folder: Path, settings: IngestSettings) -> Growing:
    """The folder's nights so far from a process's memory, in which they are kept."""
    found = memory.get(str(folder))
    if not isinstance(found, Growing):
        found = memory[str(folder)] = Growing(folder, settings)
    return found
