"""Response times of the desk on a made-up night with many order lines, or on nights that are there.

    python benchmarks/desk.py --lines 1000000 --rounds 5
    python benchmarks/desk.py --nights data/runs --rounds 5

Publishes the made-up night into a temporary store, asks every page and query as a browser would (in
process, without the network), and prints the median and the 95th percentile of each. `cold` is the
very first request of a desk just started; `first` is the first visit of a page after the seconds
in which the desk makes its lists ready (printed, too), as it does when a night is opened.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from fastapi.testclient import TestClient

from pipeline.contracts.check import conform
from pipeline.contracts.columns import COLUMNS, QUANTILE_COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.desk.app import create_app
from pipeline.desk.people import Person
from pipeline.review.exceptions import NightView, as_text, exceptions
from pipeline.review.orders import order_view
from pipeline.review.pooled import pool_regions
from pipeline.review.risk import arrivals, stock_out_risk
from pipeline.store import Store

AS_OF = date(2025, 6, 30)
QUERIES = (
    "tonight", "orders", "orders?q=item-0000123", "orders?vendor_id=V-007&sort=-weeks_after",
    "orders?group=category", "orders?page=15000", "orders?order_cost_usd_from=900", "items",
    "items?q=77", "transfers", "items/ITEM-0000042", "network", "vendors", "forecast", "findings",
    "overrides", "approval",
)  # fmt: skip
PAGES = (
    "tonight", "orders", "orders?q=FOODS", "orders?sort=-weeks_after", "orders?group=category",
    "items", "transfers", "network", "vendors", "forecast", "projection", "findings", "overrides",
    "approval", "money", "events", "on_order", "audit",
)  # fmt: skip
KINDS = {
    "int": "int64", "float": "float64", "bool": "bool", "string": "str", "category": "str",
    "date": "datetime64[us]", "time": "datetime64[us]",
}  # fmt: skip
DUMMY = {"int": 1, "float": 1.0, "bool": False, "string": "x", "category": "x"}


def main() -> None:
    """Make the night, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", help="keep the night in this folder, and take it from there")
    parser.add_argument("--nights", help="ask all nights of this folder, instead")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.nights:
        told(over_nights(given.nights, given.rounds), given.json)
        return
    with tempfile.TemporaryDirectory() as spare:
        folder = given.out or spare
        if not Store(folder).dates("plan_kpis"):
            publish(Store(folder), given.lines)
        cold = {"orders": asked(desk(folder), "orders", 0)["first_s"]}
        client = desk(folder)
        cold["tonight"] = asked(client, "tonight", 0)["first_s"]
        started = time.perf_counter()
        client.app.state.desk.nights.wait()
        ready_s = time.perf_counter() - started
        rows = [asked(client, query, given.rounds) for query in QUERIES]
    for query, seconds in cold.items():
        print(f"cold {query}: {seconds:.2f} s")
    print(f"lists ready {ready_s:.2f} s after that")
    told(rows, given.json)


def told(rows: list[dict[str, object]], file: Path | None) -> None:
    """Print the rows, and keep them in a file."""
    for row in rows:
        print(f"{row['query']:<45} {row['median_s']:6.2f} s  p95 {row['p95_s']:6.2f} s  "
              f"first {row['first_s']:6.2f} s  CPU p95 {row['cpu_s']:5.2f} s  "
              f"first {row['first_cpu_s']:5.2f} s")  # fmt: skip
    if file:
        file.write_text(json.dumps(rows, indent=1) + "\n")


def over_nights(folder: str, rounds: int) -> list[dict[str, object]]:
    """Each page and query, asked of every night of a folder: the median night, the worst p95."""
    client, store, found = desk(folder), Store(folder), []
    for as_of in store.dates("plan_kpis"):
        client.get(f"/plans/{as_of}/tonight")
        client.app.state.desk.nights.wait()
        orders = store.read(as_of, "purchase_orders").sort_values("order_cost_usd")
        most = {name: str(orders[name].iloc[-1]) for name in ("item_id", "vendor_id")}
        queries = {name: name for name in PAGES} | {
            "an item": f"items/{most['item_id']}",
            "a vendor": f"orders?vendor_id={most['vendor_id']}",
        }
        for name, query in queries.items():
            found.append(asked(client, query, rounds, as_of) | {"query": name})
    frame = pd.DataFrame(found)
    columns = {name: "median" if name == "median_s" else "max" for name in frame if name != "query"}
    by_query = frame.groupby("query", sort=False).agg(columns).reset_index()
    rows: list[dict[str, object]] = by_query.to_dict("records")
    return rows


def desk(folder: str) -> TestClient:
    """A desk just started."""
    app = create_app({"plans": folder}, lambda: Person("ana", may_write=True))
    return TestClient(app, base_url="http://desk.test")


def asked(client: TestClient, query: str, rounds: int, as_of: date = AS_OF) -> dict[str, object]:
    """Seconds of a query: its first, for which nothing is remembered yet, and those after it."""
    seconds, cpu = [], []
    for _ in range(rounds + 1):
        started, spent = time.perf_counter(), time.process_time()
        answer = client.get(f"/plans/{as_of}/{query}")
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - spent)
        assert answer.status_code == 200, (query, answer.status_code)
    kept = np.array(seconds[1:] or seconds)
    return {
        "query": query, "median_s": float(np.median(kept)),
        "p95_s": float(np.quantile(kept, 0.95)), "first_s": seconds[0],
        "cpu_s": float(np.quantile(cpu[1:] or cpu, 0.95)), "first_cpu_s": cpu[0],
    }  # fmt: skip


