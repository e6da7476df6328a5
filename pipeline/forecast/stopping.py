"""How many trees the mean is worth: the number that foresaw held-back days best.

Where rows are few and sales come in lumps, late trees learn by heart which rows held the large
orders: they forecast too little of everything else, by a third or a half on a hundred series of a
wholesaler. So the trees that have not seen the last days are asked there, with ever more of them,
for four weeks at a time; the number with the highest likelihood of what came (negative binomial,
of the size that suits each number best) is how many are kept, and grown again on everything.
Judged are days, which show patterns within a week, and their sums, which show what is always too
low. Where items are to come, as many others are judged without their history: late trees tell by
what an item is what its sales do not tell yet.
"""

from __future__ import annotations

from dataclasses import replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from pipeline.forecast.features import features, history
from pipeline.forecast.forest import Forest
from pipeline.forecast.mean import offset
from pipeline.forecast.panel import F64, I32, Panel, Totals
from pipeline.forecast.panel import totals as sums_of
from pipeline.forecast.seasons import as_known
from pipeline.forecast.shape import likeliest_size, likelihood_of
from pipeline.forecast.windows import Windows, on_sale

JUDGED_DAYS = 28
JUDGED_SERIES = 2_000
SHARES = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
"""Numbers of trees that are tried, as shares of all."""
LEAST_SUMS, UNJUDGED_SHARE = 20, 0.1
"""Fewer known sums than so many are no judge: such a share of the trees is kept."""
LEAST_MEAN = 1e-3
DAYS_AS_ONE = 7.0
"""Days of a series err together: so many count as one."""
SHOCK, SHOCKS = 0.2, np.linspace(-0.9, 0.9, 13)
"""Standard deviation of what all series of an origin have in common, in logarithms; values tried.
Without it, trees that happen to forecast too little would be kept where everything fell."""


def trees_worth_keeping(
    early: lgb.Booster, panel: Panel, totals: Totals, cut: int, seed: int
) -> int:
    """Number of trees of `early`, grown on days up to `cut`, that foresaw what came after best."""
    every = early.num_trees()
    rows = _drawn(panel.series, seed)
    known = as_known(panel, cut)
    sums = totals if known is panel else sums_of(known)
    shard = known.take(rows)
    days = max(1, JUDGED_DAYS // panel.period_days)
    days = min(days, max(1, panel.days - 1 - cut))
    tried = np.unique([max(1, round(share * every)) for share in SHARES])
    means, units = [], []
    origins = {panel.whole_origin(day) for day in range(cut, panel.days - days, days)}
    hidden = _hidden(known, cut, seed)
    for origin in sorted(origins - {*range(cut)}):
        asked = [(shard, sums)]
        if len(hidden):
            blank = _without_history(known, hidden, origin)
            asked.append((blank.take(hidden), sums_of(blank)))
        for own, own_sums in asked:
            found, came = _days(early, tried, own, own_sums, origin, days)
            means.append(found)
            units.append(came)
    if sum(len(own) for own in units) < LEAST_SUMS:
        return max(1, round(UNJUDGED_SHARE * every))
    likelihood = [_likelihood([own[k] for own in means], units) for k in range(len(tried))]
    return int(tried[int(np.argmax(np.round(likelihood, 6)))])


def _hidden(panel: Panel, cut: int, seed: int) -> npt.NDArray[np.intp]:
    """Series of items to be judged as if they were still to come: as large a part of those with a
    history as items really to come are beside them. None where none is to come."""
    has_history = np.isfinite(panel.demand[:, : cut + 1]).any(axis=1)
    coming = int(((panel.launch_day >= panel.days) & ~has_history).sum())
    items = np.unique(panel.item[has_history])
    share = coming / max(int(has_history.sum()), 1)
    count = min(round(share * len(items)), len(items) // 2)
    drawn = np.random.default_rng([seed, len(items)]).choice(items, count, replace=False)
    rows = np.flatnonzero(np.isin(panel.item, drawn) & has_history)
    return rows[:JUDGED_SERIES]


def _without_history(panel: Panel, rows: npt.NDArray[np.intp], origin: int) -> Panel:
    """`panel` in which the series `rows` begin on the day after `origin`."""
    demand, launch_day = panel.demand.copy(), panel.launch_day.copy()
    demand[rows, : origin + 1] = np.nan
    launch_day[rows] = origin + 1
    return replace(panel, demand=demand, launch_day=launch_day)


def _likelihood(means: list[F64], units: list[F64]) -> float:
    """Log likelihood of days and of their sums; sums of an origin share a shock, at a price."""
    mean, came = np.maximum(np.concatenate(means), LEAST_MEAN), np.concatenate(units)
    size = likeliest_size(came.ravel(), mean.ravel())
    total = likelihood_of(came.ravel(), mean.ravel(), size) / DAYS_AS_ONE
    size = likeliest_size(came.sum(axis=1), mean.sum(axis=1))
    for daily, sold_daily in zip(means, units, strict=True):
        own, sold = daily.sum(axis=1), sold_daily.sum(axis=1)
        shocked = [
            likelihood_of(sold, np.maximum(own * np.exp(shock), LEAST_MEAN), size)
            - 0.5 * (shock / SHOCK) ** 2
            for shock in SHOCKS
        ]
        total += max(shocked)
    return total


def first_trees(booster: lgb.Booster, trees: int) -> lgb.Booster:
    """The first `trees` of a booster."""
    if trees >= booster.num_trees():
        return booster
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=trees))


def _drawn(series: int, seed: int) -> npt.NDArray[np.intp]:
    if series <= JUDGED_SERIES:
        return np.arange(series)
    return np.sort(np.random.default_rng(seed).choice(series, JUDGED_SERIES, replace=False))


def _days(
    early: lgb.Booster, tried: npt.NDArray[np.intp], panel: Panel, totals: Totals, origin: int,
    days: int,
) -> tuple[F64, F64]:  # fmt: skip
    """Means (numbers of trees, series, days) of the `days` after `origin`, and what came (series,
    days), of the series whose demand on all of these days is known."""
    behind, seen = panel.until(origin + 1), totals.until(origin + 1)
    whole = Windows(
        np.arange(panel.series, dtype=np.int32), np.full(panel.series, origin, np.int32),
        np.ones(panel.series, np.int32), np.full(panel.series, days, np.int32),
        np.ones(panel.series), np.empty((panel.series, 0), np.float32),
    ).units(panel)  # fmt: skip
    own = np.flatnonzero(np.isfinite(whole))
    series = np.repeat(own.astype(np.int32), days)
    target: I32 = np.tile(origin + 1 + np.arange(days, dtype=np.int32), len(own))
    at = np.full(len(series), origin, np.int32)
    x = features(behind, seen, history(behind, seen), series, at, target)
    raw, done, forest = offset(x), 0, Forest.of(early)
    is_sold = on_sale(panel, origin + 1 + np.arange(days))[own]
    out = np.empty((len(tried), len(own), days))
    for k, trees in enumerate(tried):
        raw = raw + forest.raw(x, done, int(trees))
        done = int(trees)
        out[k] = np.exp(raw).reshape(len(own), days) * is_sold
    came = np.nan_to_num(panel.demand[own, origin + 1 : origin + 1 + days])
    return out, came.astype(np.float64)
