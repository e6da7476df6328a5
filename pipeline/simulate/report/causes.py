"""Why sales were lost: for each item and day with lost units, the first cause that holds.

1. late_vendor: units were overdue, that is promised for that day or before and not there.
2. capacity: within four weeks a vendor's capacity, or a lane's, kept units back.
3. placement: units were on hand, in nodes from which these customers are not served.
4. forecast: four weeks' demand was above what the nights' forecasts let expect, by more than chance
   (1.64 standard deviations of a Poisson count).
5. policy: none of these; it was not ordered, too little, too late, or not carried at all.

What is lost at the start, before orders of the run can arrive, is counted alike for all policies.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.simulate.world.supply import Ints

Floats = NDArray[np.float64]
CAUSES = ("late_vendor", "capacity", "placement", "forecast", "policy")
_WINDOW_DAYS = 28
_SURE = 1.64


def causes(overdue: Ints, kept_back: Ints, left: Ints, asked: Ints, expected: Floats) -> Ints:
    """[days, items] place in CAUSES that a loss on the day has.

    All [days, items]: units overdue in the morning; units that capacities kept back; units on hand
    at the end of the day; units asked for; units that the night's forecast expected, NaN where a
    policy has none.
    """
    rules = (
        overdue > 0, _over_weeks(kept_back.astype(float)) > 0, left > 0,
        _is_surprise(asked, expected),
    )  # fmt: skip
    return np.select(rules, range(len(rules)), len(rules)).astype(np.int64)


def loss_rows(lost: Ints, lost_usd: Floats, cause: Ints, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Lost units and their price by day and cause, where there are any."""
    frame = pd.DataFrame({
        "date": np.repeat(days, lost.shape[1]), "loss_cause": np.array(CAUSES)[cause.ravel()],
        "lost_units": lost.ravel(), "lost_usd": lost_usd.ravel(),
    })  # fmt: skip
    frame = frame[frame["lost_units"] > 0]
    return frame.groupby(["date", "loss_cause"], as_index=False)[["lost_units", "lost_usd"]].sum()


def _is_surprise(asked: Ints, expected: Floats) -> NDArray[np.bool_]:
    is_told = np.isfinite(expected)
    mean = _over_weeks(np.where(is_told, expected, 0.0))
    found = _over_weeks(np.where(is_told, asked, 0).astype(float))
    return np.asarray((mean > 0) & (found > mean + _SURE * np.sqrt(mean)))


def _over_weeks(values: Floats) -> Floats:
    """[days, items] sum of the window that ends with the day."""
    sums = np.cumsum(values, axis=0)
    sums[_WINDOW_DAYS:] -= np.cumsum(values, axis=0)[:-_WINDOW_DAYS]
    return sums
