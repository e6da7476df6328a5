"""Where stock lies, what moves between nodes, and what capacity that uses."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.columns import TIERS

BINDING_SHARE = 0.995
"""Use from which a capacity counts as full: plans are in whole units."""


def unit_costs(vendor_items: pd.DataFrame) -> pd.Series:
    """The lowest cost of an item at any vendor, USD a unit, by item_id."""
    text = vendor_items.astype({"item_id": "str"})
    return text.groupby("item_id")["unit_cost_usd"].min()


def stock_by_tier(
    stock: pd.DataFrame, nodes: pd.DataFrame, items: pd.DataFrame, costs: pd.Series,
    weekly_units: float, as_of: date,
) -> pd.DataFrame:  # fmt: skip
    """One row for each tier: nodes, items, units, cubic feet, value, weeks of network demand."""
    today = stock[stock["date"] == pd.Timestamp(as_of)].astype({"item_id": "str", "node_id": "str"})
    tier = nodes.astype({"node_id": "str", "tier": "str"}).set_index("node_id")["tier"]
    cube = items.astype({"item_id": "str"}).set_index("item_id")["unit_cube_cuft"]
    units = today["on_hand_units"].astype("float64")
    rows = today.assign(
        tier=today["node_id"].map(tier),
        units=units,
        cuft=units * _of_item(today, cube),
        value_usd=units * _of_item(today, costs),
    )
    held = rows[rows["units"] > 0]
    table = pd.DataFrame(
        {
            "nodes": tier.value_counts(),
            "items": held.groupby("tier")["item_id"].nunique(),
            "units": held.groupby("tier")["units"].sum(),
            "cuft": held.groupby("tier")["cuft"].sum(),
            "value_usd": held.groupby("tier")["value_usd"].sum(),
        }
    ).reindex([name for name in TIERS if name in set(tier)])
    table = table.fillna(0)
    table["weeks"] = table["units"] / weekly_units if weekly_units > 0 else np.nan
    return table.rename_axis("tier").reset_index()


def transfers_by_lane(
    transfers: pd.DataFrame, lanes: pd.DataFrame, items: pd.DataFrame
) -> pd.DataFrame:
    """One row for each lane used tonight, the largest first.

    Columns: from_node_id, to_node_id, transfers, units, cuft, freight_usd, use (share of the lane's
    capacity of a day, NaN where it has no limit).
    """
    keys = ["from_node_id", "to_node_id"]
    text = dict.fromkeys(keys, "str")
    cube = items.astype({"item_id": "str"}).set_index("item_id")["unit_cube_cuft"]
    moves = transfers.astype({**text, "item_id": "str"})
    units = moves["transfer_units"].astype("float64")
    moves = moves.assign(units=units, cuft=units * _of_item(moves, cube))
    table = moves.groupby(keys, as_index=False).agg(
        transfers=("transfer_id", "size"), units=("units", "sum"), cuft=("cuft", "sum")
    )
    table = table.merge(lanes.astype(text), on=keys, how="left")
    table["freight_usd"] = table["cuft"] * table["lane_usd_per_cuft"].fillna(0)
    capacity = table["lane_capacity_cuft_per_day"].astype("float64")
    table["use"] = table["cuft"] / capacity.where(capacity > 0)
    return table.sort_values(["units", *keys], ascending=[False, True, True], ignore_index=True)[
        [*keys, "transfers", "units", "cuft", "freight_usd", "use"]
    ]


def capacity_use(prices: pd.DataFrame) -> pd.DataFrame:
    """capacity_prices with use (share), is_full and is_over, ids as text."""
    table = prices.astype({"node_id": "str", "resource": "str"})
    capacity = table["capacity"].astype("float64")
    use = np.where(
        capacity > 0, table["usage"] / capacity.where(capacity > 0, 1.0), table["usage"] > 0
    ).astype("float64")
    return table.assign(use=use, is_full=use >= BINDING_SHARE, is_over=table["overflow"] > 0)


def _of_item(frame: pd.DataFrame, values: pd.Series) -> pd.Series:
    return frame["item_id"].map(values).astype("float64").fillna(0)
