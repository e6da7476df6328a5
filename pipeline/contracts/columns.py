"""Every column of every table, once: type, unit in the name, meaning and range.

A table (see `tables`) is a list of these names. `Kind` is the physical type; `null` says what a
missing value means, and a column without it admits none.
"""

from __future__ import annotations

from pipeline.contracts.kinds import Column, Kind
from pipeline.contracts.load_columns import load_columns

__all__ = ["COLUMNS", "Column", "Kind"]

QUANTILE_LEVELS = (
    0.005, 0.025, 0.05, 0.1, 0.165, 0.25, 0.35, 0.5,
    0.65, 0.75, 0.835, 0.9, 0.95, 0.975, 0.99, 0.995,
)  # fmt: skip
"""Probability levels of every published quantile forecast; the nine M5 levels are among them."""


def quantile_column(level: float) -> str:
    """Name of the column that holds the quantile at `level`, e.g. 0.5 -> 'q0.5'."""
    return f"q{level:g}"


QUANTILE_COLUMNS = tuple(quantile_column(level) for level in QUANTILE_LEVELS)


def _ids() -> list[Column]:
    return [
        Column("item_id", "category", "Item (SKU)."),
        Column("node_id", "category", "Node of the warehouse network."),
        Column("from_node_id", "category", "Node that ships."),
        Column("to_node_id", "category", "Node that receives."),
        Column("parent_node_id", "category", "Node of the next tier up that replenishes this node.",
               null="a top-tier node, replenished by vendors"),
        Column("region_id", "category", "Demand region."),
        Column("other_region_id", "category", "The second region of a pair."),
        Column("vendor_id", "category", "Vendor."),
        Column("order_id", "string", "Order placed with a vendor."),
        Column("order_line_id", "string", "A line of tonight's orders: as_of/vendor/item."),
        Column("transfer_id", "string", "One transfer of tonight's plan: as_of/item/from/to."),
        Column("override_id", "string", "A planner's override."),
        Column("closure_id", "string", "A closing day, or a rule for many."),
    ]  # fmt: skip


SIZE_CLASSES = ("sortable", "non_sortable")
TIERS = ("distribution_center", "fulfillment_center", "same_day_site")
RESOURCES = ("storage_cuft", "inbound_units_per_day", "outbound_units_per_day")
LEAVES = "leave"
"""What substitution names instead of an item where the customer leaves."""
PRICED_RESOURCES = (*RESOURCES, "lane_cuft_per_day", "budget_usd_per_day")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OVERRIDE_KINDS = ("set", "at_least", "at_most", "multiply", "block")
OVERRIDE_TARGETS = ("order_units", "base_stock_units", "demand")
REASON_CODES = (
    "below_order_up_to", "moq", "order_minimum", "case_pack", "vendor_capacity", "budget",
    "cover_limit", "item_end", "shelf_life", "quiet", "override",
)  # fmt: skip
DRIVERS = (
    "demand_over_cover", "safety_stock", "built_ahead", "capacity_price", "stock_on_hand",
    "on_order", "rounding", "override",
)  # fmt: skip
TRANSFER_DRIVERS = (
    "demand_over_cover", "safety_stock", "capacity_price", "stock_on_hand", "on_order",
    "source_limit", "rounding", "override",
)  # fmt: skip


