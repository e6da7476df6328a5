"""Shapley shares of every order, transfer and level between two nights.

Each coalition of input groups is planned once: the groups in it are those of the later night, the
others those of the earlier one, on the later business date. What is left between the nights as
planned and these plans is the calendar's (weekdays) where the solver runs each time, and that of
fitting all into the capacity where it does not; what a rerun by today's code changes of a night is
the code's. So the shares add up to published after - before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.core.shapley import EXACT_PLAYERS, ORDERS, Floats, coalitions_asked, shapley
from pipeline.errors import MissingPartitionError, UsageError
from pipeline.since.groups import CALENDAR, CODE, FIT, SINCE_DRIVERS, Tables
from pipeline.since.swapped import Swapped
from pipeline.store import Store, code_version

KEYS = ["measure", "item_id", "vendor_id", "from_node_id", "node_id"]
MEASURES = {
    "order_units": ("purchase_orders", "order_units", ("item_id", "vendor_id")),
    "order_usd": ("purchase_orders", "order_cost_usd", ("item_id", "vendor_id")),
    "transfer_units": ("transfers", "transfer_units", ("item_id", "from_node_id", "to_node_id")),
    "base_stock_units": ("base_stock_levels", "base_stock_units", ("item_id", "node_id")),
    "order_up_to_units": ("network_targets", "order_up_to_units", ("item_id", "vendor_id")),
}  # fmt: skip
"""Measure -> table, column and key columns; a transfer's node is the one that receives."""


@dataclass(frozen=True)
class Planned:
    """A planned night: where it lies, its business date, the settings it was planned with."""

    store: Store
    as_of: date
    settings: Settings


@dataclass(frozen=True)
class Since:
    """What changed from `before` to `after`, and why.

    frame: KEYS, `before`, `after`, and a column for each of SINCE_DRIVERS that add up to after -
    before, for all that either night has. differing: the groups of
    inputs that differ. is_sampled: shares are means over some orders, not over all. plans: how
    often the night was planned again.
    """

    before: date
    after: date
    frame: pd.DataFrame
    differing: tuple[str, ...]
    is_sampled: bool
    is_full: bool
    plans: int

    @property
    def moved(self) -> pd.DataFrame:
        """The rows of `frame` that changed, or that causes moved and moved back."""
        causes = (self.frame[list(SINCE_DRIVERS)].abs() > 1e-9).any(axis=1)
        return self.frame[causes | (self.frame["before"] != self.frame["after"])]


def changes_between(
    before: Planned, after: Planned, is_full: bool = False, exact_players: int = EXACT_PLAYERS,
    orders: int = ORDERS, on_plan: Callable[[int, int], None] | None = None,
) -> Since:  # fmt: skip
    """Shares of all changes; `on_plan` is told after each of how many reruns.

    is_full: every coalition is solved anew; else items answer at the nights' prices of capacity
    (published; of room for transfers, the placement's own), and what solving does beyond that
    stands under `fit_to_capacity`.

    Raises UsageError where a night is not planned, or its settings are not known.
    """
    published = _published(before), _published(after)
    world = Swapped(before, after, is_full)
    players = world.differing
    asked = coalitions_asked(players, exact_players, orders)
    values: dict[frozenset[str], pd.Series] = {}
    for number, chosen in enumerate(asked, start=1):
        values[chosen] = measured(world.planned(chosen))
        if on_plan:
            on_plan(number, len(asked))
    again = [
        series if _is_own_code(night) else measured(world.again(is_new))
        for is_new, night, series in zip((False, True), (before, after), published, strict=True)
    ]
    every = (*values.values(), *published, *again)
    keys = sorted(set().union(*(set(series.index) for series in every)))
    index = pd.MultiIndex.from_tuples(keys, names=KEYS)

    def aligned(series: pd.Series) -> Floats:
        return series.reindex(index, fill_value=0.0).to_numpy(dtype=np.float64)

    shares = shapley(players, lambda chosen: aligned(values[chosen]), exact_players, orders)
    none, whole = aligned(values[frozenset()]), aligned(values[frozenset(players)])
    left = (none - aligned(again[0])) + (aligned(again[1]) - whole)
    rest = CALENDAR if is_full else FIT
    shares[rest] = shares.get(rest, np.zeros(len(index))) + left
    shares[CODE] = (aligned(again[0]) - aligned(published[0])) + (
        aligned(published[1]) - aligned(again[1])
    )
    frame = index.to_frame(index=False)
    frame["before"], frame["after"] = aligned(published[0]), aligned(published[1])
    for driver in SINCE_DRIVERS:
        frame[driver] = shares.get(driver, np.zeros(len(frame)))
    return Since(
        before.as_of, after.as_of, frame, tuple(players), len(players) > exact_players, is_full,
        len(asked),
    )  # fmt: skip


def measured(tables: Tables) -> pd.Series:
    """The measures of a plan, by KEYS; 0 is left out."""
    parts = []
    for measure, (table, column, keys) in MEASURES.items():
        named = tables[table].astype(dict.fromkeys(keys, "str"))
        frame = named.groupby(list(keys), observed=True)[column].sum().reset_index(name="value")
        frame = frame.rename(columns={"to_node_id": "node_id"}).assign(measure=measure)
        parts.append(frame[frame["value"] != 0])
    whole = pd.concat(parts, ignore_index=True)
    whole[KEYS] = whole[KEYS].astype("object").fillna("")
    return whole.set_index(KEYS)["value"].astype("float64")


def _is_own_code(night: Planned) -> bool:
    """Whether the night's levels were made by the code that runs now."""
    manifest = night.store.manifest(night.as_of, "network_targets") or {}
    return bool(manifest.get("code_version") == code_version())


def _published(night: Planned) -> pd.Series:
    names = {table for table, _, _ in MEASURES.values()}
    try:
        return measured({name: night.store.read(night.as_of, name) for name in names})
    except MissingPartitionError as error:
        days = night.store.dates("network_targets")
        known = f"Planned nights: {days[0]} to {days[-1]}." if days else "No night is planned."
        raise UsageError(
            f"the night of {night.as_of} is not planned. {known} Next: name one."
        ) from error
