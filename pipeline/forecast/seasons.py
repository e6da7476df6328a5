"""What happens every year: an item's own season and growth, trusted as far as they have forecast.

Seasons are learned on an item's sum over regions. The index of a day is what sold around the same
days of earlier years over those years' means, drawn to 1 by `BORROWED_UNITS` (a Gamma prior); it
reads no later day than half a year before its own, so a training row sees of its target's season
what a night would have seen. Growth is the logarithm of the last year over the year before.

How far an item's season and growth go on is no assumption. Four experts (flat, season, growth,
both) forecast eight weeks from each month of the last year; the probability
of an expert is that of its forecasts under a negative binomial, with the share of the experts among
all items as its prior (EM). An item that sells in August alone trusts its season wholly, an item
whose last year was an accident hardly at all. So far as it tells what was, of which the level is
learned; that it comes again is a matter of occasions, which are fewer than tests: the days ahead
are a mean of the season and of none, by evidence that counts each occasion once. What is too young
to be tested has the season of its department, as far as that has forecast the department.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import single_log
from pipeline.forecast.distribution import log_likelihood
from pipeline.forecast.events import occasions, with_lifts
from pipeline.forecast.panel import F32, F64, Panel, sums_by
from pipeline.forecast.price_lift import with_price_lift
from pipeline.forecast.rhythm import rhythm
from pipeline.kernels import njit

YEAR_DAYS = 365.25
BESIDE_DAYS = 14
REACH_DAYS = 7
INDEX_UNITS = 40.0
"""An index reads as many days around its own as sell so many units, `REACH_DAYS` at most."""
BORROWED_UNITS = 0.5
LEAST, MOST = 0.005, 50.0
MOST_GROWTH = math.log(3.0)
TESTED_DAYS, TEST_STEP_DAYS = 56, 28
TESTS = 12
HALF_LIFE_DAYS = 21.0
SIZES = (3.0, 12.0, 50.0, 200.0)
"""Sizes of the negative binomials under which experts are compared; which is true is unknown."""
MOST_EVIDENCE = 6.0
"""Most that one test may say for an expert: a single accident decides nothing."""
SEASON_COUNTS = 0.5
"""Share of the evidence for a season that counts for days ahead: tests overlap by half, and a
supply that failed in the same month of two years has the evidence of a season twice over."""
EXPERT_PRIOR = np.array([0.85, 0.05, 0.05, 0.05])
PRIOR_ITEMS = 20.0
DEPARTMENT_PRIOR_ITEMS = 2.0
"""What an item shares with its department is told by fewer items than a company has."""
IN_SEASON = 0.15
"""Exposure of a day on which an item is in its season."""


def with_exposure(panel: Panel) -> Panel:
    """`panel` with its exposures anew, as known at its end: season and growth, then cut
    prices, then named events.

    A day's exposure is how many usual days of its series it counts for. Days of named events tell
    nothing of the season, nor of the rhythm, which is learned before it.
    """
    days, total = panel.days, panel.days + panel.ahead
    regions = int(panel.region.max()) + 1
    is_usual = ~np.asarray(occasions(panel.calendar.named, regions, total).any(axis=(0, 1)))
    if panel.calendar.closed is not None:
        is_usual &= ~panel.calendar.closed.all(axis=0)
    units = sums_by(panel.item, np.nan_to_num(_as_if_in_stock(panel))) * is_usual[:days]
    year = YEAR_DAYS / panel.period_days
    seen = sums_by(panel.item, np.isfinite(panel.demand)) > 0
    first = np.where(seen.any(axis=1), seen.argmax(axis=1), days)
    usual = np.broadcast_to(is_usual.astype(np.float64), (len(units), total))
    beat = rhythm(panel, is_usual) if panel.period_days == 1 else None
    usual = usual if beat is None else usual * beat
    known = Known(units, usual, is_usual, first, panel.period_days)
    index, growth = known.index(), year_on_year(units, first, int(year), days)
    evidence = known.evidence(index)
    trusted, grows = _trust(marginal(evidence))
    again, _ = _trust(_counted_once(marginal(evidence)))
    department = np.zeros(len(units), np.int64)
    department[panel.item] = panel.department
    _borrow(known, department, np.asarray(evidence.any(axis=(1, 2))), index, trusted, again)
    slope = np.where(np.isfinite(growth), growth, 0.0) * grows / year
    ahead = np.arange(total) - days
    grown = slope[:, None] * np.maximum(ahead, -year)
    behind = np.exp(trusted[:, None] * single_log(index) + grown)
    comes = (1 + again[:, None] * (index - 1)) * np.exp(grown)
    season = np.where(ahead < 0, behind, comes).astype(np.float32)
    seasonal = replace(panel, season=season, rhythm=beat)
    return with_lifts(with_price_lift(seasonal))


@dataclass(frozen=True)
class Known:
    """Units (items, days), usual days that each day counts for by rhythm (items, days + ahead), the
    days that no event falls on (days + ahead,), first days seen (items,), and days of a period."""

    units: F64
    usual: F64
    is_usual: npt.NDArray[np.bool_]
    first: npt.NDArray[np.intp]
    period_days: int

    def take(self, rows: npt.NDArray[np.intp]) -> Known:
        """Some of the items."""
        units, usual = self.units[rows], self.usual[rows]
        return replace(self, units=units, usual=usual, first=self.first[rows])

    def index(self) -> F32:
        """Season index (items, days + ahead)."""
        out = np.empty(self.usual.shape, np.float32)
        year, reach = YEAR_DAYS / self.period_days, max(1, REACH_DAYS // self.period_days)
        _index(self.units, self.usual, self.is_usual, self.first, year, reach, out)
        return out

    def evidence(self, index: F32) -> F64:
        """Log likelihoods (items, experts, sizes) of the last year's tests of a season."""
        out = np.zeros((len(self.units), 4, len(SIZES)))
        test, step = (max(1, n // self.period_days) for n in (TESTED_DAYS, TEST_STEP_DAYS))
        _evidence(
            self.units, self.usual, self.first, index, YEAR_DAYS / self.period_days, test, step,
            HALF_LIFE_DAYS / self.period_days, out,
        )  # fmt: skip
        return out


def _borrow(
    known: Known, department: npt.NDArray[np.int64], tested: npt.NDArray[np.bool_], index: F32,
    trusted: F64, again: F64,
) -> None:  # fmt: skip
    """Give items that are too young to be `tested` the season of their department.

    That is the index of what its items sold together that were there from the first weeks on, as
    probable as it has forecast that sum, and then the department's tested items.
    """
    old = known.first <= known.first.min() + BESIDE_DAYS // known.period_days
    for code in np.unique(department[~tested]):
        of_it = department == code
        young, judges = np.flatnonzero(of_it & ~tested), np.flatnonzero(of_it & tested)
        elders = np.flatnonzero(of_it & old)
        if not len(judges) or not len(elders):
            continue
        together = replace(
            known, units=known.units[elders].sum(axis=0, keepdims=True),
            usual=known.is_usual[None].astype(np.float64), first=known.first[elders].max()[None],
        )  # fmt: skip
        shared = together.index()
        of_sum = marginal(together.evidence(shared))
        of_items = marginal(known.take(judges).evidence(np.repeat(shared, len(judges), axis=0)))
        of_items = np.concatenate([of_items, np.zeros((1, 4))])  # a young item has none
        index[young] = shared
        for chance, counted in ((trusted, lambda own: own), (again, _counted_once)):
            of_young = _trust(counted(of_items), DEPARTMENT_PRIOR_ITEMS)[0][-1]
            chance[young] = _trust(counted(of_sum))[0] * of_young


def _as_if_in_stock(panel: Panel) -> F32:
    """Demand (series, days) whose suspected stock-outs sell what the days beside them do: what
    ran out last year is no season."""
    gap = panel.is_censored & (panel.demand == 0)
    if not gap.any():
        return panel.demand
    filled = panel.demand.copy()
    _fill(filled, gap, max(1, BESIDE_DAYS // panel.period_days))
    return filled


@njit(cache=True)
def _fill(demand, gap, beside):  # type: ignore[no-untyped-def]  # numba kernel
    """Put the mean of the known days on both sides into each run of `gap`."""
    for i in range(demand.shape[0]):
        d = 0
        while d < demand.shape[1]:
            end = d
            while end < demand.shape[1] and gap[i, end]:
                end += 1
            units, known = 0.0, 0
            if end > d:
                for near in range(max(0, d - beside), min(demand.shape[1], end + beside)):
                    inside = d <= near < end or gap[i, near]
                    if not inside and not np.isnan(demand[i, near]):
                        units, known = units + demand[i, near], known + 1
            if known:
                demand[i, d:end] = units / known
            d = max(end, d + 1)


def as_known(panel: Panel, day: int) -> Panel:
    """`panel` with the exposures that were known at the end of `day`; its later demand stays.

    A panel without exposures is left so.
    """
    if panel.season is None or day == panel.days - 1:
        return panel
    early = with_exposure(panel.until(day + 1))
    seen = early.lift_seen
    if seen is not None and early.lift is not None:
        seen = np.concatenate([seen, early.lift[:, day + 1 : panel.days]], axis=1)
    return replace(
        panel,
        season=early.season,
        rhythm=early.rhythm,
        lift=early.lift,
        lift_seen=seen,
        price_lift=early.price_lift,
    )


def in_season(season: F32, beside: int = 7) -> npt.NDArray[np.bool_]:
    """Days (items, days) well within an item's season: its edges, a few days earlier or later than
    last year, and the days beyond them would teach that it sells less than its season says."""
    out = season >= IN_SEASON
    for days in range(1, beside + 1):
        out[:, days:] &= season[:, :-days] >= IN_SEASON
        out[:, :-days] &= season[:, days:] >= IN_SEASON
    return np.asarray(out)


@njit(cache=True)
def _index(units, usual_days, is_usual, first, year, reach, out):  # type: ignore[no-untyped-def]  # numba kernel
    """Season index (items, days + ahead): 1 where no earlier year is known. It reads as far around
    a day that half of what it reads are usual days, none of a month of events."""
    items, days = units.shape
    length, once = int(year), int(year + 0.5)
    plain = np.zeros(days + 1)
    for d in range(days):
        plain[d + 1] = plain[d] + is_usual[d]
    for i in range(items):
        running, counted = np.zeros(days + 1), np.zeros(days + 1)
        for d in range(days):
            running[d + 1] = running[d] + units[i, d]
            counted[d + 1] = counted[d] + usual_days[i, d]
        beside = 0.0
        for d in range(days):
            low, high = max(d - reach, first[i]), min(d + reach + 1, days)
            beside += units[i, d] * (running[high] - running[low]) / max(high - low, 1)
        daily = beside / max(running[days], 1.0)  # around a day on which units are sold
        near = min(reach, max(1, int(INDEX_UNITS / max(daily, 1e-9) / 2)))
        for d in range(out.shape[1] - 1, -1, -1):
            if d - once < first[i]:  # the first year is its own: only levels long past read it
                out[i, d] = out[i, d + once] if d + once < out.shape[1] else 1.0
                continue
            sold, usual = 0.0, 0.0
            back, place = 1, d - once
            while place >= first[i]:
                low, high = max(place - near, first[i]), min(place + near + 1, days)
                while plain[high] - plain[low] <= near and high - low < length // 4:
                    low, high = max(low - 1, first[i]), min(high + 1, days)
                begin = max(place - length // 2, first[i])
                end = min(begin + length, days, max(d, begin + length // 2))
                if high > low and end - begin >= 0.75 * length:
                    sold += running[high] - running[low]
                    mean = running[end] - running[begin]
                    mean /= max(counted[end] - counted[begin], 1.0)
                    usual += (counted[high] - counted[low]) * mean
                back += 1
                place = d - int(back * year + 0.5)
            ratio = (sold + BORROWED_UNITS) / (usual + BORROWED_UNITS)
            out[i, d] = min(max(ratio, LEAST), MOST)


def year_on_year(units: F64, first: npt.NDArray[np.integer], year: int, day: int) -> F64:
    """Log growth (items,) of the year up to `day` over the one before; NaN where not known."""
    if day < 2 * year:
        return np.full(len(units), np.nan)
    last = units[:, day - year : day].sum(axis=1)
    before = units[:, day - 2 * year : day - year].sum(axis=1)
    growth = np.log((last + 10.0) / (before + 10.0))
    return np.where(first <= day - 2 * year, np.clip(growth, -MOST_GROWTH, MOST_GROWTH), np.nan)


@njit(cache=True)
def _evidence(units, usual_days, first, index, year, test, step, half_life, out):  # type: ignore[no-untyped-def]  # numba kernel
    """Log likelihoods (items, experts) of the last year's tests; 0 where there are none."""
    items, days = units.shape
    half = int(year) // 2
    lag = (half_life / math.log(2.0) + 0.5 * test) / year
    for i in range(items):
        start = first[i] + int(year) + 1 + test
        if days - start < 2 * test:
            continue
        running = np.zeros(days + 1)
        for d in range(days):
            running[d + 1] = running[d] + units[i, d]
        origin = days - test - TESTS * step
        flat, flat_days, own, own_days = 0.0, 0.0, 0.0, 0.0
        decay = 0.5 ** (1.0 / half_life)
        for d in range(first[i], days):
            if max(origin, start) <= d <= days - test and (days - d) % step == 0:
                ahead, length = 0.0, 0.0
                for later in range(d, d + test):
                    ahead += index[i, later] * usual_days[i, later]
                    length += usual_days[i, later]
                log_growth = 0.0
                last = running[d] - running[d - half]
                before = running[d - half] - running[d - 2 * half]
                log_growth = 2.0 * math.log((last + 10.0) / (before + 10.0))
                log_growth = min(max(log_growth, -MOST_GROWTH), MOST_GROWTH) * lag
                came = running[d + test] - running[d]
                level = (flat + 0.02) / (flat_days + 1.0) * length
                season = (own + 0.02) / (own_days + 1.0) * ahead
                grown = math.exp(log_growth)
                for j, size in enumerate(SIZES):
                    log_size = math.log(size)
                    base = log_likelihood(came, level, log_size, -12.0)
                    out[i, 0, j] += base
                    for k, mean in enumerate((season, level * grown, season * grown)):
                        gain = log_likelihood(came, mean, log_size, -12.0) - base
                        out[i, k + 1, j] += base + min(max(gain, -MOST_EVIDENCE), MOST_EVIDENCE)
            usual = usual_days[i, d]
            if usual <= 0.0:
                continue
            passed = decay ** min(usual, 1.0)
            flat, flat_days = flat * passed + units[i, d], flat_days * passed + usual
            seasonal = index[i, d] * usual
            passed = decay ** min(seasonal, 1.0)
            own, own_days = own * passed + units[i, d], own_days * passed + seasonal


def marginal(evidence: F64) -> F64:
    """Log likelihoods (items, experts), each size (items, experts, sizes) as likely as any."""
    top = evidence.max(axis=(1, 2), keepdims=True)
    summed = np.log(np.exp(evidence - top).sum(axis=2))
    return np.asarray(summed - summed[:, :1])


def _counted_once(evidence: F64) -> F64:
    """The evidence (items, experts) of which a season's counts by `SEASON_COUNTS`."""
    return evidence - (1 - SEASON_COUNTS) * evidence[:, [1]] * np.array([0, 1, 0, 1])


def _trust(evidence: F64, prior_items: float = PRIOR_ITEMS) -> tuple[F64, F64]:
    """Probabilities (items,) that the season goes on, and that the growth does.

    The prior counts as `prior_items` items. Items that could not be tested share the probability of
    all; without any test there is none.
    """
    tested = evidence.any(axis=1)
    if not tested.any():
        return np.zeros(len(evidence)), np.zeros(len(evidence))
    share = EXPERT_PRIOR
    chance = np.tile(share, (len(evidence), 1))
    for _ in range(20):
        log_chance = np.log(share) + evidence
        chance = np.exp(log_chance - log_chance.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        share = chance[tested].sum(axis=0) + prior_items * EXPERT_PRIOR
        share = share / share.sum()
    return chance[:, 1] + chance[:, 3], chance[:, 2] + chance[:, 3]
