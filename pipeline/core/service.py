"""What share of demand an order-up-to level serves, and the level at given values of a position.

An order of tonight comes after a lead time L and must last until the next one has come, an interval
R later. Of the demand D' until then what exceeds the level S is lost, since in L + R days no more
than S can be sold; the question is how much of it falls into the interval, whose own demand is
D' - D. Its part of the days at least, because every day stands in as many intervals as L + R has:

    even = E (D' - S)+ (D' - D) / D'

and what a backorder's fill rate counts (G. Hadley and T. Whitin, Analysis of Inventory Systems,
1963), which charges what was lost before once more, at most:

    late = E (D' - S)+ - E (D - S)+

Simulated losses lie between them (the share WITH_LATE of the way, less where much is lost, by
LESS_OFTEN), for lead times of 3 to 21 days and intervals of 1 to 7, of Poisson and lumpy demand
(tests/optimize/test_service.py); they are taken so for every lead time, since a vendor that is late
is so for a while; backorders alone would say two to three times as much. Where
orders wait for a lot, positions lie anywhere within it below the level. Demand over D is scaled as
core.echelon scales it, so that errors of forecast that both share are in it once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.core.demand import Ranks
from pipeline.core.echelon import Curves, Supply, best_level, cumulative, demand_over, mean_worth

Array = NDArray[Any]

STRIDE = 101
"""Step through the scenarios by which a last interval's demand is drawn: a prime, so that it takes
every scenario once where their number is no multiple of it."""
WITH_LATE, LESS_OFTEN = 0.48, 1.6
"""Fitted once to simulations: (even + WITH_LATE d) / (1 + LESS_OFTEN d), d = late - even."""
LOT_PARTS = 4
"""Positions within a lot at which it is looked what is lost."""


@dataclass(frozen=True)
class Cover:
    """Demand of rows (item, vendor) in joint scenarios, [rows, scenarios] units.

    lead: over the lead time, as order_up_to takes it; arrival: over it as it is; before: until an
    order of tonight comes; until: and one of the next look at the position, the demand between
    drawn apart from that before; interval: [rows] expected demand between; lot: [rows] units that
    must be lacking for an order: positions lie up to so much, less one, below the level;
    wait: uint8 [rows, scenarios] number of the lead time.
    """

    lead: NDArray[np.float64]
    arrival: NDArray[np.float64]
    before: NDArray[np.float32]
    until: NDArray[np.float32]
    interval: NDArray[np.float64]
    lot: NDArray[np.float64]
    wait: NDArray[np.uint8]


@njit(nogil=True, cache=True)
def _less(until: Array, last: Array, out: Array) -> float:
    """Fill the demand [scenarios] before a last interval, never above that until its end."""
    n = len(until)
    total, square, part, part_square = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        total += until[i] / n
        square += until[i] ** 2 / n
        part += last[i] / n
        part_square += last[i] ** 2 / n
    spread, ratio = square - total**2, 0.0
    if spread > 0.0:
        ratio = np.sqrt(max(1.0 - (part_square - part**2) / spread, 0.0))
    for i in range(n):
        out[i] = min(max(total - part + ratio * (until[i] - total), 0.0), until[i])
    return part


@njit(nogil=True, cache=True)
def _draw_apart(last: Array, mean: float, days_short: float, out: Array) -> None:
    """Fill the interval's demand [scenarios] with that of other scenarios. Days fewer than the
    first window, by a factor, sell by rank as its part does; their spread is that of few days."""
    n, wider, total = len(last), np.sqrt(max(days_short, 1.0)), 0.0
    for i in range(n):
        out[i] = max(mean + wider * (last[(i * STRIDE + STRIDE) % n] - mean), 0.0)
        total += out[i] / n
    for i in range(n):
        out[i] *= mean / max(total, 1e-12)


@njit(nogil=True, cache=True)
def _cover(
    item: Array, lead_days: Array, chances: Array, early_days: Array, cycle_days: float,
    interval_days: Array, look_days: Array, quantiles: Array, windows: Array, bank: Array,
    below: Array,
    weight: Array, rank: Array, lead: Array, arrival: Array, before: Array, until: Array,
    interval: Array, number: Array,
) -> None:  # fmt: skip
    n = below.shape[1]
    whole, last, out = np.empty(n), np.empty(n), np.empty(n)
    for row in range(len(item)):
        k = item[row]
        b = bank[k]
        for step in range(3):
            span = (cycle_days, interval_days[row], look_days[row])[step]
            for i in range(n):
                at, mass = 0, chances[row, 0]
                while mass < rank[b, i] and at + 1 < len(lead_days):
                    at += 1
                    mass += chances[row, at]
                number[row, i] = at
                wait = max(lead_days[at] - early_days[row], 0.0)
                days = wait + cycle_days
                arrival[row, i] = demand_over(
                    quantiles[k], windows, wait, below[b, i], weight[b, i]
                )
                whole[i] = demand_over(quantiles[k], windows, days, below[b, i], weight[b, i])
                last[i] = demand_over(quantiles[k], windows, span, below[b, i], weight[b, i])
            part = _less(whole, last, out)
            for i in range(n):
                if step == 0:
                    lead[row, i] = out[i]
                elif step == 1:
                    before[row, i] = out[i]
            interval[row] = part
        _draw_apart(last, interval[row], windows[0] / max(look_days[row], 1.0), out)
        for i in range(n):
            until[row, i] = before[row, i] + out[i]


def cover(
    supply: Supply, interval_days: NDArray[np.float64], look_days: NDArray[np.float64],
    lot: NDArray[np.float64], quantiles: NDArray[np.float32], windows: NDArray[np.float64],
    ranks: Ranks, bank: NDArray[np.int64],
) -> Cover:  # fmt: skip
    """Demand that the rows' positions meet; interval_days: [rows] between two orders in the mean;
    look_days: [rows] between two looks at the position; lot: [rows] units that it must lack for an
    order."""
    rows, n = len(supply.item), ranks.below.shape[1]
    lead, arrival = np.zeros((2, rows, n))
    before, until = np.zeros((2, rows, n), np.float32)
    interval, number = np.zeros(rows), np.zeros((rows, n), np.uint8)
    _cover(
        supply.item, supply.lead_days, supply.chances, supply.early_days, supply.cycle_days,
        interval_days, look_days, quantiles, windows, bank, ranks.below, ranks.weight,
        ranks.interval, lead, arrival, before, until, interval, number,
    )  # fmt: skip
    return Cover(lead, arrival, before, until, interval, lot, number)


@njit(nogil=True, cache=True)
def _short(
    before: Array, until: Array, lot: Array, wait: Array, level: Array, even: Array, late: Array
) -> None:
    for row in range(len(level)):
        most = max(np.ceil(lot[row] - 1e-9) - 1.0, 0.0)
        for part in range(LOT_PARTS):
            lacking = min(max((part + 0.5) / LOT_PARTS * (most + 1.0) - 0.5, 0.0), most)
            stock = max(level[row] - lacking, 0.0)
            for i in range(until.shape[1]):
                asked, first = np.float64(until[row, i]), np.float64(before[row, i])
                if asked > stock:
                    at = wait[row, i]
                    even[row, at] += (asked - stock) * (asked - first) / asked / LOT_PARTS
                    late[row, at] += min(asked - stock, asked - first) / LOT_PARTS


def short_share(cover: Cover, level: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share [rows] of demand that is lost at these levels, 0 to 1; never more at a higher level.

    Even and late losses fall with the level. What lies between rises with both up to
    even = WITH_LATE / LESS_OFTEN, and from there on it is below the even ones, which are taken.
    """
    waits = int(cover.wait.max(initial=0)) + 1
    even, late = np.zeros((2, len(level), waits))
    _short(cover.before, cover.until, cover.lot, cover.wait, level, even, late)
    drawn = np.stack([(cover.wait == at).sum(axis=1) for at in range(waits)], axis=1)
    asked = np.maximum(drawn * cover.interval[:, None], 1e-12)
    even, late = even / asked, late / asked
    more = np.maximum(late - even, 0.0)
    between = (even + WITH_LATE * more) / (1.0 + LESS_OFTEN * more)
    lost = np.clip(np.maximum(between, even), 0.0, 1.0)
    return np.asarray((lost * drawn).sum(axis=1) / np.maximum(drawn.sum(axis=1), 1))


