"""What a week asks for is its own: by region, and where next to nothing sells before it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.optimize.capacity_model import _left_over, left_over, on_the_way
from pipeline.optimize.item_model import demand_cube
from pipeline.optimize.night_model import night_model
from tests.optimize.test_weeks import ITEMS, SETTINGS, Frames, planned
from tests.optimize.world import AS_OF, tables

LEVELS = np.array(QUANTILE_LEVELS)
REGIONS = tables(1)["regions"]["region_id"].astype(str).tolist()
WEST_PARTS = ("WEST", "LAX", "PHX", "SAN", "LAS", "SJC")
WEST = [r for r, at in enumerate(tables(1)["regions"]["longitude"]) if at < -100.0]


def told(daily: np.ndarray, stocked: bool = False) -> Frames:
    """The world with Poisson demand of daily [items, regions, 56 days], windows from tomorrow and
    every later week's; stocked: with stock of which nothing is sold out."""
    raw = tables(len(daily))
    ids = raw["items"]["item_id"].tolist()
    frames = []
    for first, days in [(1, d) for d in range(7, 57, 7)] + [(1 + 7 * t, 7) for t in range(1, 6)]:
        mean = daily[:, :, first - 1 : first - 1 + days].sum(axis=2).ravel()
        frame = pd.DataFrame(poisson.ppf(LEVELS, mean[:, None]), columns=list(QUANTILE_COLUMNS))
        frame.insert(0, "item_id", np.repeat(ids, len(REGIONS)))
        frame.insert(1, "region_id", np.tile(REGIONS, len(ids)))
        frames.append(frame.assign(
            window_start_day=first, window_days=days, mean_units=mean, dependence_group="all"
        ))  # fmt: skip
    stock = pd.DataFrame({"date": pd.Timestamp(AS_OF), "item_id": ids, "node_id": "DC-EAST",
                          "on_hand_units": 10**6})  # fmt: skip
    return {
        **raw,
        "demand_quantiles": pd.concat(frames),
        "stock": stock if stocked else raw["stock"],
    }


def steady() -> np.ndarray:
    rng = np.random.default_rng(4)
    return np.repeat(rng.uniform(0.5, 4.0, (ITEMS, len(REGIONS), 1)), 56, axis=2)


def by_week(out: Frames) -> pd.DataFrame:
    """Units of level by week and territory."""
    rows = out["weekly_levels"]
    is_west = rows["node_id"].astype(str).str.contains("|".join(WEST_PARTS))
    side = np.where(is_west, "west", "east")
    return rows.groupby(["week_start", side])["base_stock_units"].sum().unstack()


@pytest.fixture(scope="module")
def usual() -> Frames:
    return planned(told(steady()))


@pytest.mark.parametrize("factor", [0.0, 0.1, 4.0])
def test_what_a_region_sells_in_one_week_is_not_what_it_sells_in_all(
    usual: Frames, factor: float
) -> None:
    """A territory that is closed for eight days, or has an event, plans its later weeks as ever."""
    daily = steady()
    daily[:, WEST, :8] *= factor
    out = planned(told(daily))
    plain, found = by_week(usual), by_week(out)
    free = [frames["base_stock_levels"]["unpriced_base_stock_units"] for frames in (usual, out)]
    assert (free[1].sum() < free[0].sum()) == (factor < 1.0)
    assert abs(found["west"].iloc[0] / plain["west"].iloc[0] - factor) < 0.4 + 0.2 * factor
    for side in ("west", "east"):
        assert (found[side].iloc[2:] / plain[side].iloc[2:]).between(0.9, 1.1).all()


def test_a_closed_territory_lowers_orders_by_what_it_does_not_sell() -> None:
    daily, key = steady(), ["item_id", "vendor_id"]
    usual = planned(told(daily, stocked=True))["network_targets"].set_index(key)
    daily[:, WEST, :8] = 0.0
    out = planned(told(daily, stocked=True))["network_targets"].set_index(key)
    missing = usual["cover_demand_units"] - out["cover_demand_units"]
    fallen = usual["order_up_to_units"] - out["order_up_to_units"]
    assert fallen.sum() == pytest.approx(missing.sum(), rel=0.15)
    assert (fallen <= missing + 0.15 * usual["order_up_to_units"] + 2).all()


@pytest.mark.parametrize("first", [8, 15, 22, 36])
def test_what_sells_only_later_is_ordered_when_it_must_be(first: int) -> None:
    """A launch or a season: what is asked for before the next order can come is held, and no more
    than that if the order is as late as it can be (16 days, or 14, and a cycle of 8)."""
    daily = steady()
    daily[:, :, : first - 1] = 0.0
    targets = planned(told(daily))["network_targets"]
    cover, level = targets["cover_demand_units"], targets["order_up_to_units"]
    is_first = targets["vendor_id"] == "V0"
    whole = daily.sum(axis=1)
    latest = np.stack([whole[:, :24].sum(axis=1), whole[:, :22].sum(axis=1)], axis=1).ravel()
    assert (level[cover < 0.05] <= 1).all()
    assert (level[is_first] >= 0.95 * cover[is_first] - 1).all()
    assert (level[~is_first] >= 0.85 * cover[~is_first] - 1).all()
    assert (level <= 1.3 * latest + 8).all()
    assert (level[is_first & (cover > 2)] > 0).all()
    assert (cover > 2).any() or first == 36


