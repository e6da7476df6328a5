"""Days of the past that hold a part of their sales only: an export that broke off, not low demand.

A day far below every like day before and after it is neither zero nor a fall of demand: it is not
known. It is left out of what is learned, like a day without any sale, and told.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ingest.findings import Finding

Bools = npt.NDArray[np.bool_]
_WEEKS, _LEAST_WEEKS = 8, 4
_LEAST_UNITS = 30
"""A region that usually sells fewer units on a weekday says nothing by one day."""
_SPREADS = 4.0


def cut_days(
    sold: npt.NDArray[np.int64], known: Bools, days: pd.DatetimeIndex, share: float
) -> Bools:
    """Days [regions, days] on which too little was sold to be a whole day.

    sold: units [regions, days]; known: days that may be judged (open, reported, without an event).
    A day is held against its weekday in the eight weeks before and after. It is cut where it sold
    less than `share` of the lower quartile of those, and lies further below it than four of their
    spreads on the logarithm, (q75 - q25) / 1.35: an irregular business has irregular days.
    """
    cut = np.zeros(sold.shape, dtype=bool)
    if share <= 0:
        return cut
    level = np.where(known, np.log1p(sold.astype(np.float64)), np.nan)
    weekday = np.asarray(days.day_of_week)
    for w in range(7):
        at = np.flatnonzero(weekday == w)
        own = level[:, at]
        low, high, count = _beside(own)
        spread = (high - low) / 1.35
        below = np.minimum(np.log(share), -_SPREADS * spread)
        usual = (count >= _LEAST_WEEKS) & (low >= np.log1p(_LEAST_UNITS))
        cut[:, at] = usual & (own < low + below)
    return cut


def _beside(
    own: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Lower and upper quartile of the neighbors of each week [regions, weeks], and their number."""
    weeks = own.shape[1]
    padded = np.pad(own, ((0, 0), (_WEEKS, _WEEKS)), constant_values=np.nan)
    shifts = [k for k in range(2 * _WEEKS + 1) if k != _WEEKS]
    others = np.stack([padded[:, k : k + weeks] for k in shifts])
    others.sort(axis=0)  # what is not known comes last
    count = np.isfinite(others).sum(axis=0)

    last = np.maximum(count - 1, 0)
    low, high = (
        np.take_along_axis(others, place.astype(np.int64)[None], axis=0)[0]
        for place in (np.floor(0.25 * last), np.ceil(0.75 * last))
    )
    return low, high, count


def without_events(
    known: Bools, calendar: pd.DataFrame | None, regions: pd.Index, days: pd.DatetimeIndex
) -> Bools:
    """`known` without days of an event in a region: what is named may be low."""
    if calendar is None or calendar.empty:
        return known
    region = regions.get_indexer(calendar["region_id"].astype("str"))
    day = days.get_indexer(pd.DatetimeIndex(calendar["date"]))
    inside = (region >= 0) & (day >= 0)
    found = known.copy()
    found[region[inside], day[inside]] = False
    return found


def cut_finding(
    cut: Bools, sold: npt.NDArray[np.int64], regions: pd.Index, days: pd.DatetimeIndex
) -> list[Finding]:
    """One finding that names the newest of the days."""
    if not cut.any():
        return []
    which = np.flatnonzero(cut.any(axis=0))
    named = [f"{days[d]:%Y-%m-%d}" for d in which[-5:]]
    places = np.flatnonzero(cut.any(axis=1))
    where = f"{regions[places[0]]} and {len(places) - 1} more regions" if len(places) > 1 else str(
        regions[places[0]])  # fmt: skip
    return [Finding(
        "sales", 0, "units", f"{where} sold far less on {len(which)} day(s) than on every such "
        f"weekday: {int(sold[cut].sum()):,} units",
        ("…, " if len(which) > 5 else "") + ", ".join(named),
        "Taken for exports that broke off: not known, not low demand. Export them again; name an "
        "event in calendar, or lower ingest.cut_day_share, where so little was sold.", "warning",
    )]  # fmt: skip
