"""Scenario files and what they change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from pipeline.errors import SettingsError, UsageError
from pipeline.simulate.scenarios.changes import Change
from pipeline.simulate.scenarios.scenario import load_scenario
from pipeline.simulate.world.model import WorldRules, world_model
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


def test_a_surge_scales_the_days_and_regions_named() -> None:
    _, model, times = small_world()
    truth = Truth(
        pd.date_range(FIRST, periods=5), np.full((5, 12, 3), 10), np.ones((5, 12, 3)),
        np.full((5, 4, 3), np.inf),
    )  # fmt: skip
    surge = change(kind="surge", factor=2.0, from_day=2, to_day=3, regions=["north"])
    found = surge.demand(truth, model).demand
    assert found[1:3, :, 1].tolist() == np.full((2, 12), 20).tolist()
    rest = replace(truth, demand=found).demand.sum() - 20 * 24
    assert rest == 10 * (5 * 12 * 3 - 24)
    shock = change(kind="lead_time_shock", factor=1.5, from_day=2, to_day=3)
    shocked = shock.lead_times(times, 100)
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