def _raw() -> list[Column]:
    return [
        Column("item_name", "string", "Name shown to planners."),
        Column("category", "category", "Category."),
        Column("department", "category", "Department within the category."),
        Column("choice_group", "category", "Group of items that customers take for one another."),
        Column("attribute", "category", "Name of an attribute, e.g. strength."),
        Column("attribute_value", "string",
               "Its value; an attribute whose values all read as numbers is one, else a word."),
        Column("size_class", "category", "Handling class; decides which nodes may hold the item.",
               values=SIZE_CLASSES),
        Column("accepts", "category", "Size class that the node can hold.",
               values=(*SIZE_CLASSES, "any")),
        Column("unit_cube_cuft", "float", "Volume of one unit in storage.", low=1e-6, high=1e4),
        Column("unit_weight_lb", "float", "Weight of one unit.", low=0, high=1e5),
        Column("list_price_usd", "float", "Regular selling price.", low=0, high=1e7),
        Column("unit_cost_usd", "float", "Purchase cost of one unit.", low=0, high=1e7),
        Column("launch_date", "date", "First day on sale."),
        Column("shelf_life_days", "int", "Days from its arrival within which a unit must sell.",
               low=1, high=3650, null="it does not spoil"),
        Column("predecessor_item_id", "string", "Item that this one replaces; its history counts.",
               null="none"),
        Column("last_sale_date", "date", "Newest day with a sale.", null="never sold"),
        Column("quiet_days", "int", "Days since then that could have sold.", low=0),
        Column("is_quiet", "bool", "It sold for so long nothing that it may be dead."),
        Column("expected_daily_units", "float", "Units a day, as planners expect them at launch.",
               low=0, high=1e7),
        Column("end_date", "date", "Last day on sale.", null="no end planned"),
        Column("region_name", "string", "Name of the region."),
        Column("latitude", "float", "Degrees north.", low=-90, high=90),
        Column("longitude", "float", "Degrees east.", low=-180, high=180),
        Column("population", "int", "People living in the region.", low=0, high=1e11),
        Column("node_name", "string", "Name of the node."),
        Column("tier", "category", "Tier of the node.", values=TIERS),
        Column("is_vendor_receiving", "bool", "Vendors may ship to this node."),
        Column("handling_usd_per_unit", "float", "Cost to receive, stow and pick a unit.",
               low=0, high=1e6),
        Column("storage_usd_per_cuft_day", "float", "Cost of a cubic foot held for a day.",
               low=0, high=1e6),
        Column("transit_days", "int", "Days on the lane.", low=0, high=365),
        Column("lane_usd_per_cuft", "float", "Cost to move a cubic foot over the lane.",
               low=0, high=1e6),
        Column("lane_capacity_cuft_per_day", "float", "Most that the lane carries in a day.",
               low=0, high=1e13,
               null="no limit"),
        Column("speed", "category", "Delivery speed promised to the customer, e.g. one_day."),
        Column("promise_days", "int", "Days between order and delivery that the speed promises.",
               low=0, high=60),
        Column("demand_share", "float", "Share of demand.", low=0, high=1),
        Column("missed_speed_usd_per_unit", "float",
               "Goodwill lost when a unit arrives later than its promised speed.", low=0, high=1e6),
        Column("cutoff_hour", "float",
               "Latest local order hour at which the node can still meet the speed; 24 = always.",
               low=0, high=24),
        Column("ship_usd_per_unit", "float", "Cost to deliver one unit.", low=0, high=1e6),
        Column("hour", "int", "Local hour of the day.", low=0, high=23),
        Column("vendor_name", "string", "Name of the vendor."),
        Column("order_minimum_usd", "float", "Least value of one order to the vendor.",
               low=0, high=1e10),
        Column("order_weekdays", "string", "Weekdays on which the vendor takes orders, e.g. "
               "'tue fri'; the orders of a night reach it on the next day.", null="any day"),
        Column("takes_orders", "bool", "The vendor takes an order of tonight."),
        Column("next_order_date", "date", "First day from tomorrow on which it takes orders."),
        Column("order_gap_days", "int", "Days from tonight until it takes another order.", low=1),
        Column("vendor_capacity_units_per_order", "int", "Most units that one order may carry.",
               low=1, high=1e12, null="no limit"),
        Column("moq_units", "int", "Minimum order quantity of the item.", low=0, high=1e9),
        Column("case_pack_units", "int", "Units in a case; orders are whole cases.",
               low=1, high=1e9),
        Column("quoted_lead_time_days", "int", "Lead time the vendor quotes.", low=1, high=730),
        Column("date", "date", "Calendar day."),
        Column("start_date", "date", "First day on which the row applies."),
        Column("expiry_date", "date", "Last day on which the row applies."),
        Column("weekday", "category", "Weekday on which the row applies.", values=WEEKDAYS,
               null="every day"),
        Column("day_kind", "category", "What the day is: closed (nothing is sold), or period_end "
               "(the last day of a week or month for which sales are reported in one).",
               values=("closed", "period_end")),
        Column("units", "int", "Physical units.", low=0),
        Column("price_usd", "float", "Selling price on the day.", low=0, high=1e7),
        Column("event_name", "category", "Name of the event or promotion."),
        Column("event_type", "category", "Kind of event, e.g. holiday, benefit_day, promotion."),
        Column("on_hand_units", "int", "Units in the node at the end of the day.", low=0),
        Column("in_stock_share", "float", "Share of the day on which the item could be bought.",
               low=0, high=1),
        Column("order_date", "date", "Day the order was placed."),
        Column("confirmed_date", "date", "Day the vendor confirmed the order.",
               null="not confirmed yet"),
        Column("expected_arrival_date", "date", "Day on which the units are expected."),
        Column("arrival_date", "date", "Day on which the units arrived."),
        Column("ship_date", "date", "Day on which the units leave."),
        Column("open_units", "int", "Units still to arrive.", low=0),
        Column("resource", "category", "Capacity of a node.", values=RESOURCES),
        Column("capacity", "float", "Amount of the resource, in the resource's unit.",
               low=0, high=1e13),
        Column("override_kind", "category", "How the override acts.", values=OVERRIDE_KINDS),
        Column("override_target", "category", "What it acts on.", values=OVERRIDE_TARGETS),
        Column("override_value", "float", "Units, or the factor of a multiply.", low=0, high=1e9),
        Column("planner", "string", "Who made the override."),
        Column("why", "string", "Why the planner made it."),
    ]  # fmt: skip


