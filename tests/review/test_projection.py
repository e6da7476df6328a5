"""The projection follows the policy by the book, and its bands hold what paths of the truth do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.review.pooled import PooledDemand
from pipeline.review.project import total_spread
from pipeline.review.projection import (
    DAYS,
    PATHS,
    WAYS,
    WEEKS,
    Due,
    Items,
    Terms,
    demand_paths,
    follow_policy,
    projection,
)

LEVELS = np.array(QUANTILE_LEVELS)
ALONE = np.zeros(WEEKS)
"""Nothing that all items have in common."""


def _demand(daily: float, spread: float) -> PooledDemand:
    days = np.array([7.0, 14, 28, 56])
    keys = pd.DataFrame({"item_id": "A", "window_start_day": 1, "window_days": days.astype(int)})
    mean = daily * days
    width = spread * (2 * LEVELS - 1)
    return PooledDemand(keys, mean, np.maximum(mean[:, None] * (1 + width), 0))


def _item(**changed: float) -> Items:
    known = {
        "on_hand": 70.0, "level": 140.0, "case": 10.0, "moq": 10.0, "band": 1.0, "joining": 1.0,
        "lead": 14, "sold_out": 0.0,
    } | changed  # fmt: skip
    one = {name: np.array([float(value)]) for name, value in known.items() if name != "lead"}
    return Items(
        tonight=np.array([20.0]), lead=np.full((1, WAYS), int(known["lead"])),
        vendor=np.array([0]), cube=np.array([2.0]), cost=np.array([3.0]),
        price=np.array([5.0]), **one,
    )  # fmt: skip


def _terms(least_usd: float = 0.0, every: int = 1) -> Terms:
    """One vendor that takes orders every so many nights."""
    return Terms(np.array([least_usd]), (np.arange(DAYS) % every == 0)[None, :], 7)


DUE = Due(np.array([0]), np.array([20.0]), np.array([0]), np.full((1, WAYS), 10))
"""Tonight's 20 units, on the tenth day."""


def test_a_sure_demand_is_followed_by_hand() -> None:
    """Level 140, lead 2 weeks, 10 a day; tonight's 20 come in week 1."""
    expected, drawn = demand_paths(_demand(10.0, 0.0), ["A"], ALONE, [1])
    assert expected == pytest.approx(np.full((1, WEEKS), 70.0))
    assert drawn == pytest.approx(np.full((1, WEEKS, PATHS), 70.0))
    found = follow_policy(_item(), _terms(), DUE, expected, drawn, [7])
    path = {name: values[0, :6, 0].tolist() for name, values in found.items()}
    # week 0: 70 - 70 = 0, 60 + 6 x 10 ordered for week 2 beside tonight's 20; week 1: 20 arrive, 50
    # lost, 20 ordered for week 3; week 2: 120 - 70 = 50, 70 for week 4; week 3: 50 + 20 - 70 = 0
    assert path["receipts_units"] == [0, 20, 120, 20, 70, 70]
    assert path["ordered_units"] == [140, 20, 70, 70, 70, 70]
    assert path["stock_units"] == [0, 0, 50, 0, 0, 0]
    assert path["lost_units"] == [0, 50, 0, 0, 0, 0]


def test_what_is_sold_out_before_an_order_can_come_is_ordered_as_those_days_pass() -> None:
    """The 50 of the path above that are lost in week 1: 30 of them are left out in week 0, with 3.6
    fewer each night, and no sale is lost for it."""
    expected, drawn = demand_paths(_demand(10.0, 0.0), ["A"], ALONE, [1])
    found = follow_policy(_item(sold_out=50.0), _terms(), DUE, expected, drawn, [7])
    path = {name: values[0, :6, 0].tolist() for name, values in found.items()}
    assert path["ordered_units"] == [110, 50, 70, 70, 70, 70]
    assert path["stock_units"] == [0, 0, 20, 0, 0, 0]
    assert path["lost_units"] == [0, 50, 0, 0, 0, 0]


def test_stock_is_conserved_on_every_path() -> None:
    expected, drawn = demand_paths(_demand(10.0, 0.8), ["A"], ALONE, [2])
    found = follow_policy(_item(), _terms(), DUE, expected, drawn, [7])
    sold = drawn - found["lost_units"]
    balance = 70 + found["receipts_units"].cumsum(axis=1) - sold.cumsum(axis=1)
    assert balance == pytest.approx(found["stock_units"])
    assert (found["stock_units"] >= 0).all()
    assert (found["lost_units"] >= -1e-9).all()


def test_sums_of_a_path_have_the_published_distribution_of_the_window() -> None:
    """A share of 0.9 of the paths lies under the 0.9 quantile, within 3 standard errors."""
    many = [f"I{i:03d}" for i in range(100)]
    one = _demand(10.0, 0.8)
    keys = pd.concat([one.keys.assign(item_id=name) for name in many], ignore_index=True)
    demand = PooledDemand(keys, np.tile(one.mean, 100), np.tile(one.quantiles, (100, 1)))
    _, drawn = demand_paths(demand, many, ALONE, [3])
    limit = one.quantiles[2, list(QUANTILE_LEVELS).index(0.9)]
    under = (drawn[:, :4].sum(axis=1) <= limit).mean(axis=0)  # by path
    assert under.mean() == pytest.approx(0.9, abs=3 * under.std() / np.sqrt(PATHS))


