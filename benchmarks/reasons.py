"""Whether the reasons of planned nights add up, and what they cost.

    python benchmarks/reasons.py --out data/runs --first 2016-04-10 --last 2016-04-23

For each night: the drivers of every order and transfer against its units, those of every change
since the night before against the change, and the CPU seconds in which the stage's functions make
them all again, per 10,000 explained lines.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date
from pathlib import Path

import pandas as pd

from pipeline.explain.drivers import long_drivers
from pipeline.explain.plan import (
    PLAN_TABLES,
    NightPlan,
    explain_orders,
    explain_transfers,
    order_sentences,
    transfer_sentences,
)
from pipeline.runner import business_dates
from pipeline.store import Store


def main() -> None:
    """Add up, explain again, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="data/runs")
    parser.add_argument("--first", type=date.fromisoformat, required=True)
    parser.add_argument("--last", type=date.fromisoformat, required=True)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    store = Store(given.out)
    rows = [night(store, day) for day in business_dates(given.first, given.last)]
    frame = pd.DataFrame(rows).set_index("night")
    print(frame.round(2).to_string())
    lines = int(frame["orders"].sum() + frame["transfers"].sum())
    cpu_s = float(frame["cpu_s"].sum())
    print(f"{len(frame)} nights, {lines:,} lines, {int(frame['changes'].sum()):,} changes: "
          f"{int(frame['violations'].sum())} do not add up; {cpu_s / max(lines, 1) * 10_000:.2f} "
          "CPU s per 10,000 explanations")  # fmt: skip
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1, default=str) + "\n")


def night(store: Store, day: date) -> dict[str, object]:
    """Lines, changes and violations of a night, and the CPU seconds of explaining its lines."""
    orders, moves = store.read(day, "purchase_orders"), store.read(day, "transfers")
    wrong = off(store.read(day, "order_reasons"), "order_line_id", orders, "order_units")
    wrong += off(store.read(day, "transfer_reasons"), "transfer_id", moves, "transfer_units")
    changes = store.read(day, "plan_changes")
    one = changes.drop_duplicates("change_key").set_index("change_key")
    step = (one["current_units"] - one["previous_units"]).astype("float64")
    added = changes.groupby("change_key")["driver_units"].sum().reindex(step.index)
    wrong += int((added != step).sum())
    return {
        "night": day, "orders": len(orders), "transfers": len(moves), "changes": len(one),
        "violations": wrong, "cpu_s": explained_s(store, day),
    }  # fmt: skip


def off(reasons: pd.DataFrame, key: str, lines: pd.DataFrame, units: str) -> int:
    """Lines whose drivers do not add up to their units, or that have none."""
    added = reasons.groupby(key)["driver_units"].sum()
    asked = lines.astype({key: "str"}).set_index(key)[units]
    return int((added.reindex(asked.index) != asked).sum())


def explained_s(store: Store, day: date) -> float:
    """CPU seconds from the night's tables to drivers and sentences of all orders and transfers."""
    plan = NightPlan(day, **{name: store.read(day, name) for name in PLAN_TABLES})
    started = time.process_time()
    orders, moves = explain_orders(plan), explain_transfers(plan)
    names = pd.Series(dtype="object")
    long_drivers(
        orders.drivers, orders.lines[["order_line_id"]], order_sentences(orders, names)
    )  # fmt: skip
    long_drivers(
        moves.drivers, moves.lines[["transfer_id"]], transfer_sentences(moves, names)
    )  # fmt: skip
    return time.process_time() - started


if __name__ == "__main__":
    main()
