"""Columns of simulated runs and labs."""

from __future__ import annotations

from pipeline.contracts.kinds import Column

_USD = {
    "revenue_usd": "Sales.", "cost_of_goods_usd": "Standard cost of what was sold.",
    "shipping_usd": "Delivery to customers.",
    "missed_speed_usd": "Goodwill lost with late deliveries.",
    "goodwill_usd": "Goodwill lost with lost sales.",
    "handling_usd": "Handling of what the nodes received.",
    "transport_usd": "Transport between nodes.", "holding_usd": "Capital cost of stock.",
    "storage_usd": "Storage.", "overflow_usd": "Charge for use beyond capacity.",
}  # fmt: skip
_UNITS = {
    "demand_units": "Units asked for.", "kept_units": "Units served at the promised speed.",
    "late_units": "Units served, but later than promised.", "lost_units": "Units not served.",
    "turned_units": "Units whose customers found their item out and took another one.",
    "in_transit_units": "Units on the way at the end of the day, orders and transfers.",
    "ordered_units": "Units ordered from vendors.",
    "tier_units": "Units on hand in the nodes of the tier at the end of the day.",
    "node_units": "Units on hand in the node at the end of the day.",
    "inbound_units": "Units that the node received on the day.",
    "outbound_units": "Units that left the node on the day, to customers and other nodes.",
}  # fmt: skip

SIMULATE_COLUMNS = (
    Column("policy", "category", "Policy that planned."),
    Column("replication", "int", "Replication: one draw of all that is random.", low=0),
    *(Column(name, "int", meaning, low=0) for name, meaning in _UNITS.items()),
    *(Column(name, "float", meaning) for name, meaning in _USD.items()),
    Column("price_variance_usd", "float", "Purchase prices above standard cost."),
    Column("profit_usd", "float", "Sales less all costs."),
    Column("inventory_usd", "float", "Stock on hand at standard cost.", low=0),
    Column("in_stock_rate", "float", "In-stock share of the day, weighted by demand.", low=0,
           high=1),
    Column("kept_share", "float", "Share of units served at their speed.", low=0, high=1),
    Column("overflow_cuft", "float", "Space used beyond capacity at day's end.", low=0),
    Column("overflow_cuft_days", "float", "Space used beyond capacity, summed by day.", low=0),
    Column("shipping_usd_per_unit", "float", "Delivery cost of a unit sold.", low=0),
    Column("order_churn", "float",
           "Mean over items of |week's orders - last week's| / their sum, by units.", low=0,
           high=1),
    Column("loss_cause", "category", "Why sales were lost: the first that holds "
           "(pipeline/simulate/report/causes.py).",
           values=("late_vendor", "capacity", "placement", "forecast", "policy")),
    Column("lost_usd", "float", "Price of the lost units, mean over regions.", low=0),
    Column("cluster", "category", "Items that a lab does not split."),
    Column("pair_number", "int", "Pair of clusters, one in each arm; -1: left over, not in the "
           "lab."),
    Column("arm", "category", "Arm of a lab; out: the item follows arm A and is not counted.",
           values=("A", "B", "out")),
    Column("look_week", "int", "Weeks of outcomes that the look had.", low=1),
    Column("lift", "float", "Change of profit in arm B, as a share of arm A's."),
    Column("lift_low", "float", "Lower end of its interval at all looks together."),
    Column("lift_high", "float", "Upper end of that interval."),
    Column("z_score", "float", "How far the lift is from 0, in standard errors.", low=0),
    Column("z_bound", "float", "How far it must be to end the lab at this look.", low=0),
    Column("pairs", "int", "Pairs of clusters.", low=1),
    Column("lab_decision", "category", "What may be said at the look."),
    Column("refused_lines", "int", "Lines of plans that the world refused.", low=0),
    Column("refused_line", "int", "Place among the run's refused lines, from 0 on.", low=0),
    Column("refusal_rule", "category", "The rule that the line broke (pipeline/simulate/world/"
           "law.py)."),
    Column("refused_units", "int", "Units that did not move; 0 where they were no number."),
    Column("clairvoyant_usd", "float", "Most profit that perfect information could make.",
           null="bound not computed"),
    Column("share_of_clairvoyant", "float", "Profit divided by that bound.",
           null="bound not computed"),
)  # fmt: skip