@pytest.mark.parametrize(("growth", "weeks_alike"), [(2.0, 0.0), (3.0, 0.417), (4.0, 1.0)])
def test_as_much_of_an_error_lasts_as_the_published_spreads_imply(
    growth: float, weeks_alike: float
) -> None:
    """growth: spread of four weeks over that of one: 2 where all is new, 4 where all lasts."""
    many = [f"I{i:03d}" for i in range(100)]
    keys = pd.DataFrame(
        [(name, 1, days) for name in many for days in (7, 28)],
        columns=["item_id", "window_start_day", "window_days"],
    )
    spread = np.tile([10.0, 10.0 * growth], 100)
    mean = np.tile([100.0, 400.0], 100)
    demand = PooledDemand(keys, mean, mean[:, None] + spread[:, None] * norm.ppf(LEVELS))
    _, drawn = demand_paths(demand, many, ALONE, [5])
    alike = np.corrcoef(drawn[:, 0].ravel(), drawn[:, 3].ravel())[0, 1]
    assert alike == pytest.approx(weeks_alike, abs=0.08)
    assert drawn[:, :4].sum(axis=1).std() == pytest.approx(10.0 * growth, rel=0.08)


@pytest.mark.parametrize("growth", [2.0, 4.0])
def test_the_total_spreads_as_it_is_forecast_to_and_all_of_that_lasts(growth: float) -> None:
    """5 % of the mean in the first week, 10 % in the last: beyond what items' own luck leaves."""
    many = [f"I{i:03d}" for i in range(100)]
    keys = pd.DataFrame(
        [(name, 1, days) for name in many for days in (7, 28)],
        columns=["item_id", "window_start_day", "window_days"],
    )
    spread, mean = np.tile([20.0, 20.0 * growth], 100), np.tile([100.0, 400.0], 100)
    demand = PooledDemand(keys, mean, mean[:, None] + spread[:, None] * norm.ppf(LEVELS))
    _, drawn = demand_paths(demand, many, np.linspace(0.05, 0.1, WEEKS), [5])
    total = drawn.sum(axis=0)
    assert total[0].std() == pytest.approx(500, rel=0.2)
    assert total[-1].std() == pytest.approx(1000, rel=0.2)
    assert np.corrcoef(total[0], total[-1])[0, 1] > 0.7
    one = drawn[:, 0].std(axis=1).mean()
    assert one == pytest.approx(20, rel=0.1)
    # Little more than what items' own luck leaves, 200: that counts.
    _, drawn = demand_paths(demand, many, np.full(WEEKS, 0.025), [5])
    assert drawn.sum(axis=0).std(axis=1).mean() == pytest.approx(250, rel=0.12)


def test_groups_add_up_to_the_network_and_shares_to_the_stock() -> None:
    expected, drawn = demand_paths(_demand(10.0, 0.5), ["A"], ALONE, [4])
    items = _item()
    found = follow_policy(items, _terms(), DUE, expected, drawn, [7])
    groups = pd.DataFrame({"category": ["home"], "vendor_id": ["V"]})
    shares = pd.DataFrame({"distribution_center": [0.25], "same_day_site": [0.75]})
    table = projection(items, found, drawn, groups, shares, date(2025, 6, 30))
    stock = table[table["measure"] == "stock_usd"].groupby("projected_by")["mean_value"].sum()
    assert stock.to_numpy() == pytest.approx(np.full(4, stock["network"]))
    first = table["week_start"].min()
    assert first == pd.Timestamp("2025-07-01")
    fill = table[(table["measure"] == "fill_rate") & (table["projected_by"] == "vendor")]
    assert fill["mean_value"].between(0, 1).all()


