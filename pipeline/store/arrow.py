"""Tables between pandas, as stages know them, and Arrow, as they lie in files."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.contracts.check import is_nullable
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import Table
from pipeline.errors import OutdatedPartitionError
from pipeline.processor import significant

ARROW = {
    "string": pa.string(), "category": pa.dictionary(pa.int32(), pa.string()),
    "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "date": pa.date32(),
    "time": pa.timestamp("s"),
}  # fmt: skip
"""Kind of a column and how it lies in files."""


def to_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    """The checked frame with the types of its contract; floats to the digits that are published."""
    arrays, fields = [], []
    for name in table.columns:
        kind = COLUMNS[name].kind
        arrow_type = ARROW[kind]
        values = frame[name]
        if kind in ("date", "time"):
            array = pa.Array.from_pandas(values).cast(pa.timestamp("s")).cast(arrow_type)
        elif kind == "category":
            codes = values.cat.codes.to_numpy().astype("int32")
            array = pa.DictionaryArray.from_arrays(
                pa.array(codes, mask=codes < 0),
                pa.array(values.cat.categories.tolist(), pa.string()),
            )
        else:
            if kind == "float":
                values = pd.Series(significant(values.to_numpy(dtype="float64", na_value=np.nan)))
            array = pa.Array.from_pandas(values, type=arrow_type)
        arrays.append(array)
        fields.append(pa.field(name, arrow_type, nullable=True, metadata=None))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def as_declared(data: pa.Table, table: Table, columns: list[str], as_of: date) -> pa.Table:
    """The columns of a published table; what an earlier version did not have yet is null.

    Raises OutdatedPartitionError where such a column must not be null.
    """
    lacking = [name for name in columns if name not in data.column_names]
    if needed := [name for name in lacking if not is_nullable(COLUMNS[name], table)]:
        raise OutdatedPartitionError(
            f"{table.name} of {as_of} was published by another version of Echelon, without "
            f"{', '.join(needed)}. Next: plan {as_of} again with this version."
        )
    for name in lacking:
        data = data.append_column(name, pa.nulls(len(data), ARROW[COLUMNS[name].kind]))
    return data.select(columns)


def to_pandas(data: pa.Table) -> pd.DataFrame:
    """The frame that was published, with the same types."""
    columns: dict[str, Any] = {}
    for name in data.column_names:
        array = data[name].combine_chunks()
        kind = COLUMNS[name].kind
        if kind == "date":
            columns[name] = array.cast(pa.timestamp("s")).to_pandas()
        elif kind == "int" and array.null_count:
            columns[name] = array.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        else:
            columns[name] = array.to_pandas()
    return pd.DataFrame(columns)
