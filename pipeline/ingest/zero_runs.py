"""Runs of days without a sale that chance does not explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
RATE_DAYS = 56
RATE_LEAST_DAYS = 28


@dataclass(frozen=True)
class ZeroRuns:
    """Runs of days (or other periods) without a sale: row, first and last day of each, and of some
    days before it how many were seen, and how many of those had no sale."""

    row: npt.NDArray[np.intp]
    first: npt.NDArray[np.intp]
    last: npt.NDArray[np.intp]
    seen: npt.NDArray[np.int32]
    zeros: npt.NDArray[np.int32]

    @property
    def length(self) -> npt.NDArray[np.intp]:
        """Days of each."""
        return self.last - self.first + 1

    def marked(self, hit: Bools, shape: tuple[int, ...]) -> Bools:
        """The days (rows, days) of those runs that are `hit`."""
        marks = np.zeros((shape[0], shape[1] + 1), dtype="int8")
        np.add.at(marks, (self.row[hit], self.first[hit]), 1)
        np.add.at(marks, (self.row[hit], self.last[hit] + 1), -1)
        return np.cumsum(marks, axis=1, dtype="int8")[:, :-1] > 0


def zero_runs(
    units: npt.NDArray[np.integer], observed: Bools, rate_days: int = RATE_DAYS
) -> ZeroRuns:
    """All runs of observed days without a sale in `units` (rows, days), and of `rate_days` before
    each how many were seen and had none."""
    zero = (units == 0) & observed
    edge = np.zeros((len(units), 1), dtype=bool)
    starts = np.argwhere(zero & ~np.hstack([edge, zero[:, :-1]]))
    ends = np.argwhere(zero & ~np.hstack([zero[:, 1:], edge]))
    row, first, last = starts[:, 0], starts[:, 1], ends[:, 1]
    before = np.maximum(first - rate_days, 0)
    return ZeroRuns(
        row, first, last, between(observed, row, before, first), between(zero, row, before, first)
    )


def suspected_stockouts(
    units: npt.NDArray[np.integer], observed: Bools, probability: float, max_days: int
) -> Bools:
    """Days (series x days) in a run of zeros less likely than `probability` at the rate before it.

    A run of n days without sales has the likelihood p^n, with p the share of days without sales
    among the 56 observed days before the run, (zeros + 1) / (days + 2). Runs longer than `max_days`
    are taken for an end of demand, and runs after fewer than 28 observed days are not judged.
    """
    runs = zero_runs(units, observed)
    odds = runs.length * np.log((runs.zeros + 1) / (runs.seen + 2))
    hit = odds < np.log(max(probability, 1e-300))
    hit &= (runs.length <= max_days) & (runs.seen >= RATE_LEAST_DAYS)
    return runs.marked(hit, units.shape)


def between(
    values: npt.NDArray[np.integer] | Bools, rows: npt.NDArray[np.intp],
    start: npt.NDArray[np.intp], end: npt.NDArray[np.intp], dtype: str = "int32",
) -> npt.NDArray[np.int32]:  # fmt: skip
    """Sum over [start, end) of each row; of a mask the number of set days."""
    total = np.zeros((len(values), values.shape[1] + 1), dtype=dtype)
    np.cumsum(values, axis=1, out=total[:, 1:])
    return np.asarray(total[rows, end] - total[rows, start])
