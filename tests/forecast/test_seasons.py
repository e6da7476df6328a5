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


def season(
    rate: npt.NDArray[np.floating], seed: int, named: npt.NDArray[np.bool_] | None = None
) -> F32:
    """Usual days (DAYS + AHEAD,) that a day of an item with this expected demand counts for, beside
    items that sell five a day; `named` are the days of an event."""
    rates = np.full((ITEMS, DAYS), 5.0)
    rates[0] = rate[:DAYS]
    zero, far = np.zeros(ITEMS, np.int32), np.full((1, DAYS + AHEAD), 28, np.float32)
    demand = np.random.default_rng(seed).poisson(rates).astype(np.float32)
    flags = np.zeros((1, DAYS + AHEAD, 1), np.float32)
    calendar = Calendar(
        flags, far, far, DAY.astype(np.int32) - 364,
        named=None if named is None else named[None, None],
        event_names=() if named is None else ("feast",),
    )  # fmt: skip
    made = with_exposure(Panel(
        np.datetime64("2022-05-24"), demand, np.full((ITEMS, DAYS + AHEAD), 10, np.float32),
        np.zeros(demand.shape, bool), zero, np.full(ITEMS, 10**6, np.int32),
        np.arange(ITEMS, dtype=np.int32), zero, zero, zero, zero, calendar,
    ))  # fmt: skip
    assert made.season is not None
    return made.season[0]


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
