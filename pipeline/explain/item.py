"""The whole story of one item in a night's plan, as text for `echelon explain ITEM`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from pipeline.errors import UsageError
from pipeline.explain.plan import PLAN_TABLES, NightPlan, Pairs, explain_orders, order_sentences
from pipeline.explain.position import node_inbound, node_stock
from pipeline.explain.substitutes import SUBSTITUTE_TABLES, substitutes
from pipeline.explain.text_table import Cell, text_table
from pipeline.store import Store

ITEM_TABLES = (
    "items", "vendors", "vendor_items", "overrides", "demand_quantiles", "forecast_changes",
    "stock", "open_orders", "open_transfers", "base_stock_levels", "network_targets",
    "purchase_orders", "order_candidates", "order_reasons", "transfers", "transfer_reasons",
    "plan_changes",
)  # fmt: skip
_ALTERNATIVES = 8


def explain_item(store: Store, as_of: date, item_id: str) -> str:
    """The account of an item from a published night; raises UsageError if it knows no such item."""
    names = [*ITEM_TABLES, *(n for n in SUBSTITUTE_TABLES if store.manifest(as_of, n) is not None)]
    return item_account({name: store.read(as_of, name) for name in names}, as_of, item_id)


def item_account(tables: Mapping[str, pd.DataFrame], as_of: date, item_id: str) -> str:
    """Demand, levels, stock, what is on the way, orders and transfers with their reasons.

    `tables` holds ITEM_TABLES as published and, where known, SUBSTITUTE_TABLES. Raises
    UsageError if there is no such item.
    """
    items = tables["items"]
    if item_id not in set(items["item_id"].astype("str")):
        raise UsageError(f"no item {item_id!r} in the plan of {as_of}. Next: see table items.")
    own = {
        name: frame[_is_of(frame, name, item_id)] if "item_id" in frame else frame
        for name, frame in tables.items()
    }
    names = tables["vendors"]
    vendors = dict(zip(names["vendor_id"].astype("str"), names["vendor_name"], strict=True))
    sections = [
        _heading(own["items"].iloc[0], as_of),
        _section("Expected demand, all regions", _demand(own["demand_quantiles"])),
        _section("Expected demand since yesterday, next 28 days", _moved(own["forecast_changes"])),
        _section("Orders tonight", _orders(own) or _no_order(own, as_of, vendors)),
        _section("Order-up-to levels", _targets(own["network_targets"], vendors)),
        _section("Alternatives weighed", _alternatives(own["order_candidates"], vendors)),
        _section("Levels, stock and what is on the way", _nodes(own, as_of)),
        _section("On the way", _on_the_way(own, as_of)),
        _section("Transfers tonight", _transfers(own)),
        _section("Since yesterday", _sentences(own["plan_changes"])),
    ]
    told = substitutes(tables, item_id)
    if told:
        sections.insert(3, _section("Substitutes", told))
    return "\n\n".join(sections)


def _is_of(frame: pd.DataFrame, name: str, item_id: str) -> pd.Series:
    """Rows of the item; an override without an item is for all items."""
    mine = frame["item_id"].astype("str") == item_id
    return mine | frame["item_id"].isna() if name == "overrides" else mine


def _heading(item: pd.Series, as_of: date) -> str:
    return (
        f"{item['item_id']}  {item['item_name']}\n"
        f"{item['category']} / {item['department']}, {item['size_class'].replace('_', '-')}, "
        f"{item['unit_cube_cuft']:g} cu ft, list price ${item['list_price_usd']:,.2f}\n"
        f"Plan of the night of {as_of}, for {as_of + timedelta(days=1)}"
    )


def _section(title: str, body: str) -> str:
    return f"{title}\n{body or '  none'}"


def _demand(quantiles: pd.DataFrame) -> str:
    """Expected units by window; quantiles of regions do not add up, so only means are summed."""
    keys = ["window_start_day", "window_days"]
    windows = quantiles.groupby(keys)["mean_units"].sum().reset_index()
    rows = [
        (_window(row["window_start_day"], row["window_days"]), float(row["mean_units"]))
        for row in _records(windows)
    ]
    return text_table(["window", "expected units"], rows) if rows else ""


def _moved(changes: pd.DataFrame) -> str:
    """Yesterday's and today's expectation, and the drivers where tonight explained the item."""
    driver = changes["driver"].astype("str")
    if changes.empty:
        return ""
    whole = changes[driver == "all"].iloc[0]
    rows: list[Sequence[Cell]] = [("with yesterday's knowledge", whole["previous_mean_units"])]
    rows += [
        (str(row["driver"]), float(row["change_units"]))
        for row in _records(changes[driver != "all"])
    ]
    return text_table(["driver", "units"], [*rows, ("= tonight", float(whole["mean_units"]))])


def _window(start: int, days: int) -> str:
    return f"days {start} to {start + days - 1}"


def _targets(targets: pd.DataFrame, vendors: Mapping[str, str]) -> str:
    rows = [
        (vendors.get(str(row["vendor_id"]), ""), float(row["cover_days"]),
         float(row["cover_demand_units"]), float(row["safety_stock_units"]),
         int(row["unpriced_order_up_to_units"]), int(row["order_up_to_units"]))
        for row in _records(targets)
    ]  # fmt: skip
    columns = ["vendor", "days covered", "demand", "safety stock", "level", "at capacity prices"]
    return text_table(columns, rows) if rows else ""


def _orders(own: Mapping[str, pd.DataFrame]) -> str:
    reasons = own["order_reasons"]
    blocks = []
    for order in _records(own["purchase_orders"]):
        rows = reasons[reasons["order_line_id"] == order["order_line_id"]]
        blocks.append(_reason(rows, f"value ${order['order_cost_usd']:,.2f}, expected "
                                    f"{order['expected_arrival_date']:%Y-%m-%d}"))  # fmt: skip
    return "\n".join(blocks)


def _no_order(own: Mapping[str, pd.DataFrame], as_of: date, vendors: Mapping[str, str]) -> str:
    """Why nothing is ordered, for the item's first vendor."""
    plan = NightPlan(as_of, **{name: own[name] for name in PLAN_TABLES})
    pairs: Pairs = [
        (str(row["item_id"]), str(row["vendor_id"])) for row in _records(own["network_targets"])
    ]
    sentences = order_sentences(explain_orders(plan, pairs), pd.Series(vendors, dtype="str"))
    return "\n".join(f"  {sentence}" for sentence in sentences)


