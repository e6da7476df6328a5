"""The world refuses what no real network would carry out, says why, and carries out the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.simulate.rivals.situation import ORDER_COLUMNS, TRANSFER_COLUMNS, Plan, to_decisions
from pipeline.simulate.world.day import Day, World
from pipeline.simulate.world.law import RULES, network_law
from pipeline.simulate.world.model import WorldModel, WorldRules, world_model
from pipeline.simulate.world.state import Decisions, do_nothing
from pipeline.simulate.world.supply import confirmed_units, lead_times, luck
from tests.simulate.small import raw_tables, small_world, stocked

DAY = 20_000
ORDER_WAYS = ("negative", "zero", "fraction", "nan", "infinite", "free", "dear", "nan_cost",
              "broken_case", "other_vendor", "no_vendor", "no_item", "no_node", "closed_dock",
              "bulky", "yesterday", "no_date", "few", "many", "cheap")  # fmt: skip
MOVE_WAYS = ("negative", "zero", "fraction", "no_item", "no_node", "no_lane", "upward", "itself",
             "bulky", "too_many")  # fmt: skip


def strict_tables() -> dict[str, pd.DataFrame]:
    """Vendor v1 takes orders from 50 USD on, v2 at most 400 units; items at least 4 units."""
    tables = raw_tables()
    tables["vendors"] = tables["vendors"].assign(
        order_minimum_usd=[50.0, 0.0],
        vendor_capacity_units_per_order=pd.array([pd.NA, 400], dtype="Int64"),
    )
    tables["vendor_items"]["moq_units"] = 4
    tables["nodes"].loc[tables["nodes"]["node_id"] == "SD", "is_vendor_receiving"] = True
    return tables


def strict_world(
    seed: int = 1, rules: WorldRules | None = None
) -> tuple[World, dict[str, pd.DataFrame]]:
    tables = strict_tables()
    model = world_model(tables, rules or WorldRules())
    times = lead_times(tables["lead_times"], tables["vendor_items"], model)
    return World(model, times, stocked(model), seed, network_law(tables, model)), tables


def lawful_order(tables: dict[str, pd.DataFrame], k: int) -> dict[str, object]:
    terms = tables["vendor_items"].iloc[k]
    return {"vendor_id": terms["vendor_id"], "item_id": terms["item_id"], "node_id": "DC",
            "units": 20, "unit_cost_usd": terms["unit_cost_usd"],
            "expected_arrival_date": pd.Timestamp(0) + pd.Timedelta(days=DAY + 4)}  # fmt: skip


def bad_order(tables: dict[str, pd.DataFrame], way: str, k: int) -> dict[str, object]:
    line = lawful_order(tables, k)
    spoil: dict[str, dict[str, object]] = {
        "negative": {"units": -20}, "zero": {"units": 0}, "fraction": {"units": 20.5},
        "nan": {"units": np.nan}, "infinite": {"units": np.inf}, "free": {"unit_cost_usd": 0.0},
        "dear": {"unit_cost_usd": 99.0}, "nan_cost": {"unit_cost_usd": np.nan},
        "broken_case": {"units": 21}, "no_vendor": {"vendor_id": "nobody"},
        "other_vendor": {"vendor_id": "v2" if line["vendor_id"] == "v1" else "v1"},
        "no_item": {"item_id": "nothing"}, "no_node": {"node_id": "nowhere"},
        "closed_dock": {"node_id": "FC-A"}, "yesterday": {"expected_arrival_date": pd.Timestamp(0)},
        "no_date": {"expected_arrival_date": pd.NaT}, "few": {"units": 2},
    }  # fmt: skip
    if way == "bulky":  # odd items are not sortable, the site takes no others
        return {**lawful_order(tables, k | 1), "node_id": "SD"}
    if way == "many":
        return {**lawful_order(tables, k | 1), "units": 402}
    if way == "cheap":  # 4 units of an item of v1 for less than its 50 USD
        return {**lawful_order(tables, 2 * (k % 3)), "units": 4}
    return {**line, **spoil[way]}


def bad_move(way: str, k: int) -> dict[str, object]:
    line = {"item_id": f"item_{k:02d}", "from_node_id": "DC", "to_node_id": "FC-A",
            "transfer_units": 2, "expected_arrival_date": pd.Timestamp("2024-10-06")}  # fmt: skip
    spoil: dict[str, dict[str, object]] = {
        "negative": {"transfer_units": -2}, "zero": {"transfer_units": 0},
        "fraction": {"transfer_units": 1.5}, "no_item": {"item_id": "nothing"},
        "no_node": {"from_node_id": "nowhere"}, "no_lane": {"to_node_id": "SD"},
        "upward": {"from_node_id": "FC-A", "to_node_id": "DC"}, "itself": {"to_node_id": "DC"},
        "bulky": {"item_id": f"item_{k | 1:02d}", "from_node_id": "FC-A", "to_node_id": "SD"},
        "too_many": {"from_node_id": "FC-A", "to_node_id": "SD", "item_id": f"item_{k & ~1:02d}",
                     "transfer_units": 999},
    }  # fmt: skip
    return {**line, **spoil[way]}


def live(world: World, orders: list[dict], moves: list[dict]) -> Day:
    plan = Plan(pd.DataFrame(orders, columns=list(ORDER_COLUMNS)),
                pd.DataFrame(moves, columns=list(TRANSFER_COLUMNS)))  # fmt: skip
    nobody = np.zeros(world.model.shape[:2], dtype=np.int64)
    return world.live(DAY, nobody, np.ones(world.model.shape[:2]), to_decisions(plan, world.model))


HUNDRED = [
    *(("order", way, k) for way in ORDER_WAYS for k in range(4)),
    *(("move", way, k) for way in MOVE_WAYS for k in range(2)),
]


def test_a_hundred_illegal_decisions_are_all_refused_and_named() -> None:
    """One at a time: nothing is ordered, nothing moves that is not there, nothing is paid."""
    assert len(HUNDRED) == 100
    seen = set()
    for kind, way, k in HUNDRED:
        world, tables = strict_world()
        world.state.on_hand[:, 1] *= way != "too_many"  # then FC-A is empty
        before = world.state.on_hand.copy()
        orders = [bad_order(tables, way, k)] if kind == "order" else []
        day = live(world, orders, [bad_move(way, k)] if kind == "move" else [])
        assert day.refused is not None
        assert len(day.refused.rule) == 1, (kind, way)
        assert day.orders_units == 0, (kind, way)
        assert len(world.state.on_the_way) == 0, (kind, way)
        assert (world.state.on_hand == before).all(), (kind, way)
        assert day.money[:, 9].sum() == 0.0
        seen.add(RULES[day.refused.rule[0]])
    assert seen == set(RULES) - {"vendor_takes_no_orders"}  # every day is one of theirs


def test_the_lawful_lines_of_a_plan_are_carried_out_beside_the_refused() -> None:
    world, tables = strict_world()
    lines = [bad_order(tables, way, 5) for way in ("negative", "free", "closed_dock")]
    day = live(world, [lawful_order(tables, 0), *lines, lawful_order(tables, 3)], [])
    assert day.orders_units == 40
    assert [RULES[rule] for rule in day.refused.rule] == [
        "units_not_whole_and_positive", "cost_not_quoted", "node_takes_no_orders",
    ]  # fmt: skip


def test_vendors_take_orders_on_their_days_only() -> None:
    """v1 on Tuesdays and Fridays; v2 on all days but those of a closure, and Mondays."""
    world, tables = strict_world()
    tables["vendors"]["order_weekdays"] = ["tue fri", None]
    tables["closures"] = pd.DataFrame({
        "vendor_id": ["v2", "v2", None], "weekday": [None, "mon", "thu"],
        "start_date": pd.to_datetime(["2024-10-05", None, None]),
        "expiry_date": pd.to_datetime(["2024-10-08", None, None]),
    })  # fmt: skip
    world = World(world.model, world.times, world.state, 1, network_law(tables, world.model))
    taken = []
    for day in range(DAY, DAY + 11):  # from Friday, 4 October 2024
        for k in (0, 1):
            line = {**lawful_order(tables, k), "expected_arrival_date": pd.Timestamp("2024-12-01")}
            orders = pd.DataFrame([line])[list(ORDER_COLUMNS)]
            plan = Plan(orders, pd.DataFrame(columns=list(TRANSFER_COLUMNS)))
            demand = np.zeros(world.model.shape[:2], dtype=np.int64)
            lived = world.live(day, demand, np.ones(demand.shape),
                               to_decisions(plan, world.model))  # fmt: skip
            if lived.orders_units:
                taken.append((f"{np.datetime64(day, 'D')}"[5:], k))
            else:
                assert RULES[lived.refused.rule[0]] == "vendor_takes_no_orders"
    assert [day for day, k in taken if k == 0] == ["10-04", "10-08", "10-11"]
    assert [day for day, k in taken if k == 1] == [
        "10-04", "10-09", "10-10", "10-11", "10-12", "10-13",
    ]  # fmt: skip


def test_minimums_are_met_by_an_items_parts_together() -> None:
    """2 units to each of two docks are the item's 4; without the second they are too few."""
    world, tables = strict_world()
    tables["vendor_items"].loc[4, "unit_cost_usd"] = 60.0
    world = World(world.model, world.times, world.state, 1, network_law(tables, world.model))
    part = {**lawful_order(tables, 4), "units": 2}
    both = live(world, [part, {**part, "node_id": "SD"}], [])
    assert both.orders_units == 4
    assert live(world, [part], []).orders_units == 0


