"""The M5 competition's own score: weighted scaled pinball loss."""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVELS_Q = np.array([0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995])


def pinball(actual: np.ndarray, quantiles: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Pinball loss, shape of `quantiles` (series, days, levels)."""
    error = actual[:, :, None] - quantiles
    return np.maximum(levels * error, (levels - 1) * error)


def wspl(
    actual: np.ndarray, quantiles: np.ndarray, weight: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """One level's loss by quantile: Σ weight × mean over days of pinball / scale."""
    loss = pinball(actual, quantiles, LEVELS_Q).mean(axis=1)
    return (weight[:, None] * loss / scale[:, None]).sum(axis=0)


def coverage(actual: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Share of days on which the actual is at most the quantile, by quantile."""
    return (actual[:, :, None] <= quantiles).mean(axis=(0, 1))


def published(scores: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Published WSPL of the uncertainty competition: entries × slices."""
    rows = scores[(scores["metric"] == "WSPL") & (scores["kind"] == kind)]
    return rows.pivot_table(index="entry", columns="slice", values="value", sort=False)
