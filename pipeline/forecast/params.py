"""Parameters of the forecaster."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MeanParams:
    """How expected demand is learned.

    horizon_days       farthest day ahead that is learned and served
    train_days         how far back training origins reach
    origin_step_days   days between two origins of a series
    rows_per_origin    target days drawn for each origin
    weight_units       level above which a row weighs less
    trees, leaves, leaf_rows, learning_rate, max_bin   as in LightGBM
    """

    horizon_days: int = 28
    train_days: int = 300
    origin_step_days: int = 7
    rows_per_origin: int = 2
    weight_units: float = 4.0
    trees: int = 200
    leaves: int = 63
    leaf_rows: int = 200
    learning_rate: float = 0.08
    max_bin: int = 127
    threads: int = 1