def test_a_transfer_moves_what_is_there_and_the_rest_is_refused() -> None:
    """9 units at the center: 6 leave, then 3 of the next 5, none of the last."""
    world, _ = strict_world()
    day = live(world, [], [{**bad_move("zero", 2), "transfer_units": n} for n in (6, 5, 1)])
    assert day.lawful.transfer_units.tolist() == [6, 3]
    assert day.refused.units.tolist() == [2, 1]
    assert world.state.on_hand[2, 0] == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_units_and_money_are_conserved_whatever_is_asked(seed: int) -> None:
    """Random lines, mostly illegal: what is owned changes by lawful orders and sales alone, and
    what is paid above standard cost is that of lawful lines; also where vendors send fewer or more
    units than were ordered, in parts, and docks take their days."""
    rules = WorldRules(short_share=0.3, over_share=0.3, partial_receipt_share=0.5, receiving_days=2)
    world, tables = strict_world(seed, rules if seed % 2 else None)
    world = World(replace(world.model, unit_cost_usd=world.model.unit_cost_usd - 1.0), world.times,
                  world.state, seed, world.law)  # fmt: skip
    rng = np.random.default_rng(seed)
    model = world.model
    for t in range(5):
        owned = world.state.on_hand.sum() + world.state.on_the_way.units.sum()
        plan = _anything(model, rng, DAY + t)
        demand = rng.poisson(1.0, model.shape[:2])
        day = world.live(DAY + t, demand, np.full(model.shape[:2], 20.0), plan)
        now = world.state.on_hand.sum() + world.state.on_the_way.units.sum()
        assert now == owned + day.orders_units - day.sold.sum()
        assert (day.lawful.units > 0).all()
        least = tables["vendor_items"]["unit_cost_usd"].to_numpy()[day.lawful.item]
        cent = 0.005  # a quoted cost may be rounded to the cent
        assert day.lawful.unit_cost_usd == pytest.approx(least, abs=cent)
        over = day.money[:, 9].sum()  # a dollar a unit above standard
        assert over == pytest.approx(day.orders_units, abs=cent * max(day.orders_units, 1))
        assert len(day.refused.rule) >= len(plan.units) - len(day.lawful.units)
    nothing = world.live(DAY + 5, demand * 0, np.ones(model.shape[:2]), do_nothing())
    assert len(nothing.refused.rule) == 0


