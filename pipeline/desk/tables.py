"""DuckDB over a night's Parquet as it lies: each published table is a view of the same name.

Every value that comes from a request is a bound parameter; column and table names are checked
against the contracts before they become part of a query.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.errors import MissingPartitionError
from pipeline.store import Store

_ARROW = {
    "string": pa.string(), "category": pa.string(), "int": pa.int64(), "float": pa.float64(),
    "bool": pa.bool_(), "date": pa.date32(),
}  # fmt: skip


class NightTables:
    """The tables of one business date, queried where they lie; read-only.

    A table that the night has not published is an empty view, so that pages of an unfinished night
    show what there is; `has` tells which it is.
    """

    def __init__(self, store: Store, as_of: date) -> None:
        self.store, self.as_of = store, as_of
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("set enable_progress_bar = false")
        self._views: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether the night published the table."""
        return self.store.manifest(self.as_of, name) is not None

    def rows(
        self, query: str, parameters: Sequence[Any] = (), *tables: str
    ) -> list[dict[str, Any]]:
        """The rows of a query over `tables`, as dictionaries; nulls and NaN become None."""
        for name in tables:
            self._view(name)
        cursor = self._connection.execute(query, list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [
            {name: _plain(value) for name, value in zip(names, row, strict=True)}
            for row in cursor.fetchall()
        ]

    def frame(self, query: str, parameters: Sequence[Any] = (), *tables: str) -> pd.DataFrame:
        """The same as a frame, for computing and for exports."""
        for name in tables:
            self._view(name)
        return self._connection.execute(query, list(parameters)).df()

    def one(
        self, query: str, parameters: Sequence[Any] = (), *tables: str
    ) -> dict[str, Any] | None:
        """The first row, or None."""
        found = self.rows(query, parameters, *tables)
        return found[0] if found else None

    def _view(self, name: str) -> None:
        if name in self._views:
            return
        table = TABLES[name]
        try:
            dataset = self.store.dataset(self.as_of, name)
        except MissingPartitionError:
            schema = pa.schema([(column, _ARROW[COLUMNS[column].kind]) for column in table.columns])
            dataset = ds.dataset(schema.empty_table())
        if isinstance(dataset, list):
            paths = ", ".join("'" + path.replace("'", "''") + "'" for path in dataset)
            # Paths come from the store's own manifest, never from a request.
            self._connection.execute(f'create view "{name}" as from read_parquet([{paths}])')
        else:
            self._connection.register(name, dataset)
        self._views.add(name)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
