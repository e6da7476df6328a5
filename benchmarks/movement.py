"""How levels and orders move when the night's inputs do: more demand never buys less.

    python -m benchmarks.movement [--seeds N …] [--items N] [--only NAME …] [--shops] [--json FILE]

The sample is planned; then a quarter of its items is changed (or the network), and the night is
planned again with the same model. What an item lacks if space is free, its order-up-to level less
what will be sold out and less its stock, may not move against the change's sign by more than a unit
and 2 % of the level; at the prices of space, where the changed items take it from each other, the
sum over them may not, and of a change of the network the sum over all. Orders are told, too; cases
and vendors' minimums make them jump. --shops: of the sample as a chain of shops (benchmarks.shops).
Exit code 1 if something does.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.kills import QUICK
from benchmarks.shops import as_shops
from pipeline import runner
from pipeline.contracts.settings import load_settings
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.store import Source, Store

AS_OF = date(2025, 6, 29)
Edit = Callable[[Path, list[str]], None]


@dataclass(frozen=True)
class Change:
    """What is done to the raw folder for some items, and the sign that what they lack must not go
    against; for_all: the network changes, and the sum over all items is held to the sign."""

    edit: Edit
    sign: int
    for_all: bool = False


def _day(ahead: int) -> str:
    return str(AS_OF + timedelta(days=ahead))


def _rewritten(table: str, change: Callable[[pd.DataFrame, list[str]], pd.DataFrame]) -> Edit:
    def edit(raw: Path, items: list[str]) -> None:
        path = raw / f"{table}.csv"
        change(pd.read_csv(path), items).to_csv(path, index=False)

    return edit


def _demand(times: float, first: int = 1, last: int = 170) -> Edit:
    """Demand of days from tomorrow times a factor."""

    def add(frame: pd.DataFrame, items: list[str]) -> pd.DataFrame:
        rows = [{
            "override_id": f"M-{item}", "item_id": item, "override_target": "demand",
            "override_kind": "multiply", "override_value": times, "start_date": _day(first),
            "expiry_date": _day(last), "planner": "m", "why": "m",
        } for item in items]  # fmt: skip
        return pd.DataFrame(rows, columns=frame.columns)

    return _rewritten("overrides", add)


def _more_stock(frame: pd.DataFrame, items: list[str]) -> pd.DataFrame:
    mine = frame["item_id"].isin(items) & (frame["date"] == str(AS_OF))
    more = (frame["on_hand_units"] * 1.3 + 2).round().astype(int)
    return frame.assign(on_hand_units=frame["on_hand_units"].where(~mine, more))


def _cost(times: float) -> Edit:
    def change(frame: pd.DataFrame, items: list[str]) -> pd.DataFrame:
        mine = frame["item_id"].isin(items)
        other = (frame["unit_cost_usd"] * times).round(2)
        return frame.assign(unit_cost_usd=frame["unit_cost_usd"].where(~mine, other))

    return _rewritten("vendor_items", change)


def _capacity(
    times: float, resource: str | None = None, first: int | None = None, last: int = 0
) -> Edit:
    """Capacities times a factor: always, or from the first of some days ahead through the last."""

    def change(frame: pd.DataFrame, items: list[str]) -> pd.DataFrame:
        if first is None:
            return frame.assign(capacity=frame["capacity"] * times)
        now = frame[frame["resource"] == resource].sort_values("start_date")
        now = now.groupby("node_id", as_index=False).last()
        cut = now.assign(start_date=_day(first), capacity=now["capacity"] * times)
        return pd.concat([frame, cut, now.assign(start_date=_day(last + 1))])[frame.columns]

    return _rewritten("node_capacity", change)


def _times(table: str, column: str, factor: float) -> Edit:
    """A number of these items times a factor."""

    def change(frame: pd.DataFrame, items: list[str]) -> pd.DataFrame:
        mine = frame["item_id"].isin(items)
        return frame.assign(**{
            column: frame[column].where(~mine, (frame[column] * factor).round(3))
        })  # fmt: skip

    return _rewritten(table, change)


def _closed(first: int, last: int, **who: str) -> Edit:
    """A region, node or vendor is closed on days ahead."""

    def edit(raw: Path, items: list[str]) -> None:
        rows = [{"closure_id": "M", **who, "start_date": _day(first), "expiry_date": _day(last)}]
        pd.DataFrame(rows).to_csv(raw / "closures.csv", index=False)

    return edit


def _late(days: int) -> Edit:
    """All past orders of these items came some days later."""

    def change(frame: pd.DataFrame, items: list[str]) -> pd.DataFrame:
        mine = frame["item_id"].isin(items)
        came = pd.to_datetime(frame["arrival_date"])
        came = came.where(~mine, came + pd.Timedelta(days=days))
        frame = frame.assign(arrival_date=came.dt.date.astype("str"))
        return frame[frame["arrival_date"] <= str(AS_OF)]

    return _rewritten("receipts", change)


CHANGES: dict[str, Change] = {
    "demand + 10 %": Change(_demand(1.1), 1),
    "demand + 30 %": Change(_demand(1.3), 1),
    "demand doubled": Change(_demand(2.0), 1),
    "demand - 20 %": Change(_demand(0.8), -1),
    "the next 7 days doubled": Change(_demand(2.0, 1, 7), 1),
    "days 8 to 14 doubled": Change(_demand(2.0, 8, 14), 1),
    "days 15 to 21 doubled": Change(_demand(2.0, 15, 21), 1),
    "days 29 to 35 doubled": Change(_demand(2.0, 29, 35), 1),
    "30 % more stock": Change(_rewritten("stock", _more_stock), -1),
    "unit cost - 10 %": Change(_cost(0.9), 1),
    "unit cost + 10 %": Change(_cost(1.1), -1),
    "prices + 20 %": Change(_times("prices", "price_usd", 1.2), 1),
    "volume + 50 %": Change(_times("items", "unit_cube_cuft", 1.5), -1),
    "orders came a week later": Change(_late(7), 1),
    "all capacity ten times": Change(_capacity(10.0), 1, for_all=True),
    "all capacity - 20 %": Change(_capacity(0.8), -1, for_all=True),
    "a region closed on days 2 to 9": Change(_closed(2, 9, region_id="chicago"), -1, for_all=True),
    "a vendor closed on days 2 to 21": Change(_closed(2, 21, vendor_id="V-04"), 1, for_all=True),
    "docks halved on days 15 to 28": Change(
        _capacity(0.5, "inbound_units_per_day", 15, 28), 1, for_all=True
    ),
    "docks halved on days 29 to 42": Change(
        _capacity(0.5, "inbound_units_per_day", 29, 42), 1, for_all=True
    ),
}


def sample(folder: Path, items: int, seed: int) -> list[str]:
    """A raw folder without planners' overrides; the items that are changed."""
    write_sample(folder, SampleSize(items, 2, 200, 4), AS_OF + timedelta(days=1), seed)
    overrides = folder / "overrides.csv"
    pd.read_csv(overrides).iloc[:0].to_csv(overrides, index=False)
    return sorted(pd.read_csv(folder / "items.csv")["item_id"])[::4]


