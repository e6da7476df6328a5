"""How much a cut price lifts an item's days: what past promotions sold is no level.

A price is cut where it lies `DEPTH` or more below what it mostly was on the days of the last eight
weeks (their upper quartile, so a cut that lasts six weeks is the new price). A day at the price p
where u is usual counts for (u / p) ^ e usual days. The elasticity e of an item is the one that
explains what its promotions sold beside the days without one in the four weeks around them, moved
by season and weekday; items are drawn to their department and those to all, as lifts of events are
(`events`). Trees start from it, and know the price as well.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.core.arithmetic import single_exp
from pipeline.forecast.events import (
    Bools,
    Ints,
    middle_of,
    occasions,
    own_share,
    quiet_days,
    weekday_index,
)
from pipeline.forecast.panel import F32, F64, Panel
from pipeline.kernels import njit

DEPTH, MOST_LOG_DEPTH, MOST_LOG_LIFT = 0.05, np.log(2.5), np.log(20.0)
"""A price cut by more than sixty per cent is a clearance or an error, and lifts no more."""
SAMPLES, SAMPLE_DAYS = 9, 7
AROUND_DAYS, LEAST_DAYS = 28, 7.0
TRIED = np.linspace(0.0, 6.0, 25)
"""Elasticities between which the one that explains sales is interpolated."""
PRIOR_VARIANCE = 4.0
DISPERSION, RUN_VARIANCE = 1.5, 0.05


def with_price_lift(panel: Panel) -> Panel:
    """`panel` with what cut prices lift each of its days by, as known at its end."""
    depth = cut_depths(panel.price, panel.period_days)
    if not depth.any():
        return replace(panel, price_lift=None)
    elasticity = elasticities(panel, depth).astype(np.float32)
    log_lift = elasticity[panel.item][:, None] * depth
    return replace(panel, price_lift=single_exp(np.minimum(log_lift, np.float32(MOST_LOG_LIFT))))


def cut_depths(price: F32 | F64, period_days: int) -> F32:
    """Logarithm (rows, days) of the usual price over a day's, where it is cut; else 0."""
    depth = np.zeros(price.shape, np.float32)
    _depths(price, max(1, SAMPLE_DAYS // period_days), depth)
    return depth


@njit(cache=True)
def _depths(price, step, out):  # type: ignore[no-untyped-def]  # numba kernel
    """Fill `out` as `cut_depths` says; the last eight weeks are looked at every `step` days."""
    held = np.empty(SAMPLES)
    for i in range(price.shape[0]):
        for d in range(price.shape[1]):
            now, top, known = price[i, d], 0.0, 0
            if not now > 0:
                continue
            for k in range(SAMPLES):
                before = d - k * step
                if before >= 0 and price[i, before] > 0:
                    held[known] = price[i, before]
                    top = max(top, held[known])
                    known += 1
            if now > (1.0 - DEPTH) * top:
                continue
            usual = np.sort(held[:known])[known - 1 - known // 4]
            if now <= (1.0 - DEPTH) * usual:
                out[i, d] = min(np.log(usual / now), MOST_LOG_DEPTH)


def elasticities(panel: Panel, depth: F32) -> F64:
    """Elasticity (items,) of demand to a cut price, of promotions `depth` (series, days)."""
    items, regions = int(panel.item.max()) + 1, int(panel.region.max()) + 1
    busy = occasions(panel.calendar.named, regions, panel.days + panel.ahead)
    quiet: Bools = quiet_days(busy)[:, : panel.days] if len(busy) else np.ones(
        (regions, panel.days), bool)  # fmt: skip
    usual = np.ones(panel.demand.shape, np.float32)
    if panel.period_days == 1:
        weekday = weekday_index(panel, quiet)
        of_day = (panel.first_weekday + np.arange(panel.days)) % 7
        usual *= weekday.astype(np.float32)[panel.group][:, of_day]
    if panel.season is not None:
        usual *= panel.item_days()[panel.item][:, : panel.days]
    sold, base = np.zeros(items), np.zeros((items, len(TRIED)))
    depths, runs = np.zeros(items), np.zeros(items)
    _sums(
        panel.demand, depth, usual, quiet, panel.item, panel.region,
        max(4, AROUND_DAYS // panel.period_days), LEAST_DAYS / panel.period_days,
        sold, base, depths, runs,
    )  # fmt: skip
    group: Ints = np.zeros(items, np.int64)
    group[panel.item] = panel.department + 1
    return _drawn(sold, base, depths, runs / regions, group)


@njit(cache=True)
def _sums(demand, depth, usual, quiet, item, region, around, least, sold, base, depths, runs):  # type: ignore[no-untyped-def]  # numba kernel
    """Add up, by item, what promotions sold and what they would have sold at each elasticity."""
    days = demand.shape[1]
    for i in range(demand.shape[0]):
        units, weight = np.zeros(days + 1), np.zeros(days + 1)
        for d in range(days):
            plain = quiet[region[i], d] and depth[i, d] == 0 and not np.isnan(demand[i, d])
            units[d + 1] = units[d] + (demand[i, d] if plain else 0.0)
            weight[d + 1] = weight[d] + (usual[i, d] if plain else 0.0)
        before = False
        for d in range(days):
            cut = depth[i, d] > 0 and quiet[region[i], d] and not np.isnan(demand[i, d])
            low, high = max(0, d - around), min(days, d + around + 1)
            if cut and weight[high] - weight[low] >= least:
                level = (units[high] - units[low]) / (weight[high] - weight[low]) * usual[i, d]
                sold[item[i]] += demand[i, d]
                depths[item[i]] += level * depth[i, d]
                for k in range(len(TRIED)):
                    base[item[i], k] += level * np.exp(TRIED[k] * depth[i, d])
                runs[item[i]] += 0.0 if before else 1.0
            before = cut


def _drawn(sold: F64, base: F64, depths: F64, runs: F64, group: Ints) -> F64:
    """Elasticities of items drawn to those of their department, and these to that of all."""

    def by(codes: Ints) -> tuple[F64, F64]:
        count = int(codes.max()) + 1
        own = [
            np.bincount(codes, c, count).astype(np.float64) for c in (sold, depths, runs, *base.T)
        ]
        return _measured(own[0], np.stack(own[3:], axis=1), own[1], own[2])

    every = middle_of(0.0, *by(np.zeros(len(sold), np.int64)), PRIOR_VARIANCE)
    middle = middle_of(float(every[0]), *by(group), PRIOR_VARIANCE / 4)[group]
    measured, variance = _measured(sold, base, depths, runs)
    known = base[:, 0] > 0.5
    share = own_share(measured - middle, variance, known)
    return np.asarray(middle + np.where(known, share, 0.0) * (measured - middle))


def _measured(sold: F64, base: F64, depths: F64, runs: F64) -> tuple[F64, F64]:
    """The elasticity that explains what was sold, and the variance of its error."""
    found = np.array([
        np.interp(np.log(s + 0.1), np.log(own + 0.1), TRIED)
        for s, own in zip(sold, base, strict=True)
    ])  # fmt: skip
    depth = np.maximum(depths / np.maximum(base[:, 0], 1e-9), DEPTH)
    return found, (DISPERSION / (sold + 0.5) + RUN_VARIANCE / np.maximum(runs, 1.0)) / depth**2
