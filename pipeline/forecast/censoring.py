"""Demand behind the sales of days on which an item was known not to be in stock all day.

A day out of stock all day says nothing: it is taken as not observed, never as zero. On a day in
stock for a share s, the sales are demand of that share; the rest of the day, which nobody saw, is
filled with its expectation (1 − s) · m, where m is the series' recent daily demand (the remaining
arrivals of a Poisson process do not depend on the ones that emptied the shelf).

A suspected stock-out (an improbable run of days without sales, no word of the stock) stays at zero
here, since that is all anybody knew at the time: on M5, items in such a run sell in the next four
weeks about a quarter of what they sold before it. Those days describe, but they never teach: see
`Panel.observed`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.forecast.panel import F32
from pipeline.kernels import njit

_DECAY = 0.5 ** (1.0 / 21.0)


def demand_behind(units: F32, in_stock_share: F32, is_censored: npt.NDArray[np.bool_]) -> F32:
    """Demand (series, days) in units, NaN where nothing can be said; reads no later day."""
    out = units.astype(np.float32)
    _fill(out, in_stock_share, is_censored)
    return out


@njit(cache=True)
def _fill(demand, share, is_censored):  # type: ignore[no-untyped-def]  # numba kernel
    for i in range(demand.shape[0]):
        units, weight = 0.0, 0.0
        for d in range(demand.shape[1]):
            if np.isnan(demand[i, d]):
                continue
            if is_censored[i, d]:
                seen = share[i, d]
                if seen <= 0.0:
                    demand[i, d] = np.nan
                    continue
                rate = units / weight if weight > 0.0 else demand[i, d] / seen
                demand[i, d] += (1.0 - seen) * rate
            units = units * _DECAY + demand[i, d]
            weight = weight * _DECAY + 1.0
