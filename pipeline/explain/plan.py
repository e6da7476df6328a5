"""A night's orders and transfers with all that explains them, taken apart into drivers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.columns import DRIVERS, TRANSFER_DRIVERS
from pipeline.explain.drivers import (
    order_drivers,
    transfer_drivers,
    usual_quantity,
)
from pipeline.explain.overriding import override_notes
from pipeline.explain.position import (
    by_item,
    interval_days,
    node_inbound,
    node_stock,
    vendor_on_order,
)
from pipeline.explain.sentences import (
    OrderFacts,
    TransferFacts,
    order_sentence,
    transfer_sentence,
)

Pairs = list[tuple[str, ...]]


@dataclass(frozen=True)
class NightPlan:
    """Tables of one night that explain its plan, as published (see contracts.tables)."""

    as_of: date
    purchase_orders: pd.DataFrame
    transfers: pd.DataFrame
    network_targets: pd.DataFrame
    base_stock_levels: pd.DataFrame
    vendor_items: pd.DataFrame
    stock: pd.DataFrame
    open_orders: pd.DataFrame
    open_transfers: pd.DataFrame
    overrides: pd.DataFrame


PLAN_TABLES = tuple(field.name for field in fields(NightPlan) if field.name != "as_of")


_UNEVEN_DEMAND = 0.1
"""Share by which demand over the cover may differ from that of the days an override holds."""


@dataclass(frozen=True)
class Explained:
    """Quantities with their drivers: rows of `lines` and `drivers` belong together."""

    lines: pd.DataFrame
    drivers: pd.DataFrame


def explain_orders(plan: NightPlan, also: Pairs | None = None) -> Explained:
    """The night's order lines; and, at quantity zero, (item, vendor) pairs of items without one."""
    orders = _text(plan.purchase_orders, "item_id", "vendor_id", "order_line_id")
    targets = _text(plan.network_targets, "item_id", "vendor_id").rename(
        columns={
            "order_up_to_units": "target_units",
            "unpriced_order_up_to_units": "unpriced_target_units",
        }
    )
    on_hand = by_item(node_stock(plan.stock, plan.as_of))
    zero = _unordered(plan, _missing(orders, also, ["item_id"]), targets, on_hand)
    lines = (
        pd.concat([orders, zero], ignore_index=True)
        .merge(targets, on=["item_id", "vendor_id"], how="left")
        .merge(
            _text(plan.vendor_items, "item_id", "vendor_id")[
                ["item_id", "vendor_id", "moq_units", "case_pack_units"]
            ],
            on=["item_id", "vendor_id"],
            how="left",
        )
    )
    level = lines["order_up_to_units"].astype("float64")
    for name in ("target_units", "unpriced_target_units"):
        lines[name] = lines[name].astype("float64").fillna(level)
    for name, default in (("cover_demand_units", 0), ("node_override_units", 0),
                          ("sold_out_units", 0),
                          ("built_ahead_units", 0), ("service_units", 0), ("cover_days", 0),
                          ("moq_units", 0),
                          ("case_pack_units", 1)):  # fmt: skip
        lines[name] = lines[name].astype("float64").fillna(default)
    notes = override_notes(
        lines[["item_id"]], plan.overrides, "order_units", plan.as_of, lines["order_units"],
        lines[["case_pack_units", "moq_units"]].max(axis=1),
    )  # fmt: skip
    at_nodes = override_notes(
        lines[["item_id"]], plan.overrides, "base_stock_units", plan.as_of, lines["target_units"],
        lines["target_units"].abs(),
    )  # fmt: skip
    is_by_node = lines["node_override_units"] != 0
    is_by_order = notes != ""
    notes = notes.where(is_by_order | ~is_by_node, at_nodes)
    daily = lines["cover_demand_units"] / lines["cover_days"].clip(lower=1)
    lines["demand_note"] = override_notes(
        lines, plan.overrides, "demand", plan.as_of, daily, daily * _UNEVEN_DEMAND
    )
    held_back = (lines["order_units"] == 0) & is_by_order
    usual = usual_quantity(
        (lines["order_up_to_units"] - lines["inventory_position_units"]).to_numpy(dtype="int64"),
        lines["moq_units"].to_numpy(dtype="int64"),
        lines["case_pack_units"].to_numpy(dtype="int64"),
    )
    # What an override held back altogether is measured against the need in whole cases.
    lines["override_units"] = lines["override_units"].where(~held_back, -usual).astype("int64")
    is_named = held_back | (lines["override_units"] != 0) | is_by_node
    lines["override_note"] = notes.where(is_named, "")
    return Explained(lines, order_drivers(lines, on_hand))


