"""Every table, once: owner stage, grain, key and columns (see `columns` for what each column is).

Table = file = docs entry. Rows are published sorted by key. Raw tables are also the contract of a
user's own files; `optional` columns and tables may be left out there and take the default named.
"""

from __future__ import annotations

from pipeline.contracts.columns import PRICED_RESOURCES, QUANTILE_COLUMNS, USD_COLUMNS
from pipeline.contracts.load_tables import LOAD_INPUTS, LOAD_OUTPUTS
from pipeline.contracts.simulate_tables import SIMULATE_TABLES
from pipeline.contracts.table import Table, table

_ITEM = {"item_id": "items.item_id"}
_ITEM_REGION = {**_ITEM, "region_id": "regions.region_id"}
_ITEM_NODE = {**_ITEM, "node_id": "nodes.node_id"}
_OFFER = {**_ITEM, "vendor_id": "vendors.vendor_id"}
_LANE = {"from_node_id": "nodes.node_id", "to_node_id": "nodes.node_id"}

RAW_TABLES = (
    table("items", "raw", "an item", "item_id",
           "item_id item_name category department size_class unit_cube_cuft unit_weight_lb "
           "list_price_usd launch_date end_date shelf_life_days predecessor_item_id "
           "predecessor_stock",
           references={"predecessor_item_id": "items.item_id"},
           optional=("unit_weight_lb", "end_date", "shelf_life_days", "predecessor_item_id",
                     "predecessor_stock"),
           raw_only=("currency",)),
    table("item_units", "raw",
           "a unit of measure of an item: case, layer, pallet, kg; sales, stock, orders and "
           "vendors' terms may be counted in it", "item_id unit_of_measure",
           "item_id unit_of_measure planned_units", references=_ITEM, is_optional=True),
    table("currency_rates", "raw", "the rate of a currency from a date until the next row's",
           "currency start_date", "currency start_date usd_per_currency", is_optional=True),
    table("item_attributes", "raw",
           "an attribute that an item's product line records; the forecast learns from it",
           "item_id attribute", "item_id attribute attribute_value", references=_ITEM,
           is_optional=True),
    table("choice_groups", "raw",
           "an item of a group of substitutes: who misses one may take another", "item_id",
           "item_id choice_group", references=_ITEM, is_optional=True),
    table("launch_plans", "raw",
           "what planners expect an item to sell in a region before its own sales tell",
           "item_id region_id", "item_id region_id expected_daily_units like_item_id",
           nullable=("expected_daily_units", "like_item_id"),
           optional=("like_item_id",),
           references={**_ITEM_REGION, "like_item_id": "items.item_id"}, is_optional=True),
    table("service_targets", "raw",
           "a share of demand that the plan is to serve, of a class or group (a category or "
           "department) of items, in a region, at a speed (null: all of them); speeds are for "
           "promises", "target_id",
           "target_id service_measure target_share abc_class item_group region_id speed",
           nullable=("abc_class", "item_group", "region_id", "speed"),
           optional=("abc_class", "item_group", "region_id", "speed"),
           references={"region_id": "regions.region_id"}, is_optional=True),
    table("regions", "raw", "a demand region", "region_id",
           "region_id region_name latitude longitude population"),
    table("nodes", "raw", "a node of the network", "node_id",
           "node_id node_name tier accepts parent_node_id latitude longitude is_vendor_receiving "
           "handling_usd_per_unit storage_usd_per_cuft_day",
           references={"parent_node_id": "nodes.node_id"}),
    table("lanes", "raw", "a lane between two nodes", "from_node_id to_node_id",
           "from_node_id to_node_id transit_days lane_usd_per_cuft lane_capacity_cuft_per_day",
           references=_LANE),
    table("delivery_options", "raw", "a node that can serve a region at a speed",
           "region_id speed node_id",
           "region_id speed node_id cutoff_hour ship_usd_per_unit",
           references={"region_id": "regions.region_id", "node_id": "nodes.node_id"}),
    table("delivery_speeds", "raw", "a speed promised in a region", "region_id speed",
           "region_id speed promise_days demand_share missed_speed_usd_per_unit",
           references={"region_id": "regions.region_id"}),
    table("order_hours", "raw", "an hour of the day", "hour", "hour demand_share"),
    table("vendors", "raw", "a vendor", "vendor_id",
           "vendor_id vendor_name order_minimum_usd vendor_capacity_units_per_order order_weekdays "
           "delivery_weekdays lead_time_counts",
           optional=("order_weekdays", "delivery_weekdays", "lead_time_counts"),
           raw_only=("currency",)),
    table("vendor_items", "raw", "an item that a vendor sells", "vendor_id item_id",
           "vendor_id item_id unit_cost_usd moq_units case_pack_units quoted_lead_time_days",
           references=_OFFER, raw_only=("unit_of_measure", "currency")),
    table("price_breaks", "raw",
           "a price of a vendor's item from a quantity on, for all units of the order line",
           "vendor_id item_id from_units", "vendor_id item_id from_units break_cost_usd",
           references=_OFFER, is_optional=True, raw_only=("unit_of_measure", "currency")),
    table("vendor_awards", "raw", "the share of an item that a vendor is to get",
           "vendor_id item_id", "vendor_id item_id award_share", references=_OFFER,
           is_optional=True),
    table("truck_terms", "raw", "a vendor whose orders fill trucks or containers", "vendor_id",
           "vendor_id truck_cuft truck_lb least_fill_share",
           references={"vendor_id": "vendors.vendor_id"}, is_optional=True),
    table("sales", "raw", "units sold of an item in a region on a day (no row: none sold); "
           "returns, as negative units, are taken from the sales before them",
           "item_id region_id date", "item_id region_id date units",
           references=_ITEM_REGION, history_date="date", raw_only=("unit_of_measure",)),
    table("availability", "raw",
           "a day on which an item was not in stock all day (no row: in stock all day; no table: "
           "what the snapshots of stock say)",
           "item_id region_id date", "item_id region_id date in_stock_share",
           references=_ITEM_REGION, is_optional=True, history_date="date"),
    table("prices", "raw",
           "a price from its start date until the next row's; planned ones lie after as_of",
           "item_id region_id start_date", "item_id region_id start_date price_usd",
           references=_ITEM_REGION, raw_only=("currency",)),
    table("calendar", "raw", "an event in a region on a day; announced ones lie after as_of",
           "date region_id event_name", "date region_id event_name event_type",
           references={"region_id": "regions.region_id"}, is_optional=True),
    table("closures", "raw",
           "days on which a region sells nothing, a node receives nothing or a vendor is closed "
           "(null region, node and vendor: all regions; null dates: without beginning or end)",
           "closure_id", "closure_id region_id node_id vendor_id weekday start_date expiry_date",
           optional=("region_id", "node_id", "vendor_id", "weekday", "start_date", "expiry_date"),
           references={"region_id": "regions.region_id", "node_id": "nodes.node_id",
                       "vendor_id": "vendors.vendor_id"},
           nullable=("region_id", "node_id", "vendor_id", "start_date", "expiry_date"),
           is_optional=True),
    table("stock", "raw", "units of an item in a node at the end of a day (no row: none)",
           "date item_id node_id", "date item_id node_id on_hand_units",
           references=_ITEM_NODE, history_date="date", raw_only=("unit_of_measure",)),
    table("open_orders", "raw", "a line of an order that has not arrived whole, as known on a day",
           "date order_id item_id node_id expected_arrival_date",
           "date order_id vendor_id item_id node_id order_date confirmed_date "
           "expected_arrival_date open_units",
           references=_ITEM_NODE, is_optional=True, history_date="date",
           raw_only=("unit_of_measure",)),
    table("open_transfers", "raw", "units on the way between two nodes, as known on a day",
           "date item_id from_node_id to_node_id expected_arrival_date",
           "date item_id from_node_id to_node_id ship_date expected_arrival_date open_units",
           references={**_ITEM, **_LANE}, is_optional=True, history_date="date",
           raw_only=("unit_of_measure",)),
    table("receipts", "raw", "units of an order line that arrived at a node on a day",
           "order_id item_id node_id arrival_date",
           "order_id vendor_id item_id node_id order_date confirmed_date arrival_date units",
           references=_ITEM_NODE, is_optional=True, history_date="arrival_date",
           raw_only=("unit_of_measure",)),
    table("node_capacity", "raw", "capacity of a node from a date until the next row's",
           "node_id resource start_date", "node_id resource start_date capacity",
           references={"node_id": "nodes.node_id"}),
    table("stock_limits", "raw",
           "the least and the most units of an item at a node that planners allow",
           "item_id node_id", "item_id node_id least_units most_units", references=_ITEM_NODE,
           is_optional=True),
    table("item_blocks", "raw",
           "days on which an item (null: every item) is not held at a node, not sold in a region, "
           "or, without node and region, not ordered; null dates: without beginning or end",
           "block_id", "block_id item_id node_id region_id start_date expiry_date",
           references={**_ITEM_NODE, "region_id": "regions.region_id"},
           nullable=("item_id", "node_id", "region_id", "start_date", "expiry_date"),
           optional=("node_id", "region_id", "start_date", "expiry_date"), is_optional=True),
    table("overrides", "raw",
           "a planner's override (null item or node: all of them); of demand it may act on each "
           "item of a group (item_group, a category or department), in one region, or on the "
           "days of one event alone (null: not limited)", "override_id",
           "override_id item_id node_id item_group region_id event_name override_target "
           "override_kind override_value start_date expiry_date planner why",
           references={**_ITEM_NODE, "region_id": "regions.region_id"},
           nullable=("item_id", "node_id", "item_group", "region_id", "event_name"),
           optional=("item_group", "region_id", "event_name"), is_optional=True),
)  # fmt: skip

