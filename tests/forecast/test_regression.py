"""Large sums by regression on the calendar."""

from __future__ import annotations

import numpy as np

from pipeline.forecast.regression import calendar_effects, regress

DAYS, AHEAD = 3 * 365, 28
DATES = np.datetime64("2013-01-01") + np.arange(DAYS + AHEAD)
EVENTS = {"festival": [40, 400, 770, DAYS + 10]}
WEEKDAY = np.array([0.8, 0.8, 0.9, 1.0, 1.2, 1.4, 1.1])


def world() -> tuple[np.ndarray, np.ndarray]:
    """Mean (2, days + ahead) of two sums, and their recurring flag."""
    flag = ((np.arange(DAYS + AHEAD) % 30) < 5).astype(float)[:, None]
    weekday = WEEKDAY[(DATES.astype(int) + 3) % 7]
    year = np.exp(0.2 * np.sin(2 * np.pi * DATES.astype(int) / 365.25))
    festival = np.ones(DAYS + AHEAD)
    festival[EVENTS["festival"]] = 1.8
    mean = weekday * year * festival * np.exp(0.3 * flag[:, 0])
    return np.stack([1000 * mean, 50 * mean]), flag


def test_known_calendar_is_recovered() -> None:
    """Weekdays, season, flag and a moving event of a noisy world are forecast within 5 percent."""
    mean, flag = world()
    noisy = mean[:, :DAYS] * np.exp(np.random.default_rng(3).normal(0, 0.05, (2, DAYS)))
    found = regress(noisy, *calendar_effects(DATES, flag, EVENTS))
    error = np.abs(found / mean[:, DAYS:] - 1)
    assert error.mean() < 0.05
    quiet = regress(noisy, *calendar_effects(DATES, flag, {}))
    lift = np.log(found[:, 10] / quiet[:, 10]) / np.log(1.8)
    assert (lift > 0.5).all()  # seen three times before, so drawn towards none
    assert (lift < 1.1).all()


def test_a_day_on_which_all_is_closed_is_forecast_closed() -> None:
    """An event that has always stopped sales does so again, and leaves other days alone."""
    mean, flag = world()
    shut = {"holiday": [100, 465, 830, DAYS + 5]}
    open_days = regress(mean[:, :DAYS], *calendar_effects(DATES, flag, EVENTS))
    mean[:, shut["holiday"]] = 0
    found = regress(
        mean[:, :DAYS], *calendar_effects(DATES, flag, EVENTS | shut, closed=["holiday"])
    )
    assert (found[:, 5] < 0.05 * open_days[:, 5]).all()
    others = np.arange(AHEAD) != 5
    assert np.abs(found / open_days - 1)[:, others].max() < 0.03


def test_last_level_is_carried_forward() -> None:
    """After a step of level half a year ago the forecast stands at the new level."""
    mean, flag = world()
    mean[:, DAYS - 180 :] *= 1.5
    found = regress(mean[:, :DAYS], *calendar_effects(DATES, flag, EVENTS))
    assert abs(found.sum() / mean[:, DAYS:].sum() - 1) < 0.05


def test_a_trend_goes_on_and_is_damped() -> None:
    """Growth of a fifth each year goes on; after years, 200 days of it have been added in all."""
    days = DAYS + 1000
    dates = np.datetime64("2013-01-01") + np.arange(days)
    growth = 1.2 ** (np.arange(days) / 365.25)
    found = regress(1000.0 * growth[None, :DAYS], *calendar_effects(dates, np.zeros((days, 1)), {}))
    np.testing.assert_allclose(found[0, :AHEAD], 1000.0 * growth[DAYS : DAYS + AHEAD], rtol=0.005)
    added = found[0, -1] / (1000.0 * growth[DAYS - 1])
    assert 1.05 < added < 1.2 ** (200 / 365.25)


def test_scale_does_not_matter() -> None:
    """A thousand times the units give a thousand times the forecast."""
    mean, flag = world()
    effects = calendar_effects(DATES, flag, EVENTS)
    small, large = regress(mean[:, :DAYS] * 10, *effects), regress(mean[:, :DAYS] * 1e4, *effects)
    np.testing.assert_allclose(large, small * 1000, rtol=2e-3)
