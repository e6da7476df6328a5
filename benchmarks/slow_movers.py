"""Levels of a real shop's slow movers, replayed on the weeks that followed.

    python -m benchmarks.slow_movers --data DIR [--items N] [--out DIR] [--json FILE]

A night of UCI Online Retail (examples/uci_online_retail.py, so many items drawn by key) is planned
with the default settings; each item's order-up-to level is then kept for the 13 weeks after it:
ordered up every seventh day, delivered after the quoted lead time, sales beyond stock lost. Profit
is margin less goodwill, capital and storage, as the plan values them, starting from full levels.
Beside the levels stand shares of them, the safety brake, and a textbook's base stock: mean of the
last 84 days over lead time and review and z standard deviations of a day's sales.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.real_companies import draw
from examples import uci_online_retail
from pipeline import runner
from pipeline.contracts.settings import Settings, load_settings
from pipeline.store import Source, Store

AS_OF = date(2011, 6, 1)
_FILE = "uci_online_retail/online_retail.parquet"
_REVIEW_DAYS = 7
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shop:
    """Items: demand [items, days] after the night; usd a unit, for hold a unit and day."""

    demand: Floats
    lead_days: npt.NDArray[np.int64]
    cost_usd: Floats
    margin_usd: Floats
    goodwill_usd: Floats
    hold_usd: Floats


def drawn(data: Path, folder: Path, items: int) -> None:
    """The raw folder of so many items, the same ones for the same number."""
    uci_online_retail.adapt(data / _FILE, folder, AS_OF.isoformat())
    draw(folder, items)


def shop_of(store: Store, raw: Path, settings: Settings) -> tuple[pd.DataFrame, Shop, Floats]:
    """The night's targets with terms, the shop, and the daily sales before the night."""
    ids = {"item_id": "str", "vendor_id": "str"}
    targets = store.read(AS_OF, "network_targets").astype(ids)
    frame = targets.merge(store.read(AS_OF, "vendor_items").astype(ids), on=list(ids))
    items = store.read(AS_OF, "items").astype({"item_id": "str"})
    frame = frame.merge(items[["item_id", "list_price_usd", "launch_date"]], on="item_id")
    sales = pd.read_parquet(raw / "sales.parquet")
    day = (sales["date"] - pd.Timestamp(AS_OF)).dt.days
    row = pd.Index(frame["item_id"]).get_indexer(sales["item_id"].astype("str"))
    before, after = np.zeros((len(frame), 1 - day.min())), np.zeros((len(frame), day.max()))
    is_past, known = (day <= 0).to_numpy(), row >= 0
    past, ahead = is_past & known, ~is_past & known
    np.add.at(before, (row[past], (day - day.min())[past]), sales["units"][past])
    np.add.at(after, (row[ahead], day[ahead] - 1), sales["units"][ahead])
    price, cost = frame["list_price_usd"].to_numpy(float), frame["unit_cost_usd"].to_numpy(float)
    rate = settings.planning.holding_rate_per_year / 365.0
    # Handling, delivery and storage are those of examples/one_warehouse.py.
    shop = Shop(
        after, np.rint(frame["quoted_lead_time_days"].to_numpy()).astype(np.int64), cost,
        price - cost - 0.15, settings.planning.goodwill_share * price, rate * cost + 0.1 * 0.005,
    )  # fmt: skip
    return frame, shop, before


def replayed(shop: Shop, level: Floats) -> dict[str, float]:
    """Profit, share of units served and mean stock (usd at cost) of base-stock levels."""
    n, days = shop.demand.shape
    stock, coming = level.copy(), np.zeros((n, days + int(shop.lead_days.max()) + 1))
    sold, held = np.zeros(n), np.zeros(n)
    for t in range(days):
        stock += coming[:, t]
        units = np.minimum(stock, shop.demand[:, t])
        stock, sold = stock - units, sold + units
        held += stock
        if t % _REVIEW_DAYS == 0:
            short = np.maximum(level - stock - coming[:, t + 1 :].sum(axis=1), 0.0)
            coming[np.arange(n), t + shop.lead_days] += short
    lost = shop.demand.sum(axis=1) - sold
    profit = shop.margin_usd * sold - shop.goodwill_usd * lost - shop.hold_usd * held
    return {
        "profit_usd": round(float(profit.sum())),
        "served": round(float(sold.sum() / shop.demand.sum()), 4),
        "stock_usd": round(float((held * shop.cost_usd).sum() / days)),
    }


def compared(frame: pd.DataFrame, shop: Shop, before: Floats) -> dict[str, dict[str, float]]:
    """What each way of setting levels earns."""
    level = frame["order_up_to_units"].to_numpy(float)
    rows = {f"{share:g} of the levels": replayed(shop, np.rint(level * share))
            for share in (0.5, 0.75, 1.0, 1.25)}  # fmt: skip
    daily = (frame["cover_demand_units"] / frame["cover_days"]).to_numpy(float)
    for weeks in (8, 26):
        most = np.floor(daily * (frame["cover_days"].to_numpy(float) + 8 + 7 * weeks))
        name = f"brake of {weeks} weeks, sets {float((most < level).mean()):.0%}"
        rows[name] = replayed(shop, np.minimum(level, most))
    mean = before[:, -84:].mean(axis=1)
    life = np.argmax(before > 0, axis=1)  # the first day with a sale; four weeks at least
    spread = np.array([
        row[min(first, len(row) - 28) :].std() for row, first in zip(before, life, strict=True)
    ])  # fmt: skip
    span = shop.lead_days + _REVIEW_DAYS
    for z in (1.0, 2.0, 3.0):
        rows[f"textbook, z = {z:g}"] = replayed(
            shop, np.rint(mean * span + z * spread * np.sqrt(span))
        )
    return rows


def main() -> None:
    """Plan the night where it is not there yet, replay, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--out", type=Path, help="keep raw folder and night here, or use them")
    args = parser.parse_args()
    root = args.out or Path(tempfile.mkdtemp())
    raw, store, settings = root / "raw", Store(root / "out"), load_settings(args.settings)
    if not (root / "out" / AS_OF.isoformat()).is_dir():
        drawn(args.data, raw, args.items)
        runner.run_night(store, Source("raw", raw), settings, AS_OF)
    rows = compared(*shop_of(store, raw, settings))
    print(pd.DataFrame(rows).T.to_string())
    orders = store.read(AS_OF, "purchase_orders")
    reasons = orders["reason_code"].astype("str").value_counts().to_dict()
    print(f"{len(orders)} lines: {reasons}")
    if args.json:
        args.json.write_text(json.dumps({"levels": rows, "lines": reasons}, indent=1))


if __name__ == "__main__":
    main()
