"""The optimize stage's tables: on contract, certified, and moving as a planner would expect."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.check import require
from pipeline.contracts.tables import TABLES
from pipeline.core.item import positions
from pipeline.core.serve import Placed, serve
from pipeline.errors import UsageError
from pipeline.optimize.losing import losing_items, without
from pipeline.optimize.night_model import NightModel, night_model
from pipeline.optimize.plan import optimize_night
from tests.optimize.world import AS_OF, SETTINGS, tables


def plan(raw: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return optimize_night(night_model(raw, AS_OF, SETTINGS), SETTINGS)


def figure(out: dict[str, pd.DataFrame], name: str) -> float:
    summary = out["optimize_summary"].set_index("measure")["value"]
    return float(summary[name])


@pytest.fixture(scope="module")
def roomy() -> dict[str, pd.DataFrame]:
    return plan(tables())


TIGHT = {"items": 30, "storage": 20.0, "inbound": 12.5}


@pytest.fixture(scope="module")
def tight() -> dict[str, pd.DataFrame]:
    return plan(tables(**TIGHT))


def test_every_table_keeps_its_contract(tight):
    for name, frame in tight.items():
        require(frame, TABLES[name])


def test_roomy_network_has_no_prices_and_priced_levels_are_the_unpriced_ones(roomy):
    assert (roomy["capacity_prices"]["price_usd_per_capacity_unit"] == 0).all()
    levels = roomy["base_stock_levels"]
    assert (levels["base_stock_units"] == levels["unpriced_base_stock_units"]).all()
    targets = roomy["network_targets"]
    assert (targets["order_up_to_units"] == targets["unpriced_order_up_to_units"]).all()
    assert figure(roomy, "certified_gap") < 1e-6


def test_an_item_that_is_over_changes_nothing_until_some_of_it_stands_there(tight):
    raw = tables(**TIGHT)
    over = (
        raw["items"]
        .head(1)
        .assign(item_id="A", end_date=pd.Timestamp("2020-01-01"), unit_cube_cuft=50.0)
    )
    raw["items"] = pd.concat([raw["items"], over], ignore_index=True)
    found = plan(raw)
    for name, frame in tight.items():
        pd.testing.assert_frame_equal(found[name], frame, obj=name)
    node = raw["nodes"]["node_id"].iloc[0]
    left = pd.DataFrame([(pd.Timestamp(AS_OF), "A", node, 3)],
                        columns=["date", "item_id", "node_id", "on_hand_units"])  # fmt: skip
    with_some = night_model(raw | {"stock": left}, AS_OF, SETTINGS)
    assert with_some.cube.items[0] == "A"


def test_items_that_are_away_are_planned_with_their_own_dependence_and_move_no_other(roomy):
    """Every third item is away, and its regions as good as one: the network holds more of them."""
    raw = tables()
    common = raw["demand_dependence"]
    together = common.assign(item_group="away", rank_correlation=0.95)
    ids = np.sort(raw["items"]["item_id"].astype(str))
    is_away = raw["demand_quantiles"]["item_id"].isin(ids[::3])
    raw["demand_quantiles"] = raw["demand_quantiles"].assign(
        dependence_group=np.where(is_away, "away", "all")
    )
    same = plan(raw)["network_targets"]  # no such group is known: as all
    pd.testing.assert_frame_equal(same, roomy["network_targets"])
    raw["demand_dependence"] = pd.concat([common, together])
    before, after = (
        frame.groupby(frame["item_id"].astype(str))["order_up_to_units"].sum()
        for frame in (same, plan(raw)["network_targets"])
    )
    assert (after[ids] == before[ids])[1::3].all()
    assert after[ids][::3].sum() > before[ids][::3].sum()


def test_tight_network_is_certified_and_exceeds_nothing_unpaid(tight):
    rows = tight["capacity_prices"]
    assert (rows["usage"] <= rows["capacity"] + rows["overflow"] + 1e-6).all()
    assert figure(tight, "violation") == 0
    assert figure(tight, "certified_gap") <= 1e-3  # by branch and bound: 30 items only
    assert (rows["price_usd_per_capacity_unit"] > 0).any()


def test_price_lies_between_its_one_sided_derivatives(tight):
    rows = tight["capacity_prices"]
    price = rows["price_usd_per_capacity_unit"]
    assert (rows["left_derivative_usd"] >= price - 1e-9).all()
    assert (rows["right_derivative_usd"] <= price + 1e-9).all()


def test_capacity_prices_lower_what_is_bought(tight):
    keys = ["item_id", "vendor_id"]
    free, priced = (
        t["network_targets"].set_index(keys) for t in (plan(tables(items=TIGHT["items"])), tight)
    )
    assert (free["unpriced_order_up_to_units"] == priced["unpriced_order_up_to_units"]).all()
    assert (priced["order_up_to_units"] <= priced["unpriced_order_up_to_units"]).all()
    assert priced["order_up_to_units"].sum() < free["order_up_to_units"].sum()


def test_size_classes_stay_where_they_are_accepted(roomy):
    raw = tables()
    size = raw["items"].set_index("item_id")["size_class"]
    accepts = raw["nodes"].set_index("node_id")["accepts"]
    rows = roomy["base_stock_levels"]
    kind = accepts.loc[rows["node_id"]].to_numpy()
    assert ((kind == "any") | (kind == size.loc[rows["item_id"]].to_numpy())).all()


def test_value_curves_are_concave_and_best_at_the_order_up_to_level(roomy):
    best = roomy["network_targets"].set_index(["item_id", "vendor_id"])["order_up_to_units"]
    for key, rows in roomy["position_values"].groupby(["item_id", "vendor_id"]):
        slope = np.diff(rows["position_value_usd"]) / np.diff(rows["position_units"])
        assert (np.diff(slope) <= 1e-6).all()
        peak = rows["position_units"].iloc[rows["position_value_usd"].to_numpy().argmax()]
        assert peak == best[key]


def test_vendor_that_is_late_more_often_needs_a_higher_position(roomy):
    # V0 has 5, 9 or 16 days (mean 8.4); V1 has no receipts, so its quoted 14 days for certain
    targets = roomy["network_targets"].set_index(["vendor_id", "item_id"])
    cover = targets["cover_days"].groupby(level=0).first()
    assert cover["V1"] - cover["V0"] == pytest.approx(14 - 8.4)
    assert (targets.loc["V1", "cover_demand_units"] > targets.loc["V0", "cover_demand_units"]).all()


def test_an_item_that_is_ordered_every_night_covers_a_day_instead_of_a_review_period(roomy):
    nightly = SETTINGS.model_copy(update={
        "buy": SETTINGS.buy.model_copy(update={"order_line_usd": 0.0})
    })  # fmt: skip
    found = optimize_night(night_model(tables(), AS_OF, nightly), nightly)["network_targets"]
    keys = ["item_id", "vendor_id"]
    both = roomy["network_targets"].merge(found, on=keys, suffixes=("", "_nightly"))
    late = both[both["vendor_id"] == "V1"]  # 14 days for certain
    review = SETTINGS.planning.review_period_days
    nights = 14 - (review - 1) + figure(roomy, "cycle_days")
    assert late["cover_days_nightly"].to_numpy() == pytest.approx(nights)
    assert (late["cover_days"] <= nights + review - 1).all()
    # Windows of another length are other draws: a slow mover may round to a unit more.
    assert (late["order_up_to_units_nightly"] <= late["order_up_to_units"] + 1).all()
    assert late["order_up_to_units_nightly"].sum() < late["order_up_to_units"].sum()


def test_without_derivatives_of_prices_nothing_else_changes(tight):
    optimize = SETTINGS.optimize.model_copy(update={"price_derivatives": False})
    plain = SETTINGS.model_copy(update={"optimize": optimize})
    out = optimize_night(night_model(tables(**TIGHT), AS_OF, plain), plain)
    for name, frame in tight.items():
        ours = out[name]
        if name == "capacity_prices":
            price = ours["price_usd_per_capacity_unit"].to_numpy()
            for side in ("left_derivative_usd", "right_derivative_usd"):
                assert (ours[side].to_numpy() == price).all()
                ours, frame = ours.drop(columns=side), frame.drop(columns=side)  # noqa: PLW2901  compared without it
        pd.testing.assert_frame_equal(ours, frame, check_exact=True, obj=name)


def test_an_item_that_loses_on_every_sale_is_stocked_unless_such_items_are_dropped():
    raw = tables(20)
    loses = raw["prices"]["item_id"] == "ITEM-003"
    raw["prices"].loc[loses, "price_usd"] *= 0.4  # both vendors ask more
    dropping = SETTINGS.model_copy(update={
        "planning": SETTINGS.planning.model_copy(update={"drops_losing_items": True})
    })  # fmt: skip
    for settings, is_stocked in ((SETTINGS, True), (dropping, False)):
        out = optimize_night(night_model(raw, AS_OF, settings), settings)
        for name, column in (("base_stock_levels", "base_stock_units"),
                             ("network_targets", "order_up_to_units")):  # fmt: skip
            units = out[name].groupby(out[name]["item_id"].astype(str))[column].sum()
            assert (units["ITEM-003"] > 0) == is_stocked
            assert units["ITEM-005"] > 0


def everything_served(model: NightModel, items: int) -> Placed:
    """Tonight's best levels if capacity were free."""
    tonight = model.ahead.first(items)
    free = np.zeros(model.capacity.rows.shape)
    return serve(model.network.woods, tonight, model.unpriced, free)


