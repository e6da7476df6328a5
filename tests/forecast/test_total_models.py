"""Two models of the totals: what trees may read, and how both are averaged."""

from dataclasses import replace
from functools import cache, partial

import lightgbm as lgb
import numpy as np
import pytest

from pipeline.forecast import total_models, total_trees
from pipeline.forecast.departments import Departments, regressed
from pipeline.forecast.levels import Cells
from pipeline.forecast.panel import Calendar
from pipeline.forecast.total_models import (
    KnownCalendar,
    TotalModels,
    averaged,
    foresee_departments,
    learn_totals,
    share_of_trees,
    sum_days,
)
from pipeline.forecast.total_trees import DayFeatures, TotalTrees, grow

DAYS, AHEAD = 900, 28


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for the claims below."""
    monkeypatch.setattr(total_trees, "TREES", 25)
    monkeypatch.setattr(total_trees, "LEARNING_RATE", 0.3)
    monkeypatch.setattr(total_models, "BACK", 6)


@pytest.fixture(scope="module")
def own() -> Departments:
    """Four cells of two regions; a fair that doubles sales, in each region at dates of its own."""
    rng = np.random.default_rng(3)
    cells, _ = Cells.of(*np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 0, 1]], np.int32),
                        np.array([0, 1], np.int32))  # fmt: skip
    t = np.arange(DAYS + 2 * AHEAD)
    fair = np.stack([t % 300 == 290, t % 310 == 20])
    named = np.stack([np.zeros_like(fair), fair])
    named[0, :, 100] = True
    mean = np.array([400.0, 100.0, 60.0, 900.0])[:, None] * np.where(t % 7 > 4, 1.4, 0.8)
    mean = mean * np.where(fair[cells.region], 2.0, 1.0)
    units = rng.poisson(mean[:, :DAYS]).astype(float)
    units[:, 359::365] = 0.0  # shut
    far = np.full((2, len(t)), 28, np.float32)
    calendar = Calendar(np.zeros((2, len(t), 1), np.float32), far, far, t.astype(np.int32) - 364,
                        named=named, event_names=("a feast", "fair"))  # fmt: skip
    return Departments(np.datetime64("2020-01-01"), units, cells, calendar)


def test_trees_read_nothing_that_was_sold_from_their_origin_on(own: Departments) -> None:
    at = 800
    later = own.units.copy()
    later[:, at:] *= 3.0
    names = KnownCalendar.of(own.calendar)
    features = [
        DayFeatures(sum_days(each, DAYS, names)).of(at, AHEAD, regressed(each, at, AHEAD))
        for each in (own, replace(own, units=later))
    ]
    np.testing.assert_array_equal(*features)
    earlier = own.units.copy()
    earlier[:, at - 1] *= 3.0
    changed = replace(own, units=earlier)
    other = DayFeatures(sum_days(changed, DAYS, names)).of(at, AHEAD, regressed(changed, at, AHEAD))
    assert (other != features[0])[np.isfinite(other)].any()


def test_events_are_known_by_name_whatever_else_the_calendar_holds(own: Departments) -> None:
    names = KnownCalendar.of(own.calendar)
    known = sum_days(own, DAYS, names).event
    fairs = known[:, 20] == names.events.index("fair")
    assert fairs.any()
    assert not fairs.all()  # a region of its own has none that day
    named = own.calendar.named
    assert named is not None
    more = replace(
        own.calendar,
        named=np.stack([named[1], named[0] & False, named[0]]),
        event_names=("fair", "new", "a feast"),
        flags=np.concatenate([own.calendar.flags, own.calendar.flags + 1], axis=2),
    )
    assert KnownCalendar.of(more).flags != names.flags
    assert sum_days(replace(own, calendar=more), DAYS, names).flags.shape[2] == len(names.flags)
    np.testing.assert_array_equal(sum_days(replace(own, calendar=more), DAYS, names).event, known)


def test_the_share_of_the_trees_lies_halfway_between_a_plain_mean_and_what_the_past_says() -> None:
    came, off = np.full((3, 28), 200.0), np.full((3, 28), 240.0)
    open_days = np.zeros(28, bool)
    right, wrong = np.log1p(came), np.log1p(off)
    assert share_of_trees([off], [right], [came], [open_days]) == pytest.approx(0.75)
    assert share_of_trees([came], [wrong], [came], [open_days]) == pytest.approx(0.25)
    assert share_of_trees([came], [None], [came], [open_days]) == 0.5
    assert share_of_trees([off], [right], [came], [~open_days]) == 0.5  # shut: says nothing


def test_where_the_shop_is_shut_and_beyond_the_trees_reach_the_regression_stands(
    own: Departments,
) -> None:
    y = np.full((24, 40), 300.0)
    y[:, 5] = 0.5
    found = averaged(own, DAYS, y, np.log1p(np.full((24, 28), 1200.0)), 0.25)
    np.testing.assert_array_equal(found[:, 5], y[:, 5])
    np.testing.assert_array_equal(found[:, 28:], y[:, 28:])
    np.testing.assert_allclose(found[:, :5], 301**0.75 * 1201**0.25 - 1)


def test_both_together_foresee_a_fair_and_come_back_from_text_the_same(own: Departments) -> None:
    models, errors = learn_totals(own, 816, 1)
    assert 0.0 <= models.share <= 1.0
    days = sum_days(own, DAYS, models.known)
    last = models.trees.grown[-1][1]
    assert [end for end, _ in models.trees.grown][-2:] == [816, DAYS]
    saved = lgb.Booster(model_str=last.model_to_string())
    again = TotalModels.from_notes(saved, models.to_notes())
    found = foresee_departments(own, DAYS, 2 * AHEAD, models)
    np.testing.assert_array_equal(found, foresee_departments(own, DAYS, 2 * AHEAD, again))
    y = regressed(own, DAYS, AHEAD)
    log = models.trees.foresee(days, DAYS, y)
    assert log is not None
    assert np.abs(np.log(np.maximum(y, 1)) - log).mean() < 0.2
    assert np.abs(errors.log).mean() < 0.12


def test_past_forecasts_are_made_by_trees_that_have_not_seen_what_came(own: Departments) -> None:
    later = own.units.copy()
    later[:, 850:] *= 5.0
    found = []
    for units in (own.units, later):
        each = replace(own, units=units)
        days = sum_days(each, DAYS, KnownCalendar.of(own.calendar))
        trees = grow(days, [850, DAYS], cache(partial(regressed, each, ahead=AHEAD)), 1)
        y = regressed(each, 850, AHEAD)
        found.append(trees.foresee(days, 850, y))
        assert TotalTrees(trees.grown[1:]).foresee(days, 850, y) is None
    np.testing.assert_array_equal(*found)


def test_trees_read_what_the_regression_foresaw(own: Departments) -> None:
    """Regressions that know of days which nothing else tells of are believed."""
    days = sum_days(own, DAYS, KnownCalendar.of(own.calendar))
    secret = np.random.default_rng(5).normal(0.0, 0.5, days.log.shape)
    wild = replace(days, log=days.log + np.where(days.closed, 0.0, secret))

    def told(at: int) -> np.ndarray:
        return np.expm1(np.pad(wild.log, ((0, 0), (0, AHEAD)))[:, at : at + AHEAD])

    y = told(850)
    known, blind = (
        grow(wild, [850], source, 1).foresee(wild, 850, y) for source in (told, lambda _: None)
    )
    assert known is not None
    assert blind is not None
    came = wild.log[:, 850 : 850 + AHEAD]
    assert np.abs(known - came).mean() < 0.5 * np.abs(blind - came).mean()


def test_trees_of_before_a_day_depend_on_nothing_sold_from_it_on(own: Departments) -> None:
    later = own.units.copy()
    later[:, 816:] *= 3.0
    one, other = (
        dict(learn_totals(replace(own, units=units), 816, 1)[0].trees.grown)
        for units in (own.units, later)
    )
    assert one[816].model_to_string() == other[816].model_to_string()
    assert one[DAYS].model_to_string() != other[DAYS].model_to_string()
