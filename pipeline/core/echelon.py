"""Order-up-to level of the network echelon, by Clark and Scarf's induced penalty.

``W(x)``, the best value of x units placed in the network for one cycle, is concave (core.item). An
order placed now meets the demand of a random lead time L first, so a position X is worth

    G(X) = E[ W(X - D) ] + W'(0) E[ (B - X)+ ],   W(x) = W(0) + W'(0) x for x < 0

and X* = argmax G. The first term is exact for serial chains with backorders, a bound for divergent
networks (A. J. Clark and H. Scarf, Management Science 6, 1960). It charges a unit that is short in
every cycle until it comes; but a sale is lost once. So what was short already when the order came,
demand B over L beyond X, is taken out again, as in the expected shortage of a review period,
E (D - X)+ - E (B - X)+ (G. Hadley and T. M. Whitin, Analysis of Inventory Systems, 1963, section
5-2). Without the second term an item with a long lead time and an uncertain rate is bought for
weeks of demand that it sees once in years.

Errors of forecast over L and over the cycle after it are correlated, so D is demand over L scaled
to make the variance of D plus an independent cycle that of demand over L and the cycle together,
whose joint quantiles the forecast gives; B is not scaled. That cycle is the one that W is of: the
cycle that W is drawn from (from tomorrow, or of a later week where that sells much more) times the
mean after L over its own. The mean of D is that over L
itself, and its variance no less than that over L: what an event adds to the cycle after L is in W,
and in no D; what it adds to the next days takes nothing from the safety of later ones.

A vendor who asks c more a unit than the cheapest gets G(X) - c X, with W'(0) - c for W'(0): a sale
that is lost before the order came is not paid for either. Otherwise c would be charged on the
demand of the whole lead time and W counted for one cycle, and what brings five times c not bought.

What is ordered more often than once in a cycle is replenished sooner: its position must last only
until the next order comes, so that D is demand over L less the days by which it comes early.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.demand import Ranks, _quantile
from pipeline.kernels import njit

Array = NDArray[Any]


@dataclass(frozen=True)
class Curves:
    """W of all rows, as core.item.value_curves returns it."""

    start: NDArray[np.int64]
    segments: NDArray[np.float64]
    tail_usd: NDArray[np.float64]


@dataclass(frozen=True)
class Supply:
    """Rows (item, vendor) to find levels for.

    item: [rows], of demand; W is by row; lead_days: [possible] days, chances: [rows, possible];
    cycle_days: the cycle that W covers; early_days: [rows] days by which the next order comes
    sooner than after that cycle; extra_usd: [rows] unit cost above the item's cheapest vendor.
    """

    item: NDArray[np.int64]
    lead_days: NDArray[np.float64]
    chances: NDArray[np.float64]
    cycle_days: float
    early_days: NDArray[np.float64]
    extra_usd: NDArray[np.float64]


@njit(nogil=True, cache=True)
def demand_over(
    quantiles: Array, windows: Array, days: float, below: Array, weight: Array
) -> float:
    """Network demand over an interval at one joint rank of all regions, [windows, regions]."""
    w = 0
    while w + 2 < len(windows) and windows[w + 1] < days:
        w += 1
    total = 0.0
    for r in range(quantiles.shape[1]):
        low = _quantile(quantiles, w, r, below[w, r], weight[w, r])
        if len(windows) == 1 or days < windows[w]:
            total += low * days / windows[w]
            continue
        high = _quantile(quantiles, w + 1, r, below[w + 1, r], weight[w + 1, r])
        total += low + (high - low) * (days - windows[w]) / (windows[w + 1] - windows[w])
    return total


@njit(nogil=True, cache=True)
def lead_demand(
    quantiles: Array, of_cycle: Array, windows: Array, lead_days: Array, chances: Array,
    early_days: float, cycle_days: float, below: Array, weight: Array, rank: Array, demand: Array,
    before: Array,
) -> float:  # fmt: skip
    """Fill demand and before [scenarios]: demand over the lead time, rescaled as the module says
    and as it is; returns the mean over lead time and cycle."""
    n = len(rank)
    total, square, over_lead, lead_square = 0.0, 0.0, 0.0, 0.0
    cycle, cycle_square = 0.0, 0.0
    for i in range(n):
        at, mass = 0, chances[0]
        while mass < rank[i] and at + 1 < len(lead_days):
            at += 1
            mass += chances[at]
        wait = max(lead_days[at] - early_days, 0.0)
        before[i] = demand_over(quantiles, windows, wait, below[i], weight[i])
        demand[i] = demand_over(quantiles, windows, wait + cycle_days, below[i], weight[i])
        one = demand_over(of_cycle, windows, cycle_days, below[i], weight[i])
        over_lead += before[i] / n
        lead_square += before[i] ** 2 / n
        total += demand[i] / n
        square += demand[i] ** 2 / n
        cycle += one / n
        cycle_square += one**2 / n
    spread = square - total**2
    ratio = 0.0
    if spread > 0.0:
        growth = (total - over_lead) / cycle if cycle > 0.0 else 1.0
        arrival_variance = growth**2 * (cycle_square - cycle**2)
        lead_variance = max(lead_square - over_lead**2, 0.0)
        ratio = np.sqrt(max(spread - arrival_variance, lead_variance) / spread)
    for i in range(n):
        demand[i] = max(over_lead + ratio * (demand[i] - total), 0.0)
    return total


@njit(nogil=True, cache=True, inline="always")
def _worth(
    x: float, units: Array, value: Array, slope: Array, first: int, last: int, tail: float,
) -> float:  # fmt: skip
    """W at x: units, value: cumulative at the ends of segments first..last-1."""
    if last == first:
        return x * tail
    if x <= 0.0:
        return x * slope[first]
    low, high = first, last
    while low < high:
        middle = (low + high) // 2
        if units[middle] < x:
            low = middle + 1
        else:
            high = middle
    if low == last:
        return value[last - 1] + (x - units[last - 1]) * tail
    return value[low] - (units[low] - x) * slope[low]


@njit(nogil=True, cache=True)
def mean_worth(
    x: float, demand: Array, before: Array, units: Array, value: Array, slope: Array, first: int,
    last: int, tail: float, extra: float,
) -> float:  # fmt: skip
    """G at x, less what each unit costs more at the vendor; a sale that is lost before an order can
    come is lost once, and nothing more is paid for it."""
    total, at_zero = 0.0, (tail if last == first else slope[first]) - extra
    for i in range(len(demand)):
        total += _worth(x - demand[i], units, value, slope, first, last, tail)
        total += at_zero * max(before[i] - x, 0.0)
    return total / len(demand) - extra * x


@njit(nogil=True, cache=True)
def _at_whole_units(
    units: Array, value: Array, slope: Array, first: int, last: int
) -> Array:  # fmt: skip
    """W [0 .. all units of the curve]: its segments end at whole units."""
    table = np.zeros(int(units[last - 1]) + 1)
    at = 0
    for q in range(first, last):
        while at < len(table) and at <= units[q]:
            table[at] = value[q] - (units[q] - at) * slope[q]
            at += 1
    return table


@njit(nogil=True, cache=True)
def _looked_up(
    x: float, demand: Array, before: Array, table: Array, at_zero: float, tail: float, extra: float
) -> float:
    """mean_worth at x, of W at whole units."""
    total, size = 0.0, len(table) - 1
    for i in range(len(demand)):
        y = x - demand[i]
        if y <= 0.0:
            total += y * at_zero
        elif y >= size:
            total += table[size] + (y - size) * tail
        else:
            whole = int(y)
            total += table[whole] + (y - whole) * (table[whole + 1] - table[whole])
        if before[i] > x:
            total += (at_zero - extra) * (before[i] - x)
    return total / len(demand) - extra * x


@njit(nogil=True, cache=True)
def best_level(
    demand: Array, before: Array, units: Array, value: Array, slope: Array, first: int, last: int,
    tail: float, extra: float,
) -> int:  # fmt: skip
    """The least x that makes G(x) - extra x largest, but for gains of rounding alone.

    G rises slowly, then fast, then falls: the best of GRID places, then between its neighbours.
    """
    low, high, best = 0, int(demand.max()) + 1, 0
    if last > first:
        high += int(units[last - 1])
    is_short = last > first and units[last - 1] <= _MOST_UNITS
    table = _at_whole_units(units, value, slope, first, last) if is_short else np.zeros(1)
    while True:
        step = max((high - low + _GRID - 1) // _GRID, 1)
        top = -np.inf
        for x in range(low, high + 1, step):
            if is_short:
                gain = _looked_up(x, demand, before, table, slope[first], tail, extra)
            else:
                gain = mean_worth(x, demand, before, units, value, slope, first, last, tail, extra)
            if gain > top + 1e-12 * abs(gain) + _NOTHING_USD:
                top, best = gain, x
        if step == 1:
            return best
        low, high = max(best - step + 1, low), min(best + step - 1, high)


@njit(nogil=True, cache=True)
def _levels(
    start: Array, units: Array, value: Array, slope: Array, tail: Array, item: Array,
    lead_days: Array, chances: Array, early_days: Array, cycle_days: float, extra: Array,
    quantiles: Array, of_cycle: Array, windows: Array, bank: Array, below: Array, weight: Array,
    rank: Array, shape: Array, level: Array, mean: Array, position: Array, worth: Array,
) -> None:  # fmt: skip
    demand, before = np.empty(below.shape[1]), np.empty(below.shape[1])
    for row in range(len(item)):
        k = item[row]
        b = bank[k]
        mean[row] = lead_demand(
            quantiles[k], of_cycle[k], windows, lead_days, chances[row], early_days[row],
            cycle_days, below[b], weight[b], rank[b], demand, before,
        )  # fmt: skip
        first, last = start[row], start[row + 1]
        low = best_level(demand, before, units, value, slope, first, last, tail[row], extra[row])
        level[row] = low
        for i in range(len(shape)):
            at = i if low < 6 else int(np.ceil(low * shape[i]))
            position[row, i] = max(at, i)
            if i and position[row, i] <= position[row, i - 1]:
                position[row, i] = position[row, i - 1] + 1
        for i in range(len(shape)):
            x = position[row, i]
            worth[row, i] = mean_worth(
                x, demand, before, units, value, slope, first, last, tail[row], extra[row]
            )
        _concave(level[row], position[row], worth[row], extra[row], units, value, slope, first,
                 last, tail[row])  # fmt: skip
        best = 0.0
        for q in range(first, last):
            best = max(best, value[q])
        for i in range(len(shape)):
            worth[row, i] -= best


@njit(nogil=True, cache=True)
def _concave(
    level: int, position: Array, worth: Array, extra: float, units: Array, value: Array,
    slope: Array, first: int, last: int, tail: float,
) -> None:  # fmt: skip
    """Make the curve's knots concave around the level, whose value stays.

    Below it a unit is worth at least what a unit on top of it is, and what it would sell from
    empty shelves in the cycle, W'(x): an order does not meet the demand of its own lead time.
    """
    n = len(position)
    steep = np.empty(n - 1)
    for i in range(n - 1):
        width = position[i + 1] - position[i]
        steep[i] = (worth[i + 1] - worth[i]) / width
        if position[i + 1] <= level:
            from_empty = _worth(position[i + 1], units, value, slope, first, last, tail) - _worth(
                position[i], units, value, slope, first, last, tail
            )
            steep[i] = max(steep[i], from_empty / width - extra, 0.0)
        else:
            steep[i] = min(steep[i], 0.0)
    for i in range(n - 3, -1, -1):
        steep[i] = max(steep[i], steep[i + 1])
    middle = 0
    while middle + 1 < n and position[middle + 1] <= level:
        middle += 1
    for i in range(middle, n - 1):
        worth[i + 1] = worth[i] + steep[i] * (position[i + 1] - position[i])
    for i in range(middle - 1, -1, -1):
        worth[i] = worth[i + 1] - steep[i] * (position[i + 1] - position[i])


_GRID = 16
_NOTHING_USD = 1e-9
"""What an order that comes after an item's last day is worth, but for rounding."""
_MOST_UNITS = 16_384
"""Units up to which W is looked up at whole units instead of searched for among its segments."""
SHAPE = np.array([
    0.0, 0.2, 0.4, 0.55, 0.7, 0.8, 0.9, 0.94, 0.97, 1.0, 1.03, 1.06, 1.1, 1.2, 1.35, 1.5, 2.0, 3.0,
    5.0,
])  # fmt: skip
"""Knots of the published value curve, as multiples of the order-up-to level: close together near
it, where orders in whole cases are weighed against each other by a dollar or two."""


