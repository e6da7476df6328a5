"""Whether a vendor's order minimum waits for the lines of the coming days.

An order raised to the vendor's minimum costs what its padding gives up of the gain that the lines
would have without the minimum. Waiting w days, until the lines that come up anyway reach it, costs
what runs short meanwhile. Where nothing comes, sales are lost ever faster, so that of what ordering
nothing for a whole review period R would lose, no more than w / R is lost in its first w days. The
order waits where even that is less than the padding; never longer than a review period, and never
a planner's order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.buy.worth import Worth
from pipeline.core.ordering import Choice, Options, Terms

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Waits:
    """By vendor: days that its order waits (0: not), what that costs at most and what filling it up
    tonight would, usd."""

    days: Ints
    waiting_usd: Floats
    padding_usd: Floats


def waits_of(
    worth: Worth, options: Options, terms: Terms, choice: Choice, order_gap_days: Ints
) -> Waits:
    """Which vendors' orders wait; order_gap_days: [vendors] until a vendor takes another order."""
    n = len(terms.minimum_cents)
    rows = choice.rows
    free = _free_rows(options)
    vendor_of = {int(options.item[row]): int(options.vendor[row]) for row in rows}
    mine = np.array([vendor_of.get(int(i), -1) for i in options.item[free]], dtype=np.int64)
    free, mine = free[mine == options.vendor[free]], mine[mine == options.vendor[free]]
    wanted, gain = np.zeros(n, np.int64), np.zeros(n, np.int64)
    np.add.at(wanted, mine, options.cost_cents[free])
    np.add.at(gain, mine, options.gain[free])
    taken = np.zeros(n, np.int64)
    np.add.at(taken, options.vendor[rows], options.gain[rows])
    pairs = worth.pairs
    daily = np.zeros(n)
    np.add.at(daily, pairs.vendor, pairs.daily_demand * pairs.unit_cost * 100)
    lacks = np.maximum(terms.minimum_cents - wanted, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        days = np.ceil(np.where(daily > 0, lacks / daily, np.inf))
    days = np.maximum(days, order_gap_days)
    padding = (gain - taken) / 1e6
    waiting = np.maximum(gain, 0) / 1e6 * np.minimum(days, worth.review_days) / worth.review_days
    required = np.zeros(n, bool)
    required[options.vendor[rows[options.is_required[rows]]]] = True
    is_open = np.isin(np.arange(n), options.vendor[rows])
    waits = is_open & ~required & (lacks > 0) & (days <= worth.review_days) & (waiting < padding)
    return Waits(
        np.where(waits, np.where(np.isfinite(days), days, 0), 0).astype(np.int64),
        np.where(waits, waiting, 0.0), np.where(waits, padding, 0.0),
    )  # fmt: skip


def without_waiting(options: Options, choice: Choice, waits: Waits) -> Choice:
    """The choice without the lines of vendors that wait."""
    stays = waits.days[options.vendor[choice.rows]] == 0
    return Choice(choice.rows[stays], choice.budget_price)


def _free_rows(options: Options) -> Ints:
    """Each item's best option if it gains anything: what it would get without vendors' terms."""
    order = np.lexsort((np.arange(len(options)), -options.gain, options.item))
    first = np.ones(len(order), dtype=bool)
    first[1:] = options.item[order][1:] != options.item[order][:-1]
    best = order[first]
    return np.sort(best[options.gain[best] > 0])
