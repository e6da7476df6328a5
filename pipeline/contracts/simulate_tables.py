"""Tables that simulations and labs publish, beside the night."""

from __future__ import annotations

from pipeline.contracts.table import table

_SIMULATED = (
    "demand_units kept_units late_units lost_units turned_units revenue_usd cost_of_goods_usd "
    "shipping_usd missed_speed_usd goodwill_usd handling_usd transport_usd holding_usd storage_usd "
    "price_variance_usd overflow_usd profit_usd"
)

SIMULATE_TABLES = (
    table("simulated_days", "simulate", "a simulated day of a policy and replication",
           "policy replication date",
           f"policy replication date {_SIMULATED} overflow_cuft in_transit_units inventory_usd "
           "in_stock_rate ordered_units"),
    table("simulated_tiers", "simulate", "a tier's stock at the end of a simulated day",
           "policy replication date tier",
           "policy replication date tier tier_units inventory_usd"),
    table("simulated_nodes", "simulate", "a node's stock and flow on a simulated day",
           "policy replication date node_id",
           "policy replication date node_id tier node_units inventory_usd inbound_units "
           "outbound_units"),
    table("simulated_speeds", "simulate", "orders at a speed on a simulated day",
           "policy replication date speed",
           "policy replication date speed demand_units kept_units"),
    table("simulated_item_weeks", "simulate", "an item's week: the outcome that labs compare",
           "policy replication item_id week_start",
           "policy replication item_id week_start ordered_units profit_usd"),
    table("simulated_totals", "simulate", "a whole simulation of a policy and replication",
           "policy replication",
           f"policy replication {_SIMULATED} in_stock_rate kept_share shipping_usd_per_unit "
           "inventory_usd order_churn overflow_cuft_days refused_lines clairvoyant_usd "
           "share_of_clairvoyant"),
    table("simulated_losses", "simulate", "sales lost on a simulated day for one cause",
           "policy replication date loss_cause",
           "policy replication date loss_cause lost_units lost_usd"),
    table("lab_assignment", "lab_assign", "an item's arm in a lab", "item_id",
           "item_id cluster pair_number arm"),
    table("lab_looks", "lab_read", "a look at a lab, before its end or at it", "look_week",
           "look_week lift lift_low lift_high z_score z_bound pairs lab_decision"),
    table("simulated_refusals", "simulate", "a line of a plan that the simulated world refused",
           "policy replication refused_line",
           "policy replication refused_line date refusal_rule vendor_id item_id from_node_id "
           "node_id refused_units", nullable=("vendor_id", "item_id", "from_node_id", "node_id")),
)  # fmt: skip
