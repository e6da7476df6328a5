"""One coherent forecast at every level: sums, their quantiles, and what pulls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.columns import QUANTILE_COLUMNS, USD_COLUMNS
from pipeline.contracts.settings import Settings
from pipeline.forecast import stage, train
from pipeline.forecast.above import territories
from pipeline.forecast.departments import Departments, reconciled
from pipeline.forecast.levels import UPPER, Cells
from pipeline.forecast.panel import Calendar
from pipeline.forecast.pull import Seen, factors, learned_weights
from pipeline.forecast.total_models import foresee_departments
from pipeline.forecast.total_paths import ERROR_DAYS, PathErrors, draws_of_windows
from tests.forecast.test_model import FakeNight


@pytest.fixture(scope="module")
def night(world: Mapping[str, pd.DataFrame], quick: Settings) -> Any:
    regions = sorted(world["regions"]["region_id"].astype(str))
    nodes = pd.DataFrame({
        "node_id": ["a", "b", *(f"n_{r}" for r in regions)],
        "parent_node_id": [None, None, "a", *["b"] * (len(regions) - 1)],
    })  # fmt: skip
    options = pd.DataFrame({
        "region_id": regions * 2, "node_id": [f"n_{r}" for r in regions] + ["a"] * len(regions),
        "ship_usd_per_unit": [1.0] * len(regions) + [9.0] * len(regions),
    })  # fmt: skip
    found: Any = FakeNight(dict(world) | {"nodes": nodes, "delivery_options": options}, quick)
    train.run(found)
    stage.run(found)
    return found


def of(table: pd.DataFrame, product: str, place: str, period: str) -> pd.DataFrame:
    return table[
        (table["product_level"] == product) & (table["place_level"] == place)
        & (table["period"] == period)
    ]  # fmt: skip


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_every_level_adds_up_to_the_same_units_and_dollars(night: Any, period: str) -> None:
    table = night.written["demand_hierarchy"]
    total = of(table, "all", "network", period).groupby("period_start_date")
    for product, place in [*UPPER, ("item", "network")]:
        own = of(table, product, place, period).groupby("period_start_date")
        for column in ("mean_units", "mean_usd"):
            np.testing.assert_allclose(own[column].sum(), total[column].sum(), rtol=1e-9)


def test_sums_are_those_that_the_plan_buys_on(night: Any) -> None:
    table = of(night.written["demand_hierarchy"], "item", "network", "week")
    plan = night.written["demand_quantiles"]
    plan = plan[plan["window_days"] == 7]
    for week in range(3):
        first = table["period_start_date"].min() + pd.Timedelta(days=7 * week)
        own = table[table["period_start_date"] == first].set_index("product_id")["mean_units"]
        bought = plan[plan["window_start_day"] == 1 + 7 * week]
        bought = bought.groupby("item_id", observed=True)["mean_units"].sum()
        np.testing.assert_allclose(own.loc[bought.index.astype(str)], bought, rtol=1e-9)


def test_quantiles_ascend_and_lie_around_the_mean(night: Any) -> None:
    table = night.written["demand_hierarchy"]
    for columns in (QUANTILE_COLUMNS, USD_COLUMNS):
        assert (np.diff(table[list(columns)].to_numpy(), axis=1) >= -1e-9).all()
    upper = table[table["product_level"] != "item"]
    assert (upper["q0.005"] <= upper["mean_units"] + 1e-9).all()
    assert (upper["q0.995"] >= upper["mean_units"] - 1e-9).all()


def test_a_territory_is_the_tree_of_the_node_that_serves_most_cheaply(night: Any) -> None:
    table = of(night.written["demand_hierarchy"], "all", "territory", "month")
    assert set(table["place_id"].astype(str)) == {"a", "b"}
    nodes, options = night.tables["nodes"], night.tables["delivery_options"]
    code, names = territories(("east", "nowhere"), options, nodes)
    assert [names[k] for k in code][1] == "(none)"


def test_months_are_calendar_months_and_reach_a_year_and_a_half(night: Any) -> None:
    own = of(night.written["demand_hierarchy"], "all", "network", "month")
    starts = own["period_start_date"].sort_values().to_list()
    assert len(starts) == 18
    assert all(start.day == 1 for start in starts[1:])
    ends = own["period_start_date"] + pd.to_timedelta(own["period_days"], unit="D")
    assert (ends.dt.day == 1).all()


def departments(days: int, ahead: int, seed: int = 5) -> tuple[Departments, np.ndarray]:
    """Two regions in two territories × two departments, and their noiseless means."""
    rng = np.random.default_rng(seed)
    cells, _ = Cells.of(*np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 0, 1]], np.int32),
                        np.array([0, 1], np.int32))  # fmt: skip
    t = np.arange(days + ahead)
    year = np.exp(0.3 * np.sin(2 * np.pi * t / 365.25)) * np.where(t % 7 > 4, 1.4, 0.8)
    mean = np.array([400.0, 100.0, 60.0, 900.0])[:, None] * year
    units = rng.poisson(mean[:, :days] * rng.gamma(400, 1 / 400, (4, days))).astype(float)
    far = np.full((2, days + ahead), 28, np.float32)
    calendar = Calendar(np.zeros((2, days + ahead, 1), np.float32), far, far,
                        t.astype(np.int32) - 364)  # fmt: skip
    return Departments(np.datetime64("2020-01-01"), units, cells, calendar), mean


def test_departments_know_the_season_two_months_ahead() -> None:
    own, mean = departments(1150, 56)
    found = foresee_departments(own, 1150, 56)
    np.testing.assert_allclose(found.sum(axis=1), mean[:, 1150:].sum(axis=1), rtol=0.12)
    assert found.sum() == pytest.approx(mean[:, 1150:].sum(), rel=0.06)
    flat = own.units[:, -56:].sum()  # what is forecast without a season
    assert abs(flat / mean[:, 1150:].sum() - 1) > 0.1


def test_reconciliation_leaves_what_already_adds_up_and_equals_its_normal_equations() -> None:
    own, mean = departments(20, 5)
    sums = [own.cells.sums(level) for level in UPPER]
    true = mean[:, :5]
    y = np.concatenate([each.add(true) for each in sums])
    np.testing.assert_allclose(reconciled(y, sums, 4), true, rtol=1e-9)
    y *= np.random.default_rng(0).uniform(0.9, 1.1, y.shape)
    member = np.concatenate([each.add(np.eye(4)) for each in sums])
    root = 1 / np.sqrt(y.mean(axis=1, keepdims=True))
    slow = np.linalg.lstsq(member * root, y * root, rcond=None)[0]
    np.testing.assert_allclose(reconciled(y, sums, 4), slow, rtol=1e-6)


def test_the_better_of_two_forecasts_gets_the_weight() -> None:
    rng = np.random.default_rng(1)
    came = np.full((5, 28), 200.0)
    good, bad = (came * np.exp(rng.normal(0, sd, came.shape)) for sd in (0.02, 0.3))
    assert min(learned_weights([Seen(bad, good, came)])) > 0.75
    assert max(learned_weights([Seen(good, bad, came)])) < 0.05
    assert learned_weights([Seen(came, came, came)]) == (0.0, 0.0)


def test_who_knows_the_whole_pulls_the_whole_and_who_knows_the_cells_keeps_them() -> None:
    """Trees that miss days all cells share, beside a calendar that misses each cell for itself."""
    rng = np.random.default_rng(2)
    came = np.full((40, 56), 200.0)
    trees = came * np.exp(rng.normal(0, 0.1, (1, 56)))
    calendar = came * np.exp(rng.normal(0, 0.2, came.shape))
    whole, beyond = learned_weights([Seen(trees, calendar, came)])
    assert whole > 0.7
    assert beyond < 0.05
    off = np.abs(np.log(trees * factors(trees, calendar, (whole, beyond)) / came)).mean()
    assert off < 0.5 * np.abs(np.log(trees / came)).mean()


def test_a_factor_draws_the_sum_the_given_part_of_the_way_in_logarithms() -> None:
    summed, own = np.array([[100.0, 10.0]]), np.array([[121.0, 50.0]])
    np.testing.assert_allclose(
        factors(summed, own, (0.5, 0.5)), [[1.1, 1.0]]
    )  # ten units a day: left alone


def test_a_christmas_that_only_the_years_above_know_sells_nothing_whatever_the_weights() -> None:
    summed = np.array([[100.0, 100.0], [10.0, 10.0]])
    own = np.array([[0.2, 121.0], [0.02, 12.0]])
    found = factors(summed, own, (0.5, 0.5))
    np.testing.assert_allclose((summed * found).sum(axis=0), [0.22, 120.0])
    np.testing.assert_allclose(found[:, 0], 0.002)  # the small cell too
    np.testing.assert_allclose(found[1, 1], 1.0)


def test_paths_keep_the_mean_and_are_as_wide_together_as_past_errors_were() -> None:
    """Two cells that erred together are as wide in sum; two that erred apart less so."""
    rng = np.random.default_rng(2)
    shock = rng.normal(0, 0.1, (300, 1, 1))  # 4 % of sampling error in a width
    apart = rng.normal(0, 0.1, (300, 2, 1))
    mean = np.full((2, ERROR_DAYS), 50.0)
    width = []
    for error in (np.tile(shock, (1, 2, ERROR_DAYS)), np.tile(apart, (1, 1, ERROR_DAYS))):
        draws = np.array(list(draws_of_windows(mean, PathErrors(error), [(1, ERROR_DAYS)])))
        np.testing.assert_allclose(draws.mean(axis=0), mean.sum(axis=1)[:, None], rtol=1e-9)
        width.append(draws.sum(axis=1).std() / (2 * mean.sum(axis=1)[0]))
    assert width[0] == pytest.approx(0.1, rel=0.2)
    assert width[1] < 0.85 * width[0]
