"""Tables of peak load: what a user may give, and what the load stages publish.

Nothing of these belongs to the night: without load series the stages find nothing to do.
"""

from __future__ import annotations

LOAD_INPUTS = (
    ("load_series", "load_input", "an interval of a load series; no row: not measured",
     "series start_utc", "series region_id time_zone start_utc slot_minutes load"),
    ("load_events", "load_input",
     "an occurrence of an event, announced or past, with the series' region; '*' is every region",
     "load_event region_id",
     "load_event load_event_kind region_id start_time end_time announced_date expected_ratio "
     "analog_kind"),
    ("load_launches", "load_input",
     "a launch whose burst of visits comes on top of a series, until its stock is sold",
     "series launch",
     "series launch start_time announced_date launch_visitors launch_conversion "
     "launch_stock_units"),
    ("load_windows", "load_input", "a window of history that a planner takes out, or back",
     "series start_time",
     "series start_time end_time window_action planner why"),
    ("load_services", "load_input", "a service that a series loads", "service",
     "service series service_s wait_s wait_chance most_utilisation zones too_little_usd "
     "too_much_usd"),
    ("server_types", "load_input", "a type of server that a service may run on",
     "service server_type",
     "service server_type speed_factor rent_usd_per_hour change_usd owned_servers most_servers "
     "step_servers capacity_lead_days"),
    ("service_throughput", "load_input", "what a game day measured of a service",
     "service measured_date", "service measured_date throughput_per_second"),
)  # fmt: skip

LOAD_OUTPUTS = (
    ("load_findings", "load_train", "something that was found in a series or its events",
     "series start_time load_finding",
     "series start_time end_time load_finding observed_load fitted_load effect_load is_excluded "
     "sentence"),
    ("load_scores", "load_train", "a series' rolling backtests, by days ahead",
     "series lead_bucket",
     "series lead_bucket scored_rows load_wape load_bias peak_error peak_coverage_95"),
    ("load_forecast", "load_plan", "a period of a series' forecast", "series load_grain start_time",
     "series load_grain start_time expected_load load_q05 load_q50 load_q95 load_q99 peak_q50 "
     "peak_q95 peak_q99"),
    ("load_components", "load_plan", "a part of a day's forecast", "series start_time load_part",
     "series start_time load_part part_load sentence"),
    ("load_changes", "load_plan",
     "a part of what the days that both plans forecast gained or lost since yesterday",
     "series load_part", "series load_part change_load sentence"),
    ("capacity_orders", "load_plan", "capacity of a service or node, by day",
     "capacity_for capacity_kind need_date",
     "capacity_for capacity_kind need_date order_date capacity_units ordered_change "
     "capacity_quantile capacity_usd sentence"),
    ("labor_plan", "load_labor", "a node's day: units, hours, doors and carts", "node_id date",
     "node_id date inbound_load_units outbound_load_units staffed_hours overtime_hours "
     "shadow_usd_per_hour dock_doors carts sentence"),
    ("load_nowcast", "load_track", "a slot of an event that is tracked", "series start_time",
     "series start_time observed_load expected_load peak_q50 sentence"),
    ("gameday_plan", "game_day", "a step of the script's journeys in a minute",
     "minute journey_step", "minute journey_step planned_requests"),
    ("gameday_result", "game_day", "what was sent of it, and how it was answered",
     "minute journey_step",
     "minute journey_step planned_requests sent_requests failed_requests latency_p50_ms "
     "latency_p99_ms"),
)  # fmt: skip