def test_vendors_confirm_what_they_will_send() -> None:
    """Of 240 lines of 40 units a third is short by 5-30 %, a third brings 5-10 % more, and units at
    the dock wait their days."""
    _, model, times = small_world()
    n, luck_of = 240, WorldRules(short_share=1 / 3, over_share=1 / 3, receiving_days=3)
    item, day = np.arange(n) % 12, np.arange(n) // 12
    model = replace(model, rules=luck_of)
    found = np.concatenate([
        confirmed_units(model, 1, item[day == t] % 2, item[day == t], np.full(12, 40), int(t))
        for t in range(20)
    ])  # fmt: skip
    for share in (found < 40, found > 40, found == 40):
        assert 0.2 < share.mean() < 0.47
    assert 28 <= found.min() < 38
    assert 42 <= found.max() <= 44
    lead, _, _ = luck(model, times, 1, item[:12] % 2, item[:12], 5)
    usual, _, _ = luck(replace(model, rules=WorldRules()), times, 1, item[:12] % 2, item[:12], 5)
    assert (lead == usual + 3).all()


def _anything(model: WorldModel, rng: np.random.Generator, day: int) -> Decisions:
    """Lines drawn without a thought; half of the orders quote the right cost and vendor."""
    n, m = 12, 12
    n_items, _, n_nodes = model.shape
    item, moved = rng.integers(-1, n_items, n), rng.integers(-1, n_items, m)
    cost = np.where(rng.random(n) < 0.5, model.unit_cost_usd[item] + 1, rng.normal(10, 10, n))
    plan = Decisions(
        item % 2, item, rng.integers(-1, n_nodes, n), rng.integers(-4, 30, n), cost,
        day + rng.integers(-2, 6, n), moved, rng.integers(-1, n_nodes, m),
        rng.integers(-1, n_nodes, m), rng.integers(-4, 20, m), np.full(m, day + 1),
    )  # fmt: skip
    return replace(plan, node=np.where(rng.random(n) < 0.5, 0, plan.node))
