"""The world conserves units, does not depend on threads, and agrees with an obvious slow twin."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.simulate.world.day import LedgerError, World, kernel
from pipeline.simulate.world.model import WorldModel, WorldRules
from pipeline.simulate.world.returns import split_usd
from pipeline.simulate.world.state import Decisions, do_nothing, load_state, save_state
from tests.simulate.small import small_world, some_decisions, stocked


def run(seed: int, n_days: int, rules: WorldRules | None = None) -> tuple:
    world, model, _ = small_world(seed, rules)
    rng = np.random.default_rng(seed)
    price = np.full(model.shape[:2], 20.0)
    days = []
    for day in range(n_days):
        demand = rng.poisson(0.8, model.shape[:2])
        days.append(world.live(day, demand, price, some_decisions(model, rng, day)))
    return world, days


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), lets_wait=st.booleans(), accepts=st.sampled_from([0.0, 0.5, 1]))
def test_every_unit_is_accounted_for_on_every_day(
    seed: int, lets_wait: bool, accepts: float
) -> None:
    """Orders, arrivals, transfers beyond the stock, lost, late and waiting demand: all balance."""
    rules = WorldRules(lets_wait=lets_wait, accept_late_share=accepts)
    world, days = run(seed, 8, rules)
    started = int((np.array([9, 4, 4, 2]) * world.model.may_hold).sum())
    ordered = sum(day.orders_units for day in days)
    sold = sum(int(day.sold.sum()) for day in days)
    left = int(world.state.on_hand.sum() + world.state.on_the_way.units.sum())
    assert started + ordered == sold + left


def test_what_customers_send_back_is_sold_again_and_paid_back() -> None:
    """Units balance with returns; the books show the sale, the refund and the unit's cost back."""
    world, days = run(3, 12, WorldRules(return_share=0.3, return_days=4))
    plain, usual = run(3, 12)
    started = int((np.array([9, 4, 4, 2]) * world.model.may_hold).sum())
    ordered = sum(day.orders_units for day in days)
    sold = sum(int(day.sold.sum()) for day in days)
    pending = int(world.state.returning.sum())
    left = int(world.state.on_hand.sum() + world.state.on_the_way.units.sum())
    back = sold + left - started - ordered
    assert back > 0
    assert (back + pending) / sold == pytest.approx(0.3, abs=0.05)
    for k in range(4):  # nothing is back before it is due
        np.testing.assert_array_equal(days[k].sold, usual[k].sold)
        np.testing.assert_allclose(days[k].money, usual[k].money)
    sales = sum(day.sold.sum() * 20.0 for day in days)
    assert sum(day.money[:, 0].sum() for day in days) == pytest.approx(sales - 20.0 * back)
    assert len(plain.state.returning) == 0


def test_an_order_of_one_unit_is_never_split_and_one_node_sends_one_parcel() -> None:
    sold = np.array([[6, 2], [2, 2]])
    two_nodes = np.array([[8, 0], [2, 2]])
    ones = WorldRules(order_units=1, split_usd=3.0)
    pairs = WorldRules(order_units=2, split_usd=3.0)
    np.testing.assert_allclose(split_usd(two_nodes, sold, ones), 0.0, atol=1e-12)
    # In the second region half of the pairs lie at two nodes: 2 orders, 0.5 parcels more, 3 USD.
    found = split_usd(two_nodes, sold, pairs)
    np.testing.assert_allclose(found, [1.5, 1.5])


def test_split_orders_cost_what_a_draw_of_baskets_says() -> None:
    rng = np.random.default_rng(8)
    served = np.array([[30, 50, 20]])
    node = np.repeat([0, 1, 2], served[0])
    parcels = []
    for _ in range(4000):
        rng.shuffle(node)
        parcels.append(np.mean([len(set(node[k : k + 4])) for k in range(0, 100, 4)]))
    usd = split_usd(served, np.array([[100]]), WorldRules(order_units=4, split_usd=1.0))
    # Without replacement a basket of a finite day differs a little from the formula's.
    assert usd[0] == pytest.approx(25 * (np.mean(parcels) - 1), rel=0.03)


