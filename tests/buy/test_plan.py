"""Claims of the buy stage's main path, on nights that fit in the head and on random ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.buy.lines import order_candidates, purchase_orders
from pipeline.buy.plan import BuyTables, plan_orders
from pipeline.contracts.check import require
from pipeline.contracts.settings import BuySettings, PlanningSettings
from pipeline.contracts.tables import TABLES
from tests.buy.world import AS_OF, TODAY, one_item, overrides, world

PLANNING = PlanningSettings()


def orders(tables: BuyTables, **buy: object) -> pd.DataFrame:
    plan = plan_orders(tables, AS_OF, PLANNING, BuySettings.model_validate(buy))
    return require(purchase_orders(plan, AS_OF), TABLES["purchase_orders"])


def candidates(tables: BuyTables, **buy: object) -> pd.DataFrame:
    options = BuySettings.model_validate(buy)
    plan = plan_orders(tables, AS_OF, PLANNING, options)
    return require(order_candidates(plan, options), TABLES["order_candidates"])


def units(tables: BuyTables, **buy: object) -> int:
    return int(orders(tables, **buy)["order_units"].sum())


def open_order(days: int, quantity: int) -> pd.DataFrame:
    return pd.DataFrame({
        "date": [TODAY], "order_id": "p1", "vendor_id": "v00", "item_id": "i00000", "node_id": "n",
        "expected_arrival_date": TODAY + pd.Timedelta(days=days), "open_units": quantity,
    })  # fmt: skip


def test_an_order_fills_up_to_the_level():
    assert units(one_item(on_hand=10, level=40)) == 30


def test_an_open_order_counts_when_it_arrives_before_the_next_order_would():
    tables = one_item(on_hand=0, level=40)
    assert units(replace(tables, open_orders=open_order(14, 15))) == 25  # cover: 14 days
    assert units(replace(tables, open_orders=open_order(15, 15))) == 40


@pytest.mark.parametrize(("lost", "ordered"), [(0, 30), (12, 18), (30, 0), (60, 0)])
def test_what_is_sold_out_before_an_order_can_come_is_not_ordered(lost: int, ordered: int):
    tables = one_item(on_hand=10, level=40)
    targets = tables.network_targets.assign(sold_out_units=lost)
    assert units(replace(tables, network_targets=targets)) == ordered
    told = orders(replace(tables, network_targets=targets))["order_up_to_units"].tolist()
    assert told == ([40 - lost] if ordered else [])


def test_an_overdue_order_counts_as_long_as_ingest_publishes_it():
    tables = replace(one_item(level=40), open_orders=open_order(-12, 20))
    assert units(tables) == 20


def test_rows_of_other_days_are_not_read():
    tables = one_item(on_hand=10, level=40)
    later = tables.stock.assign(date=TODAY + pd.Timedelta(days=1), on_hand_units=999)
    assert units(replace(tables, stock=pd.concat([tables.stock, later]))) == 30


def test_orders_are_whole_cases_and_reach_the_moq():
    assert units(one_item(on_hand=10, level=40, case=12)) == 36  # 31 would be enough: 3 cases
    assert units(one_item(on_hand=10, level=40, case=12, moq=40)) == 48


def test_a_shortfall_within_the_dead_band_waits_and_says_so():
    tables = one_item(on_hand=30, level=40)  # 10 short, a review period needs 14
    assert units(tables) == 0
    assert units(tables, dead_band_share=0.5, join_share=0.5) == 10
    why = candidates(tables)["why_not"].dropna().tolist()
    assert why == ["waits: 10 short, orders start at 14"]


def test_what_sells_fast_waits_no_longer_than_its_economic_lot():
    # two a day at 10 usd: sqrt(2 * 0.02 * 2 / (10 * 0.25 / 365)) = 3.4 units, of 14 a review
    tables = one_item(on_hand=36, level=40)
    assert units(tables) == 0
    assert units(tables, order_line_usd=0.02) == 4
    why = candidates(one_item(on_hand=37, level=40), order_line_usd=0.02)["why_not"].dropna()
    assert why.tolist() == ["waits: 3 short, orders start at 4"]


def test_a_moq_that_would_last_too_long_is_not_ordered_and_says_so():
    tables = one_item(on_hand=10, level=40, moq=2000)  # 142 weeks of demand
    assert units(tables) == 0
    assert "weeks beyond the level" in candidates(tables)["why_not"].dropna().iloc[0]


def test_flat_values_lead_to_the_level():
    tables = one_item(on_hand=10, level=40)
    flat = tables.position_values.assign(position_value_usd=3.0)
    plan = plan_orders(
        replace(tables, position_values=flat), AS_OF, PLANNING, BuySettings(order_line_usd=0)
    )
    assert plan.best.tolist() == [30]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("set", 7, 12),  # a whole case
        ("set", 0, 0),
        ("at_least", 50, 60),
        ("at_least", 20, 36),  # what is ordered anyway
        ("at_most", 30, 24),
        ("at_most", 100, 36),
        ("multiply", 2, 72),
        ("block", 0, 0),
    ],
)
def test_overrides_change_the_order_and_the_difference_is_published(kind, value, expected):
    tables = one_item(on_hand=10, level=40, case=12)  # would order 36
    changed = replace(tables, overrides=overrides(("i00000", kind, value)))
    found = orders(changed)
    assert found["order_units"].sum() == expected
    if expected:
        row = found.iloc[0]
        assert row["override_units"] == expected - 36
        assert (row["reason_code"] == "override") == (expected != 36)


def test_an_override_for_all_items_and_one_out_of_force():
    tables = one_item(on_hand=10, level=40)
    assert units(replace(tables, overrides=overrides((None, "multiply", 0.5)))) == 15
    late = overrides((None, "block", 0)).assign(start_date=TODAY + pd.Timedelta(days=2))
    assert units(replace(tables, overrides=late)) == 30


def test_a_planner_can_order_what_the_system_would_not():
    tables = one_item(on_hand=100, level=40)
    found = orders(replace(tables, overrides=overrides(("i00000", "set", 25))))
    assert found[["order_units", "override_units", "needed_units"]].iloc[0].tolist() == [25, 25, 0]


def test_the_order_minimum_and_the_vendors_capacity_bind_as_stated():
    tables = one_item(on_hand=10, level=40)
    dear = tables.vendors.assign(order_minimum_usd=5000.0)
    assert units(replace(tables, vendors=dear)) == 0
    assert "below its minimum" in candidates(replace(tables, vendors=dear))["why_not"].dropna()[1]
    near = tables.vendors.assign(order_minimum_usd=305.0)  # 30 units cost 300
    found = orders(replace(tables, vendors=near))
    assert found[["order_units", "reason_code"]].iloc[0].tolist() == [31, "order_minimum"]
    small = tables.vendors.assign(vendor_capacity_units_per_order=29)
    found = orders(replace(tables, vendors=small))
    assert found[["order_units", "reason_code"]].iloc[0].tolist() == [29, "vendor_capacity"]


def two_vendors(on_hand: int, fast_cost: float) -> BuyTables:
    """v00 delivers in 21 days at 10 usd, v01 in 2 days at `fast_cost`; 2 units are sold a day."""
    tables = one_item(on_hand=on_hand, level=70)
    second = {"vendor_id": ["v00", "v01"]}
    targets = pd.concat([tables.network_targets] * 2).assign(
        **second, cover_days=[28.0, 9.0], cover_demand_units=[56.0, 18.0],
        order_up_to_units=[70, 26], unpriced_order_up_to_units=[70, 26],
    )  # fmt: skip
    slow = pd.DataFrame({"position_units": [0, 40, 70, 140],
                         "position_value_usd": [-200.0, 100, 140, 120]})  # fmt: skip
    fast = pd.DataFrame({"position_units": [0, 15, 26, 140],
                         "position_value_usd": [-200.0, 110, 145, 100]})  # fmt: skip
    price_gap = (fast_cost - 10) * fast["position_units"]
    published = fast.assign(position_value_usd=fast["position_value_usd"] - price_gap)
    return replace(
        tables,
        vendors=pd.concat([tables.vendors] * 2).assign(**second),
        vendor_items=pd.concat([tables.vendor_items] * 2).assign(
            **second, unit_cost_usd=[10.0, fast_cost]),
        lead_times=pd.concat([tables.lead_times] * 2).assign(
            **second, mean_lead_time_days=[21.0, 2.0]),
        network_targets=targets,
        position_values=pd.concat([slow, published]).assign(
            item_id="i00000", vendor_id=["v00"] * 4 + ["v01"] * 4),
    )  # fmt: skip


def test_the_cheap_slow_vendor_is_used_while_the_position_is_sound():
    assert orders(two_vendors(on_hand=40, fast_cost=12))["vendor_id"].tolist() == ["v00"]


def test_the_dear_fast_vendor_is_used_when_stock_runs_out_before_the_slow_one_delivers():
    assert orders(two_vendors(on_hand=2, fast_cost=12))["vendor_id"].tolist() == ["v01"]


def test_of_two_vendors_at_the_same_cost_the_one_of_more_value_is_used():
    assert orders(two_vendors(on_hand=10, fast_cost=10))["vendor_id"].tolist() == ["v01"]


def test_what_runs_short_before_the_slow_order_comes_is_brought_by_the_fast_vendor_alone():
    """The slow vendor's position is at its level; the fast one's lacks 6, each worth 3.18 - 2."""
    tables = two_vendors(on_hand=20, fast_cost=12)
    coming = replace(tables, open_orders=open_order(20, 50))
    line = orders(coming, dead_band_share=0, order_line_usd=0.5)
    assert line[["vendor_id", "order_units"]].to_numpy().tolist() == [["v01", 6]]
    assert line["value_gained_usd"].item() == pytest.approx(6 * (35 / 11 - 2) - 0.5, abs=1e-6)
    worthless = two_vendors(on_hand=20, fast_cost=13.5)  # his price is above what a unit brings
    assert units(replace(worthless, open_orders=open_order(20, 50)), dead_band_share=0) == 0


@pytest.mark.parametrize(("fast_cost", "waits", "vendors"), [
    (10.0, 5, []), (10.0, 19, ["v00"]), (12.0, 5, ["v00"]),
])  # fmt: skip
def test_the_slow_vendor_waits_for_a_faster_one_who_is_in_time_and_no_dearer(
    fast_cost: float, waits: int, vendors: list[str]
):
    """v01, of 9 days where v00 has 28, takes no order for some days, and 26 of his are worth more
    than 70 of v00's; 2 usd on each of the 14 units of a week are more than that."""
    tables = two_vendors(on_hand=30, fast_cost=fast_cost)
    shut = pd.DataFrame({
        "vendor_id": ["v00", "v01"], "takes_orders": [True, False], "order_gap_days": [1, waits],
        "next_order_date": [TODAY + pd.Timedelta(days=d) for d in (1, waits)],
    })  # fmt: skip
    assert orders(replace(tables, vendor_calendar=shut))["vendor_id"].tolist() == vendors