@njit(nogil=True, cache=True)
def _levels(
    start: Array, units: Array, value: Array, slope: Array, tail: Array, extra: Array, lead: Array,
    arrival: Array, level: Array,
) -> None:  # fmt: skip
    for row in range(len(level)):
        level[row] = best_level(lead[row], arrival[row], units, value, slope, start[row],
                                start[row + 1], tail[row], extra[row])  # fmt: skip


def levels_at(curves: Curves, cover: Cover, extra_usd: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order-up-to levels [rows] of core.echelon, at these values of positions."""
    units, value = cumulative(curves)
    found = np.zeros(len(cover.lead), np.int64)
    _levels(
        curves.start, units, value, curves.segments[:, 1].copy(), curves.tail_usd, extra_usd,
        cover.lead, cover.arrival, found,
    )  # fmt: skip
    return found


@njit(nogil=True, cache=True)
def _mean(
    start: Array, units: Array, value: Array, slope: Array, tail: Array, extra: Array, lead: Array,
    arrival: Array, level: Array, found: Array,
) -> None:  # fmt: skip
    for row in range(len(level)):
        found[row] = mean_worth(
            level[row], lead[row], arrival[row], units, value, slope, start[row], start[row + 1],
            tail[row], extra[row],
        )  # fmt: skip


def position_worth(
    curves: Curves, cover: Cover, extra_usd: NDArray[np.float64], level: NDArray[np.int64]
) -> NDArray[np.float64]:
    """G(level) [rows] of core.echelon, usd a cycle."""
    units, value = cumulative(curves)
    found = np.zeros(len(level))
    _mean(
        curves.start, units, value, curves.segments[:, 1].copy(), curves.tail_usd, extra_usd,
        cover.lead, cover.arrival, level.astype(np.float64), found,
    )  # fmt: skip
    return found
