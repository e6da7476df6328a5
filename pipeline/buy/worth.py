"""What a candidate order is worth: the value of the position it leads to, against ordering nothing.

With G_v(X) the value of position X when vendor v covers the coming interval (as published, less
(c_v - c_min) X, which is added back here), IP_v the position in v's eyes, c_v its unit cost, d the
demand of a review period, the worth of q units from v is

    A_v(q) = G_v(IP_v + q) - (c_v - c_min) max(q, d) - early_v - excess_v(q) - line cost [q > 0]

and its gain A_v(q) - max_u A_u(0), plus what a price break saves on q. The second term charges a
dearer vendor's price on every unit, and at least on what a review period needs: who waits for the
dear vendor pays it then. early_v is
what runs short before v could deliver but a faster vendor u could: the largest loss
G_u(X_u) - G_u(IP_u) among them, so a slow cheap vendor is used while the position is sound and a
fast one when it is not. excess_v charges capital on units above the order-up-to level, and above
what the MOQ leads to, until demand uses them up, because G covers one interval only. The MOQ's own
excess comes with the next order as well: it is no reason to wait, and max_excess_weeks limits it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.buy.curves import Curves
from pipeline.buy.price_breaks import Breaks, no_breaks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DAYS_PER_YEAR = 365.0


@dataclass(frozen=True)
class Pairs:
    """Items and the vendors that sell them, parallel arrays, rows sorted by item.

    level, position: units. unit_cost: usd. case, moq: units. cover_days: lead time and review
    period. daily_demand: units. late_days: beyond the mean lead time, in one of twenty orders. moq
    is at least one case and whole cases.
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
    item's cheapest vendor. early_loss, nothing: usd [pairs]; `nothing` is the worth of no order, by
    item.
    """

    pairs: Pairs
    holding_per_day: float
    line_usd: float
    review_days: int
    review_units: Floats
    price_gap: Floats
    early_loss: Floats
    nothing: Floats

    def gain(self, pair: Ints, units: npt.ArrayLike) -> Floats:
        """Usd gained by ordering `units` (0: nothing) from the pair, against ordering nothing."""
        p, q = self.pairs, np.asarray(units, dtype=np.float64)
        value = self.position_value(pair, p.position[pair] + q)
        price = self.price_gap[pair] * np.maximum(q, self.review_units[pair])
        least = np.maximum(p.level, p.position + p.moq)
        excess = np.maximum(p.position[pair] + q - least[pair], 0.0)
        # The excess shrinks to zero at the pace of demand: half of it is held on average.
        days = excess / np.maximum(p.daily_demand[pair], 1e-6) / 2
        held = excess * p.unit_cost[pair] * self.holding_per_day * days
        saved = p.breaks.saved(p.unit_cost, p.needed, pair, q)
        total = value - price - self.early_loss[pair] - held - self.line_usd + saved
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
    loss = np.maximum(_gross_value(pairs, price_gap, all_pairs, pairs.level) - here, 0.0)
    early = _early_losses(pairs, np.where(pairs.position < pairs.level, loss, 0.0))
    nothing = np.full(n_items, -np.inf)
    np.maximum.at(nothing, pairs.item, here - price_gap * review_units - early)
    return Worth(
        pairs, holding_rate_per_year / DAYS_PER_YEAR, line_usd, review_days, review_units,
        price_gap, early, nothing[pairs.item] if len(pairs) else nothing,
    )  # fmt: skip


def _gross_value(pairs: Pairs, price_gap: Floats, pair: Ints, units: npt.ArrayLike) -> Floats:
    """G: the published value without the price gap that is charged on every unit in it."""
    x = np.asarray(units, dtype=np.float64)
    return np.asarray(pairs.curves.at(pair, x) + price_gap[pair] * x)


def _early_losses(pairs: Pairs, loss: Floats) -> Floats:
    """Largest loss of the item's faster vendors, for each pair."""
    early = np.zeros(len(pairs))
    order = np.lexsort((pairs.cover_days, pairs.item))
    worst, item, days = 0.0, -1, 0.0
    pending = 0.0
    for row in order:
        if pairs.item[row] != item:
            item, worst, pending, days = int(pairs.item[row]), 0.0, 0.0, -1.0
        if pairs.cover_days[row] > days:  # equally fast vendors are not faster than each other
            worst, days = max(worst, pending), float(pairs.cover_days[row])
        early[row] = worst
        pending = max(pending, float(loss[row]))
    return early
