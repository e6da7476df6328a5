"""One series' forecast, whole: base curve, findings, events, errors and paths, in that order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.load.anomalies import Window, hindsight_level
from pipeline.core.load.breaks import LevelShift, SlopeBreak, find_breaks, find_shifts
from pipeline.core.load.days import SATURDAY, day_class, level_days
from pipeline.core.load.events import EventEffects, Occurrence, fit_events
from pipeline.core.load.grid import level_and_shape, shares, smooth_over_slots
from pipeline.core.load.model import BaseForecast, forecast_clean
from pipeline.core.load.paths import Draw, ErrorPool, draw_paths, error_pool, path_loads
from pipeline.core.load.ridge import huber_weights
from pipeline.core.load.shape import hindsight_share

F64 = NDArray[np.float64]

MASK_BEFORE_DAYS, MASK_AFTER_DAYS = 1.0, 1.5
"""How far around an event the days without events are not learned from."""
UNSEEN_EVENT_SD = 0.25
"""Log error of an event's height when its kind has been seen no more than once."""


@dataclass(frozen=True)
class Request:
    """What is asked: history [days, slots] (nan: unknown), its first day, and what is planned."""

    load: F64
    first_day: np.datetime64
    holiday: tuple[str, ...]
    """Name of the holiday ('' for none) of each day of history and horizon."""
    horizon_days: int
    occurrences: tuple[Occurrence, ...] = ()
    """Events announced by now, past and future."""
    analog: tuple[tuple[str, str], ...] = ()
    excluded: tuple[tuple[int, int], ...] = ()
    """Slots [first, last) of the history that planners took out."""
    accepted: tuple[tuple[int, int], ...] = ()
    """Slots [first, last) that planners took back: no finding may take them out."""
    pooled: EventEffects | None = None
    paths: int = 500
    seed: int = 0

    @property
    def minutes(self) -> int:
        """Minutes of a slot."""
        return 1440 // self.load.shape[1]


@dataclass(frozen=True)
class LoadForecast:
    """The forecast of a series; `curve` [horizon, slots] is the sum that every grain agrees on."""

    base: BaseForecast
    curve: F64
    event_log_effect: F64
    """[horizon, slots] what events add on the log scale."""
    events: EventEffects
    windows: list[Window]
    breaks: list[SlopeBreak]
    shifts: list[LevelShift]
    pool: ErrorPool
    draw: Draw
    event_error: F64
    """[paths] log error of events' heights."""
    hindsight: F64
    """[history, slots] the curve, events included, that the history is judged against."""
    scored: F64
    """[history, slots] load that backtests without events are judged by: nan in events, robots and
    outages, and where planners took it out."""

    def path_loads(self, day: int) -> F64:
        """Loads [paths, slots] of a day of the horizon, on every path."""
        loads = path_loads(self.pool, self.draw, self.curve[day], day)
        felt = np.clip(np.abs(self.event_log_effect[day]) / 0.1, 0.0, 1.0)
        if not felt.any():
            return loads
        return np.asarray(loads * np.exp(self.event_error[:, None] * felt))

    def peaks(self, days: int) -> F64:
        """Largest slot [paths, days] of each of the horizon's first days, on every path."""
        return np.column_stack([self.path_loads(day).max(axis=1) for day in range(days)])


