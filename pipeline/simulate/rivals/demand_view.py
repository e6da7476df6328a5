"""Forecast tables as arrays for the simple policies: mean and variance of demand over any days.

Between two published windows the mean and the variance are interpolated on a line; beyond the
longest they grow in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from pipeline.simulate.world.model import WorldModel

Floats = NDArray[np.float64]
_SPREAD = 3.289707253902945  # standard deviations between the 0.05 and 0.95 quantile of a normal


@dataclass(frozen=True)
class DemandView:
    """mean, variance: [windows + 1, items, regions], of windows that start tomorrow; days: their
    lengths, the first 0."""

    days: Floats
    mean: Floats
    variance: Floats

    def over(self, days: Floats) -> tuple[Floats, Floats]:
        """Mean and variance [items, regions] over the next `days` [items] days."""
        length = np.minimum(days, self.days[-1])
        at = np.clip(np.searchsorted(self.days, length, side="left"), 1, len(self.days) - 1)
        share = (length - self.days[at - 1]) / (self.days[at] - self.days[at - 1])
        k = np.arange(len(days))
        beyond = (days / np.maximum(length, 1e-9))[:, None]
        mean, variance = (
            (x[at - 1, k] + share[:, None] * (x[at, k] - x[at - 1, k])) * beyond
            for x in (self.mean, self.variance)
        )
        return mean, variance


def demand_view(quantiles: pd.DataFrame, model: WorldModel) -> DemandView:
    """From the windows of demand_quantiles that start on the first day."""
    frame = quantiles[quantiles["window_start_day"] == 1]
    lengths = np.sort(frame["window_days"].unique())
    shape = (len(lengths) + 1, len(model.items), len(model.regions))
    mean, variance = np.zeros(shape), np.zeros(shape)
    at = (
        np.searchsorted(lengths, frame["window_days"].to_numpy()) + 1,
        model.items.get_indexer(frame["item_id"].astype("str")),
        model.regions.get_indexer(frame["region_id"].astype("str")),
    )
    mean[at] = frame["mean_units"].to_numpy(float)
    spread = (frame["q0.95"] - frame["q0.05"]).to_numpy(float) / _SPREAD
    variance[at] = np.maximum(spread**2, frame["mean_units"].to_numpy(float))
    return DemandView(np.concatenate([[0.0], lengths]).astype(float), mean, variance)


def gamma_quantile(mean: Floats, variance: Floats, level: Floats | float) -> Floats:
    """Quantile of the gamma distribution with this mean and variance; 0 where the mean is 0."""
    safe = np.maximum(mean, 1e-9)
    scale = np.maximum(variance, 1e-9) / safe
    found = special.gammaincinv(safe / scale, np.clip(level, 1e-6, 1 - 1e-6)) * scale
    return np.where(mean > 1e-9, found, 0.0)
