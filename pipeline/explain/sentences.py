"""One sentence a planner can read, built from the drivers and true for every sign of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.contracts.columns import RAISED_WORDS

_LIMIT_WORDS = {
    "vendor_capacity": "the vendor takes no more in one order",
    "cover_limit": "its sales are too uncertain to stock that far ahead at once",
    "item_end": "no more is expected to sell before the item's last day",
    "shelf_life": "no more is expected to sell within its shelf life",
    "quiet": "it may be dead: an override orders more",
    "silent": "it may be dead: safety stock waits until it sells again, or for an override",
    "truck_fill": "its truck holds no more",
    "budget": "the budget is better spent on other items",
}


@dataclass(frozen=True)
class OrderFacts:
    """What an order's sentence tells beside the drivers."""

    units: int
    case_units: int
    vendor: str
    cover_days: float
    reason_code: str
    override_note: str = ""
    demand_note: str = ""
    ahead_week: str = ""
    asked: str = ""
    life_note: str = ""


@dataclass(frozen=True)
class TransferFacts:
    """What a transfer's sentence tells beside the drivers."""

    units: int
    case_units: int
    source: str
    target: str
    cover_days: float
    override_note: str = ""
    source_note: str = "the source needs them more"
    relief_units: int = 0


def order_sentence(facts: OrderFacts, drivers: Mapping[str, int]) -> str:
    """Why this much is ordered, e.g. 'Order 48 (4 cases of 12) from Acme: 120 expected …'."""
    if facts.units:
        head = f"Order {_packs(facts.units, facts.case_units)} from {facts.vendor}"
    else:
        head = f"No order from {facts.vendor}"
    until = f"over the {_days(facts.cover_days)} this order must last"
    if facts.demand_note:
        until += f" with a planner's override ({facts.demand_note})"
    parts = [
        _level(
            drivers,
            "sell",
            until,
            "that would cost more to hold than they would earn",
            facts.ahead_week,
            facts.asked,
        ),
        _have(-drivers["stock_on_hand"], -drivers["on_order"], "on hand"),
        _need(drivers, "to order"),
        _order_rounding(facts, drivers),
        _override(drivers["override"], facts.override_note),
    ]
    life = f" {facts.life_note}." if facts.life_note else ""
    return f"{head}: {'; '.join(part for part in parts if part)}.{life}"


def transfer_sentence(facts: TransferFacts, drivers: Mapping[str, int]) -> str:
    """Why this much is moved, e.g. 'Move 24 (2 cases) from A to B: 30 expected to be needed …'."""
    head = f"Move {_packs(facts.units, facts.case_units)} from {facts.source} to {facts.target}"
    parts = [
        _level(
            drivers,
            "be needed there",
            f"over the next {_days(facts.cover_days)}",
            "that are better served from another node",
        ),
        _override(drivers["override"], facts.override_note),
        _have(-drivers["stock_on_hand"], -drivers["on_order"], "there"),
        _need(drivers, "to bring", drivers["override"]),
        _source(drivers["source_limit"], facts.source_note, facts.relief_units),
        _rounded(drivers["rounding"]),
    ]
    return f"{head}: {'; '.join(part for part in parts if part)}."


def change_sentence(
    subject: str, previous: int, current: int, changes: Mapping[str, int], shown: int = 3
) -> str:
    """What changed since yesterday and why: the largest changes of drivers, the rest summed."""
    ranked = sorted((name for name in changes if changes[name]), key=lambda n: -abs(changes[n]))
    named = [f"{_CHANGE_WORDS[name][changes[name] < 0]} ({changes[name]:+,})"
             for name in ranked[:shown]]  # fmt: skip
    rest = sum(changes[name] for name in ranked[shown:])
    if rest:
        named.append(f"other effects ({rest:+,})")
    if previous == 0:
        head = f"{subject}: {current:,} today, none yesterday"
    elif current == 0:
        head = f"{subject}: none today, {previous:,} yesterday"
    else:
        word = "up" if current > previous else "down"
        head = f"{subject}: {word} {abs(current - previous):,}, from {previous:,} to {current:,}"
    return f"{head}: {', '.join(named)}." if named else f"{head}."


_CHANGE_WORDS = {
    "demand_over_cover": ("more expected demand", "less expected demand"),
    "safety_stock": ("more safety stock", "less safety stock"),
    "built_ahead": ("more built ahead of later weeks", "less built ahead of later weeks"),
    "capacity_price": ("warehouse space is less scarce", "warehouse space is scarcer"),
    "service_target": ("more for service targets", "less for service targets"),
    "sold_out": ("less lost before an order can come", "more lost before an order can come"),
    "stock_on_hand": ("less stock on hand", "more stock on hand"),
    "on_order": ("less on the way", "more on the way"),
    "source_limit": ("more to give at the source", "less to give at the source"),
    "rounding": ("packs, limits and timing", "packs, limits and timing"),
    "override": ("planner's override", "planner's override"),
}


