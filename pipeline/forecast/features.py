"""Features of (series, origin, target day): one code path for training and for serving.

A row asks: standing at the end of day `origin`, what do we know about demand on day `target`?
Only days up to the origin are read from demand; prices and events are known in advance.
Levels enter as logarithms of ratios to the row's `level`, which is the model's offset, so that
trees learn what is common to large and small series.

Time is counted in usual days: a day's exposure (see `seasons` and `events`) says how many it stands
for. A level is units over exposure, forgotten by exposure, a usual day's worth a day at most, so an
item out of its season keeps the level of its last one; the row's own is part of the offset.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import single_log
from pipeline.forecast.level_change import level_begins
from pipeline.forecast.panel import F32, F64, I32, Panel, Totals
from pipeline.forecast.seasons import in_season
from pipeline.forecast.series_level import (
    HALF_LIFE_DAYS,
    TINY,
    item_silence,
    levels,
    log_return,
    regions_of,
    sum_over,
)  # fmt: skip
from pipeline.kernels import njit

EVENT_TYPES = 6
LEAST_SHARE = 0.15  # exposure of a span, by its days, below which it says nothing
OLD_DAYS = 182
"""Age beyond which days have none, nor has what was there before the history: it would tell the
date. Of weeks, few and dense, the date is worth knowing (docs/decisions/forecast.md)."""
_WEEKDAYS = ("weekday_own", "weekday_item", "weekday_group", "weekday")

# name → driver: the heading under which an explanation books the feature's effect
FEATURES: dict[str, str] = {
    "log_level": "level",
    "ratio_7": "trend",
    "ratio_14": "trend",
    "ratio_28": "trend",
    "ratio_56": "level",
    "ratio_112": "level",
    "ratio_364": "level",
    "zero_share_28": "level",
    "zero_share_112": "level",
    "days_since_sale": "trend",
    "nonzero_size": "level",
    "variation_112": "level",
    "peak_28": "trend",
    "age_days": "level",
    "weekday_own": "season",
    "weekday_item": "season",
    "weekday_group": "season",
    "item_7_28": "trend",
    "item_28_112": "trend",
    "item_share": "level",
    "group_7_28": "trend",
    "group_28_112": "trend",
    "year_aligned": "season",
    "year_smooth": "season",
    "year_item": "season",
    "horizon_days": "trend",
    "weekday": "season",
    "day_of_month": "season",
    "days_to_event": "event",
    "days_since_event": "event",
    "price_vs_28": "price",
    "price_vs_year": "price",
    "price_log": "price",
    "price_days": "price",
    "department": "level",
    "category": "level",
    "region": "level",
    "censored_28": "stock",
    **{f"event_type_{k}": "event" for k in range(EVENT_TYPES)},
    "log_exposure": "season",
    "log_price_lift": "price",
    "silence": "trend",
    "item_silence": "trend",
    "log_return": "trend",
}
COLUMN = {name: place for place, name in enumerate(FEATURES)}
_EVENT_0 = COLUMN["event_type_0"]


@dataclass(frozen=True)
class History:
    """Running sums of a panel: everything a row needs is a difference of two of them.

    units, square, zeros, seen, cut   (n, days + 1) sums up to and without a day; suspected
                stock-outs are not in `cut`: that a run has lasted too long shows only afterwards;
                zeros count by exposure
    exposure    (n, days + 1) sums of exposures of days seen
    time        (n, days + 1) sums of all exposures
    level       (n, days + 1) exponentially weighted mean with the prior of the series' likes
    silence     (n, days + 1) evidence of silence beyond chance, see `series_level`
    item_silence  (items, lead + days + 1) the same of items in all regions at once
    begun       (items, lead + days + 1) day since when an item's level is as it is, see
                `level_change`
    last_sale   (n, days + 1) last day with a sale, before a day
    """

    demand: F32
    units: F64
    square: F64
    zeros: F64
    seen: I32
    exposure: F64
    time: F64
    cut: I32
    level: F32
    silence: F32
    item_silence: F64
    begun: I32
    last_sale: I32
    group_units: F64
    group_count: F64
    item_units: F64
    item_count: F64


def _running(values: F64) -> F64:
    return np.concatenate([np.zeros((values.shape[0], 1)), np.cumsum(values, axis=1)], axis=1)


def history(panel: Panel, totals: Totals) -> History:
    """Running sums of `panel`, a shard of the whole whose sums are `totals`."""
    demand = np.ascontiguousarray(panel.demand)  # one compiled version of each kernel
    seen = np.isfinite(demand)
    units = np.where(seen, demand, 0).astype(np.float64)
    behind = panel.exposure()[0].astype(np.float64)
    group_units, group_count = _running(totals.group_units), _running(totals.group_count)
    item_units, item_count = _running(totals.item_units), _running(totals.item_count)
    shape = (panel.series, panel.days + 1)
    level, silence = np.empty(shape, np.float32), np.empty(shape, np.float32)
    last_sale = np.empty(shape, np.int32)
    half_life = HALF_LIFE_DAYS / np.sqrt(panel.period_days)
    own_season, silent = _season_days(panel, totals), silence_of_items(panel, totals)
    begun = level_begins(totals, panel.item, half_life, panel.period_days)
    levels(
        demand, behind, panel.item, panel.group, panel.like(), totals.lead,
        group_units, group_count, item_units, item_count, _running(totals.like_units),
        _running(totals.like_count), silent, begun, own_season, half_life, level, silence,
        last_sale,
    )  # fmt: skip
    return History(
        demand,
        _running(units),
        _running(units**2),
        _running(np.where(seen & (units == 0), behind, 0.0)),
        _running(seen.astype(np.float64)).astype(np.int32),
        _running(np.where(seen, behind, 0.0)),
        _running(behind),
        _running((panel.is_censored & (demand != 0)).astype(np.float64)).astype(np.int32),
        level,
        silence,
        silent,
        begun,
        last_sale,
        group_units,
        group_count,
        item_units,
        item_count,
    )


def silence_of_items(panel: Panel, totals: Totals) -> F64:
    """Evidence (items, lead + days + 1) that each item is silent in all regions at once."""
    half_life = HALF_LIFE_DAYS / np.sqrt(panel.period_days)
    return item_silence(totals, _season_days(panel, totals), half_life)


def _season_days(panel: Panel, totals: Totals) -> npt.NDArray[np.bool_]:
    """Days (items, lead + days) well within each item's season."""
    found = np.ones(totals.item_units.shape, bool)
    if panel.season is not None:
        known = panel.season[: len(found)]  # of some series, items after their last are not
        found[:, totals.lead :] = in_season(known)[:, : panel.days]
    return found


