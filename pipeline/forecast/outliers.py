"""Days and weeks that do not fit: spikes are kept out of learning, breaks of level are listed.

A spike is a day above `SPIKE_RATIO` times the peak of the 112 days before it (and above
`SPIKE_UNITS`): a bulk order, a keying error. Three of them within a fortnight are no accident but
a new level, and count as demand; so do three that come at like intervals, in like amounts: an order
that recurs. A break is four weeks of demand outside the 99 % interval of the
forecast made before them by trees that had not seen them.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.forecast.panel import F32, F64
from pipeline.kernels import njit

SPIKE_RATIO = 5.0
SPIKE_UNITS = 20.0
_LOOK_BACK_DAYS = 112
_LEAST_DAYS = 56
_FORTNIGHT = 14
_ALIKE, _RECUR_DAYS = 1.5, 364
"""Most that intervals of an order that recurs, and its amounts, differ by; days of the three."""


def find_spikes(demand: F32, planned: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
    """Spikes (series, days) of daily demand, judged by earlier days and the fortnight around.

    What happens on a `planned` day (series, days), an event of the calendar, is no accident.
    """
    spikes = np.zeros(demand.shape, bool)
    _mark(demand, np.zeros(demand.shape, bool) if planned is None else planned, spikes)
    return spikes


@njit(cache=True)
def _mark(demand, planned, spikes):  # type: ignore[no-untyped-def]  # numba kernel
    for i in range(demand.shape[0]):
        recent = np.full(3, -1000)
        for d in range(demand.shape[1]):
            units = demand[i, d]
            if planned[i, d] or not units > SPIKE_UNITS:
                continue
            peak, seen = 0.0, 0
            for before in range(max(0, d - _LOOK_BACK_DAYS), d):
                if not np.isnan(demand[i, before]):
                    seen += 1
                    if not spikes[i, before] and not planned[i, before]:
                        peak = max(peak, demand[i, before])
            if seen < _LEAST_DAYS or units <= SPIKE_RATIO * peak:
                continue
            spikes[i, d] = True
            recent[:2] = recent[1:]
            recent[2] = d
            if d - recent[0] < _FORTNIGHT or (recent[0] >= 0 and _recurs(demand[i], recent)):
                for day in recent:
                    spikes[i, day] = False


@njit(cache=True)
def _recurs(demand, recent):  # type: ignore[no-untyped-def]  # numba kernel
    """Whether three spikes come at like intervals and in like amounts."""
    first, second = recent[1] - recent[0], recent[2] - recent[1]
    units = demand[recent]
    return (
        first + second <= _RECUR_DAYS
        and max(first, second) <= _ALIKE * min(first, second)
        and units.max() <= _ALIKE * units.min()
    )


def findings(
    as_of: date,
    keys: pd.DataFrame,
    spikes: npt.NDArray[np.bool_],
    demand: F32,
    listed_days: int,
) -> pd.DataFrame:
    """Spikes of the last `listed_days` as rows of demand_findings; `keys` are the series'."""
    recent = spikes.copy()
    recent[:, : max(0, spikes.shape[1] - listed_days)] = False
    series, day = np.nonzero(recent)
    places = zip(series, day, strict=True)
    usual = np.array([_median(demand[i, max(0, d - 56) : d]) for i, d in places])
    found = keys.iloc[series].reset_index(drop=True)
    back = spikes.shape[1] - 1 - day
    found["finding_date"] = pd.Timestamp(as_of) - pd.to_timedelta(back, unit="D")
    found["finding"] = "spike"
    found["observed_units"] = demand[series, day].astype(float)
    found["usual_units"] = usual.astype(float)
    return found


def _median(values: F32) -> float:
    seen = values[np.isfinite(values)]
    return float(np.median(seen)) if len(seen) else 0.0


def breaks(
    origin: date, keys: pd.DataFrame, units: F64, mean: F64, low: F64, high: F64
) -> pd.DataFrame:
    """Windows outside their interval as rows of demand_findings, dated by the day they began."""
    outside = (units < low) | (units > high)
    found = keys[outside].reset_index(drop=True)
    found["finding_date"] = pd.Timestamp(origin) + pd.Timedelta(days=1)
    found["finding"] = np.where(units > high, "level_up", "level_down")[outside]
    found["observed_units"] = units[outside]
    found["usual_units"] = mean[outside]
    return found
