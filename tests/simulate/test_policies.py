"""The simple policies, and what they share."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.columns import QUANTILE_COLUMNS
from pipeline.contracts.settings import Settings
from pipeline.errors import UsageError
from pipeline.simulate.rivals.demand_view import demand_view, gamma_quantile
from pipeline.simulate.rivals.plan import Echelon
from pipeline.simulate.rivals.policies import POLICIES, named_policies
from pipeline.simulate.rivals.replenish import (
    home_shares,
    orders_up_to,
    supply_terms,
    transfers_to_targets,
    tree_sums,
)
from pipeline.simulate.rivals.room import fit_to_space
from pipeline.simulate.rivals.situation import Situation, to_decisions
from pipeline.simulate.rivals.worth import sale_usd
from pipeline.simulate.world.model import parents
from pipeline.simulate.world.opportunity import (
    opportunity_prices,
    protected_usd,
    relief_usd,
    replacement_usd,
)
from pipeline.simulate.world.state import do_nothing
from tests.simulate.small import raw_tables, small_world, stocked

RULES = tuple(name for name in POLICIES if not name.startswith("echelon"))


def quantiles() -> pd.DataFrame:
    """2 units a week, whatever the window, for every item and region."""
    rows = [
        (f"item_{k:02d}", region, 1, days, 2.0 * days / 7)
        for k in range(12) for region in ("east", "north", "west") for days in (7, 14, 28)
    ]  # fmt: skip
    names = ["item_id", "region_id", "window_start_day", "window_days", "mean_units"]
    frame = pd.DataFrame(rows, columns=names)
    for i, name in enumerate(QUANTILE_COLUMNS):
        frame[name] = frame["mean_units"] * 2 * i / len(QUANTILE_COLUMNS)
    return frame


def situation(on_hand: int = 0) -> Situation:
    _, model, _ = small_world()
    tables = {**raw_tables(), "demand_quantiles": quantiles()}
    stock = np.full((12, 4), on_hand) * model.may_hold
    return Situation(
        date(2025, 1, 1), model, Settings(), tables, stock, np.zeros_like(stock)
    )  # fmt: skip


def test_demand_over_days_is_interpolated_and_then_grows_in_proportion() -> None:
    view = demand_view(quantiles(), small_world()[1])
    for days, expected in ((7, 2.0), (10.5, 3.0), (28, 8.0), (56, 16.0)):
        mean, _ = view.over(np.full(12, float(days)))
        assert mean == pytest.approx(np.full((12, 3), expected))


def test_gamma_quantile_has_the_mean_and_variance_asked_for() -> None:
    levels = (np.arange(4000) + 0.5) / 4000
    values = gamma_quantile(np.full(4000, 5.0), np.full(4000, 8.0), levels)
    assert values.mean() == pytest.approx(5.0, rel=0.01)
    assert values.var() == pytest.approx(8.0, rel=0.02)


def test_homes_share_out_all_demand_among_nodes_that_may_hold_the_item() -> None:
    _, model, _ = small_world()
    homes = home_shares(model)
    assert homes.sum(axis=2) == pytest.approx(np.ones((12, 3)))
    assert (homes.max(axis=1) > 0)[~model.may_hold].sum() == 0


def test_a_subtree_counts_its_node_and_all_below() -> None:
    parent = np.array([-1, 0, 0, 1])  # DC -> FC-A, FC-B; FC-A -> SD
    assert tree_sums(np.array([[1.0, 2.0, 4.0, 8.0]]), parent).tolist() == [[15, 10, 4, 8]]


def test_orders_are_whole_cases_of_at_least_the_minimum_and_only_when_due() -> None:
    night = situation()
    night.tables["vendor_items"]["moq_units"] = 10
    supply = supply_terms(night)
    parent = parents(night.tables["nodes"], night.model)
    level = np.full(12, 3.0)
    placed = [
        orders_up_to(replace(night, as_of=date(2025, 1, day)), supply, level, level, parent,
                     np.ones((12, 4)))
        for day in range(1, 8)
    ]  # fmt: skip
    units = pd.concat(placed)
    assert len(units) == 12  # each vendor once in its review period of seven days
    assert set(units["units"]) == {10}
    assert set(units["node_id"]) == {"DC"}
    daily = orders_up_to(night, supply, level, level, parent, np.ones((12, 4)), is_daily=True)
    assert len(daily) == 12


def test_a_full_vendor_and_a_full_dock_serve_the_most_urgent_first() -> None:
    """Vendor v1 sells 30 units a night: item_00 (short by 20) and item_02 (short by 10), not
    item_04; a dock of 2 units a day has room for 2 * (3.7 + 1) = 9."""
    night = situation()
    night.tables["vendors"]["vendor_capacity_units_per_order"] = pd.array([30, pd.NA], "Int64")
    level = np.zeros(12)
    level[[0, 2, 4]] = 20, 10, 8
    night.coming[[2, 4], 0] = 0, 2
    parent, supply = parents(night.tables["nodes"], night.model), supply_terms(night)
    args = (night, supply, level, level, parent, np.ones((12, 4)))
    full = orders_up_to(*args, is_daily=True)
    assert dict(zip(full["item_id"], full["units"], strict=True)) == {"item_00": 20, "item_02": 10}
    docks = np.full(4, 3.0)
    docked = orders_up_to(*args, docks, is_daily=True)  # 3 * 4.7 - 2 coming = 12.1
    assert docked["units"].tolist() == [10]


def test_what_comes_much_later_leaves_a_dock_to_a_vendor_who_delivers_soon() -> None:
    """40 units of a vendor of 40 days are on the way, 4 of which come in 4 days: of the 3 * 5 units
    that the dock takes until then, 11 are left."""
    night = situation()
    night.coming[0, 0] = 40
    level = np.zeros(12)
    level[2] = 10
    lead = np.full(12, 4.0)
    lead[0] = 40.0
    supply = replace(supply_terms(night), lead_days=lead)
    parent = parents(night.tables["nodes"], night.model)
    args = (night, supply, level, level, parent, np.ones((12, 4)))
    assert orders_up_to(*args, np.full(4, 3.0), is_daily=True)["units"].tolist() == [10]
    night.coming[0, 0] = 80
    assert orders_up_to(*args, np.full(4, 3.0), is_daily=True).empty


def test_targets_that_do_not_fit_give_way_until_they_do() -> None:
    """The space of node 1 is half of what is wanted there; node 0 keeps all."""
    cube, wanted = np.array([1.0, 2.0]), np.array([[4.0, 8.0], [3.0, 6.0]])
    found = fit_to_space(lambda x: np.floor(wanted * (1 - x) + 0.5), cube, np.array([10.0, 10.0]))
    assert found[:, 0].tolist() == [4, 3]
    assert 8 <= cube @ found[:, 1] <= 10


def test_a_vendor_below_its_order_minimum_waits() -> None:
    night = situation()
    night.tables["vendors"]["order_minimum_usd"] = 1e9
    for day in range(1, 8):
        tonight = Situation(date(2025, 1, day), *list(vars(night).values())[1:])
        assert POLICIES["newsvendor"].decide(tonight).orders.empty


def test_a_short_parent_gives_in_proportion_and_never_more_than_it_has() -> None:
    """FC-A asks for its own 4 and the site's 2 below it, FC-B for 4; the center has 5."""
    night = situation()
    night.on_hand[:, 0] = 5
    parent = parents(night.tables["nodes"], night.model)
    target = np.zeros((12, 4))
    target[:, 1], target[:, 2], target[:, 3] = 4.0, 4.0, 2.0
    moved = transfers_to_targets(night, target, parent)
    by_node = moved.groupby("to_node_id")["transfer_units"].unique()
    assert by_node["FC-A"].tolist() == [3]  # 5 * 6 / 10
    assert by_node["FC-B"].tolist() == [2]  # 5 * 4 / 10
    assert moved.loc[moved["to_node_id"] == "FC-B", "expected_arrival_date"].iloc[0] == (
        pd.Timestamp("2025-01-04")  # leaves on the 2nd, two days on the lane
    )


