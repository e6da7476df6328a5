"""What is on order and on the way tonight: counted whoever sends it, unless nobody should wait.

One rule for orders and transfers: what is overdue by more than ingest.stale_on_order_days no longer
counts, and each such line is listed with its value until it is received, cancelled or re-dated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.findings import Finding

Tables = Mapping[str, pd.DataFrame]
_LISTED = 200


def on_order(
    tables: Tables, as_of: date, settings: IngestSettings
) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """Tonight's open_orders and open_transfers that count, and what was found about them."""
    today = pd.Timestamp(as_of)
    cost = tables["vendor_items"].groupby("item_id", observed=True)["unit_cost_usd"].min()
    counted, findings = {}, []
    for name in ("open_orders", "open_transfers"):
        frame = tables[name][tables[name]["date"] == today]
        late = (today - frame["expected_arrival_date"]).dt.days
        is_stale = (late > settings.stale_on_order_days).to_numpy(dtype=bool)
        counted[name] = frame[~is_stale]
        findings += _stale(name, frame[is_stale], late[is_stale].to_numpy(), cost)
    return counted, findings + _of_strangers(tables, counted["open_orders"], cost)


def _stale(name: str, lines: pd.DataFrame, late: np.ndarray, cost: pd.Series) -> list[Finding]:
    """A finding for each line that no longer counts, the dearest first."""
    worth = (lines["open_units"] * lines["item_id"].astype("object").map(cost).fillna(0)).to_numpy()
    keys = ["order_id", "item_id", "node_id"] if name == "open_orders" else [
        "item_id", "from_node_id", "to_node_id"]  # fmt: skip
    found = []
    for row in np.argsort(-worth, kind="stable")[:_LISTED].tolist():
        line = lines.iloc[row]
        found.append(Finding(
            name, 0, "expected_arrival_date", "is so overdue that it no longer counts",
            f"{int(line['open_units']):,} units, ${float(worth[row]):,.2f}, {late[row]} days late",
            "Receive it, cancel it, or give it a new date; the limit is "
            "ingest.stale_on_order_days.", "warning", " / ".join(str(line[key]) for key in keys),
        ))  # fmt: skip
    if len(lines) > _LISTED:
        found.append(Finding(
            name, 0, "expected_arrival_date", "is so overdue that it no longer counts",
            f"{len(lines) - _LISTED:,} more lines, ${float(np.sort(worth)[:-_LISTED].sum()):,.2f}",
            "Receive, cancel or re-date them.", "warning", "-", len(lines) - _LISTED,
        ))  # fmt: skip
    return found


def _of_strangers(tables: Tables, lines: pd.DataFrame, cost: pd.Series) -> list[Finding]:
    """Lines of vendors that left the master, or no longer sell the item: they count."""
    vendors = set(tables["vendors"]["vendor_id"].astype("str"))
    offers = tables["vendor_items"]
    sold = set(zip(offers["vendor_id"].astype("str"), offers["item_id"].astype("str"), strict=True))
    vendor, item = lines["vendor_id"].astype("str"), lines["item_id"].astype("str")
    worth = lines["open_units"] * lines["item_id"].astype("object").map(cost).fillna(0)
    is_gone = ~vendor.isin(vendors).to_numpy(dtype=bool)
    offered = np.array([pair in sold for pair in zip(vendor, item, strict=True)], dtype=bool)
    found = []
    for mask, words in ((is_gone, "is not in vendors"),
                        (~is_gone & ~offered, "no longer sells what it owes")):  # fmt: skip
        for name in sorted(vendor[mask].unique()):
            own = mask & (vendor == name).to_numpy(dtype=bool)
            found.append(Finding(
                "open_orders", 0, "vendor_id", f"vendor {name} {words}: its open lines count as "
                "on order", f"{int(own.sum())} lines, {int(lines['open_units'][own].sum()):,} "
                f"units, ${float(worth[own].sum()):,.2f}",
                "Cancel them in the source if they will not come.", "warning",
            ))  # fmt: skip
    return found
