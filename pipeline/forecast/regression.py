"""Sums of many items, a department's or a store's, by penalised regression on the calendar.

Large sums are smooth: a slowly moving level, weekdays that shift with the season, the day of the
month, event flags (SNAP), and every named event with the days around it. Trees that share what
series have in common miss a sum's own calendar; a ridge on logarithms has it,

    min over b of Σ_t 0.5^((T − t) / H) · (log(1 + y_t) − x_t b)² + b' P b,

where T is the last day, P penalises each effect by how rare and how wild it may be, and the steps
of the level between knots four weeks apart: a random walk around a straight line, whose slope goes
on, damped, after the last day (Gardner and McKenzie 1985).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import product
from pipeline.forecast.panel import F64
from pipeline.kernels import njit

KNOT_DAYS = 28
HALF_LIFE_DAYS = 730.0
LEVEL_STEP = 3.0
TREND, TREND_KEPT_A_DAY = 0.05, 0.995
WEEKDAY, WEEKDAY_IN_SEASON = 1.0, 2.0
YEAR, HARMONICS = 8.0, 6
MONTH_DAY = 10.0
FLAG, FLAG_ON_WEEKDAY = 1.0, 5.0
EVENT, BESIDE_EVENT, CLOSED = 1.0, 1.5, 0.01
EVENT_REACH = range(-3, 3)
CLOSED_REACH = range(-14, 12)
"""Days around an event that stops sales: people shop ahead of it for two weeks."""


def calendar_effects(
    dates: npt.NDArray[np.datetime64],
    flag: F64,
    events: Mapping[str, Sequence[int]],
    closed: Collection[str] = (),
) -> tuple[F64, F64]:
    """Columns (days, effects) and penalty (effects,) of what is known of `dates` in advance.

    `flag` (days, flags) are recurring conditions such as pay days; `events` names days by number,
    and `closed` those of them on which nothing is sold: their effect is learned all but whole.
    """
    day = dates.astype("datetime64[D]")
    weekday = np.arange(7) == ((day.astype(np.int64) + 3) % 7)[:, None]
    contrast = (weekday[:, :6] * 1.0) - weekday[:, 6:]
    month_day = (day - day.astype("datetime64[M]")).astype(np.int64)
    angle = 2 * np.pi * day.astype(np.int64)[:, None] / 365.25 * np.arange(1, HARMONICS + 1)
    waves = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    slow = waves[:, [0, 1, HARMONICS, HARMONICS + 1]]
    blocks: list[tuple[F64, F64 | float]] = [
        (contrast, WEEKDAY),
        (waves, YEAR * np.tile(np.arange(1.0, HARMONICS + 1) ** 2, 2)),
        (1.0 * (month_day[:, None] == np.arange(31)), MONTH_DAY),
        (flag, FLAG),
        ((flag[:, :, None] * weekday[:, None, :]).reshape(len(day), -1), FLAG_ON_WEEKDAY),
        ((contrast[:, :, None] * slow[:, None, :]).reshape(len(day), -1), WEEKDAY_IN_SEASON),
    ]
    for name in sorted(events):
        reach, own = (CLOSED_REACH, CLOSED) if name in closed else (EVENT_REACH, EVENT)
        beside = np.zeros((len(day), len(reach)))
        for column, offset in enumerate(reach):
            at = np.asarray(events[name], np.int64) + offset
            beside[at[(at >= 0) & (at < len(day))], column] = 1.0
        blocks.append((beside, np.where(np.array(reach) == 0, own, BESIDE_EVENT)))
    penalty = [np.broadcast_to(rate, columns.shape[1]) for columns, rate in blocks]
    return np.concatenate([columns for columns, _ in blocks], axis=1), np.concatenate(penalty)


def regress(units: F64, effects: F64, penalty: F64) -> F64:
    """Forecast (series, ahead) of the days of `effects` (days + ahead, k) beyond `units`' own.

    `units` (series, days) without gaps; the forecast is the median under symmetric errors of the
    logarithm.
    """
    days, total = units.shape[1], len(effects)
    knots = np.arange(days - 1, -KNOT_DAYS, -KNOT_DAYS)[::-1]
    at = np.minimum(np.arange(total), days - 1)
    level = np.maximum(0.0, 1 - np.abs(at[:, None] - knots) / KNOT_DAYS)
    ahead = np.cumsum(np.cumprod(np.full(total - days, TREND_KEPT_A_DAY)))
    years = np.concatenate([np.arange(1 - days, 1), ahead])[:, None] / 365.25
    x = np.concatenate([level, years, effects], axis=1)
    steps = np.diff(np.eye(len(knots)), axis=0)
    ridge = np.diag(np.concatenate([np.full(len(knots), 1e-6), [TREND], penalty]))
    ridge[: len(knots), : len(knots)] += LEVEL_STEP * product(steps.T, steps)
    weight = 0.5 ** ((days - 1 - np.arange(days)) / HALF_LIFE_DAYS)
    known = np.ascontiguousarray(np.log1p(units).T)
    right = np.zeros((x.shape[1], len(units)))
    _add_normal_equations(x[:days], weight, known, ridge, right)
    _solve(ridge, right)
    return np.asarray(np.maximum(np.expm1(product(x[days:], right)).T, 0.0))


@njit(cache=True)
def _add_normal_equations(x, weight, y, left, right):  # type: ignore[no-untyped-def]  # numba kernel
    """Add X' W X to the lower triangle of `left` and X' W y to `right`; most of x is zero."""
    for t in range(x.shape[0]):
        for i in range(x.shape[1]):
            if x[t, i] == 0.0:
                continue
            share = weight[t] * x[t, i]
            for j in range(i + 1):
                left[i, j] += share * x[t, j]
            for k in range(y.shape[1]):
                right[i, k] += share * y[t, k]


@njit(cache=True)
def _solve(left, right):  # type: ignore[no-untyped-def]  # numba kernel
    """Solve in place by Cholesky, in one order on every processor; only the lower triangle is
    read."""
    n = left.shape[0]
    for j in range(n):
        left[j, j] = np.sqrt(left[j, j])
        for i in range(j + 1, n):
            left[i, j] /= left[j, j]
        for i in range(j + 1, n):
            for k in range(j + 1, i + 1):
                left[i, k] -= left[i, j] * left[k, j]
    for j in range(n):
        for k in range(right.shape[1]):
            right[j, k] /= left[j, j]
        for i in range(j + 1, n):
            for k in range(right.shape[1]):
                right[i, k] -= left[i, j] * right[j, k]
    for j in range(n - 1, -1, -1):
        for i in range(j + 1, n):
            for k in range(right.shape[1]):
                right[j, k] -= left[i, j] * right[i, k]
        for k in range(right.shape[1]):
            right[j, k] /= left[j, j]


def solved(left: F64, right: F64) -> F64:
    """Solution (n, k) of left (n, n) x = right (n, k) for a symmetric positive definite `left`."""
    found = right.copy()
    _solve(left.copy(), found)
    return found