def test_every_path_has_a_day_of_its_own_on_which_an_order_comes() -> None:
    """Lines of an order come together, on days in proportion to their chances; units are kept."""
    days = np.tile(np.repeat([3, 10], WAYS // 2), (2, 1))
    due = Due(np.array([0, 1]), np.array([20.0, 30.0]), np.array([0, 0]), days)
    one = _item(on_hand=0.0, level=0.0)
    two = one.take(np.array([0, 0]))
    none = np.zeros((2, WEEKS))
    found = follow_policy(two, _terms(), due, none, np.zeros((2, WEEKS, PATHS)), [3])[
        "receipts_units"
    ]
    first = found[:, 0] > 0
    assert first[0].tolist() == first[1].tolist()
    assert first[0].mean() == pytest.approx(0.5, abs=0.15)
    assert found.sum(axis=1) == pytest.approx(np.tile([[20.0], [30.0]], PATHS))


def test_what_is_ordered_later_comes_on_a_day_of_its_own_too() -> None:
    """One order fills the level: it comes after 10 days on half of the paths, else after 24."""
    ways = np.repeat([[10, 24]], WAYS // 2, axis=1)
    item = replace(_item(on_hand=0.0), tonight=np.zeros(1), lead=ways)
    nothing = replace(DUE, units=np.zeros(1))
    expected = np.full((1, WEEKS), 70.0)
    found = follow_policy(item, _terms(), nothing, expected, np.zeros((1, WEEKS, PATHS)), [5])
    came = found["receipts_units"][0]
    assert came.sum(axis=0) == pytest.approx(np.full(PATHS, 140.0))
    assert sorted(set(came.argmax(axis=0))) == [1, 3]
    assert (came[1] > 0).mean() == pytest.approx(0.5, abs=0.15)


def _of_orders(items: Items, terms: Terms) -> list[float]:
    """Units ordered by week, of four, by items that sell 10 a day, with nothing on order."""
    nothing = Due(np.zeros(0, int), np.zeros(0), np.zeros(0, int), np.zeros((0, WAYS), int))
    demand = np.full((len(items.on_hand), WEEKS), 70.0)
    drawn = np.repeat(demand[:, :, None], PATHS, axis=2)
    still = replace(items, tonight=np.zeros(len(demand)))
    found = follow_policy(still, terms, nothing, demand, drawn, [1])["ordered_units"]
    return [float(units) for units in found[:, :4, 0].sum(axis=0)]


def _full(**changed: float) -> Items:
    """An item whose stock is at its level."""
    return _item(**{"on_hand": 500.0, "level": 500.0} | changed)


def test_what_lacks_less_than_the_dead_band_waits() -> None:
    """10 a day are lacking, or asked for at 40, four days at a time."""
    assert _of_orders(_full(), _terms()) == [70, 70, 70, 70]
    assert _of_orders(_full(band=40.0, joining=40.0), _terms()) == [40, 80, 80, 80]


def test_the_nearest_number_of_cases_is_ordered() -> None:
    """Lacking 10 and 20 of cases of 30: nothing, then a case; lacking 40: one, on days 4, 7, …"""
    assert _of_orders(_full(case=30.0, moq=30.0), _terms()) == [60, 90, 60, 60]
    rare = _full(case=30.0, moq=30.0, band=40.0, joining=40.0)
    assert _of_orders(rare, _terms()) == [60, 60, 60, 90]


def test_a_vendor_takes_orders_on_its_nights_only() -> None:
    """On the first night, the eighth, …: 10 lack on the first, 70 a week after."""
    assert _of_orders(_full(), _terms(every=7)) == [10, 70, 70, 70]


def test_an_order_below_the_vendor_s_minimum_waits_and_is_filled_up_after_a_review_period() -> None:
    """3 USD each: 200 USD are reached by 70 units, after a week, and so each time anew; not 420,
    but half of them; half of 1,000 is by 170, on the third week's third day."""
    assert _of_orders(_full(case=1.0, moq=1.0), _terms(200.0)) == [70, 70, 70, 70]
    assert _of_orders(_full(), _terms(420.0)) == [0, 140, 0, 140]
    assert _of_orders(_full(), _terms(1000.0)) == [0, 0, 340, 0]


def test_what_lacks_part_of_its_band_joins_an_order_that_another_item_asks_for() -> None:
    """Two alike, of which the second never asks; without joining it gets nothing."""
    two = _full(band=70.0, joining=10.0).take(np.array([0, 0]))
    joins = replace(two, band=np.array([70.0, 1000.0]))
    assert _of_orders(joins, _terms(420.0)) == [140, 140, 140, 140]
    assert _of_orders(replace(joins, joining=joins.band), _terms()) == [70, 70, 70, 70]


def test_the_total_s_spread_is_that_of_whole_weeks_and_goes_on_as_in_the_last() -> None:
    levels = np.array(QUANTILE_LEVELS)
    rows = [
        ("all", "network", "week", "2025-07-01", 5, 100.0, 50.0),  # part of a week
        ("all", "network", "week", "2025-07-13", 7, 100.0, 10.0),
        ("all", "network", "week", "2025-07-06", 7, 100.0, 5.0),
        ("all", "region", "week", "2025-07-06", 7, 100.0, 90.0),
        ("all", "network", "day", "2025-07-06", 1, 100.0, 90.0),
    ]
    keys = ["product_level", "place_level", "period", "period_start_date", "period_days",
            "mean_units", "deviation"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=keys)
    for name, rank in zip(QUANTILE_COLUMNS, norm.ppf(levels), strict=True):
        frame[name] = frame["mean_units"] + frame["deviation"] * rank
    found = total_spread(frame)
    assert found == pytest.approx([0.05, *[0.1] * (WEEKS - 1)], rel=0.03)
    assert total_spread(frame.iloc[:0]) == pytest.approx(np.zeros(WEEKS))
