"""How candidates are weighed: by their losses at rolling origins inside the history."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def backtest_origins(history_days: int, horizon_days: int, most: int = 16) -> tuple[I64, int]:
    """Origins (days of history known, ascending) and the horizon that can be scored at them.

    They lie in the later half of the history, the last one a horizon before its end; with little
    history the horizon is cut so that two fifths of it remain to learn from. None where there are
    fewer than nine days.
    """
    if history_days < 9:
        return np.zeros(0, np.int64), 0
    ahead = max(2, min(horizon_days, int(0.4 * history_days)))
    last = history_days - ahead
    first = min(max(6, history_days // 2), last)
    count = min(most, last - first + 1)
    return np.unique(np.round(np.linspace(first, last, count)).astype(np.int64)), ahead


def recency(origins: I64, history_days: int) -> F64:
    """Weight of each origin: halved for each quarter of the history that it lies back."""
    age = (history_days - origins) / max(history_days / 4, 1.0)
    weight = 0.5**age
    return np.asarray(weight / weight.sum())


def softmax_weights(loss: F64, sharpness: float) -> F64:
    """Weights [candidates] ~ exp(-(loss / best - 1) / sharpness), adding up to 1.

    An average of what did nearly as well as the best is steadier than the best itself.
    """
    best = float(loss.min())
    if not np.isfinite(best) or best <= 0:
        return np.full(len(loss), 1.0 / len(loss))
    weight = np.exp(-(loss / best - 1.0) / sharpness)
    return np.asarray(weight / weight.sum())
