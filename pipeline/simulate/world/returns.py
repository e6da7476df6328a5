"""What customers send back, and what it costs when an order's items lie at several nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.world.model import WorldModel, WorldRules
from pipeline.simulate.world.randomness import draw_uniforms

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_STREAM = 0x2E7


def days_until_back(rules: WorldRules) -> int:
    """Days that a unit is on its way back; 0 where none comes back."""
    return rules.return_days if rules.return_share > 0 else 0


def sent_back(model: WorldModel, seed: int, day: int, sold: Ints) -> Ints:
    """Units [items, regions] of the day's sales that will come back: a draw rounds the share."""
    item, region = np.nonzero(sold)
    draws = np.empty(len(item))
    draw_uniforms(seed, _STREAM, model.item_key[item], model.region_key[region],
                  np.full(len(item), day, dtype=np.int64), draws)  # fmt: skip
    found = np.zeros_like(sold)
    share = model.rules.return_share
    found[item, region] = np.floor(share * sold[item, region] + draws).astype(np.int64)
    return found


def return_nodes(model: WorldModel) -> Ints:
    """Node [items, regions] to which a unit comes back: the cheapest to deliver from that may
    hold the item."""
    offers, (_, n_regions, n_nodes) = model.offers, model.shape
    per_region = offers.n_speeds * offers.n_buckets
    usd = np.full((n_regions, n_nodes), np.inf)
    for region in range(n_regions):
        first, last = offers.start[region * per_region], offers.start[(region + 1) * per_region]
        np.minimum.at(usd[region], offers.node[first:last], offers.ship_usd[first:last])
    there = np.where(model.may_hold[:, None, :], usd[None], np.inf)
    # Where no node that delivers may hold the item, nothing is sold that could come back.
    return np.argmin(there, axis=2)


def split_usd(served: Ints, sold: Ints, rules: WorldRules) -> Floats:
    """[items] usd for parcels beyond an order's first, in expectation over what meets in an order.

    served: [regions, nodes] units of the day, sold: [items, regions]. Units of an order are any of
    its region's day: of b units, node n with a share p of the day sends a parcel with the chance
    1 - (1 - p)^b. An item bears it by its share of the region's units.
    """
    units = served.sum(axis=1)
    share = served / np.maximum(units, 1)[:, None]
    parcels = (1.0 - (1.0 - share) ** rules.order_units).sum(axis=1)
    by_unit = np.maximum(parcels - 1.0, 0.0) / rules.order_units * rules.split_usd
    return np.asarray((sold * by_unit).sum(axis=1))