STAGE_TABLES = (
    table("demand_calendar", "ingest",
           "a day, past or coming, on which a region is closed, its sales are not known, or a "
           "reported period ends",
           "region_id date day_kind", "region_id date day_kind"),
    table("daily_demand", "ingest",
           "an item in a region on a day, dense from launch to as_of but for closing days",
           "item_id region_id date",
           "item_id region_id date units in_stock_share price_usd is_censored"),
    table("vendor_calendar", "ingest", "a vendor: when it takes orders", "vendor_id",
           "vendor_id takes_orders next_order_date order_gap_days"),
    table("vendor_months", "ingest",
           "what a vendor had promised for a month of the last year, and how late it came",
           "vendor_id month_start_date",
           "vendor_id month_start_date due_units on_time_units mean_days_late"),
    table("stock_age", "ingest",
           "units on hand of an item by how long ago they were received, first in, first out",
           "item_id age_band", "item_id age_band aged_units"),
    table("award_standing", "ingest", "a vendor's standing in an item that is split among vendors",
           "vendor_id item_id", "vendor_id item_id award_share recent_units is_next"),
    table("item_life", "ingest", "an item: its last sale, whether it has gone quiet, its end",
           "item_id",
           "item_id last_sale_date known_days quiet_days is_quiet dead_probability "
           "end_date shelf_life_days"),
    table("lead_times", "ingest", "a possible lead time of a vendor for an item",
           "vendor_id item_id lead_time_days",
           "vendor_id item_id lead_time_days probability mean_lead_time_days sd_lead_time_days "
           "observed_receipts open_orders_used"),
    table("quarantine", "ingest",
           "a finding about raw rows that were set aside or mended, or about a whole table",
           "table_name column_name rule row_key bad_value",
           "table_name column_name rule row_key bad_value row_count reason"),
    table("demand_quantiles", "forecast", "demand of an item in a region over a window",
           "item_id region_id window_start_day window_days",
           "item_id region_id window_start_day window_days mean_units " + " ".join(QUANTILE_COLUMNS)
           + " dependence_group model_date"),
    table("demand_before_overrides", "forecast",
           "a window of demand_quantiles that a planner's override changed, as it was forecast "
           "without, and the last override that changed it",
           "item_id region_id window_start_day window_days",
           "item_id region_id window_start_day window_days mean_units " + " ".join(QUANTILE_COLUMNS)
           + " model_date override_id override_kind planner"),
    table("demand_hierarchy", "forecast",
           "demand at every level above an item in a region, in a day, week or month: sums of what "
           "the plan buys on, which add up; items by territory in the nearest weeks and months",
           "product_level product_id place_level place_id period period_start_date",
           "product_level product_id place_level place_id period period_start_date period_days "
           "mean_units " + " ".join(QUANTILE_COLUMNS) + " mean_usd " + " ".join(USD_COLUMNS)
           + " model_date"),
    table("demand_dependence", "forecast", "a pair of regions, for a group of items",
           "item_group region_id other_region_id",
           "item_group region_id other_region_id rank_correlation correlation_growth"),
    table("substitution", "assort",
           "where a customer turns who finds an item of a group out ('leave': nowhere)",
           "item_id to_item_id",
           "choice_group item_id to_item_id probability share_from_data"),
    table("first_choice", "assort",
           "an item of a group in a region: what customers wanted first, mean of a day observed",
           "item_id region_id",
           "item_id region_id first_choice_units sold_units recaptured_units stocked_share"),
    table("assortment", "assort", "an item of a group: whether a season's best plan carries it",
           "item_id",
           "item_id is_offered season_units value_usd value_if_dropped_usd assortment_reason"),
    table("assortment_summary", "assort", "a group of substitutes, its best plan and its bounds",
           "choice_group",
           "choice_group group_items carried_items season_profit_usd lp_bound_usd "
           "season_bound_usd bound_gap"),
    table("demand_findings", "monitor", "a day or four weeks of demand that did not fit",
           "item_id region_id finding_date finding",
           "item_id region_id finding_date finding observed_units usual_units"),
    table("forecast_scores", "monitor", "a group of forecasts against the last actuals",
           "item_group region_group window_days",
           "item_group region_group window_days origin_date scored_rows pinball_loss "
           "scaled_pinball_loss coverage_50 coverage_90 coverage_95 bias_units relative_bias"),
    table("forecast_accuracy", "accuracy",
           "a group of forecasts published horizon_days ago, of the demand since, against what "
           "came", "horizon_days item_group region_group",
           "horizon_days item_group region_group origin_date scored_rows actual_units bias_units "
           "relative_bias wape rmsse pinball_loss scaled_pinball_loss coverage_50 coverage_90 "
           "coverage_95 tracking_signal naive_wape accuracy_status"),
    table("forecast_value_added", "accuracy",
           "a planner's overrides of a kind and direction, published horizon_days ago: forecasts "
           "with them and without, against what came",
           "planner override_kind override_direction horizon_days",
           "planner override_kind override_direction horizon_days scored_rows actual_units "
           "error_units error_units_before pinball_loss pinball_loss_before value_added_units"),
    table("forecast_changes", "monitor",
           "a driver of what an item's next 28 days, all regions, gained or lost since yesterday",
           "item_id driver",
           "item_id driver previous_mean_units mean_units change_units"),
    table("base_stock_levels", "optimize", "an item at a node that may hold it",
           "item_id node_id",
           "item_id node_id base_stock_units unpriced_base_stock_units filled_ahead_units "
           "override_units "
           "service_units protection_days "
           "expected_demand_units marginal_value_usd"),
    table("weekly_levels", "optimize", "an item at a node that is to hold it in a planning week",
           "item_id node_id week_start",
           "item_id node_id week_start base_stock_units served_units entered_early_units"),
    table("network_targets", "optimize", "an item bought from a vendor", "item_id vendor_id",
           "item_id vendor_id order_up_to_units unpriced_order_up_to_units node_override_units "
           "sold_out_units built_ahead_units built_ahead_week service_units service_note "
           "cover_demand_units safety_stock_units cover_days"),
    table("position_values", "optimize", "a knot of the value of an item's position, by vendor",
           "item_id vendor_id position_units",
           "item_id vendor_id position_units position_value_usd"),
    table("capacity_prices", "optimize",
           "a capacity in a planning week, of a node, of the lane to it, or of the whole 'network'",
           "node_id resource week_start",
           "node_id resource week_start price_usd_per_capacity_unit left_derivative_usd "
           "right_derivative_usd capacity usage overflow", admits={"resource": PRICED_RESOURCES}),
    table("service_levels", "optimize", "a service target: what is planned, and what it costs",
           "target_id",
           "target_id service_measure target_share abc_class item_group region_id speed "
           "planned_share share_without_target service_price_usd_per_unit point_usd_per_week "
           "target_usd_per_week service_status",
           nullable=("abc_class", "item_group", "region_id", "speed")),
    table("problem_sets", "optimize",
           "a node of a set of nodes whose orders one another's nodes serve; sets nest",
           "size_class set_number node_id", "size_class set_number node_id"),
    table("problem_items", "optimize", "an item in a planning week, as the optimizer sees it",
           "item_id week_start",
           "item_id week_start size_class is_general held_cuft "
           "leaving_units_per_day entering_units_per_day entering_cuft_per_day "
           "entering_usd_per_day"),
    table("problem_holding", "optimize", "an item at a node that may hold it",
           "item_id node_id", "item_id node_id holding_usd_per_week"),
    table("problem_knots", "optimize",
           "units of an item that save alike in a cycle when they stand in a set of nodes; the "
           "next knot's units save less", "item_id set_number knot_number",
           "item_id set_number knot_number set_gap_usd knot_units knot_usd"),
    table("problem_demand", "optimize",
           "demand for an item inside a set of nodes in a planning week, against that of its knots",
           "item_id week_start set_number", "item_id week_start set_number demand_ratio"),
    table("problem_rows", "optimize",
           "a capacity in a planning week, or what of it is taken by what is left of an earlier "
           "week's levels or by a swing of what stands there, as the optimizer sees it, and the "
           "price that proves the bound",
           "node_id resource week_start level_week_start swing_units",
           "node_id resource week_start level_week_start level_share swing_units net_capacity "
           "overflow_usd_per_unit bound_price_usd plan_usage overflow",
           admits={"resource": PRICED_RESOURCES}),
    table("problem_tolls", "optimize",
           "an item at a node in a week: the price of serving no more than the level, for the "
           "bound", "item_id node_id week_start", "item_id node_id week_start toll_usd"),
    table("weekly_entries", "optimize",
           "a place on the way into a node (0: the node itself, 1: the one that feeds it) that "
           "what it is to hold in a week enters in a week before",
           "item_id node_id week_start place_number",
           "item_id node_id week_start place_number entered_week_start"),
    table("solver_trace", "optimize", "an iteration of the solver", "iteration",
           "iteration phase lower_bound_usd upper_bound_usd certified_gap violation"),
    table("optimize_summary", "optimize", "a figure of the night's optimization", "measure",
           "measure value measure_unit"),
    table("purchase_orders", "buy", "a line of tonight's purchase orders", "order_line_id",
           "order_line_id vendor_id item_id order_units cases unit_cost_usd order_cost_usd "
           "needed_units override_units order_up_to_units inventory_position_units order_date "
           "expected_arrival_date value_gained_usd reason_code"),
    table("order_candidates", "buy", "an alternative that was weighed for an item",
           "item_id vendor_id candidate_units",
           "item_id vendor_id candidate_units order_cost_usd value_gained_usd is_chosen why_not"),
    table("inbound_assignments", "place", "units of an order line sent to a receiving node",
           "order_line_id node_id", "order_line_id item_id vendor_id node_id assigned_units"),
    table("transfers", "place", "units moved between two nodes", "transfer_id",
           "transfer_id item_id from_node_id to_node_id transfer_units cases ship_date "
           "expected_arrival_date needed_units relief_units value_gained_usd"),
    table("assignment_offers", "place",
           "a way to serve an order of a region and speed that comes from an hour on",
           "region_id speed from_hour node_id",
           "region_id speed from_hour node_id offer_rank keeps_promise ship_usd_per_unit "
           "missed_speed_usd_per_unit"),
    table("assignment_worth", "place", "an item at a node: what a unit is worth to later orders",
           "item_id node_id",
           "item_id node_id assignable_units replacement_usd relief_usd unit_worth_usd"),
    table("protection_levels", "place",
           "units of an item that a node keeps from orders of a speed, for those that lose more",
           "item_id node_id speed", "item_id node_id speed protected_units"),
    table("projection", "project",
           "a figure of a coming week, for the network, a category, vendor or tier, if the plan's "
           "policy goes on",
           "projected_by projected_group week_start measure",
           "projected_by projected_group week_start measure mean_value low_value median_value "
           "high_value measure_unit"),
    table("order_reasons", "explain", "a driver of an order line", "order_line_id driver",
           "order_line_id driver driver_order driver_units sentence"),
    table("transfer_reasons", "explain", "a driver of a transfer", "transfer_id driver",
           "transfer_id driver driver_order driver_units sentence"),
    table("previous_orders", "explain",
           "a line of last night's orders, and what of it is on order tonight", "order_line_id",
           "order_line_id vendor_id item_id order_units order_cost_usd on_order_units "
           "is_proposed_again"),
    table("plan_changes", "explain", "a driver of a change against the previous date's plan",
           "change_key driver",
           "change_key item_id previous_units current_units driver driver_order driver_units "
           "sentence"),
    table("plan_kpis", "review", "a key figure of the night", "kpi", "kpi value measure_unit"),
    table("exceptions", "review", "something in the night that asks for a person",
           "exception_key",
           "exception_key exception_kind at_stake_usd exception_title exception_detail "
           "desk_page"),
)  # fmt: skip

LOAD_TABLES = tuple(table(*words) for words in (*LOAD_INPUTS, *LOAD_OUTPUTS))
"""Peak load: the user's own tables (stage load_input), then what the load stages publish."""

TABLES: dict[str, Table] = {
    each.name: each for each in (*RAW_TABLES, *STAGE_TABLES, *SIMULATE_TABLES, *LOAD_TABLES)
}
