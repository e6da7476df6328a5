"""Daily demand: dense, priced day by day, and censored where sales understate it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.demand import daily_demand
from pipeline.ingest.zero_runs import suspected_stockouts

AS_OF = date(2025, 3, 1)


def frame(columns: str, *rows: tuple) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=columns.split())
    for name in table:
        if name.endswith("date"):
            table[name] = pd.to_datetime(table[name]).astype("datetime64[s]")
        elif name.endswith("_id"):
            table[name] = table[name].astype("str").astype("category")
    return table


def world(**tables: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Items a and b in regions r and s; a sells two units in r every day of 2025, b one in s."""
    days = [str(day.date()) for day in pd.date_range("2025-01-01", AS_OF)]
    return {
        "items": frame("item_id list_price_usd launch_date end_date",
                       ("a", 5.0, "2024-01-01", None), ("b", 9.0, "2025-02-01", "2025-02-20")),
        "regions": frame("region_id", ("r",), ("s",)),
        "sales": frame("item_id region_id date units", *[("a", "r", day, 2) for day in days],
                       ("b", "s", "2025-02-01", 1)),
        "availability": frame("item_id region_id date in_stock_share"),
        "stock": frame("date item_id node_id on_hand_units"),
        "prices": frame("item_id region_id start_date price_usd"),
        "launch_plans": frame("item_id region_id expected_daily_units"),
        **tables,
    }  # fmt: skip


def demand(tables: dict[str, pd.DataFrame], **settings: float) -> pd.DataFrame:
    table = daily_demand(tables, AS_OF, IngestSettings.model_validate(settings)).demand
    return table.set_index(["item_id", "region_id", "date"])


def test_every_day_on_sale_has_a_row_and_no_row_means_none_sold() -> None:
    table = demand(world())
    assert len(table.loc[("a", "r")]) == 60
    assert table.loc[("a", "s"), "units"].sum() == 0
    assert len(table.loc[("b", "r")]) == 20  # from launch to end


def test_history_is_cut_to_the_days_asked_for() -> None:
    table = demand(world(), history_days=30)
    assert table.index.get_level_values("date").min() == pd.Timestamp("2025-01-31")


def test_prices_hold_until_the_next_change_and_planned_ones_are_not_in_force() -> None:
    changes = frame("item_id region_id start_date price_usd",
                    ("a", "r", "2024-06-01", 4.0), ("a", "r", "2024-12-01", 4.5),
                    ("a", "r", "2025-02-10", 3.9), ("a", "r", "2025-03-05", 1.0),
                    ("a", "s", "2025-01-10", 6.0))  # fmt: skip
    price = demand(world(prices=changes))["price_usd"]
    assert price["a", "r", "2025-02-09"] == 4.5
    assert price["a", "r", "2025-02-10"] == price["a", "r", "2025-03-01"] == 3.9
    assert price["b", "r", "2025-02-05"] == 9.0  # no change anywhere: the list price
    assert price.loc[("a", "s")].index.min() == pd.Timestamp("2025-01-10")  # on sale there since


def test_days_out_of_stock_are_censored() -> None:
    out = frame("item_id region_id date in_stock_share", ("a", "r", "2025-01-05", 0.25))
    table = demand(world(availability=out))
    assert table["is_censored"].sum() == 1
    assert table.loc[("a", "r", "2025-01-05"), "in_stock_share"] == 0.25


def slow_suspects(units: list[int], probability: float, max_days: int) -> list[bool]:
    """One series, one run at a time."""
    result, day = [False] * len(units), 0
    while day < len(units):
        end = day
        while end < len(units) and units[end] == 0:
            end += 1
        if end > day:
            before = units[max(0, day - 56) : day]
            share = (sum(u == 0 for u in before) + 1) / (len(before) + 2)
            if len(before) >= 28 and end - day <= max_days and share ** (end - day) < probability:
                result[day:end] = [True] * (end - day)
        day = max(end, day + 1)
    return result


@pytest.mark.parametrize("seed", range(5))
def test_suspected_stockouts_match_the_slow_rule(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = rng.poisson(rng.choice([0.3, 1.5, 4.0], (20, 1)), (20, 150))
    for row in range(20):
        start = rng.integers(30, 140)
        units[row, start : start + rng.integers(1, 45)] = 0
    fast = suspected_stockouts(units, np.ones(units.shape, dtype=bool), 1e-4, 28)
    assert fast.any()
    assert fast.tolist() == [slow_suspects(row.tolist(), 1e-4, 28) for row in units]


def test_one_day_of_zero_at_a_fast_seller_is_no_stockout() -> None:
    """Christmas: nothing wrong with the stock."""
    units = np.full((1, 100), 9)
    units[0, 60] = 0
    assert not suspected_stockouts(units, np.ones((1, 100), dtype=bool), 1e-5, 28).any()
    units[0, 60:64] = 0  # (1/58)^4 < 1e-5
    assert suspected_stockouts(units, np.ones((1, 100), dtype=bool), 1e-5, 28).sum() == 4


def test_a_week_is_dealt_to_the_days_on_which_its_item_was_there() -> None:
    """Item a is out of stock from Thursday on in each week; b is launched on a Wednesday."""
    sundays = pd.date_range("2025-01-05", "2025-02-23", freq="7D")
    sold = [("a", "r", day, 90) for day in sundays] + [("b", "r", sundays[6], 60)]
    out = pd.date_range("2025-01-01", AS_OF)
    gone = [("a", "r", day, 0.0) for day in out[out.day_of_week > 2]]
    items = frame("item_id list_price_usd launch_date end_date", ("a", 5.0, "2024-01-01", None),
                  ("b", 9.0, "2025-02-12", None))  # fmt: skip
    table = demand(world(
        items=items, sales=frame("item_id region_id date units", *sold),
        availability=frame("item_id region_id date in_stock_share", *gone),
    ), sales_grain="week", sales_date="last_day")  # fmt: skip
    known = table.loc[("a", "r")].loc[:"2025-02-23"]
    assert known.loc[~known["is_censored"], "units"].mean() == pytest.approx(30, rel=0.01)
    assert known.loc[known["in_stock_share"] == 0, "units"].sum() == 0
    launched = table.loc[("b", "r"), "units"].loc[:"2025-02-16"]
    assert launched.index.min() == pd.Timestamp("2025-02-12")
    assert launched.sum() == 60
