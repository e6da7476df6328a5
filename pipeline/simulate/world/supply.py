"""What is on the way: vendor orders with random lead times and partial receipts, and transfers.

A lead time is drawn for (seed, vendor, item, order day), so that all policies meet the same luck
and a resumed run needs no memory of its draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.kernels import njit
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.randomness import draw_uniforms

Ints = NDArray[np.int64]
_LEAD, _PARTIAL, _SHARE, _DELAY, _KIND, _SIZE = range(6)  # streams of random numbers


@dataclass(frozen=True)
class Shipments:
    """Units on the way, one row a part; all arrays of one length, days counted from 1970-01-01.

    number: order line or transfer; vendor: -1 for a transfer; source: sending node, -1 for a
    vendor's order; arrival_day is known to the world only, expected_day to the planner.
    """

    number: Ints
    vendor: Ints
    item: Ints
    source: Ints
    node: Ints
    sent_day: Ints
    expected_day: Ints
    arrival_day: Ints
    units: Ints

    def __len__(self) -> int:
        return len(self.number)

    def where(self, mask: NDArray[np.bool_]) -> Shipments:
        """The rows that the mask selects."""
        return Shipments(*(getattr(self, field.name)[mask] for field in fields(self)))

    def plus(self, other: Shipments) -> Shipments:
        """These rows, then the other's."""
        return Shipments(*(
            np.concatenate([getattr(self, field.name), getattr(other, field.name)])
            for field in fields(self)
        ))  # fmt: skip


def day_number(when: pd.Timestamp | date) -> int:
    """Days since 1970-01-01."""
    return (pd.Timestamp(when) - pd.Timestamp("1970-01-01")).days


def nothing() -> Shipments:
    """No rows."""
    return Shipments(*(np.zeros(0, dtype=np.int64) for _ in fields(Shipments)))


@dataclass(frozen=True)
class Shock:
    """What becomes of orders of some pairs that are sent from first_day to last_day (since 1970).

    pair: [pairs] mask; factor multiplies the lead time, add_days and, with every week since the
    first day, drift_days_per_week are added; is_held: they leave only after the last day.
    """

    pair: NDArray[np.bool_]
    first_day: int
    last_day: int
    factor: float = 1.0
    add_days: float = 0.0
    drift_days_per_week: float = 0.0
    is_held: bool = False

    def on(self, days: Ints, pair: Ints, sent_day: Ints) -> Ints:
        """Lead times after the shock."""
        is_hit = self.pair[pair] & (sent_day >= self.first_day) & (sent_day <= self.last_day)
        drift = self.drift_days_per_week * (sent_day - self.first_day) / 7.0
        later = np.ceil(days * self.factor + self.add_days + drift - 1e-9).astype(np.int64)
        later += (self.last_day + 1 - sent_day) * self.is_held
        return np.where(is_hit, later, days)


@dataclass(frozen=True)
class LeadTimes:
    """Lead-time distributions of (vendor, item) pairs; pair = vendor * items + item.

    first: [pairs + 1]; days, cumulative: the possible lead times and their cumulative probability;
    shocks: what really happens beside, one after the other, and no planner knows.
    """

    first: Ints
    days: Ints
    cumulative: NDArray[np.float64]
    shocks: tuple[Shock, ...] = ()

    def with_shocks(self, more: Sequence[Shock]) -> LeadTimes:
        """These times, and what happens beside."""
        return replace(self, shocks=(*self.shocks, *more))

    def felt_from(self, shock: Shock) -> int | None:
        """The day (since 1970) on which the first order that a shock hits would have come; None
        where it hits no pair that is sold."""
        sold = np.flatnonzero(shock.pair & (self.first[:-1] < self.first[1:]))
        return shock.first_day + int(self.days[self.first[sold]].min()) if len(sold) else None

    def draw(self, pair: Ints, sent_day: Ints, u: NDArray[np.float64]) -> Ints:
        """Lead times in days for uniforms ``u``; pairs without a distribution raise ValueError."""
        if (self.first[pair] == self.first[pair + 1]).any():
            raise ValueError("an order to a vendor that does not sell the item")
        days = np.empty(len(pair), dtype=np.int64)
        _look_up(self.first, self.days, self.cumulative, pair, u, days)
        for shock in self.shocks:
            days = shock.on(days, pair, sent_day)
        return days


