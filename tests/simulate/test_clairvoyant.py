"""The clairvoyant bound: above everything attainable, and as low as its twin says it can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.simulate.bound.clairvoyant import clairvoyant_bound
from pipeline.simulate.bound.orders import least_units, must_serve, pooled, terms
from pipeline.simulate.report.record import order_churn
from pipeline.simulate.world.day import World
from pipeline.simulate.world.model import Tables, WorldModel, WorldRules, capacities, world_model
from pipeline.simulate.world.start import initial_state
from pipeline.simulate.world.state import Decisions
from pipeline.simulate.world.supply import LeadTimes, day_number, lead_times
from pipeline.simulate.world.truth import Truth
from tests.oracles.full_information import best_profit
from tests.simulate.small import raw_tables

START = date(2024, 3, 5)  # a Tuesday: the first week has five days, the last is cut off
FIRST = day_number(START) + 1


def case(
    n_items: int, n_days: int, seed: int, stock: int = 4, late_parts: float = 0.0, **rules: object
) -> tuple[WorldModel, LeadTimes, Truth, dict[str, pd.DataFrame]]:
    """A small world with scarce room, demand to spare and prices that change."""
    tables = raw_tables(n_items)
    items, nodes = tables["items"]["item_id"], tables["nodes"]["node_id"]
    none = pd.Series([], dtype="datetime64[us]")
    tables["stock"] = pd.DataFrame({
        "item_id": np.repeat(items, 4), "node_id": np.tile(nodes, n_items), "on_hand_units": stock,
    })  # fmt: skip
    tables["open_orders"] = pd.DataFrame({
        "vendor_id": [], "item_id": [], "node_id": [], "order_date": none,
        "expected_arrival_date": none, "open_units": [],
    })  # fmt: skip
    tables["open_transfers"] = pd.DataFrame({
        "item_id": [], "from_node_id": [], "to_node_id": [], "ship_date": none,
        "expected_arrival_date": none, "open_units": [],
    })  # fmt: skip
    tables["node_capacity"] = pd.DataFrame({
        "node_id": ["SD", "FC-A", "DC"], "resource": ["storage_cuft", "outbound_units_per_day",
                                                      "inbound_units_per_day"],
        "start_date": pd.to_datetime(["2024-01-01"] * 3), "capacity": [1.0, 2.0, 1.5],
    })  # fmt: skip
    model = world_model(tables, WorldRules(partial_receipt_share=late_parts, **rules))
    rng = np.random.default_rng(seed)
    days = pd.date_range(START + timedelta(days=1), periods=n_days)
    shape = (n_days, n_items, 3)
    truth = Truth(days, rng.poisson(0.8, shape), rng.uniform(8, 40, shape),
                  capacities(tables, model.nodes, days))  # fmt: skip
    return model, lead_times(tables["lead_times"], tables["vendor_items"], model), truth, tables


def free(truth: Truth) -> Truth:
    """The same without limits."""
    return Truth(truth.days, truth.demand, truth.price_usd, np.full_like(truth.capacity, np.inf))


@pytest.mark.parametrize("seed", range(4))
def test_without_capacity_it_is_the_best_that_full_information_can_do(seed: int) -> None:
    """The twin has a row for every order and no hubs."""
    model, times, truth, tables = case(4, 12, seed)
    truth = free(truth)
    state = initial_state(model, times, tables, seed, START)
    found = clairvoyant_bound(model, times, truth, tables, seed, START).usd
    best = best_profit(model, times, truth, tables, state, seed, FIRST, with_packs=False)
    assert best <= found == pytest.approx(best, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_with_capacity_it_lies_between_full_information_and_no_limits(seed: int) -> None:
    model, times, truth, tables = case(4, 12, seed)
    state = initial_state(model, times, tables, seed, START)
    found = clairvoyant_bound(model, times, truth, tables, seed, START).usd
    best = best_profit(model, times, truth, tables, state, seed, FIRST, with_packs=False)
    unlimited = clairvoyant_bound(model, times, free(truth), tables, seed, START).usd
    assert best <= found < unlimited
    assert found - best <= 0.4 * (unlimited - best)


def test_packs_and_minimums_only_lower_what_is_attainable() -> None:
    model, times, truth, tables = case(2, 10, 5)
    tables["vendor_items"] = tables["vendor_items"].assign(moq_units=6, case_pack_units=3)
    state = initial_state(model, times, tables, 5, START)
    found = clairvoyant_bound(model, times, truth, tables, 5, START).usd
    assert best_profit(model, times, truth, tables, state, 5, FIRST, with_packs=True) < found


def test_prices_of_capacity_decide_how_tight_it_is_and_never_whether_it_holds() -> None:
    model, times, truth, tables = case(4, 12, 1)
    state = initial_state(model, times, tables, 1, START)
    best = best_profit(model, times, truth, tables, state, 1, FIRST, with_packs=False)
    tight = clairvoyant_bound(model, times, truth, tables, 1, START)
    rng = np.random.default_rng(0)
    for _ in range(5):
        price = np.where(rng.random(len(tight.price_usd)) < 0.2, 0.5 * rng.random(), 0.0)
        price[~np.isfinite(rooms(truth))] = 0.0
        loose = clairvoyant_bound(model, times, truth, tables, 1, START, price, steps=0).usd
        assert loose >= best
    again = clairvoyant_bound(model, times, truth, tables, 1, START, tight.price_usd, steps=0).usd
    assert again == pytest.approx(tight.usd)


def rooms(truth: Truth) -> np.ndarray:
    """Capacity of the rows: storage by day and node, flows by week, resource and node."""
    flows = truth.capacity[:, :, 1:].transpose(0, 2, 1)[[0, 5]]
    return np.concatenate([truth.capacity[:, :, 0].ravel(), flows.ravel()])


def lived(
    model: WorldModel, times: LeadTimes, truth: Truth, tables: Tables, seed: int,
    plans: list[Decisions],
) -> float:  # fmt: skip
    """Profit of some nights' decisions in the world itself."""
    world = World(model, times, initial_state(model, times, tables, seed, START), seed)
    return sum(
        float(world.live(FIRST + t, truth.demand[t], truth.price_usd[t], plan, truth.capacity[t])
              .item_profit_usd.sum())
        for t, plan in enumerate(plans)
    )  # fmt: skip


