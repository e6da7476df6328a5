"""How forecasts move when the history that is told does, and that what is not told is no zero.

    python -m benchmarks.history [--seeds N …] [--items N] [--only NAME …] [--weekly] [--json FILE]

The sample is planned; then the sales, availability or prices of a quarter of its items or of a
department are changed, and the night is planned again with the same model. What those items are
expected to sell in 28 days, over what they were, must lie between the bounds of each change: where
a part of an export is not there, near 1. --weekly: sales are those of whole weeks, of which a
change takes those that end on its days. Exit code 1 if one does not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from benchmarks.kills import QUICK
from benchmarks.movement import AS_OF, sample
from pipeline import runner
from pipeline.contracts.settings import load_settings
from pipeline.store import Source, Store

WINDOW_DAYS = 28
Edit = Callable[[Path, list[str]], None]
"""Changes a raw folder, for these items."""


@dataclass(frozen=True)
class Change:
    """What is done, whose sales it is done to, and between which ratios their forecast may lie;
    of_days: it says something of single days, which sales by week do not know."""

    edit: Edit
    least: float
    most: float
    of: Literal["items", "department"] = "items"
    of_days: bool = False


def _sales(first_ago: int, last_ago: int, times: float) -> Edit:
    """Sales of the days from `first_ago` to `last_ago` days ago times a factor; 0: no rows."""

    def edit(raw: Path, items: list[str]) -> None:
        sales = pd.read_csv(raw / "sales.csv")
        ago = (pd.Timestamp(AS_OF) - pd.to_datetime(sales["date"])).dt.days
        mine = sales["item_id"].isin(items) & (ago >= first_ago) & (ago <= last_ago)
        if times:
            units = (sales["units"] * times).round().astype(int).where(mine, sales["units"])
            sales = sales.assign(units=units)
        else:
            sales = sales[~mine]
        sales.to_csv(raw / "sales.csv", index=False)

    return edit


def _out_of_stock(raw: Path, items: list[str]) -> None:
    """The days without a sale of the last four weeks had nothing in stock."""
    sales, regions = pd.read_csv(raw / "sales.csv"), pd.read_csv(raw / "regions.csv")["region_id"]
    key = ["item_id", "region_id", "date"]
    days = [str(AS_OF - timedelta(days=ago)) for ago in range(WINDOW_DAYS)]
    every = pd.MultiIndex.from_product([items, regions, days], names=key)
    none = every.difference(pd.MultiIndex.from_frame(sales.loc[sales["units"] > 0, key]))
    known = pd.read_csv(raw / "availability.csv")
    rows = pd.concat([known, none.to_frame(index=False).assign(in_stock_share=0.0)])
    rows.drop_duplicates(key, keep="last").to_csv(raw / "availability.csv", index=False)


def _price(times: float) -> Edit:
    """Another price on days 8 to 14 ahead."""

    def edit(raw: Path, items: list[str]) -> None:
        key = ["item_id", "region_id", "start_date"]
        prices = pd.read_csv(raw / "prices.csv").sort_values("start_date", kind="stable")
        now = prices[prices["item_id"].isin(items) & (prices["start_date"] <= str(AS_OF))]
        now = now.groupby(key[:2], as_index=False).last()
        week = now.assign(start_date=str(AS_OF + timedelta(days=8)),
                          price_usd=(now["price_usd"] * times).round(2))  # fmt: skip
        after = now.assign(start_date=str(AS_OF + timedelta(days=15)))
        both = pd.concat([prices, week, after])[prices.columns]
        both.drop_duplicates(key, keep="last").to_csv(raw / "prices.csv", index=False)

    return edit


CHANGES: dict[str, Change] = {
    "all sales doubled": Change(_sales(0, 999, 2), 1.85, 2.15),
    "all sales times 10": Change(_sales(0, 999, 10), 8.5, 11.5),
    "the last 28 days doubled": Change(_sales(0, 27, 2), 1.3, 2.1),
    "the last 28 days halved": Change(_sales(0, 27, 0.5), 0.45, 0.85),
    "the last 7 days doubled": Change(_sales(0, 6, 2), 1.0, 1.6),
    "days 29 to 84 ago doubled": Change(_sales(28, 83, 2), 0.95, 1.6),
    "days without a sale were out of stock": Change(_out_of_stock, 1.0, 3.0, of_days=True),
    "price - 50 % in a week": Change(_price(0.5), 1.0, 2.5),
    "price - 20 % in a week": Change(_price(0.8), 0.99, 1.5),
    "price + 20 % in a week": Change(_price(1.2), 0.5, 1.01),
    "a department lacks the last 2 days": Change(_sales(0, 1, 0), 0.9, 1.15, "department"),
    "a department lacks the last 7 days": Change(_sales(0, 6, 0), 0.85, 1.15, "department"),
    "a department lacks days 1 to 3": Change(_sales(1, 3, 0), 0.9, 1.15, "department"),
    "a department lacks days 20 to 34": Change(_sales(20, 34, 0), 0.85, 1.15, "department"),
    "a department lacks days 8 to 40": Change(_sales(8, 40, 0), 0.85, 1.15, "department"),
    "a department lacks days 100 to 130": Change(_sales(100, 130, 0), 0.9, 1.1, "department"),
    "a department's sales begin 10 days ago": Change(_sales(11, 999, 0), 0.7, 1.3, "department"),
    "a department's sales begin 28 days ago": Change(_sales(29, 999, 0), 0.85, 1.2, "department"),
    "items' sales begin 28 days ago": Change(_sales(29, 999, 0), 0.85, 1.2),
    "items' sales begin 90 days ago": Change(_sales(91, 999, 0), 0.85, 1.15),
}


def expected(raw: Path, out: Path) -> pd.Series:
    """Units by item that the night expects in the next 28 days."""
    store = Store(out)
    runner.run_night(store, Source("raw", raw), load_settings(None, QUICK), AS_OF)
    rows = store.read(AS_OF, "demand_quantiles").astype({"item_id": "str"})
    rows = rows[rows["window_days"] == WINDOW_DAYS]
    return rows.groupby("item_id")["mean_units"].sum()


def by_week(raw: Path) -> None:
    """Sum sales over weeks, which end on the weekday of the night."""
    sales = pd.read_csv(raw / "sales.csv", parse_dates=["date"])
    left = (pd.Timestamp(AS_OF) - sales["date"]).dt.days % 7
    sales["date"] = (sales["date"] + pd.to_timedelta(left, unit="D")).dt.date
    key = ["item_id", "region_id", "date"]
    sales.groupby(key, as_index=False)["units"].sum().to_csv(raw / "sales.csv", index=False)


def found_in(
    seed: int, items: int, only: list[str], folder: Path, is_weekly: bool = False
) -> dict[str, Any]:
    """By change: the ratio of the changed items' forecasts, of the others', and whether the first
    lies within its bounds."""
    changed = {"items": sample(folder / "raw", items, seed)}
    if is_weekly:
        by_week(folder / "raw")
    master = pd.read_csv(folder / "raw" / "items.csv")
    sold = pd.read_csv(folder / "raw" / "sales.csv").groupby("item_id")["units"].sum()
    by_department = sold.groupby(master.set_index("item_id")["department"]).sum()
    largest = by_department.sort_values(kind="stable").index[-1]
    changed["department"] = master.loc[master["department"] == largest, "item_id"].tolist()
    before = expected(folder / "raw", folder / "plain")
    found: dict[str, Any] = {}
    for name in only:
        if is_weekly and CHANGES[name].of_days:
            continue
        raw, out, change = folder / "changed", folder / "out", CHANGES[name]
        shutil.copytree(folder / "raw", raw)
        shutil.copytree(folder / "plain", out)
        change.edit(raw, changed[change.of])
        after = expected(raw, out).reindex(before.index).fillna(0)
        mine = before.index.isin(changed[change.of])
        ratio, others = (float(after[own].sum() / before[own].sum()) for own in (mine, ~mine))
        right = change.least <= ratio <= change.most
        print(f"{seed:4} {name:40}{ratio:7.3f}  others {others:6.3f}  {change.least} to "
              f"{change.most}{'' if right else '   AGAINST'}", flush=True)  # fmt: skip
        found[name] = {"ratio": ratio, "others": others, "is_right": right}
        for path in (raw, out):
            shutil.rmtree(path)
    return found


def main() -> int:
    """Plan with each change and seed; 1 if a forecast lies out of its bounds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[5])
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--only", nargs="*", default=list(CHANGES), choices=list(CHANGES))
    parser.add_argument("--weekly", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {}
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            found[str(seed)] = found_in(
                seed, options.items, options.only, Path(folder), options.weekly
            )
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(
        not all(one["is_right"] for by_change in found.values() for one in by_change.values())
    )


if __name__ == "__main__":
    sys.exit(main())
