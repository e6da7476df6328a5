"""Lanes and the budget are rows of the solve: counted unit by unit, priced, elastic."""

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.check import require
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.optimize.night_model import NightModel, night_model
from pipeline.optimize.plan import optimize_night
from tests.optimize.world import AS_OF, SETTINGS, tables


def settings(**buy: float) -> Settings:
    return SETTINGS.model_copy(update={"buy": SETTINGS.buy.model_copy(update=buy)})


def with_lanes(room: float) -> dict[str, pd.DataFrame]:
    raw = tables(items=30)
    raw["lanes"] = raw["lanes"].assign(lane_capacity_cuft_per_day=room)
    return raw


def planned(raw: dict[str, pd.DataFrame], given: Settings) -> tuple[NightModel, dict]:
    model = night_model(raw, AS_OF, given)
    return model, optimize_night(model, given)


def rows_of(out: dict[str, pd.DataFrame], resource: str) -> pd.DataFrame:
    rows = require(out["capacity_prices"], TABLES["capacity_prices"])
    return rows[rows["resource"].astype(str) == resource]


def used_by_hand(model: NightModel, out: dict, node: str | None, week: int, each: dict) -> float:
    """What the nodes at and below this one serve, and their levels rise by, in a day of the
    week."""
    nodes = model.network.nodes.set_index("node_id")
    total = 0.0
    levels = out["weekly_levels"]
    start = pd.Timestamp(AS_OF) + pd.Timedelta(days=1 + 7 * week)
    for row in levels[levels["week_start"] == start].itertuples():
        passed, at = [], row.node_id
        while not nodes.loc[at, "is_vendor_receiving"]:
            passed.append(at)
            at = nodes.loc[at, "parent_node_id"]
        if node is None or node in passed:
            k = week * len(model.cube.items) + model.cube.items.index(row.item_id)
            j = model.network.names.index(row.node_id)
            rise = model.ahead.rise[k, j] * row.base_stock_units / model.cycle_days
            total += (row.served_units / 7.0 + rise) * each[row.item_id]
    return total


def test_lane_row_counts_what_is_drawn_through_it_to_all_nodes_below():
    raw = with_lanes(1e6)
    model, out = planned(raw, SETTINGS)
    cube = dict(zip(raw["items"]["item_id"], raw["items"]["unit_cube_cuft"], strict=True))
    rows = rows_of(out, "lane_cuft_per_day")
    below = model.network.nodes.loc[~model.network.nodes["is_vendor_receiving"], "node_id"]
    assert sorted(rows["node_id"].unique()) == sorted(below)
    for row in rows.itertuples():
        week = (row.week_start.date() - AS_OF).days // 7
        by_hand = used_by_hand(model, out, row.node_id, week, cube)
        assert row.usage == pytest.approx(by_hand, rel=1e-5)


def test_full_lane_has_a_price_and_pushes_positions_up_the_chain():
    _, free = planned(with_lanes(1e6), SETTINGS)
    room = rows_of(free, "lane_cuft_per_day").groupby("node_id")["usage"].max().max() * 0.5
    _, tight = planned(with_lanes(room), SETTINGS)
    rows = rows_of(tight, "lane_cuft_per_day")
    assert (rows["usage"] <= room + rows["overflow"] + 1e-6).all()
    full = rows.loc[rows["price_usd_per_capacity_unit"] > 0, "node_id"].unique()
    assert len(full)
    level = [out["base_stock_levels"].set_index("node_id")["base_stock_units"]
             for out in (free, tight)]  # fmt: skip
    assert level[1].loc[full].sum() < level[0].loc[full].sum()
    assert level[1].sum() > 0.7 * level[0].sum()  # most of it stays above the lanes


def test_budget_row_counts_the_value_of_a_days_purchases_and_binds():
    raw = tables(items=30)
    model, free = planned(raw, settings(budget_usd=1e7))
    cost = dict(zip(model.cube.items, model.money.unit_cost_usd, strict=True))
    assert rows_of(free, "budget_usd_per_day").empty  # no night could spend so much
    by_hand = used_by_hand(model, free, None, 0, cost)
    _, wide = planned(raw, settings(budget_usd=2.0 * by_hand))
    rows = rows_of(wide, "budget_usd_per_day")
    assert rows["node_id"].astype(str).unique().tolist() == ["network"]
    assert rows["usage"].iloc[0] == pytest.approx(by_hand, rel=1e-5)
    assert (rows["price_usd_per_capacity_unit"] == 0).all()
    _, tight = planned(raw, settings(budget_usd=0.7 * by_hand))
    rows = rows_of(tight, "budget_usd_per_day")
    assert rows["price_usd_per_capacity_unit"].max() > 0
    assert (rows["usage"] <= rows["capacity"] + rows["overflow"] + 1e-6).all()
    targets = [out["network_targets"]["order_up_to_units"].sum() for out in (free, tight)]
    assert targets[1] < targets[0]


def test_budget_that_cannot_be_kept_is_overflow_at_its_declared_cost():
    model, out = planned(tables(items=10), settings(budget_usd=0.0))
    rows = rows_of(out, "budget_usd_per_day")
    top = model.capacity.rows.overflow_usd[model.capacity.resource == "budget_usd_per_day"]
    assert (rows["price_usd_per_capacity_unit"] <= top[0] + 1e-9).all()
    assert np.isclose(rows["usage"], rows["overflow"]).all()
    summary = out["optimize_summary"].set_index("measure")["value"]
    assert summary["violation"] == 0