def plan(
    model: WorldModel, t: int, orders: list[tuple[int, int]], moves: list[tuple[int, int, int, int]]
) -> Decisions:
    """orders: (item, units) to DC from the item's vendor; moves: (item, lane ends, units)."""
    item, units = (np.array(part, dtype=np.int64) for part in zip(*orders, strict=True))
    moved, a, b, n = (np.array(part, dtype=np.int64) for part in zip(*moves, strict=True))
    dc = np.full(len(item), model.nodes.get_loc("DC"))
    return Decisions(item % 2, item, dc, units, model.unit_cost_usd[item],
                     np.full(len(item), FIRST + t + 3), moved, a, b, n,
                     np.full(len(moved), FIRST + t))  # fmt: skip


def test_no_exhaustive_search_in_the_world_finds_more() -> None:
    """One item, five days: every choice of an order and a move on each of two nights."""
    model, times, truth, tables = case(2, 5, 3, stock=2)
    bound = clairvoyant_bound(model, times, truth, tables, 3, START, steps=6).usd
    nights = [
        (orders, moves) for orders in (0, 3)
        for moves in ((0, 1, 0), (0, 1, 2), (0, 2, 1), (1, 3, 2))
    ]  # fmt: skip
    best = max(
        lived(model, times, truth, tables, 3, [
            plan(model, t, [(0, choice[t][0])], [(0, *choice[t][1])]) if t < 2
            else plan(model, t, [(0, 0)], [(0, 0, 1, 0)])
            for t in range(5)
        ]) for choice in product(nights, repeat=2)
    )  # fmt: skip
    assert 0.5 * bound < best <= bound


