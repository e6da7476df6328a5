"""What a unit is worth where it stands, and how many are kept there for dearer orders.

An order is served from the offer (core.fulfillment) whose delivery, missed speed and worth of the
unit together cost least. A unit is worth what bringing the next one there costs, handling and lanes
from a vendor's dock, less the overflow that it spares by leaving an overfull node: where a plan
refills what is used, that is what later orders lose.

Units are kept for dearer orders by Littlewood's rule (K. Littlewood, 1972; for inventory D. Topkis,
Management Science 15, 1968): of an item at a node, an order that would lose v if another node
served it leaves q units there while

    V P(D >= q) > v,

with D the demand, until the node is replenished, of the orders that would lose more, and V what
they lose in the mean. Nothing is kept from the dearest orders, or where all lose the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from pipeline.core.fulfillment import Offers, serve_in_time, serve_rest
from pipeline.core.network import along_chain
from pipeline.kernels import njit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TURNOVER_DAYS, MOST_DAYS = 7.0, 14.0
LEAST_CHANCE = 1e-3
"""Nothing is kept for demand that is less likely, however much it would lose."""


def replacement_usd(
    handling_usd: Floats, lane_usd_per_cuft: Floats, parent: Ints, is_start: NDArray[np.bool_],
    cube_cuft: Floats,
) -> Floats:  # fmt: skip
    """[items, nodes] usd to bring another unit from a vendor's dock: handling at every node, and
    lanes. handling_usd, lane_usd_per_cuft (of the lane from its parent), parent, is_start: [nodes];
    cube_cuft: [items]."""
    per_unit = along_chain(handling_usd, parent, is_start)
    per_cuft = along_chain(np.where(is_start, 0.0, lane_usd_per_cuft), parent, is_start)
    return np.asarray(per_unit + cube_cuft[:, None] * per_cuft)


def relief_usd(
    on_hand: Ints, cube_cuft: Floats, capacity_cuft: Floats, overflow_usd_per_cuft_day: float
) -> Floats:
    """[items, nodes] usd of overflow that a unit spares when it leaves an overfull node today.

    A full node is taken to ship its capacity in a week, so that its excess is gone after that share
    of a week, and a unit of it is in excess for half of the time. capacity_cuft: [nodes].
    """
    used = np.einsum("kj,k->j", on_hand, cube_cuft)
    excess = np.maximum(used / np.maximum(capacity_cuft, 1e-9) - 1.0, 0.0)
    days = np.minimum(TURNOVER_DAYS * excess, MOST_DAYS) / 2
    return np.asarray(overflow_usd_per_cuft_day * cube_cuft[:, None] * days)


@njit(nogil=True, cache=True)
def _assign(
    item: NDArray, cell: NDArray, units: NDArray, speed: NDArray, stock: NDArray, start: NDArray,
    late: NDArray, node: NDArray, cost: NDArray, worth: NDArray, is_priced: bool, keep: NDArray,
    taken: NDArray,
) -> None:  # fmt: skip
    took = np.zeros((3, stock.shape[1]), np.int64)
    for i in range(len(item)):
        k, c = item[i], cell[i]
        kept = keep[k, speed[i]]
        in_time = serve_in_time(stock[k], units[i], c, start, late, node, cost, worth[k], is_priced,
                                kept, took)  # fmt: skip
        left = units[i] - in_time
        serve_rest(
            stock[k], left, left, c, start, late, node, cost, worth[k], is_priced, kept, took
        )
        first, beyond = start[c], late[c]
        for o in range(first, beyond):
            taken[i, o - first] += took[0, o - first] + took[2, o - first]
        for o in range(beyond, start[c + 1]):
            taken[i, o - first] += took[1, o - beyond]


def assign(
    item: Ints, cell: Ints, units: Ints, stock: Ints, offers: Offers, worth_usd: Floats | None,
    keep: Ints,
) -> Ints:  # fmt: skip
    """Units [orders, offers of the cell] by which each order is served, in the orders' order.

    item, cell, units: [orders]; stock: [items, nodes], lowered as orders are served; worth_usd:
    [items, nodes], None for the nearest; keep: [items, speeds, nodes] units that an order of the
    speed leaves while anything else can serve it. An order is served in time, then late, then in
    time from what is kept, and is short of what is left.
    """
    width = int(np.diff(offers.start).max(initial=1))
    taken = np.zeros((len(item), width), dtype=np.int64)
    speed = cell // offers.n_buckets % offers.n_speeds
    worth = np.zeros(stock.shape) if worth_usd is None else worth_usd
    _assign(
        item, cell, units, speed, stock, offers.start, offers.late, offers.node,
        offers.ship_usd + offers.missed_usd, worth, worth_usd is not None, keep, taken,
    )  # fmt: skip
    return taken


def protected_units(demand_units: Floats, loss_usd: Floats) -> Ints:
    """Units [items, speeds, nodes] that an order of the speed leaves in the node.

    demand_units: Poisson demand until the node is replenished of orders of the speed that the node
    serves best; loss_usd: what such an order loses if another serves it; both [items, speeds,
    nodes]. Orders that lose more are dearer, whatever their speed.
    """
    kept = np.zeros(loss_usd.shape, dtype=np.int64)
    for s in range(loss_usd.shape[1]):
        own = loss_usd[:, s : s + 1]
        dearer = np.where(loss_usd > own, demand_units, 0.0)
        demand = dearer.sum(axis=1)
        mean = (dearer * loss_usd).sum(axis=1) / np.maximum(demand, 1e-12)
        chance = np.clip(own[:, 0] / np.maximum(mean, 1e-12), LEAST_CHANCE, 1.0)
        # The most q with P(D >= q) > chance, and P(D >= q) is the chance that D is above q - 1.
        most = poisson.isf(chance, np.maximum(demand, 1e-12))
        kept[:, s] = np.where((demand > 0) & (mean > own[:, 0]), np.maximum(most, 0.0), 0.0)
    return kept