@pytest.mark.parametrize("name", RULES)
def test_rules_order_when_empty_and_rest_when_full(name: str) -> None:
    def orders(on_hand: int) -> int:
        empty = situation(on_hand)
        return sum(
            len(POLICIES[name].decide(
                Situation(date(2025, 1, day), *list(vars(empty).values())[1:])).orders)
            for day in range(1, 8)
        )  # fmt: skip

    assert orders(0) == 12 * (7 if name == "min_max" else 1)  # which looks at vendors each night
    assert orders(500) == 0


def test_a_scarce_unit_has_a_price_and_a_plentiful_one_has_none() -> None:
    """North's site holds its cheapest unit; the next one costs the way from the center."""
    night = situation(1)
    _, model, _ = small_world()
    state = stocked(model)
    state.on_hand[:] = 1 * model.may_hold
    scarce = opportunity_prices(
        model, state.on_hand, night.tables["items"], night.tables["demand_quantiles"], night.as_of
    )
    state.on_hand[:] = 200 * model.may_hold
    assert (
        opportunity_prices(
            model,
            state.on_hand,
            night.tables["items"],
            night.tables["demand_quantiles"],
            night.as_of,
        )
        == 0
    ).all()
    assert (scarce[model.may_hold] > 0).mean() > 0.9
    assert (scarce[~model.may_hold] == 0).all()


