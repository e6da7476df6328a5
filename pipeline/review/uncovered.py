"""Items that are out of stock, with nothing on the way and nothing ordered, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd


def uncovered_items(tables: Mapping[str, pd.DataFrame], as_of: date) -> pd.DataFrame:
    """item_id, cover_demand_units, why: the most wanted first; the best offer's reason against it.

    Only items that the plan wants to hold (a level above zero) count.
    """
    day = pd.Timestamp(as_of)
    there: set[str] = set(tables["purchase_orders"]["item_id"].astype("str"))
    for name, units in (
        ("stock", "on_hand_units"), ("open_orders", "open_units"), ("open_transfers", "open_units"),
    ):  # fmt: skip
        frame = tables[name]
        rows = frame[(frame["date"] == day) & (frame[units] > 0)]
        there |= set(rows["item_id"].astype("str"))
    wanted = tables["network_targets"].astype({"item_id": "str"})
    wanted = wanted[(wanted["order_up_to_units"] > 0) & ~wanted["item_id"].isin(there)]
    found = wanted.groupby("item_id")["cover_demand_units"].max().reset_index()
    offers = tables["order_candidates"].astype({"item_id": "str"})
    offers = offers[~offers["is_chosen"].astype(bool)].sort_values(
        ["item_id", "value_gained_usd"], ascending=[True, False], kind="stable"
    )
    why = offers.drop_duplicates("item_id").set_index("item_id")["why_not"]
    found["why"] = found["item_id"].map(why).fillna("no vendor's offer is worth its cost")
    order = ["cover_demand_units", "item_id"]
    return found.sort_values(order, ascending=[False, True], ignore_index=True)