@njit(nogil=True, cache=True)
def _look_up(
    first: NDArray, days: NDArray, cumulative: NDArray, pair: NDArray, u: NDArray, out: NDArray
) -> None:
    """The first possible lead time whose cumulative probability exceeds u, pair by pair."""
    for i in range(len(pair)):
        step, last = first[pair[i]], first[pair[i] + 1] - 1
        while step < last and cumulative[step] <= u[i]:
            step += 1
        out[i] = days[step]


def lead_times(fitted: pd.DataFrame, vendor_items: pd.DataFrame, model: WorldModel) -> LeadTimes:
    """Distributions from the lead_times table; the quoted lead time where a pair has none."""
    quoted = vendor_items.rename(columns={"quoted_lead_time_days": "lead_time_days"})
    quoted = quoted[["vendor_id", "item_id", "lead_time_days"]].assign(probability=1.0)
    parts = []
    for rank, frame in enumerate((fitted, quoted)):
        vendor = model.vendors.get_indexer(frame["vendor_id"].astype("str"))
        item = model.items.get_indexer(frame["item_id"].astype("str"))
        parts.append(pd.DataFrame({
            "pair": vendor * len(model.items) + item, "rank": rank,
            "days": frame["lead_time_days"].to_numpy(), "p": frame["probability"].to_numpy(float),
        })[(vendor >= 0) & (item >= 0)])  # fmt: skip
    table = pd.concat(parts).sort_values(["pair", "rank", "days"], ignore_index=True)
    table = table[table["rank"] == table.groupby("pair")["rank"].transform("min")]
    cumulative = table.groupby("pair")["p"].cumsum() / table.groupby("pair")["p"].transform("sum")
    n_pairs = len(model.vendors) * len(model.items)
    first = np.searchsorted(table["pair"].to_numpy(), np.arange(n_pairs + 1))
    return LeadTimes(first, table["days"].to_numpy(np.int64), cumulative.to_numpy())


def luck(
    model: WorldModel, times: LeadTimes, seed: int, vendor: Ints, item: Ints, day: int
) -> tuple[Ints, NDArray[np.float64], Ints]:
    """What becomes of orders sent on a day: lead time, share that comes later, how much later."""
    n, rules = len(vendor), model.rules
    sent = np.full(n, day, dtype=np.int64)
    u = np.empty((4, n))
    for stream in range(4):
        draw_uniforms(seed, stream, model.vendor_key[vendor], model.item_key[item], sent, u[stream])
    lead = times.draw(vendor * len(model.items) + item, sent, u[_LEAD])
    share = np.where(u[_PARTIAL] < rules.partial_receipt_share, 0.1 + 0.4 * u[_SHARE], 0.0)
    delay = 1 + (u[_DELAY] * rules.partial_delay_days).astype(np.int64)
    return lead + rules.receiving_days, share, delay


def confirmed_units(
    model: WorldModel, seed: int, vendor: Ints, item: Ints, units: Ints, day: int
) -> Ints:
    """Units that vendors will send of tonight's lines, some fewer and some more than were ordered;
    one at least of each."""
    rules, n = model.rules, len(vendor)
    if not rules.short_share and not rules.over_share:
        return units
    u, sent = np.empty((2, n)), np.full(n, day, dtype=np.int64)
    for row, stream in enumerate((_KIND, _SIZE)):
        draw_uniforms(seed, stream, model.vendor_key[vendor], model.item_key[item], sent, u[row])
    is_short = u[0] < rules.short_share
    is_over = ~is_short & (u[0] < rules.short_share + rules.over_share)
    less, more = 0.05 + 0.25 * u[1], 0.05 + 0.05 * u[1]
    found = units - np.where(is_short, np.floor(units * less), 0)
    found = found + np.where(is_over, np.ceil(units * more), 0)
    return np.maximum(found, np.minimum(units, 1)).astype(np.int64)


def dispatch(
    model: WorldModel, times: LeadTimes, seed: int, vendor: Ints, item: Ints, node: Ints,
    units: Ints, expected_day: Ints, day: int, first_number: int,
) -> Shipments:  # fmt: skip
    """The shipments of tonight's order lines: one or two parts each, with their true arrivals."""
    n = len(units)
    sent = np.full(n, day, dtype=np.int64)
    lead, later_share, delay = luck(model, times, seed, vendor, item, day)
    later = (units * later_share).astype(np.int64)
    number, nowhere = first_number + np.arange(n), np.full(n, -1, dtype=np.int64)
    on_time = Shipments(
        number, vendor, item, nowhere, node, sent, expected_day, sent + lead, units - later
    )
    second = Shipments(
        number, vendor, item, nowhere, node, sent, expected_day, sent + lead + delay, later
    )
    return on_time.plus(second.where(later > 0))