def _transfers(own: Mapping[str, pd.DataFrame]) -> str:
    reasons = own["transfer_reasons"]
    ids = own["transfers"]["transfer_id"]
    return "\n".join(_reason(reasons[reasons["transfer_id"] == move], "") for move in ids)


def _reason(rows: pd.DataFrame, note: str) -> str:
    if rows.empty:
        return ""
    ordered = rows.sort_values("driver_order", kind="stable")
    drivers: list[Sequence[Cell]] = [
        (str(row["driver"]).replace("_", " "), int(row["driver_units"]))
        for row in _records(ordered)
        if row["driver_units"]
    ]
    total = int(ordered["driver_units"].sum())
    table = text_table(["driver", "units"], [*drivers, ("= quantity", total)], indent=4)
    return "\n".join([f"  {ordered['sentence'].iloc[0]}", *([f"  {note}"] if note else []), table])


def _alternatives(candidates: pd.DataFrame, vendors: Mapping[str, str]) -> str:
    others = candidates[~candidates["is_chosen"]].sort_values(
        ["value_gained_usd", "vendor_id", "candidate_units"], ascending=[False, True, True]
    )
    rows = [
        (vendors.get(str(row["vendor_id"]), ""), int(row["candidate_units"]),
         float(row["order_cost_usd"]), float(row["value_gained_usd"]), str(row["why_not"]))
        for row in _records(others.head(_ALTERNATIVES))
    ]  # fmt: skip
    return text_table(["vendor", "units", "cost $", "value $", "why not"], rows) if rows else ""


def _nodes(own: Mapping[str, pd.DataFrame], as_of: date) -> str:
    levels = {str(row["node_id"]): row for row in _records(own["base_stock_levels"])}
    held = node_stock(own["stock"], as_of).droplevel("item_id")
    coming = node_inbound(
        own["open_orders"], own["open_transfers"], as_of, pd.Series(dtype="float64")
    ).droplevel("item_id")
    rows: list[Sequence[Cell]] = []
    for node in sorted(set(levels) | set(held.index) | set(coming.index)):
        level = levels.get(node, {})
        rows.append(
            (
                node,
                int(level.get("base_stock_units", 0)),
                int(level.get("unpriced_base_stock_units", 0)),
                int(held.get(node, 0)),
                int(coming.get(node, 0)),
                float(level.get("expected_demand_units", 0)),
                float(level.get("protection_days", 0)),
            )
        )
    columns = ["node", "level", "if space were free", "on hand", "on the way", "demand", "in days"]
    return text_table(columns, rows) if rows else ""


def _on_the_way(own: Mapping[str, pd.DataFrame], as_of: date) -> str:
    day = pd.Timestamp(as_of)
    orders, moves = own["open_orders"], own["open_transfers"]
    rows = [
        (f"order {row['order_id']}", str(row['node_id']), int(row['open_units']),
         f"{row['expected_arrival_date']:%Y-%m-%d}")
        for row in _records(orders[orders["date"] == day])
    ] + [
        (f"from {row['from_node_id']}", str(row['to_node_id']), int(row['open_units']),
         f"{row['expected_arrival_date']:%Y-%m-%d}")
        for row in _records(moves[moves["date"] == day])
    ]  # fmt: skip
    return text_table(["what", "to", "units", "expected"], rows) if rows else ""


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.to_dict("records")


def _sentences(changes: pd.DataFrame) -> str:
    return "\n".join(f"  {sentence}" for sentence in changes["sentence"].drop_duplicates())
