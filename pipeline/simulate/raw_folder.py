"""The simulated world in the raw contract, so that its nights can be planned like real ones.

Facts that grow (sales, availability, stock, orders on the way, receipts) are folders with one
Parquet part a day; a part is written whole and never changed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.contracts.columns import COLUMNS, NO_LIMIT
from pipeline.contracts.tables import TABLES
from pipeline.simulate.world.day import Day
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.state import State
from pipeline.simulate.world.supply import Shipments
from pipeline.stages import BY_NAME

GROWING = (
    "sales", "availability", "stock", "open_orders", "open_transfers", "receipts",
)  # fmt: skip
FIXED = tuple(
    name for name in BY_NAME["ingest"].writes
    if TABLES[name].stage == "raw" and name not in GROWING
)  # fmt: skip
_DTYPES = {
    "string": "str", "category": "str", "int": "Int64", "float": "float64", "bool": "bool",
    "date": "datetime64[s]",
}  # fmt: skip
_PAST_RECEIPTS = 20  # most receipts a pair that stand for what was known of its lead time


def write_history(folder: Path, tables: Mapping[str, pd.DataFrame], as_of: date) -> None:
    """Start a raw folder from the ingested tables of `as_of`: fixed tables and the past so far.

    Receipts before `as_of` are not published by ingest; each (vendor, item) gets receipts at even
    quantiles of its fitted lead time instead, as many as were observed (at most 20).
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The world's lead times are calendar days and end on any weekday: so are its promises.
    promising = tables["vendors"].assign(delivery_weekdays=None, lead_time_counts=None)
    for name, frame in {**{name: tables[name] for name in FIXED}, "vendors": promising}.items():
        _write(frame, folder / f"{name}.parquet", name)
    daily = tables["daily_demand"]
    parts = {
        "sales": daily[daily["units"] > 0],
        "availability": daily[daily["in_stock_share"] < 1],
        "receipts": past_receipts(tables["lead_times"], tables["nodes"], as_of),
        **{name: tables[name] for name in ("stock", "open_orders", "open_transfers")},
    }
    for name, frame in parts.items():
        (folder / name).mkdir(exist_ok=True)
        _write(frame, folder / name / f"{as_of}.parquet", name)


def copy_history(source: Path, folder: Path, blind_to_capacity: bool) -> None:
    """A run's own raw folder; one that is blind to capacity sees capacities without limit."""
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(source, folder)
    if blind_to_capacity:
        path = folder / "node_capacity.parquet"
        frame = pd.read_parquet(path)
        _write(frame.assign(capacity=NO_LIMIT), path, "node_capacity")


def write_day(folder: Path, model: WorldModel, when: date, day: Day, state: State) -> None:
    """Add what a planner can see of a day: sales, availability, stock, what is on the way."""
    stamp = pd.Timestamp(when)
    rows = {
        "sales": _by_region(model, day.sold, "units", day.sold > 0),
        "availability": _by_region(model, day.in_stock_share, "in_stock_share",
                                   day.in_stock_share < 1 - 1e-9),
        "stock": _stock(model, state),
        "receipts": _receipts(model, day.received),
        **_on_the_way(model, state.on_the_way),
    }  # fmt: skip
    for name, frame in rows.items():
        if name != "receipts":
            frame["date"] = stamp
        _write(frame, folder / name / f"{when}.parquet", name)


def write_full_day(folder: Path, model: WorldModel, when: date, demand: np.ndarray) -> None:
    """Add a day on which all that was asked for was sold; demand: [items, regions]. Stock and
    orders stay as they were, which forecasts do not look at."""
    stamp = pd.Timestamp(when)
    sold = _by_region(model, demand, "units", demand > 0)
    _write(sold.assign(date=stamp), folder / "sales" / f"{when}.parquet", "sales")
    last = sorted((folder / "stock").glob("*.parquet"))[-1]
    stock = pd.read_parquet(last)
    _write(stock.assign(date=stamp), folder / "stock" / f"{when}.parquet", "stock")


