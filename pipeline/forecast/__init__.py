"""Demand forecasts: one global model of trees, quantiles of any window, calibrated.

Main path: `assemble` (tables → panel) → `features` → `mean` (expected units of a day) → `windows`
(sums of days) → `shape` (spread) → `distribution` (quantiles) → `calibration` (levels); `model`
holds them together, `train` and `stage` are the two entry points. What does not belong here: how
much to stock or buy.
"""
