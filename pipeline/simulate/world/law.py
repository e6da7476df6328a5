"""The law of the network: what a plan may ask for; what it may not is refused, counted and named.

A policy must not win by error: a line that a vendor, a dock or a lane of a real network would not
take does not happen here either. Lines are judged one by one, then what is left of an item and of a
vendor together (minimums, capacity). Nothing is corrected, but a transfer of more than is there
moves what is there, and the rest of it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.delivery import by_two
from pipeline.simulate.world.model import Tables, WorldModel
from pipeline.simulate.world.state import Decisions
from pipeline.simulate.world.supply import Ints
from pipeline.simulate.world.vendor_days import OrderDays, order_days

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
RULES = (
    "unknown_name", "units_not_whole_and_positive", "vendor_does_not_sell", "cost_not_quoted",
    "broken_case", "node_takes_no_orders", "node_refuses_size", "arrival_before_departure",
    "below_item_minimum", "above_vendor_capacity", "below_vendor_minimum", "no_such_lane",
    "units_not_there", "vendor_takes_no_orders",
)  # fmt: skip
"""Why a line is refused; a refusal names the first that holds."""
_USD = 0.005  # a quoted cost may be rounded to the cent


@dataclass(frozen=True)
class Law:
    """What vendors sell and nodes take; NaN where a vendor does not sell an item.

    cost_usd, case_units, least_units: [vendors, items]; least_usd: [vendors] of a night's order;
    most_units: [vendors] of a night's order, inf without limit; receives: [nodes]; has_lane:
    [nodes, nodes]; days: on which vendors take orders.
    """

    cost_usd: Floats
    case_units: Floats
    least_units: Floats
    least_usd: Floats
    most_units: Floats
    receives: Mask
    has_lane: Mask
    days: OrderDays


@dataclass(frozen=True)
class Refusals:
    """Lines that did not happen; all arrays of one length, positions as in the model, -1 for none.

    rule: place in RULES; vendor: -1 for a transfer; source: -1 for an order; units as asked.
    """

    rule: Ints
    vendor: Ints
    item: Ints
    source: Ints
    node: Ints
    units: Ints

    def plus(self, other: Refusals) -> Refusals:
        """These, then the other's."""
        return Refusals(*(
            np.concatenate([mine, theirs])
            for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)
        ))  # fmt: skip

    def where(self, mask: Mask) -> Refusals:
        """Those that the mask selects."""
        return Refusals(*(value[mask] for value in vars(self).values()))


def network_law(tables: Tables, model: WorldModel) -> Law:
    """The law that the raw tables tell."""
    terms, vendors = tables["vendor_items"], tables["vendors"]
    ends = ("vendor_id", "item_id")
    found = [
        by_two(terms, name, model.vendors, model.items, np.nan, *ends)
        for name in ("unit_cost_usd", "case_pack_units", "moq_units")
    ]
    rows = vendors.set_index(vendors["vendor_id"].astype("str")).reindex(model.vendors)
    most = np.full(len(model.vendors), np.inf)
    if "vendor_capacity_units_per_order" in rows:
        limit = pd.to_numeric(rows["vendor_capacity_units_per_order"], errors="coerce")
        most = limit.astype("float64").fillna(np.inf).to_numpy(float)
    nodes = tables["nodes"].set_index(tables["nodes"]["node_id"].astype("str")).loc[model.nodes]
    lanes = tables["lanes"].assign(has_lane=1.0)
    lane = by_two(lanes, "has_lane", model.nodes, model.nodes, 0.0, "from_node_id", "to_node_id")
    return Law(
        found[0], found[1], found[2], rows["order_minimum_usd"].fillna(0.0).to_numpy(float), most,
        nodes["is_vendor_receiving"].to_numpy(bool), lane > 0,
        order_days(vendors, tables.get("closures"), model.vendors),
    )  # fmt: skip


def uphold(
    law: Law, model: WorldModel, plan: Decisions, on_hand: Ints, day: int
) -> tuple[Decisions, Refusals]:
    """The lawful part of a plan that is carried out on `day`, and what was refused of it.

    on_hand: [items, nodes] after the morning's receipts.
    """
    orders = _judge_orders(law, model, plan, day)
    moves, moved = _judge_transfers(law, model, plan, on_hand)
    kept, going = orders < 0, moved > 0
    lawful = replace(
        plan,
        **{name: getattr(plan, name)[kept] for name in
           ("vendor", "item", "node", "units", "unit_cost_usd", "expected_day")},
        **{f"transfer_{name}": getattr(plan, f"transfer_{name}")[going]
           for name in ("item", "source", "node", "arrival_day")},
        transfer_units=moved[going],
    )  # fmt: skip
    lost = plan.transfer_units - moved
    none = np.full(len(moves), -1, dtype=np.int64)
    by_order = Refusals(orders, plan.vendor, plan.item, np.full(len(orders), -1, dtype=np.int64),
                        plan.node, plan.units).where(~kept)  # fmt: skip
    by_move = Refusals(moves, none, plan.transfer_item, plan.transfer_source, plan.transfer_node,
                       lost).where(moves >= 0)  # fmt: skip
    return lawful, by_order.plus(by_move)


