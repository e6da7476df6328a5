"""A frame against its table: every violation at once, and the casting that publishing needs.

Vectorised over pandas; knows nothing of files. `violations` never raises for bad data, it reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.columns import COLUMNS, Column
from pipeline.contracts.tables import Table
from pipeline.errors import ContractError

_SHOWN_ROWS = 5


@dataclass(frozen=True)
class Violation:
    """One broken rule: where, which, how often, with the first offending rows and values."""

    table: str
    column: str
    rule: str
    rows: tuple[int, ...]
    """Positions of all offending rows, from 0; empty where the whole column is wrong."""
    examples: tuple[str, ...]
    action: str

    def __str__(self) -> str:
        where = f"{self.table}.{self.column}" if self.column else self.table
        shown = ", ".join(str(row + 1) for row in self.rows[:_SHOWN_ROWS])
        more = ", …" if len(self.rows) > _SHOWN_ROWS else ""
        at = f" at {len(self.rows)} row(s) [{shown}{more}]" if self.rows else ""
        values = f", e.g. {', '.join(self.examples)}" if self.examples else ""
        return f"{where}: {self.rule}{at}{values}. {self.action}"


def is_nullable(column: Column, table: Table) -> bool:
    """Whether `column` admits nulls in `table`."""
    return bool(column.null) or column.name in table.nullable


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """`frame` with the table's columns in order, its dtypes, and rows sorted by key.

    Raises ContractError when columns are missing or values cannot be cast; call `require` for the
    rest of the rules.
    """
    missing = [name for name in table.columns if name not in frame.columns]
    if missing:
        raise ContractError([_missing(table, name) for name in missing])
    problems: list[Violation] = []
    cast = {}
    for name in table.columns:
        cast[name], bad = cast_column(frame[name], COLUMNS[name])
        if bad.any():
            problems.append(_wrong_type(table, COLUMNS[name], frame[name], bad))
    if problems:
        raise ContractError(problems)
    result = pd.DataFrame(cast, columns=list(table.columns), copy=False)
    key = list(table.key)
    if _is_sorted([result[name] for name in key]):  # a large table is not copied for nothing
        return result.reset_index(drop=True)
    return result.sort_values(key, kind="stable", ignore_index=True)


def _is_sorted(keys: list[pd.Series]) -> bool:
    """Whether rows are in order of `keys`, as far as that is cheap to tell."""
    same = np.ones(max(len(keys[0]) - 1, 0), dtype=bool)
    for values in keys:
        is_category = isinstance(values.dtype, pd.CategoricalDtype)
        if values.isna().any() or not (is_category or values.dtype.kind in "iuM"):
            return False
        own = values.cat.codes.to_numpy() if is_category else values.to_numpy()
        if (same & (own[:-1] > own[1:])).any():  # categories are sorted
            return False
        same &= own[:-1] == own[1:]
    return True


def cast_column(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    """`values` in the column's dtype, null where that fails, and a mask of the failures."""
    absent = values.isna().to_numpy()
    cast: pd.Series
    if column.kind == "date":
        cast = pd.to_datetime(values, errors="coerce").dt.normalize().astype("datetime64[s]")
    elif column.kind == "time":
        cast = _cast_time(values)
    elif column.kind in ("int", "float"):
        cast = pd.to_numeric(values, errors="coerce")
        if column.kind == "int":
            return _cast_int(cast, absent, bool(column.null))
        cast = cast.astype("float64")
    elif column.kind == "bool":
        return _cast_bool(values, absent)
    elif column.kind == "category":
        return _cast_category(values), np.zeros(len(values), dtype=bool)
    else:
        cast = values.astype("str").where(~absent, None)
        return cast, np.zeros(len(values), dtype=bool)
    return cast, cast.isna().to_numpy() & ~absent


def _cast_time(values: pd.Series) -> pd.Series:
    """Times to the second without a zone; what carries one is taken to UTC first."""
    cast = pd.to_datetime(values, errors="coerce")
    if getattr(cast.dt, "tz", None) is not None:
        cast = cast.dt.tz_convert("UTC").dt.tz_localize(None)
    return cast.dt.floor("s").astype("datetime64[s]")


def _cast_int(cast: pd.Series, absent: np.ndarray, keep_null: bool) -> tuple[pd.Series, np.ndarray]:
    numbers = cast.to_numpy(dtype="float64", na_value=np.nan)
    with np.errstate(invalid="ignore"):
        bad = ~absent & ~(np.isfinite(numbers) & (numbers == np.floor(numbers)))
    if keep_null or absent.any() or bad.any():
        whole = pd.Series(np.where(absent | bad, np.nan, numbers), index=cast.index)
        return whole.astype("Int64"), bad
    return cast.astype("int64"), bad


def _cast_bool(values: pd.Series, absent: np.ndarray) -> tuple[pd.Series, np.ndarray]:
    if values.dtype == bool:
        return values, np.zeros(len(values), dtype=bool)
    words = values.astype("str").str.strip().str.lower()
    truth = words.map({"true": True, "1": True, "yes": True, "1.0": True,
                       "false": False, "0": False, "no": False, "0.0": False})  # fmt: skip
    bad = truth.isna().to_numpy() & ~absent
    return (truth if (bad | absent).any() else truth.astype(bool)), bad


