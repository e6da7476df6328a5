"""Randomized trials of two policies: stratified assignment of clusters, a paired estimate, power.

Items of a cluster (substitutes, or whatever must not be split) get the same arm. Clusters are
paired by what they earned before the trial, and a coin decides within each pair, so that size,
which varies by orders of magnitude, cancels. The estimate adjusts each cluster's outcome by its
earlier one: CUPED (Deng, Xu, Kohavi & Walker, WSDM 2013), with the coefficient fitted on the
differences within pairs, which keeps the randomization inference of matched pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Design:
    """pair: [clusters] the pair of each cluster, -1 for one left over; is_b: [clusters] arm B."""

    pair: Ints
    is_b: NDArray[np.bool_]

    @property
    def n_pairs(self) -> int:
        """Number of pairs."""
        return int(self.pair.max()) + 1


@dataclass(frozen=True)
class Verdict:
    """Relative effect of B on the outcome, its interval, and what the trial says.

    lift: effect / outcome of arm A; low, high: interval at `level`; theta: the CUPED coefficient;
    noise_removed: share of the variance of pair differences that the adjustment took away.
    """

    lift: float
    low: float
    high: float
    level: float
    p_value: float
    n_pairs: int
    theta: float
    noise_removed: float

    @property
    def decision(self) -> Literal["B is better", "A is better", "no difference found"]:
        """What may be said at the level of the interval."""
        if self.low > 0:
            return "B is better"
        return "A is better" if self.high < 0 else "no difference found"


def design(before: Floats, seed: int) -> Design:
    """Pairs of clusters with neighbouring earlier outcomes, one of each pair in arm B.

    before: [clusters] outcome of a period before the trial, by which clusters are paired. With an
    odd number the smallest cluster stays out (arm A, pair -1).
    """
    order = np.argsort(-before, kind="stable")
    n_pairs = len(before) // 2
    coin = np.random.default_rng([seed, len(before)]).integers(0, 2, n_pairs)
    pair = np.full(len(before), -1, dtype=np.int64)
    is_b = np.zeros(len(before), dtype=bool)
    for side in range(2):
        members = order[side : 2 * n_pairs : 2]
        pair[members] = np.arange(n_pairs)
        is_b[members] = coin == side
    return Design(pair, is_b)


def verdict(
    trial: Design, outcome: Floats, before: Floats, level: float = 0.95, base: float | None = None
) -> Verdict:
    """Estimate the lift of B from clusters' outcomes in the trial and before it.

    With d the difference B - A of a pair in the trial and x before it, the effect is the mean of
    d - theta x, theta the slope of d on x through the mean; the interval is Student's with one
    degree of freedom less for theta. The lift divides by `base`, by default the mean outcome of
    arm A; name another where the outcome is net of internal prices.
    """
    d, x = _differences(trial, outcome), _differences(trial, before)
    n = len(d)
    if n < 4:
        raise ValueError("a trial needs at least four pairs of clusters")
    centred = x - x.mean()
    spread = float((centred**2).sum())
    theta = float((centred * d).sum() / spread) if spread > 0 else 0.0
    adjusted = d - theta * x
    residual = adjusted - adjusted.mean()
    variance = float((residual**2).sum()) / (n - 2)
    leverage = 1.0 / n + (x.mean() ** 2 / spread if spread > 0 else 0.0)
    error = np.sqrt(variance * leverage)
    if base is None:
        base = float(outcome[(trial.pair >= 0) & ~trial.is_b].mean())
    t = float(stats.t.ppf(0.5 + level / 2, n - 2))
    effect = float(adjusted.mean())
    raw = float(np.var(d, ddof=1))
    return Verdict(
        lift=effect / base, low=(effect - t * error) / base, high=(effect + t * error) / base,
        level=level, p_value=float(2 * stats.t.sf(abs(effect) / max(error, 1e-12), n - 2)),
        n_pairs=n, theta=theta, noise_removed=1 - variance / raw if raw > 0 else 0.0,
    )  # fmt: skip


def power(lift: float, pair_sd: float, n_pairs: int, level: float = 0.95) -> float:
    """Chance that a trial finds a lift; pair_sd: standard deviation of a pair's adjusted
    difference, as a share of the mean outcome (noncentral t)."""
    shift = abs(lift) / (pair_sd / np.sqrt(n_pairs))
    critical = stats.t.ppf(0.5 + level / 2, n_pairs - 2)
    above = stats.nct.sf(critical, n_pairs - 2, shift)
    # The other tail is next to nothing; scipy gives NaN where it is below what a double can hold.
    return float(above + np.nan_to_num(stats.nct.cdf(-critical, n_pairs - 2, shift)))


def pairs_needed(
    lift: float, pair_sd: float, wanted: float = 0.8, level: float = 0.95, most: int = 100_000
) -> int | None:
    """Fewest pairs whose trial finds the lift with the wanted chance; None above `most`."""
    low, high = 4, 8
    while power(lift, pair_sd, high, level) < wanted:
        low, high = high, high * 2
        if high > most:
            return None
    while low < high:
        middle = (low + high) // 2
        if power(lift, pair_sd, middle, level) >= wanted:
            high = middle
        else:
            low = middle + 1
    return high


def pair_sd(trial: Design, outcome: Floats, before: Floats) -> float:
    """Standard deviation of a pair's adjusted difference over the mean outcome, for `power`.

    Take it from two periods before the trial, as if the coin had been thrown (an A/A trial).
    """
    return sd_behind(verdict(trial, outcome, before))


def sd_behind(found: Verdict) -> float:
    """The same standard deviation, read from a verdict's interval."""
    t = float(stats.t.ppf(0.5 + found.level / 2, found.n_pairs - 2))
    return (found.high - found.low) / 2 / t * float(np.sqrt(found.n_pairs))


def _differences(trial: Design, values: Floats) -> Floats:
    found = np.zeros(trial.n_pairs)
    paired = trial.pair >= 0
    sign = np.where(trial.is_b, 1.0, -1.0)
    np.add.at(found, trial.pair[paired], (sign * values)[paired])
    return found
