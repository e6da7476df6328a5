"""Where a company keeps no availability, its snapshots of stock say when nothing was there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.empty_shelves import believed, empty_days
from pipeline.ingest.growing import Growing
from pipeline.ingest.raw import read_folder
from pipeline.ingest.world import clean_world
from tests.faults.test_absence import rules
from tests.faults.test_reading import night
from tests.ingest.conftest import AS_OF, edit, raw, small_world

__all__ = ["raw", "small_world"]  # fixtures used by name

DAYS = pd.date_range("2025-01-01", periods=30)
ITEMS, REGIONS = pd.Index(["a", "b"]), pd.Index(["east", "west"])


def world(every: int = 1, availability: int = 0) -> dict[str, pd.DataFrame]:
    """Item a has none from day 10 to day 20; its region east is served by E and H, west by H."""
    dates = DAYS[::every]
    stock = pd.MultiIndex.from_product(
        [dates, ITEMS, ["E", "H", "Z"]], names=["date", "item_id", "node_id"]
    ).to_frame(index=False)
    day = (stock["date"] - DAYS[0]).dt.days
    none = (stock["item_id"] == "a") & day.between(10, 20) & (stock["node_id"] != "Z")
    return {
        "stock": stock.assign(on_hand_units=(~none).astype(int)),
        "nodes": pd.DataFrame({"node_id": ["E", "H", "Z"]}),
        "delivery_options": pd.DataFrame({
            "region_id": ["east", "east", "west"], "node_id": ["E", "H", "H"],
        }),
        "availability": pd.DataFrame({"in_stock_share": [0.5] * availability}),
    }  # fmt: skip


def days_of(tables: dict[str, pd.DataFrame]) -> list[list[int]]:
    found = empty_days(tables, ITEMS, REGIONS, DAYS)
    return [np.flatnonzero(row).tolist() for row in found]


def test_days_between_two_snapshots_without_stock_are_empty() -> None:
    """Stock of Z, which serves nobody, does not count."""
    assert days_of(world()) == [list(range(11, 21))] * 2 + [[], []]
    assert days_of(world(every=5)) == [list(range(11, 21))] * 2 + [[], []]
    assert days_of(world(every=10)) == [[], [], [], []]  # who knows what was there meanwhile
    assert days_of(world(availability=1)) == [[], [], [], []]


def test_what_a_region_can_get_is_known_by_all_of_its_nodes() -> None:
    tables = world()
    stock = tables["stock"]
    tables["stock"] = stock[(stock["node_id"] != "E") | (stock["date"] > DAYS[15])]
    assert days_of(tables) == [list(range(17, 21)), list(range(11, 21)), [], []]
    full = stock.assign(on_hand_units=stock["on_hand_units"].where(stock["node_id"] != "E", 3))
    tables["stock"] = full
    assert days_of(tables) == [[], list(range(11, 21)), [], []]
    no_rows_of_none = stock[(stock["item_id"] == "b") | (stock["on_hand_units"] > 0)]
    tables["stock"] = no_rows_of_none
    assert days_of(tables) == days_of(world())


def test_what_sells_without_stock_is_not_believed_to_need_any() -> None:
    empty = empty_days(world(), ITEMS, REGIONS, DAYS)
    units = np.zeros((4, 30), dtype=np.int64)
    units[0, 15] = 1
    assert np.flatnonzero(believed(empty, units)[0]).tolist() == [*range(11, 15), *range(16, 21)]
    units[0, 13:16] = 1
    found = believed(empty, units)
    assert not found[0].any()
    assert found[1].sum() == 10


@pytest.mark.parametrize("known", [True, False])
def test_an_empty_shelf_kills_no_item(raw: Path, known: bool) -> None:
    """Its best seller is out of stock for 35 days; only the snapshots say so."""
    sold = pd.read_csv(raw / "sales.csv").groupby("item_id")["units"].sum()
    best = str(sold.idxmax())
    first = str((pd.Timestamp(AS_OF) - pd.Timedelta(days=35)).date())
    edit(raw, "sales", lambda f: f[(f["item_id"] != best) | (f["date"] <= first)])
    (raw / "availability.csv").unlink()
    stock = pd.read_csv(raw / "stock.csv")
    tonight = stock[stock["date"] == str(AS_OF)].copy()
    tonight.loc[tonight["item_id"] == best, "on_hand_units"] = 0
    dates = pd.date_range(first, AS_OF).strftime("%Y-%m-%d") if known else [str(AS_OF)]
    pd.concat([tonight.assign(date=day) for day in dates]).to_csv(raw / "stock.csv", index=False)
    tables = night(raw)
    life = tables["item_life"].astype({"item_id": "str"}).set_index("item_id").loc[best]
    told = "days without a sale and, by the snapshots, without stock" in rules(tables, "stock")
    assert told == known
    assert bool(life["dead_probability"] < 0.1) == known
    assert bool(life["is_quiet"]) != known
    daily = tables["daily_demand"].astype({"item_id": "str"})
    gone = daily[(daily["item_id"] == best) & (daily["date"] > first)]
    assert (gone["in_stock_share"] == 0).all() == known


def test_a_folder_that_grows_knows_its_empty_shelves(raw: Path) -> None:
    """Its nights look at stock of before tonight, too."""
    (raw / "availability.csv").unlink()
    for name in ("sales", "stock", "open_orders", "open_transfers"):
        table = pd.read_csv(raw / f"{name}.csv", parse_dates=["date"])
        (raw / f"{name}.csv").unlink()
        (raw / name).mkdir()
        for day, rows in table[table["item_id"] != "ITEM-9999"].groupby("date"):
            rows.to_parquet(raw / name / f"{day:%Y-%m-%d}.parquet", index=False)
    settings = IngestSettings()
    growing = Growing(raw, settings)
    days = [AS_OF + timedelta(days=k) for k in range(3)]
    grown = [growing.night(day)["daily_demand"] for day in days]
    anew = clean_world(read_folder(raw, settings), days[-1], settings)["daily_demand"]
    pd.testing.assert_frame_equal(grown[-1], anew)
    assert ((anew["in_stock_share"] == 0) & (anew["date"] > pd.Timestamp(AS_OF))).any()


def test_weeks_are_dealt_to_days_with_stock(raw: Path) -> None:
    """Of a week in which the best seller had stock on one day only, all was sold on that day."""
    sales = pd.read_csv(raw / "sales.csv", parse_dates=["date"])
    best = str(sales.groupby("item_id")["units"].sum().idxmax())
    sales["date"] += pd.to_timedelta((6 - sales["date"].dt.day_of_week) % 7, unit="D")
    sales = sales.groupby(["item_id", "region_id", "date"], as_index=False)["units"].sum()
    sales.to_csv(raw / "sales.csv", index=False)
    (raw / "availability.csv").unlink()
    week = pd.date_range("2025-06-02", "2025-06-08")
    stock = pd.read_csv(raw / "stock.csv")
    tonight = stock[stock["date"] == str(AS_OF)].assign(on_hand_units=50)
    parts = [tonight.assign(date=str(day.date())) for day in pd.date_range("2025-05-31", AS_OF)]
    stock = pd.concat(parts)
    empty = pd.to_datetime(stock["date"]).between(week[0] - pd.Timedelta(days=1), week[-2])
    stock.loc[(stock["item_id"] == best) & empty, "on_hand_units"] = 0
    stock.to_csv(raw / "stock.csv", index=False)
    daily = night(raw)["daily_demand"].astype({"item_id": "str"})
    mine = daily[(daily["item_id"] == best) & daily["date"].between(week[0], week[-1])]
    by_day = mine.groupby("date")["units"].sum()
    assert by_day.iloc[-1] > 0
    assert by_day.iloc[:-1].sum() == 0
