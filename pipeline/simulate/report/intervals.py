"""Intervals of means over replications, and of paired differences on common random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """A mean with the half-width of its two-sided interval (NaN from a single replication)."""

    mean: float
    half_width: float

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half_width

    @property
    def in_json(self) -> list[float | None]:
        """[low, mean, high], None for an end that a single replication does not have: JSON has no
        NaN."""
        return [None if np.isnan(x) else float(x) for x in (self.low, self.mean, self.high)]


def interval(values: NDArray[np.float64], level: float = 0.95) -> Interval:
    """Student's interval of the mean of independent values."""
    n = len(values)
    if n < 2:
        return Interval(float(np.mean(values)), float("nan"))
    t = stats.t.ppf(0.5 + level / 2, n - 1)
    return Interval(float(np.mean(values)), float(t * np.std(values, ddof=1) / np.sqrt(n)))


def summary(totals: pd.DataFrame, columns: list[str]) -> dict[str, dict[str, Interval]]:
    """Interval of each column for each policy, in order of first appearance."""
    found: dict[str, dict[str, Interval]] = {}
    for policy in totals["policy"].astype("str").unique():
        rows = totals[totals["policy"].astype("str") == policy]
        found[policy] = {
            name: interval(rows[name].to_numpy(float))
            for name in columns
            if rows[name].notna().all()
        }
    return found


def paired(totals: pd.DataFrame, column: str, policy: str, other: str) -> Interval:
    """Interval of policy's figure less other's, replication by replication."""
    wide = totals.astype({"policy": "str"}).pivot(
        index="replication", columns="policy", values=column
    )
    return interval((wide[policy] - wide[other]).to_numpy(float))
