"""Demand of an item over all regions, pooled from regional quantiles and their correlations.

Quantiles of regions do not add up. With Q_r the quantile function of region r, m_r its mean, s_r
its standard deviation and R the rank correlations over the window, the network's quantile
function is taken as

    Q(u) = M + (S / Σ s_r) Σ_r (Q_r(u) - m_r),   M = Σ m_r,   S² = s' R s,

exact for regions that move as one (S = Σ s_r) and for normal demand, and right in mean and
spread otherwise. It serves charts and rankings; decisions use the optimizer's joint distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.core.arithmetic import product
from pipeline.dependence import dependence_of

F64 = npt.NDArray[np.float64]
LEVELS = np.array(QUANTILE_LEVELS)
_EDGES = np.concatenate([[0.0], (LEVELS[1:] + LEVELS[:-1]) / 2, [1.0]])
WEIGHTS = np.diff(_EDGES)
"""Probability that each quantile stands for, so that Σ WEIGHTS · f(Q) approximates E f(D)."""


@dataclass(frozen=True)
class PooledDemand:
    """Network demand by item and window.

    keys       item_id, window_start_day, window_days of each row
    mean       expected units (rows,)
    quantiles  units at LEVELS (rows, levels), not negative, not decreasing
    """

    keys: pd.DataFrame
    mean: F64
    quantiles: F64

    def window(self, start: int, days: int) -> PooledDemand:
        """The rows of one window."""
        return self.where(
            ((self.keys["window_start_day"] == start) & (self.keys["window_days"] == days))
            .to_numpy()
        )  # fmt: skip

    def where(self, mask: npt.NDArray[np.bool_]) -> PooledDemand:
        """The rows of a mask."""
        return PooledDemand(
            self.keys[mask].reset_index(drop=True), self.mean[mask], self.quantiles[mask]
        )

    def by_item(self) -> pd.Series:
        """Expected units by item_id; only for rows of one window."""
        return pd.Series(self.mean, index=self.keys["item_id"])


def pool_regions(quantiles: pd.DataFrame, dependence: pd.DataFrame) -> PooledDemand:
    """Network demand of every item and window of demand_quantiles."""
    regions = sorted(quantiles["region_id"].astype("str").unique())
    keys = ["item_id", "window_start_day", "window_days"]
    rows = quantiles[keys].astype({"item_id": "str"})
    place = rows.groupby(keys, sort=True).ngroup().to_numpy()
    names = rows.groupby(keys, sort=True).size().index.to_frame(index=False)
    count = len(names)

    mean = quantiles["mean_units"].to_numpy(dtype="float64")
    levels = quantiles[list(QUANTILE_COLUMNS)].to_numpy(dtype="float64")
    off = levels - mean[:, None]
    spread = np.zeros((count, len(regions)))
    region = pd.Index(regions).get_indexer(quantiles["region_id"].astype("str"))
    spread[place, region] = np.sqrt(product(np.square(off), WEIGHTS))
    total = np.bincount(place, weights=mean, minlength=count).astype(np.float64)
    summed = np.column_stack(
        [np.bincount(place, weights=column, minlength=count) for column in off.T]
    )
    group = np.empty(count, object)
    group[place] = quantiles["dependence_group"].astype("str").to_numpy()
    days = names["window_days"].to_numpy(np.int64)
    pooled = np.zeros(count)
    for named in sorted(set(group.tolist())):
        together = dependence_of(dependence, regions, named)
        for length in np.unique(days[group == named]).tolist():
            own = (group == named) & (days == length)
            correlation = together.over(float(length))
            variance = np.einsum("ij,jk,ik->i", spread[own], correlation, spread[own])
            pooled[own] = np.sqrt(np.maximum(variance, 0))
    alone = spread.sum(axis=1)
    shrink = np.divide(pooled, alone, out=np.zeros(count), where=alone > 0)
    quantile = np.maximum(total[:, None] + shrink[:, None] * summed, 0)
    return PooledDemand(names, total, np.maximum.accumulate(quantile, axis=1))


def expected_shortfall(quantiles: F64, supply: F64) -> F64:
    """E (D - supply)+ for each row, units."""
    return product(np.maximum(quantiles - supply[:, None], 0), WEIGHTS)


def run_out_probability(quantiles: F64, supply: F64) -> F64:
    """P(D > supply) for each row, interpolated between the levels (0 and 1 outside them)."""
    below = (quantiles <= supply[:, None]).sum(axis=1) - 1
    low = np.clip(below, 0, len(LEVELS) - 2)
    rows = np.arange(len(supply))
    start = quantiles[rows, low]
    width = quantiles[rows, low + 1] - start
    step = np.divide(LEVELS[low + 1] - LEVELS[low], width, out=np.zeros(len(rows)), where=width > 0)
    inside = step * (supply - start) + LEVELS[low]
    last = np.where(supply > quantiles[:, -1], 1.0, LEVELS[-1])
    reached = np.where(below < 0, 0.0, np.where(below == len(LEVELS) - 1, last, inside))
    return 1 - reached