def _forecast() -> list[Column]:
    return [
        Column("is_censored", "bool",
               "Sales may understate demand that day (a stock-out, seen or suspected)."),
        Column("window_start_day", "int", "First day of the window; 1 is the day after as_of.",
               low=1, high=400),
        Column("window_days", "int", "Days in the window.", low=1, high=400),
        Column("mean_units", "float", "Expected demand.", low=0),
        *(Column(name, "float", f"Quantile {name[1:]} of demand over the window.", low=0)
          for name in QUANTILE_COLUMNS),
        Column("rank_correlation", "float", "Rank correlation of forecast errors.", low=-1, high=1),
        Column("item_group", "category",
               "Group of items: a category, department or velocity class, or 'all'."),
        Column("region_group", "category", "A region, or 'network'."),
        Column("finding_date", "date", "The day, or the first day of the weeks, that did not fit."),
        Column("finding", "category", "What did not fit: a spike is kept out of learning.",
               values=("spike", "level_up", "level_down")),
        Column("observed_units", "float", "Demand of that day or of those four weeks.", low=0),
        Column("usual_units", "float", "Median day before it, or the forecast of the four weeks.",
               low=0),
        Column("origin_date", "date", "Business date on which the scored forecast could be made."),
        Column("scored_rows", "int", "Forecasts scored.", low=0),
        Column("pinball_loss", "float", "Mean pinball loss over the levels, units.", low=0),
        Column("scaled_pinball_loss", "float",
               "Pinball loss divided by mean demand of the same rows.", low=0),
        Column("coverage_50", "float", "Share of actuals at or below the median.", low=0, high=1),
        Column("coverage_90", "float", "Share of actuals within the 0.9 quantile.", low=0, high=1),
        Column("coverage_95", "float", "Share of actuals at or below the 0.95 quantile.", low=0,
               high=1),
        Column("bias_units", "float", "Mean of forecast mean less actual."),
        Column("relative_bias", "float", "Bias divided by mean actual demand."),
        Column("horizon_days", "int", "Days since the forecast was published, and its window's.",
               low=1, high=400),
        Column("actual_units", "float", "Mean demand of the scored windows.", low=0),
        Column("wape", "float", "Sum of absolute errors of the mean over the sum of demand.",
               low=0),
        Column("naive_wape", "float",
               "The same of the seasonal naive forecast: as many days before, same weekdays.",
               low=0),
        Column("rmsse", "float",
               "Root mean square error of the mean over that of the seasonal naive forecast.",
               low=0),
        Column("tracking_signal", "float",
               "Bias over mean absolute error, times the root of the rows: beyond ±4 no accident."),
        Column("accuracy_status", "category", "ok, or the exception that holds.",
               values=("few_rows", "ok", "too_high", "too_low", "worse_than_naive",
                       "wrong_width")),
        Column("override_direction", "category", "Whether it raised or lowered the mean.",
               values=("up", "down")),
        Column("error_units", "float", "Mean absolute error with overrides.", low=0),
        Column("error_units_before", "float", "Mean absolute error without overrides.", low=0),
        Column("pinball_loss_before", "float", "Mean pinball loss without overrides, units.",
               low=0),
        Column("value_added_units", "float", "Mean absolute error that the overrides took away."),
        Column("previous_mean_units", "float",
               "Demand of the same days as expected with yesterday's knowledge.", low=0),
        Column("change_units", "float",
               "Expected units that the driver added since yesterday; 'all' is the whole change."),
        Column("observed_receipts", "int", "Completed receipts that the fit used.", low=0),
        Column("open_orders_used", "int", "Open orders that the fit used, right-censored.", low=0),
        Column("mean_lead_time_days", "float", "Mean of the fitted lead time.", low=0),
        Column("sd_lead_time_days", "float", "Standard deviation of the fitted lead time.", low=0),
        Column("lead_time_days", "int", "A possible lead time.", low=1, high=1300),
        Column("probability", "float", "Its probability.", low=0, high=1),
        Column("model_date", "date", "Training date of the model used."),
    ]  # fmt: skip


