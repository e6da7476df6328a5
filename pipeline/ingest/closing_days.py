"""Days on which a region sells nothing because it is closed: declared, or learned and said.

A closing day is neither zero demand nor a missing record. It is left out of daily_demand, and the
forecast of later ones is nothing. Learned are weekdays: a run of one weekday without a sale in a
region, too long to be chance beside what the other weekdays sell; and annual events on which the
region never sold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.columns import WEEKDAYS
from pipeline.ingest.findings import Finding

Bools = npt.NDArray[np.bool_]
_CHANCE, _EVENT_CHANCE = 1e-6, 1e-2
_LEAST_WEEKS = 4
AHEAD_DAYS = 400
"""Days after as_of for which closing days are published."""


@dataclass(frozen=True)
class OpeningDays:
    """Closing days [regions, days] of the past and of the AHEAD_DAYS after it, and what to say."""

    past: Bools
    coming: Bools
    findings: list[Finding]


def coming_days(as_of: pd.Timestamp) -> pd.DatetimeIndex:
    """The days after `as_of` for which closing days are known."""
    return pd.date_range(as_of + pd.Timedelta(days=1), periods=AHEAD_DAYS)


def opening_days(
    tables: Mapping[str, pd.DataFrame], regions: pd.Index, days: pd.DatetimeIndex, is_daily: bool
) -> OpeningDays:
    """Closing days declared in `closures`, and, where sales are reported by day, learned."""
    ahead = coming_days(days[-1])
    closures = tables.get("closures")
    past, coming = (np.zeros((len(regions), len(span)), bool) for span in (days, ahead))
    if closures is not None:
        past, coming = (declared(closures, "region_id", regions, span) for span in (days, ahead))
    if not is_daily or tables["sales"].empty:
        return OpeningDays(past, coming, [])
    sold = _sold(tables["sales"], regions, days)
    # Declared days are known: they neither teach weekdays nor stand against them.
    weekdays, now = learned_weekdays(sold, days, past)
    calendar = tables.get("calendar", pd.DataFrame(columns=["event_name"]))
    event_past, event_coming, names = learned_events(
        sold, days, calendar, regions, ahead, past | weekdays
    )
    findings = weekday_findings(now, weekdays, regions)
    if names:
        findings.append(Finding(
            "sales", 0, "date", "nothing is sold on some events: taken for closing days",
            ", ".join(names[:5]), "Declare them in closures to settle it.", "warning",
        ))  # fmt: skip
    kept = now[:, np.asarray(ahead.day_of_week)]
    return OpeningDays(past | weekdays | event_past, coming | kept | event_coming, findings)


def _sold(sales: pd.DataFrame, regions: pd.Index, days: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
    """Units [regions, days] of the history."""
    day = (sales["date"] - days[0]).dt.days.to_numpy()
    region = regions.get_indexer(sales["region_id"].astype("str"))
    inside = (day >= 0) & (day < len(days)) & (region >= 0)
    sold = np.zeros((len(regions), len(days)), dtype=np.int64)
    np.add.at(sold, (region[inside], day[inside]), sales["units"].to_numpy(np.int64)[inside])
    return sold


def declared(
    closures: pd.DataFrame, column: str, names: Iterable[str], days: pd.DatetimeIndex
) -> Bools:
    """Days [names, days] that rows of `closures` close for the ids of `column` (region_id, …).

    A row that names neither region, node nor vendor closes all regions.
    """
    names = list(names)
    closed = np.zeros((len(names), len(days)), dtype=bool)
    weekday = np.asarray(days.day_of_week)
    rows = closures
    named = rows[["region_id", "node_id", "vendor_id"]].notna()
    mine = rows[column].notna() | (~named.any(axis=1) & (column == "region_id"))
    for row in rows[mine].itertuples():
        name = getattr(row, column)
        which = np.array([pd.isna(name) or other == str(name) for other in names], dtype=bool)
        when = np.ones(len(days), dtype=bool)
        if not pd.isna(row.start_date):
            when &= np.asarray(days >= row.start_date)
        if not pd.isna(row.expiry_date):
            when &= np.asarray(days <= row.expiry_date)
        if not pd.isna(row.weekday):
            when &= weekday == WEEKDAYS.index(str(row.weekday))
        closed[np.ix_(which, when)] = True
    return closed


def learned_weekdays(
    sold: npt.NDArray[np.int64], days: pd.DatetimeIndex, known: Bools
) -> tuple[Bools, Bools]:
    """Closed days [regions, days] by weekday, and the weekdays [regions, 7] closed to this day.

    sold: units [regions, days]; known: days declared as closed, which are not judged. With p the
    share of a region's days of the other weekdays without a sale, (zeros + 1) / (days + 2), a run
    of n same weekdays without one is a closing day where n >= 4 and p^(n - 1) < 1e-6.
    """
    closed = np.zeros(sold.shape, dtype=bool)
    now = np.zeros((len(sold), 7), dtype=bool)
    weekday = np.asarray(days.day_of_week)
    for r, units in enumerate(sold):
        for w in range(7):
            at = np.flatnonzero((weekday == w) & ~known[r])
            for start, end in _runs(units[at] == 0):
                run = at[start:end]
                if len(run) < _LEAST_WEEKS:
                    continue
                # Only the weeks of the run tell what the other days sell meanwhile.
                inside = slice(max(int(run[0]) - 6, 0), int(run[-1]) + 7)
                trading = _is_trading(units[inside], weekday[inside]) & ~known[r, inside]
                others = units[inside][trading]
                empty = (np.sum(others == 0) + 1) / (len(others) + 2)
                if len(others) and empty ** (len(run) - 1) < _CHANCE:
                    closed[r, run] = True
                    now[r, w] |= end == len(at)
    return closed, now


def _is_trading(units: npt.NDArray[np.int64], weekday: npt.NDArray[np.int64]) -> Bools:
    """Days of weekdays on which anything was ever sold: closed Sundays say nothing of Saturdays."""
    sells = np.array([(units[weekday == w] > 0).any() for w in range(7)])
    return np.asarray(sells[weekday])


def _runs(mask: Bools) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def learned_events(
    sold: npt.NDArray[np.int64], days: pd.DatetimeIndex, calendar: pd.DataFrame,
    regions: pd.Index, ahead: pd.DatetimeIndex, closed: Bools,
) -> tuple[Bools, Bools, list[str]]:  # fmt: skip
    """Days [regions, days] and [regions, ahead] of events on which a region never sold anything
    while it sold on nearly all its other days; and the events' names.

    closed: days that are closed anyway; they neither count for nor against an event.
    """
    past, coming = np.zeros(sold.shape, bool), np.zeros((len(sold), len(ahead)), bool)
    names: list[str] = []
    if calendar.empty:
        return past, coming, names
    place = regions.get_indexer(calendar["region_id"].astype("str"))
    dates = pd.DatetimeIndex(calendar["date"])
    day, later = days.get_indexer(dates), ahead.get_indexer(dates)
    code, events = pd.factorize(calendar["event_name"].astype("str"), sort=True)
    order = np.lexsort([place, code])
    ends = np.flatnonzero((np.diff(code[order]) != 0) | (np.diff(place[order]) != 0)) + 1
    for own in np.split(order, ends):  # an event in a region
        r, at = place[own[0]], day[own]
        if r < 0:
            continue
        at = at[(at >= 0) & ~closed[r, at]]
        if (sold[r, at] != 0).any():
            continue
        others = np.delete(sold[r], at)[~np.delete(closed[r], at)]
        empty = (np.sum(others == 0) + 1) / (len(others) + 2)
        if empty ** len(at) < _EVENT_CHANCE:
            past[r, at] = True
            coming[r, later[own][later[own] >= 0]] = True
            names.append(str(events[code[own[0]]]))
    return past, coming, sorted(set(names))


def weekday_findings(now: Bools, closed: Bools, regions: pd.Index) -> list[Finding]:
    """One finding for each set of weekdays learned, with the regions that keep it."""
    groups: dict[tuple[int, ...], list[str]] = {}
    days: dict[tuple[int, ...], int] = {}
    for r, name in enumerate(regions):
        if closed[r].any():
            kept = tuple(np.flatnonzero(now[r]).tolist())
            groups.setdefault(kept, []).append(str(name))
            days[kept] = days.get(kept, 0) + int(closed[r].sum())
    found = []
    for kept, names in groups.items():
        which = ", ".join(WEEKDAYS[w] for w in kept) or "weekdays of the past"
        where = f"{names[0]} and {len(names) - 1} more regions" if len(names) > 1 else names[0]
        found.append(Finding(
            "sales", 0, "date", f"{where} sells nothing on {which}: taken for closing days",
            f"{days[kept]} days", "Left out of demand, nothing is expected on them; declare them "
            "in closures to settle it.", "warning",
        ))  # fmt: skip
    return found


def calendar_rows(
    closed: Mapping[str, npt.NDArray[np.datetime64]],
    ends: Mapping[str, npt.NDArray[np.datetime64]],
    unknown: Mapping[str, npt.NDArray[np.datetime64]],
) -> pd.DataFrame:
    """Table demand_calendar from the closed days of each region, the ends of its periods, and the
    past days of which its sales are not known."""
    parts = [
        pd.DataFrame({"region_id": name, "date": dates.astype("datetime64[s]"), "day_kind": kind})
        for kind, found in (("closed", closed), ("period_end", ends), ("unknown", unknown))
        for name, dates in found.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values(["region_id", "date", "day_kind"], ignore_index=True)
