"""What an export of sales does not say, declared: one warehouse, vendors, costs, stock.

A company with its own files for these writes them instead; every figure here is an assumption.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

_VENDORS = 12
_QUOTED_DAYS = (7, 10, 14, 21, 28, 45)


def write_folder(
    folder: Path, items: pd.DataFrame, sales: pd.DataFrame, prices: pd.DataFrame, as_of: str,
    regions: list[str], weeks_of_stock: float = 3.0,
) -> None:  # fmt: skip
    """All raw tables as Parquet files in `folder`.

    items: item_id, item_name, category, department, list_price_usd, launch_date; sales: item_id,
    region_id, date, units; prices: item_id, region_id, start_date, price_usd.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = np.arange(len(items))
    vendor = pd.util.hash_array(items["item_id"].to_numpy(object)) % _VENDORS
    price = items["list_price_usd"].to_numpy(float)
    recent = sales[(sales["date"] > pd.Timestamp(as_of) - pd.Timedelta(days=28))
                   & (sales["date"] <= as_of)]  # fmt: skip
    weekly = items["item_id"].map(recent.groupby("item_id")["units"].sum()).fillna(0) / 4
    # Every third item is nearly sold out, as on any morning.
    stock = np.rint(weekly * np.where(number % 3 == 0, 0.3, weeks_of_stock)).astype(int)
    tables = {
        "items": items.assign(size_class="sortable", unit_cube_cuft=0.1),
        "sales": sales,
        "prices": prices,
        "regions": pd.DataFrame({
            "region_id": regions, "region_name": regions, "latitude": 52.0, "longitude": 0.0,
            "population": 1_000_000,
        }),
        "nodes": pd.DataFrame({
            "node_id": ["WH"], "node_name": "Warehouse", "tier": "distribution_center",
            "accepts": "any", "parent_node_id": None, "latitude": 52.0, "longitude": 0.0,
            "is_vendor_receiving": True, "handling_usd_per_unit": 0.05,
            "storage_usd_per_cuft_day": 0.005,
        }),
        "lanes": pd.DataFrame(columns=["from_node_id", "to_node_id", "transit_days",
                                       "lane_usd_per_cuft", "lane_capacity_cuft_per_day"]),
        "delivery_options": pd.DataFrame({"region_id": regions, "speed": "standard",
                                          "node_id": "WH", "cutoff_hour": 24.0,
                                          "ship_usd_per_unit": 0.1}),
        "delivery_speeds": pd.DataFrame({"region_id": regions, "speed": "standard",
                                         "promise_days": 3, "demand_share": 1.0,
                                         "missed_speed_usd_per_unit": 0.5}),
        "order_hours": pd.DataFrame({"hour": [12], "demand_share": [1.0]}),
        "vendors": pd.DataFrame({
            "vendor_id": [f"V{k:02d}" for k in range(_VENDORS)],
            "vendor_name": [f"Vendor {k}" for k in range(_VENDORS)],
            "order_minimum_usd": 200.0,
            "vendor_capacity_units_per_order": pd.array([None] * _VENDORS, dtype="Int64"),
        }),
        "vendor_items": pd.DataFrame({
            "vendor_id": [f"V{k:02d}" for k in vendor], "item_id": items["item_id"],
            "unit_cost_usd": np.round(price * 0.55, 4), "moq_units": 1,
            "case_pack_units": np.where(price < 2, 12, np.where(price < 8, 6, 1)),
            "quoted_lead_time_days": np.array(_QUOTED_DAYS)[vendor % len(_QUOTED_DAYS)],
        }),
        "stock": pd.DataFrame({
            "date": pd.Timestamp(as_of), "item_id": items["item_id"], "node_id": "WH",
            "on_hand_units": stock,
        }),
        "node_capacity": pd.DataFrame({
            "node_id": "WH", "start_date": sales["date"].min(),
            "resource": ["storage_cuft", "inbound_units_per_day", "outbound_units_per_day"],
            "capacity": [1e6, 1e6, 1e6],
        }),
    }  # fmt: skip
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