def _assort() -> list[Column]:
    return [
        Column("to_item_id", "category", f"Item that the customer turns to; '{LEAVES}': none."),
        Column("share_from_data", "float",
               "Share of the row that data say, the rest is the prior's (0: the logit itself).",
               low=0, high=1),
        Column("first_choice_units", "float", "Units a day that customers wanted first.", low=0),
        Column("sold_units", "float", "Units sold a day.", low=0),
        Column("recaptured_units", "float",
               "Units a day sold to customers who had wanted another item first.", low=0),
        Column("stocked_share", "float", "Share of the time that the item was in stock.", low=0,
               high=1),
        Column("is_offered", "bool", "The best plan of a season carries the item."),
        Column("season_units", "int", "Units of the best plan of a season.", low=0),
        Column("value_usd", "float",
               "What a customer is worth who stands at the item, if chance were no matter.", low=0),
        Column("value_if_dropped_usd", "float",
               "Profit of a season that would be lost without the item, the others kept."),
        Column("assortment_reason", "category",
               "unique: most of its sales would be lost without it; pools: the others would win "
               "most of them back; cannibalizes: its customers are worth more elsewhere; "
               "unprofitable: it has no margin.",
               values=("unique", "pools", "cannibalizes", "unprofitable")),
        Column("group_items", "int", "Items of the group.", low=2),
        Column("carried_items", "int", "Items that the best plan carries.", low=0),
        Column("season_profit_usd", "float", "Profit of the best plan on fresh seasons."),
        Column("lp_bound_usd", "float", "Most profit if chance were no matter.", low=0),
        Column("season_bound_usd", "float",
               "Profit that no plan exceeds in expectation, with 95 % confidence."),
        Column("bound_gap", "float", "(bound - profit) / bound.", low=0),
    ]  # fmt: skip


def _optimize() -> list[Column]:
    return [
        Column("base_stock_units", "int", "Base-stock level: position to hold at the node.", low=0),
        Column("unpriced_base_stock_units", "int", "The level if capacity were free.", low=0),
        Column("protection_days", "float", "Interval that the level protects.", low=0),
        Column("expected_demand_units", "float", "Expected demand over the interval.", low=0),
        Column("marginal_value_usd", "float", "Value of one unit more than the level."),
        Column("order_up_to_units", "int", "Order-up-to level of the network echelon.", low=0),
        Column("unpriced_order_up_to_units", "int", "The level if capacity were free.", low=0),
        Column("built_ahead_units", "int", "Part of the order-up-to level that is to have come in, "
               "by when tonight's order comes, for later weeks that cannot take it.", low=0),
        Column("built_ahead_week", "date", "First day of the first of those weeks; null if there "
               "are none.", null="nothing is built ahead"),
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
               "the item's cheapest vendor; concave in the position."),
        Column("week_start", "date", "First day of the planning week."),
        Column("price_usd_per_capacity_unit", "float",
               "Opportunity cost of a unit of capacity in the week (shadow price).", low=0),
        Column("left_derivative_usd", "float",
               "Value lost with a unit of capacity less (left derivative).", low=0),
        Column("right_derivative_usd", "float",
               "Value gained with a unit of capacity more (right derivative).", low=0),
        Column("usage", "float", "Capacity used by the integer plan.", low=0),
        Column("overflow", "float", "Capacity used beyond what there is, paid for.", low=0),
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
               "that the general plan was made for."),
        Column("value", "float", "Its value."),
        Column("measure_unit", "category", "Unit of the figure, e.g. usd, share, units."),
    ]  # fmt: skip


