"""Levels of series that have gone silent, in one region or in all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contracts.settings import MeanSettings
from pipeline.forecast.features import COLUMN, history
from pipeline.forecast.mean import sample_rows
from pipeline.forecast.panel import Calendar, Panel, totals
from pipeline.forecast.series_level import (
    FADING,
    HALF_LIFE_DAYS,
    KEPT,
    LUCK,
    RETURN_DAYS,
    SILENT,
    log_return,
)
from pipeline.forecast.windows import Windows, day_features
from tests.oracles.forecast_features import silence_of

DAYS = 200


def panel_of(demand: np.ndarray, items: list[int]) -> Panel:
    """A panel of daily demand (series, days); items of two series are sold in two regions."""
    n = len(demand)
    zero, days = np.zeros(n, np.int32), demand.shape[1] + 28
    item = np.array(items, np.int32)
    region = np.array([items[:k].count(code) for k, code in enumerate(items)], np.int32)
    regions = int(region.max()) + 1
    far = np.full((regions, days), 28, np.float32)
    calendar = Calendar(np.zeros((regions, days, 1), np.float32), far, far,
                        np.arange(days, dtype=np.int32) - 364)  # fmt: skip
    return Panel(
        np.datetime64("2024-01-01"), demand.astype(np.float32), np.full((n, days), 5, np.float32),
        np.zeros(demand.shape, bool), zero, zero + 10**6, item, region, zero, zero, region,
        calendar,
    )  # fmt: skip


def sold(rate: float, seed: int, silent_days: int = 0) -> np.ndarray:
    units = np.random.default_rng(seed).poisson(rate, DAYS).astype(float)
    units[DAYS - silent_days :] = 0
    return units


def test_silence_is_that_of_its_slow_twin() -> None:
    panel = panel_of(np.stack([sold(2.0, 1, 12), sold(0.3, 2), sold(9.0, 3, 3)]), [0, 1, 2])
    past = history(panel, totals(panel))
    for i in range(3):
        level = past.level[i].astype(float)
        beyond = np.maximum(past.silence[i], past.item_silence[i])
        expected = (level - 0.01) * (1 + np.maximum(beyond - LUCK, 0) / SILENT) ** FADING
        assert past.silence[i, -1] == pytest.approx(
            silence_of(panel.demand[i].astype(float), expected, HALF_LIFE_DAYS, KEPT), rel=1e-3,
            abs=1e-3,
        )  # fmt: skip


def test_what_sells_on_has_a_level_that_no_silence_touches() -> None:
    """Poisson sales of one unit in three days to ten a day: no evidence of silence remains."""
    rates = [0.3, 1.0, 3.0, 10.0]
    panel = panel_of(np.stack([sold(r, k) for k, r in enumerate(rates * 5)]), list(range(20)))
    past = history(panel, totals(panel))
    assert (past.silence[:, 60:] > SILENT).mean() < 0.01
    assert np.median(past.silence[:, 60:]) == 0


def test_silence_in_all_regions_says_more_than_in_one() -> None:
    """Four weeks of silence after a unit every other day, in one of eight regions and in all."""
    one = [sold(0.5, k, 28 if k == 0 else 0) for k in range(8)]
    every = [sold(0.5, k, 28) for k in range(8)]
    panel = panel_of(np.stack(one + every), [0] * 8 + [1] * 8)
    past = history(panel, totals(panel))
    assert past.item_silence[0, -1] < LUCK < SILENT < past.item_silence[1, -1]
    np.testing.assert_allclose(past.silence[0, -1], past.silence[8, -1], rtol=0.2)
    assert past.level[0, -1] > 1.4 * past.level[8, -1]


def test_of_what_stopped_at_ten_a_day_a_fifth_is_expected() -> None:
    panel = panel_of(np.stack([sold(10.0, 5, 28)]), [0])
    assert 1.0 < history(panel, totals(panel)).level[0, -1] < 2.5


def test_an_item_that_comes_back_has_its_old_level_at_once() -> None:
    back = sold(4.0, 1)
    back[DAYS - 60 : DAYS - 5] = 0
    faded = 4.0 * 0.5 ** (55 / HALF_LIFE_DAYS)
    panel = panel_of(np.stack([back]), [0])
    assert history(panel, totals(panel)).level[0, -1] > max(2.5, 3 * faded)


def test_a_few_stragglers_do_not_end_a_silence() -> None:
    rest = sold(10.0, 1, 28)
    rest[[DAYS - 20, DAYS - 9]] = 1
    panel = panel_of(np.stack([rest]), [0])
    past = history(panel, totals(panel))
    assert past.silence[0, -1] > SILENT
    assert past.level[0, -1] < 3.0


def test_days_of_a_run_that_showed_teach_and_judge_and_those_of_another_do_not() -> None:
    units = sold(5.0, 1)
    units[150:170] = 0
    panel = panel_of(np.stack([units]), [0])
    marks = np.zeros(units.shape, bool)
    marks[150:170] = True
    panel = replace(panel, is_censored=marks[None, :])
    rows = sample_rows(panel, MeanSettings(rows_per_origin=200), 28, DAYS - 1, 1)
    inside = (rows[2] >= 150) & (rows[2] < 170)
    assert inside.any()
    assert (rows[1][inside] >= 156).all()
    origin = np.array([148, 157], np.int32)
    one = np.ones(2, np.int32)
    windows = Windows(0 * one, origin, one, 14 * one, np.ones(2), np.empty((2, 0), np.float32))
    found = windows.units(panel)
    assert np.isnan(found[0])
    assert found[1] == units[158:172].sum()


def test_a_run_shows_sooner_where_the_items_other_regions_are_as_silent() -> None:
    """Ten days without sales in four regions at once show on the third, of one alone on the
    seventh; a single region has no others to tell it."""
    units = np.stack([sold(5.0, k) for k in range(9)])
    units[:5, 150:160] = 0
    units[8, 150:160] = 0
    panel = panel_of(units, [0] * 4 + [1] * 4 + [2])
    marks = np.zeros(units.shape, bool)
    marks[:5, 150:160], marks[8, 150:160] = True, True
    until = replace(panel, is_censored=marks).silent_until()
    for series, shows in ((0, 152), (4, 156), (8, 156)):
        assert until[series, shows - 1] == shows
        assert (until[series, shows:160] == 160).all()


def test_what_is_gone_everywhere_sells_no_more_than_it_may_be_back() -> None:
    """With its level's share of (1 + 13 / 8) ^ -0.7 = 0.51 it has the chance of being back while
    that is less, and its share after; who is not silent beyond chance, or in one region alone,
    sells as ever."""
    days, gone, several = np.array([1, 7, 21, 400]), np.full(4, 2 * SILENT), np.full(4, 2.0)
    share = (1 + (gone - LUCK) / SILENT) ** -FADING
    found = share * np.exp(log_return(0 * gone, gone, several, days))
    np.testing.assert_allclose(found, np.minimum(1 - np.exp(-days / RETURN_DAYS), share))
    assert (found[:3] < share[:3]).all()
    assert (log_return(gone, 0 * gone + SILENT, several, days) == 0).all()
    assert (log_return(gone, gone, several / 2, days) == 0).all()


def test_an_item_of_one_region_has_no_return_and_one_of_two_has() -> None:
    """Silent for four weeks, by the features of the next day."""
    units = np.stack([sold(5.0, k, 28) for k in range(3)])
    panel = panel_of(units, [0, 0, 1])
    x = day_features(panel, totals(panel), DAYS - 1, np.array([1], np.int32))
    found = x[:, COLUMN["log_return"]]
    assert (found[:2] < -0.5).all()
    assert found[2] == 0
