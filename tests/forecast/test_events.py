"""Lifts of named events: what is known before an occurrence, and what after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.forecast.events import is_rare, occurrences, shrunk, with_lifts
from pipeline.forecast.lift_evidence import Around, Sums, measured, windows_of
from pipeline.forecast.outliers import find_spikes
from pipeline.forecast.panel import Calendar, Panel
from pipeline.forecast.seasons import with_exposure

DAYS = 800
BEGINS = (100, 465, 830)


def panel(items: int = 40, lift: float = 5.0, seed: int = 3) -> Panel:
    """Items of which the first alone sells `lift` times as much on three days a year."""
    random = np.random.default_rng(seed)
    total = DAYS + 60
    named = np.zeros((1, 1, total), bool)
    for begin in BEGINS:
        named[0, 0, begin : begin + 3] = True
    rate = np.full((items, DAYS), 6.0)
    rate[0, named[0, 0, :DAYS]] *= lift
    zero, code = np.zeros(items, np.int32), np.arange(items, dtype=np.int32)
    far = np.full((1, total), 28, np.float32)
    calendar = Calendar(
        np.zeros((1, total, 1), np.float32),
        far,
        far,
        np.arange(total, dtype=np.int32) - 364,
        named=named,
    )
    demand = random.poisson(rate).astype(np.float32)
    return Panel(
        np.datetime64("2022-01-03"), demand, np.full((items, total), 9, np.float32),
        np.zeros(demand.shape, bool), zero, zero + 10**6, code, zero, zero, zero, zero, calendar,
    )  # fmt: skip


def test_one_item_of_many_keeps_a_lift_that_the_others_lack() -> None:
    found = with_lifts(panel())
    assert found.lift is not None
    assert 3.8 < found.lift[0, 831] < 6.0
    others = np.abs(np.log(found.lift[1:, 831]))
    assert others.mean() < 0.2
    assert others.max() < 0.7  # the one item's is above 1.3


def test_one_item_of_many_keeps_a_fall_that_came_twice() -> None:
    own = panel(lift=0.1)
    found = with_lifts(own)
    assert found.lift is not None
    assert 0.05 < found.lift[0, 831] < 0.3
    assert np.abs(np.log(found.lift[1:, 831])).mean() < 0.2
    demand = own.demand.copy()
    demand[0, :300] = np.nan  # once may have been a stock-out
    found = with_lifts(replace(own, demand=demand))
    assert found.lift is not None
    assert abs(np.log(found.lift[0, 831])) < 0.35


def test_a_day_ahead_knows_nothing_of_its_own_occurrence() -> None:
    own = panel()
    demand = own.demand.copy()
    demand[:, 465:468] = 0.0
    found, other = with_lifts(own), with_lifts(replace(own, demand=demand))
    assert found.lift is not None
    assert other.lift is not None
    np.testing.assert_array_equal(found.lift[:, :830], other.lift[:, :830])
    assert (found.lift[:, 100:103] == 1.0).all()
    assert (found.lift[:, 831] != other.lift[:, 831]).any()


def test_without_evidence_there_is_no_lift() -> None:
    none = Sums(*np.zeros((6, 1, 4)))
    found = shrunk(none, none.take(np.zeros(1, bool)), np.ones(4, int), 0.25)
    np.testing.assert_array_equal(found, np.zeros(4))


def test_an_item_that_ran_out_or_came_beside_an_event_has_no_lift_of_it() -> None:
    own = panel(lift=1.0)
    demand = own.demand.copy()
    demand[:4, :300] = np.nan  # one occurrence is known
    demand[0, 468:540] = 0.0  # out of stock from the day after: twice what lay around it
    demand[1, 400:465] = 0.0  # back on the day itself
    demand[2, 430:500] = 0.0  # not there at all
    demand[2, 466] = 2.0
    demand[3, 465:468] = 0.0  # runs out on the day
    found = with_lifts(replace(own, demand=demand))
    assert found.lift is not None
    assert np.abs(np.log(found.lift[:4, 827:836])).max() < 0.35


def test_places_of_an_event_are_apart_and_reach_three_days() -> None:
    event = np.zeros((1, 40), bool)
    event[0, 10:12] = event[0, 30] = True
    days = {found.place: found.days.any(axis=(0, 1)) for found in occurrences(event)}
    assert np.flatnonzero(days["before"]).tolist() == [7, 8, 9, 27, 28, 29]
    assert np.flatnonzero(days["during"]).tolist() == [10, 11, 30]
    assert np.flatnonzero(days["after"]).tolist() == [12, 13, 14, 31, 32, 33]


def test_a_day_that_the_calendar_names_is_no_spike() -> None:
    demand = np.full((1, 120), 6.0, np.float32)
    demand[0, 100] = 90.0
    planned = np.zeros(demand.shape, bool)
    assert find_spikes(demand, planned)[0, 100]
    planned[0, 100] = True
    assert not find_spikes(demand, planned).any()


def test_what_ran_out_last_year_is_no_season() -> None:
    own = panel()
    rate = 6.0 * (1 + 0.9 * np.sin(np.arange(DAYS) * 2 * np.pi / 365.25))
    full = np.random.default_rng(4).poisson(rate, own.demand.shape).astype(np.float32)
    short, gap = full.copy(), np.zeros(full.shape, bool)
    gap[:, 435:456] = True  # the same weeks of last year
    short[gap] = 0.0
    ahead = slice(800, 821)
    for is_told, most in ((True, 0.15), (False, np.inf)):
        told = replace(own, demand=short, is_censored=gap & is_told)
        seasons = [with_exposure(p).season for p in (told, replace(own, demand=full))]
        assert seasons[0] is not None
        assert seasons[1] is not None
        off = np.abs(np.log(seasons[0][:, ahead].sum(axis=1) / seasons[1][:, ahead].sum(axis=1)))
        assert off.mean() < most
    assert off.mean() > 0.3  # read as sales, they would be one


def test_levels_that_changed_meanwhile_make_a_lift_doubtful() -> None:
    """Sixty units where sixty are usual, by levels alike before and after, or one four times the
    other."""
    placebo = Sums(*np.full((6, 12, 1), 60.0))
    still = Sums(*np.full((6, 1, 1), 60.0))
    found = [
        measured(replace(still, early=still.early * change, late=still.late / change), placebo)
        for change in (1.0, 2.0)
    ]
    assert found[1][1][0] - found[0][1][0] == pytest.approx(np.log(2.0) ** 2, rel=0.02)
    assert found[1][0][0] == found[0][0][0]


def test_days_with_nothing_known_before_them_tell_no_lift() -> None:
    own = panel(items=1, lift=1.0)
    quiet = np.ones((1, DAYS), bool)
    around = Around.of(own, np.ones((1, 7)), quiet)
    days = np.zeros((2, 1, DAYS), bool)
    days[0, 0, 3:6] = days[1, 0, 30:33] = True
    sums = around.sums([windows_of(days, quiet)])[0]
    sums = sums.take(~windows_of(days, quiet).is_placebo)
    assert sums.sold[:, 0].tolist() == [0.0, own.demand[0, 30:33].sum()]
    assert sums.usual[:, 0] == pytest.approx([0.0, 18.0], abs=2.0)


def test_an_item_that_comes_with_an_event_is_not_read_as_its_lift_before_more_is_known() -> None:
    own = panel(lift=1.0)
    demand = own.demand.copy()
    demand[0, :465] = np.where(np.isnan(demand[0, :465]), np.nan, 1.0)  # six from the day on
    found = with_lifts(replace(own, demand=demand).until(470))
    assert found.lift_seen is not None
    assert np.abs(np.log(found.lift_seen[0, 465:468])).max() < 0.35


def test_an_occasion_is_rare_between_its_occurrences_or_among_all_days() -> None:
    """Whatever the number of its occurrences that happen to be known."""
    days = np.arange(860)
    month_of_feasts = np.isin(days, np.add.outer([100, 454, 808], np.arange(30)))
    deal = (days // 10) % 9 == 4
    twice_in_three_weeks = np.isin(days, [*range(100, 110), *range(121, 131)])
    named = np.stack([month_of_feasts, deal, twice_in_three_weeks, days < 0])[:, None]
    assert month_of_feasts.mean() > 0.1
    np.testing.assert_array_equal(is_rare(named), [True, False, True, True])
