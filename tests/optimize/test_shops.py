"""Stock counts only where its customers come: chains of shops, and companies of two countries."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.evaluate import evaluate
from pipeline.core.serve import serve
from pipeline.core.size import largest_demand
from pipeline.optimize.night_model import NightModel, night_model
from pipeline.optimize.node_sets import node_sets
from pipeline.optimize.plan import optimize_night
from tests.optimize.shops import SHOPS, Tables, set_of, shops
from tests.optimize.world import AS_OF, SETTINGS, tables


def levels(raw: Tables) -> pd.DataFrame:
    """Units by item and node."""
    found = optimize_night(night_model(raw, AS_OF, SETTINGS), SETTINGS)["base_stock_levels"]
    found = found.astype({"item_id": "str", "node_id": "str"})
    return found.pivot_table(index="item_id", columns="node_id", values="base_stock_units")


@pytest.fixture(scope="module")
def plain() -> NightModel:
    return night_model(shops(), AS_OF, SETTINGS)


def test_what_a_shop_lacks_is_a_lost_sale_though_others_have_it(plain):
    for shop in SHOPS:
        gap = plain.packed.gap_usd[:, set_of(plain.network, shop)]
        np.testing.assert_allclose(gap, plain.money.lost_sale_usd)
    assert (plain.packed.gap_usd[:, set_of(plain.network, "DC")] == 0).all()
    assert (plain.packed.gap_usd[:, -1] == 0).all()


def test_every_shop_holds_what_its_own_customers_ask_for(plain):
    """Against each shop's newsvendor by the independent evaluator, a unit more or less dearer."""
    found = levels(shops())
    assert (found["DC"] == 0).all()
    assert (found[list(SHOPS)] > 0).all().all()
    position = found[plain.network.names].to_numpy(np.int32)
    tonight = plain.ahead.first(len(position))
    free = np.zeros(plain.capacity.rows.shape)

    def usd(level: np.ndarray) -> np.ndarray:
        placed = serve(plain.network.woods, tonight, level, free)
        return evaluate(plain.network.woods, tonight, placed, free.shape[0])[0]

    best = usd(position)
    for j in range(1, 4):
        for more in (-1, 1):
            other = position.copy()
            other[:, j] += more
            assert (usd(other) >= best - 1e-6).all()


def test_the_center_is_asked_for_nothing_and_the_network_for_all_that_its_shops_are(plain):
    """Also of what shops run out of: their customers are gone."""
    found = optimize_night(plain, SETTINGS)["base_stock_levels"].astype({"node_id": "str"})
    asked = found.groupby("node_id")["expected_demand_units"].sum()
    assert asked["DC"] == 0
    assert (asked[list(SHOPS)] > 0).all()
    most = largest_demand(plain.network.woods, plain.packed.tables)
    assert (most >= plain.packed.mean[:, -1]).all()


def test_a_center_is_asked_for_its_own_customers_not_for_those_a_shop_has_lost():
    """The center serves one region with the shop; others have the shop alone, which is small."""
    raw = shops()
    there = raw["nodes"]["node_id"].isin(["DC", "S0"])
    raw["nodes"], raw["lanes"] = raw["nodes"][there], raw["lanes"].head(1)
    own = raw["delivery_options"].assign(node_id="S0")
    shared = own.iloc[[1]].assign(node_id="DC", ship_usd_per_unit=1.0)
    raw["delivery_options"] = pd.concat([own, shared])
    rows = raw["node_capacity"][raw["node_capacity"]["node_id"].isin(["DC", "S0"])]
    is_small = (rows["node_id"] == "S0") & (rows["resource"] == "storage_cuft")
    raw["node_capacity"] = rows.assign(capacity=rows["capacity"].where(~is_small, 4.0))
    model = night_model(raw, AS_OF, SETTINGS)
    found = optimize_night(model, SETTINGS)["base_stock_levels"].astype({"node_id": "str"})
    asked = found[found["node_id"] == "DC"]["expected_demand_units"].to_numpy()
    at = set_of(model.network, "S0")
    np.testing.assert_allclose(asked, model.packed.mean[:, -1] - model.packed.mean[:, at])


