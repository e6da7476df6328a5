"""Price breaks: a lower cost for all units of an order line from a quantity on.

What a line saves against the cost without breaks is part of its gain, so a larger order is weighed
against what holding it costs: the best quantity is sought within each price (the gain is concave
there) and the best of those is taken, as in the classical all-units discount (G. Hadley and T.
Whitin, Analysis of Inventory Systems, 1963, section 2-11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NEVER = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class Breaks:
    """By pair, ascending and padded with NEVER: from_units [pairs, breaks] and cost_usd a unit."""

    from_units: Ints
    cost_usd: Floats

    def saved(self, unit_cost: Floats, needed: Ints, pair: Ints, units: npt.ArrayLike) -> Floats:
        """What breaks save on `units`, usd, against the cost without: on no more of them than the
        break asks for or is needed tonight, for later orders can have the price as well."""
        q = np.asarray(units)
        found = np.zeros(np.broadcast_shapes(pair.shape, q.shape))
        for k in range(self.from_units.shape[1]):
            first = self.from_units[pair, k]
            counted = np.minimum(q, np.maximum(first, needed[pair]))
            gap = unit_cost[pair] - self.cost_usd[pair, k]
            found = np.where(q >= first, gap * counted, found)
        return found

    def cost(self, unit_cost: Floats, pair: Ints, units: npt.ArrayLike) -> Floats:
        """Cost of each of `units` from the pair; unit_cost: [pairs] without breaks."""
        q = np.asarray(units)
        found = np.broadcast_to(unit_cost[pair], np.broadcast_shapes(pair.shape, q.shape)).copy()
        for k in range(self.from_units.shape[1]):
            found = np.where(q >= self.from_units[pair, k], self.cost_usd[pair, k], found)
        return found


def no_breaks(pairs: int) -> Breaks:
    """None for any pair."""
    return Breaks(np.zeros((pairs, 0), np.int64), np.zeros((pairs, 0)))


def breaks_of(table: pd.DataFrame, frame: pd.DataFrame) -> Breaks:
    """Breaks of the pairs of `frame`, from the table price_breaks."""
    ids = ["vendor_id", "item_id"]
    rows = table.astype(dict.fromkeys(ids, "str")).merge(
        frame[ids].assign(pair=np.arange(len(frame))), on=ids
    )
    if rows.empty:
        return no_breaks(len(frame))
    rows = rows.sort_values(["pair", "from_units"], kind="stable")
    place = rows.groupby("pair").cumcount().to_numpy()
    first = np.full((len(frame), int(place.max()) + 1), NEVER, np.int64)
    cost = np.zeros(first.shape)
    first[rows["pair"], place] = rows["from_units"]
    cost[rows["pair"], place] = rows["break_cost_usd"]
    return Breaks(first, cost)
