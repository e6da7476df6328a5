"""Both item models agree where sets nest; where they do not, the general one plans the night."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.core.evaluate import evaluate
from pipeline.core.general import GeneralItem
from pipeline.core.item import ItemTables
from pipeline.core.serve import serve
from pipeline.optimize import general_model
from pipeline.optimize.audit import audit, sampled
from pipeline.optimize.general_model import NightItem
from pipeline.optimize.general_plan import general_items
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from tests.core.instances import woods
from tests.optimize.published import plan_of
from tests.optimize.world import AS_OF, tables

SETTINGS = Settings.model_validate(
    {"optimize": {"scenarios": 64, "audit_items": 4}, "run": {"threads": 1}}
)


def overlapping(items: int = 16, storage: float = 24.0) -> dict[str, pd.DataFrame]:
    """The sample's network with every region in time from fulfillment centers of both coasts."""
    found = tables(items=items, storage=storage)
    options = found["delivery_options"]
    centers = ["FC-EAST", "FC-WEST"]
    mine = options["speed"].isin(["one_day", "two_day"]) & options["node_id"].isin(centers)
    offered = options[mine].sort_values("ship_usd_per_unit")
    offered = offered.drop_duplicates(["region_id", "speed"])
    doubled = pd.concat([
        offered.assign(node_id=name, ship_usd_per_unit=offered["ship_usd_per_unit"]
                       + np.where(offered["node_id"] == name, 0.0, 0.4), cutoff_hour=23.0)
        for name in centers
    ])  # fmt: skip
    kept = options[~mine & ~options["speed"].isin(["one_day"])]
    return {**found, "delivery_options": pd.concat([kept, doubled]).reset_index(drop=True)}


def figure(out: dict[str, pd.DataFrame], name: str) -> float:
    return float(out["optimize_summary"].set_index("measure")["value"][name])


def test_general_cost_equals_nested_cost_where_costs_nest():
    """An order served from outside pays the gaps of all sets that it leaves, and so in both."""
    rng = np.random.default_rng(0)
    tree = woods().trees[0]
    gap = rng.uniform(0.5, 3.0, tree.n_sets)
    demand = rng.poisson(1.5, (40, tree.n_sets)).astype(float)  # by the set at which it enters
    left = np.array([  # [nodes, cells] gaps that an order pays when the node serves it
        [sum(gap[s] for s in tree.path(cell) if not tree.members[s, j]) for cell in range(4)]
        for j in range(4)
    ])  # fmt: skip
    lost = np.array([gap[tree.path(cell)].sum() for cell in range(4)])
    place = rng.uniform(0.1, 0.5, 4)
    one = NightItem(
        np.arange(4), GeneralItem(lost - left, demand, place), float(lost @ demand.mean(axis=0))
    )
    knots, count = [], []
    for s in range(tree.n_sets):
        inside = [cell for cell in range(4) if s in tree.path(cell)]
        asked = np.sort(demand[:, inside].sum(axis=1)).astype(int)
        steps = [(1.0, gap[s] * (asked >= n).mean()) for n in range(1, asked.max() + 1)]
        knots += steps
        count.append(len(steps))
    items = ItemTables(
        np.zeros(1, np.uint8), np.zeros(1, np.uint8), np.array([0, len(knots)]),
        np.array([count], np.uint8), np.array(knots, np.float32), place[None].astype(np.float32),
        np.ones((1, 1), np.float32), gap[None].astype(np.float32), np.ones(1, np.float32),
        np.zeros((1, 4), np.float32),
    )  # fmt: skip
    for position in rng.integers(0, 7, (20, 4)).astype(np.int32):
        placed = serve(woods(), items, position[None], np.zeros((1, 1, 4)))
        nested = evaluate(woods(), items, placed, 1)[0][0]
        assert one.cost(position) == pytest.approx(nested, rel=1e-5)


def test_network_that_does_not_nest_is_planned_generally_from_end_to_end():
    raw = overlapping()
    model = night_model(raw, AS_OF, SETTINGS)
    assert model.general.kinds[0].crossing_share > 0.4 > model.general.kinds[1].crossing_share
    out = optimize_night(model, SETTINGS)
    general = general_items(model, SETTINGS)
    assert figure(out, "general_items") == (model.packed.tables.tree == 0).sum() > 0
    assert figure(out, "violation") == 0.0
    assert figure(out, "certified_gap") < 0.04
    rows = out["capacity_prices"]
    assert (rows["usage"] <= rows["capacity"] + rows["overflow"] + 1e-6).all()
    nested = Settings.model_validate(
        {"optimize": {"scenarios": 64, "audit_items": 4, "general_share": 1.0},
         "run": {"threads": 1}}
    )  # fmt: skip
    other = optimize_night(model, nested)
    assert figure(other, "general_items") == 0
    cost = [general.cost(model, plan_of(model, one))[0]
            for one in (out, other)]  # fmt: skip
    assert cost[0] < cost[1]
    assert cost[0] == pytest.approx(figure(out, "upper_bound_usd"), rel=1e-6)
    assert figure(out, "lower_bound_usd") <= cost[0]


def test_network_too_wide_for_the_general_model_is_planned_nested_and_told(monkeypatch):
    model = night_model(overlapping(), AS_OF, SETTINGS)
    crossing = model.general.crossing(model.packed.tables.tree, SETTINGS)
    work = len(crossing) * model.general.kinds[0].usd.size ** 2
    monkeypatch.setattr(general_model, "MOST_WORK", work)
    assert len(general_items(model, SETTINGS).index) == len(crossing) > 0
    monkeypatch.setattr(general_model, "MOST_WORK", work - 1.0)
    out = optimize_night(model, SETTINGS)
    assert figure(out, "general_items") == 0
    assert figure(out, "general_skipped_items") == len(crossing)
    assert figure(out, "certified_gap") < 0.04


def test_audit_values_both_plans_alike_and_every_night_the_same_items():
    model = night_model(tables(items=20), AS_OF, SETTINGS)
    free = np.zeros(model.capacity.rows.shape)
    found = audit(model, model.unpriced, free, SETTINGS)
    assert found == audit(model, model.unpriced, free, SETTINGS)
    assert found["audit_items"] == (4, "items")
    assert found["audit_nested_excess_at_most"][0] >= 0.0  # it begins at the nested plan
    empty = audit(model, np.zeros_like(model.unpriced), free, SETTINGS)
    assert empty["audit_nested_excess"][0] > found["audit_nested_excess"][0]
    dropped = replace(model.packed, gap_usd=model.packed.gap_usd.copy())
    dropped.gap_usd[sampled(model, 4)] = 0.0
    without = replace(model, packed=dropped)
    assert not set(sampled(without, 4)) & set(sampled(model, 4))


def test_no_audit_leaves_no_figures():
    none = Settings.model_validate({"optimize": {"audit_items": 0}})
    model = night_model(tables(items=6), AS_OF, SETTINGS)
    assert audit(model, model.unpriced, np.zeros(model.capacity.rows.shape), none) == {}


def test_audit_leaves_out_and_counts_what_is_too_much_work(monkeypatch):
    model = night_model(tables(items=20), AS_OF, SETTINGS)
    free = np.zeros(model.capacity.rows.shape)
    monkeypatch.setattr(general_model, "MOST_WORK", 0.0)
    wanted = len(sampled(model, SETTINGS.optimize.audit_items))
    assert audit(model, model.unpriced, free, SETTINGS) == {
        "audit_skipped_items": (wanted, "items")
    }
    assert wanted == SETTINGS.optimize.audit_items
