"""Cells, entry sets and costs of serving from outside, on a network that fits in the head."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.errors import EchelonError
from pipeline.optimize.item_model import economics
from pipeline.optimize.network_model import build_network
from pipeline.optimize.night_model import night_model
from tests.optimize.world import AS_OF, SETTINGS, tables

NODES = pd.DataFrame(
    {
        "node_id": ["D", "F", "S"],
        "accepts": ["any", "any", "sortable"],
        "parent_node_id": [None, "D", "F"],
        "is_vendor_receiving": [True, False, False],
        "handling_usd_per_unit": [0.1, 0.2, 0.4],
        "storage_usd_per_cuft_day": [0.01, 0.02, 0.05],
    }
)
LANES = pd.DataFrame(
    {"from_node_id": ["D", "F"], "to_node_id": ["F", "S"], "transit_days": [2, 1],
     "lane_usd_per_cuft": [0.5, 0.3]}
)  # fmt: skip
SPEEDS = pd.DataFrame(
    {"region_id": ["R", "R"], "speed": ["same_day", "one_day"], "promise_days": [0, 1],
     "demand_share": [0.25, 0.75], "missed_speed_usd_per_unit": [2.0, 1.0]}
)  # fmt: skip
OPTIONS = pd.DataFrame(
    [("R", "same_day", "S", 12.0, 3.0), ("R", "one_day", "S", 24.0, 2.0),
     ("R", "one_day", "F", 24.0, 2.5), ("R", "one_day", "D", 12.0, 4.0)],
    columns=["region_id", "speed", "node_id", "cutoff_hour", "ship_usd_per_unit"],
)  # fmt: skip
HOURS = pd.DataFrame({"hour": range(24), "demand_share": 1 / 24})


def model(lanes=LANES):
    share = pd.Series([1.0], index=["R"])
    return build_network(NODES, lanes, OPTIONS, SPEEDS, HOURS, share, pd.Series([1.0]))


def test_cells_enter_where_their_cut_off_still_allows():
    # same day before noon: 1/8 of demand at S; one day after noon: 3/8 at {F, S}; the rest of the
    # same-day orders are served as one-day orders of their hour, so 1/8 enters at {F, S} too
    network = model()
    tree, shares = network.woods.trees[0], network.shares[0]
    left, found = 1.0, {}
    for entry, given in zip(shares.entry, shares.given, strict=True):
        found[frozenset(np.flatnonzero(tree.members[entry]))] = left * given
        left *= 1 - given
    assert found[frozenset({2})] == pytest.approx(1 / 8)
    assert found[frozenset({1, 2})] == pytest.approx(4 / 8)
    assert found[frozenset({0, 1, 2})] == pytest.approx(3 / 8)


def test_serving_from_outside_costs_the_missed_speed_and_the_way():
    network = model()
    tree = network.woods.trees[0]
    site = int(np.flatnonzero((tree.members == [False, False, True]).all(axis=1))[0])
    # handling at D, F and S is 0.1 + 0.2 + 0.4, the lanes 0.8: from S in time 3 + 0.7 + 0.8 = 4.5;
    # from F too late: 2.5 + 2 + 0.3 + 0.5 = 5.3; so 0.8 more
    assert network.gap_usd[0, 0, site] == pytest.approx(0.8)
    assert network.chain_usd_per_unit.tolist() == pytest.approx([0.1, 0.3, 0.7])


def test_gaps_on_the_way_of_a_unit_add_up_to_what_its_last_node_costs_more():
    network = model()
    tree, gap = network.woods.trees[0], network.gap_usd[0, 0]
    at = {frozenset(np.flatnonzero(m)): s for s, m in enumerate(tree.members)}
    # from D: same day never, one day till noon 4 + 0.1, then a dollar more: 5.1; same-day orders
    # as one-day ones, two dollars late: 6.1. From F 3.3 till midnight, late same day 5.3.
    # Before noon same-day orders enter at S (4.5), spill to F (5.3), then to D (6.1).
    site, area = at[frozenset({2})], at[frozenset({1, 2})]
    assert gap[site] == pytest.approx(5.3 - 4.5)
    # in the area: 1/8 from S, 1/8 late same day, 3/8 one day after noon
    more = (1 * (6.1 - 5.3) + 1 * (6.1 - 5.3) + 3 * (5.1 - 3.3)) / 5
    assert gap[area] == pytest.approx(more)
    spilt = 1 / 8 * gap[site] + 5 / 8 * gap[area]
    usd = network.spilling_usd(np.zeros(1, np.uint8), np.ones(1))
    assert usd == pytest.approx(spilt)


def test_a_lost_sale_costs_no_more_than_it_brings_though_it_spilled_first():
    night = night_model(tables(20), AS_OF, SETTINGS)
    network, money, items = night.network, night.money, night.packed.tables
    spilt = network.spilling_usd(money.size_class, money.cube_cuft)
    root = network.woods.n_sets[items.tree] - 1
    left = night.packed.gap_usd[np.arange(20), root]
    assert left == pytest.approx(np.maximum(money.lost_sale_usd - spilt, 0.0))
    assert (left < money.lost_sale_usd).any()


def test_serving_costs_the_best_way_of_each_order():
    # one day: F 2.5 + 0.3 + 0.5 = 3.3; same day before noon: S 4.5; later, two dollars late, F 5.3
    usd = model().serving_usd(np.array([0, 0], np.uint8), np.array([1.0, 1.0]))
    assert usd == pytest.approx(0.75 * 3.3 + 0.125 * 4.5 + 0.125 * 5.3)


def test_a_lost_sale_costs_the_margin_after_delivery_and_the_goodwill():
    """An item that loses on a sale is worth its goodwill, or nothing where such are dropped."""
    ids = ["i", "j"]
    items = pd.DataFrame({"item_id": ids, "list_price_usd": [10.0, 5.0], "unit_cube_cuft": 1.0,
                          "size_class": "sortable"})  # fmt: skip
    offers = pd.DataFrame({"item_id": ids, "unit_cost_usd": [6.0, 4.0]})
    prices = pd.DataFrame({"item_id": [], "region_id": [], "price_usd": [],
                           "start_date": pd.to_datetime([])})  # fmt: skip
    found = [
        economics(items, offers, prices, model(), date(2020, 1, 1),
                  Settings.model_validate({"planning": {"drops_losing_items": drops}}))
        for drops in (True, False)
    ]  # fmt: skip
    assert found[0].lost_sale_usd == pytest.approx([10 - 6 - 3.7 + 1.0, 0.0])
    assert found[1].lost_sale_usd == pytest.approx([10 - 6 - 3.7 + 1.0, 0.5])


def test_non_sortable_items_have_a_tree_of_their_own():
    tree = model().woods.trees[1]
    assert not tree.members[:, 2].any()
    assert tree.home[2] == -1


def test_units_come_by_the_nodes_above_up_to_where_vendors_deliver():
    network = model()
    assert network.woods.feeder.tolist() == [-1, 0, 1]
    assert network.way_length.tolist() == [1, 2, 3]
    assert network.chain_usd_per_cuft.tolist() == [0.0, 0.5, 0.8]


def test_missing_lane_is_named():
    with pytest.raises(EchelonError, match="F -> S"):
        model(LANES.iloc[:1])
