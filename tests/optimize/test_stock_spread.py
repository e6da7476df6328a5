"""Stock that swings around its plan: how far, and what space then costs."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from pipeline.optimize.capacity_model import SWINGS
from pipeline.optimize.night_model import NightModel, night_model
from pipeline.optimize.plan import optimize_night
from pipeline.optimize.stock_spread import poured, spread_cuft
from tests.optimize.world import AS_OF, SETTINGS, tables

TIGHT = {"items": 20, "storage": 20.0}


def spread_of(model: NightModel, lead_days: float, share: np.ndarray, weeks: int = 6) -> np.ndarray:
    items = len(model.cube.items)
    return spread_cuft(
        model.cube, model.ranks, model.packed.bank, model.money.cube_cuft,
        np.full(items, lead_days), share, weeks,
    )  # fmt: skip


@pytest.fixture(scope="module")
def model() -> NightModel:
    return night_model(tables(**TIGHT), AS_OF, SETTINGS)


def drawn_variance(model: NightModel, item: int, window: int) -> float:
    """Variance of the network's demand over a window by its joint scenarios, one by one."""
    bank, level = model.packed.bank[item], model.cube.quantiles[item, window]
    total = np.zeros(model.ranks.below.shape[1])
    for r, quantiles in enumerate(level):
        at = model.ranks.below[bank, :, window, r].astype(int)
        low = np.where(at < 0, 0.0, quantiles[at])
        step = quantiles[at + 1] - low
        total += np.maximum(low + model.ranks.weight[bank, :, window, r] * step, 0.0)
    return float(total.var())


def test_one_node_swings_as_demand_until_the_order_comes(model: NightModel) -> None:
    items = len(model.cube.items)
    share = np.ones((items, 1))
    found = spread_of(model, 14.0, share)[0]
    at = model.cube.windows.tolist().index(14.0)
    by_hand = [model.money.cube_cuft[k] ** 2 * drawn_variance(model, k, at) for k in range(items)]
    assert found[2:] == pytest.approx(np.sqrt(sum(by_hand)), rel=1e-3)
    assert (np.diff(found[:3]) > 0).all()  # until then more with every week


def test_stock_at_random_over_many_nodes_swings_by_units(model: NightModel) -> None:
    """Thinning: a Poisson number of units splits into independent ones."""
    items, many = len(model.cube.items), 10_000
    share = np.full((items, many), 1.0 / many)
    mean = model.cube.mean_at(np.full(items, 14.0))
    by_hand = np.sqrt((model.money.cube_cuft**2 * mean).sum() / many)
    assert spread_of(model, 14.0, share)[0, -1] == pytest.approx(by_hand, rel=0.02)


def test_what_has_no_room_stands_where_there_is_some() -> None:
    level, eligible = np.array([[10, 0, 2], [4, 0, 0]]), np.array([[1, 1, 1], [1, 0, 0]], bool)
    cube, room = np.array([1.0, 5.0]), np.array([15.0, 9.0, 5.0])
    found = poured(level, cube, eligible, room)
    # Node 0 holds half of 30 cubic feet; of item 0, five units go by what is left, 9 to 3.
    assert found[0] == pytest.approx([5, 5 * 0.75, 2 + 5 * 0.25])
    assert found[1] == pytest.approx([4, 0, 0])  # no other node may hold it


def test_swings_cost_what_a_normal_one_does() -> None:
    """c E(x + e - C)+ of a normal swing e, within 0.07 c s (most where a third begins to cost)."""
    for above in np.linspace(-3.0, 3.0, 25):
        exact = quad(lambda e, u=above: max(u + e, 0.0) * norm.pdf(e), -8, 8)[0]
        assert np.mean([max(above + e, 0.0) for e in SWINGS]) == pytest.approx(exact, abs=0.07)
    assert np.mean(SWINGS) == pytest.approx(0.0)


def test_a_row_for_each_swing_shares_the_cost_of_overflow(model: NightModel) -> None:
    rows = model.capacity
    usd = SETTINGS.optimize.storage_overflow_usd_per_cuft_week
    keys = pd.DataFrame({"node": rows.node, "week": rows.week, "usd": rows.rows.overflow_usd,
                         "limit": rows.rows.limit, "swing": rows.swing})  # fmt: skip
    keys = keys[(rows.resource == "storage_cuft") & rows.rows.is_step]
    each = keys.groupby(["node", "week"])
    assert each["usd"].sum().to_numpy() == pytest.approx(usd)
    assert (each["limit"].max() - each["limit"].min()).min() > 0
    assert (keys["limit"] + keys["swing"]).groupby(
        [keys["node"], keys["week"]]
    ).nunique().max() == 1


def test_a_node_that_nothing_fills_has_one_row(model: NightModel) -> None:
    """Free levels use 42 of 100 cubic feet, and swing by more than one: no row hangs on it."""
    share = model.unpriced / np.maximum(model.unpriced.sum(axis=1, keepdims=True), 1)
    assert spread_of(model, 14.0, share).max() > 1.0
    assert model.capacity.rows.is_step.any()
    roomy = night_model(tables(items=20, storage=100.0), AS_OF, SETTINGS)
    assert not roomy.capacity.rows.is_step.any()


def none_at_all(*given: Any) -> np.ndarray:
    share, weeks = given[5:]
    return np.zeros((share.shape[1], weeks))


def test_room_is_left_for_swings_and_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same world with and without them: nodes that were full stand less full, and a price is
    no more than what overflow costs."""
    use = []
    for is_certain in (True, False):
        monkeypatch.undo()
        if is_certain:
            monkeypatch.setattr("pipeline.optimize.stock_spread.spread_cuft", none_at_all)
        night = night_model(tables(**TIGHT), AS_OF, SETTINGS)
        prices = optimize_night(night, SETTINGS)["capacity_prices"]
        rows = prices[prices["resource"] == "storage_cuft"]
        use.append(rows[rows["week_start"] == rows["week_start"].max()].set_index("node_id"))
    full = use[0].index[use[0]["usage"] > 0.95 * use[0]["capacity"]]
    assert len(full)
    assert use[1].loc[full, "usage"].sum() < 0.9 * use[0].loc[full, "usage"].sum()
    usd = SETTINGS.optimize.storage_overflow_usd_per_cuft_week
    price = use[1].loc[full, "price_usd_per_capacity_unit"]
    assert ((price > 0) & (price <= usd + 1e-9)).all()