@njit(cache=True)
def _log_ratio(a, b, tiny):  # type: ignore[no-untyped-def]  # numba kernel
    return np.log((a + tiny) / (b + tiny))


@njit(cache=True)
def _own(  # type: ignore[no-untyped-def]  # numba kernel
    out, demand, behind, units, square, zeros, seen, exposure, time, cut, level, last_sale, launch,
    period, age, series, origin, target,
):  # fmt: skip
    spans = np.array([7, 14, 28, 56, 112, 364])
    for k in range(series.shape[0]):
        i, t = series[k], origin[k]
        base = level[i, t + 1]
        tiny = TINY + 0.02 * base
        out[k, 0] = np.log(base)
        for s in range(6):
            span = min(spans[s], age[k])
            n, usual = sum_over(seen, i, t, span), sum_over(exposure, i, t, span)
            out[k, 1 + s] = np.nan
            if usual > LEAST_SHARE * n and (span < 100 or n > span // 2):
                out[k, 1 + s] = _log_ratio(sum_over(units, i, t, span) / usual, base, tiny)
        n28, n112 = sum_over(seen, i, t, 28), sum_over(seen, i, t, 112)
        usual_28, usual_112 = sum_over(exposure, i, t, 28), sum_over(exposure, i, t, 112)
        out[k, 7], out[k, 8] = np.nan, np.nan
        if usual_28 > LEAST_SHARE * n28:
            out[k, 7] = sum_over(zeros, i, t, 28) / usual_28
        sold = last_sale[i, t + 1]
        out[k, 9] = min(time[i, t + 1] - time[i, sold + 1], 200) if sold >= 0 else 200
        sales = 0.0
        if usual_112 > LEAST_SHARE * n112:
            out[k, 8] = sum_over(zeros, i, t, 112) / usual_112
            sales = usual_112 - sum_over(zeros, i, t, 112)
        out[k, 10] = np.nan
        out[k, 11] = np.nan
        if sales > 0:
            out[k, 10] = _log_ratio(sum_over(units, i, t, 112) / sales, base, tiny)
            daily = sum_over(units, i, t, 112) / n112
            spread = max(sum_over(square, i, t, 112) / n112 - daily * daily, 0.0)
            out[k, 11] = np.sqrt(spread) / (daily + tiny)
        peak = 0.0
        for d in range(max(0, t - 27), t + 1):
            peak = max(peak, demand[i, d] / max(behind[i, d], 0.3))
        out[k, 12] = _log_ratio(peak, base, tiny)
        if period > 1:
            out[k, 13] = min(target[k] - launch[i], 2000)
        else:
            out[k, 13] = min(target[k] - launch[i], OLD_DAYS) if launch[i] > 0 else OLD_DAYS
        out[k, 14] = _weekday_own(demand, behind, units, exposure, i, t, target[k])
        out[k, 37] = sum_over(cut, i, t, 28) / max(n28, 1)


@njit(cache=True)
def _weekday_own(demand, behind, units, exposure, i, t, target):  # type: ignore[no-untyped-def]  # numba kernel
    """Log of the target weekday's share in the last eight weeks, drawn towards a flat week."""
    usual = sum_over(exposure, i, t, 56)
    if usual <= LEAST_SHARE * 56:
        return np.nan
    mean = sum_over(units, i, t, 56) / usual
    same, count = 0.0, 0.0
    for week in range(8):
        d = t - (t - target) % 7 - 7 * week
        if d >= 0 and not np.isnan(demand[i, d]):
            same += demand[i, d]
            count += behind[i, d]
    return _log_ratio((same + 2.0 * mean) / (count + 2.0), mean, TINY)


@njit(cache=True)
def _weekday_of(running, count, row, end, target_offset):  # type: ignore[no-untyped-def]  # numba kernel
    """The same over running sums of units and series; `target_offset` days after `end`."""
    n = sum_over(count, row, end, 56)
    if n <= 0:
        return np.nan
    mean = sum_over(running, row, end, 56) / n
    same, seen = 0.0, 0.0
    for week in range(8):
        d = end - (-target_offset) % 7 - 7 * week
        same += sum_over(running, row, d, 1)
        seen += sum_over(count, row, d, 1)
    return _log_ratio((same + 2.0 * mean) / (seen + 2.0), mean, TINY)


@njit(cache=True)
def _mean(running, count, row, end, days):  # type: ignore[no-untyped-def]  # numba kernel
    n = sum_over(count, row, end, days)
    return sum_over(running, row, end, days) / n if n > 0 else np.nan


@njit(cache=True)
def _peers(out, item, group, level, lead, group_units, group_count, item_units, item_count,  # type: ignore[no-untyped-def]  # numba kernel
           aligned, period, series, origin, target):  # fmt: skip
    year, month = 364 // period, 28 // period
    near, far = max(1, 7 // period), max(1, 14 // period)
    for k in range(series.shape[0]):
        i, t = series[k], origin[k]
        row, g, end = item[i], group[i], lead + t
        ahead = target[k] - t
        out[k, 15] = _weekday_of(item_units, item_count, row, end, ahead)
        out[k, 16] = _weekday_of(group_units, group_count, g, end, ahead)
        item_28 = _mean(item_units, item_count, row, end, 28)
        group_28 = _mean(group_units, group_count, g, end, 28)
        out[k, 17] = _log_ratio(_mean(item_units, item_count, row, end, 7), item_28, TINY)
        out[k, 18] = _log_ratio(item_28, _mean(item_units, item_count, row, end, 112), TINY)
        out[k, 19] = _log_ratio(level[i, t + 1], item_28, TINY)
        out[k, 20] = _log_ratio(_mean(group_units, group_count, g, end, 7), group_28, TINY)
        out[k, 21] = _log_ratio(group_28, _mean(group_units, group_count, g, end, 112), TINY)
        out[k, 22:25] = np.nan
        year_ago = end - year
        if year_ago < month or ahead * period > 300:
            continue
        like = lead + aligned[target[k]]
        level_ago = sum_over(group_units, g, year_ago, month) / month
        if sum_over(group_count, g, year_ago, month) > 0 and 0 <= like <= end:
            out[k, 22] = _log_ratio(
                sum_over(group_units, g, like, 1), level_ago, 0.05 * level_ago + TINY
            )
            span = 2 * near + 1
            smooth = sum_over(group_units, g, lead + target[k] - year + near, span) / span
            out[k, 23] = _log_ratio(smooth, level_ago, TINY)
        if sum_over(item_count, row, year_ago, month) > month // 2:
            span = 2 * far + 1
            level_ago = sum_over(item_units, row, year_ago, month) / month
            smooth = sum_over(item_units, row, lead + target[k] - year + far, span) / span
            out[k, 24] = _log_ratio(smooth, level_ago, 0.2)


@njit(cache=True)
def _known(out, price, flags, days_to, days_since, region, department, category,  # type: ignore[no-untyped-def]  # numba kernel
           weekday_0, month_day, series, origin, target):  # fmt: skip
    for k in range(series.shape[0]):
        i, t, d = series[k], origin[k], target[k]
        r = region[i]
        out[k, 25] = d - t
        out[k, 26] = (weekday_0 + d) % 7
        out[k, 27] = month_day[d]
        out[k, 28] = days_to[r, d]
        out[k, 29] = days_since[r, d]
        out[k, 30:34] = np.nan
        if not np.isnan(price[i, d]):
            now = price[i, d]
            total, n, top = 0.0, 0, now
            for before in range(max(0, t - 27), t + 1):
                if not np.isnan(price[i, before]):
                    total += price[i, before]
                    n += 1
            for before in range(max(0, t - 363), t + 1, 7):
                top = max(top, price[i, before])
            held = 0
            while held < 60 and d - held - 1 >= 0 and price[i, d - held - 1] == now:
                held += 1
            out[k, 30] = np.log(now * n / total) if n > 0 else np.nan
            out[k, 31] = np.log(now / top)
            out[k, 32] = np.log(now)
            out[k, 33] = held
        out[k, 34] = department[i]
        out[k, 35] = category[i]
        out[k, 36] = r
        for e in range(min(flags.shape[2], EVENT_TYPES)):
            out[k, _EVENT_0 + e] = flags[r, d, e]


def feature_names(panel: Panel) -> list[str]:
    """Names of the columns of `features`: those common to all, then the panel's attributes."""
    own = 0 if panel.attributes is None else panel.attributes.shape[1]
    return [*FEATURES, *(f"attribute_{k}" for k in range(own))]


def drivers_of_features(columns: int) -> list[str]:
    """Driver of each column of `features`; what an item is (its attributes) counts as level."""
    return [*FEATURES.values(), *["level"] * (columns - len(FEATURES))]


def features(
    panel: Panel, totals: Totals, past: History, series: I32, origin: I32, target: I32
) -> F32:
    """Feature matrix (rows, features) of the rows `(series, origin, target day)`.

    `past` is `history(panel, totals)`; the level of a row is `past.level[series, origin + 1]`.
    A feature that cannot be known (no price, less than a year of history) is NaN.
    """
    # One compiled version of each kernel: columns of a matrix are not contiguous.
    series, origin, target = (np.ascontiguousarray(rows) for rows in (series, origin, target))
    out = np.zeros((len(series), len(FEATURES)), np.float32)
    passed = np.arange(panel.days + panel.ahead) * panel.period_days
    dates = panel.first_date.astype("datetime64[D]") + passed
    month_day = (dates - dates.astype("datetime64[M]")).astype(np.float32) + 1
    calendar, (behind, ahead) = panel.calendar, panel.exposure()
    at = (panel.item[series], totals.lead + origin + 1)
    age = np.maximum(at[1] - past.begun[at], 1)  # of the level
    _own(
        out, past.demand, behind, past.units, past.square, past.zeros, past.seen, past.exposure,
        past.time, past.cut, past.level, past.last_sale, panel.launch_day, panel.period_days,
        age, series, origin, target,
    )  # fmt: skip
    out[:, COLUMN["log_exposure"]] = single_log(ahead[series, target])
    if panel.price_lift is not None:
        out[:, COLUMN["log_price_lift"]] = single_log(panel.price_lift[series, target])
    days = (target - origin) * panel.period_days
    evidence = past.silence[series, origin + 1], past.item_silence[at]
    out[:, [COLUMN["silence"], COLUMN["item_silence"]]] = np.stack(evidence, axis=1)
    out[:, COLUMN["log_return"]] = log_return(*evidence, regions_of(past.item_count, *at), days)
    _peers(
        out, panel.item, panel.group, past.level, totals.lead, past.group_units,
        past.group_count, past.item_units, past.item_count, calendar.aligned_day,
        panel.period_days, series, origin, target,
    )  # fmt: skip
    _known(
        out, panel.price, calendar.flags, calendar.days_to, calendar.days_since, panel.region,
        panel.department, panel.category, panel.first_weekday, month_day,
        series, origin, target,
    )  # fmt: skip
    if panel.period_days > 1:  # weeks have no weekday
        out[:, [COLUMN[name] for name in _WEEKDAYS]] = np.nan
    own = panel.attributes
    return out if own is None else np.concatenate([out, own[series]], axis=1)
