"""What an override would do to tonight's orders before it is saved: the night's buy, run twice.

Exact for overrides of orders. One of demand moves order-up-to levels and value curves in
proportion, at tonight's prices: an estimate, and said to be one. Levels of nodes act
on placement, not on orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from pipeline.buy.lines import purchase_orders
from pipeline.buy.plan import BuyTables, plan_orders
from pipeline.contracts.settings import Settings
from pipeline.desk.nudges import demand_of, noise_notes, with_risk
from pipeline.errors import UsageError
from pipeline.records.overrides import Override, rows_of
from pipeline.store import Store


@dataclass(frozen=True)
class Preview:
    """Lines that change: item_id, vendor_id, before_units, after_units, usd, value_usd, is_scope,
    run_out_before and run_out_after (chance that the item runs out within its cover).

    is_scope: the line is one that the override names; others are displaced by it. notes: what the
    person should know before saving.
    """

    lines: pd.DataFrame
    notes: list[str]

    @property
    def usd(self) -> float:
        """What the night's orders would cost more."""
        return float(self.lines["usd"].sum())


def preview(store: Store, as_of: date, settings: Settings, override: Override) -> Preview:
    """The order lines that the override would change; UsageError where its scope holds nothing."""
    if override.expiry_date <= as_of:
        return Preview(_difference(pd.DataFrame(), pd.DataFrame(), []), _notes(override, as_of))
    items, vendor_items = store.read(as_of, "items"), store.read(as_of, "vendor_items")
    rows = rows_of([override], as_of, items, vendor_items)
    known = set(items["item_id"].astype("str"))
    named = [item for item in rows["item_id"].dropna() if item in known]
    if override.node_id is None and not named:
        raise UsageError("no item of this night lies in that scope. Next: correct its item, "
                         "category or vendor.")  # fmt: skip
    demand = demand_of(store, as_of, named)
    notes = [*_notes(override, as_of), *noise_notes(override, demand)]
    tables = {name: store.read(as_of, name) for name in BuyTables.__dataclass_fields__}
    if override.override_target == "base_stock_units":
        notes.append("A level of a node is planned by the next night; orders follow it then.")
        return Preview(_difference(pd.DataFrame(), pd.DataFrame(), named), notes)
    before = _orders(tables, as_of, settings)
    changed = dict(tables)
    if override.override_target == "demand":
        notes.append("An estimate: levels are moved in proportion to demand, at tonight's prices.")
        changed |= _scaled(tables, override, named)
    else:
        current = tables["overrides"]
        kept = current[~current["override_id"].astype("str").isin(_ids(override, current))]
        added = rows if not override.is_withdrawn else rows.iloc[:0]
        changed["overrides"] = pd.concat(
            [kept.astype({"item_id": "object", "node_id": "object"}), added], ignore_index=True
        )
    lines = _difference(before, _orders(changed, as_of, settings), named)
    return Preview(with_risk(lines, tables, demand_of(store, as_of, lines["item_id"])), notes)


def budget_preview(store: Store, as_of: date, settings: Settings, budget_usd: float) -> Preview:
    """The order lines that another budget of the night would change."""
    tables = {name: store.read(as_of, name) for name in BuyTables.__dataclass_fields__}
    other = settings.model_copy(
        update={"buy": settings.buy.model_copy(update={"budget_usd": budget_usd})}
    )
    before, after = (_orders(tables, as_of, given) for given in (settings, other))
    lines = _difference(before, after, [])
    demand = demand_of(store, as_of, lines["item_id"])
    return Preview(with_risk(lines, tables, demand), [])


def _orders(tables: dict[str, pd.DataFrame], as_of: date, settings: Settings) -> pd.DataFrame:
    plan = plan_orders(BuyTables(**tables), as_of, settings.planning, settings.buy)
    columns = ["item_id", "vendor_id", "order_units", "order_cost_usd", "value_gained_usd"]
    frame = purchase_orders(plan, as_of)[columns]
    return frame.astype({"item_id": "str", "vendor_id": "str"})


def _difference(before: pd.DataFrame, after: pd.DataFrame, named: list[str]) -> pd.DataFrame:
    keys = ["item_id", "vendor_id"]
    if before.empty and after.empty:
        return pd.DataFrame(columns=[
            *keys, "before_units", "after_units", "usd", "value_usd", "is_scope", "run_out_before",
            "run_out_after",
        ])  # fmt: skip
    both = before.merge(after, on=keys, how="outer", suffixes=("_before", "_after"))
    for name in ("order_units", "order_cost_usd", "value_gained_usd"):
        for side in ("_before", "_after"):
            both[name + side] = both[name + side].fillna(0.0)
    lines = pd.DataFrame({
        "item_id": both["item_id"], "vendor_id": both["vendor_id"],
        "before_units": both["order_units_before"].astype("int64"),
        "after_units": both["order_units_after"].astype("int64"),
        "usd": both["order_cost_usd_after"] - both["order_cost_usd_before"],
        "value_usd": both["value_gained_usd_after"] - both["value_gained_usd_before"],
        "is_scope": both["item_id"].isin(named),
    })  # fmt: skip
    moved = lines[lines["before_units"] != lines["after_units"]]
    return moved.sort_values(["is_scope", "item_id", "vendor_id"], ascending=[False, True, True],
                             ignore_index=True)  # fmt: skip


def _scaled(
    tables: dict[str, pd.DataFrame], override: Override, named: list[str]
) -> dict[str, pd.DataFrame]:
    """Levels and value curves of the named items with demand moved as the override says."""
    targets = tables["network_targets"].copy()
    own = targets["item_id"].astype("str").isin(named)
    daily = targets["cover_demand_units"] / targets["cover_days"].clip(lower=1.0)
    factor = pd.Series(1.0, index=targets.index)
    kind, value = override.override_kind, override.override_value
    asked = {
        "set": value / daily.where(daily > 0), "multiply": pd.Series(value, index=targets.index),
        "at_least": (value / daily.where(daily > 0)).clip(lower=1.0),
        "at_most": (value / daily.where(daily > 0)).clip(upper=1.0),
        "block": pd.Series(0.0, index=targets.index),
    }[kind].fillna(1.0)  # fmt: skip
    factor[own] = asked[own]
    for name in ("order_up_to_units", "unpriced_order_up_to_units"):
        targets[name] = (targets[name] * factor).round().astype("int64")
    for name in ("cover_demand_units", "safety_stock_units"):
        targets[name] = targets[name] * factor
    keys = ["item_id", "vendor_id"]
    values = tables["position_values"].merge(
        targets[keys].assign(factor=factor), on=keys, how="left"
    )
    moved = (values["position_units"] * values["factor"].fillna(1.0)).round().astype("int64")
    values["position_units"] = moved
    values["position_value_usd"] = values["position_value_usd"] * values["factor"].fillna(1.0)
    values = values.drop(columns="factor").drop_duplicates([*keys, "position_units"])
    return {"network_targets": targets, "position_values": values}


def _notes(override: Override, as_of: date) -> list[str]:
    notes = []
    if override.expiry_date <= as_of:
        notes.append("It ends before the day that is planned: it would do nothing.")
    elif override.start_date > pd.Timestamp(as_of + pd.Timedelta(days=1)).date():
        notes.append(f"It starts on {override.start_date}: tonight's orders stay as they are.")
    return notes


def _ids(override: Override, current: pd.DataFrame) -> list[str]:
    """The rows of the present snapshot that an edited override replaces."""
    if not override.override_id:
        return []
    ids = current["override_id"].astype("str")
    own = (ids == override.override_id) | ids.str.startswith(override.override_id + "/")
    return ids[own].tolist()
