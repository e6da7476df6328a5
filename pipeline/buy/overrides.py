"""Planners' order overrides: what they make of the quantity that would be ordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd


@dataclass(frozen=True)
class OrderRule:
    """One override in force: its id, kind (see contracts.columns.OVERRIDE_KINDS) and value."""

    override_id: str
    kind: str
    value: float


def order_rules(overrides: pd.DataFrame, as_of: date) -> dict[str, list[OrderRule]]:
    """Rules in force on the day that is planned (as_of + 1), by item_id; '' for all items.

    An order is for the network: a node named by an order override is not looked at.
    """
    day = pd.Timestamp(as_of + timedelta(days=1))
    is_ours = overrides["override_target"].astype("str") == "order_units"
    in_force = (overrides["start_date"] <= day) & (overrides["expiry_date"] >= day)
    rules: dict[str, list[OrderRule]] = {}
    ours = overrides[is_ours & in_force].sort_values("override_id", kind="stable")
    scope = ours["item_id"].astype("str").where(ours["item_id"].notna(), "")
    kinds, values = ours["override_kind"].astype("str"), ours["override_value"].astype("float64")
    for item, *rule in zip(scope, ours["override_id"], kinds, values, strict=True):
        rules.setdefault(item, []).append(OrderRule(*rule))
    return rules


def overridden_units(units: int, rules: Sequence[OrderRule], case: int, moq: int) -> int:
    """Units to order where `units` would be ordered: set, multiply, then limits; a block wins.

    A vendor takes whole cases from the MOQ up: what is asked for rounds up, a ceiling rounds down
    (to nothing below the MOQ). Conflicting limits: the ceiling wins.
    """
    wanted = float(units)
    for rule in rules:
        if rule.kind == "set":
            wanted = rule.value
    for rule in rules:
        if rule.kind == "multiply":
            wanted *= rule.value
    floor = max((rule.value for rule in rules if rule.kind == "at_least"), default=0.0)
    wanted = max(wanted, floor)
    result = max(_up(wanted, case), moq) if wanted > 0 else 0
    ceiling = min((rule.value for rule in rules if rule.kind == "at_most"), default=float("inf"))
    if result > ceiling:
        result = int(ceiling // case) * case
        result = result if result >= moq else 0
    return 0 if any(rule.kind == "block" for rule in rules) else result


def _up(units: float, case: int) -> int:
    return int(-(-round(units, 6) // case)) * case