def past_receipts(lead_times: pd.DataFrame, nodes: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Receipts (raw contract) whose lead times are even quantiles of each fitted distribution, in
    an order of its own for each pair: in their own order they would tell a trend that is none. All
    were ordered so long ago that the latest would have come: of later orders only the soonest would
    be known."""
    table = lead_times.sort_values(["vendor_id", "item_id", "lead_time_days"], ignore_index=True)
    receiving = nodes.loc[nodes["is_vendor_receiving"], "node_id"].astype("str").min()
    rows = []
    draw = np.random.default_rng(0)
    for (vendor, item), group in table.groupby(["vendor_id", "item_id"], observed=True):
        n = min(int(group["observed_receipts"].iloc[0]), _PAST_RECEIPTS)
        cumulative = group["probability"].cumsum().to_numpy()
        at = np.searchsorted(cumulative, (draw.permutation(n) + 0.5) / max(n, 1) * cumulative[-1])
        lead = group["lead_time_days"].to_numpy()
        for i, days in enumerate(lead[at]):
            ordered = pd.Timestamp(as_of) - pd.Timedelta(days=int(lead.max()) + 7 * i)
            rows.append((f"past-{vendor}-{item}-{i:02d}", vendor, item, receiving, ordered,
                         ordered + pd.Timedelta(days=int(days)), 1))  # fmt: skip
    frame = pd.DataFrame(rows, columns=["order_id", "vendor_id", "item_id", "node_id",
                                        "order_date", "arrival_date", "units"])  # fmt: skip
    frame["confirmed_date"] = frame["order_date"]
    return frame


def _by_region(model: WorldModel, values: np.ndarray, name: str, mask: np.ndarray) -> pd.DataFrame:
    k, r = np.nonzero(mask)
    return pd.DataFrame({
        "item_id": model.items[k], "region_id": model.regions[r], name: values[k, r],
    })  # fmt: skip


def _stock(model: WorldModel, state: State) -> pd.DataFrame:
    """What is there, and always a first row: a day without rows would read as an unknown day."""
    is_told = state.on_hand > 0
    is_told[0, 0] = True
    k, j = np.nonzero(is_told)
    return pd.DataFrame({
        "item_id": model.items[k], "node_id": model.nodes[j], "on_hand_units": state.on_hand[k, j],
    })  # fmt: skip


def _receipts(model: WorldModel, received: Shipments) -> pd.DataFrame:
    frame = _frame(model, received.where(received.vendor >= 0))
    frame["arrival_date"] = _dates(received.where(received.vendor >= 0).arrival_day)
    frame["confirmed_date"] = frame["order_date"]
    key = [*TABLES["receipts"].key, "vendor_id", "order_date", "confirmed_date"]
    return frame.groupby(key, as_index=False, sort=True)["units"].sum()


def _on_the_way(model: WorldModel, ways: Shipments) -> dict[str, pd.DataFrame]:
    frame = _frame(model, ways).rename(columns={"units": "open_units"})
    frame["expected_arrival_date"] = _dates(ways.expected_day)
    is_order = ways.vendor >= 0
    orders = frame[is_order].assign(confirmed_date=frame["order_date"])
    key = ["order_id", "vendor_id", "item_id", "node_id", "order_date", "confirmed_date",
           "expected_arrival_date"]  # fmt: skip
    transfers = frame[~is_order].rename(columns={"node_id": "to_node_id",
                                                 "order_date": "ship_date"})  # fmt: skip
    transfers["from_node_id"] = model.nodes[ways.source[~is_order]]
    lane = ["item_id", "from_node_id", "to_node_id", "expected_arrival_date"]
    return {
        "open_orders": orders.groupby(key, as_index=False, sort=True)["open_units"].sum(),
        "open_transfers": transfers.groupby(lane, as_index=False, sort=True).agg(
            ship_date=("ship_date", "min"), open_units=("open_units", "sum")
        ),
    }


def _frame(model: WorldModel, ways: Shipments) -> pd.DataFrame:
    """Order lines: order_id tells the night and the line, so it never repeats."""
    return pd.DataFrame({
        "order_id": [f"sim-{number:08d}" for number in ways.number],
        "vendor_id": np.where(ways.vendor >= 0, model.vendors[ways.vendor], ""),
        "item_id": model.items[ways.item], "node_id": model.nodes[ways.node],
        "order_date": _dates(ways.sent_day), "units": ways.units,
    })  # fmt: skip


def _dates(days: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[s]"))


def _write(frame: pd.DataFrame, path: Path, table: str) -> None:
    plain = frame[list(TABLES[table].columns)].copy()
    for name in plain.columns:  # parts must share their types, empty ones too
        plain[name] = plain[name].astype(_DTYPES[COLUMNS[name].kind])
    # Processes side by side prepare the same folder: each has a file of its own until it is whole.
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    plain.to_parquet(temporary, index=False)
    os.replace(temporary, path)
