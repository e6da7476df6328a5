"""Scenario files and what they change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from pipeline.contracts.tables import TABLES
from pipeline.errors import SettingsError, UsageError
from pipeline.simulate.prepare import require_felt
from pipeline.simulate.scenarios.changes import Change
from pipeline.simulate.scenarios.scenario import Scenario, load_scenario
from pipeline.simulate.world.model import WorldRules, capacities, world_model
from pipeline.simulate.world.truth import Truth
from tests.simulate.small import raw_tables, small_world

FILES = sorted((Path(__file__).parents[2] / "configs" / "scenarios").glob("*.yaml"))
FIRST = pd.Timestamp("2025-01-01")


def change(**content: object) -> Change:
    return TypeAdapter(Change).validate_python(content)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_scenario_loads_under_its_own_name(path: Path) -> None:
    assert load_scenario(path).name == path.stem


def test_misspelt_keys_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("name: odd\nstart: 2025-01-01\nworld: {accept_late: 1}\n")
    with pytest.raises(SettingsError, match=r"world\.accept_late"):
        load_scenario(path)


def test_a_promise_takes_its_share_from_the_other_speeds() -> None:
    tables = change(kind="promise", speed="fast", share=0.9, regions=["east"]).tables_from(
        raw_tables(), FIRST
    )
    speeds = tables["delivery_speeds"].set_index(["region_id", "speed"])["demand_share"]
    assert speeds["east"].to_dict() == pytest.approx({"fast": 0.9, "slow": 0.1})
    assert speeds["west"].to_dict() == pytest.approx({"fast": 0.6, "slow": 0.4})


def test_unknown_regions_are_named() -> None:
    with pytest.raises(UsageError, match="atlantis"):
        change(kind="promise", speed="fast", share=0.9, regions=["atlantis"]).tables_from(
            raw_tables(), FIRST
        )


def test_a_new_site_serves_and_is_supplied() -> None:
    site = change(
        kind="new_site", node_id="SD-2", parent_node_id="FC-B", regions=["west"],
        speeds=["fast", "slow"], ship_usd_per_unit=1.0, cutoff_hour=16, storage_cuft=30,
        handling_usd_per_unit=0.4, storage_usd_per_cuft_day=0.05, lane_usd_per_cuft=0.2,
    )  # fmt: skip
    raw = raw_tables()
    raw["regions"]["latitude"] = raw["regions"]["longitude"] = 0.0
    raw["lanes"]["lane_capacity_cuft_per_day"] = np.nan
    raw["nodes"]["node_name"] = raw["nodes"]["node_id"]
    raw["nodes"]["latitude"] = raw["nodes"]["longitude"] = 0.0
    model = world_model(site.tables_from(raw, FIRST), WorldRules())
    west, node = model.regions.get_loc("west"), model.nodes.get_loc("SD-2")
    cell = west * model.offers.n_speeds * model.offers.n_buckets
    assert model.offers.node[model.offers.start[cell]] == node  # the cheapest for a morning order
    assert model.lane_usd_per_cuft[model.nodes.get_loc("FC-B"), node] == 0.2


def test_planners_of_a_planned_surge_override_its_items_on_its_days() -> None:
    tables = whole_tables() | {"overrides": pd.DataFrame({
        name: pd.Series(dtype="str") for name in TABLES["overrides"].columns
    })}  # fmt: skip
    surge = change(kind="surge", factor=2.0, planned_factor=1.8, item_groups=["toys"],
                   regions=["north", "west"], from_day=2, to_day=3)  # fmt: skip
    found = surge.tables_from(tables, FIRST)["overrides"]
    assert sorted(set(found["item_id"])) == [f"item_{k:02d}" for k in range(0, 12, 2)]
    assert len(found) == len(found["override_id"].unique()) == 12
    assert set(found["region_id"]) == {"north", "west"}
    assert (found["override_value"] == 1.8).all()
    assert (found["start_date"] == FIRST + pd.Timedelta(days=1)).all()
    assert (found["expiry_date"] == FIRST + pd.Timedelta(days=2)).all()
    assert "1.8 times" in surge.sentence()


def test_a_surge_scales_the_days_and_regions_named() -> None:
    _, model, times = small_world()
    truth = Truth(
        pd.date_range(FIRST, periods=5), np.full((5, 12, 3), 10), np.ones((5, 12, 3)),
        np.full((5, 4, 3), np.inf),
    )  # fmt: skip
    surge = change(kind="surge", factor=2.0, from_day=2, to_day=3, regions=["north"])
    found = surge.demand(truth, model, raw_tables()).demand
    assert found[1:3, :, 1].tolist() == np.full((2, 12), 20).tolist()
    rest = replace(truth, demand=found).demand.sum() - 20 * 24
    assert rest == 10 * (5 * 12 * 3 - 24)
    shock = change(kind="lead_time_shock", factor=1.5, from_day=2, to_day=3)
    shocked = shock.lead_times(times, model, raw_tables(), pd.Timestamp("1970-04-11"))  # day 100
    pair, u = np.array([0, 0]), np.array([0.0, 0.0])
    assert shocked.draw(pair, np.array([100, 101]), u).tolist() == [2, 3]  # 2 days, then 2 x 1.5


def test_every_shipped_scenario_says_in_words_what_it_changes() -> None:
    words = {
        path.stem: [change.sentence() for change in load_scenario(path).changes] for path in FILES
    }
    assert words.pop("baseline") == []
    assert all(lines and all(line.endswith(".") for line in lines) for lines in words.values())
    assert words["one_day_promise"] == [
        "75% of the units ordered in every region are promised one-day; the other speeds share the "
        "rest as before."
    ]
    assert words["vendor_strike"][0].startswith("V-05 sends nothing on days 8 to 28: ")
    assert words["lead_time_drift"] == [
        "Orders (every item) placed throughout take 0.5 days longer with every week to arrive; "
        "nobody was told."
    ]
    assert words["tariff"] == ["What vendors ask for a unit (items of V-06) is 1.25 times as high."]


def whole_tables() -> dict[str, pd.DataFrame]:
    """The small world with groups, and capacity of the site in two steps."""
    tables = raw_tables()
    tables["items"]["category"] = ["toys", "tools"] * 6
    tables["items"]["department"] = [f"d{k // 3}" for k in range(12)]
    tables["vendors"]["vendor_name"] = tables["vendors"]["vendor_id"]
    tables["stock"] = pd.DataFrame({
        "date": FIRST, "item_id": ["item_00", "item_00"], "node_id": ["FC-A", "SD"],
        "on_hand_units": [3, 2],
    })  # fmt: skip
    for name, column in (("open_orders", "node_id"), ("open_transfers", "to_node_id")):
        tables[name] = pd.DataFrame({column: ["SD", "DC"]})
    return tables


def lead(one: Change, sent: int, pair: int) -> int:
    """Days that an order of `pair` takes that is sent on day `sent`; 2 if it is let be."""
    _, model, times = small_world()
    later = one.lead_times(times, model, whole_tables(), pd.Timestamp("1970-04-11"))
    return int(later.draw(np.array([pair]), np.array([99 + sent]), np.zeros(1))[0])


def test_a_strike_holds_its_vendors_orders_until_it_is_over() -> None:
    """v1 sells even items; pair 0 is v1's item_00, pair 13 is v2's item_01. A strike on days 3
    to 23 lets an order of day 5 leave on day 24."""
    strike = change(kind="vendor_strike", vendors=["v1"], from_day=3, to_day=23)
    assert [lead(strike, day, 0) for day in (2, 3, 5, 23, 24)] == [2, 23, 21, 3, 2]
    assert lead(strike, 5, 13) == 2


def test_lead_times_shift_and_drift_and_lost_shipments_come_again() -> None:
    drift = change(kind="lead_time_shock", add_days=1, drift_days_per_week=2, items=["item_00"])
    assert [lead(drift, day, 0) for day in (1, 8, 15)] == [3, 5, 7]
    assert lead(drift, 8, 13) == 2
    lost = change(kind="lost_shipment", resend_days=10, item_groups=["toys"],
                  from_date="1970-04-12", to_date="1970-04-12")  # fmt: skip
    assert [lead(lost, day, 0) for day in (1, 2, 3)] == [2, 12, 2]


def test_a_run_that_ends_before_a_change_is_felt_is_refused() -> None:
    """Orders take two days: those of day 9 come on day 11."""
    strike = change(kind="vendor_strike", vendors=["v1"], from_day=9, to_day=20)
    _, model, times = small_world()
    times = strike.lead_times(times, model, whole_tables(), FIRST)
    asked = {"name": "late", "start": FIRST.date() - timedelta(days=1)}
    require_felt(Scenario(**asked, days=11), times)
    with pytest.raises(UsageError, match="would come on day 11"):
        require_felt(Scenario(**asked, days=10), times)


def test_changes_of_luck_compose() -> None:
    """Two days, doubled by the first, and three more by the second."""
    _, model, times = small_world()
    for content in ({"factor": 2.0}, {"add_days": 3}):
        one = change(kind="lead_time_shock", **content)
        times = one.lead_times(times, model, whole_tables(), pd.Timestamp("1970-04-11"))
    assert times.draw(np.array([0]), np.array([100]), np.zeros(1)).tolist() == [7]


def test_a_group_of_items_is_asked_for_more_in_one_region_on_some_days() -> None:
    """30 % more toys (6 items) in the north on three days of five: 10 units become 13."""
    _, model, _ = small_world()
    truth = Truth(
        pd.date_range(FIRST, periods=5), np.full((5, 12, 3), 10), np.ones((5, 12, 3)),
        np.full((5, 4, 3), np.inf),
    )  # fmt: skip
    surge = change(kind="surge", factor=1.3, item_groups=["toys"], regions=["north"],
                   from_date="2025-01-02", to_date="2025-01-04")  # fmt: skip
    found = surge.demand(truth, model, whole_tables()).demand - 10
    assert found.sum() == 3 * 6 * 3
    assert (found[1:4, ::2, 1] == 3).all()


def test_a_dated_capacity_cut_ends_when_it_says() -> None:
    tables = whole_tables()
    cut = change(kind="capacity", resource="storage_cuft", factor=0.25, nodes=["SD"], from_day=3,
                 to_day=4)  # fmt: skip
    days = pd.date_range(FIRST, periods=6)
    room = capacities(cut.tables_from(tables, FIRST), pd.Index(["SD"]), days)[:, 0, 0]
    assert room.tolist() == [20, 20, 5, 5, 20, 20]
    docks = change(kind="capacity", resource="inbound_units_per_day", factor=1)
    with pytest.raises(UsageError, match="no capacity of inbound"):
        docks.tables_from(tables, FIRST)


def test_a_closed_node_serves_nobody_and_its_stock_is_elsewhere() -> None:
    closed = change(kind="closed_node", node_id="SD", stock_to="FC-A").tables_from(
        whole_tables(), FIRST
    )
    model = world_model(closed, WorldRules())
    site = model.nodes.get_loc("SD")
    assert site not in model.offers.node
    assert closed["stock"][["node_id", "on_hand_units"]].to_numpy().tolist() == [["FC-A", 5]]
    lanes = closed["lanes"].set_index("to_node_id")["lane_capacity_cuft_per_day"]
    assert lanes["SD"] == 0
    assert closed["delivery_speeds"]["demand_share"].tolist() == [0.6, 0.4] * 3  # all still offered
    alone = whole_tables()
    options = alone["delivery_options"]
    is_other = (options["region_id"] == "north") & (options["speed"] == "fast")
    alone["delivery_options"] = options[~is_other | (options["node_id"] == "SD")]
    left = change(kind="closed_node", node_id="SD", stock_to="FC-A").tables_from(alone, FIRST)
    speeds = left["delivery_speeds"].set_index(["region_id", "speed"])["demand_share"]
    assert ("north", "fast") not in speeds.index
    assert speeds["north", "slow"] == 1.0
    with pytest.raises(UsageError, match="FC-A supplies SD"):
        change(kind="closed_node", node_id="FC-A", stock_to="DC").tables_from(whole_tables(), FIRST)


def test_a_tariff_a_new_vendor_and_a_slower_lane_are_known_to_all() -> None:
    tables = whole_tables()
    before = tables["vendor_items"].set_index("item_id")["unit_cost_usd"]
    for content in (
        {"kind": "cost", "table": "vendor_items", "column": "unit_cost_usd", "factor": 1.25,
         "vendors": ["v2"]},
        {"kind": "new_vendor", "vendor_id": "v3", "item_groups": ["toys"], "cost_factor": 0.5,
         "quoted_lead_time_days": 9},
        {"kind": "lane", "from_node_id": "DC", "to_node_id": "FC-B", "add_days": 3},
    ):  # fmt: skip
        tables = change(**content).tables_from(tables, FIRST)
    after = tables["vendor_items"].set_index(["vendor_id", "item_id"])["unit_cost_usd"]
    assert after["v2", "item_01"] == pytest.approx(1.25 * before["item_01"])
    assert after["v1", "item_00"] == before["item_00"]
    assert len(after["v3"]) == 6
    assert after["v3", "item_02"] == pytest.approx(before["item_02"] / 2, abs=1e-3)
    assert world_model(tables, WorldRules()).lane_days[0, 2] == 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"kind": "vendor_strike", "vendors": ["v9"]}, "unknown vendor_id: v9.*known: v1, v2"),
        ({"kind": "surge", "factor": 2, "item_groups": ["shoes"]}, "unknown item group: shoes"),
        ({"kind": "lead_time_shock", "items": ["item_00"], "vendors": ["v2"]}, "no item is"),
        ({"kind": "closed_node", "node_id": "SD", "stock_to": "XX"}, "unknown node_id: XX"),
        ({"kind": "lane", "from_node_id": "SD", "to_node_id": "DC"}, "no lane SD → DC"),
        ({"kind": "cost", "table": "lanes", "column": "lane_usd_per_cuft", "factor": 2,
          "vendors": ["v1"]}, "lanes knows no items"),
    ],
)  # fmt: skip
def test_what_a_change_names_and_nobody_knows_is_told(content: dict, said: str) -> None:
    _, model, times = small_world()
    one = change(**content)
    truth = Truth(pd.date_range(FIRST, periods=2), np.zeros((2, 12, 3), dtype=np.int64),
                  np.ones((2, 12, 3)), np.ones((2, 4, 3)))  # fmt: skip

    def try_all() -> None:
        one.lead_times(times, model, one.tables_from(whole_tables(), FIRST), FIRST)
        one.demand(truth, model, whole_tables())

    with pytest.raises(UsageError, match=said):
        try_all()


@pytest.mark.parametrize("days", [{"from_day": 5, "to_day": 2}, {"from_day": 1, "to_date": FIRST}])
def test_days_out_of_order_or_told_twice_are_refused(days: dict) -> None:
    with pytest.raises(ValueError, match=r"it ends|not both"):
        change(kind="surge", factor=2, **days)


def test_every_kind_of_change_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    kinds = TypeAdapter(Change).json_schema()["discriminator"]["mapping"]
    assert len(kinds) == 11
    assert [kind for kind in kinds if f"| `{kind}` |" not in page] == []
