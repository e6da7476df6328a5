"""Crowded nodes send on what costs least to send, as long as the space is worth it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.settings import Settings
from pipeline.core.allocation import Network
from pipeline.place.plan import plan_placement
from pipeline.place.relief import Crowding, most_taken, relief
from tests.place.world import AS_OF, TODAY, Tables, world


def network(usd: np.ndarray, lot: int, room: float, cube: np.ndarray) -> Network:
    """Two lanes out of node 0, to 1 and 2; node 1 has room for so many cubic feet."""
    return Network(
        source=np.array([0, 0]), target=np.array([1, 2]), usd=usd,
        lot=np.full(usd.shape, lot), case=np.full(len(usd), lot),
        row_of=np.array([[True, False]]), weight=cube[None, :], room=np.array([room]),
    )  # fmt: skip


def crowding(
    excess: list[float], way: np.ndarray, cube: np.ndarray, over_usd: float = np.inf
) -> Crowding:
    profile = np.zeros((len(excess), 3))
    profile[:, 0] = excess
    return Crowding(profile, 0.5, way, cube, np.array([over_usd]))


def test_a_foot_leaves_while_its_days_are_worth_its_way() -> None:
    """Ten feet too many for two days, four for a third: at 0.50 a day the first four spare 1.50 a
    foot, the next six 1.00; a way of 1.20 pays for the four alone."""
    cube, way = np.array([1.0]), np.array([[1.2, 9.0]])
    net = network(way, 1, 100.0, cube)
    surplus, takes = np.array([[50, 0, 0]]), np.array([[0, 50, 50]])
    told = crowding([10.0, 10.0, 4.0], way, cube)
    units, usd = relief(told, net, net.room, surplus, takes, 0.05)
    assert units.tolist() == [[4, 0]]
    assert usd[0, 0] == pytest.approx(4 * (3 * 0.5 - 1.2))
    assert not relief(told, net, net.room, surplus, takes, 1.3)[0].any()  # a line costs more
    full, _ = relief(told, net, np.array([2.5]), surplus, takes, 0.05)
    assert full.tolist() == [[2, 0]]


@pytest.mark.parametrize(("over_usd", "sent"), [(0.2, 7), (0.4, 4), (2.0, 2)])
def test_a_dock_without_room_takes_what_spares_more_than_it_costs_there(
    over_usd: float, sent: int
) -> None:
    """Seven feet too many for two days, four for a third, and room for two: the first four spare
    1.50 each, three more 1.00, a way costs 0.70."""
    cube, way = np.array([1.0]), np.array([[0.7, 9.0]])
    net = network(way, 1, 2.0, cube)
    told = crowding([7.0, 7.0, 4.0], way, cube, over_usd)
    units, usd = relief(told, net, net.room, np.array([[50, 0, 0]]), np.array([[0, 50, 50]]), 0.05)
    assert units.tolist() == [[sent, 0]]
    spared = 0.5 * (2 * sent + min(sent, 4))
    assert usd[0, 0] == pytest.approx(spared - 0.7 * sent - over_usd * (sent - 2))


def test_a_dock_with_room_is_used_before_one_is_exceeded() -> None:
    """The way to 1 is cheaper by 0.20, but beyond two units its dock costs 0.40."""
    cube, way = np.array([1.0]), np.array([[0.7, 0.9]])
    net = network(way, 1, 2.0, cube)
    told = crowding([7.0, 7.0, 4.0], way, cube, 0.4)
    surplus = np.array([[50, 0, 0]])
    units, _ = relief(told, net, net.room, surplus, np.array([[0, 50, 50]]), 0.0)
    assert units.tolist() == [[2, 5]]
    units, usd = relief(told, net, net.room, surplus, np.array([[0, 50, 1]]), 0.0)
    assert units.tolist() == [[3, 1]]
    assert usd[0].tolist() == pytest.approx([2 * 0.8 + 0.4, 0.6])


def test_two_items_share_the_room_of_a_dock_and_both_pay_beyond_it() -> None:
    cube, way = np.ones(2), np.array([[0.7, 9.0], [0.8, 9.0]])
    net = network(way, 1, 3.0, cube)
    surplus, takes = np.array([[2, 0, 0], [9, 0, 0]]), np.full((2, 3), 50)
    told = crowding([6.0, 6.0], way, cube, 0.1)
    units, usd = relief(told, net, net.room, surplus, takes, 0.0)
    assert units[:, 0].tolist() == [2, 4]
    assert usd[:, 0].tolist() == pytest.approx([2 * 0.3, 4 * 0.2 - 3 * 0.1])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_no_other_choice_of_units_spares_more(seed: int) -> None:
    """Against every choice, for items of one size and lots of one, where nothing is in the way."""
    rng = np.random.default_rng(seed)
    cube = np.ones(2)
    way = rng.uniform(0.1, 1.6, (2, 2))
    net = network(way, 1, 1e6, cube)
    excess = sorted(rng.integers(0, 7, 3).astype(float), reverse=True)
    surplus = np.zeros((2, 3), dtype=np.int64)
    surplus[:, 0] = rng.integers(0, 5, 2)
    takes = np.full((2, 3), 9)
    units, usd = relief(crowding(excess, way, cube), net, net.room, surplus, takes, 0.0)

    def gain(choice: np.ndarray) -> float:
        spared = np.minimum(np.array(excess), choice.sum()).sum()
        return float(0.5 * spared - (way * choice).sum())

    choices = (np.array(c).reshape(2, 2) for c in product(range(5), repeat=4))
    best = max(gain(c) for c in choices if (c.sum(axis=1) <= surplus[:, 0]).all())
    assert gain(units) == pytest.approx(best, abs=1e-9)
    assert usd.sum() == pytest.approx(gain(units), abs=1e-9)


def test_a_node_is_sent_no_more_than_it_sells_in_three_intervals() -> None:
    demand, position = np.array([[4.0, 4.0, 4.0]]), np.array([[2, 20, 2]])
    eligible = np.array([[True, True, False]])
    assert most_taken(demand, position, eligible).tolist() == [[10, 0, 0]]


def crowded(held_units: int) -> Tables:
    """A night on which d1 holds so many units of its first item that may lie in f1, nothing has a
    level, and f1 is empty."""
    tables = world(12, 3)
    item = tables["items"].loc[tables["items"]["size_class"] == "sortable", "item_id"].iloc[0]
    tables["base_stock_levels"][["base_stock_units", "unpriced_base_stock_units"]] = 0
    tables["stock"] = tables["stock"].iloc[:1].assign(
        date=TODAY, item_id=item, node_id="d1", on_hand_units=held_units
    )  # fmt: skip
    for name in ("open_orders", "open_transfers"):
        tables[name] = tables[name].iloc[:0]
    tables["vendor_items"] = tables["vendor_items"].assign(case_pack_units=1)
    tables["nodes"] = tables["nodes"].assign(handling_usd_per_unit=0.05)
    at = tables["items"]["item_id"] == item
    tables["items"].loc[at, "unit_cube_cuft"] = 1.0
    limits = tables["node_capacity"]
    is_store = (limits["resource"] == "storage_cuft") & (limits["node_id"] == "d1")
    limits.loc[is_store, "capacity"] = 100.0
    return tables


def test_what_a_full_center_cannot_hold_goes_where_it_sells_and_nothing_moves_without_need():
    """A foot above capacity pays 5 USD a week, its way 0.05: 130 units in 100 cubic feet."""
    assert plan_placement(crowded(90), AS_OF, Settings())["transfers"].empty
    moves = plan_placement(crowded(130), AS_OF, Settings())["transfers"]
    assert set(moves["from_node_id"]) == {"d1"}
    assert set(moves["to_node_id"]) == {"f1"}
    sent = int(moves["transfer_units"].sum())
    assert 0 < sent <= 30
    assert (moves["needed_units"] == moves["transfer_units"]).all()
    assert (moves["relief_units"] == moves["transfer_units"]).all()
    assert (moves["value_gained_usd"] > 0).all()


def test_stock_leaves_a_full_center_though_the_next_dock_is_full() -> None:
    """A unit above the dock's capacity costs 3 USD, a foot in the full center some 0.71 a day."""
    tables = crowded(130)
    limits = tables["node_capacity"]
    dock = limits.iloc[:1].assign(node_id="f1", resource="inbound_units_per_day", capacity=2.0)
    is_dock = (limits["node_id"] == "f1") & (limits["resource"] == "inbound_units_per_day")
    tables["node_capacity"] = pd.concat([limits[~is_dock], dock], ignore_index=True)
    moves = plan_placement(tables, AS_OF, Settings())["transfers"]
    assert moves["to_node_id"].tolist() == ["f1"]
    assert 2 < int(moves["transfer_units"].sum()) <= 30
    dear = Settings.model_validate({"optimize": {"flow_overflow_usd_per_unit": 50.0}})
    kept = plan_placement(tables, AS_OF, dear)["transfers"]
    assert int(kept["transfer_units"].sum()) <= 2


def test_a_closed_dock_takes_nothing_however_full_the_center_is() -> None:
    tables = crowded(130)
    limits = tables["node_capacity"]
    is_dock = (limits["node_id"] == "f1") & (limits["resource"] == "inbound_units_per_day")
    tables["node_capacity"] = limits.assign(capacity=limits["capacity"].where(~is_dock, 0.0))
    assert plan_placement(tables, AS_OF, Settings())["transfers"].empty