def test_a_unit_that_vanishes_is_noticed() -> None:
    world, model, _ = small_world()
    original = world._trade

    def leaky(*args: object) -> None:
        original(*args)
        world.state.on_hand[0, 0] -= 1

    world._trade = leaky
    with pytest.raises(LedgerError, match="item_00 is off by 1"):
        world.live(0, np.zeros(model.shape[:2], dtype=np.int64), np.ones(model.shape[:2]),
                   do_nothing())  # fmt: skip


def test_any_number_of_threads_gives_the_same_bytes() -> None:
    before = numba.get_num_threads()
    try:
        results = []
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            world, days = run(5, 10)
            results.append((world.state.on_hand.tobytes(),
                            b"".join(day.money.tobytes() for day in days)))  # fmt: skip
    finally:
        numba.set_num_threads(before)
    assert results[0] == results[1]


def test_luck_is_common_to_different_decisions() -> None:
    """What customers ask for, by speed, does not depend on what is in stock."""
    world, model, _ = small_world(3)
    other, _, _ = small_world(3)
    other.state.on_hand[:] = 50
    demand = np.random.default_rng(0).poisson(8.0, model.shape[:2])
    price = np.ones(model.shape[:2])
    first = world.live(7, demand, price, do_nothing())
    second = other.live(7, demand, price, do_nothing())
    assert (first.speed_units[:, 0] == second.speed_units[:, 0]).all()
    assert first.sold.sum() < second.sold.sum()


def test_a_state_read_back_goes_on_as_if_nothing_had_happened() -> None:
    world, model, _ = small_world(2)
    rng = np.random.default_rng(2)
    price = np.full(model.shape[:2], 20.0)
    plans = [(rng.poisson(0.8, model.shape[:2]), some_decisions(model, rng, d)) for d in range(8)]
    for day in range(4):
        world.live(day, *_day(plans[day], price))
    copy, _, _ = small_world(2)
    copy.state = load_state({name: array.copy() for name, array in save_state(world.state).items()})
    for day in range(4, 8):
        a = world.live(day, *_day(plans[day], price))
        b = copy.live(day, *_day(plans[day], price))
        assert a.money.tobytes() == b.money.tobytes()
    assert save_state(world.state)["on_hand"].tobytes() == copy.state.on_hand.tobytes()


def test_flow_is_held_to_the_capacity_of_the_week_not_of_the_day() -> None:
    """A peak day is free while the week has room; what the week lacks is charged once, also when
    the run is stopped in between; the next Monday starts anew."""
    monday, (world, model, _) = 4, small_world(2)  # 1970-01-05
    capacity = np.full((len(model.nodes), 3), np.inf)
    capacity[:, 2] = 10.0
    price = np.full(model.shape[:2], 20.0)
    none = np.zeros(model.shape[:2], dtype=np.int64)
    rush = none.copy()
    rush[:, 0] = 9
    world.state.on_hand[:] = 0
    world.state.on_hand[:, 1] = 30  # FC-A serves the east: 12 items x 9 units
    assert world.model.nodes[1] == "FC-A"
    over = []
    for day in range(monday, monday + 8):
        if day == monday + 3:
            kept = {name: array.copy() for name, array in save_state(world.state).items()}
            world, _, _ = small_world(2)
            world.state = load_state(kept)
        demand = rush if day in (monday, monday + 7) else none
        if day == monday + 4:
            demand = none.copy()
            demand[:2, 0] = 3
        found = world.live(day, demand, price, do_nothing(), capacity)
        over.append(found.overflow[1, 2])
    assert over == [108 - 70, 0, 0, 0, 6, 0, 0, 108 - 70]


def _day(plan: tuple, price: np.ndarray) -> tuple:
    return plan[0], price, plan[1]


