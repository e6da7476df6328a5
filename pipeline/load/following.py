"""What reads and writes the store outside a stage: following an event, a game day's result."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.contracts.check import require
from pipeline.contracts.tables import TABLES
from pipeline.core.load.nowcast import fit_tracker
from pipeline.errors import UsageError
from pipeline.load.history import SeriesInput, series_inputs
from pipeline.load.inputs import read_inputs
from pipeline.load.track import Tracked, nowcast_frame, track
from pipeline.load.tracking_page import tracking_page
from pipeline.store import Store


def follow(
    store: Store, raw_dir: Path, series: str, event: str, as_of: date, capacity: float,
    every: int = 1,
) -> list[Tracked]:  # fmt: skip
    """Track an event against the plan of `as_of`, with the rows that load_series holds by now.

    Publishes load_nowcast and a page under the plan's business date.
    Raises UsageError for an unknown series or
    event, and where the plan does not tell the event by the interval.
    """
    tables = read_inputs(raw_dir)
    events = tables["load_events"]
    named = events[events["load_event"].astype("str") == event]
    if named.empty:
        raise UsageError(f"no event {event!r} in load_events. Next: name one of its load_event.")
    start, end = named["start_time"].iloc[0], named["end_time"].iloc[0]
    plan = store.read(as_of, "load_forecast")
    own = plan[(plan["series"].astype("str") == series)
               & (plan["load_grain"].astype("str") == "minute")]  # fmt: skip
    own = own[(own["start_time"] >= start) & (own["start_time"] < end)]
    own = own.sort_values("start_time", kind="stable")
    if own.empty:
        raise UsageError(
            f"the plan of {as_of} does not tell {series} by the interval during {event}. "
            "Next: take a plan of the days before it, or raise load.minute_horizon_days."
        )
    forecast = own.set_index("start_time")["expected_load"]
    past = _input(tables, series, as_of)
    actual = _actual(_input(tables, series, end.date()), forecast)
    tracker = fit_tracker(_past_ratios(past))
    frame = nowcast_frame(series, actual, forecast, tracker)
    lineage = {"stage": "load_track", "code_version": "", "settings_sha256": "", "inputs": {}}
    store.publish(as_of, "load_nowcast", require(frame, TABLES["load_nowcast"]), lineage)
    random = np.random.Generator(np.random.PCG64(as_of.toordinal()))
    noise = random.normal(0.0, np.sqrt(tracker.observation_variance), (200, len(forecast)))
    paths = forecast.to_numpy(dtype="float64") * np.exp(noise)
    steps = track(actual, forecast, tracker, capacity, every, paths)
    if not steps:
        raise UsageError(f"fewer than {every} intervals have come. Next: lower --every.")
    page = tracking_page(series, event, forecast, frame, steps, capacity)
    store.publish_files(as_of, "load_tracking", {"report.html": page.encode()}, lineage)
    return steps


def publish_result(store: Store, as_of: date, result: pd.DataFrame) -> None:
    """Publish a game day's rows of gameday_result under its business date."""
    lineage = {"stage": "game_day", "code_version": "", "settings_sha256": "", "inputs": {}}
    store.publish(as_of, "gameday_result", require(result, TABLES["gameday_result"]), lineage)


def write_throughput(
    raw_dir: Path, service: str, servers: float, per_second: float, as_of: date
) -> Path:
    """Add a game day's measurement to service_throughput of the raw folder; the next plan uses it.

    servers: standard servers that the service stood on. A measurement of the same day is replaced.
    Raises UsageError for an unknown service, for no servers, and for nothing measured.
    """
    tables = read_inputs(raw_dir)
    known = sorted(tables["load_services"]["service"].astype("str"))
    if service not in known:
        raise UsageError(f"no service {service!r} in load_services. Next: name one of "
                         f"{', '.join(known) or 'none there'}.")  # fmt: skip
    if servers <= 0 or per_second <= 0:
        raise UsageError("nothing was measured: a minute must pass before a step saturates, on at "
                         "least one server. Next: begin with a smaller --share.")  # fmt: skip
    old = tables["service_throughput"].astype({"service": "str"})
    again = (old["service"] == service) & (old["measured_date"] == pd.Timestamp(as_of))
    row = pd.DataFrame([(service, pd.Timestamp(as_of), per_second / servers)], columns=old.columns)
    rows = pd.concat([old[~again], row]) if len(old[~again]) else row
    path = raw_dir / "service_throughput.csv"
    (raw_dir / "service_throughput.parquet").unlink(missing_ok=True)
    fresh = path.with_suffix(".csv.new")
    rows.sort_values(["service", "measured_date"], kind="stable").to_csv(fresh, index=False)
    fresh.replace(path)
    return path


def _input(tables: dict[str, pd.DataFrame], series: str, as_of: date) -> SeriesInput:
    found = [one for one in series_inputs(tables, as_of, 28) if one.name == series]
    if not found:
        raise UsageError(f"no series {series!r} in load_series up to {as_of}. "
                         "Next: name one of its series.")  # fmt: skip
    return found[0]


def _actual(one: SeriesInput, forecast: pd.Series) -> pd.Series:
    step = pd.Timedelta(minutes=one.minutes)
    slot = ((forecast.index - pd.Timestamp(one.first_day)) // step).to_numpy()
    flat = one.load.ravel()
    slot = slot[slot < len(flat)]
    known = slot[np.isfinite(flat[slot])]
    if not len(known):
        raise UsageError("no row of the event has come yet. Next: wait for the first interval.")
    length = int(known[-1] - slot[0]) + 1
    return pd.Series(flat[slot[:length]], index=forecast.index[:length])


def _past_ratios(one: SeriesInput) -> np.ndarray:
    """Log ratios of past events' slots to the same slots a week before, scaled to each's mean."""
    slots = one.load.shape[1]
    flat = one.load.ravel()
    rows = []
    for past in one.occurrences:
        at = past.slots(one.minutes, len(one.load))
        t = (at + 0.5) * one.minutes
        at = at[(t >= past.start) & (t < past.end) & (at >= 7 * slots)]
        if len(at) < 12:
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(flat[at] / flat[at - 7 * slots])
        ratio = np.where(np.isfinite(ratio), ratio, np.nan)
        rows.append(ratio - np.nanmedian(ratio))
    if not rows:
        return np.full((1, 24), np.nan)
    length = min(len(row) for row in rows)
    return np.stack([row[:length] for row in rows])
