"""Value of an item's position, by (item, vendor): concave piecewise-linear curves in one array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Curves:
    """Knots of many curves: those of curve c lie at start[c]:start[c + 1] of position and value."""

    start: Ints
    position: Floats
    value: Floats

    def moved(self, units: Floats) -> Curves:
        """The curves [units more] to the right, each by its own."""
        return Curves(self.start, self.position + np.repeat(units, np.diff(self.start)), self.value)

    def at(self, curve: Ints, position: npt.ArrayLike) -> Floats:
        """Value (usd) of `position` units on each curve; the end segments go on beyond the knots.

        `curve` and `position` broadcast. A curve with one knot is flat, one without knots is zero.
        """
        curve, x = np.broadcast_arrays(curve, np.asarray(position, dtype=np.float64))
        first, end = self.start[curve], self.start[curve + 1]
        knots = end - first
        low, high = first.copy(), np.maximum(end - 1, first)
        while (high - low > 1).any():  # bisection in all curves at once
            middle = (low + high) // 2
            right = self.position[np.minimum(middle, len(self.position) - 1)] <= x
            is_wide = high - low > 1
            low = np.where(is_wide & right, middle, low)
            high = np.where(is_wide & ~right, middle, high)
        if not len(self.position):
            return np.zeros(x.shape)
        last = len(self.position) - 1
        low, high = np.minimum(low, last), np.minimum(high, last)
        width = self.position[high] - self.position[low]
        rise = self.value[high] - self.value[low]
        slope = np.where(width > 0, rise / np.where(width > 0, width, 1.0), 0.0)
        return np.where(knots > 0, self.value[low] + slope * (x - self.position[low]), 0.0)


def curves_of(position_values: pd.DataFrame, pairs: pd.DataFrame) -> Curves:
    """One curve for each row of `pairs` (item_id, vendor_id), in its order, from the table."""
    order = pairs[["item_id", "vendor_id"]].assign(pair=np.arange(len(pairs)))
    rows = position_values.merge(order, on=["item_id", "vendor_id"])
    rows = rows.sort_values(["pair", "position_units"], kind="stable")
    count = np.bincount(rows["pair"], minlength=len(pairs))
    return Curves(
        start=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        position=rows["position_units"].to_numpy(dtype=np.float64),
        value=rows["position_value_usd"].to_numpy(dtype=np.float64),
    )