@pytest.mark.parametrize("seed", range(6))
def test_no_random_plan_earns_more(seed: int) -> None:
    """With late parts, customers who refuse a late delivery, and transfers that claim to be
    faster than their lane."""
    model, times, truth, tables = case(
        4,
        20,
        seed,
        late_parts=0.4,
        accept_late_share=0.6,
        assignment=("nearest", "scarcity")[seed % 2],
    )
    bound = clairvoyant_bound(model, times, truth, tables, seed, START).usd
    rng = np.random.default_rng(seed)
    for _ in range(10):
        plans = [
            plan(model, t, [(int(k), int(rng.integers(0, 5))) for k in rng.integers(0, 4, 2)],
                 [(int(k), *[(0, 1), (0, 2), (1, 3)][int(lane)], int(rng.integers(0, 4)))
                  for k, lane in rng.integers(0, (4, 3), (3, 2))])
            for t in range(20)
        ]  # fmt: skip
        assert lived(model, times, truth, tables, seed, plans) <= bound


def test_an_order_after_the_cut_off_cannot_be_had_in_time() -> None:
    """All orders at 23 h: the fast speed is missed by every node, and the bound knows it."""
    early, late = ({"hour": [hour], "demand_share": [1.0]} for hour in (8, 23))
    found = {}
    for name, hours in (("early", early), ("late", late)):
        _, times, truth, tables = case(2, 10, 2)
        tables["order_hours"] = pd.DataFrame(hours)
        model = world_model(tables, WorldRules(partial_receipt_share=0.0))
        found[name] = clairvoyant_bound(model, times, free(truth), tables, 2, START).usd
    assert found["late"] < found["early"]


def everywhere(
    n_items: int, n_days: int, seed: int, stock: int = 12
) -> tuple[WorldModel, LeadTimes, Truth, Tables]:
    """A world whose nodes all deliver to all regions, in which half of the sales lose."""
    _, times, truth, tables = case(n_items, n_days, seed, stock)
    regions, nodes = tables["regions"]["region_id"], tables["nodes"]["node_id"]
    near = tables["delivery_options"]
    far = pd.DataFrame([(region, "slow", node, 24.0, 5.0) for region in regions for node in nodes],
                       columns=near.columns)  # fmt: skip
    both = pd.concat([near, far]).drop_duplicates(["region_id", "speed", "node_id"])
    tables = {**tables, "delivery_options": both}
    model = world_model(tables, WorldRules(partial_receipt_share=0.0))
    price = np.random.default_rng(seed).uniform(4, 24, truth.price_usd.shape)
    return model, times, Truth(truth.days, truth.demand, price, truth.capacity), tables


def test_sellers_must_serve_where_every_node_reaches_everyone_who_then_accepts() -> None:
    model, _, _, _ = everywhere(2, 5, 0)
    assert must_serve(model)
    assert not must_serve(case(2, 5, 0)[0])
    picky = model.rules.model_copy(update={"accept_late_share": 0.9})
    assert not must_serve(replace(model, rules=picky))


@pytest.mark.parametrize("seed", range(6))
def test_no_plan_of_a_seller_who_must_serve_earns_more(seed: int) -> None:
    """Nor does one that hides its stock on lanes; the bound is below that of a free choice."""
    model, times, truth, tables = everywhere(4, 14, seed)
    bound = clairvoyant_bound(model, times, truth, tables, seed, START).usd
    state = initial_state(model, times, tables, seed, START)
    assert bound < best_profit(
        model, times, free(truth), tables, state, seed, FIRST, with_packs=False
    )
    rng, best = np.random.default_rng(seed), -np.inf
    for how in range(14):
        most = 40 if how % 2 else 4  # now and then all that is there is sent away
        plans = [
            plan(model, t, [(int(k), int(rng.integers(0, how))) for k in rng.integers(0, 4, 2)]
                 if how > 9 else [(0, 0)],
                 [(int(k), *[(0, 1), (0, 2), (1, 3)][int(lane)], int(rng.integers(0, most)))
                  for k, lane in rng.integers(0, (4, 3), (8, 2))] if how else [(0, 0, 1, 0)])
            for t in range(14)
        ]  # fmt: skip
        best = max(best, lived(model, times, truth, tables, seed, plans))
    assert best <= bound


