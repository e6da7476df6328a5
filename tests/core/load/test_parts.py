"""Events, breaks, explanation, tracking and queues, each against what is known."""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import numpy as np
import pytest

from pipeline.core.load.breaks import find_breaks, find_shifts
from pipeline.core.load.days import level_days
from pipeline.core.load.events import (
    Occurrence,
    fit_events,
    launch_visits,
    orders_until_sold_out,
)
from pipeline.core.load.explain import in_units, logarithmic_mean
from pipeline.core.load.forecast import Request, forecast_series
from pipeline.core.load.made_up import event_log_effect, retailer
from pipeline.core.load.nowcast import Tracker, fit_tracker, nowcast
from pipeline.core.load.queues import (
    chance_of_waiting_longer,
    critical_level,
    erlang_b,
    erlang_c,
    servers_needed,
    with_zone_redundancy,
)
from pipeline.core.load.shape import hindsight_share
from pipeline.errors import UsageError

DAY = 1440


def sale(day: int, hours: int) -> Occurrence:
    return Occurrence("sale", day * DAY + 540, day * DAY + 540 + 60 * hours)


def test_the_body_of_an_event_stretches_and_its_opening_does_not():
    past = tuple(sale(day, hours) for day, hours in ((10, 24), (40, 12), (70, 24), (100, 36)))
    days = 130
    t = (np.arange(days * 24) * 60 + 30.0).reshape(days, 24)
    truth = sum(event_log_effect(one, t) for one in past)
    effects = fit_events(np.asarray(truth), past, 60)
    coming = sale(120, 48)
    inside = (t.ravel() >= coming.start) & (t.ravel() < coming.end)
    found = effects.log_effect([coming], days)[inside]
    assert np.abs(found - event_log_effect(coming, t.ravel())[inside]).mean() < 0.06
    assert found[0] > found[24] + 0.3  # the rush at the opening is there, and is over by the middle


def test_the_shape_of_old_weeks_is_followed_without_the_day_itself():
    drift = np.linspace(0, 1, 200)[:, None] * np.array([[1.0, -1.0]])
    weight = np.ones(200)
    weight[60] = 0.0
    odd = drift.copy()
    odd[60] += 5.0
    followed = hindsight_share(odd, np.full((200, 2), drift.mean(axis=0)), weight)
    assert np.abs(followed - drift)[60:-60].max() < 0.03


def test_an_event_moved_by_ten_days_moves_its_forecast_by_ten_days():
    past = tuple(sale(day, 24) for day in (40, 75, 110))
    made = retailer(150, past, seed=3)
    curves = {}
    for day in (133, 143):
        events = (*past, sale(day, 24))
        fit = forecast_series(Request(made.load[:130], made.first_day, ("",) * 150, 20, events))
        curves[day] = fit.event_log_effect.ravel()
    np.testing.assert_allclose(curves[133][: 24 * 8], curves[143][24 * 10 : 24 * 18], atol=1e-9)
    assert curves[143].max() > 0.5


def test_a_kind_never_seen_borrows_its_analog_and_is_less_sure():
    past = tuple(sale(day, 24) for day in (40, 75, 110))
    made = retailer(150, past, seed=4)
    fits = []
    for kind, analog in (("sale", ()), ("launch_party", (("launch_party", "sale"),))):
        coming = Occurrence(kind, *(sale(140, 24).start, sale(140, 24).end))
        events = (*past, coming)
        fits.append(forecast_series(Request(made.load[:130], made.first_day, ("",) * 150, 20,
                                            events, analog)))  # fmt: skip
    own, borrowed = fits
    np.testing.assert_allclose(borrowed.curve, own.curve)
    ratio = borrowed.event_error.std() / own.event_error.std()
    assert ratio == pytest.approx(np.sqrt(2), rel=1e-9)


def test_a_launch_sells_out_while_its_visits_go_on():
    visits = launch_visits(np.arange(0, 600.0), 10_000)
    orders = orders_until_sold_out(visits, 0.1, 300)
    assert visits.sum() == pytest.approx(10_000, rel=0.01)
    assert orders.sum() == pytest.approx(300)
    gone = int(np.flatnonzero(orders > 0)[-1])
    assert visits[gone + 10] > 0
    assert orders[gone + 1 :].sum() == 0


def test_a_planted_break_is_dated_and_a_clean_series_has_none():
    made = retailer(1000, seed=5, break_day=600, break_per_year=0.3, wander_sd=0.008)
    clean = retailer(1000, seed=5, wander_sd=0.008)
    found = []
    for one in (made, clean):
        level = np.log(one.load.mean(axis=1))
        days = level_days(one.first_day, ("",) * 1000, 1000)
        found.append(find_breaks(level, np.ones(1000), days))
    assert len(found[0]) == 1
    assert abs(found[0][0].day - 600) <= 21
    assert found[0][0].change_per_year == pytest.approx(0.3, abs=0.1)
    assert found[1] == []


def test_an_outage_widens_no_peak_of_the_weeks_after_it():
    made = retailer(75)
    tops = []
    for gone in (np.nan, 0.0):  # nobody measured; or it was found to be an outage
        load = made.load[:68].copy()
        load.ravel()[48 * 24 + 10 : 51 * 24 + 7] = gone
        fit = forecast_series(Request(load, made.first_day, ("",) * 75, 7, paths=200))
        assert not np.isfinite(fit.scored.ravel()[48 * 24 + 10 : 51 * 24 + 7]).any()
        tops.append(np.quantile(fit.peaks(7), 0.95, axis=0))
    np.testing.assert_allclose(tops[0], tops[1], rtol=0.02)


