"""The night's report and key figures: what planners read. Draws and ranks; decides nothing.

Takes published tables apart by plain functions, one file for each question a planner asks, and
lays the answers out as one self-contained HTML page. Reasons are made in `explain`.
"""
