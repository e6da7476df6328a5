"""Rows written in another unit of measure or currency, restated in planned units and the plan's
money before anything else looks at them.

A blank unit or currency is the plan's own. What is named but not known (no such unit of the item, a
quantity that is no whole number of planned units, no rate) is a cell that cannot be read: its row
is told and set aside like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.tables import Table
from pipeline.ingest.cells import Cells, Reading, Unread, read_cells
from pipeline.ingest.findings import Finding
from pipeline.ingest.repeats import COUNTED

MONEY = {
    "items": "list_price_usd", "vendors": "order_minimum_usd", "vendor_items": "unit_cost_usd",
    "price_breaks": "break_cost_usd", "prices": "price_usd",
}  # fmt: skip
"""The money of a raw table that may be written in another currency."""
_COUNTS = {
    **{name: (column,) for name, column in COUNTED.items()},
    "vendor_items": ("moq_units", "case_pack_units"), "price_breaks": ("from_units",),
}  # fmt: skip
_RATES = {"vendor_items": "unit_cost_usd", "price_breaks": "break_cost_usd"}
"""Money for one unit of measure: that of a case is divided by its units."""
_OWN = "usd"

Tables = Mapping[str, pd.DataFrame]


def restated(
    cells: dict[str, Cells], frame: pd.DataFrame, table: Table, reading: Reading, tables: Tables,
    as_of: date,
) -> tuple[dict[str, Cells], list[Finding]]:  # fmt: skip
    """The cells in planned units and the plan's money, and what was restated."""
    found: list[Finding] = []
    if "unit_of_measure" in table.raw_only and "unit_of_measure" in frame:
        cells, named = _units(cells, frame, table, reading, tables["item_units"])
        found += _told(table, "unit_of_measure", named, "counted in planned units")
    if "currency" in table.raw_only and "currency" in frame:
        cells, named = _money(cells, frame, table, tables["currency_rates"], as_of)
        found += _told(table, "currency", named, f"taken at the rate of {as_of} or of its start")
    return cells, found


def _units(
    cells: dict[str, Cells],
    frame: pd.DataFrame,
    table: Table,
    reading: Reading,
    known: pd.DataFrame,
) -> tuple[dict[str, Cells], pd.Series]:
    unit = _words(frame["unit_of_measure"])
    item = cells["item_id"].values.astype("object")
    factors = {
        (str(i), str(u)): float(f)
        for i, u, f in zip(
            known["item_id"], known["unit_of_measure"], known["planned_units"], strict=True
        )
    }
    is_named = unit.notna().to_numpy()
    keys = pd.Series(list(zip(item, unit, strict=True)), index=frame.index, dtype="object")
    factor = keys.map(factors).to_numpy(dtype="float64", na_value=np.nan)
    result = dict(cells)
    for name in _COUNTS[table.name]:
        if name in frame:
            amount = read_cells(frame[name], "float", reading).values.to_numpy(dtype="float64")
        else:
            amount = np.ones(len(frame))
        result[name] = _whole(cells[name], amount * factor, is_named, np.isnan(factor))
    price = _RATES.get(table.name)
    if price is not None:
        values = cells[price].values.to_numpy(dtype="float64", na_value=np.nan)
        result[price] = _replaced(cells[price], np.where(is_named, values / factor, values))
    return result, unit[is_named & ~np.isnan(factor)]


