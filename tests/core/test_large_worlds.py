"""The path of large worlds, forced on small ones: near the programme, and changing as it should."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.odd_worlds import AS_OF, SETTINGS, odd_world
from pipeline.core.exact import ExactParams
from pipeline.core.flow import ENTERING, HELD
from pipeline.core.item import ItemTables
from pipeline.core.prices import Capacity
from pipeline.core.solve import Plan, SolveParams, solve
from pipeline.optimize.night_model import night_model
from tests.core.test_weeks import CASES, WEEKS, ahead, free_use, network, rows
from tests.oracles.weeks_lp import exact_cost

LARGE = SolveParams(exact=ExactParams(items=0))
ITEMS = 60


def short_world(seed: int = 21) -> tuple[ItemTables, Capacity]:
    """Items with every dock and every node's storage at 70 % of their free use."""
    items = ahead(ITEMS, seed)
    return items, rows(CASES["everything short"](free_use(network(), items)))


def planned(items: ItemTables, capacity: Capacity, params: SolveParams = LARGE) -> Plan:
    return solve(network(), [items], capacity, params)


def test_plan_is_near_the_programme_of_the_horizon_where_everything_is_short():
    items, capacity = short_world()
    exact, price = exact_cost(network(), items, capacity)
    plan = planned(items, capacity)
    assert plan.certificate.violation == 0.0
    assert exact * (1 - 2e-3) <= plan.certificate.lower <= exact * (1 + 1e-6)
    assert exact * (1 - 1e-6) <= plan.certificate.upper <= exact * 1.03  # whole units, 60 items
    assert plan.price.sum() == pytest.approx(price.sum(), rel=0.05)


def test_threads_change_no_bit():
    items, capacity = short_world()
    one, two = planned(items, capacity), planned(items, capacity, replace(LARGE, threads=2))
    assert (one.price == two.price).all()
    assert (one.position[0] == two.position[0]).all()
    assert (one.placed[0].served == two.placed[0].served).all()


def test_order_of_items_changes_cost_and_prices_by_no_more_than_the_gap():
    items, capacity = short_world()
    order = np.random.default_rng(3).permutation(ITEMS)
    mixed = items.take((np.arange(WEEKS)[:, None] * ITEMS + order).ravel())
    one, other = planned(items, capacity), planned(mixed, capacity)
    gap = one.certificate.upper - one.certificate.lower
    assert abs(one.certificate.upper - other.certificate.upper) <= gap
    assert abs(one.certificate.lower - other.certificate.lower) <= gap
    assert other.price.sum() == pytest.approx(one.price.sum(), rel=0.05)


def test_money_in_other_units_is_the_same_plan():
    items, capacity = short_world()
    cents = replace(
        items, knots=items.knots * np.array([1, 64], np.float32), place_usd=items.place_usd * 64,
        gap_usd=items.gap_usd * 64,
    )  # fmt: skip
    one = planned(items, capacity)
    other = planned(cents, replace(capacity, overflow_usd=64 * capacity.overflow_usd))
    assert other.certificate.upper == pytest.approx(64 * one.certificate.upper, rel=2e-3)
    assert other.price == pytest.approx(64 * one.price, rel=0.1, abs=0.3)


def test_weeks_that_are_alike_have_prices_that_are_alike():
    items, capacity = short_world()
    flat = replace(items, rise=np.zeros_like(items.rise))
    capacity = rows(CASES["everything short"](free_use(network(), flat)))
    price = planned(flat, capacity).price.reshape(WEEKS, -1)
    assert price.sum() > 0
    assert price.sum(axis=1) == pytest.approx(np.full(WEEKS, price.sum() / WEEKS), rel=0.03)


def test_a_later_limit_lowers_nothing_tonight():
    items = ahead(ITEMS, 22)
    free = free_use(network(), items)
    ample = {(t, ENTERING, 3): 2.0 * free[t, ENTERING, 3] for t in range(WEEKS)}
    now = planned(items, rows(ample)).position[0][:ITEMS]
    for cell in [(2, ENTERING, 3), (2, HELD, 3), (1, ENTERING, 1)]:
        cut = planned(items, rows({**ample, cell: 0.5 * free[cell]})).position[0][:ITEMS]
        assert (cut == now).all()


def test_more_demand_in_a_later_week_with_a_full_dock_orders_no_less():
    items = ahead(ITEMS, 23)
    free = free_use(network(), items)
    docks = rows({(t, ENTERING, 3): 1.1 * free[t, ENTERING, 3] for t in range(WEEKS)})
    knots = items.knots.copy()
    last = slice(int(items.start[2 * ITEMS]), int(items.start[3 * ITEMS]))
    knots[last, 0] *= 2.0  # twice the demand in the last week
    more = replace(items, knots=knots)

    def early(plan: Plan) -> float:
        placed, tonight = plan.placed[0], slice(0, ITEMS)
        late = placed.entered[ITEMS:, :, 0] == 0
        return float(placed.served[tonight].sum() + placed.served[ITEMS:][late].sum())

    usual, event = planned(items, docks), planned(more, docks)
    assert early(event) > early(usual)
    assert event.position[0].sum() > usual.position[0].sum()


def test_where_one_item_dominates_the_way_in_is_chosen_by_what_the_plan_costs():
    """Most of it comes later; if all did, docks would overflow that have hardly any room."""
    world = odd_world(1)
    model = night_model(world.raw, AS_OF, SETTINGS)
    gap = {}
    for shares in ((0.5,), ExactParams().waiting_shares):
        params = SolveParams(exact=ExactParams(waiting_shares=shares))
        plan = solve(model.network.woods, [model.ahead], model.capacity.rows, params)
        gap[len(shares)] = plan.certificate.gap
    assert gap[1] > 0.1
    assert gap[4] < 0.02
