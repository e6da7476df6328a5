"""Returns: negative sales, taken from the sales before them.

What comes back was no demand: a return takes its units from the newest sale of its item in its
region that is as large, on its day or up to `ingest.returns_days` before, else from the newest
units sold. What finds no sale stays negative, and is set aside with its reason like any quantity
below zero.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.findings import Finding

_KEY = ["item_id", "region_id"]


def netted(
    sales: pd.DataFrame, settings: IngestSettings
) -> tuple[pd.DataFrame, list[Finding]]:  # fmt: skip
    """The rows of sales, in order, with returns taken from what was sold; and what was taken."""
    units = sales["units"].to_numpy(dtype="float64", na_value=np.nan)
    with np.errstate(invalid="ignore"):
        is_return = (units < 0) & sales[[*_KEY, "date"]].notna().all(axis=1).to_numpy()
    if settings.returns == "set_aside" or not is_return.any():
        return sales, []
    # A row that repeats another in every column is one row, unless repeated rows are meant.
    row_of = np.arange(len(sales))
    if settings.repeated_rows == "once":
        row_of = sales.groupby(list(sales.columns), dropna=False, observed=True).ngroup().to_numpy()
    groups = sales[_KEY].apply(lambda column: pd.factorize(column)[0]).to_numpy()
    concerned = pd.MultiIndex.from_arrays(groups.T)
    mine = concerned.isin(concerned[is_return]) & np.isfinite(units)
    rows = np.flatnonzero(mine)
    rows = rows[np.unique(row_of[rows], return_index=True)[1]]
    day = sales["date"].to_numpy("datetime64[D]").astype("int64")
    rows = rows[np.lexsort((rows, -units[rows], day[rows], groups[rows, 1], groups[rows, 0]))]
    left = _taken(rows, units, day, groups, settings.returns_days)
    whole = dict(zip(row_of[rows].tolist(), left[rows].tolist(), strict=True))
    result = units.copy()
    result[mine] = [whole[row] for row in row_of[mine].tolist()]
    taken = int((result - units)[rows][units[rows] < 0].sum())
    finding = Finding(
        "sales", 0, "units",
        f"{int(is_return.sum())} row(s) are returns: {taken:,} units are taken from the sales of "
        f"the {settings.returns_days} days before them", "",
        "Demand is net of what came back; ingest.returns says otherwise.", "mended",
    )  # fmt: skip
    null = np.isnan(result)
    values = pd.arrays.IntegerArray(np.where(null, 0, result).astype("int64"), null)
    return sales.assign(units=pd.Series(values, index=sales.index)), [finding]


def _taken(
    rows: np.ndarray, units: np.ndarray, day: np.ndarray, groups: np.ndarray, most_days: int
) -> np.ndarray:
    """Units of all rows after returns; rows: those concerned by item, region and day, on a day
    sales before returns."""
    left = units.copy()
    sold: list[int] = []
    now = None
    for row in rows.tolist():
        if now != tuple(groups[row]):
            now, sold = tuple(groups[row]), []
        if left[row] >= 0:
            sold.append(row)
            continue
        first = bisect_left(sold, day[row] - most_days, key=day.__getitem__)
        recent = sold[: first - 1 if first else None : -1]
        whole = [sale for sale in recent if left[sale] >= -left[row]][:1]
        for sale in whole or recent:
            back = min(left[sale], -left[row])
            left[sale] -= back
            left[row] += back
    return left