def test_a_cycle_is_drawn_from_the_busiest_week_where_the_first_hardly_sells() -> None:
    daily = steady()[:2, :2]
    daily[0, 0, :7] = 0.0  # sells twice as much in every later week: the busiest is the fourth
    daily[0, 0, 21:28] *= 1.5
    daily[1, 1, :7] *= 0.6  # less, but the same shape
    raw = told(np.concatenate([daily, np.zeros((2, len(REGIONS) - 2, 56))], axis=1))
    ids = raw["items"]["item_id"].tolist()
    cube = demand_cube(raw["demand_quantiles"], ids, REGIONS)
    own = cube.cycle_mean == cube.mean
    assert not own[0, 0, 0]
    assert own[1].all()
    assert own[0, :, 1:].all()
    weeks = np.arange(1, 9)
    assert cube.cycle_mean[0, :, 0] == pytest.approx(weeks * daily[0, 0, 21:28].sum())
    assert cube.cycle_quantiles[0, 0, 0] == pytest.approx(
        poisson.ppf(LEVELS, daily[0, 0, 21:28].sum())
    )


def test_the_ratio_of_all_demand_is_the_item_s() -> None:
    daily = steady()
    daily[:, 1, 10:20] *= 1.5
    model = night_model(told(daily), AS_OF, SETTINGS)
    root = model.network.woods.n_sets[model.drawn.tables.tree] - 1
    for t, ratio in enumerate(model.ratios()):
        known = model.cube.mean_over(np.array([0.0, 7.0 * t, 7.0 * t + model.cycle_days]))
        asked = (known[:, 2] - known[:, 1]) / model.cube.mean_over(np.array([model.cycle_days]))[
            :, 0
        ]
        assert ratio[np.arange(len(root)), root] == pytest.approx(asked, rel=1e-6)
        if t == 0:
            assert (ratio == 1.0).all()


def test_levels_rise_where_demand_does() -> None:
    """An event of the west in the third week asks more of the west's docks, of no others."""
    daily = steady()
    daily[:, WEST, 14:22] *= 3.0
    model = night_model(told(daily), AS_OF, SETTINGS)
    names = model.network.names
    is_west = np.array([any(part in name for part in WEST_PARTS) for name in names])
    rise = model.ahead.rise.reshape(-1, ITEMS, len(names))
    held = np.isfinite(model.packed.tables.place_usd)
    assert (rise[2][held & is_west] > 0.3).all()
    assert rise[2][:, ~is_west].max() < 0.05


def test_stock_drains_as_fast_as_each_week_sells() -> None:
    stock, level, weekly = np.array([[90.0]]), np.array([[20]]), np.array([[10.0]])
    ratio = [np.array([[r]]) for r in (0.0, 1.0, 2.0)]
    above, kept = left_over(
        stock, [np.zeros((1, 1))] * 3, level, weekly, np.array([[0.0, 10.0, 20.0]]), ratio,
        np.array([2.0]),
    )  # fmt: skip
    # 90 on hand: none sold in the closed week, then 10, with levels of 0, 20 and 40
    assert above.tolist() == [[180.0, 140.0, 80.0]]
    assert kept[0, 1:] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("there", "level", "drains", "found"), [
    (5.0, 20, 0.0, [15.0, 0.0, 7.0]),  # 15 fill the second node's level; 8 are sold by week two
    (50.0, 20, 0.0, [30.0, 30.0, 22.0]),  # the second node has 30 too many itself
    (50.0, 20, 20.0, [30.0, 30.0, 30.0]),  # and may sell 20 of them: no more comes for that
    (5.0, 40, 0.0, [0.0, 0.0, 0.0]),
])  # fmt: skip
def test_what_is_on_the_way_stands_where_it_comes_beyond_the_levels_of_all_nodes(
    there: float, level: int, drains: float, found: list[float]
) -> None:
    """30 units come to the first node: what is above levels at both, and at it a week later."""
    above, _ = left_over(
        np.array([[0.0, there]]), [np.array([[30.0, 0.0]])] * 2, np.array([[0, level]]),
        np.array([[0.0, drains]]), np.array([[8.0, 0.0]]), [np.ones((1, 2))] * 2, np.ones(1),
    )  # fmt: skip
    assert [*above[:, 0], above[0, 1]] == found


def test_what_is_on_the_way_is_there_from_the_day_on_which_it_is_due() -> None:
    frames = tables(2)
    item, model = frames["items"]["item_id"].iloc[0], night_model(tables(2), AS_OF, SETTINGS)
    names = model.network.names
    lines = pd.DataFrame({
        "date": pd.Timestamp(AS_OF), "item_id": item, "node_id": names[0], "to_node_id": names[1],
        "expected_arrival_date": pd.Timestamp(AS_OF) + pd.to_timedelta([-3, 4, 8], unit="D"),
        "open_units": [7, 14, 70],
    })  # fmt: skip
    frames |= {"open_orders": lines, "open_transfers": lines.iloc[:1]}
    found = on_the_way(model.network, frames, [item], AS_OF, 2)
    assert [week[0, 0] for week in found] == [7.0 + 14.0 * 4 / 7, 7.0 + 14.0 + 70.0]
    assert [week[0, 1] for week in found] == [7.0, 7.0]
    assert sum(week.sum() for week in found) == 15.0 + 91.0 + 14.0


def test_what_is_left_of_a_level_is_what_every_week_between_leaves() -> None:
    """Half of the first level is left, four fifths of the second; the third week has no room."""
    place, weeks = np.zeros(3, int), np.arange(3)
    found = _left_over(place, np.full(3, "storage_cuft"), weeks, np.array([10.0, 10.0, 0.1]),
                       np.array([[0.5, 0.8, 0.9]]))  # fmt: skip
    assert {(row, before): share for row, before, share in found} == pytest.approx(
        {(2, 0): 0.4, (2, 1): 0.8}
    )
