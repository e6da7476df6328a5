"""How much may be set aside before a night stops: in rows, in units and in dollars; and which
quantities cannot be believed at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.contracts.tables import Table
from pipeline.ingest.broken import Broken
from pipeline.ingest.findings import Finding
from pipeline.ingest.raw_file import RawFile
from pipeline.ingest.repeats import COUNTED

SNAPSHOTS = ("stock", "open_orders", "open_transfers")
"""Tables that say, day by day, all that there is."""


def quantity_rules(
    typed: pd.DataFrame, table: Table, as_of: date, settings: IngestSettings
) -> Iterator[Broken]:
    """Quantities above what is believed; and, of tonight's snapshots, those that are not known.

    A blank or absurd quantity of what is there tonight is not zero, and no row to forget.
    """
    name = COUNTED.get(table.name)
    if name is None or not len(typed):
        return
    units = _numbers(typed[name])
    with np.errstate(invalid="ignore"):
        absurd = units > settings.most_units
    tonight = _tonight(typed, table, as_of)
    known = ~typed[list(table.references)].isna().any(axis=1).to_numpy()
    unknown = tonight & known & (absurd | np.isnan(units))
    yield Broken(
        np.flatnonzero(unknown), name, "what is there tonight is not known",
        "Correct the quantity: taken for none, it would be bought again. A real quantity above "
        "ingest.most_units needs that setting raised.", is_fatal=True)  # fmt: skip
    yield Broken(np.flatnonzero(absurd & ~unknown), name,
                 f"is above ingest.most_units, {settings.most_units:,}",
                 "Correct the value (a bar code?), or raise the setting.")  # fmt: skip


def too_many(
    typed: pd.DataFrame, table: Table, aside: np.ndarray, file: RawFile, settings: IngestSettings,
    tables: Mapping[str, pd.DataFrame], as_of: date,
) -> list[Finding]:  # fmt: skip
    """A fatal finding where more is set aside than the settings admit."""
    share = settings.quarantine_threshold_share
    total = len(aside) + len(file.ragged)
    count = int(aside.sum()) + len(file.ragged)
    action = "Mend the rows below, or raise ingest.quarantine_threshold_"
    if count > max(settings.quarantine_threshold_rows, share * total):
        return [_stop(table, f"{count} of {total} rows are bad, more than may be set aside "
                      f"({share:.1%})", f"{action}share.")]  # fmt: skip
    name = COUNTED.get(table.name)
    if name is None or table.name == "receipts" or not aside.any():  # of those only delays count
        return []
    units = np.nan_to_num(np.clip(_numbers(typed[name]), 0, None))
    units[units > settings.most_units] = 0.0
    if table.name in SNAPSHOTS:
        units[~_tonight(typed, table, as_of)] = 0.0
    items = tables["items"]
    price = dict(zip(items["item_id"].astype("str"), items["list_price_usd"], strict=True))
    usd = units * typed["item_id"].astype("object").map(price).fillna(0).to_numpy(dtype="float64")
    for worth, limit, words in (
        (units, settings.quarantine_threshold_units, "units"),
        (usd, settings.quarantine_threshold_usd, "usd"),
    ):
        out, of = float(worth[aside].sum()), float(worth.sum())
        if out > max(limit, share * of):
            return [_stop(table, f"the rows set aside hold {out:,.0f} of {of:,.0f} {words}, more "
                          f"than may be ({share:.1%})", f"{action}{words}.")]  # fmt: skip
    return []


def _tonight(typed: pd.DataFrame, table: Table, as_of: date) -> np.ndarray:
    if table.name not in SNAPSHOTS:
        return np.zeros(len(typed), dtype=bool)
    return np.asarray(typed["date"] == pd.Timestamp(as_of), dtype=bool)


def _numbers(values: pd.Series) -> np.ndarray:
    return values.to_numpy(dtype="float64", na_value=np.nan)


def _stop(table: Table, rule: str, action: str) -> Finding:
    return Finding(table.name, 0, "", rule, "", action, "fatal")
