"""An item's season is trusted as far as occasions repeat; what has none gets none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.forecast.panel import F32, F64, Calendar, Panel
from pipeline.forecast.seasons import with_exposure

DAYS, AHEAD, YEAR, ITEMS = 900, 60, 365, 60
DAY = np.arange(DAYS + AHEAD)
TEN_DAYS_AHEAD = DAYS + 10


def seasons(
    rates: F64, seed: int, named: npt.NDArray[np.bool_] | None = None,
    department: npt.NDArray[np.int32] | None = None, launch: npt.NDArray[np.int32] | None = None,
) -> F32:  # fmt: skip
    """Usual days (items, DAYS + AHEAD) that a day of items with this expected demand (items, DAYS)
    counts for; `named` are the days of an event."""
    zero, far = np.zeros(len(rates), np.int32), np.full((1, DAYS + AHEAD), 28, np.float32)
    launch = zero if launch is None else launch
    demand = np.random.default_rng(seed).poisson(rates).astype(np.float32)
    demand[DAY[:DAYS] < launch[:, None]] = np.nan
    flags = np.zeros((1, DAYS + AHEAD, 1), np.float32)
    calendar = Calendar(
        flags, far, far, DAY.astype(np.int32) - 364,
        named=None if named is None else named[None, None],
        event_names=() if named is None else ("feast",),
    )  # fmt: skip
    code = zero if department is None else department
    made = with_exposure(Panel(
        np.datetime64("2022-05-24"), demand, np.full((len(rates), DAYS + AHEAD), 10, np.float32),
        np.zeros(demand.shape, bool), launch, zero + 10**6,
        np.arange(len(rates), dtype=np.int32), zero, code, code, code, calendar,
    ))  # fmt: skip
    assert made.season is not None
    return made.season


def season(
    rate: npt.NDArray[np.floating], seed: int, named: npt.NDArray[np.bool_] | None = None
) -> F32:
    """Usual days (DAYS + AHEAD,) of an item beside items that sell five a day."""
    rates = np.full((ITEMS, DAYS), 5.0)
    rates[0] = rate[:DAYS]
    return seasons(rates, seed, named)[0]


@pytest.mark.parametrize("seed", range(4))
def test_a_month_of_every_year_is_a_season(seed: int) -> None:
    begin = TEN_DAYS_AHEAD % YEAR
    found = season(np.where((begin <= DAY % YEAR) & (begin + 31 > DAY % YEAR), 20.0, 0.0), seed)
    inside, outside = found[TEN_DAYS_AHEAD + 5 : TEN_DAYS_AHEAD + 25], found[DAYS - 5 : DAYS + 2]
    assert inside.mean() > 9
    assert outside.mean() < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_a_supply_that_failed_about_the_same_days_of_two_years_is_hardly_one(seed: int) -> None:
    """An item that sells now goes on selling, most likely."""
    gone = np.zeros(len(DAY), bool)
    for begin, days in ((TEN_DAYS_AHEAD - 2 * YEAR, 50), (DAYS - 5 - YEAR, 55)):
        gone |= (begin <= DAY) & (begin + days > DAY)
    ahead: F64 = season(np.where(gone, 0.0, 5.0), seed)[DAYS:].astype(np.float64)
    assert ahead.mean() > 0.45


@pytest.mark.parametrize("seed", range(4))
def test_an_order_every_fortnight_is_no_season(seed: int) -> None:
    ahead = season(np.where(DAY % 14 == 3, 28.0, 0.0), seed)[DAYS:]
    assert ahead.min() > 0.9
    assert ahead.max() < 1.1


@pytest.mark.parametrize("seed", range(4))
def test_a_month_of_feasts_does_not_hide_the_season_beside_it(seed: int) -> None:
    """Thirty days of an event, eleven days earlier each year, out of an item's season: they are as
    far out of it as the days beside them."""
    named = np.zeros(len(DAY), bool)
    for begin in (DAYS + 20 - 2 * YEAR, DAYS + 10 - YEAR, DAYS - 1):
        named[begin : begin + 30] = True
    begin = (DAYS + 150) % YEAR
    found = season(
        np.where((begin <= DAY % YEAR) & (begin + 60 > DAY % YEAR), 9.0, 1.0), seed, named
    )
    assert found[DAYS:].max() < 0.85


@pytest.mark.parametrize("seed", range(4))
def test_a_young_item_has_the_season_of_its_department(seed: int) -> None:
    """Of two new items sixty days old, one is in a department whose demand doubles now and one in a
    department without a season; a third is in one that had an accident a year ago."""
    wave = 2.0 ** np.sin(2 * np.pi * (DAY - DAYS) / 365.25)
    accident = np.where((DAY >= DAYS - YEAR) & (DAY < DAYS - YEAR + 60), 0.3, 1.0)
    rates = 5.0 * np.stack([shape[:DAYS] for shape in (wave, DAY**0, accident) for _ in range(21)])
    launch = np.tile([DAYS - 60, *np.zeros(20)], 3).astype(np.int32)
    found = seasons(rates, seed, None, np.repeat(np.arange(3, dtype=np.int32), 21), launch)
    for item, last, low, high in ((0, wave, 0.85, 1.1), (21, DAY**0, 0.9, 1.1)):
        grows = found[item, DAYS + 20 : DAYS + 60].mean() / found[item, DAYS - 40 : DAYS].mean()
        truth = last[DAYS + 20 : DAYS + 60].mean() / last[DAYS - 40 : DAYS].mean()
        assert low < grows / truth < high
    assert found[42, DAYS : DAYS + 60].mean() > 0.8


@pytest.mark.parametrize("seed", range(4))
def test_a_department_that_grew_once_has_no_season_for_its_young_items(seed: int) -> None:
    rates = np.tile(0.3 * np.clip(0.2 + DAY[:DAYS] / 400, 0.2, 1.0), (41, 1))
    launch = np.array([DAYS - 60, *np.zeros(40)], np.int32)
    found = seasons(rates, seed, launch=launch)[0, DAYS - 60 :]
    np.testing.assert_allclose(found, 1.0, atol=0.01)
