"""Looking at a trial before it ends without being fooled more often: alpha spent look by look.

A trial whose verdict may fall at any of several looks says "better" by chance more often than its
level, unless early looks ask for more. What may be spent of the error until information t (0 to 1)
is Lan & DeMets' (Biometrika 1983) function of O'Brien and Fleming's type,

    alpha(t) = 4 - 4 Phi(z_{alpha/4} / sqrt t)   (both sides together),

little at first, nearly all at the end. The bounds follow from the joint law of the looks' z values,
a random walk in information, by the recursive integration of Armitage, McPherson & Rowe (1969).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

Floats = NDArray[np.float64]
_POINTS = 1201


def spent(information: float, alpha: float = 0.05) -> float:
    """Two-sided error that may be spent until a share of the information is in."""
    if information <= 0:
        return 0.0
    z = stats.norm.ppf(1 - alpha / 4)
    return float(4 * stats.norm.sf(z / np.sqrt(min(information, 1.0))))


def bounds(information: Sequence[float], alpha: float = 0.05) -> list[float]:
    """|z| above which each look ends the trial; information: shares in rising order, in (0, 1].

    Raises ValueError if they are not. Five equal looks at 0.05 give 4.877, 3.357, 2.680, 2.290,
    2.031 (R package ldbounds, its documented example).
    """
    shares = np.asarray(information, dtype=float)
    if not len(shares) or (np.diff(shares, prepend=0.0) <= 0).any() or shares[-1] > 1 + 1e-9:
        raise ValueError("looks need rising shares of the information, in (0, 1]")
    found: list[float] = []
    score, density = np.zeros(0), np.zeros(0)  # of the sums that have not ended the trial
    before = 0.0
    for share in shares:
        budget = spent(share, alpha) - spent(before, alpha)
        step, scale = np.sqrt(share - before), np.sqrt(share)
        bound = _bound(score, density, step, scale, budget)
        found.append(bound)
        grid = np.linspace(-bound * scale, bound * scale, _POINTS)
        density = _carried(score, density, grid, step)
        score, before = grid, share
    return found


def p_to_z(p_value: float) -> float:
    """|z| of a two-sided p value, so that Student's tests can be held against the bounds."""
    return float(stats.norm.isf(max(p_value, 1e-300) / 2))


def _bound(score: Floats, density: Floats, step: float, scale: float, budget: float) -> float:
    """|z| that is passed with the budget's chance by what has not ended before."""

    def excess(z: float) -> float:
        if not len(score):
            return float(2 * stats.norm.sf(z)) - budget
        out = stats.norm.sf((z * scale - score) / step) + stats.norm.cdf(
            (-z * scale - score) / step
        )
        return float(np.trapezoid(density * out, score)) - budget

    if excess(1e-6) <= 0 or budget <= 0:
        return 1e-6 if budget > 0 else 40.0
    return float(optimize.brentq(excess, 1e-6, 40.0, xtol=1e-10)) if excess(40.0) < 0 else 40.0


def _carried(score: Floats, density: Floats, grid: Floats, step: float) -> Floats:
    """Density of the sum at the grid, of those that have not ended before."""
    if not len(score):
        return np.asarray(stats.norm.pdf(grid / step) / step)
    kernel = stats.norm.pdf((grid[:, None] - score[None, :]) / step) / step
    return np.asarray(np.trapezoid(kernel * density[None, :], score, axis=1))
