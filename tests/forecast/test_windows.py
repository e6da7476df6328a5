"""Demand of past windows is the plain sum of their days, unless a day was not observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.forecast.assemble import Names, assemble
from pipeline.forecast.panel import Panel, totals
from pipeline.forecast.windows import Windows, foresee
from tests.forecast.conftest import FIRST


@pytest.fixture(scope="module")
def panel(world: Mapping[str, pd.DataFrame]) -> Panel:
    names = Names.of(world["items"], world["regions"], world["calendar"])
    tables = [world[t] for t in ("items", "prices", "calendar", "daily_demand")]
    return assemble((FIRST + pd.Timedelta(days=419)).date(), 30, names, *tables).panel


def windows_of(panel: Panel, origin: int) -> Windows:
    return foresee(lambda x: np.ones(len(x)), panel, totals(panel), origin, [(1, 7), (3, 14)])


def test_units_are_the_sums_of_the_days(panel: Panel) -> None:
    """Series that launched on day 380 have no demand before; windows after count all the same."""
    seen = windows_of(panel, 400)
    expected = [
        sum(panel.demand[i, 400 + s + k] for k in range(n))
        for i, s, n in zip(seen.series, seen.start, seen.days, strict=True)
    ]
    assert np.isnan(panel.demand[:, 0]).any()
    np.testing.assert_allclose(seen.units(panel), expected)


def test_a_window_with_an_unobserved_day_has_no_units(panel: Panel) -> None:
    seen = windows_of(panel, 370)  # series that launched on day 380 lack days of their windows
    late = panel.launch_day[seen.series] > 371
    assert late.any()
    assert (np.isnan(seen.units(panel)) == late).all()


def test_a_window_before_launch_expects_nothing(panel: Panel) -> None:
    seen = windows_of(panel, 370)
    late = (panel.launch_day[seen.series] > 377) & (seen.days == 7)
    assert late.any()
    assert seen.mean[late].max() <= 1e-3
    np.testing.assert_allclose(seen.mean[panel.launch_day[seen.series] == 0], np.tile([7, 14], 63))


def test_what_a_successor_knows_from_its_predecessor_judges_no_forecast(panel: Panel) -> None:
    """It was not on sale then; the sums of its group count those units once."""
    heir = int(np.flatnonzero(panel.launch_day == 0)[0])
    launch = panel.launch_day.copy()
    launch[heir] = 500  # after the last day
    coming = replace(panel, launch_day=launch)
    seen = windows_of(coming, 370)
    units = seen.units(coming)
    assert np.isnan(units[seen.series == heir]).all()
    assert np.isfinite(units[seen.series != heir]).any()
    whole, once = totals(panel), totals(coming)
    left = whole.group_units[panel.group[heir]] - once.group_units[panel.group[heir]]
    usual = np.nan_to_num(panel.demand[heir]) / np.maximum(panel.exposure()[0][heir], 1e-9)
    np.testing.assert_allclose(left, usual, atol=1e-6)
    np.testing.assert_array_equal(whole.item_units, once.item_units)


def test_a_successor_is_on_sale_from_its_launch_and_another_item_from_its_first_day(
    world: Mapping[str, pd.DataFrame],
) -> None:
    """However early its predecessor's sales begin; a launch date after sales is the catalog's."""
    names = Names.of(world["items"], world["regions"], world["calendar"])
    old, new, late = sorted(world["items"]["item_id"].astype("str"))[:3]
    items = world["items"].astype({"item_id": "str"}).set_index("item_id")
    items["predecessor_item_id"] = None
    items.loc[new, "predecessor_item_id"] = old
    items.loc[[new, late], "launch_date"] = FIRST + pd.Timedelta(days=425)
    tables = [items.reset_index(), *(world[t] for t in ("prices", "calendar", "daily_demand"))]
    made = assemble((FIRST + pd.Timedelta(days=419)).date(), 30, names, *tables)
    begins = {name: set(made.panel.launch_day[made.items == name]) for name in (new, late)}
    assert begins[new] == {425}
    assert max(begins[late]) < 420