@pytest.mark.parametrize("seed", range(3))
def test_stock_that_loses_on_every_sale_cannot_be_kept(seed: int) -> None:
    """All that is there must be sold at a loss: the bound knows more than half of it."""
    model, times, truth, tables = everywhere(4, 14, seed)
    price = (model.unit_cost_usd[:, None] + 1.0) / 1.1  # with goodwill 1 USD, delivery costs more
    truth = free(replace(truth, price_usd=np.broadcast_to(price, truth.price_usd.shape).copy()))
    nothing = [plan(model, t, [(0, 0)], [(0, 0, 1, 0)]) for t in range(14)]
    attained = lived(model, times, truth, tables, seed, nothing)
    bound = clairvoyant_bound(model, times, truth, tables, seed, START).usd
    picky = WorldRules(partial_receipt_share=0.0, accept_late_share=0.999)
    chosen = clairvoyant_bound(
        replace(model, rules=picky), times, truth, tables, seed, START
    ).usd  # who may refuse, may keep it all
    assert attained <= bound < attained + 0.5 * (chosen - attained)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=4, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=8),
    st.integers(0, 2**31),
)
def test_least_units_are_owned_whatever_is_sold(stock, rows, seed) -> None:
    """Any share of each order may have been served before, and more may have been bought."""
    rows.sort()
    day, units = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    least = least_units(day, units, np.array(stock))
    rng, owned, at = np.random.default_rng(seed), 0, 0
    served_all, know = 0, []
    for t, came in enumerate(stock):
        owned, served_all = owned + came + int(rng.integers(0, 2)), served_all + came
        while at < len(day) and day[at] == t:
            know.append(owned)
            assert least[at] == served_all
            owned -= int(rng.integers(0, min(units[at], owned) + 1))
            served_all = max(served_all - units[at], 0)
            at += 1
    assert (np.array(know, dtype=np.int64) >= least).all()


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=3, max_size=3),
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 4), st.floats(-3, 1)), min_size=1, max_size=6
    ),
    st.lists(st.integers(0, 8), min_size=3, max_size=3),
    st.sampled_from([0.1, 1.0, 1e9]),
)
def test_multipliers_take_nothing_off_whoever_serves_from_stock_or_hides_it(
    stock, rows, hidden, move_usd
) -> None:
    """Each morning some units leave for a day; the others serve orders as they come in."""
    rows.sort(key=lambda row: row[0])
    day, units, value = (np.array(part) for part in zip(*rows, strict=True))
    sold, moving, owned = np.zeros(len(day)), np.zeros(3), 0
    for t in range(3):
        owned += stock[t]
        moving[t] = min(hidden[t], owned)
        here = owned - moving[t]
        for i in np.flatnonzero(day == t):
            sold[i] = min(units[i], here)
            here -= sold[i]
            owned -= int(sold[i])
    for one in terms(day, units, value.astype(float), np.array(stock), np.full(3, move_usd)):
        assert one.usd @ sold + one.moving_usd @ moving - one.sunk_usd >= -1e-9


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9), st.floats(-5, 5)), min_size=1))
def test_pooled_values_are_the_steps_of_the_concave_majorant_of_a_days_sums(rows) -> None:
    """The twin tries every chord."""
    rows.sort(key=lambda row: row[0])
    day, units, value = (np.array(part) for part in zip(*rows, strict=True))
    even = pooled(day, units, value.astype(float))
    for one in np.unique(day):
        mine = np.flatnonzero(day == one)
        x = np.concatenate([[0], np.cumsum(units[mine])])
        y = np.concatenate([[0.0], np.cumsum(units[mine] * value[mine])])
        least = [
            max(y[i] if i == n == j else y[i] + (y[j] - y[i]) * (x[n] - x[i]) / (x[j] - x[i])
                for i in range(n + 1) for j in range(n, len(x)) if i < j or i == n == j)
            for n in range(len(x))
        ]  # fmt: skip
        found = np.concatenate([[0.0], np.cumsum(units[mine] * even[mine])])
        assert found == pytest.approx(least, abs=1e-7)
        assert (np.diff(even[mine]) <= 1e-9).all()


def test_churn_is_0_for_the_same_orders_every_week_and_1_for_orders_every_other_week() -> None:
    same = np.tile(np.array([[3, 0]]), (21, 1))
    assert order_churn(same) == 0.0
    other = same.copy()
    other[7:14] = 0
    assert order_churn(other) == 1.0
    assert order_churn(same[:3]) == 0.0
