"""What a policy sees at night, and what it may decide: frames in the project's own columns.

A policy never sees true arrival dates, unserved demand or anything after the business date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.settings import Settings
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.state import Decisions
from pipeline.simulate.world.supply import Ints

ORDER_COLUMNS = (
    "vendor_id", "item_id", "node_id", "units", "unit_cost_usd", "expected_arrival_date",
)  # fmt: skip
TRANSFER_COLUMNS = (
    "item_id", "from_node_id", "to_node_id", "transfer_units", "expected_arrival_date",
)  # fmt: skip

_MOST_UNITS = 1e12


@dataclass(frozen=True)
class Situation:
    """The end of a business date.

    tables: the tables of the night that the policy declares in `reads`; on_hand: [items, nodes];
    coming: [items, nodes] units on the way to each node, orders and transfers; worked: what a
    policy made of the tables, handed to it again as long as the tables are the same.
    """

    as_of: date
    model: WorldModel
    settings: Settings
    tables: Mapping[str, pd.DataFrame]
    on_hand: Ints
    coming: Ints
    worked: dict[str, Any] = field(default_factory=dict)

    @property
    def tomorrow(self) -> pd.DatetimeIndex:
        """The day that is planned."""
        return pd.DatetimeIndex([pd.Timestamp(self.as_of) + pd.Timedelta(days=1)])


@dataclass(frozen=True)
class Plan:
    """Tonight's orders (ORDER_COLUMNS) and transfers (TRANSFER_COLUMNS)."""

    orders: pd.DataFrame
    transfers: pd.DataFrame


class Policy(Protocol):
    """A way to plan. Write a class with these members and name it `module:Class`
    (docs/policies.md), or add it to `policies.POLICIES`.

    stages: stages of the night to run before `decide`, in order; every_days: on how many nights
    they are run (1: every night); reads: tables of theirs, and of ingest, that `decide` needs.
    """

    @property
    def name(self) -> str:
        """Name in commands and tables."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Stages to run first."""

    @property
    def every_days(self) -> int:
        """On every how many nights."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Tables to hand to `decide`."""

    def decide(self, situation: Situation) -> Plan:
        """The orders and transfers of the night."""


def to_decisions(plan: Plan, model: WorldModel) -> Decisions:
    """The plan by position, for the world to judge: -1 for an unknown identifier, 0 units where
    they are not a whole number, day 0 where no date is given."""
    orders, transfers = plan.orders, plan.transfers
    return Decisions(
        _at(model.vendors, orders["vendor_id"]), _at(model.items, orders["item_id"]),
        _at(model.nodes, orders["node_id"]), _whole(orders["units"]),
        pd.to_numeric(orders["unit_cost_usd"], errors="coerce").to_numpy(float),
        _days(orders["expected_arrival_date"]),
        _at(model.items, transfers["item_id"]), _at(model.nodes, transfers["from_node_id"]),
        _at(model.nodes, transfers["to_node_id"]),
        _whole(transfers["transfer_units"]), _days(transfers["expected_arrival_date"]),
    )  # fmt: skip


def _at(names: pd.Index, values: pd.Series) -> Ints:
    return names.get_indexer(values.astype("str")).astype(np.int64)


def _whole(values: pd.Series) -> Ints:
    units = pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)
    is_whole = np.isfinite(units) & (np.abs(units) < _MOST_UNITS) & (units == np.round(units))
    return np.where(is_whole, units, 0).astype(np.int64)


def _days(values: pd.Series) -> NDArray[np.int64]:
    days = pd.to_datetime(values, errors="coerce").to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), 0, days.astype(np.int64))