def _buy_place() -> list[Column]:
    return [
        Column("order_units", "int", "Units ordered.", low=1),
        Column("cases", "int", "Cases ordered or moved; a broken case counts as one.", low=1),
        Column("order_cost_usd", "float", "Units times unit cost.", low=0),
        Column("needed_units", "int",
               "Units below the order-up-to (or base-stock) level, before rounding.", low=0),
        Column("override_units", "int",
               "Units that a planner's override added to (or took from) what would be ordered."),
        Column("reason_code", "category", "Main reason of the line.", values=REASON_CODES),
        Column("value_gained_usd", "float", "Value of the decision against doing nothing."),
        Column("candidate_units", "int", "Units of the alternative.", low=0),
        Column("is_chosen", "bool", "The alternative was chosen."),
        Column("why_not", "string", "Why the alternative was not chosen.", null="it was chosen"),
        Column("assigned_units", "int", "Units of the order line sent to the node.", low=0),
        Column("transfer_units", "int", "Units moved.", low=1),
        Column("driver", "category", "What moved the quantity."),
        Column("driver_units", "int", "Its share of the quantity; drivers add up exactly."),
        Column("driver_order", "int", "Order in which the drivers are read.", low=0),
        Column("sentence", "string", "The reason in one sentence."),
        Column("change_key", "string", "What changed: an item's order, or a transfer over a lane."),
        Column("previous_units", "int", "Quantity in the previous plan.", low=0),
        Column("current_units", "int", "Quantity in this plan.", low=0),
        Column("on_order_units", "int",
               "Units of its item and vendor that tonight's open orders hold, dated since; 0: not "
               "seen, were they placed?", low=0),
        Column("is_proposed_again", "bool", "Tonight's plan orders the item again."),
        Column("inventory_position_units", "int",
               "On hand, in transit, and open orders that arrive before a new order would.", low=0),
        Column("table_name", "category", "Table of the finding."),
        Column("row_key", "string",
               "Key of the row as written, its columns in order; '-': the whole table. echelon "
               "check gives row numbers of the file."),
        Column("row_count", "int", "Rows that the finding stands for.", low=1),
        Column("column_name", "category", "Column of the finding."),
        Column("rule", "string", "Rule that was broken."),
        Column("bad_value", "string", "What was there."),
        Column("reason", "string", "What it means and what to do."),
        Column("kpi", "category", "Key figure of the night."),
    ]  # fmt: skip


def _simulate() -> list[Column]:
    usd = {
        "revenue_usd": "Sales.", "cost_of_goods_usd": "Standard cost of what was sold.",
        "shipping_usd": "Delivery to customers.",
        "missed_speed_usd": "Goodwill lost with late deliveries.",
        "goodwill_usd": "Goodwill lost with lost sales.",
        "handling_usd": "Handling of what the nodes received.",
        "transport_usd": "Transport between nodes.", "holding_usd": "Capital cost of stock.",
        "storage_usd": "Storage.", "overflow_usd": "Charge for use beyond capacity.",
    }  # fmt: skip
    units = {
        "demand_units": "Units asked for.", "kept_units": "Units served at the promised speed.",
        "late_units": "Units served, but later than promised.", "lost_units": "Units not served.",
        "in_transit_units": "Units on the way at the end of the day, orders and transfers.",
        "ordered_units": "Units ordered from vendors.",
        "tier_units": "Units on hand in the nodes of the tier at the end of the day.",
        "node_units": "Units on hand in the node at the end of the day.",
        "inbound_units": "Units that the node received on the day.",
        "outbound_units": "Units that left the node on the day, to customers and other nodes.",
    }  # fmt: skip
    return [
        Column("policy", "category", "Policy that planned."),
        Column("replication", "int", "Replication: one draw of all that is random.", low=0),
        *(Column(name, "int", meaning, low=0) for name, meaning in units.items()),
        *(Column(name, "float", meaning) for name, meaning in usd.items()),
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
    ]  # fmt: skip


COLUMNS: dict[str, Column] = {
    column.name: column
    for column in [
        *_ids(),
        *_raw(),
        *_forecast(),
        *_assort(),
        *_optimize(),
        *_buy_place(),
        *_simulate(),
        *load_columns(),
    ]
}
