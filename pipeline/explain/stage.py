"""Stage explain: reads the night's plan and yesterday's, writes the reasons and the changes."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from pipeline.explain.changes import plan_changes
from pipeline.explain.drivers import long_drivers
from pipeline.explain.notes import life_notes, source_notes
from pipeline.explain.plan import (
    PLAN_TABLES,
    NightPlan,
    explain_orders,
    explain_transfers,
    order_sentences,
    transfer_sentences,
)
from pipeline.explain.previous_orders import previous_orders
from pipeline.store import Night


def run(night: Night) -> None:
    """Publish order_reasons, transfer_reasons, plan_changes and previous_orders."""
    plan = NightPlan(night.as_of, **{name: night.read(name) for name in PLAN_TABLES})
    vendors, table = _names(night.read("vendors"), "vendor"), night.read("items")
    items, nodes = _names(table, "item"), _names(night.read("nodes"), "node")
    life = life_notes(table, night.read("item_life"), night.as_of)
    cube = pd.Series(table["unit_cube_cuft"].to_numpy(), index=table["item_id"].astype("str"))

    orders, moves = explain_orders(plan), explain_transfers(plan)
    sources = source_notes(moves.lines, plan.stock, night.read("lanes"), cube, night.as_of)
    night.write(
        "order_reasons",
        long_drivers(
            orders.drivers,
            orders.lines[["order_line_id"]],
            order_sentences(orders, vendors, life),
        ),
    )
    night.write(
        "transfer_reasons",
        long_drivers(
            moves.drivers, moves.lines[["transfer_id"]], transfer_sentences(moves, nodes, sources)
        ),
    )
    night.write("plan_changes", plan_changes(plan, _yesterday(night, plan), items, nodes))
    night.write("previous_orders", previous_orders(
        night.read_previous("purchase_orders"), plan.open_orders, plan.purchase_orders, night.as_of
    ))  # fmt: skip


def _yesterday(night: Night, plan: NightPlan) -> NightPlan | None:
    """Yesterday's plan if that night was planned whole; what vendors sell is taken as today's."""
    tables: dict[str, pd.DataFrame] = {"vendor_items": plan.vendor_items}
    for name in PLAN_TABLES:
        if name not in tables:
            frame = night.read_previous(name)
            if frame is None:
                return None
            tables[name] = frame
    return NightPlan(night.as_of - timedelta(days=1), **tables)


def _names(frame: pd.DataFrame, what: str) -> pd.Series:
    return pd.Series(
        frame[f"{what}_name"].to_numpy(), index=frame[f"{what}_id"].astype("str").to_numpy()
    )
