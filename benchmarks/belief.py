"""What it costs the plan that the world is not what it believes: one difference at a time.

    python -m benchmarks.belief --items 24 --days 28 --replications 3 [--worlds refuse,refuse_told]
        [--forecasts stored] --json belief.json

The shipped sample, in which a policy believes what the data tell; days of the past drawn again are
its demand. Each row is the same world with one difference, on the same luck; the cost is the profit
lost, paired by replication.
"""

from __future__ import annotations

import argparse
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from pipeline.simulate.report.intervals import paired
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.stage import run_scenario

START = date(2025, 7, 13)
ACCEPT_LATE_SHARE = 0.5
WORLDS: dict[str, tuple[str, dict[str, Any]]] = {
    "as_believed": ("as believed: lead times of the law that receipts tell", {}),
    "parts": ("a third of the lines come in two parts",
              {"world": {"partial_receipt_share": 0.35}}),
    "fewer": ("vendors confirm 5-30 % less of a third of the lines",
              {"world": {"short_share": 0.33}}),
    "dock": ("two days at the dock that nobody plans with", {"world": {"receiving_days": 2}}),
    "refuse": ("half of the customers refuse a late delivery",
               {"world": {"accept_late_share": ACCEPT_LATE_SHARE}}),
    "refuse_told": ("the same, and missed_speed_usd_per_unit says what the sales lost so are worth",
                    {"world": {"accept_late_share": ACCEPT_LATE_SHARE}}),
    "returns": ("a tenth of what is sold comes back after two weeks",
                {"world": {"return_share": 0.1}}),
    "baskets": ("orders of three units; each parcel beyond the first costs 2 USD",
                {"world": {"order_units": 3.0, "split_usd": 2.0}}),
    "slow": ("all vendors take half as long again",
             {"changes": [{"kind": "lead_time_shock", "factor": 1.5}]}),
    "drift": ("lead times grow by two days a week",
              {"changes": [{"kind": "lead_time_shock", "drift_days_per_week": 2.0}]}),
    "order_days": ("vendors take orders on Tuesdays and Fridays, which all know", {}),
    "strike": ("no vendor sends anything in the first week",
               {"changes": [{"kind": "vendor_strike", "from_day": 1, "to_day": 7}]}),
}  # fmt: skip
CONSOLE = Console()


def main() -> None:
    """Run each world, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=Path("data/sample"))
    parser.add_argument("--items", type=int, default=24)
    parser.add_argument("--days", type=int, default=28, help="of each run")
    parser.add_argument("--replications", type=int, default=3)
    parser.add_argument("--policies", default="echelon")
    parser.add_argument("--worlds", default=",".join(WORLDS),
                        help="with commas; as_believed is added")  # fmt: skip
    parser.add_argument("--forecasts", choices=("own", "stored"), default="own")
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON, laid over")
    parser.add_argument("--out", type=Path, default=Path("belief"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    names = [name for name in WORLDS if name in ("as_believed", *arguments.worlds.split(","))]
    found = {name: _totals(arguments, name) for name in names}
    rows = [_row(policy, name, found)
            for policy in arguments.policies.split(",") for name in names]  # fmt: skip
    table = Table("policy", "world", "profit, USD", "cost, USD", "share", "lost units",
                  title="What a difference from the planner's belief costs")  # fmt: skip
    for row in rows:
        table.add_row(
            row["policy"], row["world"], f"{row['profit_usd']:,.0f}",
            f"{row['cost_usd']:,.0f} ({_range(row)})",
            f"{row['cost_share']:.1%}", f"{row['lost_units']:,.0f}",
        )  # fmt: skip
    CONSOLE.print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


def _range(row: dict[str, Any]) -> str:
    if row["low_usd"] is None:
        return "one replication, no interval"
    return f"{row['low_usd']:,.0f} to {row['high_usd']:,.0f}"


def _totals(arguments: argparse.Namespace, name: str) -> pd.DataFrame:
    """simulated_totals of a world. A late unit costs the same goodwill in all of them."""
    raw, late_usd = arguments.raw, 0.0
    if name == "order_days":
        vendors = pd.read_csv(raw / "vendors.csv")
        raw = _copy(arguments, name, "vendors.csv", vendors.assign(order_weekdays="tue fri"))
    if name == "refuse_told":
        speeds = pd.read_csv(raw / "delivery_speeds.csv")
        late_usd = (1.0 - ACCEPT_LATE_SHARE) * _sale_usd(raw)
        speeds["missed_speed_usd_per_unit"] += late_usd
        raw = _copy(arguments, name, "delivery_speeds.csv", speeds)
    changes = WORLDS[name][1]
    if name == "strike":
        vendors = pd.read_csv(raw / "vendors.csv")["vendor_id"].astype("str").tolist()
        changes = {"changes": [{**changes["changes"][0], "vendors": vendors}]}
    scenario = Scenario.model_validate({
        "name": name, "dataset": "raw", "raw_dir": raw, "start": START, "days": arguments.days,
        "items": arguments.items, "replications": arguments.replications, "demand": "resampled",
        "forecasts": arguments.forecasts,
        "settings": {"run": {"threads": 1}, **arguments.settings}, **changes,
    })  # fmt: skip
    CONSOLE.log(name)
    names = arguments.policies.split(",")
    tables = run_scenario(scenario, names, arguments.out / name, with_bound=False).tables
    totals = tables["simulated_totals"]
    return totals.assign(profit_usd=totals["profit_usd"] + late_usd * totals["late_units"])


def _copy(arguments: argparse.Namespace, name: str, table: str, frame: pd.DataFrame) -> Path:
    """A copy of the raw folder with another table."""
    raw = Path(arguments.out / f"raw_{name}")
    if not raw.exists():
        shutil.copytree(arguments.raw, raw)
        frame.to_csv(raw / table, index=False)
    return raw


def _sale_usd(raw: Path) -> float:
    """Mean margin of a unit sold, usd, weighted by what was sold."""
    sold = pd.read_csv(raw / "sales.csv").groupby("item_id")["units"].sum()
    items = pd.read_csv(raw / "items.csv").set_index("item_id")["list_price_usd"]
    cost = pd.read_csv(raw / "vendor_items.csv").groupby("item_id")["unit_cost_usd"].min()
    margin = (items - cost).reindex(sold.index)
    return float((margin * sold).sum() / sold.where(margin.notna(), 0).sum())


def _row(policy: str, name: str, found: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """What the world costs the policy: profit as believed less profit here, by replication."""
    both = pd.concat([
        frame[frame["policy"].astype("str") == policy].assign(policy=world)
        for world, frame in (("believed", found["as_believed"]), ("here", found[name]))
    ])  # fmt: skip
    gap = paired(both, "profit_usd", "believed", "here")
    here = both[both["policy"] == "here"]
    low, mean, high = gap.in_json
    base = both.loc[both["policy"] == "believed", "profit_usd"].mean()
    return {
        "policy": policy, "name": name, "world": WORLDS[name][0],
        "profit_usd": float(here["profit_usd"].mean()), "cost_usd": mean, "low_usd": low,
        "high_usd": high, "cost_share": gap.mean / base,
        "lost_units": float(here["lost_units"].mean()),
    }  # fmt: skip


if __name__ == "__main__":
    main()
