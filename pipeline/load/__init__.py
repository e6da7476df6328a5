"""Peak load: load series to forecasts by the minute, capacity orders, tracking and game days.

Its stages stand beside the night: without load series nothing here runs. The mathematics is in
`core.load`; only `stage` touches the store, only `cli` prints.
"""
