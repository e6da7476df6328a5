"""What a night takes from the records: overrides it knows, and released orders not yet seen.

Facts carry business dates (known from, released on, confirmed from), so a backfill gives the same
bytes as long as nobody records anything new about its date. The night publishes what it used.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from pipeline.records.database import Records
from pipeline.records.overrides import override_rows
from pipeline.records.releases import released_lines


def recorded(
    records: Records, place: str, as_of: date, tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """`overrides` and `open_orders` of the night with the records' own rows added.

    An override of the raw files keeps its row; one of the desk adds its rows after it. A released
    line counts as an open order until the ERP shows its number, has received it, or is confirmed to
    show it.
    """
    overrides = override_rows(records, as_of, tables["items"], tables["vendor_items"])
    released = _unseen(released_lines(records, place, as_of), as_of, tables)
    return {
        "overrides": _with(tables["overrides"], overrides),
        "open_orders": _with(tables["open_orders"], released),
    }


def _unseen(lines: pd.DataFrame, as_of: date, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of open_orders for released lines that the ERP does not show yet."""
    number = lines["as_of"].astype("str") + "/" + lines["vendor_id"].astype("str")
    seen: set[str] = set()
    for name in ("open_orders", "receipts"):
        if name in tables:
            seen |= set(tables[name]["order_id"].astype("str"))
    confirmed = pd.to_datetime(lines["confirmed_from"])
    day = pd.Timestamp(as_of)
    waits = (pd.to_datetime(lines["as_of"]) < day) & ~number.isin(seen)
    waits &= confirmed.isna() | (confirmed > day)
    own = lines[waits]
    return pd.DataFrame({
        "date": day, "order_id": number[waits], "vendor_id": own["vendor_id"],
        "item_id": own["item_id"], "node_id": own["node_id"],
        "order_date": pd.to_datetime(own["as_of"]), "confirmed_date": pd.NaT,
        "expected_arrival_date": pd.to_datetime(own["expected_arrival_date"]),
        "open_units": own["order_units"],
    })  # fmt: skip


def _with(frame: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    if added.empty:
        return frame
    ids = [name for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    text = frame.astype(dict.fromkeys(ids, "object"))
    extra = added.reindex(columns=frame.columns).astype(dict.fromkeys(ids, "object"))
    return pd.concat([text, extra], ignore_index=True)