def test_parts_in_units_add_up_to_the_whole():
    random = np.random.default_rng(1)
    parts = {name: random.normal(0, 0.3, 50) for name in "abc"}
    parts["a"][:5] = parts["b"][:5] = parts["c"][:5] = 0.0
    base = random.uniform(1, 1e6, 50)
    units = in_units(parts, base)
    whole = base * np.exp(sum(parts.values()))
    np.testing.assert_allclose(sum(units.values()), whole, rtol=1e-12)
    assert logarithmic_mean(np.array([4.0]), np.array([1.0]))[0] == pytest.approx(3 / np.log(4))
    assert logarithmic_mean(np.array([2.0]), np.array([2.0]))[0] == pytest.approx(2.0)


def test_tracking_learns_an_event_that_runs_half_as_high_again():
    forecast = np.full(100, 200.0)
    actual = 300 * np.exp(np.random.default_rng(2).normal(0, 0.05, 20))
    now = nowcast(actual, forecast, Tracker(0.0025, 1e-5, 1e6), capacity=250)
    assert np.exp(now.log_ratio) == pytest.approx(1.5, rel=0.03)
    assert now.curve.mean() == pytest.approx(300, rel=0.03)
    assert now.chance_over == 1.0
    assert now.log_ratio_sd < 0.05


def test_tracking_survives_missing_and_absurd_minutes():
    actual = np.array([200.0, np.nan, 0.0, 205.0, 1e9, 198.0] * 5)
    now = nowcast(actual, np.full(60, 200.0), Tracker(0.01, 1e-4, 200.0))
    assert np.isfinite(now.curve).all()
    assert 0.3 < np.exp(now.log_ratio) < 3
    assert fit_tracker(np.full((3, 20), np.nan)).observation_variance > 0


def exact_c(servers: int, load: Fraction) -> Fraction:
    """Erlang C by its defining sum, in exact fractions."""
    terms = [load**k / factorial(k) for k in range(servers)]
    last = load**servers / factorial(servers) * Fraction(servers) / (servers - load)
    return last / (sum(terms) + last)


@pytest.mark.parametrize(("servers", "load"), [(1, "1/2"), (5, "4"), (20, "35/2"), (60, "55")])
def test_erlang_formulas_match_exact_fractions(servers, load):
    a = Fraction(load)
    terms = [a**k / factorial(k) for k in range(servers + 1)]
    assert erlang_b(servers, float(a)) == pytest.approx(float(terms[-1] / sum(terms)), abs=1e-10)
    assert erlang_c(servers, float(a)) == pytest.approx(float(exact_c(servers, a)), abs=1e-10)


def test_servers_are_the_fewest_that_keep_the_promise():
    for rate in (0.5, 3.0, 40.0, 400.0):
        c = servers_needed(rate, 0.7, 0.2, 0.05, 0.9)
        assert chance_of_waiting_longer(c, rate, 0.7, 0.2) <= 0.05
        assert rate * 0.7 / c <= 0.9 + 1e-9
        fewer_waits = chance_of_waiting_longer(c - 1, rate, 0.7, 0.2) > 0.05
        assert fewer_waits or rate * 0.7 / (c - 1 or 1e-9) > 0.9


def test_a_lost_zone_leaves_enough_servers():
    for need in range(1, 30):
        for zones in (2, 3, 4):
            total = with_zone_redundancy(need, zones)
            assert total - total // zones >= need
    assert with_zone_redundancy(7, 1) == 7


def test_a_queue_that_cannot_be_met_is_refused():
    with pytest.raises(UsageError, match="chance"):
        servers_needed(1.0, 1.0, 1.0, 0.0)
    assert critical_level(9.0, 1.0) == pytest.approx(0.9)


def test_providing_for_the_quantile_keeps_overload_within_what_it_promises():
    random = np.random.default_rng(9)
    peaks = random.gamma(30, 4, (20_000, 1))
    level = critical_level(19.0, 1.0)
    capacity = np.quantile(peaks[:10_000], level)
    assert (peaks[10_000:] > capacity).mean() <= 1 - level + 0.01


def test_a_planted_shift_is_dated_and_sized_and_is_no_slope_break():
    made = retailer(700, seed=8, wander_sd=0.008)
    level = np.log(made.load.mean(axis=1))
    days = level_days(made.first_day, ("",) * 700, 700)
    assert find_shifts(level, np.ones(700), days) == []
    moved = level - 0.3 * (np.arange(700) >= 433)
    found = find_shifts(moved, np.ones(700), days)
    assert len(found) == 1
    assert abs(found[0].day - 433) <= 3
    assert found[0].change == pytest.approx(-0.3, abs=0.03)


def test_a_slope_break_is_no_shift():
    made = retailer(1000, seed=5, break_day=600, break_per_year=0.3, wander_sd=0.008)
    level = np.log(made.load.mean(axis=1))
    days = level_days(made.first_day, ("",) * 1000, 1000)
    assert find_shifts(level, np.ones(1000), days) == []