def explain_transfers(plan: NightPlan, also: Pairs | None = None) -> Explained:
    """The night's transfers and, at quantity zero, the (item, from, to) triples of `also`."""
    keys = ["item_id", "from_node_id", "to_node_id"]
    moves = _text(plan.transfers, *keys, "transfer_id")
    zero = pd.DataFrame(_missing(moves, also, keys), columns=keys, dtype="str")
    zero = zero.assign(transfer_id="", transfer_units=0, cases=0)
    lines = pd.concat([moves, zero], ignore_index=True).merge(
        _text(plan.base_stock_levels, "item_id", "node_id"),
        left_on=["item_id", "to_node_id"],
        right_on=["item_id", "node_id"],
        how="left",
    )
    for name in ("base_stock_units", "unpriced_base_stock_units", "filled_ahead_units",
                 "service_units", "expected_demand_units", "protection_days"):  # fmt: skip
        lines[name] = lines[name].astype("float64").fillna(0)
    case = plan.vendor_items.astype({"item_id": "str"}).groupby("item_id")["case_pack_units"].min()
    cases = lines["item_id"].map(case).astype("float64").fillna(1).astype("int64")
    is_whole = lines["transfer_units"] % cases == 0
    lines["case_units"] = cases.where(is_whole, 1)
    receiver = pd.MultiIndex.from_frame(lines[["item_id", "to_node_id"]])
    lines["on_hand_units"] = _at(node_stock(plan.stock, plan.as_of), receiver)
    days = interval_days(plan.base_stock_levels)
    coming = node_inbound(plan.open_orders, plan.open_transfers, plan.as_of, days)
    inbound = _at(coming, receiver)
    tonight = lines.groupby(["item_id", "to_node_id"])["transfer_units"].transform("sum")
    lines["inbound_units"] = inbound + (tonight - lines["transfer_units"]).to_numpy()
    lines["override_note"] = override_notes(
        lines.drop(columns="cover_days", errors="ignore"), plan.overrides, "base_stock_units",
        plan.as_of, lines["base_stock_units"], lines["case_units"] * 0, "to_node_id",
    )  # fmt: skip
    # A level that says what the plan says anyway is the plan's.
    is_changed = lines["override_units"].fillna(0) != 0
    lines["override_note"] = lines["override_note"].where(is_changed, "")
    overridden = (lines["override_note"] != "").to_numpy(dtype=bool)
    return Explained(lines, transfer_drivers(lines, overridden))


def order_sentences(
    orders: Explained, vendor_names: pd.Series, life_notes: pd.Series | None = None
) -> list[str]:
    """One sentence for each line; `vendor_names` by vendor_id, `life_notes` by item_id."""
    lines = orders.lines
    life = pd.Series(dtype="object") if life_notes is None else life_notes
    names = lines["vendor_id"].map(vendor_names).fillna(lines["vendor_id"])
    facts = zip(
        lines["order_units"].astype(int), lines["case_pack_units"].astype(int), names,
        lines["cover_days"], lines["reason_code"].astype("str"), lines["override_note"],
        lines["demand_note"], _week_names(lines["built_ahead_week"]),
        lines["service_note"].astype("object").fillna(""),
        lines["item_id"].map(life).astype("object").fillna(""), strict=True,
    )  # fmt: skip
    return [
        order_sentence(OrderFacts(*fact), dict(zip(DRIVERS, row, strict=True)))
        for fact, row in zip(facts, orders.drivers.to_numpy().tolist(), strict=True)
    ]


def _week_names(weeks: pd.Series) -> pd.Series:
    """Days as text, empty where there is none."""
    return pd.to_datetime(weeks).dt.strftime("%Y-%m-%d").fillna("").astype("str")


def transfer_sentences(
    moves: Explained, node_names: pd.Series, source_notes: list[str] | None = None
) -> list[str]:
    """One sentence for each transfer; `node_names` by node_id, `source_notes` by line."""
    lines = moves.lines
    notes = source_notes or [TransferFacts.source_note] * len(lines)
    facts = zip(
        lines["transfer_units"].astype(int), lines["case_units"].astype(int),
        lines["from_node_id"].map(node_names).fillna(lines["from_node_id"]),
        lines["to_node_id"].map(node_names).fillna(lines["to_node_id"]),
        lines["protection_days"], lines["override_note"], notes,
        lines["relief_units"].fillna(0).astype(int), strict=True,
    )  # fmt: skip
    return [
        transfer_sentence(TransferFacts(*fact), dict(zip(TRANSFER_DRIVERS, row, strict=True)))
        for fact, row in zip(facts, moves.drivers.to_numpy().tolist(), strict=True)
    ]


def _unordered(
    plan: NightPlan, pairs: Pairs, targets: pd.DataFrame, on_hand: pd.Series
) -> pd.DataFrame:
    """Lines of quantity zero, with the level and position that would have led to an order."""
    columns = ["item_id", "vendor_id"]
    zero = pd.DataFrame(pairs, columns=columns, dtype="str")
    levels = zero.merge(targets, on=columns, how="left")
    numbers = levels.select_dtypes("number").columns
    levels[numbers] = levels[numbers].fillna(0)
    lead_days = levels.set_index(columns)["cover_days"].astype("float64")
    coming = vendor_on_order(plan.open_orders, plan.open_transfers, lead_days, plan.as_of)
    on_order = _at(coming, pd.MultiIndex.from_frame(zero))
    return zero.assign(
        order_line_id="", order_units=0, cases=0, override_units=0, reason_code="below_order_up_to",
        order_up_to_units=(levels["target_units"] - levels["sold_out_units"]).clip(lower=0)
        .astype("int64"),
        inventory_position_units=zero["item_id"].map(on_hand).fillna(0).astype("int64") + on_order,
    )  # fmt: skip


def _missing(present: pd.DataFrame, wanted: Pairs | None, keys: list[str]) -> Pairs:
    """Those of `wanted` whose first values are no key that is present, each key once."""
    there = set(present[keys].itertuples(index=False, name=None))
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for pair in wanted or []:
        if pair[: len(keys)] not in there:
            found.setdefault(pair[: len(keys)], pair)
    return list(found.values())


def _text(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(columns, "str"))


def _at(units: pd.Series, index: pd.MultiIndex) -> npt.NDArray[np.int64]:
    return units.reindex(index, fill_value=0).to_numpy(dtype="int64")