def test_an_item_is_dropped_when_its_whole_plan_costs_more_than_losing_its_sales():
    """Where space costs nothing it pays, where it costs more than its sales bring it does not."""
    model = night_model(tables(20, storage=200.0), AS_OF, SETTINGS)
    level, rows = everything_served(model, 20), model.capacity
    free = np.zeros(len(rows.node))
    root = model.network.woods.n_sets[model.packed.tables.tree] - 1
    demand = model.packed.mean[np.arange(20), root]
    sells = demand > 1  # else what few of the scenarios ask for decides, within their error
    assert sells.sum() > 10
    assert not losing_items(model, level, free)[sells].any()
    price = np.where(rows.resource == "storage_cuft", 50.0, 0.0)
    lost = losing_items(model, level, price)
    held = rows.rows.on_items(price)[0, 0]
    space = (held * level.position).sum(axis=1) * model.money.cube_cuft
    worth = model.money.lost_sale_usd * demand * 7.0 / model.cycle_days
    assert lost[space > worth].all()
    assert not lost[sells & (space < 0.2 * worth)].any()
    assert lost.any()
    left = positions(model.network.woods, without(model, lost).packed.tables,
                     np.zeros(rows.rows.shape))  # fmt: skip
    assert (left[lost] == 0).all()
    assert (left[~lost] == model.unpriced[~lost]).all()


