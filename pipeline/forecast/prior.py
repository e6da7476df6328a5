"""What is believed of demand before a company's own history can teach: simulated series.

A history of a few weeks holds no window of the lengths that a plan asks for, and ten days teach
trees nothing. Then the trees and the spread are grown on simulated demand instead, and the real
series enter only as what they sold: their level, their weekdays, their zeros, and how rates are
spread over the items. Simulated is what retail demand has in common: levels that drift, weekdays,
promotions with an elasticity of −1.5, and negative-binomial counts whose size r differs from item
to item, with a shock that an item's regions share. Many launches are known by the first sale alone;
half of the series that begin late begin so, since a first day that was chosen for its sale says
little of the next ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.contracts.settings import LEAST_HISTORY_DAYS
from pipeline.forecast.panel import F64, Calendar, Panel

LEAST_WINDOWS = 30
_FEW_SERIES = 8
_SERIES = 600
_DRIFT, _ELASTICITY = 0.012, -1.5


def is_short(panel: Panel, last_taught: int, days: int) -> bool:
    """Whether the history is too short to learn from it alone: in days, or because gaps leave too
    few whole windows of `days` days after the day `last_taught` to judge forecasts by."""
    if int(np.isfinite(panel.demand).any(axis=0).sum()) < LEAST_HISTORY_DAYS:
        return True
    seen = panel.observed()[:, last_taught + 1 :]
    seen = seen | panel.closed(np.arange(last_taught + 1, panel.days))
    running = np.zeros((len(seen), seen.shape[1] + 1), dtype=np.int64)
    np.cumsum(seen, axis=1, out=running[:, 1:])
    whole = running[:, days:] - running[:, :-days] == days
    return int(whole[:, ::days].sum()) < min(LEAST_WINDOWS, panel.series)


def _rates(like: Panel, items: int, random: np.random.Generator) -> F64:
    """Daily units (items,) of simulated items: spread as the company's own, or log-normal from one
    in two months to tens a day where it has not sold yet.

    A series of n days that sold s has the rate (s + 1/2) / (n + 7): a few days say little.
    """
    days = np.isfinite(like.demand).sum(axis=1)
    units = np.nan_to_num(like.demand).sum(axis=1, dtype=np.float64)
    known = np.flatnonzero(days >= 7)
    if len(known) < _FEW_SERIES or not units[known].any():
        return np.asarray(np.exp(random.normal(-0.5, 1.6, items)))
    own = np.sort((units[known] + 0.5) / (days[known] + 7.0))
    drawn = own[random.integers(0, len(own), items)]
    return np.asarray(drawn * np.exp(random.normal(0, 0.3, items)))


def simulated_panel(like: Panel, regions: int, horizon: int, seed: int) -> Panel:
    """A panel of simulated series over `regions` regions, with the attributes' columns of `like`
    unknown; long enough to hold windows that reach `horizon` days ahead."""
    random = np.random.default_rng(seed)
    items = int(np.clip(_SERIES // max(regions, 1), 8, 300))
    days = 3 * horizon + 84
    item, region = (a.ravel() for a in np.indices((items, regions)))
    n = len(item)
    rate = _rates(like, items, random)[item] * random.gamma(4.0, 0.25, n)
    drift = np.cumsum(random.normal(0, _DRIFT, (n, days)), axis=1)
    weekday = np.exp(random.normal(0, 0.3, (items, 7)))
    weekday /= weekday.mean(axis=1, keepdims=True)
    price = np.exp(random.normal(0.0, 0.8, items))[:, None] * np.ones((items, days + horizon))
    for k in range(items):
        for begin in np.flatnonzero(random.random(days + horizon) < 1 / 60):
            price[k, begin : begin + 10] *= 0.8
    usual = np.median(price, axis=1, keepdims=True)
    lift = (price / usual) ** _ELASTICITY
    shock = random.gamma(8.0, 1 / 8.0, (items, days // 7 + 1)).repeat(7, axis=1)[:, :days]
    pattern = weekday[:, np.arange(days) % 7] * lift[:, :days] * shock
    mean = rate[:, None] * np.exp(drift - drift.mean(axis=1, keepdims=True)) * pattern[item]
    size = np.exp(random.normal(0.7, 0.8, items))[item][:, None]
    demand = random.poisson(random.gamma(size, mean / size)).astype(np.float32)
    # Half of the series begin late, so that levels known from a few days are learned as such.
    is_late = random.random(n) < 0.5
    start = (random.integers(0, days - 14, n) * is_late).astype(np.int32)
    ahead = np.arange(days) >= start[:, None]
    first_sale = np.argmax((demand > 0) & ahead, axis=1)
    by_sale = is_late & (random.random(n) < 0.5) & (first_sale > 0) & (first_sale < days - 14)
    start = np.where(by_sale, first_sale, start).astype(np.int32)
    demand[np.arange(days) < start[:, None]] = np.nan
    first = like.first_date - np.timedelta64(days - like.days, "D")
    far = np.full((regions, days + horizon), 28, np.float32)
    flags = np.zeros((regions, days + horizon, like.calendar.flags.shape[2]), np.float32)
    zero = np.zeros(n, np.int32)
    unknown = None
    if like.attributes is not None:
        unknown = np.full((n, like.attributes.shape[1]), np.nan, np.float32)
    return replace(
        like,
        first_date=first,
        demand=demand,
        price=price[item].astype(np.float32),
        is_censored=np.zeros(demand.shape, bool),
        launch_day=start,
        end_day=np.full(n, 10**6, np.int32),
        item=item.astype(np.int32),
        region=region.astype(np.int32),
        department=zero,
        category=zero,
        group=region.astype(np.int32),
        calendar=Calendar(flags, far, far, np.arange(days + horizon, dtype=np.int32) - 364),
        attributes=unknown,
        expected=None,
    )
