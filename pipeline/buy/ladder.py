"""Quantities weighed for an item and a vendor: the best number of cases and its neighbours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.buy.price_breaks import NEVER
from pipeline.buy.worth import Worth

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LEAST_SAFETY_WEEKS = 4.0
_STEPS = (-2, -1, 0, 1, 2, 4)
_SHARES = (0.25, 0.5, 0.75, 1.25, 1.5, 2.0)


def safety_weeks(known_days: Ints, most_weeks: float) -> Floats:
    """Weeks of expected demand past the cover that an order may lead to, by pair: as many as the
    item is known for, four at least, `most_weeks` at most. What is known from nine weeks of sales
    is not stocked for half a year: the next weeks tell, and may be waited for."""
    return np.minimum(np.maximum(known_days / 7.0, LEAST_SAFETY_WEEKS), most_weeks)


def case_limits(
    worth: Worth, max_excess_weeks: float, max_safety_weeks: float | Floats
) -> tuple[Ints, Ints]:
    """Fewest (MOQ) and most cases of each pair; most < fewest where the MOQ lasts too long.

    The most cases lead no further above the order-up-to level than demand uses up in
    `max_excess_weeks`; rounding up to the first full case is admitted under the same limit. Nor do
    they, beyond the MOQ, lead further than `max_safety_weeks` of expected demand past the cover
    and the vendor's lateness: an item that may or may not sell again is restocked step by step, as
    its sales tell.
    """
    pairs = worth.pairs
    fewest = pairs.moq // pairs.case
    excess = np.floor(pairs.daily_demand * 7 * max_excess_weeks).astype(np.int64)
    room = np.maximum(pairs.level, pairs.position) + excess - pairs.position
    ceiling = pairs.daily_demand * (pairs.cover_days + pairs.late_days + 7 * max_safety_weeks)
    lasting = np.maximum(
        (np.floor(ceiling).astype(np.int64) - pairs.position) // pairs.case, fewest
    )
    return fewest, np.minimum(room // pairs.case, lasting)


def best_cases(worth: Worth, fewest: Ints, most: Ints) -> Ints:
    """The most valuable number of cases between the limits, for each pair.

    The gain is concave in the cases, so that bisection on its steps is exact. Below the
    order-up-to level a step that changes nothing is taken, above it is not: flat curves lead to
    the level.
    """
    pairs = worth.pairs
    rows = np.arange(len(pairs))
    low, high = fewest.copy(), np.maximum(most, fewest)
    while (low < high).any():
        middle = (low + high) // 2
        step = worth.gain(rows, (middle + 1) * pairs.case) - worth.gain(rows, middle * pairs.case)
        is_below = pairs.position + middle * pairs.case < pairs.level
        goes_up = np.where(is_below, step >= -1e-9, step > 1e-9) & (middle < high)
        low, high = np.where(goes_up, middle + 1, low), np.where(goes_up, high, middle)
    return low


def best_at_breaks(worth: Worth, best: Ints, fewest: Ints, most: Ints) -> Ints:
    """The most valuable number of cases at any price: `best`, that at the price without breaks, or
    the best within a price break, where that is worth more."""
    pairs, rows = worth.pairs, np.arange(len(worth.pairs))
    found, gain = best.copy(), worth.gain(rows, best * pairs.case)
    first = break_cases(worth)
    for k in range(first.shape[1]):
        start = np.maximum(first[:, k], fewest)
        ends = first[:, k + 1] - 1 if k + 1 < first.shape[1] else np.full(len(rows), NEVER)
        there = best_cases(worth, start, np.minimum(ends, most))
        more = worth.gain(rows, there * pairs.case)
        is_better = (start <= most) & (there <= most) & (more > gain + 1e-9)
        found, gain = np.where(is_better, there, found), np.where(is_better, more, gain)
    return found


def break_cases(worth: Worth) -> Ints:
    """[pairs, breaks] least cases of each price break."""
    first = worth.pairs.breaks.from_units
    return np.where(first >= NEVER, NEVER, -(-first // worth.pairs.case[:, None]))


def ladder(best: Ints, fewest: Ints, most: Ints, also: Ints) -> tuple[Ints, Ints]:
    """(pair, cases) of all quantities to weigh: around the best, and those of `also` [pairs, any],
    between the limits, each once."""
    steps = best[:, None] + np.array(_STEPS)
    shares = np.rint(best[:, None] * np.array(_SHARES)).astype(np.int64)
    rungs = np.concatenate([steps, shares, fewest[:, None], also], axis=1)
    rungs = np.sort(rungs, axis=1)
    fits = (rungs >= np.maximum(fewest, 1)[:, None]) & (rungs <= most[:, None])
    fits[:, 1:] &= rungs[:, 1:] != rungs[:, :-1]
    pair, at = np.nonzero(fits)
    return pair.astype(np.int64), rungs[pair, at]