def test_countries_are_apart_though_their_own_regions_are_served_by_nodes_that_cross():
    """Four centers; orders are served by 0 and 1, by 1 and 2, and by 3."""
    serves = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]], dtype=bool)
    tree = node_sets(np.full(4, -1), np.ones(4, dtype=bool), serves, "sortable")
    sets = {frozenset(np.flatnonzero(row).tolist()) for row in tree.members}
    assert sets == {*(frozenset({j}) for j in range(4)), frozenset({0, 1, 2}), frozenset(range(4))}


def test_what_waits_at_the_center_is_what_its_shops_will_sell(plain):
    tree, ratios = plain.packed.tables.tree, list(plain.ratios())
    units, shares = plain.network.through(tree, plain.drawn.mean, ratios)
    assert len(shares) == len(ratios)
    at = dict(zip(plain.network.names, units.T, strict=True))
    np.testing.assert_allclose(at["DC"], sum(at[shop] for shop in SHOPS))


def test_online_orders_are_held_at_the_center_and_shops_keep_their_own():
    """Online customers and those of shops are others: two businesses that share a center."""
    raw = shops(online_share=1.0)
    network = night_model(raw, AS_OF, SETTINGS).network
    lost = network.lost_share[0]
    assert lost[set_of(network, "DC")] == 1.0
    assert lost[-1] == 0.0
    found = levels(raw)
    assert (found > 0).all().all()


def test_a_center_that_helps_its_shops_out_is_planned_by_the_general_model():
    raw = shops(online_share=0.3, is_sent_on=True)
    model = night_model(raw, AS_OF, SETTINGS)
    assert model.general.kinds[0].crossing_share == pytest.approx(1.0)
    found = levels(raw)
    assert (found["DC"] > 0).all()
    assert (found[list(SHOPS)].sum(axis=1) > 0).all()


def test_a_fill_rate_is_asked_of_every_shop():
    raw = shops()
    target = {"target_id": "T", "service_measure": "fill_rate", "target_share": 0.999}
    raw["service_targets"] = pd.DataFrame([
        target | dict.fromkeys(("abc_class", "item_group", "region_id", "speed"))
    ])  # fmt: skip
    raw["items"] = raw["items"].assign(category="c", department="d")
    scopes = night_model(raw, AS_OF, SETTINGS).scopes
    model = night_model(raw, AS_OF, SETTINGS)
    of = [set_of(model.network, shop) for shop in SHOPS]
    np.testing.assert_allclose(scopes.part[0][:, of], 1.0, atol=0.1)
    assert (scopes.part[0][:, -1] == 0).all()
    assert (levels(raw)[list(SHOPS)].sum() > levels(shops())[list(SHOPS)].sum()).all()


def test_two_countries_hold_nothing_for_each_other():
    """The world and its copy: no region of one is served by a node of the other."""
    raw, ids = tables(items=8), ("node_id", "region_id", "from_node_id", "to_node_id",
                                 "parent_node_id", "other_region_id")  # fmt: skip
    both = {}
    for name, frame in raw.items():
        other = frame.copy()
        for column in set(ids) & set(frame):
            other[column] = "Z" + other[column].astype("str").where(other[column].notna())
        both[name] = pd.concat([frame, other]) if set(ids) & set(frame) else frame
    quantiles = both["demand_quantiles"]  # one item sells here only
    first = raw["items"]["item_id"].iloc[0]
    is_there = quantiles["region_id"].astype("str").str.startswith("Z")
    both["demand_quantiles"] = quantiles[(quantiles["item_id"] != first) | ~is_there]
    storage = both["node_capacity"]["resource"] == "storage_cuft"
    here = ~both["node_capacity"]["node_id"].astype("str").str.startswith("Z")
    both["node_capacity"].loc[storage & here, "capacity"] = 3.0
    found = levels(both)
    there = [name for name in found if name.startswith("Z")]
    assert found.loc[first].drop(there).sum() > 0
    assert found.loc[first, there].sum() == 0
