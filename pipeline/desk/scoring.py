"""Overrides of orders scored: what happened since, against what the system would have ordered.

Both orders are run through the same demand that came, from the stock and the open orders of their
night, day by day; nothing else is ordered in either. What an override is worth is the margin of
what it sold more, less the holding cost of what it held more. Stock left at the end counts at its
cost in both. Forecast overrides are scored by the stage accuracy (forecast_value_added).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.buy.overrides import order_rules
from pipeline.store import Store

SCORED_AFTER_DAYS = 28
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What an item's stock did over the scored days: units sold, units lost, unit-days held."""

    sold: float
    lost: float
    held: float


def run_through(on_hand: float, arrivals: Floats, demand: Floats) -> Outcome:
    """An item's days: arrivals [days] come in the morning, then demand [days] takes what is there.

    A unit held overnight counts one day.
    """
    stock, sold, held = on_hand, 0.0, 0.0
    for come, wanted in zip(arrivals, demand, strict=True):
        stock += come
        taken = min(stock, wanted)
        stock, sold = stock - taken, sold + taken
        held += stock
    return Outcome(sold, float(demand.sum()) - sold, held)


def override_scores(
    store: Store, as_of: date, holding_rate_per_year: float, days: int = SCORED_AFTER_DAYS
) -> pd.DataFrame:
    """Orders that overrides changed `days` days before as_of, one row each: planner, kind,
    direction, units by the system and as ordered, sales gained and usd gained.

    Empty where that night is not planned or nothing was changed.
    """
    then = as_of - timedelta(days=days)
    columns = ["order_line_id", "item_id", "planner", "override_kind", "direction",
               "system_units", "order_units", "sold_more_units", "gained_usd"]  # fmt: skip
    needed = ("purchase_orders", "stock", "open_orders", "overrides", "items")
    if any(store.manifest(then, name) is None for name in needed):
        return pd.DataFrame(columns=columns)
    orders = store.read(then, "purchase_orders").astype({"item_id": "str"})
    changed = orders[orders["override_units"] != 0]
    if changed.empty:
        return pd.DataFrame(columns=columns)
    demand = _by_day(store.read(as_of, "daily_demand"), then, days)
    stock = store.read(then, "stock").astype({"item_id": "str"})
    stock = stock[stock["date"] == pd.Timestamp(then)].groupby("item_id")["on_hand_units"].sum()
    coming = _coming(store.read(then, "open_orders"), then, days)
    price = store.read(then, "items").astype({"item_id": "str"}).set_index("item_id")
    rules, overrides = order_rules(store.read(then, "overrides"), then), _named(store, then)
    rows = []
    for row in changed.to_dict("records"):
        item = row["item_id"]
        if item not in demand.index:
            continue
        due = (pd.Timestamp(row["expected_arrival_date"]) - pd.Timestamp(then)).days
        system = max(int(row["order_units"]) - int(row["override_units"]), 0)
        known = coming.get(item, np.zeros(days))
        both = []
        for units in (system, int(row["order_units"])):
            arrivals = known.copy()
            if 0 < due <= days:
                arrivals[due - 1] += units
            wanted = demand.loc[item].to_numpy(dtype=np.float64)
            both.append(run_through(float(stock.get(item, 0.0)), arrivals, wanted))
        without, made = both
        cost = float(row["unit_cost_usd"])
        margin = (made.sold - without.sold) * (float(price.at[item, "list_price_usd"]) - cost)
        holding = (made.held - without.held) * cost * holding_rate_per_year / 365
        last = [*rules.get("", []), *rules.get(item, [])][-1:]
        who = overrides.get(last[0].override_id, {}) if last else {}
        rows.append({
            "order_line_id": row["order_line_id"], "item_id": item,
            "planner": who.get("planner", ""), "override_kind": who.get("override_kind", ""),
            "direction": "up" if row["override_units"] > 0 else "down", "system_units": system,
            "order_units": int(row["order_units"]), "sold_more_units": made.sold - without.sold,
            "gained_usd": margin - holding,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def scores_by_planner(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """By planner, kind and direction: orders changed, how many gained, usd gained in all."""
    if scores.empty:
        return []
    keys = ["planner", "override_kind", "direction"]
    found = scores.assign(is_gain=scores["gained_usd"] > 0).groupby(keys).agg(
        orders=("gained_usd", "size"), gains=("is_gain", "sum"), usd=("gained_usd", "sum"),
        sold_more_units=("sold_more_units", "sum"),
    )  # fmt: skip
    return found.reset_index().sort_values([*keys]).to_dict("records")


def _by_day(demand: pd.DataFrame, then: date, days: int) -> pd.DataFrame:
    """Units [items, days] that were asked for on each day after the night."""
    first = pd.Timestamp(then) + pd.Timedelta(days=1)
    wanted = pd.date_range(first, periods=days)
    own = demand[demand["date"].isin(wanted)].astype({"item_id": "str"})
    wide = own.pivot_table(index="item_id", columns="date", values="units", aggfunc="sum")
    return wide.reindex(columns=wanted).fillna(0.0)


def _coming(open_orders: pd.DataFrame, then: date, days: int) -> dict[str, Floats]:
    """Units by day that were on order; what was overdue comes on the first day."""
    own = open_orders[open_orders["date"] == pd.Timestamp(then)].astype({"item_id": "str"})
    found: dict[str, Floats] = {}
    for row in own.to_dict("records"):
        due = max((row["expected_arrival_date"] - pd.Timestamp(then)).days, 1)
        if due <= days:
            found.setdefault(row["item_id"], np.zeros(days))[due - 1] += row["open_units"]
    return found


def _named(store: Store, then: date) -> dict[str, dict[str, Any]]:
    frame = store.read(then, "overrides").astype({"override_id": "str", "override_kind": "str"})
    return {row["override_id"]: row for row in frame.to_dict("records")}
