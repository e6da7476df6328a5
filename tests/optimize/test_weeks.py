"""Limits and events of later weeks: built ahead of, and no reason to hold less tonight."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from tests.optimize.world import AS_OF, START, tables

SETTINGS = Settings.model_validate(
    {"optimize": {"scenarios": 64, "audit_items": 0, "exact_items": 0}, "run": {"threads": 1}}
)
ITEMS = 24
Frames = dict[str, pd.DataFrame]


def planned(raw: Frames) -> Frames:
    return optimize_night(night_model(raw, AS_OF, SETTINGS), SETTINGS)


def limited(raw: Frames, resource: str, limit: dict[str, float], weeks: list[int]) -> Frames:
    """The world with a limit at some nodes in some weeks (from 0), and room in all others."""
    rows = [
        (node, name, START, 1e6)
        for node in raw["nodes"]["node_id"]
        for name in ("storage_cuft", "inbound_units_per_day")
    ]
    for week in weeks:
        first = pd.Timestamp(AS_OF + timedelta(days=1 + 7 * week))
        for node, amount in limit.items():
            rows.append((node, resource, first, amount))
            if week + 1 not in weeks:
                rows.append((node, resource, first + pd.Timedelta(days=7), 1e6))
    columns = ["node_id", "resource", "start_date", "capacity"]
    return {**raw, "node_capacity": pd.DataFrame(rows, columns=columns)}


def with_event(raw: Frames, factor: float = 3.0) -> Frames:
    """Demand of weeks 3 and 4 is several times as high."""
    table = raw["demand_quantiles"].copy()
    days = table["window_days"]
    grown = np.where(days >= 28, (days + 14 * (factor - 1.0)) / days, 1.0)
    values = [c for c in table.columns if table[c].dtype.kind == "f"]
    table[values] = table[values].mul(grown, axis=0)
    return {**raw, "demand_quantiles": table}


def usage(out: Frames, resource: str, week: int = 0) -> dict[str, float]:
    rows = out["capacity_prices"]
    first = pd.Timestamp(AS_OF + timedelta(days=1 + 7 * week))
    mine = rows[(rows["resource"] == resource) & (rows["week_start"] == first)]
    return {node: used for node, used in zip(mine["node_id"], mine["usage"], strict=True) if used}


def tonight(out: Frames) -> pd.Series:
    return out["base_stock_levels"].set_index(["item_id", "node_id"])["base_stock_units"]


def ordered(out: Frames) -> pd.Series:
    return out["network_targets"].set_index(["item_id", "vendor_id"])["order_up_to_units"]


@pytest.fixture(scope="module")
def free() -> Frames:
    return planned(tables(ITEMS))


@pytest.mark.parametrize(
    ("resource", "share", "weeks"),
    [
        ("inbound_units_per_day", 0.5, [3]),
        ("inbound_units_per_day", 1e-6, [5]),
        ("storage_cuft", 0.3, [5]),
    ],
)
def test_a_limit_some_weeks_ahead_lowers_no_level_and_no_order_of_tonight(
    free, resource, share, weeks
):
    limit = {"DC-EAST": share * usage(free, resource)["DC-EAST"]}
    out = planned(limited(tables(ITEMS), resource, limit, weeks))
    assert (tonight(out) == tonight(free)).all()
    assert (ordered(out) >= ordered(free)).all()


def test_an_event_with_short_docks_buys_no_less_than_no_event_and_no_less_than_with_wide_docks(
    free,
):
    docks = {j: 1.5 * used for j, used in usage(free, "inbound_units_per_day").items()}
    wide = planned(with_event(tables(ITEMS)))
    short = planned(limited(with_event(tables(ITEMS)), "inbound_units_per_day", docks, [2, 3]))
    assert (tonight(short) == tonight(free)).all()
    assert (ordered(short) >= ordered(free)).all()
    assert ordered(short).sum() > ordered(wide).sum() > ordered(free).sum()
    targets = short["network_targets"]
    early = targets[targets["built_ahead_units"] > 0]
    assert len(early)
    event = pd.Timestamp(AS_OF + timedelta(days=15))
    assert (early["built_ahead_week"] >= event).all()
    assert targets.loc[targets["built_ahead_units"] == 0, "built_ahead_week"].isna().all()


def test_storage_is_drained_before_a_cut_only_as_fast_as_it_sells(free):
    """Levels fall in the weeks before, by no more than what is left needs."""
    limit = {"DC-EAST": 0.2 * usage(free, "storage_cuft")["DC-EAST"]}
    out = planned(limited(tables(ITEMS), "storage_cuft", limit, [5]))
    cube = tables(ITEMS)["items"].set_index("item_id")["unit_cube_cuft"]
    rows = out["weekly_levels"]
    rows = rows[rows["node_id"] == "DC-EAST"]
    cuft = rows["base_stock_units"] * rows["item_id"].map(cube)
    by_week = cuft.groupby(rows["week_start"]).sum().to_numpy()
    assert by_week[5] <= limit["DC-EAST"] + 1e-9
    assert by_week[5] < by_week[4] < by_week[3] + 1e-9
    assert by_week[0] == pytest.approx(by_week[1], rel=0.1)


def test_more_demand_never_lowers_an_order(free):
    raw = tables(ITEMS)
    grown = raw["demand_quantiles"].copy()
    values = [c for c in grown.columns if grown[c].dtype.kind == "f"]
    grown[values] *= 1.25
    assert (ordered(planned({**raw, "demand_quantiles": grown})) >= ordered(free)).all()


def test_a_node_whose_dock_will_be_closed_is_filled_for_those_weeks_before(free: Frames) -> None:
    """A fulfillment center takes nothing in from the second week to the fourth."""
    out = planned(limited(tables(ITEMS), "inbound_units_per_day", {"FC-WEST": 0.0}, [1, 2, 3]))
    was, now = (
        frames["base_stock_levels"].groupby("node_id")[["base_stock_units", "filled_ahead_units"]]
        .sum() for frames in (free, out)
    )  # fmt: skip
    assert was["filled_ahead_units"].sum() == 0
    weekly = free["weekly_levels"].groupby(["week_start", "node_id"])["served_units"].sum()
    served = weekly.unstack()["FC-WEST"].iloc[1:4].sum()
    assert now.loc["FC-WEST", "filled_ahead_units"] > 0.3 * served
    more = now["base_stock_units"] - was["base_stock_units"]
    assert more["FC-WEST"] > 0.3 * served
    assert (more >= 0).all()
    early = out["base_stock_levels"].set_index(["item_id", "node_id"])
    week = out["weekly_levels"].set_index(["week_start", "item_id", "node_id"]).sort_index()
    tonight = week.xs(week.index[0][0])["base_stock_units"]
    level = early["base_stock_units"] - early["filled_ahead_units"]
    assert (level.reindex(tonight.index) == tonight).all()


def test_a_dock_that_is_closed_on_two_days_of_a_week_takes_the_rest_of_it(free: Frames) -> None:
    node, first = "DC-EAST", AS_OF + timedelta(days=1)
    daily = usage(free, "inbound_units_per_day")[node]
    raw = tables(ITEMS)
    rows = [(node, "inbound_units_per_day", pd.Timestamp(first + timedelta(days=ahead)), amount)
            for ahead, amount in ((0, 0.0), (2, 2.0 * daily), (7, 1e6))]  # fmt: skip
    columns = ["node_id", "resource", "start_date", "capacity"]
    capacity = pd.concat([raw["node_capacity"], pd.DataFrame(rows, columns=columns)])
    out = planned({**raw, "node_capacity": capacity})["capacity_prices"]
    mine = (out["node_id"] == node) & (out["resource"] == "inbound_units_per_day")
    stated = out[mine & (out["week_start"] == pd.Timestamp(first))]["capacity"].iloc[0]
    assert stated == pytest.approx(2.0 * daily * 5 / 7)