def _whole(cells: Cells, amount: np.ndarray, is_named: np.ndarray, is_unknown: np.ndarray) -> Cells:
    """The named cells with their amounts as whole units; those that are none are unread."""
    nearest = np.rint(np.nan_to_num(amount))
    with np.errstate(invalid="ignore"):
        is_odd = is_named & ~np.isnan(amount) & (
            np.abs(amount - nearest) > 1e-6 * np.maximum(np.abs(amount), 1.0)
        )  # fmt: skip
    is_unknown = is_named & is_unknown
    old = cells.values.to_numpy(dtype="float64", na_value=np.nan)
    null = np.where(is_named, np.isnan(amount) | is_odd, np.isnan(old))
    values = np.where(null, 0, np.where(is_named, nearest, old))
    code = np.zeros(len(amount), dtype="int8") if cells.code is None else cells.code.copy()
    code[is_named] = 0
    why = (*cells.why, _UNKNOWN_UNIT, _NOT_WHOLE)
    code[is_unknown] = len(why) - 1
    code[is_odd & ~is_unknown] = len(why)
    series = pd.Series(pd.arrays.IntegerArray(values.astype("int64"), null.astype(bool)),
                       index=cells.values.index)  # fmt: skip
    return Cells(series if null.any() else series.astype("int64"), code, why, cells.compact_days)


def _money(
    cells: dict[str, Cells], frame: pd.DataFrame, table: Table, rates: pd.DataFrame, as_of: date
) -> tuple[dict[str, Cells], pd.Series]:
    name = MONEY[table.name]
    currency = _words(frame["currency"]).str.upper()
    is_named = (currency.notna() & (currency != _OWN.upper())).to_numpy()
    day = pd.Series(pd.Timestamp(as_of), index=frame.index)
    if table.name == "prices":  # a price of the past had the rate of its day
        day = cells["start_date"].values.fillna(day).clip(upper=pd.Timestamp(as_of))
    rate = _rate(currency, day, rates)
    values = cells[name].values.to_numpy(dtype="float64", na_value=np.nan)
    result = dict(cells)
    result[name] = _replaced(
        cells[name], np.where(is_named, values * rate, values), is_named & np.isnan(rate)
    )
    return result, currency[is_named & ~np.isnan(rate)]


def _rate(currency: pd.Series, day: pd.Series, rates: pd.DataFrame) -> np.ndarray:
    """The rate of each row's currency on its day: the newest one by then, else the first."""
    found = np.full(len(currency), np.nan)
    names = rates["currency"].astype("str").str.upper()
    rates = rates.sort_values("start_date", kind="stable")
    for name, own in rates.groupby(names[rates.index].to_numpy(), sort=True):
        mine = (currency == name).to_numpy(dtype=bool, na_value=False)
        starts = own["start_date"].to_numpy("datetime64[s]")
        at = np.searchsorted(starts, day[mine].to_numpy("datetime64[s]"), side="right") - 1
        found[mine] = own["usd_per_currency"].to_numpy(float)[np.maximum(at, 0)]
    return found


def _replaced(cells: Cells, values: np.ndarray, unread: np.ndarray | None = None) -> Cells:
    series = pd.Series(values, index=cells.values.index)
    if unread is None or not unread.any():
        return Cells(series, cells.code, cells.why, cells.compact_days)
    code = np.zeros(len(values), dtype="int8") if cells.code is None else cells.code.copy()
    code[unread] = len(cells.why) + 1
    return Cells(series, code, (*cells.why, _NO_RATE), cells.compact_days)


def _words(raw: pd.Series) -> pd.Series:
    text = raw.astype("object").astype("str").str.strip()
    return text.where(raw.notna() & (text != ""), None)


def _told(table: Table, column: str, named: pd.Series, what: str) -> list[Finding]:
    return [
        Finding(
            table.name,
            0,
            column,
            f"{count} row(s) are written in {name}: {what}",
            "",
            "Nothing is to be done.",
            "mended",
        )
        for name, count in sorted(named.value_counts().items())
    ]


_UNKNOWN_UNIT = Unread(
    "is counted in a unit of measure that item_units does not have for the item",
    "Add the unit to item_units, or correct unit_of_measure.",
)
_NOT_WHOLE = Unread(
    "is no whole number of planned units",
    "Plan the item in a smaller unit (grams for kg), or correct the quantity.",
)
_NO_RATE = Unread(
    "is in a currency that currency_rates does not have",
    "Add its rate to currency_rates, or correct the currency.",
)