def decided(raw: Path, out: Path) -> pd.DataFrame:
    """The night, planned: by item and vendor level_units (order-up-to less what will be sold out),
    lacking_units (level less stock on hand), free_units (lacking if space is free) and
    ordered_units."""
    store = Store(out)
    runner.run_night(store, Source("raw", raw), load_settings(None, QUICK), AS_OF)
    key = ["item_id", "vendor_id"]
    targets = store.read(AS_OF, "network_targets").astype(dict.fromkeys(key, "str"))
    orders = store.read(AS_OF, "purchase_orders").astype(dict.fromkeys(key, "str"))
    stock = store.read(AS_OF, "stock").astype({"item_id": "str"})
    stock = stock.groupby("item_id")["on_hand_units"].sum()
    targets = targets.set_index(key)
    level = targets["order_up_to_units"] - targets["sold_out_units"]
    held = stock.reindex(level.index.get_level_values(0)).fillna(0).to_numpy()
    return pd.DataFrame({
        "level_units": level,
        "lacking_units": level - held,
        "free_units": targets["unpriced_order_up_to_units"] - targets["sold_out_units"] - held,
        "ordered_units": orders.groupby(key)["order_units"].sum(),
    }).fillna(0)  # fmt: skip


def against(change: Change, before: pd.DataFrame, after: pd.DataFrame,
            items: list[str]) -> pd.DataFrame:  # fmt: skip
    """Rows that move against the sign: of the changed items, and of the sums."""
    both = before.join(after.add_suffix("_after"))
    if not change.for_all:
        both = both[both.index.get_level_values(0).isin(items)]
    found = []
    for name, rows in (("free_units", both), ("lacking_units", both.sum().to_frame("all").T)):
        moved = change.sign * (rows[f"{name}_after"] - rows[name])
        found.append(rows[moved < -1 - 0.02 * rows["level_units"]])
    return pd.concat(found[change.for_all :])


def found_in(
    seed: int, items: int, only: list[str], folder: Path, is_chain: bool = False
) -> dict[str, Any]:
    """By change: by how much what lacks and orders move, and rows that go against the sign."""
    changed = sample(folder / "raw", items, seed)
    if is_chain:
        as_shops(folder / "raw")
    before = decided(folder / "raw", folder / "plain")
    found: dict[str, Any] = {}
    for name in only:
        raw, out = folder / "changed", folder / "out"
        shutil.copytree(folder / "raw", raw)
        shutil.copytree(folder / "plain", out)
        CHANGES[name].edit(raw, changed)
        after = decided(raw, out)
        wrong = against(CHANGES[name], before, after, changed)
        mine = slice(None) if CHANGES[name].for_all else changed
        moved = (after - before).loc[mine].sum()
        print(f"{seed:4} {name:32}lacking {moved['lacking_units']:+7.0f}   orders "
              f"{moved['ordered_units']:+7.0f}   against {len(wrong)}", flush=True)  # fmt: skip
        if len(wrong):
            print(wrong.to_string())
        found[name] = {"lacking": moved["lacking_units"], "orders": moved["ordered_units"],
                       "against": len(wrong)}  # fmt: skip
        for path in (raw, out):
            shutil.rmtree(path)
    return found


def main() -> int:
    """Plan with each change and seed; 1 if what lacks moves the wrong way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[5])
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--only", nargs="*", default=list(CHANGES), choices=list(CHANGES))
    parser.add_argument("--shops", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {}
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            found[str(seed)] = found_in(
                seed, options.items, options.only, Path(folder), options.shops
            )
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(any(one["against"] for by_change in found.values() for one in by_change.values()))


if __name__ == "__main__":
    sys.exit(main())
