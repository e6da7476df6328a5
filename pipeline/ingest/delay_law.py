"""The law of a delay against the quoted day: receipts are whole observations, open orders censored.

A nonparametric Bayes estimate by hazards (Susarla & Van Ryzin 1976, discrete time): at delay t the
hazard is (c S0(t-) h0(t) + d(t)) / (c S0(t-) + n(t)), with d(t) arrivals and n(t) orders still open
just before t, and h0, S0 the prior's hazard and survival; c is the prior's weight in receipts. With
c = 0 it is the Kaplan-Meier estimate. It has as many modes as the receipts show.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import product

F64 = npt.NDArray[np.float64]


def posterior(prior: F64, arrived: F64, censored: F64, weight: float) -> F64:
    """Probabilities (rows x delays) after `arrived` and `censored` observations at each delay.

    `censored` counts orders last seen open at that delay: they are at risk up to and including it.
    `prior` is one row for all, or one for each; what hazard is left falls on the last delay.
    """
    beyond = _survival_before(prior)
    prior_hazard = np.divide(prior, beyond, out=np.ones_like(prior), where=beyond > 1e-12)
    total = arrived + censored
    at_risk = np.cumsum(total[:, ::-1], axis=1)[:, ::-1]
    strength = weight * beyond
    whole = strength + at_risk
    hazard = np.divide(strength * prior_hazard + arrived, whole,
                       out=np.broadcast_to(prior_hazard, arrived.shape).copy(),
                       where=whole > 1e-12)  # fmt: skip
    hazard[:, -1] = 1.0
    open_before = np.cumprod(1 - hazard, axis=1)
    open_before = np.hstack([np.ones((len(hazard), 1)), open_before[:, :-1]])
    result: F64 = hazard * open_before
    return result


def vague_prior(delays: npt.NDArray[np.int64], quoted: float) -> F64:
    """What is believed before any receipt of a lead time quoted so long: mostly on the quoted day,
    later (2 days and 7 % of it on average) more than earlier (half a day and 3.5 %)."""
    late, early = 2 + 0.07 * quoted, 0.5 + 0.035 * quoted
    scale = np.where(delays < 0, early / (1 + early), late / (1 + late))
    weights = scale ** np.abs(delays).astype(np.float64)
    return np.asarray((weights / weights.sum())[None, :])


def smoothed(counts: F64, width: F64) -> F64:
    """Counts (rows x delays) spread over near days by a normal kernel of sd `width` [rows] days.

    Few receipts leave gaps between them, and none beyond the longest, which later orders fill. A
    width below a third of a day leaves the days as they are: a vendor that always takes seven days.
    """
    result = counts.copy()
    rows = np.flatnonzero((width > 1 / 3) & (counts.sum(axis=1) > 0))
    if not len(rows):
        return result
    reach = int(np.ceil(3 * width[rows].max()))
    steps = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (steps[None, :] / width[rows][:, None]) ** 2)
    kernel /= kernel.sum(axis=1, keepdims=True)
    spread = np.zeros((counts.shape[1], len(rows)))
    for column, step in enumerate(steps):
        # What would fall beyond the ends stays on them.
        at = np.clip(np.arange(counts.shape[1]) + step, 0, counts.shape[1] - 1)
        np.add.at(spread, at, (counts[rows] * kernel[:, [column]]).T)
    result[rows] = spread.T
    return result


def kernel_widths(arrived: F64) -> F64:
    """Width [rows] for arrivals (rows x delays): 0.6 min(sd, IQR / 1.34) n^(-1/5), two thirds of
    Silverman's, which puts too much before a sharp earliest day."""
    n = arrived.sum(axis=1)
    chance = np.divide(arrived, n[:, None], out=np.zeros_like(arrived), where=n[:, None] > 0)
    day = np.arange(arrived.shape[1])
    mean = product(chance, day)
    sd = np.sqrt(np.maximum(product(chance, day**2) - mean**2, 0))
    total = np.cumsum(chance, axis=1)
    low, high = (np.argmax(total >= level - 1e-12, axis=1) for level in (0.25, 0.75))
    spread = np.minimum(sd, (high - low) / 1.34)
    return np.asarray(np.where(n > 1, 0.6 * spread * np.maximum(n, 1) ** -0.2, 0.0))


def _survival_before(probabilities: F64) -> F64:
    result: F64 = np.cumsum(probabilities[:, ::-1], axis=1)[:, ::-1]
    return result
