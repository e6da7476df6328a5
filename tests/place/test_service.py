"""Claims of what serving from a node saves, and of the grid and the room it stands on."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.place.capacity import capacity_at, units_due
from pipeline.place.grid import Grid, build_grid
from pipeline.place.service import LEAST_USD, saved_usd
from tests.place.world import AS_OF, TODAY, Tables, world


def saved(tables: Tables, demand: dict[str, float]) -> tuple[Grid, np.ndarray]:
    grid = build_grid(tables, AS_OF)
    return grid, saved_usd(grid, tables, pd.Series(demand))


def test_a_site_saves_the_goodwill_before_its_cut_off_and_the_cheaper_delivery():
    grid, found = saved(world(20, 0), {"r1": 1.0, "r2": 0.0})
    item = int(np.flatnonzero(grid.eligible[:, grid.nodes.index("s1")])[0])
    # Region r1: 1 from the site, 1 + 0.8 from the rival s2. Same day (0.3 of demand): on time until
    # 12, half the day, while s2 pays 3 for the missed speed; later both are late.
    expected = 0.3 * (0.5 * 3.8 + 0.5 * 0.8) + 0.7 * 0.8
    assert found[item, grid.nodes.index("s1")] == pytest.approx(expected)
    assert found[item, grid.nodes.index("s2")] == LEAST_USD  # nobody in r2 buys


def test_handling_and_lanes_on_the_way_to_a_node_are_part_of_serving_from_it():
    """A node saves less by what it takes to bring the unit further than to its rival."""
    tables = world(20, 0)
    _, free = saved(tables, {"r1": 1.0, "r2": 0.0})
    handling = tables["nodes"]["tier"].map(
        {"distribution_center": 0.1, "fulfillment_center": 0.2, "same_day_site": 0.4}
    )
    rival = tables["nodes"]["node_id"] == "s2"
    dear = {**tables, "nodes": tables["nodes"].assign(handling_usd_per_unit=handling + 0.05),
            "lanes": tables["lanes"].assign(lane_usd_per_cuft=0.01)}  # fmt: skip
    cheap = {**dear, "nodes": dear["nodes"].assign(
        handling_usd_per_unit=np.where(rival, 0.15, handling + 0.05)
    )}  # fmt: skip
    grid, less = saved(cheap, {"r1": 1.0, "r2": 0.0})
    item = int(np.flatnonzero(grid.eligible[:, grid.nodes.index("s1")])[0])
    at = (item, grid.nodes.index("s1"))
    assert less[at] == pytest.approx(free[at] - 0.3)  # 0.3 less handling at the rival


def test_only_nodes_that_may_hold_the_item_are_rivals_and_none_saves_less_than_the_least():
    grid, found = saved(world(20, 0), {"r1": 1.0, "r2": 1.0})
    bulky = int(np.flatnonzero(grid.eligible[:, grid.nodes.index("n1")])[0])
    n1 = grid.nodes.index("n1")
    # Cheapest elsewhere: n2 at 2.5 + 0.8 in r1; in r2 n2 is cheaper itself.
    assert found[bulky, n1] == pytest.approx(0.8)
    assert (found >= LEAST_USD).all()
    assert found[bulky, grid.nodes.index("s1")] == LEAST_USD


def test_the_grid_parts_what_arrives_in_time_from_what_comes_later():
    tables = world(3, 1)
    orders = pd.concat([
        tables["open_orders"].assign(expected_arrival_date=TODAY + pd.Timedelta(days=days))
        for days in (-4, 8, 9)
    ])  # fmt: skip
    grid = build_grid({**tables, "open_orders": orders}, AS_OF)
    at = grid.nodes.index("d1")
    # protection: 8 days; a vendor's 7 units are there for all of it, for an eighth and for none
    assert (grid.soon[0, at], grid.later[0, at]) == (7 + 1, 6 + 7)
    due = units_due(grid, {**tables, "open_orders": orders}, AS_OF, 9)[:, at]
    assert due.tolist() == [7, 0, 0, 0, 0, 0, 0, 7, 7]  # overdue ones tomorrow


def test_the_capacity_in_effect_is_that_of_the_last_start_date():
    rows = pd.DataFrame({
        "node_id": ["a", "a", "a"], "resource": "storage_cuft",
        "start_date": pd.to_datetime(["2016-01-01", "2016-04-11", "2016-05-01"]),
        "capacity": [5.0, 7.0, 9.0],
    })  # fmt: skip
    found = [capacity_at(rows, "storage_cuft", ["a", "b"], date(2016, 4, day)) for day in (10, 11)]
    assert [values.tolist() for values in found] == [[5.0, np.inf], [7.0, np.inf]]


def test_where_no_other_node_serves_a_region_a_unit_saves_the_sale():
    tables = world(20, 0)
    options = tables["delivery_options"]
    region, node = options["region_id"].astype("str"), options["node_id"].astype("str")
    items = tables["items"].assign(list_price_usd=30.0)
    offers = tables["vendor_items"].assign(unit_cost_usd=10.0)
    alone = tables | {"delivery_options": options[(region != "r2") | (node == "s2")],
                      "items": items, "vendor_items": offers}  # fmt: skip
    grid = build_grid(alone, AS_OF)
    found = saved_usd(grid, alone, pd.Series({"r1": 0.0, "r2": 1.0}), goodwill_share=0.1)
    item = int(np.flatnonzero(grid.eligible[:, grid.nodes.index("s2")])[0])
    # A dollar of delivery; three more for same-day orders after 12 and others after 20 o'clock.
    serving = 1.0 + (0.3 * 12 / 24 + 0.7 * 4 / 24) * 3.0
    assert found[item, grid.nodes.index("s2")] == pytest.approx(30 - 10 - serving + 3.0)
    assert found[item, grid.nodes.index("s1")] == LEAST_USD


def test_a_center_is_not_credited_with_sales_that_the_nodes_below_it_serve_as_well():
    """One center, and all who serve are below it: stock is to go down, not to stay."""
    tables = world(20, 0)
    options = tables["delivery_options"]
    below_d1 = options["node_id"].astype("str").isin(["d1", "f1", "n1", "s1"])
    alone = tables | {
        "delivery_options": options[below_d1],
        "items": tables["items"].assign(list_price_usd=30.0),
        "vendor_items": tables["vendor_items"].assign(unit_cost_usd=10.0),
    }
    grid = build_grid(alone, AS_OF)
    found = saved_usd(grid, alone, pd.Series({"r1": 1.0, "r2": 1.0}), goodwill_share=0.1)
    assert (found[:, grid.nodes.index("d1")] == LEAST_USD).all()