def _level(
    drivers: Mapping[str, int], verb: str, until: str, why_less: str, ahead_week: str = "",
    asked: str = "",
) -> str:  # fmt: skip
    demand, safety = drivers["demand_over_cover"], drivers["safety_stock"]
    price = drivers["capacity_price"]
    text = f"{f'{demand:,}' if demand else 'none'} expected to {verb} {until}"
    if safety > 0:
        text += f", plus {safety:,} safety stock"
    elif safety < 0:
        text += f", less {-safety:,} {why_less}"
    early = drivers.get("built_ahead", 0)
    if early > 0:
        week = f"the week of {ahead_week}" if ahead_week else "a later week"
        text += f", plus {early:,} built ahead for {week}, which cannot take them in itself"
    if price > 0:
        text += f", plus {price:,} because space is scarcer still elsewhere"
    elif price < 0:
        text += f", less {-price:,} because warehouse capacity is scarce"
    service = drivers.get("service_target", 0)
    if service > 0:
        text += f", plus {service:,} for {f'the target of {asked}' if asked else 'service targets'}"
    elif service < 0:
        text += f", less {-service:,} that service targets need elsewhere"
    if (lost := -drivers.get("sold_out", 0)) > 0:
        text += f", less {lost:,} that will be sold out before it can come"
    return text


def _have(held: int, coming: int, where: str) -> str:
    if coming < 0:
        return f"{held:,} {where}, of which {-coming:,} are promised already"
    if held and coming:
        return f"{held:,} {where} and {coming:,} on the way"
    if coming:
        return f"nothing {where}, {coming:,} on the way"
    return f"{held:,} {where}, nothing on the way" if held else f"nothing {where} or on the way"


def _needed(drivers: Mapping[str, int]) -> int:
    names = ("demand_over_cover", "safety_stock", "built_ahead", "capacity_price",
             "service_target", "sold_out", "stock_on_hand", "on_order")  # fmt: skip
    return sum(drivers.get(name, 0) for name in names)


def _need(drivers: Mapping[str, int], verb: str, override: int = 0) -> str:
    need = _needed(drivers) + override
    if need > 0:
        return f"leaves {need:,} {verb}"
    return f"that is {-need:,} more than needed" if need else "that is just enough"


def _order_rounding(facts: OrderFacts, drivers: Mapping[str, int]) -> str:
    units, need = drivers["rounding"], _needed(drivers)
    if need + units == 0 or units == 0:
        return f"the {need:,} wait for another night" if need > 0 and units else ""
    if facts.reason_code in RAISED_WORDS and units > 0:
        return f"raised by {units:,} {RAISED_WORDS[facts.reason_code]}"
    if facts.reason_code in _LIMIT_WORDS and units < 0:
        return f"cut by {-units:,} because {_LIMIT_WORDS[facts.reason_code]}"
    if abs(units) < facts.case_units:
        return _rounded(units)
    if units > 0:
        return f"raised by {units:,}, which bring more in sales than it costs to hold them"
    return f"cut by {-units:,}, which would cost more to hold than they bring in sales"


def _rounded(units: int) -> str:
    if units == 0:
        return ""
    return f"rounded {'up' if units > 0 else 'down'} by {abs(units):,} to full cases"


def _source(units: int, note: str, relief: int = 0) -> str:
    if units == 0:
        return ""
    if units > 0 and relief:
        return f"{units:,} more than that, because the source will have no space for them"
    if units > 0:
        return f"{units:,} more than that, because they are worth more there than at the source"
    return f"{-units:,} less than that, because {note}"


def _override(units: int, note: str) -> str:
    if units == 0 and not note:
        return ""
    why = f" ({note})" if note else ""
    if units == 0:
        return f"a planner's override changes nothing{why}"
    return f"a planner's override {'adds' if units > 0 else 'takes off'} {abs(units):,}{why}"


def _packs(units: int, case: int) -> str:
    if case == 1 or units % case:
        return f"{units:,}"
    cases = units // case
    return f"{units:,} ({cases:,} case{'' if cases == 1 else 's'} of {case:,})"


def _days(days: float) -> str:
    whole = max(1, round(days))
    return "day" if whole == 1 else f"{whole:,} days"
