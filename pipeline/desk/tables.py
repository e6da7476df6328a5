"""DuckDB over a night's Parquet as it lies: each published table is a view of the same name.

Every value that comes from a request is a bound parameter; column and table names are checked
against the contracts before they become part of a query.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.errors import MissingPartitionError
from pipeline.store import Store

Known = TypeVar("Known")
_MOST_KNOWN = 64
_TYPES = {
    "string": "varchar", "category": "varchar", "int": "bigint", "float": "double",
    "bool": "boolean", "date": "date", "time": "timestamp",
}  # fmt: skip


class NightTables:
    """The tables of one business date, queried where they lie; read-only, and safe for threads.

    A table that the night has not published is an empty view, so that pages of an unfinished night
    show what there is; `has` tells which it is. It may be kept as long as it `is_current`.
    """

    def __init__(self, store: Store, as_of: date) -> None:
        self.store, self.as_of = store, as_of
        self._database = duckdb.connect(":memory:")
        self._lock = threading.Lock()
        self._seen: dict[str, str | None] = {}
        self._making: dict[str, threading.Lock] = {}
        self._made: set[str] = set()
        self._known: dict[Hashable, Any] = {}

    def has(self, name: str) -> bool:
        """Whether the night published the table."""
        return self.store.manifest(self.as_of, name) is not None

    @property
    def is_current(self) -> bool:
        """Whether every table looked at so far is still the one that is published."""
        seen = list(self._seen.items())  # another thread may be looking at one more
        return all(self.store.manifest_sha256(self.as_of, name) == sha for name, sha in seen)

    def rows(
        self, query: str, parameters: Sequence[Any] = (), *tables: str
    ) -> list[dict[str, Any]]:
        """The rows of a query over `tables`, as dictionaries; nulls and NaN become None."""
        cursor = self._cursor(tables).execute(query, list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [
            {name: _plain(value) for name, value in zip(names, row, strict=True)}
            for row in cursor.fetchall()
        ]

    def frame(
        self, query: str, parameters: Sequence[Any] = (), *tables: str,
        frames: Mapping[str, pd.DataFrame] | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """The same as a frame; `frames` are tables of this query alone."""
        cursor = self._cursor(tables)
        for name, frame in (frames or {}).items():
            cursor.register(name, frame)
        return cursor.execute(query, list(parameters)).df()

    def one(
        self, query: str, parameters: Sequence[Any] = (), *tables: str
    ) -> dict[str, Any] | None:
        """The first row, or None."""
        found = self.rows(query, parameters, *tables)
        return found[0] if found else None

    def keep(self, name: str, query: str, *tables: str) -> str:
        """The name of a table made once of a query: what pages join again and again is kept."""
        cursor = self._cursor(tables)
        with self._lock:
            making = self._making.setdefault(name, threading.Lock())
        with making:  # who wants the same table waits for it, everybody else goes on
            if name not in self._made:
                cursor.execute(f'create table "{name}" as {query}')
                self._made.add(name)
        return f'"{name}"'

    def remember(self, key: Hashable, make: Callable[[], Known]) -> Known:
        """What `make` found, made once: what a page says of the whole night stays as it is."""
        with self._lock:
            if key in self._known:
                found: Known = self._known[key]
                return found
        made = make()
        with self._lock:
            while len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            return self._known.setdefault(key, made)

    def _cursor(self, tables: Sequence[str]) -> duckdb.DuckDBPyConnection:
        with self._lock:
            for name in tables:
                self._view(name)
            return self._database.cursor()

    def _view(self, name: str) -> None:
        if name in self._seen:
            return
        seen = self.store.manifest_sha256(self.as_of, name)
        self._define(name)
        self._seen[name] = seen

    def _define(self, name: str) -> None:
        """A view of the published files; without them, a table of no rows."""
        columns = TABLES[name].columns
        try:
            dataset = self.store.dataset(self.as_of, name)
        except MissingPartitionError:
            typed = ", ".join(f'"{column}" {_type(column)}' for column in columns)
            self._database.execute(f'create table "{name}" ({typed})')
            return
        local = dataset if isinstance(dataset, list) else []
        schema = dataset.schema if isinstance(dataset, ds.Dataset) else pq.read_schema(local[0])
        # A night of an earlier version lacks what came later.
        lacking = "".join(f', null::{_type(c)} as "{c}"' for c in columns if c not in schema.names)
        if local:
            paths = ", ".join("'" + path.replace("'", "''") + "'" for path in local)
            # Paths come from the store's own manifest, never from a request.
            self._database.execute(
                f'create view "{name}" as select *{lacking} from read_parquet([{paths}])'
            )
        else:
            self._database.register("arriving", dataset)
            self._database.execute(f'create table "{name}" as select *{lacking} from arriving')
            self._database.unregister("arriving")


def _type(column: str) -> str:
    return _TYPES[COLUMNS[column].kind]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
