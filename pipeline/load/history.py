"""From rows to grids: each series on its local clock, events and windows as of a business date.

Whatever is odd about the rows becomes a finding, and the fallback is stated in its sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from pipeline.core.load.events import Occurrence, launch_visits, orders_until_sold_out
from pipeline.errors import UsageError

LONGEST_EVENT_DAYS = 31
BURST_MINUTES = 1440
"""How long a launch's burst is felt, and kept out of learning."""
HORIZON_TIMES_HISTORY, LEAST_HORIZON_DAYS = 3, 28
HOLIDAY = "holiday"


@dataclass(frozen=True)
class Finding:
    """A row of load_findings that comes from the input, not from the fit."""

    series: str
    kind: str
    start: pd.Timestamp
    end: pd.Timestamp
    sentence: str
    is_excluded: bool = False


@dataclass
class SeriesInput:
    """One series up to a business date, ready for `core.load.forecast`."""

    name: str
    region: str
    load: np.ndarray
    """[days, slots], nan where nothing was measured."""
    first_day: np.datetime64
    minutes: int
    holiday: tuple[str, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    event_names: tuple[str, ...] = ()
    analog: tuple[tuple[str, str], ...] = ()
    excluded: tuple[tuple[int, int], ...] = ()
    accepted: tuple[tuple[int, int], ...] = ()
    horizon_days: int = 0
    bursts: np.ndarray | None = None
    """[horizon, slots] load that launches to come bring on top; None without launches."""
    repeats: np.ndarray | None = None
    """[horizon, slots] how often the local clock shows a slot: 0, 1 or 2; None: always once."""
    findings: list[Finding] = field(default_factory=list)

    def time_of(self, slot: int) -> pd.Timestamp:
        """Local start of a slot of the history or horizon."""
        return pd.Timestamp(self.first_day) + pd.Timedelta(minutes=slot * self.minutes)


def series_inputs(
    tables: dict[str, pd.DataFrame], as_of: date, horizon_days: int
) -> list[SeriesInput]:
    """Every series with what is known of it at the end of `as_of`, by name."""
    rows = tables["load_series"]
    found = []
    for name, own in rows.groupby(rows["series"].astype("str"), sort=True):
        one = _grid(str(name), own, as_of)
        if one is None:
            continue
        n = len(one.load)
        most = max(HORIZON_TIMES_HISTORY * n, LEAST_HORIZON_DAYS)
        one.horizon_days = min(horizon_days, most)
        if one.horizon_days < horizon_days:
            _note(one, "short_history", 0, n, f"{n} days of history carry a forecast of "
                  f"{one.horizon_days} days, not the {horizon_days} asked for.")  # fmt: skip
        _add_events(one, tables["load_events"], as_of)
        _add_windows(one, tables["load_windows"])
        _add_launches(one, tables["load_launches"], as_of)
        one.repeats = _repeats(one, str(own["time_zone"].iloc[0]))
        found.append(one)
    return found


def _grid(name: str, rows: pd.DataFrame, as_of: date) -> SeriesInput | None:
    lengths = rows["slot_minutes"].unique()
    minutes = int(lengths[0])
    if len(lengths) > 1 or (minutes != 10080 and 1440 % minutes):
        raise UsageError(
            f"load_series of {name}: slot_minutes must be one value that divides 1440, or 10080; "
            f"found {sorted(int(m) for m in lengths)}. Next: bring the series to one interval."
        )
    local = _local(name, rows)
    keep = (local < pd.Timestamp(as_of) + pd.Timedelta(days=1)).to_numpy()
    if not keep.any():
        return None
    local, load = local[keep], rows["load"].to_numpy(dtype="float64")[keep]
    negative = load < 0
    load = np.where(negative, np.nan, load)
    twice = local.duplicated().to_numpy()
    value = pd.Series(load).groupby(local.to_numpy()).mean()
    first = local.min().normalize()
    if minutes == 10080:  # a week is seven equal days: nothing is known of its inside
        days = value.reindex(pd.date_range(value.index[0], periods=7 * len(value)))
        value, minutes = days.ffill(limit=6) / 7, 1440
    slots = 1440 // minutes
    n = (pd.Timestamp(as_of) - first).days + 1
    grid = np.full(n * slots, np.nan)
    at = ((value.index - first) / pd.Timedelta(minutes=minutes)).astype("int64").to_numpy()
    inside = (at >= 0) & (at < len(grid))
    grid[at[inside]] = value.to_numpy()[inside]
    one = SeriesInput(name, str(rows["region_id"].iloc[0]), grid.reshape(n, slots),
                      np.datetime64(first, "D"), minutes)  # fmt: skip
    _describe(one, int(negative.sum()), int(twice.sum()))
    return one


def _local(name: str, rows: pd.DataFrame) -> pd.Series:
    zone = str(rows["time_zone"].iloc[0])
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"load_series of {name}: no time zone {zone!r}. Next: give an IANA name "
                         "such as Europe/Paris, or UTC.") from error  # fmt: skip
    return rows["start_utc"].dt.tz_localize("UTC").dt.tz_convert(known).dt.tz_localize(None)


