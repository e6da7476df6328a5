"""What is asked for in a simulated world whose demand is drawn from the past."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UsageError
from pipeline.simulate.world.model import WorldModel, WorldRules, world_model
from pipeline.simulate.world.truth import resampled_demand, truth
from tests.simulate.small import raw_tables

LAST = pd.Timestamp("2025-06-28")
DAYS = pd.date_range(LAST + pd.Timedelta(days=1), periods=700)
ITEM, LATE, OUT = 0, 1, 2


def model() -> WorldModel:
    return world_model(raw_tables(), WorldRules())


def daily(days: int) -> pd.DataFrame:
    """A unit more each day back from the last, alike for all; item LATE is on sale for 30 days, OUT
    is sold out, and has sold none, on all but every eighth day."""
    items, regions = model().items, model().regions
    past = pd.date_range(end=LAST, periods=days)
    keys = ["item_id", "region_id", "date"]
    rows = pd.MultiIndex.from_product([items, regions, past], names=keys)
    found = rows.to_frame(index=False)
    back = (LAST - found["date"]).dt.days
    is_out = (found["item_id"] == items[OUT]) & (back % 8 != 0)
    found = found.assign(units=np.where(is_out, 0, 100 + back), is_censored=is_out)
    return found[(found["item_id"] != items[LATE]) | (back < 30)]


def test_what_is_drawn_is_what_the_past_asked_for_where_less_than_half_a_year_is_known() -> None:
    found = resampled_demand(daily(100), model(), DAYS, 3)[:, ITEM, 0]
    assert found.min() >= 100, "no day before the first that is known"
    back = found - 100
    assert back.max() <= 97
    assert back.mean() == pytest.approx(48.5, abs=3.0)
    weekday = (LAST - pd.to_timedelta(back, unit="D")).day_of_week
    np.testing.assert_array_equal(weekday, DAYS.day_of_week)


def test_items_that_are_known_are_drawn_of_the_same_day() -> None:
    found = resampled_demand(daily(200), model(), DAYS, 3)
    everyone = np.delete(found, [LATE, OUT], axis=1)
    assert (everyone == everyone[:, :1, :1]).all()
    tells = found[:, ITEM, 0] < 130
    np.testing.assert_array_equal(found[tells, LATE], found[tells, ITEM])


def test_a_day_before_an_item_was_on_sale_or_after_it_had_sold_out_tells_nothing() -> None:
    found = resampled_demand(daily(200), model(), DAYS, 3)
    late, out = found[:, LATE], found[:, OUT]
    assert late.min() >= 100
    assert late.max() < 130
    assert late.mean() == pytest.approx(114.5, abs=1.5), "each of its days as often as the next"
    assert out.min() >= 100
    assert ((out - 100) % 8 == 0).all()


def test_nobody_asks_for_an_item_after_its_last_day_on_sale() -> None:
    tables = raw_tables()
    tables["prices"] = pd.DataFrame({
        "item_id": ["item_00"], "region_id": ["east"], "start_date": [LAST],
        "price_usd": [10.0],
    })  # fmt: skip
    ends = pd.Series(pd.NaT, index=range(len(tables["items"])), dtype="datetime64[ns]")
    ends[ITEM] = pd.Timestamp("2025-07-05")
    tables["items"] = tables["items"].assign(end_date=ends)
    found = truth(tables, daily(200), model(), date(2025, 6, 28), 20, True, 3)
    assert (found.demand[:7, ITEM] > 0).all()
    assert (found.demand[7:, ITEM] == 0).all()
    assert (found.demand[:, ITEM + 1] > 0).all()


def test_less_than_a_week_cannot_be_drawn_from() -> None:
    with pytest.raises(UsageError, match="less than one"):
        resampled_demand(daily(6), model(), DAYS, 3)
