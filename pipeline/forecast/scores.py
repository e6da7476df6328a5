"""Pinball loss, coverage and bias of forecasts against what came."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.forecast.panel import F64

VELOCITY_EDGES = (0.1, 0.5, 2.0, 10.0)
VELOCITY_NAMES = tuple(
    f"velocity {low:g}-{high:g} a day"
    for low, high in zip((0, *VELOCITY_EDGES), (*VELOCITY_EDGES, np.inf), strict=True)
)


def pinball(units: F64, quantiles: F64, levels: F64) -> F64:
    """Pinball loss (rows, levels), units."""
    error = units[:, None] - quantiles
    return np.maximum(levels * error, (levels - 1) * error)


def velocity_class(mean: F64, days: npt.NDArray[np.integer]) -> npt.NDArray[np.object_]:
    """Velocity class of windows by their expected units a day."""
    return np.array(VELOCITY_NAMES, object)[np.searchsorted(VELOCITY_EDGES, mean / days)]


def score_groups(rows: pd.DataFrame, units: F64, quantiles: F64) -> pd.DataFrame:
    """forecast_scores without `origin_date`.

    `rows` has item_group, velocity, region_id, window_days and mean_units, one row for each
    window; each is scored in its category, its velocity class and 'all', in its region and the
    network.
    """
    levels = np.array(QUANTILE_LEVELS)
    place = {level: k for k, level in enumerate(QUANTILE_LEVELS)}
    base = pd.DataFrame(
        {
            "window_days": rows["window_days"].to_numpy(),
            "units": units,
            "pinball_loss": pinball(units, quantiles, levels).mean(axis=1),
            "bias_units": rows["mean_units"].to_numpy() - units,
            **{
                f"coverage_{level * 100:.0f}": (units <= quantiles[:, place[level]]).astype(float)
                for level in (0.5, 0.9, 0.95)
            },
        }
    )
    parts = []
    for group in (rows["item_group"].astype(str), rows["velocity"], "all"):
        for region in (rows["region_id"].astype(str), "network"):
            keyed = base.assign(item_group=group, region_group=region)
            keys = ["item_group", "region_group", "window_days"]
            mean = keyed.groupby(keys, sort=True).mean().reset_index()
            mean["scored_rows"] = keyed.groupby(keys, sort=True).size().to_numpy()
            parts.append(mean)
    scores = pd.concat(parts).drop_duplicates(["item_group", "region_group", "window_days"])
    floor = scores["units"].clip(lower=1e-9)
    scores["scaled_pinball_loss"] = scores["pinball_loss"] / floor
    scores["relative_bias"] = scores["bias_units"] / floor
    return scores.drop(columns="units").sort_values(keys, ignore_index=True)