def test_protection_leaves_the_last_units_to_those_who_need_them() -> None:
    """With prices, orders that can be served elsewhere no longer empty the site."""
    left = {}
    for name, price in (("nearest", None), ("protected", np.array([0.0, 0.0, 0.0, 9.0]))):
        world, model, _ = small_world(4)
        demand = np.zeros(model.shape[:2], dtype=np.int64)
        demand[:, model.regions.get_loc("north")] = 3
        prices = None if price is None else np.tile(price, (12, 1))
        world.live(0, demand, np.ones(model.shape[:2]), do_nothing(), opportunity_usd=prices)
        left[name] = int(world.state.on_hand[:, 3].sum())
    assert left["protected"] > left["nearest"]


def test_the_production_plan_goes_where_place_sent_it() -> None:
    night = situation()
    night.tables["purchase_orders"] = pd.DataFrame({
        "order_line_id": ["a", "b"], "unit_cost_usd": [5.0, 6.0],
        "expected_arrival_date": pd.to_datetime(["2025-01-05", "2025-01-06"]),
    })  # fmt: skip
    night.tables["inbound_assignments"] = pd.DataFrame({
        "order_line_id": ["a", "a", "b"], "item_id": ["item_00", "item_00", "item_02"],
        "vendor_id": ["v1", "v1", "v1"], "node_id": ["DC", "FC-A", "DC"],
        "assigned_units": [4, 0, 6],
    })  # fmt: skip
    night.tables["transfers"] = pd.DataFrame({
        "item_id": ["item_00"], "from_node_id": ["DC"], "to_node_id": ["SD"],
        "transfer_units": [2], "expected_arrival_date": pd.to_datetime(["2025-01-03"]),
    })  # fmt: skip
    decisions = to_decisions(Echelon().decide(night), night.model)
    assert decisions.units.tolist() == [4, 6]
    assert decisions.node.tolist() == [0, 0]
    assert decisions.unit_cost_usd.tolist() == [5.0, 6.0]
    assert decisions.transfer_node.tolist() == [3]
    first = pd.Timestamp("2025-01-05").to_datetime64().astype("datetime64[D]").astype(int)
    assert decisions.expected_day.tolist() == [first, first + 1]


