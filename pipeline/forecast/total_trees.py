"""Trees for sums: a second model of the totals, of another kind than the regression.

The regression (`regression`) fits every sum for itself, as a sum of effects in logarithms. Trees
see all sums of all levels at once: what one department's Easter tells of another's, and how a
weekday, a pay day and a season act together. What they learn is the logarithm of a day over the
sum's mean of its last four weeks, from what the regression foresaw of the day at the same origin,
from the same weekdays of late, from the same weeks one and two years ago, and from the calendar.
The two err differently, and their mean (in logarithms) errs less than either
(docs/decisions/forecast.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from pipeline.forecast.levels import Codes
from pipeline.forecast.mean import DETERMINISTIC, workers
from pipeline.forecast.panel import F32, F64

Bools = npt.NDArray[np.bool_]
ByRegression = Callable[[int], F64 | None]
"""Units (sums, LEARNED_DAYS) that regressions foresee of the days from an origin on, where the
history before it is long enough."""
LEARNED_DAYS, REACH_DAYS = 28, 56
"""Days ahead that trees learn from, and that they tell of: the later ones as the last learned."""
FIRST_DAY, ORIGIN_STEP_DAYS = 413, 14
MOST_ROWS, MOST_STRIDE = 150_000, 8
HALF_LIFE_DAYS = 500.0
TREES, LEAVES, LEARNING_RATE, LEAF_ROWS = 120, 31, 0.08, 60
LEVEL_DAYS = 28
SPANS = (7, 56, 182)
WEEKDAY_WEEKS = (4, 13)
YEARS = (364, 728)
BESIDE = range(-2, 3)


@dataclass(frozen=True)
class SumDays:
    """Sums of all levels, day by day, as trees read them.

    log      (sums, days) logarithm of 1 + units
    closed   (days,) days on which hardly anything is sold anywhere
    dates    (days + ahead,)
    flags    (sums, days + ahead, flags) recurring conditions, such as pay days
    event    (sums, days + ahead) number of the event that falls on a day, −1 for none
    names    (sums, 3) codes of level, product and place
    """

    log: F64
    closed: Bools
    dates: npt.NDArray[np.datetime64]
    flags: F64
    event: Codes
    names: Codes

    def running(self) -> tuple[F64, F64]:
        """Logarithms (sums, days + 1) and number (days + 1,) of open days, added up."""
        known = np.where(self.closed, 0.0, self.log)
        total = np.zeros((len(known), known.shape[1] + 1))
        np.cumsum(known, axis=1, out=total[:, 1:])
        return total, np.concatenate([[0.0], np.cumsum(~self.closed)])


class DayFeatures:
    """Features of days after an origin, from what was sold before it."""

    def __init__(self, own: SumDays) -> None:
        self.own = own
        self._total, self._open = own.running()
        day = own.dates.astype("datetime64[D]")
        self._calendar = np.stack(
            [(day.astype(np.int64) + 3) % 7,
             (day - day.astype("datetime64[M]")).astype(np.int64),
             (day - day.astype("datetime64[Y]")).astype(np.int64)]
        )  # fmt: skip

    def _mean(self, begin: Codes, end: Codes) -> F64:
        """Mean logarithms (sums, …) of the open days begin … end − 1."""
        days = np.maximum(self._open[end] - self._open[begin], 1.0)
        return np.asarray((self._total[:, end] - self._total[:, begin]) / days)

    def level(self, at: int) -> F64:
        """Mean logarithm (sums,) of the last four weeks before day `at`."""
        return self._mean(np.array(max(at - LEVEL_DAYS, 0)), np.array(at))

    def of(self, at: int, ahead: int, regressed: F64 | None) -> F32:
        """Features (sums, ahead, k) of the days from `at` on, of which `regressed` (sums, at least
        ahead) units are foreseen; nothing sold from `at` on is read."""
        own, level = self.own, self.level(at)[:, None]
        sums, shape = len(level), (len(level), ahead)
        day = at + np.arange(ahead)
        columns = []
        for weeks in WEEKDAY_WEEKS:
            span = slice(at - 7 * weeks, at)
            is_open = ~own.closed[span].reshape(weeks, 7)
            of_week = np.where(is_open, own.log[:, span].reshape(sums, weeks, 7), 0.0).sum(axis=1)
            of_week = of_week / np.maximum(is_open.sum(axis=0), 1)
            columns.append(of_week[:, np.arange(ahead) % 7] - level)
        columns += [self._mean(np.array(max(at - n, 0)), np.array(at))[:, None] - level
                    for n in SPANS]  # fmt: skip
        columns += [column for back in YEARS for column in self._year_ago(at, day, back, level)]
        columns += [own.flags[:, day, k] for k in range(own.flags.shape[2])]
        columns += [
            np.minimum(np.arange(ahead), LEARNED_DAYS - 1)[None, :],
            *self._calendar[:, None, day],
        ]
        foreseen = np.full((1, 1), np.nan) if regressed is None else np.log1p(regressed[:, :ahead])
        columns.append(foreseen - level)
        last = own.event.shape[1] - 1
        for step in BESIDE:
            event = own.event[:, np.minimum(day + step, last)]
            columns.append(np.where((event < 0) | (day + step > last), np.nan, event))
        columns += list(own.names.T[:, :, None])
        return np.stack([np.broadcast_to(c, shape) for c in columns], axis=2).astype(np.float32)

    def _year_ago(self, at: int, day: Codes, back: int, level: F64) -> list[F64]:
        """The level of so many days ago, and the same day, week and month then over it."""
        if at - back < LEVEL_DAYS:
            return [np.full((1, 1), np.nan)] * 4
        own, then = self.own, day - back
        before = self.level(at - back)[:, None]
        same = np.where(own.closed[then], np.nan, own.log[:, then]) - before
        week = self._mean(then - 3, then + 4) - before
        month = self._mean(np.maximum(then - 14, 0), then + 14) - before
        return [before - level, same, week, month]

    @property
    def categories(self) -> list[int]:
        """Places of the features that are codes."""
        numbers = len(WEEKDAY_WEEKS) + len(SPANS) + 4 * len(YEARS) + self.own.flags.shape[2] + 5
        return list(range(numbers, numbers + len(BESIDE) + 3))


@dataclass(frozen=True)
class TotalTrees:
    """Boosters in order of the day up to which each has seen sales."""

    grown: list[tuple[int, lgb.Booster]]

    def foresee(self, own: SumDays, at: int, regressed: F64) -> F64 | None:
        """Logarithms (sums, up to REACH_DAYS) of 1 + units of the days from `at` on, of which
        `regressed` (sums, days) are foreseen by regressions, by the latest trees that have seen
        nothing of them; None without any."""
        known = [booster for day, booster in self.grown if day <= at]
        if not known:
            return None
        features = DayFeatures(own)
        x = features.of(at, min(regressed.shape[1], REACH_DAYS), regressed)
        raw = np.asarray(known[-1].predict(x.reshape(-1, x.shape[2]), num_threads=1))
        return np.asarray(raw.reshape(x.shape[:2]) + features.level(at)[:, None])


def grow(own: SumDays, ends: Iterable[int], regressed: ByRegression, threads: int) -> TotalTrees:
    """Trees that have seen the sales before each of the days `ends`."""
    features = DayFeatures(own)
    return TotalTrees(
        [(end, _grown(features, end, regressed, threads)) for end in sorted(set(ends))]
    )


def _grown(features: DayFeatures, end: int, regressed: ByRegression, threads: int) -> lgb.Booster:
    own = features.own
    first = min(FIRST_DAY, end // 2)
    every = len(own.log) * LEARNED_DAYS * (end - first) // ORIGIN_STEP_DAYS
    stride = 1 + every // MOST_ROWS
    step = ORIGIN_STEP_DAYS * (1 + stride // MOST_STRIDE)  # of thousands of sums, fewer origins
    origins = range(end - ORIGIN_STEP_DAYS, first - 1, -step)
    x, y, weight = [], [], []
    for k, at in enumerate(origins):
        ahead = min(LEARNED_DAYS, end - at)
        day = np.arange(ahead)
        drawn = (np.arange(len(own.log))[:, None] + day + k) % stride == 0
        drawn &= ~own.closed[at + day]
        x.append(features.of(at, ahead, regressed(at))[drawn])
        y.append((own.log[:, at + day] - features.level(at)[:, None])[drawn])
        weight.append(np.full(len(y[-1]), 0.5 ** ((end - at) / HALF_LIFE_DAYS)))
    rows = np.concatenate(x)
    data = lgb.Dataset(
        rows, np.concatenate(y), weight=np.concatenate(weight),
        categorical_feature=features.categories, free_raw_data=True,
        params={"verbosity": -1},
    )  # fmt: skip
    options = DETERMINISTIC | {
        "objective": "l2",
        "num_leaves": LEAVES,
        "learning_rate": LEARNING_RATE,
        "min_data_in_leaf": LEAF_ROWS,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "cat_smooth": 20.0,
        "cat_l2": 20.0,
        "num_threads": workers(len(rows), threads),
    }
    return lgb.train(options, data, num_boost_round=TREES)
