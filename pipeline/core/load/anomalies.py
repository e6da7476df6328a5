"""Robots, outages and other runs that do not fit: found against the fitted curve, in windows.

A window is a run of at least three blocks beyond four robust sigma of that time of day, widened to
where it falls below two. Robots (far above) and outages (hardly anything left) are kept out of
learning; what is merely unusual is told of and stays, since unusual days come again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

LEAST_RUN, FAR_SIGMA, EDGE_SIGMA = 3, 4.0, 2.0
ROBOT_SIGMA, ROBOT_RATIO, OUTAGE_RATIO = 8.0, 1.3, 0.1
"""Load against the fit beyond which a run is called robots (above) or an outage (below)."""


@dataclass(frozen=True)
class Window:
    """Blocks [first, last) since the start of the history that do not fit, and how."""

    kind: str
    """robots, outage or unknown."""
    first: int
    last: int
    load: float
    """Load in the window, summed over its blocks, and what the fit expected there."""
    expected: float


def find_windows(load: F64, fitted: F64) -> list[Window]:
    """Windows in `load` [days, blocks] (nan: missing) against `fitted`, ascending."""
    score = _scores(load, fitted)
    y, f = load.ravel(), fitted.ravel()
    found = []
    for sign in (1, -1):
        for first, last in _runs(sign * score.ravel(), LEAST_RUN, FAR_SIGMA, EDGE_SIGMA):
            got, expected = float(np.nansum(y[first:last])), float(np.nansum(f[first:last]))
            kind = "unknown"
            height = float(np.median(sign * score.ravel()[first:last]))
            if sign > 0 and height > ROBOT_SIGMA and got > ROBOT_RATIO * expected:
                kind = "robots"
            elif sign < 0 and got < OUTAGE_RATIO * expected:
                kind = "outage"
            found.append(Window(kind, first, last, got, expected))
    return sorted(found, key=lambda window: (window.first, window.last))


def hindsight_level(log_level: F64, fitted: F64, weight: F64, half: int = 3) -> F64:
    """Fitted level [days] moved by the running median of its residual over 2 half + 1 days."""
    residual = np.where(weight > 0, log_level - fitted, np.nan)
    moved = np.zeros(len(fitted))
    for d in range(len(fitted)):
        near = residual[max(0, d - half) : d + half + 1]
        near = near[np.isfinite(near)]
        moved[d] = np.median(near) if len(near) else 0.0
    return fitted + moved


def _scores(load: F64, fitted: F64) -> F64:
    """Log residual in robust sigmas of its time of day; 0 where nothing can be said."""
    offset = 0.05 * float(np.median(fitted)) + 1e-9
    z = np.log(np.maximum(np.nan_to_num(load), 0.0) + offset) - np.log(fitted + offset)
    z = np.where(np.isfinite(load), z, np.nan)
    # A whole day that is busier than its neighbours is weather or news, and belongs to the load.
    seen = np.isfinite(z).any(axis=1)
    z[seen] -= np.clip(np.nanmedian(z[seen], axis=1), -0.5, 0.5)[:, None]
    usable = np.isfinite(z)
    size = np.where(usable, np.abs(z), np.nan)
    overall = float(np.nanmedian(size)) if usable.any() else 1.0
    sigma = np.full(load.shape[1], overall)
    enough = usable.sum(axis=0) >= 5
    if enough.any():
        sigma[enough] = np.nanmedian(size[:, enough], axis=0)
    # A short history says little about one time of day: half its own, half its neighbours'.
    near = np.median(np.stack([np.roll(sigma, k) for k in range(-2, 3)]), axis=0)
    sigma = 1.4826 * np.maximum(0.5 * (sigma + near), 0.5 * overall) + 1e-6
    return np.where(np.isfinite(z), z / sigma, 0.0)


def _runs(score: F64, least: int, far: float, edge: float) -> list[tuple[int, int]]:
    """Runs [first, last) of at least `least` scores beyond `far`, widened to `edge` and merged."""
    beyond = np.concatenate([[False], score > far, [False]])
    change = np.flatnonzero(np.diff(beyond.astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, stop in zip(change[::2].tolist(), change[1::2].tolist(), strict=True):
        if stop - start < least:
            continue
        first, last = start, stop
        while first > 0 and score[first - 1] > edge:
            first -= 1
        while last < len(score) and score[last] > edge:
            last += 1
        if runs and first <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        else:
            runs.append((first, last))
    return runs