def test_a_lane_takes_its_day_and_the_rest_waits_at_its_node() -> None:
    """40 cubic feet are asked of a lane that takes 10: a quarter of each transfer leaves, no unit
    is lost, and a lane without a limit takes all."""
    _, model, times = small_world(2)
    room = np.full_like(model.lane_cuft_per_day, np.inf)
    room[0, 1] = 10.0
    model = replace(model, lane_cuft_per_day=room, cube_cuft=np.full(len(model.items), 0.5))
    world = World(model, times, stocked(model), 2)
    world.state.on_hand[:, 0] = 100
    item, none = np.arange(8, dtype=np.int64), np.zeros(0, dtype=np.int64)
    target = np.array([1, 1, 1, 1, 2, 2, 2, 2])
    moves = Decisions(none, none, none, none, none.astype(float), none, item, item * 0, target,
                      np.full(8, 20), np.full(8, 6))  # fmt: skip
    nobody = np.zeros(model.shape[:2], dtype=np.int64)
    world.live(5, nobody, np.ones(model.shape[:2]), moves)
    assert world.state.on_hand[:8, 0].tolist() == [95] * 4 + [80] * 4
    ways = world.state.on_the_way
    assert (ways.units[ways.node == 1] * 0.5).sum() == 10.0
    assert world.state.on_hand.sum() + ways.units.sum() == stocked_units(model)


def stocked_units(model: WorldModel) -> int:
    """Units of the lane test before its day."""
    state = stocked(model)
    state.on_hand[:, 0] = 100
    return int(state.on_hand.sum())


def test_a_transfer_is_never_faster_than_its_lane() -> None:
    world, model, _ = small_world(2)
    world.state.on_hand[:, 0] = 9
    one, none = np.ones(1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    hurry = Decisions(none, none, none, none, none.astype(float), none, one, one * 0, one * 2, one,
                      one * 6)  # fmt: skip
    world.live(5, np.zeros(model.shape[:2], dtype=np.int64), np.ones(model.shape[:2]), hurry)
    assert world.state.on_the_way.arrival_day.tolist() == [7]  # two days from DC to FC-B


def test_the_kernel_agrees_with_a_plain_loop_over_orders() -> None:
    """Twin: dictionaries and one unit at a time, in the documented order of buckets and regions."""
    world, model, _ = small_world(11)
    demand = np.random.default_rng(4).poisson(6.0, model.shape[:2])
    stock = world.state.on_hand.copy()
    asked = cells_of(model, 11, 9, demand)
    expected_lost = expected_late = 0
    shipping = 0.0
    offers = model.offers
    for k in range(len(model.items)):
        for b in range(offers.n_buckets):
            for turn in range(3):
                r = (turn + 9) % 3
                for s in range(offers.n_speeds):
                    cell = (r * offers.n_speeds + s) * offers.n_buckets + b
                    for _ in range(asked[k, r, b * offers.n_speeds + s]):
                        for o in range(offers.start[cell], offers.start[cell + 1]):
                            if stock[k, offers.node[o]] > 0:
                                stock[k, offers.node[o]] -= 1
                                shipping += offers.ship_usd[o]
                                expected_late += o >= offers.late[cell]
                                break
                        else:
                            expected_lost += 1
    day = world.live(9, demand, np.ones(model.shape[:2]), do_nothing())
    assert (world.state.on_hand == stock).all()
    assert day.count[:, kernel.LOST].sum() == expected_lost > 0
    assert day.count[:, kernel.LATE].sum() == expected_late > 0
    assert day.money[:, 2].sum() == pytest.approx(shipping)


def cells_of(model: object, seed: int, day: int, demand: np.ndarray) -> np.ndarray:
    """Units by (item, region, cell) in the kernel's own draw, one region at a time."""
    n_cells = model.cumulative.shape[1]
    out = np.zeros((*demand.shape, n_cells), dtype=np.int64)
    kernel.orders_by_cell(seed, day, model.item_key, model.region_key, demand, model.cumulative,
                          out)  # fmt: skip
    return out


def test_overflow_is_charged_by_the_cubic_foot() -> None:
    world, model, _ = small_world()
    world.state.on_hand[:, 3] = 0
    world.state.on_hand[0, 3] = 200  # 200 units of 0.2 cu ft in a site of 20 cu ft
    capacity = np.full((4, 3), np.inf)
    capacity[3, 0] = 20.0
    nobody = np.zeros(model.shape[:2], dtype=np.int64)
    day = world.live(0, nobody, np.ones(model.shape[:2]), do_nothing(), capacity)
    assert day.overflow[3, 0] == pytest.approx(20.0)
    assert day.money[:, 10].sum() == pytest.approx(20.0 * 0.5)
