"""Rows that share a key. What is counted (units sold, in stock, on order) is added up; a row that
repeats another in every column is one export twice; anything else that differs is not guessed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.settings import IngestSettings
from pipeline.contracts.tables import Table
from pipeline.ingest.broken import Broken
from pipeline.ingest.findings import Finding

COUNTED = {
    "sales": "units", "stock": "on_hand_units", "open_orders": "open_units",
    "open_transfers": "open_units", "receipts": "units",
}  # fmt: skip
"""Tables whose rows of one key are parts of one quantity, and that quantity."""


def repeats(
    typed: pd.DataFrame, table: Table, aside: np.ndarray, settings: IngestSettings
) -> Iterator[Broken]:
    """Rows to set aside because of another row with the same key, among those not set `aside`."""
    key = list(table.key)
    good = np.flatnonzero(~aside)
    rows = typed.iloc[good]
    same_key = rows.duplicated(key, keep=False).to_numpy()
    if not same_key.any():
        return
    good, rows = good[same_key], rows[same_key]
    is_copy = rows.duplicated(keep="first").to_numpy()
    at = ", ".join(key)
    if table.name in COUNTED:
        if settings.repeated_rows == "add":
            return
        yield Broken(good[is_copy], at, "duplicate key",
                     "The row repeats another in every column and is left out; are both meant, add "
                     "them up or set ingest.repeated_rows to add.")  # fmt: skip
        return
    yield Broken(good[is_copy], at, "duplicate key", "Keep one row for each key.")
    rest = rows[~is_copy]
    clash = rest.duplicated(key, keep=False).to_numpy()
    yield Broken(good[~is_copy][clash], at, "rows of one key differ",
                 "None of them is used: which one is right cannot be told. Keep one.")  # fmt: skip


def added_up(frame: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, list[Finding]]:
    """The rows with one for each key, quantities added up; and what was added."""
    key, units = list(table.key), COUNTED.get(table.name)
    if units is None or not len(frame):
        return frame, []
    shared = frame.duplicated(key, keep=False).to_numpy()
    if not shared.any():
        return frame, []
    parts = frame[shared].sort_values([*key, *(n for n in table.columns if n not in key)])
    others = {name: "first" for name in table.columns if name not in (*key, units)}
    whole = parts.groupby(key, observed=True, sort=True).agg({units: "sum", **others}).reset_index()
    joined = pd.concat([frame[~shared].astype(_plain(table)), whole.astype(_plain(table))],
                       ignore_index=True)  # fmt: skip
    named = ", ".join(" / ".join(str(value).removesuffix(" 00:00:00") for value in row)
                      for row in whole[key].head(3).itertuples(index=False))  # fmt: skip
    return joined[list(table.columns)], [Finding(
        table.name, 0, ", ".join(key),
        f"{int(shared.sum())} rows share {len(whole)} key(s): their {int(whole[units].sum()):,} "
        "units are added up", named,
        "Right for parts of one quantity; where a row corrects another, export the last state.",
        "warning",
    )]  # fmt: skip


def _plain(table: Table) -> dict[str, str]:
    return {name: "str" for name in table.columns if COLUMNS[name].kind == "category"}
