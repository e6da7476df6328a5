"""A made-up night for place: two distribution centers, four fulfillment centers, two sites."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

AS_OF = date(2016, 4, 10)
TODAY = pd.Timestamp(AS_OF)
NODES = [
    ("d1", "distribution_center", "any", None, True),
    ("d2", "distribution_center", "any", None, True),
    ("f1", "fulfillment_center", "sortable", "d1", False),
    ("f2", "fulfillment_center", "sortable", "d2", False),
    ("n1", "fulfillment_center", "non_sortable", "d1", False),
    ("n2", "fulfillment_center", "non_sortable", "d2", True),
    ("s1", "same_day_site", "sortable", "f1", False),
    ("s2", "same_day_site", "sortable", "f2", False),
]
_COST = {"d": 4.0, "f": 2.5, "n": 2.5, "s": 1.0}

Tables = dict[str, pd.DataFrame]


def world(n_items: int, seed: int, tightness: float = 1.0) -> Tables:
    """A random night; capacities scale with `tightness`."""
    rng = np.random.default_rng(seed)
    items = [f"i{n:03d}" for n in range(n_items)]
    sortable = rng.random(n_items) < 0.7
    nodes = pd.DataFrame(
        NODES, columns=["node_id", "tier", "accepts", "parent_node_id", "is_vendor_receiving"]
    ).assign(handling_usd_per_unit=0.0)
    lanes = pd.DataFrame([
        (node[3], node[0], 1, 0.0, None if node[0] != "f1" else 60.0 * tightness)
        for node in NODES if node[3]
    ], columns=["from_node_id", "to_node_id", "transit_days", "lane_usd_per_cuft",
                "lane_capacity_cuft_per_day"])  # fmt: skip
    levels, stock, coming = [], [], []
    for item, is_sortable in zip(items, sortable, strict=True):
        for node, tier, accepts, _, _ in NODES:
            if accepts not in ("any", "sortable" if is_sortable else "non_sortable"):
                continue
            mean = float(rng.gamma(1.5, 6))
            level = int(mean * rng.uniform(0.8, 2))
            levels.append((item, node, level, level, 8.0, mean, 0.1))
            share = rng.uniform(0, 4) if tier == "distribution_center" else rng.uniform(0, 1)
            stock.append((TODAY, item, node, int(level * share)))
            if tier == "fulfillment_center" and rng.random() < 0.2:
                coming.append((TODAY, item, "d" + node[1], node, TODAY,
                               TODAY + pd.Timedelta(days=2), 5))  # fmt: skip
    lines = [(f"o/{item}", "v1", item, 12 * int(rng.integers(1, 9))) for item in items[::2]]
    orders = pd.DataFrame(lines, columns=["order_line_id", "vendor_id", "item_id", "order_units"])
    limits = [
        (node, resource, TODAY - pd.Timedelta(days=9), amount * tightness)
        for node, tier, *_ in NODES
        for resource, amount in (
            ("storage_cuft", 60.0 * n_items if tier[0] == "d" else 22.0 * n_items),
            ("inbound_units_per_day", 4.0 * n_items),
            ("outbound_units_per_day", 9.0 * n_items),
        )
    ]
    return {
        "items": pd.DataFrame({"item_id": items, "unit_cube_cuft": rng.uniform(0.2, 2, n_items),
                               "size_class": np.where(sortable, "sortable", "non_sortable")}),
        "nodes": nodes,
        "lanes": lanes,
        "vendor_items": pd.DataFrame({"item_id": items, "vendor_id": "v1", "case_pack_units":
                                      rng.choice([1, 6, 12], n_items)}),
        "stock": pd.DataFrame(stock, columns=["date", "item_id", "node_id", "on_hand_units"]),
        "open_orders": pd.DataFrame({
            "date": [TODAY], "order_id": "p", "vendor_id": "v1", "item_id": items[0],
            "node_id": "d1", "order_date": TODAY - pd.Timedelta(days=7),
            "expected_arrival_date": TODAY + pd.Timedelta(days=3), "open_units": 7}),
        "open_transfers": pd.DataFrame(coming, columns=[
            "date", "item_id", "from_node_id", "to_node_id", "ship_date", "expected_arrival_date",
            "open_units"]),
        "lead_times": pd.DataFrame({
            "vendor_id": "v1", "item_id": items, "lead_time_days": 10, "probability": 1.0}),
        "node_capacity": pd.DataFrame(limits, columns=["node_id", "resource", "start_date",
                                                       "capacity"]),
        "base_stock_levels": pd.DataFrame(levels, columns=[
            "item_id", "node_id", "base_stock_units", "unpriced_base_stock_units",
            "protection_days", "expected_demand_units", "marginal_value_usd"]),
        "purchase_orders": orders.assign(
            cases=orders["order_units"] // 12, order_date=TODAY,
            expected_arrival_date=TODAY + pd.Timedelta(days=10)),
        "demand_quantiles": pd.DataFrame({
            "item_id": items[0], "region_id": ["r1", "r2"], "window_start_day": 1,
            "window_days": 7, "mean_units": [5.0, 3.0]}),
        "delivery_options": pd.DataFrame([
            (region, speed, node[0], 12.0 if speed == "same_day" else 20.0,
             _COST[node[0][0]] + (0.8 if node[0][1] != region[1] else 0.0))
            for region in ("r1", "r2") for speed in ("same_day", "standard") for node in NODES
            if speed == "standard" or (node[0][0] == "s" and node[0][1] == region[1])
        ], columns=["region_id", "speed", "node_id", "cutoff_hour", "ship_usd_per_unit"]),
        "delivery_speeds": pd.DataFrame([
            (region, speed, days, share, 3.0)
            for region in ("r1", "r2") for speed, days, share in
            (("same_day", 0, 0.3), ("standard", 3, 0.7))
        ], columns=["region_id", "speed", "promise_days", "demand_share",
                    "missed_speed_usd_per_unit"]),
        "order_hours": pd.DataFrame({"hour": range(24), "demand_share": 1 / 24}),
    }  # fmt: skip
