"""Features equal their slow twins, and no feature reads a day after its origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.forecast.assemble import Assembled, Names, assemble
from pipeline.forecast.features import COLUMN, features, history
from pipeline.forecast.panel import Panel, align, event_distance, totals
from pipeline.forecast.series_level import (
    GROUP_DAYS,
    HALF_LIFE_DAYS,
    PRIOR_DAYS,
    PRIOR_UNITS,
    TINY,
)
from tests.forecast.conftest import FIRST
from tests.oracles import forecast_features as slow


@pytest.fixture(scope="module")
def assembled(world: Mapping[str, pd.DataFrame]) -> Assembled:
    names = Names.of(world["items"], world["regions"], world["calendar"])
    as_of = (FIRST + pd.Timedelta(days=419)).date()
    tables = [world[t] for t in ("items", "prices", "calendar", "daily_demand")]
    return assemble(as_of, 30, names, *tables)


def rows(panel: Panel, origin: int, target: int) -> np.ndarray:
    """Features of all series of a panel that may reach beyond the origin."""
    known = panel.until(origin + 1)
    sums = totals(known)
    n = panel.series
    return features(
        known, sums, history(known, sums), np.arange(n, dtype=np.int32),
        np.full(n, origin, np.int32), np.full(n, target, np.int32),
    )  # fmt: skip


def test_history_features_are_those_of_the_slow_twins(assembled: Assembled) -> None:
    panel, origin, target = replace(assembled.panel, price_lift=None), 300, 311
    x = rows(panel, origin, target)
    for i in (0, 5, 40):
        demand = panel.demand[i].astype(float)
        level = float(np.exp(x[i, COLUMN["log_level"]]))
        tiny = TINY + 0.02 * level
        for days in (7, 28, 112):
            expected = np.log((slow.mean_of_last(demand, origin, days) + tiny) / (level + tiny))
            assert x[i, COLUMN[f"ratio_{days}"]] == pytest.approx(expected, abs=1e-4)
        assert x[i, COLUMN["days_since_sale"]] == slow.days_since_sale(demand, origin)
        expected = slow.weekday_ratio(demand, origin, target)
        assert x[i, COLUMN["weekday_own"]] == pytest.approx(expected, abs=1e-4)


def test_level_is_the_weighted_mean_with_its_prior(assembled: Assembled) -> None:
    panel, origin = replace(assembled.panel, price_lift=None), 300
    x = rows(panel, origin, origin + 1)
    for i in (0, 40):
        recent = panel.demand[:, origin - 55 : origin + 1].astype(float)
        elsewhere = np.nanmean(recent[panel.item == panel.item[i]])
        group = np.nanmean(recent[panel.group == panel.group[i]])
        like = recent[panel.like() == panel.like()[i]]
        days = np.isfinite(like).sum()
        like_mean = (np.nansum(like) + GROUP_DAYS * group) / (days + GROUP_DAYS)
        prior = float(np.sqrt(elsewhere * like_mean))
        expected = slow.weighted_level(
            panel.demand[i].astype(float),
            origin,
            prior,
            HALF_LIFE_DAYS,
            min(PRIOR_DAYS, PRIOR_UNITS / prior),
        )
        level = np.exp(x[i, COLUMN["log_level"]])
        assert level == pytest.approx(expected + 0.5 * TINY, rel=1e-4)


def test_no_feature_reads_a_day_after_its_origin(assembled: Assembled) -> None:
    panel, origin = assembled.panel, 300
    before = rows(panel, origin, origin + 9)
    panel.demand[:, origin + 1 :] += 1_000
    try:
        np.testing.assert_array_equal(rows(panel, origin, origin + 9), before)
    finally:
        panel.demand[:, origin + 1 :] -= 1_000


def test_a_shard_has_the_features_of_the_whole(assembled: Assembled) -> None:
    panel = assembled.panel
    sums = totals(panel)
    at = np.full(6, panel.days - 1, np.int32)
    part = panel.take(np.arange(12, 18))
    whole = features(
        panel, sums, history(panel, sums), np.arange(12, 18, dtype=np.int32), at, at + 5
    )
    shard = features(part, sums, history(part, sums), np.arange(6, dtype=np.int32), at, at + 5)
    np.testing.assert_array_equal(shard, whole)


def test_planned_prices_and_promotions_are_known_ahead(assembled: Assembled) -> None:
    panel = assembled.panel
    assert np.isfinite(panel.price[:, panel.days :]).all()
    item = panel.item[0]
    planned = [0.7 if (d - 20 - 3 * item) % 60 < 14 else 1.0
               for d in range(panel.days, panel.days + 30)]  # fmt: skip
    ahead = panel.price[0, panel.days : panel.days + 30]
    np.testing.assert_array_equal(ahead, np.array(planned, np.float32))
    assert panel.price_unit_usd == 10.0
    promo = (np.arange(panel.days + 31) // 10) % 9 == 4
    np.testing.assert_array_equal(panel.calendar.flags[0, : len(promo), 0] > 0, promo[:450])


def test_like_series_share_their_group_and_their_price_band(assembled: Assembled) -> None:
    """Ten and eleven dollars are alike, ten and twenty are not; later prices change nothing."""
    panel = assembled.panel.take(np.zeros(3, int))
    price = panel.price.copy()
    price[:, 0] = [1.0, 1.1, 2.0]
    codes = replace(panel, price=price).like()
    assert codes[0] == codes[1] != codes[2]
    price[:, 1:] = 0.3
    assert (replace(panel, price=price).like() == codes).all()


def test_a_moving_event_is_aligned_with_its_last_occurrence() -> None:
    aligned = align(800, [("feast", 300), ("feast", 640)], before=2, after=1)
    assert aligned[638:642].tolist() == [298, 299, 300, 301]
    assert aligned[637] == 637 - 364
    assert aligned[642] == 642 - 364


def test_event_distance_counts_both_ways() -> None:
    to_next, since = event_distance(np.array([[False, False, True, False]]), reach=5)
    assert to_next[0].tolist() == [2, 1, 0, 5]
    assert since[0].tolist() == [5, 5, 0, 1]
