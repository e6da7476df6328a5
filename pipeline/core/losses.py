"""What levels lose and hold: each is lived for days of demand, and what is not there is lost.

Every night that may order orders an item up to its level where a lot is lacking; what is ordered
comes after a lead time. With lost sales no formula says what such a policy serves (J. Zipkin,
Operations Research 56, 2008), and none is needed: some thousand days are lived for some twenty
levels, all on the same demand, and what lies between is interpolated.

Demand of a day has the law that gives windows the means and variances of the forecast,

    Var D(w) = spread * (E D(w))^2 + clump * E D(w),    spread >= 0, clump >= 1:

a rate that stays, gamma distributed with the squared coefficient of variation `spread`, and around
it independent days, negative binomial with variance over mean `clump`. Rates, lead times and days
are stratified, so that few paths have the law's mean and its tail.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

from pipeline.core.demand import Ranks, _random
from pipeline.core.echelon import demand_over
from pipeline.kernels import njit

Array = NDArray[Any]

PATHS = 24
"""Lived for every level, each with a rate and a lead time of its own."""
ROW_DAYS, FEWEST_DAYS, MOST_DAYS = 400_000, 112, 896
"""Days of a path that count, of all rows, and of each: errors of many rows average out."""
WARM_DAYS = 28
"""Before them, and the path's lead time."""
SHARED = 0.5
"""Chance that an order takes its path's lead time and not one of its own: a vendor that is late is
so for a while, but not always."""
_ORDER = np.array([(7 * i + 5) % PATHS for i in range(PATHS)])
"""Rank of the lead time of the path whose rate has rank i: 7 and PATHS have no common divisor."""
_MOST_COUNTED = 512.0
"""Mean units of a day up to which the law is counted unit by unit; larger ones in parcels."""
_SHARES = np.array([
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.55, 1.7, 1.85, 2.0,
    2.2, 2.5, 2.8, 3.2, 3.7, 4.3, 5.0, 6.0, 8.0, 11.0, 16.0,
])  # fmt: skip
"""Levels that are lived, as multiples of the demand that they must cover."""
_NONE = 1e-4
"""Share lost from which on no higher level is lived."""


@dataclass(frozen=True)
class DailyDemand:
    """Law of the rows' demand by day: mean units, spread of the rate, clump of days; [rows]."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    clump: NDArray[np.float64]


@dataclass(frozen=True)
class Review:
    """How rows order: nights between two that may, [rows]; lot: [rows] units that must lack;
    transit_days: from a vendor's delivery until units can be sold."""

    nights: NDArray[np.int64]
    lot: NDArray[np.float64]
    transit_days: int


