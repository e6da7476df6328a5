"""Order-up-to levels at given values of a position.

The levels of core.echelon, found again and again for the same demand while the price of a service
target is sought; what they serve is core.losses's to say.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.demand import Ranks
from pipeline.core.echelon import Curves, Supply, best_level, cumulative, lead_demand
from pipeline.kernels import njit

Array = NDArray[Any]


@dataclass(frozen=True)
class Cover:
    """Demand of rows (item, vendor) in joint scenarios, [rows, scenarios] units: lead over the lead
    time, as order_up_to takes it; arrival over it as it is."""

    lead: NDArray[np.float64]
    arrival: NDArray[np.float64]


@njit(nogil=True, cache=True)
def _cover(
    item: Array, lead_days: Array, chances: Array, early_days: Array, cycle_days: float,
    quantiles: Array, of_cycle: Array, windows: Array, bank: Array, below: Array, weight: Array,
    rank: Array, lead: Array, arrival: Array,
) -> None:  # fmt: skip
    for row in range(len(item)):
        k = item[row]
        b = bank[k]
        lead_demand(
            quantiles[k], of_cycle[k], windows, lead_days, chances[row], early_days[row],
            cycle_days, below[b], weight[b], rank[b], lead[row], arrival[row],
        )  # fmt: skip


def cover(
    supply: Supply, quantiles: NDArray[np.float32], of_cycle: NDArray[np.float32],
    windows: NDArray[np.float64], ranks: Ranks, bank: NDArray[np.int64],
) -> Cover:  # fmt: skip
    """Demand that the rows' positions meet before and until an order of tonight has come;
    quantiles, of_cycle, bank: as of order_up_to."""
    lead, arrival = np.zeros((2, len(supply.item), ranks.below.shape[1]))
    _cover(
        supply.item, supply.lead_days, supply.chances, supply.early_days, supply.cycle_days,
        quantiles, of_cycle, windows, bank, ranks.below, ranks.weight, ranks.interval, lead,
        arrival,
    )  # fmt: skip
    return Cover(lead, arrival)


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
