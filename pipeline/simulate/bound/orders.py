"""What perfect information cannot choose: the world's seller must serve whoever comes while he has
stock.

Where every node can deliver to every order, be it late, and customers accept it, two things hold of
any policy, and both are put into the flows by Lagrange, which keeps the bound valid:

- *First come, first served.* What is sold of an item on a day is a prefix of the day's orders in
  the order in which the world meets them: stock only falls in a day. Paying y_i to order i, with
  sum_{i <= n} y_i >= 0 for every n, therefore takes nothing off a policy's profit. With these sums
  chosen so that the values of orders become their concave majorant (pooled adjacent violators),
  nothing is won by picking customers.
- *Stock that is there is sold.* If a unit of order i on day t is refused, no stock is left on hand,
  and all that the item owns is in transfers: at least least_i, what the start has brought so far
  less the orders before. So of the order's u_i units r_i <= u_i moving_t / least_i are refused, and
  a penalty of m_i (r_i - u_i moving_t / least_i) is never positive. m_i is what the order loses at
  its best node, in proportion less on days on which a unit would travel for the payment alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import dot
from pipeline.kernels import njit
from pipeline.simulate.bound.flow import Ways
from pipeline.simulate.world.kernel import orders_by_cell
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.supply import Ints
from pipeline.simulate.world.truth import Truth

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Orders:
    """Orders of all items, rows by item, day and the order in which the world meets them.

    first: [items + 1] rows of each item; day: from 0; kind: of Ways; units.
    """

    first: Ints
    day: Ints
    kind: Ints
    units: Ints


@dataclass(frozen=True)
class Terms:
    """What Lagrange adds to an item's flow: usd [orders] to a unit sold, moving_usd [days] to a
    unit on the way between nodes on the day, and sunk_usd."""

    usd: Floats
    moving_usd: Floats
    sunk_usd: float


def must_serve(model: WorldModel) -> bool:
    """Whether no order is refused while any node holds stock."""
    offers, every = model.offers, len(model.nodes)
    reached = [
        len(np.unique(offers.node[offers.start[c] : offers.start[c + 1]])) == every
        for c in range(offers.n_cells)
    ]
    return all(reached) and model.rules.accept_late_share >= 1.0


def orders(model: WorldModel, truth: Truth, ways: Ways, seed: int, first: int) -> Orders:
    """The orders of the world's own draws; first: day number of the first day."""
    n_items, n_regions, _ = model.shape
    n_speeds = model.offers.n_speeds
    cells = np.zeros((n_items, n_regions, model.cumulative.shape[1]), dtype=np.int64)
    parts = []
    for t in range(len(truth.days)):
        cells[:] = 0
        orders_by_cell(seed, first + t, model.item_key, model.region_key, truth.demand[t],
                       model.cumulative, cells)  # fmt: skip
        item, region, cell = np.nonzero(cells)
        bucket, speed = np.divmod(cell, n_speeds)
        turn = (region - (first + t)) % n_regions
        place = (bucket * n_regions + turn) * n_speeds + speed
        parts.append(np.stack([item, np.full(len(item), t), place, ways.kind[region, cell],
                               cells[item, region, cell]]))  # fmt: skip
    rows = np.concatenate(parts, axis=1)
    rows = rows[:, np.lexsort((rows[2], rows[1], rows[0]))]
    start = np.searchsorted(rows[0], np.arange(n_items + 1))
    return Orders(start, rows[1], rows[3], rows[4])


@njit(nogil=True, cache=True)
def pooled(day: NDArray, units: NDArray, value: NDArray) -> NDArray:
    """[orders] values that never rise within a day, whose sums over the day's first n units are the
    least concave function above those of `value` (pooled adjacent violators)."""
    found = np.empty(len(value))
    first, total, mass = np.empty(len(value), np.int64), np.empty(len(value)), np.empty(len(value))
    blocks = 0
    for i in range(len(value)):
        if i > 0 and day[i] != day[i - 1]:
            for b in range(blocks):
                end = first[b + 1] if b + 1 < blocks else i
                found[first[b] : end] = total[b] / mass[b]
            blocks = 0
        first[blocks], total[blocks], mass[blocks] = i, value[i] * units[i], units[i]
        blocks += 1
        while blocks > 1 and total[blocks - 2] * mass[blocks - 1] < (
            total[blocks - 1] * mass[blocks - 2]
        ):
            total[blocks - 2] += total[blocks - 1]
            mass[blocks - 2] += mass[blocks - 1]
            blocks -= 1
    for b in range(blocks):
        end = first[b + 1] if b + 1 < blocks else len(value)
        found[first[b] : end] = total[b] / mass[b]
    return found


@njit(nogil=True, cache=True)
def least_units(day: NDArray, units: NDArray, stock: NDArray) -> NDArray:
    """[orders] units that are owned at least when the order comes in, if all before it are served:
    what has come, less orders; never less than none, so that what is lost today is no debt."""
    found = np.empty(len(day), np.int64)
    owned, at = 0, 0
    for t in range(len(stock)):
        owned += stock[t]
        while at < len(day) and day[at] == t:
            found[at] = owned
            owned = max(owned - units[at], 0)
            at += 1
    return found


def terms(day: Ints, units: Ints, value: Floats, stock: Ints, move_usd: Floats) -> list[Terms]:
    """Sets of multipliers worth trying for an item, without the second claim first.

    day, units, value: [orders] of one item, value in usd at the best node; stock: [days] units
    that come of themselves; move_usd: [days] least that a day on the way between nodes costs.
    """
    n_days = len(stock)
    even = pooled(day, units, value)
    found = [Terms(even - value, np.zeros(n_days), 0.0)]
    least = np.maximum(least_units(day, units, stock) - units + 1, 0)
    loss = np.where(least >= 1, np.maximum(-even, 0.0), 0.0)
    if loss.any():
        moving = np.bincount(day, units * loss / np.maximum(least, 1), n_days)
        share = np.minimum(1.0, move_usd / np.maximum(moving, 1e-12))
        owed = np.bincount(day, units * loss, n_days)
        paid = even - value + share[day] * loss
        found.append(Terms(paid, share * moving, dot(share, owed)))
    return found
