"""Small, realistic worlds in the raw contract (`echelon sample`); data/sample is one of them.

A world is drawn from its seed alone, then run day by day under a plain reorder rule, so that its
stock, open orders, receipts and stock-outs agree with its sales. Same arguments, same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.contracts.tables import RAW_TABLES
from pipeline.errors import UsageError
from pipeline.ingest.network import load_network, network_tables
from pipeline.ingest.sample_demand import draw_assortment, draw_calendar, draw_demand, draw_prices
from pipeline.ingest.sample_history import HistoryPlan, run_history

SAMPLE_AS_OF = date(2025, 6, 29)
"""Business date of a night on the shipped sample where none is named."""
SAMPLE_LAST_DAY = SAMPLE_AS_OF + timedelta(days=14)
"""Last day of history: every date from SAMPLE_AS_OF to it can be planned."""


@dataclass(frozen=True)
class SampleSize:
    """What to generate: items, regions (at most those of configs/networks/sample.yaml), days."""

    items: int = 72
    regions: int = 4
    days: int = 440
    snapshot_days: int = 16
    """Last days of which stock, open orders and transfers are kept: the dates one can plan."""
    planned_days: int = 90
    """Days of prices and events that are known ahead."""


def write_sample(
    folder: Path, size: SampleSize | None = None, last_day: date = SAMPLE_LAST_DAY, seed: int = 7
) -> dict[str, int]:
    """Write a world as CSV files into `folder`; returns the rows of each table.

    Raises UsageError where the folder holds anything but an earlier sample's files.
    """
    tables = sample_tables(size or SampleSize(), last_day, seed)
    folder.mkdir(parents=True, exist_ok=True)
    ours = {f"{table.name}.csv" for table in RAW_TABLES}
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in ours)
    if foreign:
        raise UsageError(f"{folder} holds {foreign[0]!r}. Next: name an empty folder.")
    for table in (table for table in RAW_TABLES if table.name in tables):
        made = tables[table.name]
        frame = made.loc[:, [name for name in table.columns if name in made]]
        frame.to_csv(folder / f"{table.name}.csv", index=False, lineterminator="\n",
                     date_format="%Y-%m-%d")  # fmt: skip
    return {name: len(frame) for name, frame in tables.items()}


def sample_tables(size: SampleSize, last_day: date, seed: int) -> dict[str, pd.DataFrame]:
    """All raw tables of a world, dirty rows included."""
    rng = np.random.default_rng(seed)
    network = network_tables(load_network("sample").first_regions(size.regions))
    days = pd.date_range(end=pd.Timestamp(last_day), periods=size.days)
    ahead = pd.date_range(days[0], days[-1] + pd.Timedelta(days=size.planned_days))
    assortment = draw_assortment(rng, size.items, days)
    calendar = draw_calendar(network["regions"], ahead)
    prices = draw_prices(rng, assortment, network["regions"], ahead)
    demand = draw_demand(rng, assortment, network["regions"], calendar, prices, days)
    history = run_history(
        rng, HistoryPlan(network, assortment, days, size.snapshot_days), demand
    )  # fmt: skip
    tables = {
        **network,
        **assortment.tables(),
        "prices": prices.changes(network["regions"], assortment.items),
        "calendar": calendar,
        **history,
        "overrides": _overrides(assortment.items, days[-1]),
    }
    return _with_dirt(tables)


def _overrides(items: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """Three overrides of planners that are in force on the default business date."""
    start, names = last - pd.Timedelta(days=17), items["item_id"].tolist()
    rows = [
        ("OV-1", names[3 % len(names)], None, "demand", "multiply", 1.3, 45, "m.ortiz",
         "television spot booked for July"),
        ("OV-2", names[7 % len(names)], None, "order_units", "at_most", 240, 30, "k.lindgren",
         "packaging changes next month"),
        ("OV-3", names[11 % len(names)], None, "order_units", "block", 0, 60, "m.ortiz",
         "quality hold by the supplier team"),
    ]  # fmt: skip
    return pd.DataFrame([
        {"override_id": key, "item_id": item, "node_id": node, "item_group": None,
         "region_id": None, "event_name": None, "override_target": target,
         "override_kind": kind, "override_value": value, "start_date": start,
         "expiry_date": start + pd.Timedelta(days=days), "planner": planner, "why": why}
        for key, item, node, target, kind, value, days, planner, why in rows
    ])  # fmt: skip


def _with_dirt(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """A few rows as real exports have them: what ingest sets aside, and says so."""
    sales = tables["sales"].astype({"units": "int64"})
    negative = sales.index[len(sales) // 3]
    sales.loc[negative, "units"] = -sales.loc[negative, "units"]
    unknown = sales.iloc[[len(sales) // 2]].assign(item_id="ITEM-9999")
    doubled = sales.iloc[[len(sales) // 4]]
    receipts = tables["receipts"].copy()
    undated = receipts.index[len(receipts) // 2]
    receipts.loc[undated, "arrival_date"] = receipts.loc[undated, "order_date"]
    return {**tables, "sales": pd.concat([sales, unknown, doubled]), "receipts": receipts}
