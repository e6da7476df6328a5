"""What vendors promise: the day on which an order should come, by their own calendar.

A quote counts calendar days or the vendor's working days (vendors.lead_time_counts) after the
order's date, not the days of a shutdown (closures between dates), and ends on the next day on which
the vendor delivers (vendors.delivery_weekdays).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ingest.closing_days import declared
from pipeline.order_days import order_weekdays

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
WEEKEND = [5, 6]
_MOST_WAIT_DAYS = 400
"""Days beyond the quote within which a vendor works and delivers again."""


def promised_days(
    orders: pd.DataFrame, tables: Mapping[str, pd.DataFrame], with_shutdowns: bool = True
) -> Ints:
    """[orders] calendar days from the order's date to the day on which its vendor promises it.

    orders: vendor_id, order_date, quoted (lead time as the vendor quotes it, days ≥ 0); tables:
    vendors and closures. with_shutdowns: whether closures between dates delay it, as they do what
    was ordered in the past; tonight's orders meet them in `vendor_days.with_waits`.
    """
    found: Ints = orders["quoted"].to_numpy(np.int64).copy()
    if orders.empty:
        return found
    ids = orders["vendor_id"].astype("str").to_numpy()
    placed = pd.to_datetime(orders["order_date"])
    first = placed.min()
    longest = int((placed.max() - first).days + 3 * found.max() + _MOST_WAIT_DAYS)
    days = pd.date_range(first, periods=longest)
    at: Ints = (placed - first).dt.days.to_numpy(np.int64)
    closures, working = tables.get("closures"), _counting_working_days(tables)
    for vendor in _unlike_others(tables, with_shutdowns):
        rows = np.flatnonzero(ids == vendor)
        shut, off = _away(closures, vendor, days)
        shut &= with_shutdowns
        works = ~(shut | off) if vendor in working else ~shut
        worked = np.cumsum(works)
        due = np.searchsorted(worked, worked[at[rows]] + found[rows])
        delivers = delivery_days(tables, vendor, days) & ~shut
        found[rows] = _next(delivers)[np.minimum(due, longest - 1)] - at[rows]
    return found


def delivery_days(tables: Mapping[str, pd.DataFrame], vendor: str, days: pd.DatetimeIndex) -> Bools:
    """[days] whether the vendor delivers on the weekday; every day where nothing is said."""
    text = _terms(tables, "delivery_weekdays").get(vendor)
    return np.isin(np.asarray(days.day_of_week), order_weekdays(text))


def deliver_on_set_days(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Vendors that name the weekdays on which they deliver, in order."""
    return sorted(_terms(tables, "delivery_weekdays"))


def _counting_working_days(tables: Mapping[str, pd.DataFrame]) -> set[str]:
    terms = _terms(tables, "lead_time_counts")
    return {vendor for vendor, text in terms.items() if str(text) == "working_days"}


def _unlike_others(tables: Mapping[str, pd.DataFrame], with_shutdowns: bool) -> list[str]:
    """Vendors whose promise is not simply the quote, in order."""
    found = {*deliver_on_set_days(tables), *_counting_working_days(tables)}
    closures = tables.get("closures")
    if with_shutdowns and closures is not None:
        dated = closures[closures["weekday"].isna()]
        found |= set(dated["vendor_id"].dropna().astype("str"))
    return sorted(found)


def _terms(tables: Mapping[str, pd.DataFrame], column: str) -> dict[str, object]:
    """What vendors say in a column that may be left out, by vendor; nothing of those who do not."""
    vendors = tables.get("vendors")
    if vendors is None or column not in vendors:
        return {}
    said = vendors[vendors[column].notna()]
    return dict(zip(said["vendor_id"].astype("str"), said[column], strict=True))


def _away(
    closures: pd.DataFrame | None, vendor: str, days: pd.DatetimeIndex
) -> tuple[Bools, Bools]:
    """[days] of a shutdown, and [days] off by the weekday: the weekend where closures name none."""
    weekend = np.isin(np.asarray(days.day_of_week), WEEKEND)
    if closures is None or closures.empty:
        return np.zeros(len(days), dtype=bool), weekend
    weekly = closures["weekday"].notna()
    shut = declared(closures[~weekly], "vendor_id", [vendor], days)[0]
    own = closures[weekly & (closures["vendor_id"].astype("str") == vendor)]
    return shut, declared(own, "vendor_id", [vendor], days)[0] if len(own) else weekend


def _next(is_there: Bools) -> Ints:
    """[days] the first day from each on which it is; the last day where there is none."""
    last = len(is_there) - 1
    places = np.where(is_there, np.arange(last + 1), last)
    return np.minimum.accumulate(places[::-1])[::-1].astype(np.int64)