def test_an_item_that_is_worth_less_than_its_way_in_costs_is_dropped():
    """What the dock asks for a unit that is served decides."""
    model = night_model(tables(20), AS_OF, SETTINGS)
    rows, k = model.capacity, 2
    is_dock = (rows.resource == "inbound_units_per_day") & (rows.week == 0)
    price = np.where(is_dock & (model.network.woods.feeder[rows.node] < 0), 1.0, 0.0)
    dock_usd = 1.0 / 7.0  # of a unit, at a usd a week for one a day
    for worth, is_lost in ((0.9 * dock_usd, True), (40.0, False)):
        lost_sale = model.money.lost_sale_usd.copy()
        lost_sale[k] = worth
        poor = replace(model, money=replace(model.money, lost_sale_usd=lost_sale))
        assert losing_items(poor, everything_served(model, 20), price)[k] == is_lost


def test_same_night_gives_the_same_tables_whatever_the_order_of_the_rows():
    raw = tables(items=20, storage=40.0)
    shuffled = {name: frame.sample(frac=1.0, random_state=1) for name, frame in raw.items()}
    one, other = plan(raw), plan(shuffled)
    for name, frame in one.items():
        pd.testing.assert_frame_equal(
            frame.reset_index(drop=True), other[name].reset_index(drop=True)
        )


def test_overstock_takes_storage_until_demand_drains_it():
    raw = tables(storage=500.0)
    raw["stock"] = pd.DataFrame(
        {"date": pd.Timestamp(AS_OF), "item_id": "ITEM-001", "node_id": "DC-EAST",
         "on_hand_units": [400]}
    )  # fmt: skip
    rows = plan(raw)["capacity_prices"]
    used = rows[(rows["node_id"] == "DC-EAST") & (rows["resource"] == "storage_cuft")]["usage"]
    assert used.iloc[0] > used.iloc[-1] > 0
    assert used.is_monotonic_decreasing


@pytest.mark.parametrize(
    ("kind", "value", "wanted"), [("set", 7, 7), ("at_least", 500, 500), ("block", 0, None)]
)
def test_override_of_base_stock_is_followed(kind, value, wanted):
    raw = tables(items=5)
    raw["overrides"] = pd.DataFrame(
        {"override_id": ["O1"], "item_id": ["ITEM-001"], "node_id": ["FC-EAST"],
         "override_target": ["base_stock_units"], "override_kind": [kind],
         "override_value": [float(value)], "start_date": [pd.Timestamp(AS_OF)],
         "expiry_date": [pd.Timestamp("2026-12-31")], "planner": ["p"], "why": ["w"]}
    )  # fmt: skip
    free = plan(tables(items=5))["base_stock_levels"].set_index(["item_id", "node_id"])
    found = plan(raw)["base_stock_levels"].set_index(["item_id", "node_id"])
    levels = found["base_stock_units"]
    if wanted is None:
        assert ("ITEM-001", "FC-EAST") not in levels.index
    else:
        key = ("ITEM-001", "FC-EAST")
        assert levels[key] == wanted
        assert found["override_units"][key] == wanted - free["base_stock_units"][key]


