"""Peak load: series of load by the minute to the hour, forecast as day level x share of the day.

Arrays and dataclasses only. What belongs here: the regression, its backtests, paths, events,
findings, queues. What does not: tables, clocks and time zones, files, pages, network traffic.
"""
