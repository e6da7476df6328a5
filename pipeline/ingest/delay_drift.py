"""How a vendor's delays change: by which half-life its older orders count less, and their trend.

Each candidate is judged by what it would have foretold (Dawid's prequential principle, 1984): an
order's delay under a kernel density of the delays known when it was placed, each weighing
0.5^(age / half-life) and, where the candidate has a trend, moved along it to that day; beside a
wide density of weight one. A candidate must earn its keep: taken only where its log score leads
that of all the history, as it was, by two, so that steady vendors use all they have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import product

F64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CANDIDATES = (
    (np.inf, False), (365.0, False), (120.0, False), (40.0, False), (15.0, False),
    (365.0, True), (120.0, True),
)  # fmt: skip
"""Half-life in days, and whether there is a trend; the first is a history that does not move."""
_MOST_ORDERS = 240
_LEAD = 2.0
_LEAST_WIDTH = 1.0
_TREND_ORDERS = 6.0
"""A trend from so many orders is believed by half."""


@dataclass(frozen=True)
class Drift:
    """By vendor: half_life_days, and slope: days of delay that a day of the calendar adds."""

    half_life_days: F64
    slope: F64


def drifts(orders: list[tuple[Ints, Ints, F64]]) -> Drift:
    """The drift of each vendor from its complete orders (`foretold`), placed up to today, day 0.

    A vendor follows its own best candidate where that is clear; else the best of all vendors
    together, where that is clear and its own orders do not speak against it.
    """
    gain = np.array([foretold(*own) for own in orders]).reshape(-1, len(CANDIDATES))
    gain -= gain[:, :1]
    own = gain.argmax(axis=1)
    together = int(gain.sum(axis=0).argmax())
    common = together if gain[:, together].sum() > _LEAD else 0
    clear = gain[np.arange(len(gain)), own] > _LEAD
    chosen = np.where(clear, own, np.where(gain[:, common] > -0.5 * _LEAD, common, 0))
    slope = np.zeros(len(orders))
    for v, candidate in enumerate(chosen):
        half_life, has_trend = CANDIDATES[candidate]
        if has_trend:
            ordered, _, delay = orders[v]
            slope[v] = _slopes(0.5 ** (-ordered / half_life)[None, :], ordered, delay)[0]
    return Drift(np.array([CANDIDATES[c][0] for c in chosen]), slope)


def foretold(ordered: Ints, arrived: Ints, delay: F64) -> F64:
    """Log score of each candidate on one vendor's orders; zeros where too few tell.

    ordered, arrived: day numbers of complete orders; delay: days against the quote.
    """
    order = np.lexsort((delay, arrived, ordered))[-_MOST_ORDERS:]
    ordered, arrived, delay = ordered[order], arrived[order], delay[order]
    known = arrived[None, :] <= ordered[:, None]
    judged = known.sum(axis=1) >= 2
    if judged.sum() < 4:
        return np.zeros(len(CANDIDATES))
    age = np.maximum(ordered[:, None] - ordered[None, :], 0)
    spread = float(np.subtract(*np.percentile(delay, [75, 25]))) / 1.34
    # The width is that of the steps between successive orders, which a drift leaves alone.
    width = max(_LEAST_WIDTH, 0.5 * min(spread, float(np.median(np.abs(np.diff(delay))))))
    wide = max(float(delay.std()), width) * 3
    vague = np.exp(-0.5 * ((delay - np.median(delay)) / wide) ** 2) / wide
    score = []
    for half_life, has_trend in CANDIDATES:
        weight = np.where(known, 0.5 ** (age / half_life), 0.0)
        slope = _slopes(weight, ordered, delay) if has_trend else np.zeros(len(delay))
        moved = delay[None, :] + slope[:, None] * age
        near = np.exp(-0.5 * ((delay[:, None] - moved) / width) ** 2) / width
        density = ((weight * near).sum(axis=1) + vague) / (weight.sum(axis=1) + 1)
        score.append(float(np.log(np.maximum(density[judged], 1e-12)).sum()))
    return np.array(score)


def _slopes(weight: F64, ordered: Ints, delay: F64) -> F64:
    """Weighted least-squares slope of delay by day for each row of weights, drawn towards none."""
    total = np.maximum(weight.sum(axis=1), 1e-9)
    day, late = product(weight, ordered) / total, product(weight, delay) / total
    joint = product(weight, ordered * delay) / total - day * late
    variance = product(weight, ordered**2) / total - day**2
    slope = np.where(variance > 1, joint / np.maximum(variance, 1), 0.0)
    count = total**2 / np.maximum((weight**2).sum(axis=1), 1e-9)
    return np.asarray(np.clip(slope * count / (count + _TREND_ORDERS), -0.5, 0.5))