def publish(store: Store, lines: int) -> None:
    """A night of `lines` items, each ordered once; plausible figures, a fixed seed."""
    draw = np.random.default_rng(7)
    items = np.array([f"ITEM-{i:07d}" for i in range(lines)])
    vendor = np.array([f"V-{i:03d}" for i in range(400)])[draw.integers(0, 400, lines)]
    category = np.array([f"category {i}" for i in range(20)])[draw.integers(0, 20, lines)]
    units = draw.integers(1, 400, lines)
    weekly = draw.gamma(0.7, 20, lines) + 0.01
    line = np.char.add(np.char.add(f"{AS_OF}/", vendor), np.char.add("/", items))
    days = pd.Timestamp(AS_OF) + pd.to_timedelta(draw.integers(5, 40, lines), unit="D")
    _put(
        store,
        "items",
        lines,
        item_id=items,
        item_name=np.char.add("Item ", items),
        category=category,
        department=category,
        list_price_usd=draw.gamma(2, 10, lines),
    )
    _put(
        store,
        "vendors",
        400,
        vendor_id=[f"V-{i:03d}" for i in range(400)],
        vendor_name=[f"Vendor {i}" for i in range(400)],
    )
    _put(
        store,
        "purchase_orders",
        lines,
        order_line_id=line,
        vendor_id=vendor,
        item_id=items,
        order_units=units,
        order_cost_usd=units * 3.0,
        expected_arrival_date=days,
        value_gained_usd=draw.gamma(1, 20, lines),
        reason_code="below_order_up_to",
    )
    _put(
        store,
        "order_reasons",
        3 * lines,
        order_line_id=np.repeat(line, 3),
        driver=np.tile(["demand_over_cover", "safety_stock", "on_order"], lines),
        sentence=np.repeat(np.char.add("Order from its vendor: expected to sell, item ", items), 3),
    )
    quantiles = dict.fromkeys(QUANTILE_COLUMNS, weekly)
    _put(
        store,
        "demand_quantiles",
        lines,
        item_id=items,
        window_start_day=1,
        window_days=28,
        mean_units=weekly * 4,
        **quantiles,
    )
    _put(
        store,
        "stock",
        lines,
        date=pd.Timestamp(AS_OF),
        item_id=items,
        node_id="N-1",
        on_hand_units=draw.integers(0, 300, lines),
    )
    _put(
        store,
        "network_targets",
        lines,
        item_id=items,
        vendor_id=vendor,
        order_up_to_units=units + 50,
    )
    _review(store)
    _put(store, "plan_kpis", 1, kpi=["order_lines"], value=[float(lines)], measure_unit="lines")


def _review(store: Store) -> None:
    """What the stage `review` writes for page *Tonight*."""
    names = (
        "items", "nodes", "vendors", "vendor_items", "stock", "open_orders", "open_transfers",
        "order_candidates", "capacity_prices", "forecast_changes", "quarantine",
    )  # fmt: skip
    there = {name: store.read(AS_OF, name) for name in names if store.manifest(AS_OF, name)}
    empty = {name: empty_of(name) for name in names}
    demand = store.read(AS_OF, "demand_quantiles").astype({"item_id": "str"})
    weekly = demand.groupby("item_id")["mean_units"].sum() / 4
    orders = order_view(
        store.read(AS_OF, "purchase_orders"), store.read(AS_OF, "order_reasons"), there["items"],
        there["vendors"], store.read(AS_OF, "network_targets"), weekly, weekly,
    )  # fmt: skip
    pooled = pool_regions(store.read(AS_OF, "demand_quantiles"), empty_of("demand_dependence"))
    stock = there["stock"].groupby("item_id")["on_hand_units"].sum()
    coming = arrivals(empty["open_orders"], empty["open_transfers"], orders, AS_OF)
    risk = stock_out_risk(pooled, stock, coming, pd.Series(dtype="float64"))
    items = there["items"].set_index("item_id")
    risk["item_name"] = risk["item_id"].map(items["item_name"])
    risk["shortfall_usd"] = risk["shortfall_units"] * risk["item_id"].map(items["list_price_usd"])
    night = NightView(as_text(empty | there), orders, risk, AS_OF)
    started = time.process_time()
    found = conform(exceptions(night, 1000.0), TABLES["exceptions"])
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{len(found)} exceptions of {len(orders):,} lines: "
          f"{time.process_time() - started:.1f} CPU s, {peak_gb:.1f} GB at most")  # fmt: skip
    store.publish(AS_OF, "exceptions", found, {"inputs": {}})


def empty_of(name: str) -> pd.DataFrame:
    """A table without rows."""
    return pd.DataFrame({
        column: pd.Series(dtype=KINDS[COLUMNS[column].kind]) for column in TABLES[name].columns
    })  # fmt: skip


def _put(store: Store, name: str, rows: int, **columns: object) -> None:
    frame = pd.DataFrame(index=range(rows))
    for column in TABLES[name].columns:
        kind = COLUMNS[column].kind
        frame[column] = columns.get(
            column, pd.Timestamp(AS_OF) if kind == "date" else DUMMY.get(kind)
        )
        if kind == "category":
            frame[column] = frame[column].astype("category")
    store.publish(AS_OF, name, frame, {"inputs": {}})


if __name__ == "__main__":
    main()
