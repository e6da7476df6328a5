"""Adds rows and settings that say what the plan says anyway, and names the tables that change.

    python -m benchmarks.neutral [--only NAME …] [--items N] [--json FILE]

A small world is planned; then each change of CHANGES is made to a copy of its raw folder or to the
settings, and the night is planned again with the same model. Every table must be equal, but for the
raw tables that hold the added rows. Exit code 1 if one is not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.kills import QUICK
from pipeline import runner
from pipeline.contracts.settings import load_settings
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.stages import STAGES
from pipeline.store import Source, Store

AS_OF = date(2025, 6, 29)
_FAR = "2031-01-01"
SAYS_SO = ("quarantine", "overrides", "closures", "price_breaks", "award_standing", "item_life",
           "plan_kpis")  # fmt: skip
"""Tables that repeat the added rows, or count them."""
Rows = Callable[[Path, "Base"], dict[str, Any]]


@dataclass(frozen=True)
class Base:
    """The night without any change: units ordered by item, and levels by item and node."""

    orders: dict[str, int]
    levels: dict[tuple[str, str], int]
    items: list[str] = field(default_factory=list)


def _add(raw: Path, table: str, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    path = raw / f"{table}.csv"
    old = pd.read_csv(path, dtype="str", keep_default_na=False) if path.exists() else None
    new = pd.DataFrame(list(rows)).astype("str")
    pd.concat([old, new] if old is not None else [new]).fillna("").to_csv(path, index=False)
    return {}


def _override(target: str, kind: str, value: Callable[[str, Base], float]) -> Rows:
    def change(raw: Path, base: Base) -> dict[str, Any]:
        return _add(raw, "overrides", [{
            "override_id": f"N-{target}-{kind}-{item}", "item_id": item, "override_target": target,
            "override_kind": kind, "override_value": value(item, base),
            "start_date": "2025-06-01", "expiry_date": "2025-09-01", "planner": "n", "why": "n",
        } for item in base.items])  # fmt: skip

    return change


def _limits(raw: Path, base: Base) -> dict[str, Any]:
    return _add(raw, "stock_limits", [
        {"item_id": item, "node_id": node, "least_units": 0, "most_units": 900_000}
        for item, node in base.levels
    ])  # fmt: skip


def _levels_as_planned(raw: Path, base: Base) -> dict[str, Any]:
    return _add(raw, "overrides", [{
        "override_id": f"N-{item}-{node}", "item_id": item, "node_id": node,
        "override_target": "base_stock_units", "override_kind": "set", "override_value": level,
        "start_date": "2025-06-01", "expiry_date": "2025-09-01", "planner": "n", "why": "n",
    } for (item, node), level in base.levels.items()])  # fmt: skip


def _later(table: str, **cells: str) -> Rows:
    """A rule that begins in six years."""
    return lambda raw, base: _add(raw, table, [cells | {"start_date": _FAR}])


def _breaks(raw: Path, base: Base) -> dict[str, Any]:
    offers = pd.read_csv(raw / "vendor_items.csv", dtype="str")
    return _add(raw, "price_breaks", [
        {"vendor_id": o.vendor_id, "item_id": o.item_id, "from_units": 9_000_000,
         "break_cost_usd": float(o.unit_cost_usd) * 0.99} for o in offers.itertuples()
    ])  # fmt: skip


def _rates(raw: Path, base: Base) -> dict[str, Any]:
    frame = pd.read_csv(raw / "vendor_items.csv", dtype="str")
    frame.assign(currency="USD", unit_of_measure="each").to_csv(
        raw / "vendor_items.csv", index=False
    )
    _add(raw, "item_units", [{"item_id": item, "unit_of_measure": "each", "planned_units": 1}
                             for item in base.items])  # fmt: skip
    return _add(raw, "currency_rates", [
        {"currency": "USD", "start_date": "2020-01-01", "usd_per_currency": 1}
    ])  # fmt: skip


def _settings(**sections: dict[str, Any]) -> Rows:
    return lambda raw, base: sections


CHANGES: dict[str, Rows] = {
    "at most 900,000 of each order": _override("order_units", "at_most", lambda i, b: 9e5),
    "at least 0 of each order": _override("order_units", "at_least", lambda i, b: 0),
    "each order times 1": _override("order_units", "multiply", lambda i, b: 1),
    "each order set to itself": _override("order_units", "set", lambda i, b: b.orders.get(i, 0)),
    "each demand times 1": _override("demand", "multiply", lambda i, b: 1),
    "at least 0 a day of each demand": _override("demand", "at_least", lambda i, b: 0),
    "levels set to what they are": _levels_as_planned,
    "limits at nodes that none reaches": _limits,
    "a closure in six years": _later("closures", closure_id="N"),
    "a block in six years": _later("item_blocks", block_id="N", item_id="*"),
    "price breaks that none reaches": _breaks,
    "units of one, dollars at one": _rates,
    "a budget that none reaches": _settings(buy={"budget_usd": 1e9}),
    "more shards and another order of work": _settings(forecast={"shard_items": 2}),
}


def planned(raw: Path, out: Path, over: dict[str, Any]) -> Store:
    """The night of a folder; settings are the quick ones and `over`."""
    merged = {name: {**QUICK.get(name, {}), **over.get(name, {})} for name in {*QUICK, *over}}
    store = Store(out)
    runner.run_night(store, Source("raw", raw), load_settings(None, merged), AS_OF)
    return store


def base_of(store: Store) -> Base:
    """What the night without any change decided."""
    orders = store.read(AS_OF, "purchase_orders").astype({"item_id": "str"})
    levels = store.read(AS_OF, "base_stock_levels").astype({"item_id": "str", "node_id": "str"})
    units = levels.set_index(["item_id", "node_id"])["base_stock_units"].astype(int)
    items = store.read(AS_OF, "items")["item_id"].astype("str").tolist()
    return Base(orders.groupby("item_id")["order_units"].sum().astype(int).to_dict(),
                units.to_dict(), items)  # fmt: skip


def differing(one: Store, other: Store) -> list[str]:
    """Tables of the night that are not equal, but for those of SAYS_SO."""
    names = [name for stage in STAGES for name in stage.writes if name not in SAYS_SO]
    return [name for name in names
            if not one.read(AS_OF, name).equals(other.read(AS_OF, name))]  # fmt: skip


def main() -> int:
    """Plan with each change; 1 if a table differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", nargs="*", default=list(CHANGES), choices=list(CHANGES))
    parser.add_argument("--items", type=int, default=8)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        write_sample(folder / "raw", SampleSize(options.items, 2, 100, 4), AS_OF, 3)
        plain = planned(folder / "raw", folder / "plain", {})
        base = base_of(plain)
        for name in options.only:
            raw, out = folder / "changed", folder / "out"
            for path in (raw, out):
                shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(folder / "raw", raw)
            shutil.copytree(folder / "plain", out)
            over = CHANGES[name](raw, base)
            found[name] = differing(plain, planned(raw, out, over))
            print(f"{name:42}{', '.join(found[name]) or 'equal'}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