def _describe(one: SeriesInput, negative: int, twice: int) -> None:
    n = len(one.load)
    missing = float(np.isnan(one.load).mean())
    if negative:
        _note(one, "negative_load", 0, n, f"{negative} negative loads are taken for missing.")
    if missing > 0.001:
        _note(one, "missing_load", 0, n, f"{missing:.1%} of the intervals are missing; they are "
              "filled from the day's shape and not learned from.")  # fmt: skip
    if twice:
        _note(one, "clock_change", 0, n, f"{twice} intervals come twice on the local clock; "
              "they are averaged, so that every day has 24 hours.")  # fmt: skip
    if not np.nansum(one.load) > 0:
        _note(one, "all_zero", 0, n, "The series is all zeros: so is its forecast.")


def _note(one: SeriesInput, kind: str, first_day: int, last_day: int, sentence: str) -> None:
    slots = one.load.shape[1]
    one.findings.append(Finding(one.name, kind, one.time_of(first_day * slots),
                                one.time_of(last_day * slots), sentence))  # fmt: skip


def _add_events(one: SeriesInput, events: pd.DataFrame, as_of: date) -> None:
    """Events of the series' region announced by as_of; holidays become properties of days."""
    region = events["region_id"].astype("str")
    known = events[(region == one.region) | (region == "*")]
    known = known[known["announced_date"] <= pd.Timestamp(as_of)]
    days = len(one.load) + one.horizon_days
    holiday = [""] * days
    occurrences: list[Occurrence] = []
    names: list[str] = []
    analog: dict[str, str] = {}
    for row in known.sort_values(["start_time", "load_event"]).to_dict("records"):
        name, kind = str(row["load_event"]), str(row["load_event_kind"])
        start, end = pd.Timestamp(row["start_time"]), pd.Timestamp(row["end_time"])
        if end <= start or (end - start).days > LONGEST_EVENT_DAYS:
            one.findings.append(Finding(one.name, "event_too_long", start, end, f"{name} lasts "
                                f"{(end - start).days} days; events of no length or of more than "
                                f"{LONGEST_EVENT_DAYS} days are left out."))  # fmt: skip
            continue
        if pd.Timestamp(row["announced_date"]) > start:
            late = f"{name} was announced after it began; plans know it only since then."
            one.findings.append(Finding(one.name, "event_announced_late", start, end, late))
        since = (start - pd.Timestamp(one.first_day)) / pd.Timedelta(minutes=1)
        until = (end - pd.Timestamp(one.first_day)) / pd.Timedelta(minutes=1)
        if kind == HOLIDAY:
            for day in range(max(0, int(since // 1440)), min(days, int(-(-until // 1440)))):
                holiday[day] = name.rstrip("0123456789 -_") or name
            continue
        if occurrences and since < occurrences[-1].end and occurrences[-1].kind == kind:
            one.findings.append(Finding(one.name, "event_overlap", start, end, f"{name} overlaps "
                                f"{names[-1]}: both effects are added."))  # fmt: skip
        ratio = row["expected_ratio"]
        amplitude = 1.0 if pd.isna(ratio) else float(np.log(max(float(ratio), 1.01)))
        occurrences.append(Occurrence(kind, float(since), float(until), amplitude))
        names.append(name)
        if not pd.isna(row["analog_kind"]):
            analog[kind] = str(row["analog_kind"])
    one.holiday, one.analog = tuple(holiday), tuple(sorted(analog.items()))
    one.occurrences, one.event_names = tuple(occurrences), tuple(names)


def _add_windows(one: SeriesInput, windows: pd.DataFrame) -> None:
    own = windows[windows["series"].astype("str") == one.name]
    spans: dict[str, list[tuple[int, int]]] = {"exclude": [], "accept": []}
    for row in own.to_dict("records"):
        step = pd.Timedelta(minutes=one.minutes)
        first = int((pd.Timestamp(row["start_time"]) - pd.Timestamp(one.first_day)) // step)
        last = int(-(-(pd.Timestamp(row["end_time"]) - pd.Timestamp(one.first_day)) // step))
        action = str(row["window_action"])
        spans[action].append((first, last))
        one.findings.append(Finding(one.name, f"{action}ed_by_planner".replace("eed", "ed"),
                            pd.Timestamp(row["start_time"]), pd.Timestamp(row["end_time"]),
                            f"{row['planner']}: {row['why']}", action == "exclude"))  # fmt: skip
    one.excluded, one.accepted = tuple(spans["exclude"]), tuple(spans["accept"])


def _add_launches(one: SeriesInput, launches: pd.DataFrame, as_of: date) -> None:
    """Bursts of the horizon, minute by minute; those of the past are not learned from."""
    own = launches[launches["series"].astype("str") == one.name]
    own = own[own["announced_date"] <= pd.Timestamp(as_of)]
    if own.empty:
        return
    days, slots = len(one.load), one.load.shape[1]
    minutes = np.zeros((days + one.horizon_days) * 1440)
    past: list[tuple[int, int]] = []
    for row in own.sort_values(["start_time", "launch"], kind="stable").to_dict("records"):
        start = pd.Timestamp(row["start_time"])
        first = int((start - pd.Timestamp(one.first_day)) // pd.Timedelta(minutes=1))
        if first < 0 or first >= len(minutes):
            continue
        if first < days * 1440:
            past.append((first // one.minutes, -(-(first + BURST_MINUTES) // one.minutes)))
        length = min(BURST_MINUTES, len(minutes) - first)
        burst = launch_visits(
            np.arange(length, dtype=np.float64) + 0.5, float(row["launch_visitors"])
        )
        known, units = row["launch_conversion"], row["launch_stock_units"]
        share = 1.0 if pd.isna(known) else float(known)
        stock = np.inf if pd.isna(units) else float(units)
        minutes[first : first + length] += orders_until_sold_out(burst, share, stock)
        gone = np.flatnonzero(np.cumsum(share * burst) >= stock)
        if len(gone):
            end = start + pd.Timedelta(minutes=int(gone[0]) + 1)
            one.findings.append(Finding(one.name, "sells_out", start, end, f"{row['launch']}: "
                                f"{stock:,.0f} units are sold {int(gone[0]) + 1} minutes "
                                "after it begins."))  # fmt: skip
    coming = minutes[days * 1440 :].reshape(one.horizon_days, slots, one.minutes)
    one.bursts, one.excluded = coming.sum(axis=2), (*one.excluded, *past)


def _repeats(one: SeriesInput, zone: str) -> np.ndarray | None:
    """How often each local slot of the horizon comes: clock changes skip some and repeat some."""
    slots = one.load.shape[1]
    first = pd.Timestamp(one.first_day) + pd.Timedelta(days=len(one.load))
    if slots < 24 or one.horizon_days == 0:
        return None
    edges = pd.DatetimeIndex([first, first + pd.Timedelta(days=one.horizon_days)])
    edges = edges.tz_localize(zone, nonexistent="shift_forward", ambiguous=True)
    real = pd.date_range(edges[0], edges[1], freq=f"{one.minutes}min", inclusive="left")
    at = ((real.tz_localize(None) - first) // pd.Timedelta(minutes=one.minutes)).to_numpy()
    count = np.bincount(at, minlength=one.horizon_days * slots)
    return None if (count == 1).all() else count.reshape(one.horizon_days, slots)