def forecast_series(request: Request) -> LoadForecast:
    """Forecast a series from everything in `request`; the past of the origin only."""
    n, slots = request.load.shape
    raw = _without(request.load, request.excluded)
    quiet = _without(raw, _event_slots(request))
    breaks, shifts = _changes(quiet, request)
    base, windows = forecast_clean(
        quiet, request.first_day, request.holiday, request.horizon_days,
        [found.day for found in breaks], request.accepted,
    )  # fmt: skip
    level = hindsight_level(base.data.log_level, base.level.fitted, base.level.weight, half=4)
    seen = np.exp(level)[:, None] * _slot_shares(base, level, slots)
    told = [(w.first, w.last) for w in in_slots(windows, base) if w.kind != "unknown"]
    clean = _without(raw, told)
    offset = base.data.offset
    residual = np.log(np.maximum(clean, 0.0) + offset) - np.log(seen + offset)
    past = [one for one in request.occurrences if one.start < n * 1440]
    events = fit_events(residual, past, request.minutes, dict(request.analog), request.pooled)
    effect = events.log_effect(request.occurrences, n + request.horizon_days)
    effect = effect.reshape(-1, slots)
    weekend = day_class(request.first_day, request.holiday) >= SATURDAY
    # Robots and outages are no errors of the forecast: paths would reach as far for weeks.
    scored = _without(quiet, told)
    pool = error_pool(scored, base.backtest_curves(), base.level.origins, base.fitted_curve(),
                      weekend, offset)  # fmt: skip
    draw = draw_paths(pool, weekend[n:], request.paths, request.seed)
    sd = _event_sd(residual, past, request)
    random = np.random.Generator(np.random.PCG64(request.seed + 1))
    return LoadForecast(
        base, base.curve * np.exp(effect[n:]), effect[n:], events, windows, breaks, shifts, pool,
        draw,
        sd * random.standard_normal(request.paths), seen * np.exp(effect[:n]), scored,
    )  # fmt: skip


def in_slots(windows: Sequence[Window], base: BaseForecast) -> list[Window]:
    """The windows with slots instead of blocks as their bounds."""
    width = base.data.slots // base.data.blocks
    return [Window(w.kind, w.first * width, w.last * width, w.load, w.expected)
            for w in windows]  # fmt: skip


def _without(load: F64, spans: Sequence[tuple[int, int]]) -> F64:
    """A copy of the load without some spans of slots."""
    if not spans:
        return load
    flat = load.ravel().copy()
    for first, last in spans:
        flat[max(first, 0) : max(last, 0)] = np.nan
    return flat.reshape(load.shape)


def _event_slots(request: Request) -> list[tuple[int, int]]:
    minutes = request.minutes
    return [(int((one.start - 1440 * MASK_BEFORE_DAYS) // minutes),
             int((one.end + 1440 * MASK_AFTER_DAYS) // minutes))
            for one in request.occurrences]  # fmt: skip


def _changes(load: F64, request: Request) -> tuple[list[SlopeBreak], list[LevelShift]]:
    """Breaks of the trend, which the level follows, and shifts, which planners are told of."""
    n = len(load)
    holiday = request.holiday[:n]
    data = level_and_shape(load, day_class(request.first_day, holiday))
    days = level_days(request.first_day, holiday, n)
    centre = np.median(data.log_level)
    weight = huber_weights(data.log_level - centre, data.known, tuning=6.0)
    return find_breaks(data.log_level, weight, days), find_shifts(data.log_level, weight, days)


def _slot_shares(base: BaseForecast, level: F64, slots: int) -> F64:
    """Shares in hindsight by slot."""
    data, blocks = base.data, base.data.blocks
    followed = hindsight_share(data.log_share, base.shape.fitted, base.level.weight * data.known)
    part = shares(followed, level, data.offset, blocks)
    return part if blocks == slots else smooth_over_slots(part, slots)


def _event_sd(residual: F64, past: Sequence[Occurrence], request: Request) -> float:
    """Log error of an event's height: occurrences left out one at a time, forecast by the others.

    An event of the horizon whose kind was never seen borrows its analog's with twice the variance.
    """
    n, minutes = len(residual), request.minutes
    errors = []
    flat = residual.ravel()
    for one in past:
        others = [other for other in past if other is not one and other.kind == one.kind]
        at = one.slots(minutes, n)
        t = (at + 0.5) * minutes
        at = at[(t >= one.start) & (t < one.end) & np.isfinite(flat[at])]
        if not others or not len(at):
            continue
        effect = fit_events(residual, others, minutes).log_effect([one], n)
        errors.append(float(np.mean(flat[at] - effect[at])))
    sd = float(np.sqrt((np.sum(np.square(errors)) + UNSEEN_EVENT_SD**2) / (len(errors) + 1)))
    kinds = {one.kind for one in past}
    coming = {one.kind for one in request.occurrences if one.end > n * 1440}
    return sd * float(np.sqrt(2.0)) if coming - kinds else sd
