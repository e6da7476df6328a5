"""Last night's orders against what is on order tonight: were they placed?

A line that was placed stands in tonight's open orders, dated last night or later. One that does
not was not placed, or the export is behind: only the planner knows. It is not counted as on order
(nobody may have sent it), so tonight's plan proposes the need again; both are said.
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

COLUMNS = (
    "order_line_id", "vendor_id", "item_id", "order_units", "order_cost_usd", "on_order_units",
    "is_proposed_again",
)  # fmt: skip


def previous_orders(
    previous: pd.DataFrame | None, open_orders: pd.DataFrame, tonight: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """Table previous_orders: the lines of `previous` (purchase_orders of the night before; None:
    not planned), the units of their item and vendor on order since, and whether `tonight` orders
    the item again."""
    if previous is None:
        return pd.DataFrame(columns=list(COLUMNS))
    since = pd.Timestamp(as_of - timedelta(days=1))
    today = pd.Timestamp(as_of)
    recent = open_orders[(open_orders["date"] == today) & (open_orders["order_date"] >= since)]
    ids = ["vendor_id", "item_id"]
    text = dict.fromkeys(ids, "str")
    seen = recent.astype(text).groupby(ids, as_index=False)["open_units"].sum()
    lines = previous.astype(text).merge(seen, on=ids, how="left")
    again = set(tonight["item_id"].astype("str"))
    return pd.DataFrame({
        **{name: lines[name] for name in COLUMNS[:5]},
        "on_order_units": lines["open_units"].fillna(0).astype("int64"),
        "is_proposed_again": lines["item_id"].isin(again),
    })  # fmt: skip
