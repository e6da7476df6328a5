"""Service targets: neutral where they bind nothing, never less for more, exact in their parts."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.core.service import cover, levels_at
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from pipeline.optimize.service_scopes import abc_classes
from pipeline.optimize.targets import curves_at
from tests.optimize import world
from tests.optimize.test_weekly_demand import REGIONS, steady, told

SETTINGS = Settings.model_validate(
    {
        "optimize": {"scenarios": 64, "audit_items": 0, "exact_items": 0},
        "run": {"threads": 1},
        "planning": {"horizon_weeks": 2},
    }
)

Target = tuple[str, float, str | None]
"""Measure, share, class."""


@lru_cache
def planned(*targets: Target, room: float = 1e6) -> dict[str, pd.DataFrame]:
    """The optimizer's tables of a night with these targets; a fourth word names a speed."""
    tables = world.tables(items=16, storage=room)
    tables["items"] = tables["items"].assign(category="food", department="tea")
    rows = [
        (f"t{i}", measure, share, abc, None, None, None)
        for i, (measure, share, abc) in enumerate(targets)
    ]
    columns = list(TABLES["service_targets"].columns)
    tables["service_targets"] = pd.DataFrame(rows, columns=columns, dtype=object)
    return optimize_night(night_model(tables, world.AS_OF, SETTINGS), SETTINGS)


def units(tables: dict[str, pd.DataFrame]) -> pd.Series:
    return tables["network_targets"].set_index(["item_id", "vendor_id"])["order_up_to_units"]


def test_a_target_that_the_plan_reaches_anyway_leaves_every_byte() -> None:
    free, asked = planned(), planned(("fill_rate", 0.5, "A"))
    assert (asked["service_levels"]["service_status"] == "reached_anyway").all()
    assert asked["service_levels"]["target_usd_per_week"].tolist() == [0.0]
    for name in set(free) - {"service_levels"}:
        pd.testing.assert_frame_equal(free[name], asked[name], check_exact=True)


def test_a_higher_target_never_lowers_an_order_up_to_level_and_costs_more() -> None:
    shares = (0.5, 0.98, 0.99, 0.995)
    found = [planned(("fill_rate", share, None)) for share in shares]
    rows = pd.concat([tables["service_levels"] for tables in found])
    for less, more in pairwise(found):
        assert (units(more) >= units(less)).all()
        assert (more["base_stock_levels"]["base_stock_units"].sum()
                >= less["base_stock_levels"]["base_stock_units"].sum())  # fmt: skip
    for column in ("service_price_usd_per_unit", "target_usd_per_week", "planned_share"):
        assert (rows[column] >= 0).all(), column
        assert rows[column].is_monotonic_increasing, column
    assert (rows["planned_share"] >= np.array(shares) - 1e-9).all()


def test_a_class_has_its_own_price_and_the_others_keep_their_levels() -> None:
    free, asked = planned(), planned(("fill_rate", 0.995, "A"))
    row = asked["service_levels"].iloc[0]
    assert row["service_status"] == "met"
    grown = units(asked) - units(free)
    assert grown.sum() > 0
    added = asked["network_targets"].set_index(["item_id", "vendor_id"])["service_units"]
    pd.testing.assert_series_equal(grown, added, check_names=False)  # no capacity binds
    few = grown[grown > 0].index.get_level_values(0).nunique()
    assert few < 16


def test_units_for_a_target_are_the_step_from_the_level_without_it_at_scarce_space() -> None:
    tight = planned(("fill_rate", 0.99, None), room=20.0)
    rows = tight["network_targets"]
    assert (tight["capacity_prices"]["price_usd_per_capacity_unit"] > 0).any()
    assert (rows["service_units"] >= 0).all()
    assert rows["service_units"].sum() > 0


def test_a_target_out_of_reach_is_planned_at_its_best_and_told() -> None:
    settings = SETTINGS.model_copy(
        update={"service": SETTINGS.service.model_copy(update={"most_price_per_cost": 1e-3})}
    )
    tables = world.tables(items=16)
    tables["items"] = tables["items"].assign(category="food", department="tea")
    row = dict.fromkeys(TABLES["service_targets"].columns)
    row |= {"target_id": "t", "service_measure": "fill_rate", "target_share": 0.999}
    tables["service_targets"] = pd.DataFrame([row])
    found = optimize_night(night_model(tables, world.AS_OF, settings), settings)
    told = found["service_levels"].iloc[0]
    assert told["service_status"] == "best_possible"
    assert told["share_without_target"] <= told["planned_share"] < 0.999


def test_promises_of_a_speed_are_kept_more_often_for_a_price() -> None:
    free = planned(("promises_kept", 0.5, None))["service_levels"].iloc[0]
    aim = min(free["planned_share"] + 0.01, 0.99)
    asked = planned(("promises_kept", float(aim), None))["service_levels"].iloc[0]
    assert asked["planned_share"] >= aim - 1e-9 or asked["service_status"] == "best_possible"
    assert asked["planned_share"] > free["planned_share"]


@pytest.mark.parametrize("is_launch", [False, True])
def test_levels_of_the_search_are_those_of_the_night(is_launch: bool) -> None:
    """Also where what sells first in the third week makes the shape of a cycle."""
    tables = world.tables(items=12)
    if is_launch:
        daily = steady()[:12]
        daily[:, :, :14] *= 0.02
        tables = told(daily)
    model = night_model(tables, world.AS_OF, SETTINGS)
    supply = model.vendors.supply(model.cycle_days, model.early_days)
    cube = model.cube
    demand = cover(supply, cube.quantiles, cube.cycle_quantiles, cube.windows, model.ranks,
                   model.packed.bank)  # fmt: skip
    price = np.zeros(model.capacity.rows.shape)
    curves = curves_at(model.network, model.arriving, model.cycle_days, price)
    found = levels_at(curves, demand, model.vendors.extra_usd)
    night = optimize_night(model, SETTINGS)["network_targets"]
    rows = pd.DataFrame({"item": [model.cube.items[k] for k in model.vendors.item],
                         "vendor": model.vendors.vendor, "level": found})  # fmt: skip
    assert not is_launch or (cube.cycle_quantiles != cube.quantiles).any()
    both = rows.merge(night, left_on=["item", "vendor"], right_on=["item_id", "vendor_id"])
    assert (both["level"] == both["unpriced_order_up_to_units"]).all()


def test_what_is_asked_of_a_region_is_what_it_asks_in_a_cycle() -> None:
    """A region that opens after the cycle asks nothing in it, however much it asks later."""
    daily = steady()
    daily[:, 0, :14] = 0.0
    daily[:, 0, 14:] *= 20.0
    raw = told(daily)
    rows = [(f"t{r}", "fill_rate", 0.9, None, None, REGIONS[r], None) for r in (0, 1)]
    columns = list(TABLES["service_targets"].columns)
    raw["service_targets"] = pd.DataFrame(rows, columns=columns, dtype=object)
    raw["items"] = raw["items"].assign(category="food", department="tea")
    model = night_model(raw, world.AS_OF, SETTINGS)
    cycle = daily[:, :2, : int(model.cycle_days)].sum(axis=2).T
    assert (cycle[0] == 0.0).all()
    assert model.scopes.asked == pytest.approx(cycle, rel=0.02)  # drawn scenarios


def test_classes_split_sales_at_eighty_and_ninety_five_percent() -> None:
    sales = np.array([50.0, 30.0, 10.0, 6.0, 4.0, 0.0])
    assert abc_classes(sales).tolist() == [
        "A",
        "A",
        "B",
        "B",
        "C",
        "C",
    ]  # 0, 50 | 80, 90 | 96 before
