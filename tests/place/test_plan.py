"""Claims of the place stage's main path on random nights: what is planned can be done."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.check import require
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.errors import EchelonError
from pipeline.place.plan import plan_placement
from tests.place.world import AS_OF, NODES, TODAY, Tables, world

PARENT = {node[0]: node[3] for node in NODES}
ACCEPTS = {node[0]: node[2] for node in NODES}


def plan(tables: Tables, **place: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    found = plan_placement(tables, AS_OF, Settings.model_validate({"place": place}))
    found = {name: require(frame, TABLES[name]) for name, frame in found.items()}
    inbound, moves = found["inbound_assignments"], found["transfers"]
    ids = ["item_id", "from_node_id", "to_node_id"]
    return inbound.astype({"item_id": "str", "node_id": "str"}), moves.astype(
        dict.fromkeys(ids, "str")
    )


def by(frame: pd.DataFrame, keys: list[str], column: str) -> pd.Series:
    return frame.groupby(keys)[column].sum()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.15, 0.5, 5.0]))
def test_transfers_keep_stock_cases_capacities_and_size_classes(seed, tightness):
    tables = world(25, seed, tightness)
    _, moves = plan(tables)
    items = tables["items"].set_index("item_id")
    moves = moves.join(items, on="item_id")
    moves["cuft"] = moves["transfer_units"] * moves["unit_cube_cuft"]

    out = by(moves, ["item_id", "from_node_id"], "transfer_units")
    held = by(tables["stock"], ["item_id", "node_id"], "on_hand_units")
    assert (out.to_numpy() <= held.reindex(out.index).to_numpy()).all()

    assert [PARENT[to] for to in moves["to_node_id"]] == moves["from_node_id"].tolist()
    accepts = moves["to_node_id"].map(ACCEPTS)
    assert ((accepts == "any") | (accepts == moves["size_class"])).all()

    case = tables["vendor_items"].set_index("item_id")["case_pack_units"]
    level = tables["base_stock_levels"].set_index(["item_id", "node_id"])["base_stock_units"]
    pack = moves["item_id"].map(case).to_numpy()
    goal = level.reindex(pd.MultiIndex.from_frame(moves[["item_id", "to_node_id"]])).to_numpy()
    whole = moves["from_node_id"].str.startswith("d").to_numpy() & (goal >= pack)
    assert (moves["transfer_units"].to_numpy()[whole] % pack[whole] == 0).all()
    assert (moves["transfer_units"] <= moves["needed_units"] + np.where(whole, pack - 1, 0)).all()

    lanes = tables["lanes"].set_index(["from_node_id", "to_node_id"])["lane_capacity_cuft_per_day"]
    used = by(moves, ["from_node_id", "to_node_id"], "cuft")
    assert (used <= lanes.reindex(used.index).astype(float).fillna(np.inf) + 1e-6).all()
    limit = tables["node_capacity"].set_index(["resource", "node_id"])["capacity"]
    # What leaves a crowded node pays for docks, so that it may exceed them.
    moves["toward_levels"] = moves["transfer_units"] - moves["relief_units"]
    arriving = by(moves, ["to_node_id"], "toward_levels")
    due = by(tables["open_transfers"], ["to_node_id"], "open_units").reindex(arriving.index)
    full = arriving + due.fillna(0) > limit["inbound_units_per_day"].reindex(arriving.index)
    assert not (full & (arriving > 0)).any()
    leaving = by(moves, ["from_node_id"], "toward_levels")
    assert (moves["value_gained_usd"] > 0).all()
    assert (leaving <= limit["outbound_units_per_day"].reindex(leaving.index)).all()
    for node, cuft in by(moves, ["to_node_id"], "cuft").items():
        assert fullest(tables, str(node)) + cuft <= limit["storage_cuft"][node] + 1e-6


def fullest(tables: Tables, node: str) -> float:
    """Cubic feet in the node on the fullest of the next four days, item by item."""
    below = {node} | {n for n in PARENT if PARENT[n] == node or PARENT[PARENT[n] or n] == node}
    levels, held, cuft = tables["base_stock_levels"], tables["stock"], np.zeros(4)
    coming = pd.concat([
        tables["open_transfers"].rename(columns={"to_node_id": "node_id"}), tables["open_orders"]
    ])  # fmt: skip
    for _, item in tables["items"].iterrows():
        mine = levels[(levels["item_id"] == item["item_id"]) & levels["node_id"].isin(below)]
        daily = mine["expected_demand_units"].sum() / 8
        at = (held["item_id"] == item["item_id"]) & (held["node_id"] == node)
        left = float(held.loc[at, "on_hand_units"].sum())
        for day in range(4):
            at = (coming["item_id"] == item["item_id"]) & (coming["node_id"] == node)
            at &= coming["expected_arrival_date"] == TODAY + pd.Timedelta(days=day + 1)
            left = max(left + coming.loc[at, "open_units"].sum() - daily, 0.0)
            cuft[day] += left * item["unit_cube_cuft"]
    return float(cuft.max())


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_every_ordered_unit_is_received_in_whole_cases_by_nodes_that_may(seed):
    tables = world(20, seed)
    inbound, _ = plan(tables)
    orders = tables["purchase_orders"].set_index("order_line_id")
    assert (
        by(inbound, ["order_line_id"], "assigned_units").to_dict()
        == orders["order_units"].to_dict()
    )
    assert (inbound["assigned_units"] % 12 == 0).all()
    size = inbound["item_id"].map(tables["items"].set_index("item_id")["size_class"])
    accepts = inbound["node_id"].map(ACCEPTS)
    assert ((accepts == "any") | (accepts == size)).all()
    assert inbound["node_id"].isin(["d1", "d2", "n2"]).all()


def test_plenty_of_room_fills_the_levels_that_the_source_can_fill():
    tables = world(30, 4, tightness=1e6)
    tables["vendor_items"] = tables["vendor_items"].assign(case_pack_units=1)
    rich = tables["stock"]["node_id"].str.startswith("d")
    tables["stock"].loc[rich, "on_hand_units"] += 500
    _, moves = plan(tables, transfer_line_usd=0.0)
    to_centers = moves[moves["to_node_id"].str[0].isin(["f", "n"])]
    assert len(to_centers) > 20
    # needed_units counts what a center passes on to its site tonight.
    assert (to_centers["transfer_units"] == to_centers["needed_units"]).all()


def test_a_node_ships_out_no_more_than_customers_orders_leave_room_for():
    tables = world(30, 4, tightness=1e6)
    tables["vendor_items"] = tables["vendor_items"].assign(case_pack_units=1)
    limit = tables["node_capacity"]
    here = (limit["node_id"] == "d1") & (limit["resource"] == "outbound_units_per_day")
    assert by(plan(tables)[1], ["from_node_id"], "transfer_units")["d1"] > 60

    stock = by(tables["stock"], ["item_id", "node_id"], "on_hand_units")
    levels = tables["base_stock_levels"].set_index(["item_id", "node_id"])
    mine = levels.xs("d1", level="node_id")
    held = stock.xs("d1", level="node_id").reindex(mine.index)
    sold = np.minimum(mine["expected_demand_units"], held).sum() / mine["protection_days"].iloc[0]
    limit.loc[here, "capacity"] = sold + 60.5
    assert by(plan(tables)[1], ["from_node_id"], "transfer_units")["d1"] == 60


def test_without_stock_nothing_moves_and_without_orders_nothing_is_received():
    tables = world(10, 1)
    tables["stock"] = tables["stock"].assign(on_hand_units=0)
    tables["purchase_orders"] = tables["purchase_orders"].iloc[:0]
    inbound, moves = plan(tables)
    assert inbound.empty
    assert moves.empty


def test_stock_of_other_days_is_not_read():
    tables = world(10, 2)
    later = tables["stock"].assign(date=TODAY + pd.Timedelta(days=1), on_hand_units=999)
    other = {**tables, "stock": pd.concat([tables["stock"], later])}
    pd.testing.assert_frame_equal(plan(tables)[1], plan(other)[1])


def test_the_plan_does_not_depend_on_the_order_of_rows():
    tables = world(40, 3, 0.4)
    shuffled = {name: frame.sample(frac=1, random_state=2) for name, frame in tables.items()}
    for mine, theirs in zip(plan(tables), plan(shuffled), strict=True):
        pd.testing.assert_frame_equal(mine, theirs)


def test_a_full_week_at_one_node_sends_orders_to_the_other():
    tables = world(10, 5, tightness=1e6)
    free, _ = plan(tables)
    units = free.loc[free["node_id"] == "d1", "assigned_units"].sum()
    small = tables["node_capacity"].copy()
    is_d1 = (small["node_id"] == "d1") & (small["resource"] == "inbound_units_per_day")
    small.loc[is_d1, "capacity"] = units / 7 / 2
    tight, _ = plan({**tables, "node_capacity": small})
    assert 0 < tight.loc[tight["node_id"] == "d1", "assigned_units"].sum() <= units / 2
    assert tight["assigned_units"].sum() == free["assigned_units"].sum()


def test_a_full_store_sends_orders_to_the_one_with_space():
    tables = world(10, 5, tightness=1e6)
    free, _ = plan(tables)
    small = tables["node_capacity"].copy()
    small.loc[(small["node_id"] == "d1") & (small["resource"] == "storage_cuft"), "capacity"] = 0.0
    tight, _ = plan({**tables, "node_capacity": small})
    assert free.loc[free["node_id"] == "d1", "assigned_units"].sum() > 0
    assert tight.loc[tight["node_id"] == "d1", "assigned_units"].sum() == 0
    assert tight["assigned_units"].sum() == free["assigned_units"].sum()


def test_an_item_that_no_receiving_node_may_hold_is_named():
    tables = world(5, 6)
    nodes = tables["nodes"].assign(is_vendor_receiving=False)
    with pytest.raises(EchelonError, match="vendors ship to may hold item i000"):
        plan({**tables, "nodes": nodes})
