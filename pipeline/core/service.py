"""What share of demand an order-up-to level serves, and the level at given values of a position.

An order of tonight comes after a lead time L and must last until the next one has come. Of the
demand D' until then, the part that falls into the last interval R between two orders is served out
of what the demand D before it has left of the level S, so that of the interval's demand

    E (D' - S)+ - E (D - S)+

is short: the fill rate of a periodic review system with backorders (G. Hadley and T. Whitin,
Analysis of Inventory Systems, 1963). It falls in S, unit by unit. Demand over D is scaled as
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


@dataclass(frozen=True)
class Cover:
    """Demand of rows (item, vendor) in joint scenarios, [rows, scenarios] units.

    lead: over the lead time, as order_up_to takes it; arrival: over it as it is; before, until: to
    the begin and the end of the last interval that a position must last; interval: [rows] expected
    demand in it.
    """

    lead: NDArray[np.float64]
    arrival: NDArray[np.float64]
    before: NDArray[np.float32]
    until: NDArray[np.float32]
    interval: NDArray[np.float64]


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
def _cover(
    item: Array, lead_days: Array, chances: Array, early_days: Array, cycle_days: float,
    interval_days: Array, quantiles: Array, windows: Array, bank: Array, below: Array,
    weight: Array, rank: Array, lead: Array, arrival: Array, before: Array, until: Array,
    interval: Array,
) -> None:  # fmt: skip
    n = below.shape[1]
    whole, last, out = np.empty(n), np.empty(n), np.empty(n)
    for row in range(len(item)):
        k = item[row]
        b = bank[k]
        for step in range(2):
            span = cycle_days if step == 0 else interval_days[row]
            for i in range(n):
                at, mass = 0, chances[row, 0]
                while mass < rank[b, i] and at + 1 < len(lead_days):
                    at += 1
                    mass += chances[row, at]
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
                else:
                    before[row, i], until[row, i] = out[i], whole[i]
            interval[row] = part


def cover(
    supply: Supply, interval_days: NDArray[np.float64], quantiles: NDArray[np.float32],
    windows: NDArray[np.float64], ranks: Ranks, bank: NDArray[np.int64],
) -> Cover:  # fmt: skip
    """Demand that the rows' positions meet; interval_days: [rows] between two orders."""
    rows, n = len(supply.item), ranks.below.shape[1]
    lead, arrival = np.zeros((2, rows, n))
    before, until = np.zeros((2, rows, n), np.float32)
    interval = np.zeros(rows)
    _cover(
        supply.item, supply.lead_days, supply.chances, supply.early_days, supply.cycle_days,
        interval_days, quantiles, windows, bank, ranks.below, ranks.weight, ranks.interval, lead,
        arrival, before, until, interval,
    )  # fmt: skip
    return Cover(lead, arrival, before, until, interval)


def short_share(cover: Cover, level: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share [rows] of the last interval's demand that the levels leave short, from 0 to 1."""
    stock = level[:, None].astype(np.float32)
    late = np.maximum(cover.until - stock, 0.0) - np.maximum(cover.before - stock, 0.0)
    short = np.clip(late, 0.0, None).mean(axis=1, dtype=np.float64)
    return np.asarray(np.clip(short / np.maximum(cover.interval, 1e-12), 0.0, 1.0))


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
            tail[row],
        ) - extra[row] * level[row]  # fmt: skip


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
