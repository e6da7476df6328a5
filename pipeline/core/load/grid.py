"""A load series as whole days of equal slots on its local clock, and its level and shape.

The level is the log of the day's mean load; the shape the log of each block's load against it.
Blocks are at most 96 a day: a quarter of an hour where minutes are measured.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

MOST_BLOCKS = 96
OFFSET_SHARE = 0.02
"""Added to loads before the log, as a share of the median day's mean load."""
LEAST_OBSERVED = 0.25
"""Share of a day's load that must have been observed for its level to be learned from."""


@dataclass(frozen=True)
class LevelShape:
    """Days of a series: log level [days], log shares [days, blocks], which days are known."""

    log_level: F64
    log_share: F64
    known: NDArray[np.bool_]
    offset: float
    slots: int

    @property
    def blocks(self) -> int:
        """Blocks of a day."""
        return self.log_share.shape[1]


def block_count(slots: int) -> int:
    """Blocks of a day of `slots`: the slots themselves, or the most that divide them evenly."""
    if slots <= MOST_BLOCKS:
        return slots
    return max(b for b in range(1, MOST_BLOCKS + 1) if slots % b == 0)


def level_and_shape(load: F64, day_class: NDArray[np.int64]) -> LevelShape:
    """Level and shape of `load` [days, slots], nan where nothing was observed.

    A day that was observed in part is filled from the mean shape of its class; a day of which less
    than a quarter is known is filled from its neighbours and marked as not known.
    """
    n, slots = load.shape
    blocks = block_count(slots)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means of nothing are nan, as wanted
        y = np.nanmean(load.reshape(n, blocks, slots // blocks), axis=2)
    seen = np.isfinite(y)
    share = _class_shares(y, seen, day_class)
    covered = (share * seen).sum(axis=1) / blocks
    known = covered >= LEAST_OBSERVED
    total = np.where(seen, y, 0.0).sum(axis=1)
    mean = np.where(known, total / np.maximum(covered * blocks, 1e-12), np.nan)
    typical = float(np.median(mean[known])) if known.any() else 0.0
    offset = OFFSET_SHARE * typical if typical > 0 else 1.0
    # A day of hardly any load says nothing on the log scale; the offset keeps it finite.
    log_level = np.log(np.where(known, mean, 1.0) + 0.1 * offset)
    log_level = _fill(log_level, known)
    level = np.exp(log_level)
    filled = np.where(seen & known[:, None], y, share * level[:, None])
    log_share = np.log(filled + offset) - np.log(level + offset)[:, None]
    return LevelShape(log_level, log_share, known, offset, slots)


def shares(log_share: F64, log_level: F64, offset: float, slots: int) -> F64:
    """Share of the day's load by slot [days, slots], mean 1, from log shares by block."""
    level = np.exp(log_level)[:, None]
    q = np.exp(log_share) * (level + offset) - offset
    q = np.maximum(q, 1e-4 * level)
    blocks = q.shape[1]
    if blocks < slots:
        q = smooth_over_slots(q, slots)
    return np.asarray(q / q.mean(axis=1, keepdims=True))


def smooth_over_slots(values: F64, slots: int) -> F64:
    """Block values [days, blocks] as a line through the blocks' middles, cyclic over the day."""
    blocks = values.shape[1]
    x = (np.arange(slots) + 0.5) / slots * blocks - 0.5
    left = np.floor(x).astype(np.int64)
    f = x - left
    return np.asarray(values[:, left % blocks] * (1 - f) + values[:, (left + 1) % blocks] * f)


def _class_shares(y: F64, seen: NDArray[np.bool_], day_class: NDArray[np.int64]) -> F64:
    """Mean share of each block by class of day, for every day [days, blocks], mean 1."""
    whole = seen.all(axis=1)
    mean = np.where(whole, np.where(seen, y, 0.0).mean(axis=1), 0.0)
    whole &= mean > 0
    if not whole.any():
        return np.ones(y.shape)
    relative = np.zeros(y.shape)
    relative[whole] = y[whole] / mean[whole, None]
    overall = np.median(relative[whole], axis=0)
    share = np.empty(y.shape)
    for kind in np.unique(day_class):
        rows = (day_class == kind) & whole
        chosen = np.median(relative[rows], axis=0) if rows.sum() >= 3 else overall
        share[day_class == kind] = chosen
    return share / np.maximum(share.mean(axis=1, keepdims=True), 1e-12)


def _fill(values: F64, known: NDArray[np.bool_]) -> F64:
    """Values of unknown days, on the line between the known days beside them."""
    if not known.any():
        return np.zeros(len(values))
    at = np.flatnonzero(known)
    return np.interp(np.arange(len(values)), at, values[at])