def _judge_orders(law: Law, model: WorldModel, plan: Decisions, day: int) -> Ints:
    """[lines] the rule that each order line breaks, -1 for none."""
    is_known = (plan.vendor >= 0) & (plan.item >= 0) & (plan.node >= 0)
    vendor, item, node = (np.where(is_known, x, 0) for x in (plan.vendor, plan.item, plan.node))
    rule = np.full(len(item), -1, dtype=np.int64)
    if not len(item):
        return rule
    cost, case = law.cost_usd[vendor, item], law.case_units[vendor, item]
    sells = np.isfinite(cost)
    _mark(rule, ~is_known, "unknown_name")
    _mark(rule, plan.units <= 0, "units_not_whole_and_positive")
    _mark(rule, ~sells, "vendor_does_not_sell")
    _mark(rule, ~law.days.takes(day)[vendor], "vendor_takes_no_orders")
    _mark(rule, ~(np.abs(plan.unit_cost_usd - cost) <= _USD), "cost_not_quoted")
    _mark(rule, plan.units % np.where(sells, np.maximum(case, 1), 1) != 0, "broken_case")
    _mark(rule, ~law.receives[node], "node_takes_no_orders")
    _mark(rule, ~model.may_hold[item, node], "node_refuses_size")
    _mark(rule, plan.expected_day < day, "arrival_before_departure")
    pair = vendor * len(model.items) + item
    total = _totals(pair, np.where(rule < 0, plan.units, 0))
    _mark(rule, total < np.where(sells, law.least_units[vendor, item], 0), "below_item_minimum")
    units = np.where(rule < 0, plan.units, 0).astype(float)
    _mark(rule, _running(vendor, units) > law.most_units[vendor], "above_vendor_capacity")
    usd = _totals(vendor, np.where(rule < 0, plan.units * np.where(sells, cost, 0.0), 0.0))
    _mark(rule, usd < law.least_usd[vendor] - _USD, "below_vendor_minimum")
    return rule


def _judge_transfers(
    law: Law, model: WorldModel, plan: Decisions, on_hand: Ints
) -> tuple[Ints, Ints]:
    """[lines] the rule that each transfer breaks, -1 for none; and the units that may leave."""
    ends = (plan.transfer_item, plan.transfer_source, plan.transfer_node)
    is_known = np.all([x >= 0 for x in ends], axis=0)
    item, source, node = (np.where(is_known, x, 0) for x in ends)
    units = plan.transfer_units
    rule = np.full(len(units), -1, dtype=np.int64)
    if not len(units):
        return rule, units
    _mark(rule, ~is_known, "unknown_name")
    _mark(rule, units <= 0, "units_not_whole_and_positive")
    _mark(rule, ~law.has_lane[source, node], "no_such_lane")
    _mark(rule, ~model.may_hold[item, node], "node_refuses_size")
    asked = np.where(rule < 0, units, 0)
    before = _running(item * len(model.nodes) + source, asked.astype(float)) - asked
    moved = np.clip(on_hand[item, source] - before.astype(np.int64), 0, asked)
    _mark(rule, moved < asked, "units_not_there")
    return rule, moved


def _mark(rule: Ints, is_broken: Mask, name: str) -> None:
    rule[(rule < 0) & is_broken] = RULES.index(name)


def _totals(group: Ints, values: NDArray) -> NDArray:
    """[lines] the sum of the line's group."""
    _, place = np.unique(group, return_inverse=True)
    return np.bincount(place, values)[place]


def _running(group: Ints, values: Floats) -> Floats:
    """[lines] the sum of the line's group up to and with the line, in the order of lines."""
    order = np.argsort(group, kind="stable")
    sums = np.cumsum(values[order])
    is_first = np.diff(group[order], prepend=group[order[0]] - 1) != 0
    before = np.maximum.accumulate(np.where(is_first, sums - values[order], 0.0))
    found = np.empty_like(sums)
    found[order] = sums - before
    return found
