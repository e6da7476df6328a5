"""The M5 data (Walmart, Kaggle 2020) as raw tables; what it lacks is declared in configs/networks.

Reads Kaggle's own CSV names, or Parquet cuts named sales_d<first>_d<last>_wide.parquet of whatever
days; with both, the CSV. Nothing sold after as_of is read; prices and events of later days are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import ContractError
from pipeline.ingest.findings import Finding
from pipeline.ingest.m5_orders import orders_and_stock
from pipeline.ingest.m5_world import declared_tables, load_assumptions
from pipeline.ingest.network import RegionDeclaration, load_network
from pipeline.ingest.raw import RawTables
from pipeline.ingest.unit_sales import UnitSales

_LEAST_HISTORY_DAYS = 300
"""Read even where the forecast wants less: past orders are sized by the sales before them."""
_SALES_CSV = ("sales_train_evaluation.csv", "sales_train_validation.csv")


def read_m5(folder: Path, as_of: date, history_days: int) -> RawTables:
    """All raw tables of the M5 world as known at the end of `as_of`.

    Raises ContractError where a file is missing, cannot be read, or has no sales up to `as_of`.
    """
    calendar = _read(folder, "calendar")
    calendar["date"] = pd.to_datetime(calendar["date"]).astype("datetime64[s]")
    first = pd.Timestamp(as_of) - pd.Timedelta(days=max(history_days, _LEAST_HISTORY_DAYS) - 1)
    known = calendar[calendar["date"].between(first, pd.Timestamp(as_of))]
    sales = _read_sales(folder, dict(zip(known["d"], known["date"], strict=True)))
    changes, first_price = _price_changes(_read(folder, "sell_prices"), calendar)
    network, assumptions = load_network("m5"), load_assumptions("m5")
    world = declared_tables(network, assumptions, first_price, changes)
    world |= orders_and_stock(world, assumptions, network, sales, as_of)
    frames = {
        **world,
        "sales": sales.rows(),
        "prices": changes,
        "calendar": _events(calendar, network.regions),
    }
    return RawTables(frames)


def _read(folder: Path, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    for path in (folder / f"{name}.csv", folder / f"{name}.parquet"):
        if path.exists():
            return _read_file(path, columns)
    raise ContractError([_missing(folder, f"{name}.csv (or {name}.parquet)")])


def _read_file(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    try:
        if path.suffix == ".csv":
            return pd.read_csv(path, usecols=columns)
        return pq.read_table(path, columns=columns, partitioning=None).to_pandas()
    except (OSError, ValueError, pa.ArrowException) as error:
        text = " ".join(str(error).split())[:200]
        found = Finding(path.name, 0, "", f"cannot be read: {text}", "",
                        "Download or copy the file again.", "fatal")  # fmt: skip
        raise ContractError([found]) from error


def _missing(folder: Path, name: str) -> Finding:
    return Finding("m5", 0, "", f"{name} is missing in {folder}", "",
                   "Name the folder of the M5 files with --raw.", "fatal")  # fmt: skip


def _read_sales(folder: Path, days: dict[str, pd.Timestamp]) -> UnitSales:
    """Units by series and day, for the days asked for that the files hold."""
    csv = [folder / name for name in _SALES_CSV if (folder / name).exists()][:1]
    cuts = sorted(folder.glob("sales_d*_wide.parquet"))
    whole = sorted(folder.glob("sales_fullhistory_sample*_wide.parquet"))
    paths = csv or cuts or whole
    if not paths:
        raise ContractError([_missing(folder, f"{_SALES_CSV[0]} (or sales_d…_wide.parquet)")])
    series, blocks, held = None, [], []
    for path in paths:
        names = [name for name in _columns(path) if name in days and name not in held]
        if not names:
            continue
        frame = _read_file(path, ["item_id", "store_id", *names])
        frame = frame.sort_values(["item_id", "store_id"], ignore_index=True)
        if series is None:
            series = frame[["item_id", "store_id"]]
        elif not series.equals(frame[["item_id", "store_id"]]):
            raise ContractError([Finding(path.name, 0, "", "holds other series than the other cuts",
                                         "", "Use cuts of the same series.", "fatal")])  # fmt: skip
        blocks.append(frame[names].to_numpy())
        held += names
    if series is None:
        raise ContractError([Finding("m5", 0, "", "no sales file holds a day up to as_of", "",
                                     "Choose --as-of within the data.", "fatal")])  # fmt: skip
    units = np.hstack(blocks)
    when = pd.DatetimeIndex([days[name] for name in held])
    order = np.argsort(when.to_numpy(), kind="stable")
    return UnitSales(series["item_id"].astype("str").to_numpy(dtype=object),
                     series["store_id"].astype("str").to_numpy(dtype=object),
                     when[order], np.ascontiguousarray(units[:, order]))  # fmt: skip


def _columns(path: Path) -> list[str]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8") as lines:
            return [name.strip().strip('"') for name in lines.readline().split(",")]
    names: list[str] = pq.read_schema(path).names
    return names


def _price_changes(
    prices: pd.DataFrame, calendar: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The prices table (first price and every change), and by item its launch and list price."""
    for name in ("store_id", "item_id"):
        prices[name] = prices[name].astype("category")
    week = calendar.groupby("wm_yr_wk")["date"].min()
    keys = [prices["item_id"].cat.codes.to_numpy(), prices["store_id"].cat.codes.to_numpy(),
            prices["wm_yr_wk"].to_numpy()]  # fmt: skip
    order = np.lexsort(keys[::-1])
    item, store, number = (key[order] for key in keys)
    usd = prices["sell_price"].to_numpy()[order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (item[1:] != item[:-1]) | (store[1:] != store[:-1])
    changed = is_first.copy()
    changed[1:] |= usd[1:] != usd[:-1]
    table = pd.DataFrame({
        "item_id": pd.Categorical.from_codes(item[changed], dtype=prices["item_id"].dtype),
        "region_id": pd.Categorical.from_codes(store[changed], dtype=prices["store_id"].dtype),
        "start_date": week.reindex(number[changed]).to_numpy().astype("datetime64[s]"),
        "price_usd": usd[changed],
    })  # fmt: skip
    first = table[is_first[changed]].groupby("item_id", observed=True)
    by_item = pd.DataFrame({"launch_date": first["start_date"].min(),
                            "list_price_usd": first["price_usd"].mean().round(2)})  # fmt: skip
    by_item.index = by_item.index.astype("str")
    return table, by_item.sort_index()


def _events(calendar: pd.DataFrame, regions: Sequence[RegionDeclaration]) -> pd.DataFrame:
    """Events in every region; SNAP days (food benefits) in the regions of the state."""
    parts = []
    for number in (1, 2):
        named = calendar.dropna(subset=f"event_name_{number}")
        for region in regions:
            parts.append(pd.DataFrame({
                "date": named["date"], "region_id": region.region_id,
                "event_name": named[f"event_name_{number}"],
                "event_type": named[f"event_type_{number}"].astype("str").str.lower(),
            }))  # fmt: skip
    for region in regions:
        snap = calendar[calendar[f"snap_{region.region_id[:2]}"] == 1]
        parts.append(pd.DataFrame({"date": snap["date"], "region_id": region.region_id,
                                   "event_name": "SNAP", "event_type": "benefit_day"}))  # fmt: skip
    events = pd.concat(parts, ignore_index=True)
    return events.drop_duplicates(["date", "region_id", "event_name"], ignore_index=True)
