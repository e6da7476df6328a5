"""What a candidate order is worth: the value of the position it leads to, against ordering nothing.

An order of vendor v's serves the interval that begins when it comes; what comes sooner, or not
before it ends, is another interval's. So each vendor's order is held against what its own interval
is worth without it. With G_v(X) the value of position X in that interval (published as what it
misses of the most that the interval can bring, less (c_v - c_min) X, which is added back here),
IP_v the position in v's eyes, c_v its unit cost, the gain of q units from v is

    G_v(IP_v + q) - (c_v - c_min) q - excess_v(q) - line cost [q > 0] - nothing_v

plus what a price break saves. nothing_v is G_v(IP_v), or what a faster vendor u who may still be
asked in time makes of the interval at his price, if that is more: the largest
G_u(X_u) - (c_u - c_v) d - (c_v - c_min) needed_v, with X_u his order-up-to level, d the demand of a
review period and needed_v what v's position lacks. A slow cheap vendor is used where the price
saves more in a cycle than its lead time costs; and a fast one whatever was ordered of the slow one,
where what runs short before that comes is worth his price (orders by two positions: Veeraraghavan
and Scheller-Wolf, Operations Research 56, 2008). excess_v charges capital on units above the
order-up-to level, and above what the MOQ leads to, until demand uses them up, because G covers one
interval only. The MOQ's own excess comes with the next order as well: it is no reason to wait, and
max_excess_weeks limits it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.buy.curves import Curves
from pipeline.buy.price_breaks import Breaks, no_breaks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DAYS_PER_YEAR = 365.0


@dataclass(frozen=True)
class Pairs:
    """Items and the vendors that sell them, parallel arrays, rows sorted by item.

    level, position: units. unit_cost: usd. case, moq: units. cover_days: lead time and review
    period. daily_demand: units. late_days: beyond the mean lead time, in one of twenty orders.
    wait_days: until its vendor takes an order, infinite where it is not its turn. moq is at least
    one case and whole cases.
    """

    item: Ints
    vendor: Ints
    level: Ints
    position: Ints
    unit_cost: Floats
    case: Ints
    moq: Ints
    cover_days: Floats
    daily_demand: Floats
    late_days: Floats
    wait_days: Floats
    curves: Curves
    breaks: Breaks

    def __len__(self) -> int:
        return len(self.item)

    @property
    def needed(self) -> Ints:
        """Units below the order-up-to level."""
        return np.maximum(self.level - self.position, 0)

    def cost(self, pair: Ints, units: npt.ArrayLike) -> Floats:
        """Cost of each unit, usd, when so many are ordered from the pair."""
        return self.breaks.cost(self.unit_cost, pair, units)


@dataclass(frozen=True)
class Worth:
    """Gains of candidate orders from the pairs.

    review_units: demand of a review period of review_days [pairs]. price_gap: usd a unit above the
    item's cheapest vendor. nothing: usd [pairs], what a vendor's interval is worth without it.
    """

    pairs: Pairs
    holding_per_day: float
    line_usd: float
    review_days: int
    review_units: Floats
    price_gap: Floats
    nothing: Floats

    def gain(self, pair: Ints, units: npt.ArrayLike) -> Floats:
        """Usd gained by ordering `units` (0: nothing) from the pair, against ordering nothing."""
        p, q = self.pairs, np.asarray(units, dtype=np.float64)
        value = self.position_value(pair, p.position[pair] + q)
        least = np.maximum(p.level, p.position + p.moq)
        excess = np.maximum(p.position[pair] + q - least[pair], 0.0)
        # The excess shrinks to zero at the pace of demand: half of it is held on average.
        days = excess / np.maximum(p.daily_demand[pair], 1e-6) / 2
        held = excess * p.unit_cost[pair] * self.holding_per_day * days
        saved = p.breaks.saved(p.unit_cost, p.needed, pair, q)
        total = value - self.price_gap[pair] * q - held - self.line_usd + saved
        return np.where(q > 0, total - self.nothing[pair], 0.0)

    def without_breaks(self) -> Worth:
        """The same if no vendor had price breaks."""
        return replace(self, pairs=replace(self.pairs, breaks=no_breaks(len(self.pairs))))

    def position_value(self, pair: Ints, units: npt.ArrayLike) -> Floats:
        """G of `units` in the pair, usd."""
        return _gross_value(self.pairs, self.price_gap, pair, units)


def worth_of(
    pairs: Pairs, review_days: int, holding_rate_per_year: float, line_usd: float
) -> Worth:
    """The worth function of the night."""
    n_items = int(pairs.item.max()) + 1 if len(pairs) else 0
    all_pairs = np.arange(len(pairs))
    review_units = pairs.daily_demand * review_days
    cheapest = np.full(n_items, np.inf)
    np.minimum.at(cheapest, pairs.item, pairs.unit_cost)
    price_gap = pairs.unit_cost - cheapest[pairs.item]
    here = _gross_value(pairs, price_gap, all_pairs, pairs.position)
    at_level = _gross_value(pairs, price_gap, all_pairs, pairs.level)
    faster = _of_faster(pairs, at_level - price_gap * review_units)
    faster += price_gap * (review_units - pairs.needed)
    return Worth(
        pairs, holding_rate_per_year / DAYS_PER_YEAR, line_usd, review_days, review_units,
        price_gap, np.maximum(here, faster),
    )  # fmt: skip


def _gross_value(pairs: Pairs, price_gap: Floats, pair: Ints, units: npt.ArrayLike) -> Floats:
    """G: the published value without the price gap that is charged on every unit in it."""
    x = np.asarray(units, dtype=np.float64)
    return np.asarray(pairs.curves.at(pair, x) + price_gap[pair] * x)


def _of_faster(pairs: Pairs, served: Floats) -> Floats:
    """[pairs] the largest of `served` [pairs] among the item's vendors whose order comes sooner,
    though it may have to wait until they take one; -inf without any."""
    n = len(pairs)
    item, is_offer = np.tile(pairs.item, 2), np.arange(2 * n) >= n
    days = np.concatenate([pairs.cover_days, pairs.cover_days + pairs.wait_days])
    worth = np.concatenate([np.full(n, -np.inf), served])
    order = np.lexsort((is_offer, days, item))  # who is as fast is no faster
    found = np.empty(2 * n)
    found[order] = pd.Series(worth[order]).groupby(item[order]).cummax()
    return found[:n]
