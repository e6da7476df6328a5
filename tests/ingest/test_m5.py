"""The M5 adapter: Kaggle's files or Parquet cuts, the declared world, and nothing of the future."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import IngestSettings
from pipeline.errors import ContractError
from pipeline.ingest.m5 import read_m5
from pipeline.ingest.network import load_network
from pipeline.ingest.world import clean_world

ITEMS = ["FOODS_1_001", "FOODS_3_090", "HOBBIES_1_002", "HOUSEHOLD_2_003"]
STORES = [f"CA_{n}" for n in (1, 2, 3, 4)] + [f"{s}_{n}" for s in ("TX", "WI") for n in (1, 2, 3)]
FIRST, DAYS = pd.Timestamp("2015-03-03"), 420
AS_OF = date(2016, 4, 10)


def sales(seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [(f"{i}_{s}_evaluation", i, i.rsplit("_", 1)[0], i.split("_")[0], s, s[:2])
            for i in ITEMS for s in STORES]  # fmt: skip
    ids = pd.DataFrame(rows, columns=["id", "item_id", "dept_id", "cat_id", "store_id", "state_id"])
    units = rng.poisson(2.0, (len(rows), DAYS))
    days = pd.DataFrame(units, columns=[f"d_{1495 + day}" for day in range(DAYS)])
    return pd.concat([ids, days], axis=1)


def calendar_and_prices() -> tuple[pd.DataFrame, pd.DataFrame]:
    days = pd.date_range(FIRST, periods=DAYS + 28)
    week = 11500 + (np.arange(len(days)) + 3) // 7
    calendar = pd.DataFrame({
        "date": days.strftime("%Y-%m-%d"), "wm_yr_wk": week,
        "d": [f"d_{1495 + day}" for day in range(len(days))],
        "event_name_1": np.where(days == "2016-05-08", "Mother's day", None),
        "event_type_1": np.where(days == "2016-05-08", "Cultural", None),
        "event_name_2": None, "event_type_2": None,
        "snap_CA": (days.day <= 10).astype(int), "snap_TX": 0, "snap_WI": 0,
    })  # fmt: skip
    prices = pd.DataFrame([(s, i, w, 3.5 if w < 11540 else 2.99)
                           for s in STORES for i in ITEMS for w in np.unique(week)],
                          columns=["store_id", "item_id", "wm_yr_wk", "sell_price"])  # fmt: skip
    return calendar, prices


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    calendar, prices = calendar_and_prices()
    sales().to_csv(tmp_path / "sales_train_evaluation.csv", index=False)
    calendar.to_csv(tmp_path / "calendar.csv", index=False)
    prices.to_csv(tmp_path / "sell_prices.csv", index=False)
    return tmp_path


def world(folder: Path, as_of: date = AS_OF) -> dict[str, pd.DataFrame]:
    return clean_world(read_m5(folder, as_of, 800), as_of, IngestSettings())


def assert_same(one: dict[str, pd.DataFrame], two: dict[str, pd.DataFrame]) -> None:
    assert one.keys() == two.keys()
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, two[name], obj=name)


def test_sales_arrive_as_they_were(kaggle: Path) -> None:
    demand = world(kaggle)["daily_demand"]
    wide = sales().set_index(["item_id", "store_id"])
    assert demand["units"].sum() == wide.iloc[:, 4 : 4 + 405].to_numpy().sum()
    row = demand[(demand["item_id"] == "FOODS_3_090") & (demand["region_id"] == "TX_2")
                 & (demand["date"] == "2015-03-13")]  # fmt: skip
    assert row["units"].item() == wide.loc[("FOODS_3_090", "TX_2"), "d_1505"]
    assert demand["date"].max() == pd.Timestamp(AS_OF)


def test_cuts_of_parquet_give_the_same_world(kaggle: Path) -> None:
    before = world(kaggle)
    wide = sales().sample(frac=1, random_state=3)  # the order of rows does not matter
    ids = wide.columns[:6].tolist()
    (kaggle / "sales_train_evaluation.csv").unlink()
    for number, names in enumerate(np.array_split(wide.columns[6:], 2)):
        wide[[*ids, *names]].to_parquet(kaggle / f"sales_d{number}_d9_wide.parquet", index=False)
    assert_same(before, world(kaggle))


def test_sales_after_as_of_change_nothing(kaggle: Path) -> None:
    before = world(kaggle)
    wide = sales()
    known = (pd.Timestamp(AS_OF) - FIRST).days + 1
    wide.iloc[:, 6 + known :] = 999
    wide.to_csv(kaggle / "sales_train_evaluation.csv", index=False)
    assert_same(before, world(kaggle))


def test_open_orders_of_one_night_become_receipts_of_the_next(kaggle: Path) -> None:
    key = ["order_id", "item_id", "node_id"]
    today, tomorrow = world(kaggle), world(kaggle, date(2016, 4, 11))
    new = tomorrow["receipts"][tomorrow["receipts"]["arrival_date"] == pd.Timestamp("2016-04-11")]
    merged = new[key].astype("str").merge(today["open_orders"][key].astype("str"), on=key)
    assert len(merged) == len(new)
    gone = today["open_orders"][key].astype("str").merge(
        tomorrow["open_orders"][key].astype("str"), on=key, how="left", indicator=True
    )  # fmt: skip
    assert (gone["_merge"] == "left_only").sum() == len(new)


def test_events_snap_days_and_planned_prices_are_carried(kaggle: Path) -> None:
    tables = world(kaggle)
    events = tables["calendar"]
    assert set(events[events["event_name"] == "SNAP"]["region_id"]) == set(STORES[:4])
    assert (events[events["event_name"] == "Mother's day"]["date"] > pd.Timestamp(AS_OF)).all()
    assert len(tables["prices"]) == 2 * len(ITEMS) * len(STORES)


def test_declared_network_is_what_it_promises() -> None:
    network = load_network("m5")
    tiers = [node.tier for node in network.nodes]
    bulky = [node for node in network.nodes if node.accepts == "non_sortable"]
    assert (tiers.count("distribution_center"), tiers.count("same_day_site")) == (3, 10)
    assert tiers.count("fulfillment_center") >= 8
    assert len(bulky) >= 2
    assert len(network.regions) == 10
    assert len(network.speeds) >= 3
    assert all(node.storage_cuft and node.inbound_units_per_day for node in network.nodes)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"calendar\.csv \(or calendar\.parquet\) is missing"):
        read_m5(tmp_path, AS_OF, 800)


def test_the_real_files_have_every_series(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "m5"
    if not (folder / "calendar.parquet").exists():
        pytest.skip("needs ../shared/data/m5")
    raw = read_m5(folder, date(2015, 4, 10), 40)
    assert len(raw.frames["items"]) == 3049
    assert raw.frames["sales"]["date"].max() == pd.Timestamp("2015-04-10")