@dataclass(frozen=True)
class Losses:
    """Levels [rows, knots] that rows were lived at, rising; of these the share of demand that is
    lost and the mean units that are there. Beyond a row's last level nothing more changes but that
    each unit of level is one that is there."""

    level: NDArray[np.float64]
    lost: NDArray[np.float64]
    held: NDArray[np.float64]

    def at(self, level: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Share lost and units held of rows [rows] at levels."""
        lost, held = np.zeros((2, len(level)))
        _between(self.level, self.lost, self.held, level.astype(np.float64), lost, held)
        return lost, held


@njit(nogil=True, cache=True)
def _variances(
    item: Array, quantiles: Array, windows: Array, bank: Array, below: Array, weight: Array,
    found: Array,
) -> None:  # fmt: skip
    for row in range(len(item)):
        k = item[row]
        b = bank[k]
        for w in range(len(windows)):
            total, square = 0.0, 0.0
            for i in range(below.shape[1]):
                units = demand_over(quantiles[k], windows, windows[w], below[b, i], weight[b, i])
                total += units / below.shape[1]
                square += units**2 / below.shape[1]
            found[row, w] = max(square - total**2, 0.0)


def window_variances(
    quantiles: NDArray[np.float32], windows: NDArray[np.float64], ranks: Ranks,
    bank: NDArray[np.int64],
) -> NDArray[np.float64]:  # fmt: skip
    """Variance [items, windows] of the network's demand over each window; quantiles: [items,
    windows, regions, levels]; bank: [items]."""
    found = np.zeros(quantiles.shape[:2])
    _variances(np.arange(len(found)), quantiles, windows, bank, ranks.below, ranks.weight, found)
    return found


def daily_demand(
    item: NDArray[np.int64], mean: NDArray[np.float64], quantiles: NDArray[np.float32],
    windows: NDArray[np.float64], window_mean: NDArray[np.float64], ranks: Ranks,
    bank: NDArray[np.int64],
) -> DailyDemand:  # fmt: skip
    """The law of rows (item) that fits the variances of windows best, relative to each.

    mean: [rows] units a day; quantiles: [items, windows, regions, levels]; window_mean: [items,
    windows] expected units of the network.
    """
    variance = np.zeros((len(item), len(windows)))
    _variances(item, quantiles, windows, bank, ranks.below, ranks.weight, variance)
    units = np.maximum(window_mean[item], 1e-9)
    each = np.maximum(variance, 1e-3 * units)
    square, line = units**2 / each, units / each  # each equation over its right-hand side
    a, b, c = (square**2).sum(1), (square * line).sum(1), (line**2).sum(1)
    right, right_line = square.sum(1), line.sum(1)
    det = np.maximum(a * c - b * b, 1e-12 * a * c)
    spread = np.maximum((right * c - right_line * b) / det, 0.0)
    clump = np.maximum((right_line - spread * b) / c, 1.0)
    spread = np.maximum((right - clump * b) / a, 0.0)
    return DailyDemand(mean, np.round(spread, 9), np.round(clump, 9))


@njit(nogil=True, cache=True)
def _days(
    mean: float, clump: float, normals: Array, state: np.uint64, sorted_days: Array, out: Array
) -> np.uint64:
    """Fill the demand of days: negative binomial of the mean, one of each rank, in random order."""
    n = len(out)
    parcel = max(np.ceil(mean / _MOST_COUNTED), 1.0)
    wide = clump / parcel
    if wide < 1.0:  # many units, and steady ones
        for i in range(n):
            units = mean + np.sqrt(mean * clump) * normals[i * len(normals) // n]
            sorted_days[i] = max(np.floor(units + 0.5), 0.0)
    else:
        units = 0.0
        small = wide < 1.0 + 1e-6
        part = mean / parcel
        chance = np.exp(-part if small else -part * np.log(wide) / (wide - 1.0))
        total = chance
        for i in range(n):
            state, u = _random(state)
            rank = (i + u) / n
            while total < rank and (chance > 1e-18 or units < part):
                units += 1.0
                if small:
                    chance *= part / units
                else:
                    chance *= (part / (wide - 1.0) + units - 1.0) / units * (wide - 1.0) / wide
                total += chance
            sorted_days[i] = units * parcel
    for i in range(n):
        state, u = _random(state)
        at = i + int(u * (n - i))
        out[i] = sorted_days[at]
        sorted_days[at] = sorted_days[i]
    return state


@njit(nogil=True, cache=True)
def _lead(lead_days: Array, chances: Array, rank: float) -> float:
    at, mass = 0, chances[0]
    while mass < rank and at + 1 < len(lead_days):
        at += 1
        mass += chances[at]
    return lead_days[at]


@njit(nogil=True, cache=True)
def _live(
    level: float, asked: Array, lead: Array, warm: int, nights: int, lot: float, coming: Array
) -> tuple[float, float, float]:
    """Units asked for, units lost and the sum of units there, of the days after the first `warm`;
    lead: [days] days until what is ordered the night after the day can be sold."""
    coming[:] = 0.0
    size = len(coming)
    there, position = level, level
    total, lost, held = 0.0, 0.0, 0.0
    at, night = -1, 0
    for day in range(len(asked)):
        at = at + 1 if at + 1 < size else 0
        night = night + 1 if night < nights else 1
        there += coming[at]
        coming[at] = 0.0
        sold = min(there, asked[day])
        there -= sold
        position -= sold
        if night == nights and level - position >= lot:
            due = at + 1 + lead[day]
            coming[due if due < size else due - size] += level - position
            position = level
        if day >= warm:
            total += asked[day]
            lost += asked[day] - sold
            held += there
    return total, lost, held


@njit(nogil=True, cache=True)
def _knots(shares: Array, units: float, out: Array) -> int:
    """Fill rising whole levels at multiples of the units; returns how many."""
    n = 0
    for share in shares:
        level = np.rint(share * units)
        if n == 0 or level > out[n - 1]:
            out[n] = level
            n += 1
    return n


@njit(nogil=True, cache=True)
def _losses(
    bank: Array, mean: Array, clump: Array, rate: Array, lead_days: Array, chances: Array,
    transit: float, nights: Array, lot: Array, days_lived: int, normals: Array, shares: Array,
    order: Array, level: Array, lost: Array, held: Array,
) -> None:  # fmt: skip
    paths, longest = rate.shape[1], int(np.max(lead_days) + transit) + 2
    span = days_lived + WARM_DAYS + longest
    asked, lead = np.zeros((paths, span)), np.zeros((paths, span), np.int64)
    scratch, coming = np.zeros(span), np.zeros(longest + 1)
    for row in range(len(mean)):
        state = np.uint64(88172645463325252) + np.uint64(bank[row]) * np.uint64(2654435761)
        warm, expected = np.zeros(paths, np.int64), 0.0
        for at in range(len(lead_days)):
            expected += chances[row, at] * lead_days[at]
        for p in range(paths):
            own = _lead(lead_days, chances[row], (order[p] + 0.5) / paths)
            warm[p] = int(own + transit) + WARM_DAYS
            days = asked[p, : warm[p] + days_lived]
            state = _days(
                mean[row] * rate[row, p], clump[row], normals, state, scratch, days,
            )  # fmt: skip
            for day in range(len(days)):
                state, u = _random(state)
                is_own = u >= SHARED
                state, u = _random(state)
                wait = _lead(lead_days, chances[row], u) if is_own else own
                lead[p, day] = int(wait + transit)
        units = mean[row] * (expected + transit + nights[row]) + lot[row] / 2.0
        n = _knots(shares, max(units, 1.0), level[row])
        for s in range(n):
            sums = np.zeros(3)
            for p in range(paths):
                end = warm[p] + days_lived
                one = _live(
                    level[row, s], asked[p, :end], lead[p, :end], warm[p], nights[row],
                    max(lot[row], 1.0), coming,
                )  # fmt: skip
                for part in range(3):
                    sums[part] += one[part]
            lost[row, s] = sums[1] / sums[0] if sums[0] > 0.0 else 0.0
            held[row, s] = sums[2] / (paths * days_lived)
            if s:
                lost[row, s] = min(lost[row, s], lost[row, s - 1])
                held[row, s] = max(held[row, s], held[row, s - 1])
            if lost[row, s] < _NONE:
                lost[row, s] = 0.0
                n = s + 1
                break
        for s in range(n, level.shape[1]):
            level[row, s] = level[row, s - 1] + 1.0
            lost[row, s] = lost[row, n - 1]
            held[row, s] = held[row, s - 1] + 1.0


@njit(nogil=True, cache=True)
def _between(
    levels: Array, lost: Array, held: Array, level: Array, lost_at: Array, held_at: Array
) -> None:
    for row in range(len(level)):
        known, at = levels[row], 0
        while at + 2 < len(known) and known[at + 1] < level[row]:
            at += 1
        if level[row] >= known[-1]:
            lost_at[row] = lost[row, -1]
            held_at[row] = held[row, -1] + level[row] - known[-1]
            continue
        part = (level[row] - known[at]) / (known[at + 1] - known[at])
        held_at[row] = held[row, at] + part * (held[row, at + 1] - held[row, at])
        low, high = lost[row, at], lost[row, at + 1]
        if high > 0.0:  # losses fall by about the same factor for every unit
            lost_at[row] = low * (high / low) ** part
        else:
            lost_at[row] = low * (1.0 - part)


def losses(
    demand: DailyDemand, lead_days: NDArray[np.float64], chances: NDArray[np.float64],
    review: Review, bank: NDArray[np.int64],
) -> Losses:  # fmt: skip
    """What the rows' levels lose; lead_days: [possible] days, chances: [rows, possible]; bank:
    [rows] stream of luck."""
    rows, shape = len(demand.mean), 1.0 / np.maximum(demand.spread, 1e-6)
    rank = (np.arange(PATHS) + 0.5) / PATHS
    rate = gammaincinv(shape[:, None], rank[None, :]) / shape[:, None]
    rate = np.round(rate / np.maximum(rate.mean(axis=1, keepdims=True), 1e-12), 9)
    days = int(np.clip(ROW_DAYS // max(rows * PATHS, 1), FEWEST_DAYS, MOST_DAYS))
    span = days + WARM_DAYS + int(lead_days.max(initial=1) + review.transit_days) + 2
    normals = np.round(ndtri((np.arange(span) + 0.5) / span), 9)
    level, lost, held = np.zeros((3, rows, len(_SHARES)))
    _losses(
        bank, demand.mean, demand.clump, rate, lead_days, chances, float(review.transit_days),
        review.nights, review.lot, days, normals, _SHARES, _ORDER, level, lost, held,
    )  # fmt: skip
    return Losses(level, np.round(lost, 9), np.round(held, 6))