@pytest.mark.parametrize(("turn", "vendors"), [("v00", ["v00"]), ("v01", [])])
def test_no_vendor_waits_for_one_whose_turn_it_is_not(turn: str, vendors: list[str]):
    """v01 is faster, no dearer, and has nothing to bring tonight."""
    standing = pd.DataFrame({
        "vendor_id": ["v00", "v01"], "item_id": "i00000", "award_share": 0.5, "recent_units": 0,
        "is_next": [turn == "v00", turn == "v01"],
    })  # fmt: skip
    tables = two_vendors(on_hand=30, fast_cost=10)
    assert orders(replace(tables, award_standing=standing))["vendor_id"].tolist() == vendors


@pytest.mark.parametrize(("value_usd", "ordered"), [(144.0, 0), (147.0, 10)])
def test_of_two_dear_vendors_the_slower_waits_for_who_makes_more_of_it(
    value_usd: float, ordered: int
):
    """v02 asks as much as v01 and is five days slower; v00, the cheapest, is slower still and takes
    no orders. v02 lacks 10 of the 14 units that both charge 2 more for in a week; v01 makes 145."""
    tables = two_vendors(on_hand=26, fast_cost=12)
    third = {name: getattr(tables, name).iloc[[1]].assign(vendor_id="v02") for name in (
        "vendors", "vendor_items", "lead_times", "network_targets")}  # fmt: skip
    third["network_targets"] = third["network_targets"].assign(
        cover_days=14.0, cover_demand_units=28.0, order_up_to_units=36)  # fmt: skip
    curve = pd.DataFrame({
        "item_id": "i00000", "vendor_id": "v02", "position_units": [0, 26, 36, 140],
        "position_value_usd": [-200.0, 110 - 52, value_usd - 72, 100 - 280],
    })  # fmt: skip
    shut = pd.DataFrame({
        "vendor_id": ["v00", "v01", "v02"], "takes_orders": [False, True, True],
        "order_gap_days": 1, "next_order_date": TODAY + pd.Timedelta(days=90),
    })  # fmt: skip
    both = {name: pd.concat([getattr(tables, name), frame]) for name, frame in third.items()}
    three = replace(tables, **both, vendor_calendar=shut,
                    position_values=pd.concat([tables.position_values, curve]))  # fmt: skip
    terms = {"dead_band_share": 0, "order_line_usd": 0}
    assert units(three, **terms) == ordered
    alone = shut.assign(takes_orders=[False, False, True])
    assert units(replace(three, vendor_calendar=alone), **terms) == 10


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.none() | st.integers(50, 3000))
def test_random_nights_keep_every_term(seed, budget):
    tables = world(30, 4, seed)
    found = orders(tables, budget_usd=budget)
    offers = found.merge(tables.vendor_items, on=["item_id", "vendor_id"])
    assert (offers["order_units"] % offers["case_pack_units"] == 0).all()
    assert (offers["order_units"] >= offers["moq_units"]).all()
    assert (offers["order_units"] == offers["cases"] * offers["case_pack_units"]).all()
    assert not found["item_id"].duplicated().any()
    by_vendor = found.astype({"vendor_id": "str"}).groupby("vendor_id")
    terms = tables.vendors.set_index("vendor_id")
    cost = by_vendor["order_cost_usd"].sum()
    assert (cost >= terms["order_minimum_usd"].reindex(cost.index) - 0.005).all()
    limit = terms["vendor_capacity_units_per_order"].reindex(cost.index)
    assert (by_vendor["order_units"].sum() <= limit.fillna(10**9)).all()
    assert budget is None or found["order_cost_usd"].sum() <= budget + 1e-6
    assert (found["override_units"] == 0).all()
    short = np.maximum(found["order_up_to_units"] - found["inventory_position_units"], 0)
    assert (found["needed_units"] == short).all()


def test_the_plan_does_not_depend_on_the_order_of_rows():
    tables = world(60, 5, 3)
    shuffled = BuyTables(**{
        name: getattr(tables, name).sample(frac=1, random_state=1)
        for name in BuyTables.__dataclass_fields__
    })  # fmt: skip
    pd.testing.assert_frame_equal(orders(tables), orders(shuffled))
    pd.testing.assert_frame_equal(candidates(tables), candidates(shuffled))


def test_every_item_below_its_level_is_ordered_or_has_a_reason():
    tables = world(80, 5, 9)
    found = candidates(tables, budget_usd=800)
    plan = plan_orders(tables, AS_OF, PLANNING, BuySettings(budget_usd=800))
    short = set(plan.frame["item_id"][plan.worth.pairs.needed > 0])
    chosen = found[found["is_chosen"]]
    assert short <= set(chosen["item_id"])
    assert not chosen["item_id"].duplicated().any()
    rest = found[~found["is_chosen"]]
    assert rest["why_not"].notna().all()
    unordered = chosen.loc[chosen["candidate_units"] == 0, "item_id"]
    assert set(unordered) <= set(rest["item_id"])
