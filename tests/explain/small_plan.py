"""A plan of two items, one vendor and two nodes that fits in the head."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from pipeline.explain.plan import NightPlan

AS_OF = date(2026, 3, 1)
DAY = pd.Timestamp(AS_OF)


def purchase_order(item: str = "tea", units: int = 48, **changes: Any) -> dict[str, Any]:
    """An order of 4 cases of 12: level 155, position 107, need 48."""
    return {
        "order_line_id": f"2026-03-01/acme/{item}", "vendor_id": "acme", "item_id": item,
        "order_units": units, "cases": max(1, units // 12), "unit_cost_usd": 2.0,
        "order_cost_usd": 2.0 * units, "needed_units": 48, "override_units": 0,
        "order_up_to_units": 155, "inventory_position_units": 107, "order_date": DAY,
        "expected_arrival_date": DAY + pd.Timedelta(days=14), "value_gained_usd": 10.0,
        "reason_code": "below_order_up_to", **changes,
    }  # fmt: skip


def transfer(
    item: str = "tea", units: int = 24, source: str = "dc", **changes: Any
) -> dict[str, Any]:
    """A transfer of 2 cases of 12 to the fulfillment center."""
    return {
        "transfer_id": f"2026-03-01/{item}/{source}/fc", "item_id": item, "from_node_id": source,
        "to_node_id": "fc", "transfer_units": units, "cases": max(1, units // 12),
        "ship_date": DAY + pd.Timedelta(days=1),
        "expected_arrival_date": DAY + pd.Timedelta(days=3), "needed_units": units,
        "relief_units": 0,
        "value_gained_usd": 5.0, **changes,
    }  # fmt: skip


def plan(
    orders: list[dict[str, Any]], transfers: list[dict[str, Any]] | None = None,
    as_of: date = AS_OF, on_hand: int = 60, target: int = 155, unpriced: int = 155,
    cover_demand: float = 120.2, overrides: list[dict[str, Any]] | None = None,
) -> NightPlan:  # fmt: skip
    """The night: `on_hand` at the distribution center, 10 at the other node, 37 on order."""
    day = pd.Timestamp(as_of)
    both = ["tea", "cup"]
    return NightPlan(
        as_of=as_of,
        purchase_orders=pd.DataFrame(orders, columns=list(purchase_order())),
        transfers=pd.DataFrame(transfers or [], columns=list(transfer())),
        network_targets=pd.DataFrame(
            {"item_id": both, "vendor_id": "acme", "order_up_to_units": target,
             "unpriced_order_up_to_units": unpriced, "node_override_units": 0,
             "sold_out_units": 0, "built_ahead_units": 0,
             "service_units": 0, "service_note": None, "built_ahead_week": pd.NaT,
             "cover_demand_units": cover_demand,
             "safety_stock_units": unpriced - cover_demand, "cover_days": 21.0}
        ),
        base_stock_levels=pd.DataFrame(
            {"item_id": both, "node_id": "fc", "base_stock_units": 40,
             "unpriced_base_stock_units": 45, "filled_ahead_units": 0,
             "override_units": 0, "service_units": 0,
             "protection_days": 9.0,
             "expected_demand_units": 30.4, "marginal_value_usd": 1.0}
        ),
        vendor_items=pd.DataFrame(
            {"vendor_id": "acme", "item_id": both, "unit_cost_usd": 2.0, "moq_units": 24,
             "case_pack_units": 12, "quoted_lead_time_days": 14}
        ),
        stock=pd.DataFrame(
            {"date": day, "item_id": [*both, *both], "node_id": ["dc", "dc", "fc", "fc"],
             "on_hand_units": [on_hand, on_hand, 10, 10]}
        ),
        open_orders=pd.DataFrame(
            {"date": day, "order_id": "o1", "vendor_id": "acme", "item_id": both, "node_id": "dc",
             "order_date": day, "confirmed_date": day,
             "expected_arrival_date": day + pd.Timedelta(days=5), "open_units": 37}
        ),
        open_transfers=pd.DataFrame(
            {"date": day, "item_id": both, "from_node_id": "dc", "to_node_id": "fc",
             "ship_date": day, "expected_arrival_date": day + pd.Timedelta(days=1),
             "open_units": 0}
        ),
        overrides=pd.DataFrame(
            overrides or [],
            columns=["override_id", "item_id", "node_id", "override_target", "override_kind",
                     "override_value", "start_date", "expiry_date", "planner", "why"],
        ),
    )  # fmt: skip