def _cast_category(values: pd.Series) -> pd.Series:
    """Categorical with sorted string categories, only those present."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        texts = values.astype("str").where(values.notna(), None)
        codes, names = pd.factorize(texts, sort=True)
        found = pd.Categorical.from_codes(codes, pd.Index(names, dtype="str"))
        return pd.Series(found, index=values.index, name=values.name)
    categories, codes = values.cat.categories, values.cat.codes.to_numpy()
    is_there = np.zeros(len(categories), dtype=bool)
    is_there[codes[codes >= 0]] = True
    if categories.dtype == "str" and categories.is_monotonic_increasing and is_there.all():
        return values
    values = values.cat.remove_categories(categories[~is_there])
    names = [str(name) for name in values.cat.categories]
    values = values.cat.rename_categories(pd.Index(names, dtype="str"))
    return values.cat.reorder_categories(pd.Index(sorted(names), dtype="str"))


def violations(
    frame: pd.DataFrame,
    table: Table,
    known: Mapping[str, Iterable[str]] | None = None,
    checks_keys: bool = True,
) -> list[Violation]:
    """All broken rules of a conformed frame: nulls, ranges, values, keys and references.

    `known` maps 'table.column' to the identifiers that exist there; references to tables that are
    not in it are not checked. Rows whose key has a null are no duplicates of each other.
    """
    found: list[Violation] = []
    for name in table.columns:
        if name in frame:
            found += _column_violations(frame[name], COLUMNS[name], table)
    if checks_keys:
        found += _key_violations(frame, table)
    for name, target in table.references.items():
        if known is not None and target in known and name in frame:
            found += _reference_violations(frame[name], name, table, target, known[target])
    return found


def require(
    frame: pd.DataFrame, table: Table, known: Mapping[str, Iterable[str]] | None = None
) -> pd.DataFrame:
    """The conformed frame, or ContractError with all its violations."""
    result = conform(frame, table)
    found = violations(result, table, known)
    if found:
        raise ContractError(found)
    return result


def _column_violations(values: pd.Series, column: Column, table: Table) -> list[Violation]:
    found = []
    null = values.isna().to_numpy()
    if null.any() and not is_nullable(column, table):
        found.append(_violation(table, column.name, "is null", values, null, "Fill it in."))
    if column.kind in ("int", "float"):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        if np.isinf(numbers).any():
            found.append(_violation(table, column.name, "is infinite", values, np.isinf(numbers),
                                    "Give a finite number."))  # fmt: skip
        with np.errstate(invalid="ignore"):
            outside = np.zeros(len(values), dtype=bool)
            if column.low is not None:
                outside |= numbers < column.low
            if column.high is not None:
                outside |= (numbers > column.high) & np.isfinite(numbers)
        if outside.any():
            low = "-inf" if column.low is None else f"{column.low:g}"
            high = "inf" if column.high is None else f"{column.high:g}"
            found.append(_violation(table, column.name, f"is outside [{low}, {high}]", values,
                                    outside, "Correct the value."))  # fmt: skip
    admitted = table.admits.get(column.name, column.values)
    if admitted:
        unknown = ~values.isin(admitted).to_numpy() & ~null
        if unknown.any():
            found.append(_violation(table, column.name, f"is none of {', '.join(admitted)}",
                                    values, unknown, "Use one of those."))  # fmt: skip
    return found


def _key_violations(frame: pd.DataFrame, table: Table) -> list[Violation]:
    key = list(table.key)
    if any(name not in frame for name in key):
        return []
    repeated = frame.duplicated(key, keep="first").to_numpy()
    repeated = repeated & frame[key].notna().all(axis=1).to_numpy()
    if not repeated.any():
        return []
    rows = np.flatnonzero(repeated)
    first = frame.loc[repeated, key].head(3).astype("str").agg(" / ".join, axis=1)
    return [Violation(table.name, ", ".join(key), "duplicate key", tuple(rows.tolist()),
                      tuple(first), "Keep one row for each key.")]  # fmt: skip


def _reference_violations(
    values: pd.Series, name: str, table: Table, target: str, known: Iterable[str]
) -> list[Violation]:
    orphan = ~values.isin(list(known)).to_numpy() & values.notna().to_numpy()
    if not orphan.any():
        return []
    return [_violation(table, name, f"is unknown in {target}", values, orphan,
                       f"Add it to {target.partition('.')[0]} or remove the row.")]  # fmt: skip


def _violation(
    table: Table, column: str, rule: str, values: pd.Series, mask: np.ndarray, action: str
) -> Violation:
    rows = np.flatnonzero(mask)
    examples = tuple(repr(value) for value in values.iloc[rows[:3]].tolist())
    return Violation(table.name, column, rule, tuple(rows.tolist()), examples, action)


def _missing(table: Table, name: str) -> Violation:
    return Violation(table.name, name, "column is missing", (), (), "Add or rename the column.")


def _wrong_type(table: Table, column: Column, values: pd.Series, bad: np.ndarray) -> Violation:
    return _violation(table, column.name, f"is not a {column.kind}", values, bad,
                      "Write it in the documented format.")  # fmt: skip