def test_overrides_that_say_what_the_plan_says_anyway_leave_every_table_equal():
    raw = tables(items=5)
    free = plan(raw)
    levels = free["base_stock_levels"]
    assert (levels["override_units"] == 0).all()
    units = levels["base_stock_units"].astype(float)
    for kind, values in {"set": units, "at_least": units, "at_most": units,
                         "multiply": units * 0 + 1}.items():  # fmt: skip
        rows = pd.DataFrame({
            "override_id": [f"O{i:04}" for i in range(len(levels))],
            "item_id": levels["item_id"], "node_id": levels["node_id"],
            "override_target": "base_stock_units", "override_kind": kind,
            "override_value": values, "start_date": pd.Timestamp(AS_OF),
            "expiry_date": pd.Timestamp("2026-12-31"), "planner": "p", "why": "w",
        })  # fmt: skip
        raw["overrides"] = rows
        ruled = plan(raw)
        for name in free:
            pd.testing.assert_frame_equal(ruled[name], free[name])


def test_cost_of_an_override_is_what_the_overridden_plan_costs_more():
    raw = tables(items=12)
    free = plan(raw)
    assert figure(free, "override_cost_usd") == pytest.approx(0.0, abs=1e-9)
    raw["overrides"] = pd.DataFrame(
        {"override_id": ["O1"], "item_id": ["ITEM-001"], "node_id": ["FC-EAST"],
         "override_target": ["base_stock_units"], "override_kind": ["at_least"],
         "override_value": [400.0], "start_date": [pd.Timestamp(AS_OF)],
         "expiry_date": [pd.Timestamp("2026-12-31")], "planner": ["p"], "why": ["w"]}
    )  # fmt: skip
    out = plan(raw)
    model = night_model(raw, AS_OF, SETTINGS)
    k, j = model.cube.items.index("ITEM-001"), model.network.names.index("FC-EAST")
    level = free["base_stock_levels"].set_index(["item_id", "node_id"])["base_stock_units"]
    more = 400 - level[("ITEM-001", "FC-EAST")]
    holding = more * float(model.packed.tables.place_usd[k, j])
    cost = figure(out, "override_cost_usd")
    assert 0 < cost <= holding + 1e-6  # the units save some shortage, at most
    assert cost >= holding - figure(free, "shortage_cost_usd")
    assert figure(out, "overridden_gap") > figure(out, "certified_gap")


def test_an_item_that_levels_cannot_count_is_named_before_anything_is_planned():
    raw = tables(6)
    huge = raw["demand_quantiles"].copy()
    values = [c for c in huge.columns if huge[c].dtype.kind == "f"]
    mine = huge["item_id"] == "ITEM-002"
    huge[values] = huge[values].mul(np.where(mine, 1e9, 1.0), axis=0)
    with pytest.raises(UsageError, match=r"ITEM-002 .*larger units"):
        night_model({**raw, "demand_quantiles": huge}, AS_OF, SETTINGS)


def test_counting_more_goodwill_never_raises_expected_profit():
    profit = []
    for share in (0.0, 1.0):
        counted = SETTINGS.model_copy(
            update={"planning": SETTINGS.planning.model_copy(update={"goodwill_share": share})}
        )
        out = optimize_night(night_model(tables(12), AS_OF, counted), counted)
        profit.append(out["optimize_summary"].set_index("measure")["value"]["expected_profit_usd"])
    assert 0.0 < profit[1] <= profit[0] * 1.001


def test_levels_fall_to_nothing_with_what_a_sale_is_worth_and_without_a_jump():
    raw, name, k = tables(12), "ITEM-007", 7
    plain = SETTINGS.model_copy(
        update={"planning": SETTINGS.planning.model_copy(update={"goodwill_share": 0.0})}
    )
    model = night_model(raw, AS_OF, plain)
    mine = raw["prices"]["item_id"] == name
    money, network = model.money, model.network
    nothing = float(raw["prices"].loc[mine, "price_usd"].iloc[0] - money.lost_sale_usd[k])
    spilt = float(network.spilling_usd(money.size_class, money.cube_cuft)[k])
    held = []
    for share in (-0.1, 1e-9, *np.arange(0.1, 0.95, 0.1), 0.999999, 1.000001, 2.0):
        raw["prices"].loc[mine, "price_usd"] = nothing + share * spilt
        held.append(int(night_model(raw, AS_OF, plain).unpriced[k].sum()))
    assert held[0] == held[1] == 0
    assert (np.diff(held) >= 0).all()
    assert np.diff(held).max() <= max(held) // 3
    assert held[-3] == held[-2] > 5
