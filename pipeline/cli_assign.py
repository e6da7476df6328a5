"""The command that assigns orders as a night's plan expects: assign.

Parses, calls, prints, as `pipeline.cli` does, which registers it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import UsageError
from pipeline.printing import console, plain


def assign(
    orders: Annotated[Path, typer.Argument(
        help="CSV of order lines: order_id, item_id, region_id, speed, order_hour, units."
    )],
    out: Annotated[str, typer.Option("--out", help="Folder or s3:// address of the nights.")] = (
        "data/runs"
    ),
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Night; default: the newest planned."),
    ] = None,
    split_usd: Annotated[
        float, typer.Option("--split-usd", min=0, help="What another shipment of an order costs.")
    ] = 0.0,
    to: Annotated[Path, typer.Option("--to", help="CSV to write.")] = Path("assigned.csv"),
) -> None:  # fmt: skip
    """Say which node serves each order line, by the night's offers, worth and units kept.

    echelon assign orders.csv --out data/runs --to assigned.csv
    """
    from pipeline.place.replay import READS, read_orders, replay, situation
    from pipeline.store import Store

    store = Store(out)
    dates = store.dates("assignment_worth")
    if as_of is None and not dates:
        raise UsageError(f"no night under {store.root} says how to assign. Next: echelon run.")
    day = as_of.date() if as_of is not None else dates[-1]
    known = situation({name: store.read(day, name) for name in READS})
    lines = read_orders(orders, known)
    found = replay(known, lines, split_usd)
    found.to_csv(to, index=False)
    served = found[found["node_id"] != ""]
    units, short = int(served["assigned_units"].sum()), int(lines["units"].sum())
    in_time = int(served.loc[served["is_in_time"], "assigned_units"].sum())
    shipments = served.drop_duplicates(["order_id", "node_id"])
    console.print(plain(
        f"{len(lines):,} lines, {short:,} units: {units:,} served ({in_time:,} in time) in "
        f"{len(shipments):,} shipments of {served['order_id'].nunique():,} orders; delivery "
        f"{served['delivery_usd'].sum():,.2f} usd, missed speeds "
        f"{served['missed_speed_usd'].sum():,.2f} usd, worth of the units "
        f"{served['worth_usd'].sum():,.2f} usd. Written: {to}"
    ), soft_wrap=True)  # fmt: skip
