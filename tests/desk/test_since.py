"""Why a plan changed between two nights: shares add up, and a lone cause gets all of it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from pipeline import runner
from pipeline.desk.since import since_page
from pipeline.errors import UsageError
from pipeline.since.bridge import BRIDGE_DRIVERS, stock_bridge
from pipeline.since.changes import Planned, Since, changes_between
from pipeline.since.groups import OVERRIDES, SINCE_DRIVERS
from pipeline.since.swapped import Swapped
from pipeline.since.told import account, settings_of, since_text
from pipeline.since.words import amount, sentence
from pipeline.store import Source, Store
from tests.desk.conftest import LAST, QUICK, World

FIRST = date(2025, 6, 29)


@pytest.fixture(scope="module")
def found(world: World) -> Since:
    store = Store(world.out)
    return changes_between(
        Planned(store, FIRST, QUICK), Planned(store, LAST, QUICK), exact_players=0, orders=1
    )


def test_every_order_transfer_and_level_is_explained_without_remainder(
    found: Since, world: World
) -> None:
    drivers = found.frame[list(SINCE_DRIVERS)].sum(axis=1)
    assert np.abs(drivers - (found.frame["after"] - found.frame["before"])).max() < 1e-9
    assert set(found.frame["measure"]) >= {"order_units", "base_stock_units"}
    orders = found.frame[found.frame["measure"] == "order_units"]
    store = Store(world.out)
    for name, day in (("before", FIRST), ("after", LAST)):
        published = store.read(day, "purchase_orders")["order_units"].sum()
        assert orders[name].sum() == published
    assert "demand" in found.differing


def test_a_night_differs_in_nothing_from_itself(world: World) -> None:
    night = Planned(Store(world.out), LAST, QUICK)
    same = changes_between(night, night)
    assert (same.differing, len(same.moved), same.plans) == ((), 0, 1)
    assert len(same.frame) > 0


def test_a_forecast_made_again_of_its_own_inputs_is_the_published_one(world: World) -> None:
    """What a new model, settings or overrides change is told by it: all that it reads is there."""
    store = Store(world.out)
    night = Planned(store, LAST, QUICK)
    again = Swapped(night, night, False)._forecast_again(night, True, False, False, False, False)
    own = store.read(LAST, "demand_quantiles")
    pd.testing.assert_frame_equal(again["demand_quantiles"][own.columns], own)


def test_an_override_alone_explains_the_order_that_it_changed(world: World, tmp_path: Path) -> None:
    out = Path(shutil.copytree(world.out, tmp_path / "out"))
    raw = Path(shutil.copytree(world.raw, tmp_path / "raw"))
    store = Store(out)
    orders = store.read(LAST, "purchase_orders").sort_values("order_cost_usd")
    file = raw / "overrides.csv"
    rows = pd.read_csv(file)
    order = orders[~orders["item_id"].isin(rows["item_id"])].iloc[-1]  # no other one limits it
    units = 2 * int(order["order_units"])
    added = {
        "override_id": "O-X", "item_id": order["item_id"], "override_target": "order_units",
        "override_kind": "at_least", "override_value": units, "start_date": "2025-07-01",
        "expiry_date": "2025-07-09", "planner": "ana", "why": "fair",
    }  # fmt: skip
    pd.concat([rows, pd.DataFrame([added])]).to_csv(file, index=False)
    for stage in ("ingest", "forecast", "assort", "optimize", "buy", "place"):
        runner.run_stage(store, Source("raw", raw), QUICK, LAST, stage)
    found = changes_between(Planned(Store(world.out), LAST, QUICK), Planned(store, LAST, QUICK))
    assert found.differing == (OVERRIDES,)
    own = found.frame[found.frame["measure"] == "order_units"].set_index("item_id")
    change = own["after"] - own["before"]
    assert change[order["item_id"]] >= order["order_units"]
    assert np.abs(own["overrides"] - change).max() == 0


def test_stock_is_bridged_by_what_came_and_went(world: World) -> None:
    store = Store(world.out)
    bridge = stock_bridge(store, FIRST, LAST).set_index("item_id")
    told = bridge[list(BRIDGE_DRIVERS)].sum(axis=1)
    assert np.abs(told - (bridge["after"] - bridge["before"])).max() < 1e-9
    demand = store.read(LAST, "daily_demand").astype({"item_id": "str"})
    sold = demand[demand["date"] == pd.Timestamp(LAST)].groupby("item_id")["units"].sum()
    quantiles = store.read(FIRST, "demand_quantiles").astype({"item_id": "str"})
    window = quantiles[quantiles["window_start_day"].eq(1)]
    shortest = window["window_days"].min()
    a_day = window[window["window_days"] == shortest].groupby("item_id")["mean_units"].sum()
    expected = a_day.reindex(bridge.index) / shortest - sold.reindex(bridge.index)
    assert np.abs(bridge["sales"] - expected).max() < 1e-9


def test_the_account_names_what_it_does_not_know(found: Since, world: World) -> None:
    bridge = stock_bridge(Store(world.out), FIRST, LAST)
    item = str(found.frame["item_id"].iloc[0])
    assert any("units" in line for line in account(found, bridge, item))
    with pytest.raises(UsageError, match="no item 'NOPE' in either night"):
        account(found, bridge, "NOPE")
    with pytest.raises(UsageError, match=r"no category 'NOPE'. Next: one of"):
        account(found, bridge, category="NOPE")
    with pytest.raises(UsageError, match=r"the night of 2030-01-01 is not planned. Planned nights"):
        since_text(Store(world.out), date(2030, 1, 1), LAST, QUICK)


def test_a_night_is_explained_with_the_settings_that_it_was_planned_with(world: World) -> None:
    store = Store(world.out)
    other = QUICK.model_copy(update={"buy": QUICK.buy.model_copy(update={"budget_usd": 5.0})})
    assert settings_of(store, LAST, other) == QUICK
    shutil.rmtree(world.out / "settings")
    with pytest.raises(UsageError, match="was planned with settings that are not kept"):
        settings_of(store, LAST, other)
    store.keep_settings(QUICK.sha256(), QUICK.model_dump(mode="json", exclude={"run"}))


def test_a_sentence_adds_up_to_its_change() -> None:
    row = dict.fromkeys(("a", "b", "c", "d", "e"), 1.0) | {"a": 5.0, "before": 40.0, "after": 49.0}
    words = {name: f"cause {name}" for name in "abcde"}
    assert sentence("Tea", row, words, "units") == (
        "Tea: 9 more units (from 40 to 49): +5 cause a, +1 cause b, +1 cause c, +1 cause d, "
        "+1 other causes."
    )
    assert amount(-12.5) == "−12.5"


def test_the_page_says_that_it_plans_and_then_shows_sentences_that_add_up(
    found: Since, world: World, desk: TestClient
) -> None:
    text = desk.get(f"/plans/{LAST}/since?other={FIRST}").text
    assert "is being planned again" in text
    assert "data-reload" in text
    bridge = stock_bridge(Store(world.out), FIRST, LAST)
    page = since_page((found, bridge), "node", "base_stock_units", "", "")
    nodes = found.frame[found.frame["measure"] == "base_stock_units"]
    assert sum(row["change"] for row in page["rows"]) == (nodes["after"] - nodes["before"]).sum()
    own = since_page((found, bridge), "item", "", str(bridge["item_id"].iloc[0]), "")
    assert len(own["rows"]) <= 1
    assert desk.get(f"/plans/{LAST}/since?other=2031-01-01").status_code == 404
