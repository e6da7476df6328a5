"""Service targets: neutral where they bind nothing, never less for more, exact in their parts."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.core.service import Cover, cover, levels_at, short_share
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from pipeline.optimize.service_scopes import abc_classes
from pipeline.optimize.targets import curves_at
from tests.optimize import world

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


def test_levels_of_the_search_are_those_of_the_night() -> None:
    tables = world.tables(items=12)
    model = night_model(tables, world.AS_OF, SETTINGS)
    supply = model.vendors.supply(model.cycle_days, model.early_days)
    one = np.ones(len(supply.item))
    demand = cover(supply, one, one, one, model.cube.quantiles, model.cube.windows, model.ranks,
                   model.packed.bank)  # fmt: skip
    price = np.zeros(model.capacity.rows.shape)
    curves = curves_at(model.network, model.ahead, model.vendors, model.cycle_days, price)
    found = levels_at(curves, demand, model.vendors.extra_usd)
    night = optimize_night(model, SETTINGS)["network_targets"]
    rows = pd.DataFrame({"item": [model.cube.items[k] for k in model.vendors.item],
                         "vendor": model.vendors.vendor, "level": found})  # fmt: skip
    both = rows.merge(night, left_on=["item", "vendor"], right_on=["item_id", "vendor_id"])
    later = both["level"] != both["unpriced_order_up_to_units"]
    assert later.mean() < 0.1  # launches alone are valued otherwise


def covered(demand: np.ndarray, lead: int, lot: float = 1.0) -> Cover:
    """The cover of daily demand [paths, lead and interval]."""
    before = demand[:, :lead].sum(axis=1, dtype=np.float32)[None]
    until = demand.sum(axis=1, dtype=np.float32)[None]
    interval = demand[:, lead:].sum(axis=1).mean(keepdims=True)
    unused = before.astype(float)
    return Cover(
        unused, unused, before, until, interval, np.array([lot]), np.zeros(before.shape, np.uint8)
    )


def lost(level: int, lead: int, every: int, demand: np.ndarray, lot: int = 1) -> float:
    """Share of daily demand [days] that a network loses which orders up to the level every so
    many days, a lot at least."""
    coming = np.zeros(len(demand) + lead + 1)
    on_hand, position, sold = level, level, 0
    for day, asked in enumerate(demand.tolist()):
        on_hand += coming[day]
        served = min(on_hand, asked)
        on_hand, position, sold = on_hand - served, position - served, sold + served
        if day % every == every - 1 and level - position >= lot:
            coming[day + 1 + lead] += level - position
            position = level
    return 1.0 - sold / demand.sum()


@pytest.mark.parametrize(
    ("lead", "every", "daily", "shape", "level", "lot"),
    [(10, 1, 1.0, np.inf, 15, 1), (10, 7, 3.0, 0.5, 74, 1), (3, 7, 1.0, np.inf, 14, 1),
     (21, 7, 1.0, np.inf, 33, 1), (5, 2, 3.0, 0.5, 36, 1), (10, 1, 1.0, np.inf, 20, 7)],
)  # fmt: skip
def test_the_share_that_levels_lose_is_what_a_simulation_loses(
    lead: int, every: int, daily: float, shape: float, level: int, lot: int
) -> None:
    rng = np.random.default_rng(5)

    def draw(*size: int) -> np.ndarray:
        rate = daily if np.isinf(shape) else rng.gamma(shape, daily / shape, size)
        return np.asarray(rng.poisson(rate, size))

    told = short_share(covered(draw(4000, lead + every), lead, lot), np.array([level]))[0]
    lived = lost(level, lead, every, draw(30_000), lot)
    assert told == pytest.approx(lived, rel=0.25)
    assert abs(told - lived) < 0.015


def test_a_level_that_covers_all_scenarios_loses_nothing_and_none_loses_all() -> None:
    cover_of = covered(np.random.default_rng(3).poisson(3.0, (400, 12)), 10)
    share = short_share(
        Cover(*(np.repeat(part, 80, axis=0) for part in cover_of.__dict__.values())), np.arange(80)
    )
    assert share[0] == pytest.approx(1.0)
    assert share[79] == 0.0
    assert (np.diff(share[share < 0.4]) <= 0.0).all()


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


def test_a_higher_level_never_loses_more_however_much_is_lost() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        shape, size = rng.uniform(0.1, 5.0, 2), rng.uniform(0.2, 20.0, 2)
        before, last = (rng.gamma(shape[i], size[i], (1, 200)).astype(np.float32) for i in (0, 1))
        wait = rng.integers(0, 3, (1, 200)).astype(np.uint8)
        one = before.astype(np.float64)
        interval, lot = np.array([float(last.mean())]), np.array([float(rng.integers(0, 30))])
        demand = Cover(one, one, before, before + last, interval, lot, wait)
        most = int((before + last).max()) + 40
        lost = np.concatenate([short_share(demand, np.array([level])) for level in range(most)])
        assert lost[0] > 0.4
        assert lost[-1] == 0.0
        assert (np.diff(lost) <= 1e-12).all()