def test_replacing_a_unit_costs_handling_and_lanes_from_the_vendors_dock() -> None:
    """DC 0.1; FC-A 0.1 + 0.2 and 0.5 a cubic foot; the site 0.4 and 0.2 more."""
    _, model, _ = small_world()
    usd = replacement_usd(model, raw_tables()["nodes"])
    at = {name: usd[:, j] for j, name in enumerate(model.nodes)}
    np.testing.assert_allclose(at["DC"], 0.1)
    np.testing.assert_allclose(at["FC-A"], 0.3 + 0.5 * model.cube_cuft)
    np.testing.assert_allclose(at["SD"], 0.7 + 0.7 * model.cube_cuft)


def test_a_unit_that_leaves_an_overfull_node_spares_its_overflow_for_a_while() -> None:
    """At twice its capacity a node is over it for a week, a unit of the excess for half of it."""
    _, model, _ = small_world()
    on_hand = np.ones((len(model.items), len(model.nodes)), dtype=np.int64)
    used = float(model.cube_cuft.sum())
    capacity = used * np.array([1.0, 0.5, np.inf, 0.01])
    usd = relief_usd(model, on_hand, capacity)
    a_day = model.rules.overflow_usd[0] * model.cube_cuft
    np.testing.assert_allclose(usd[:, [0, 2]], 0.0, atol=1e-12)
    np.testing.assert_allclose(usd[:, 1], 3.5 * a_day)
    np.testing.assert_allclose(usd[:, 3], 7.0 * a_day)
    nodes = raw_tables()["nodes"]
    worth = protected_usd(model, nodes, on_hand, capacity)
    np.testing.assert_allclose(worth, replacement_usd(model, nodes) - usd)
    assert (worth[:, 3] < replacement_usd(model, nodes)[:, 3]).all()


@pytest.mark.parametrize("name", RULES)
def test_rules_buy_nothing_that_loses_on_a_sale_where_such_items_are_dropped(name: str) -> None:
    planning = {"planning": {"drops_losing_items": True}}
    here = situation()
    dear = replace(here.model, unit_cost_usd=here.model.unit_cost_usd + 1000.0)
    for model, is_bought in ((here.model, True), (dear, False)):
        settings = Settings.model_validate(planning)
        night = replace(here, model=model, settings=settings, worked={})
        assert (sale_usd(night) > 0).all() == is_bought
        ordered = 0
        for day in range(7):  # each vendor is due once a week
            as_of = here.as_of + timedelta(days=day)
            ordered += int(POLICIES[name].decide(replace(night, as_of=as_of)).orders["units"].sum())
        assert (ordered > 0) == is_bought


def test_the_documented_policy_of_ones_own_runs_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(code) == 1
    assert len(code[0].splitlines()) <= 45
    (tmp_path / "my_policy.py").write_text(code[0])
    monkeypatch.syspath_prepend(str(tmp_path))
    name = "my_policy:TwoWeeks"
    chosen = named_policies([name, "drp"], {"two_weeks": {"weeks": 4.0}, "drp": {"node_days": 3.0}})
    assert list(chosen) == ["two_weeks", "drp"]
    ordered = {}
    for label, policy in (*chosen.items(), ("as printed", named_policies([name])["two_weeks"])):
        nights = [replace(situation(2), as_of=date(2025, 1, day)) for day in range(1, 8)]
        plans = [policy.decide(night) for night in nights]
        ordered[label] = sum(int(plan.orders["units"].sum()) for plan in plans)
        assert all(len(plan.transfers) for plan in plans)
    assert ordered["two_weeks"] > ordered["as printed"] > 0


def test_everything_wrong_with_the_policies_named_is_told_at_once() -> None:
    names = ["guess", "no_such_module:Policy", "pathlib:Path", "drp"]
    with pytest.raises(UsageError) as error:
        named_policies(names, {"drp": {"weeks": 3}})
    text = str(error.value)
    for part in (
        "unknown policies: guess",
        "no_such_module",
        "a policy needs",
        "no parameter weeks",
    ):
        assert part in text
