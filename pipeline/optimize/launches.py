"""Levels of what sells only later: a launch, a season that begins, a region that opens.

The value W of a position is that of the cycle from tomorrow on. Where next to nothing sells in it,
but much when tonight's order has come, W says nothing of what the order is for. Then the position
is valued by a newsvendor over lead time and cycle together, with D the demand of both,

    G(X) = p E min(X, D) - h E (X - D)+,

p the worth of a sale and h the cost of holding a unit for a cycle; its best level is the
(p - c) / (p + h) quantile of D, with c what the vendor asks above the item's cheapest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.demand import Ranks
from pipeline.core.echelon import SHAPE, Levels, Supply, interval_demand
from pipeline.optimize.item_model import DemandCube

_LATER_RATE = 2.0
"""Sales a day after the order has come, over those of the coming cycle, that make a launch."""
_LEAST_UNITS = 1.0


def starting_later(
    cube: DemandCube, item: NDArray[np.int64], lead_days: NDArray[np.float64], cycle_days: float
) -> NDArray[np.bool_]:
    """Rows whose item sells more than twice as fast when an order of tonight has come as before."""
    days = np.unique(np.concatenate([lead_days, lead_days + cycle_days, [cycle_days]]))
    known = cube.mean_over(days)

    def until(end: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(known[item, np.searchsorted(days, end)])

    now = until(np.full(len(item), cycle_days))
    later = until(lead_days + cycle_days) - until(lead_days)
    return np.asarray((later > _LATER_RATE * now) & (later >= _LEAST_UNITS))


def launch_levels(
    found: Levels, later: NDArray[np.bool_], supply: Supply, cube: DemandCube, ranks: Ranks,
    bank: NDArray[np.int64], sale_usd: NDArray[np.float64], holding_usd: NDArray[np.float64],
) -> Levels:  # fmt: skip
    """The levels with those of the rows `later` from the newsvendor; nothing that loses is held."""
    level, position, value = found.level.copy(), found.position.copy(), found.value.copy()
    for row in np.flatnonzero(later):
        item = int(supply.item[row])
        worth, hold, extra = sale_usd[item], holding_usd[item], supply.extra_usd[row]
        if worth <= extra or not np.isfinite(hold):
            continue
        demand = np.sort(interval_demand(
            cube.quantiles[item], cube.windows, supply, int(row), ranks, int(bank[item])
        ))  # fmt: skip
        share = (worth - extra) / (worth + hold)
        at = min(int(np.ceil(share * len(demand))) - 1, len(demand) - 1)
        level[row] = int(np.floor(demand[max(at, 0)]))
        knots = np.maximum.accumulate(np.ceil(level[row] * SHAPE).astype(np.int64))
        position[row] = np.maximum(knots, np.arange(len(SHAPE)))
        for i in range(1, len(SHAPE)):
            position[row, i] = max(position[row, i], position[row, i - 1] + 1)
        sold = np.minimum(position[row][:, None], demand[None, :]).mean(axis=1)
        value[row] = worth * sold - hold * (position[row] - sold)
        value[row] -= extra * position[row]
    return replace(found, level=level, position=position, value=value)
