"""Columns of levels, shadow prices, certificates and projections."""

from __future__ import annotations

from pipeline.contracts.fields.names import SERVICE_STATUS
from pipeline.contracts.kinds import Column

OPTIMIZE_COLUMNS = (
    Column("base_stock_units", "int", "Base-stock level: position to hold at the node.", low=0),
    Column("unpriced_base_stock_units", "int", "The level if capacity were free.", low=0),
    Column("protection_days", "float", "Interval that the level protects.", low=0),
    Column("expected_demand_units", "float", "Expected demand over the interval.", low=0),
    Column("marginal_value_usd", "float", "Value of one unit more than the level."),
    Column("order_up_to_units", "int", "Order-up-to level of the network echelon.", low=0),
    Column("unpriced_order_up_to_units", "int", "The level if capacity were free.", low=0),
    Column("built_ahead_units", "int", "Part of the order-up-to level that is to have come in, "
           "by when tonight's order comes, for later weeks that cannot take it.", low=0),
    Column("node_override_units", "int", "Units by which limits and overrides of base stock at "
           "nodes raise (or lower) what the network is to hold; orders fill up to this much more."),
    Column("sold_out_units", "int", "Expected demand that is lost before an order of tonight can "
           "come, since stock and what is on the way do not last, beyond what the level leaves "
           "short on purpose; orders leave it out.", low=0),
    Column("built_ahead_week", "date", "First day of the first of those weeks; null if there "
           "are none.", null="nothing is built ahead"),
    Column("filled_ahead_units", "int", "Part of base_stock_units that the node is to take "
           "in during tonight's week for later ones, which can take in less.", low=0),
    Column("service_units", "int", "Part of the level that service targets add."),
    Column("service_note", "string", "The service target that adds most to the item's levels.",
           null="no target does"),
    Column("planned_share", "float", "Share that the plan is expected to serve, or to keep of "
           "promises, once tonight's orders have come.", low=0, high=1,
           null="nothing is asked for"),
    Column("share_without_target", "float", "The same, at the same prices of space, if no target "
           "were set.", low=0, high=1, null="nothing is asked for"),
    Column("service_price_usd_per_unit", "float", "What a unit of shortage in the target's scope "
           "counts beyond its lost value, so that the target is met.", low=0),
    Column("point_usd_per_week", "float", "What the target's last percentage point costs a week.",
           low=0),
    Column("target_usd_per_week", "float", "What the plan costs more a week for the target.",
           low=0),
    Column("service_status", "category", "Whether the plan reaches the target: anyway, for its "
           "price, not even at the highest price (its best is planned), or nothing is asked for.",
           values=SERVICE_STATUS),
    Column("served_units", "float", "Expected units that the node serves in the week.", low=0),
    Column("entered_early_units", "float", "Of what the node serves in the week, and of what "
           "its level rises by, units that come in before it and wait.", low=0),
    Column("cover_demand_units", "float", "Expected demand over the days of cover_days.",
           low=0),
    Column("safety_stock_units", "float",
           "Unpriced order-up-to level less expected demand over the cover."),
    Column("cover_days", "float",
           "Mean lead time, mean transit to the nodes, and days until the item is ordered "
           "again: a review period, or fewer where it lacks an economic lot sooner.", low=0),
    Column("position_units", "int", "Inventory position of the network echelon.", low=0),
    Column("position_value_usd", "float",
           "Expected value of the position, net of holding and of the unit cost above that of "
           "the item's cheapest vendor, less the most that the cycle for which the order comes "
           "can bring; concave in the position."),
    Column("week_start", "date", "First day of the planning week."),
    Column("price_usd_per_capacity_unit", "float",
           "Opportunity cost of a unit of capacity in the week (shadow price).", low=0),
    Column("left_derivative_usd", "float",
           "Value lost with a unit of capacity less (left derivative).", low=0),
    Column("right_derivative_usd", "float",
           "Value gained with a unit of capacity more (right derivative).", low=0),
    Column("usage", "float", "Capacity used by the integer plan.", low=0),
    Column("overflow", "float", "Capacity used beyond what there is, paid for.", low=0),
    Column("set_number", "int", "Number of the set among those of its size class: sets inside it "
           "have smaller ones; the last is the network.", low=0),
    Column("is_general", "bool", "Whether the general model plans the item's level of tonight."),
    Column("demand_ratio", "float", "Demand inside the set of a cycle that starts with the "
           "week, over that of the cycle of its knots.", low=0),
    Column("held_cuft", "float", "Cubic feet that a unit of level takes.", low=0),
    Column("leaving_units_per_day", "float", "Daily units that leave for one served in a cycle.",
           low=0),
    Column("entering_units_per_day", "float", "Daily units that enter for one of a cycle.", low=0),
    Column("entering_cuft_per_day", "float", "Daily cubic feet over the lane for one unit of a "
           "cycle.", low=0),
    Column("entering_usd_per_day", "float", "Daily usd bought for one unit of a cycle.", low=0),
    Column("holding_usd_per_week", "float", "Capital and storage of a unit of level for a week.",
           low=0),
    Column("knot_number", "int", "Number of the knot in its set, from the first units on.", low=0),
    Column("set_gap_usd", "float", "What a week's service of one unit of a cycle costs more from "
           "outside the set; of the network: the lost sales.", low=0),
    Column("knot_units", "int", "Units of the knot.", low=0),
    Column("knot_usd", "float", "What each saves in a week: the gap times the chance that it is "
           "asked for.", low=0),
    Column("level_week_start", "date", "First day of the week whose levels count; the row's own, "
           "or an earlier one, of which level_share is left."),
    Column("level_share", "float", "Share of that week's use that counts.", low=0, high=1),
    Column("swing_units", "float", "What stands at the node above its plan in the case that the "
           "row is about; cases are equally likely, and one of them is 0."),
    Column("net_capacity", "float", "Capacity less overstock, the swing, and the reserve for "
           "uneven arrivals; below zero where these take more."),
    Column("overflow_usd_per_unit", "float", "Cost of a unit beyond the capacity for a week; "
           "of a swing its share.",
           low=0),
    Column("bound_price_usd", "float", "Price of the row at which the lower bound was found.",
           low=0),
    Column("plan_usage", "float", "What the plan uses of the net capacity.", low=0),
    Column("toll_usd", "float", "Charged on a unit that the node serves, credited to one of level.",
           low=0),
    Column("place_number", "int", "Number of the place on the way into the node, counted from it.",
           low=0),
    Column("entered_week_start", "date", "First day of the week in which it is entered."),
    Column("iteration", "int", "Iteration of the solver.", low=0),
    Column("phase", "category", "Phase of the solver."),
    Column("lower_bound_usd", "float", "Lower bound on the least cost."),
    Column("upper_bound_usd", "float", "Cost of the best integer plan so far.",
           null="no integer plan yet"),
    Column("certified_gap", "float", "(upper - lower) / |upper|.", low=0,
           null="no integer plan yet"),
    Column("violation", "float", "Largest relative excess over a capacity row.", low=0),
    Column("projected_by", "category", "What a projection is made for.",
           values=("network", "category", "vendor", "tier")),
    Column("projected_group", "string", "The category, vendor or tier; all for the network."),
    Column("mean_value", "float", "Mean over the paths."),
    Column("low_value", "float", "One path in ten lies below."),
    Column("median_value", "float", "Half of the paths lie below."),
    Column("high_value", "float", "One path in ten lies above."),
    Column("measure", "category", "Name of the figure. audit_nested_excess: what the audited "
           "items' plan costs more, capacity at its price included, than one by the general "
           "model, on scenarios that neither has seen; audit_nested_excess_at_most: on those "
           "that the general plan was made for. audit_scenario_excess: what more items' plan "
           "costs more than the best for scenarios drawn anew, on these. price_bound_usd: the "
           "bound that prices prove alone."),
    Column("value", "float", "Its value."),
    Column("measure_unit", "category", "Unit of the figure, e.g. usd, share, units."),
)  # fmt: skip
