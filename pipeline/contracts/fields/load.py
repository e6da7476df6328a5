"""Columns of the peak-load tables."""

from __future__ import annotations

from pipeline.contracts.kinds import Column

GRAINS = ("week", "day", "hour", "minute")
LOAD_FINDINGS = (
    "robots", "outage", "unknown", "slope_break", "level_shift", "excluded_by_planner",
    "accepted_by_planner", "event_overlap", "event_too_long", "event_announced_late",
    "negative_load", "missing_load", "clock_change", "short_history", "sells_out", "all_zero",
    "zero_capacity", "future_row",
)  # fmt: skip
_LOCAL = "local time, to the minute"


_RAW = (
    Column("series", "category", "Load series, e.g. page_views or a node's outbound units."),
    Column("time_zone", "category", "IANA name of the zone of the series' local clock."),
    Column("start_utc", "time", "Start of the interval, UTC."),
    Column("slot_minutes", "int", "Length of the interval.", low=1, high=10080),
    Column("load", "float", "What was counted in the interval."),
    Column("load_event", "category", "Name of one occurrence of an event."),
    Column("load_event_kind", "category",
           "Kind of event that occurrences share, e.g. sale; 'holiday' is a property of days."),
    Column("start_time", "time", f"Start, {_LOCAL}."),
    Column("end_time", "time", f"End, {_LOCAL}."),
    Column("announced_date", "date", "First business date on which the event is known."),
    Column("expected_ratio", "float",
           "Height that a planner expects: load against a day without the event.", low=0.01,
           high=1000, null="learned from the past"),
    Column("analog_kind", "category", "Kind to borrow from where this one was never seen.",
           null="none"),
    Column("launch", "category", "Name of a launch."),
    Column("launch_visitors", "float", "Visits that its burst brings, in all.", low=0),
    Column("launch_conversion", "float",
           "Share of visits that the series counts, e.g. those that order.", low=0, high=1,
           null="all of them"),
    Column("launch_stock_units", "float", "Units there are: the burst ends when they are sold.",
           low=0, null="no end"),
    Column("window_action", "category", "What a planner does with a window of history.",
           values=("exclude", "accept")),
    Column("service", "category", "Service that the load is served by."),
    Column("server_type", "category", "Type of server."),
    Column("service_s", "float", "Mean seconds of work that one unit of load takes.", low=1e-6),
    Column("wait_s", "float", "Seconds that a unit of load may wait.", low=0),
    Column("wait_chance", "float", "Share of load that may wait longer.", low=1e-9, high=0.999),
    Column("most_utilisation", "float", "Largest share of servers that may be busy.", low=0,
           high=1),
    Column("zones", "int", "Zones that the servers stand in; any one may fail.", low=1),
    Column("too_little_usd", "float", "Cost of a unit of load that finds no capacity.", low=0),
    Column("too_much_usd", "float", "Cost of capacity for a unit of load that stays idle.",
           low=0),
    Column("speed_factor", "float", "Work of one server against the standard server.", low=0),
    Column("rent_usd_per_hour", "float", "Rent of one server.", low=0),
    Column("change_usd", "float", "Cost of adding or releasing one server.", low=0),
    Column("owned_servers", "int", "Servers there are now.", low=0),
    Column("most_servers", "int", "Servers that can be had.", low=0),
    Column("step_servers", "int", "Servers are ordered in multiples of this.", low=1),
    Column("capacity_lead_days", "int", "Days between order and use.", low=0, high=730),
    Column("throughput_per_second", "float", "Load that one standard server took in a test.",
           low=0),
    Column("measured_date", "date", "Day of the test."),
)  # fmt: skip


_FORECAST = (
    Column("load_grain", "category", "Length of the period.", values=GRAINS),
    Column("expected_load", "float",
           "Central forecast of the period; weeks, days, hours and minutes add up.", low=0),
    *(Column(f"load_q{q}", "float", f"Quantile 0.{q} of the period's load.", low=0)
      for q in ("05", "50", "95", "99")),
    *(Column(f"peak_q{q}", "float",
             f"Quantile 0.{q} of the largest single interval within the period.", low=0)
      for q in ("50", "95", "99")),
    Column("load_part", "category", "Part of the forecast, e.g. week, year, event."),
    Column("part_load", "float", "Its load of the day; parts add up to the forecast."),
    Column("change_load", "float", "Load of the common days that the part gained or lost."),
    Column("load_finding", "category", "What was found.", values=LOAD_FINDINGS),
    Column("observed_load", "float", "Load of the window.", null="not a matter of load"),
    Column("fitted_load", "float", "Load that was expected there.",
           null="not a matter of load"),
    Column("effect_load", "float",
           "What it would have added to the next 28 days, had it been learned from.",
           null="not a matter of load"),
    Column("is_excluded", "bool", "Kept out of learning."),
    Column("lead_bucket", "category", "Days ahead, e.g. 1-7, or 'event'."),
    Column("load_wape", "float", "Sum of absolute errors over the sum of load.", low=0),
    Column("load_bias", "float", "Forecast less actual, over actual."),
    Column("peak_error", "float", "Absolute error of daily peaks over their sum.", low=0),
    Column("peak_coverage_95", "float", "Share of daily peaks at or below their quantile 0.95.",
           low=0, high=1),
)  # fmt: skip


_CAPACITY = (
    Column("capacity_for", "category", "Service or node that the capacity is for."),
    Column("capacity_kind", "category", "Server type, labor_hours, dock_doors or carts."),
    Column("need_date", "date", "Day from which it is needed."),
    Column("capacity_units", "float", "Amount needed: servers, hours, doors or carts.", low=0),
    Column("ordered_change", "float", "Amount ordered (released where negative)."),
    Column("capacity_quantile", "float", "Quantile of the peak that is provided for.", low=0,
           high=1),
    Column("capacity_usd", "float", "Cost of the day."),
    Column("staffed_hours", "float", "Hours of labor in the shift plan.", low=0),
    Column("overtime_hours", "float", "Hours bought beyond them.", low=0),
    Column("shadow_usd_per_hour", "float", "What an hour more would be worth to the plan.",
           low=0),
    Column("inbound_load_units", "float", "Units that arrive on the day.", low=0),
    Column("outbound_load_units", "float", "Units that leave on the day.", low=0),
    Column("dock_doors", "int", "Doors busy in the largest hour.", low=0),
    Column("carts", "int", "Carts in use in the largest hour.", low=0),
)  # fmt: skip


_GAME_DAY = (
    Column("minute", "int", "Minute of the game day, from 0.", low=0),
    Column("journey_step", "category", "Step of a customer's journey."),
    Column("planned_requests", "int", "Requests that the script plans.", low=0),
    Column("sent_requests", "int", "Requests that were sent.", low=0),
    Column("failed_requests", "int", "Requests that failed.", low=0),
    Column("latency_p50_ms", "float", "Median time from the intended start.", low=0),
    Column("latency_p99_ms", "float", "99 % quantile of it.", low=0),
)  # fmt: skip

LOAD_COLUMNS = (*_RAW, *_FORECAST, *_CAPACITY, *_GAME_DAY)
"""Columns of load series, events, forecasts, capacity orders and game days."""
