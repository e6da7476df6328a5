"""How far what stands at a node may lie from its plan, because demand is uncertain.

Rows of storage count levels, and the stock that is lived swings around them: an order-up-to
position S leaves S - D on the day when its order has come, D the demand until then, so that stock
varies as D does (Clark and Scarf 1960). Until tonight's order comes all of that is open; what comes
after it can be corrected by later orders, so that a week beyond the vendor's lead time knows no
more of it. A node has its share p of an item's stock; units that spread at random over nodes vary
there by p (1 - p) E D more than by p^2 Var D. Shares are those of the levels that would be best if
capacity were free; what has no room there stands where there is some. Items are taken to be
independent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.columns import NO_LIMIT
from pipeline.core.arithmetic import product
from pipeline.core.demand import Ranks
from pipeline.core.losses import window_variances
from pipeline.optimize.item_model import DemandCube

Floats = NDArray[np.float64]
_HALF_WEEK_DAYS = 3.5
_MOST_SPREADS = 3.0


def swing_cuft(
    cube: DemandCube, ranks: Ranks, bank: NDArray[np.int64], cube_cuft: Floats, lead_days: Floats,
    level: NDArray[np.int32], eligible: NDArray[np.bool_], ratio: list[Floats], space_cuft: Floats,
) -> Floats:  # fmt: skip
    """Standard deviation [nodes, weeks] of the cubic feet that stand at each node; 0 where it would
    not fill the node, so that nothing hangs on it.

    level: [items, nodes] best units if capacity were free; ratio: by week [items, nodes] of demand,
    and of levels, to these; space_cuft: [nodes, weeks]; others as for spread_cuft.
    """
    stands = poured(level, cube_cuft, eligible, space_cuft[:, 0])
    spread = spread_cuft(cube, ranks, bank, cube_cuft, lead_days, stands, len(ratio))
    use = np.stack([product(cube_cuft, stands * now) for now in ratio], axis=1)
    return np.where(use + _MOST_SPREADS * spread > space_cuft, spread, 0.0)


def spread_cuft(
    cube: DemandCube, ranks: Ranks, bank: NDArray[np.int64], cube_cuft: Floats, lead_days: Floats,
    stands: Floats, weeks: int,
) -> Floats:  # fmt: skip
    """Standard deviation [nodes, weeks] of the cubic feet at each node, in the middle of the week.

    bank, cube_cuft, lead_days: [items], days until an order has come and the next one can; stands:
    [items, nodes] units, by which an item's stock is shared out.
    """
    share = stands / np.maximum(stands.sum(axis=1, keepdims=True), 1e-9)
    windows = np.concatenate([[0.0], cube.windows])
    variance = window_variances(cube.quantiles, cube.windows, ranks, bank)
    variance = np.concatenate([np.zeros((len(variance), 1)), variance], axis=1)
    found = np.zeros((share.shape[1], weeks))
    for t in range(weeks):
        days = np.minimum(7.0 * t + _HALF_WEEK_DAYS, lead_days)
        of_all = [np.interp(d, windows, row) for d, row in zip(days, variance, strict=True)]
        units = share * (1.0 - share) * cube.mean_at(days)[:, None]
        units += share**2 * np.array(of_all)[:, None]
        found[:, t] = np.sqrt(product(cube_cuft**2, units))
    return found


def poured(
    level: NDArray[np.int32], cube_cuft: Floats, eligible: NDArray[np.bool_], room_cuft: Floats
) -> Floats:
    """Units [items, nodes] of the levels; the part that a node has no room for [nodes] is poured
    over the other nodes that may hold the item, by what they have left."""
    use = product(cube_cuft, level.astype(np.float64))
    fits = np.minimum(1.0, np.maximum(room_cuft, 0.0) / np.maximum(use, 1e-9))
    stays = level * fits
    left = eligible * np.clip(room_cuft - use, 0.0, NO_LIMIT)
    total = left.sum(axis=1, keepdims=True)
    part = np.divide(left, total, out=np.zeros(left.shape), where=total > 0.0)
    over = (level - stays).sum(axis=1, keepdims=True)
    return np.where(total > 0.0, stays + over * part, level)