@dataclass(frozen=True)
class Levels:
    """Per row: order-up-to level, expected demand over lead time and cycle, knots of G.

    position: [rows, knots] units, rising by at least one; value: [rows, knots] usd, less the most
    that the cycle can bring: vendors whose orders come in other weeks, for other cycles, are told
    apart by what their positions lose.
    """

    level: NDArray[np.int64]
    demand: NDArray[np.float64]
    position: NDArray[np.int64]
    value: NDArray[np.float64]


def order_up_to(
    curves: Curves,
    supply: Supply,
    quantiles: NDArray[np.float32],
    of_cycle: NDArray[np.float32],
    windows: NDArray[np.float64],
    ranks: Ranks,
    bank: NDArray[np.int64],
) -> Levels:
    """Order-up-to levels and value curves G of every (item, vendor).

    quantiles: [items, windows, regions, levels] as in core.demand, from tomorrow; of_cycle: the
    same of what W's cycle is drawn from; bank: [items].
    """
    units, value = cumulative(curves)
    rows = len(supply.item)
    level, mean = np.zeros(rows, np.int64), np.zeros(rows)
    position, worth = np.zeros((rows, len(SHAPE)), np.int64), np.zeros((rows, len(SHAPE)))
    _levels(
        curves.start, units, value, curves.segments[:, 1].copy(), curves.tail_usd, supply.item,
        supply.lead_days, supply.chances, supply.early_days, supply.cycle_days, supply.extra_usd,
        quantiles, of_cycle, windows, bank, ranks.below, ranks.weight, ranks.interval, SHAPE,
        level, mean, position, worth,
    )  # fmt: skip
    return Levels(level, mean, position, worth)


def cumulative(curves: Curves) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Units and value at the end of every segment, from zero at each item's first."""
    length, slope = curves.segments[:, 0], curves.segments[:, 1]
    found = []
    for series in (length, length * slope):
        running = np.concatenate([[0.0], np.cumsum(series)])
        before = np.repeat(running[curves.start[:-1]], np.diff(curves.start))
        found.append(running[1:] - before)
    return found[0], found[1]
