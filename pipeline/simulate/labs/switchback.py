"""Switch-back trials: periods alternate between two policies, so that both meet the same shelves.

A policy that fills shared space harms the other arm's items when both run side by side. Here all
items (or all of a cluster) follow one policy at a time. Neighbouring periods are paired and a coin
decides which of the two comes first, so that trends and seasons cancel and the randomization of
matched pairs holds (`labs.verdict`). What the policy before leaves behind, stock above all, is kept
out by a washout at the start of each period and measured by `carry_over`: an effect that still
grows after the washout says that the washout is too short. (Bojinov, Simchi-Levi & Zhao, Manag.
Sci. 69, 2023.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.labs.trial import Design, Floats, Verdict, verdict


@dataclass(frozen=True)
class SwitchBack:
    """is_b: [clusters, periods] arm B; one cluster is the whole network.

    period_days: days of a period, of which the first washout_days are left out.
    """

    is_b: NDArray[np.bool_]
    period_days: int
    washout_days: int

    @property
    def n_days(self) -> int:
        """Days of the trial."""
        return self.is_b.shape[1] * self.period_days

    def arms(self) -> NDArray[np.bool_]:
        """[days, clusters] the arm of each day."""
        return np.repeat(self.is_b, self.period_days, axis=1).T

    def design(self) -> Design:
        """The periods of each cluster as pairs, raveled."""
        n_clusters, n_periods = self.is_b.shape
        pair = np.arange(n_clusters * n_periods) // 2
        return Design(pair, self.is_b.ravel())


def switch_back(
    n_clusters: int, n_pairs: int, period_days: int, washout_days: int, seed: int
) -> SwitchBack:
    """Each cluster's periods, in pairs of one A and one B in an order decided by a coin.

    Raises ValueError if fewer than two days of a period are left after the washout.
    """
    if period_days - washout_days < 2:
        raise ValueError("a period needs at least two days after the washout")
    coin = np.random.default_rng([seed, n_clusters, n_pairs]).integers(0, 2, (n_clusters, n_pairs))
    is_b = np.stack([coin == 0, coin == 1], axis=2).reshape(n_clusters, 2 * n_pairs)
    return SwitchBack(is_b, period_days, washout_days)


def switch_verdict(trial: SwitchBack, daily: Floats, level: float = 0.95) -> Verdict:
    """Lift of B from daily outcomes [days, clusters], washouts left out."""
    outcome = _mean(trial, daily, trial.washout_days, trial.period_days)
    return verdict(trial.design(), outcome, np.zeros_like(outcome), level)


def carry_over(trial: SwitchBack, daily: Floats, level: float = 0.95) -> Verdict:
    """By how much the lift still grows within the days that are kept: the later half's less the
    earlier half's, each as a share of arm A in that half, so that weekdays do not matter. An
    interval without 0 asks for a longer washout."""
    middle = (trial.washout_days + trial.period_days + 1) // 2
    pairs = trial.design()
    halves = ((trial.washout_days, middle), (middle, trial.period_days))
    early, late = (part / part[~pairs.is_b].mean()
                   for part in (_mean(trial, daily, *half) for half in halves))  # fmt: skip
    return verdict(pairs, late - early, np.zeros_like(late), level, base=1.0)


def _mean(trial: SwitchBack, daily: Floats, first: int, last: int) -> Floats:
    """[clusters * periods] mean outcome of the days first..last-1 of each period."""
    if daily.shape != (trial.n_days, len(trial.is_b)):
        raise ValueError(f"outcomes of {trial.n_days} days and {len(trial.is_b)} clusters expected")
    periods = daily.reshape(-1, trial.period_days, daily.shape[1])[:, first:last]
    return periods.mean(axis=1).T.ravel()
