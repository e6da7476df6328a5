"""Items whose whole plan costs more than losing all of their sales.

A sale's margin after delivery from the best node says nothing of stock, of orders served from
further away, and of the capacity that an item takes from others. Spilling is costed in full, as a
seller with stock anywhere must serve, so that doing without is no small step from any plan: it is
weighed here, item by item, at the prices of the plan of all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.evaluate import evaluate
from pipeline.optimize.night_model import NightModel


def losing_items(
    model: NightModel, position: NDArray[np.int32], price: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Items that lose under the positions [items, nodes]; price: [profiles, resources, nodes] usd
    of what items use."""
    items = model.packed.tables
    cost, _ = evaluate(model.network.woods, items, position, len(price))
    paid = np.einsum("krj,kr,kj->k", price[items.profile], items.use.astype(float), position)
    root = model.network.woods.n_sets[items.tree] - 1
    sales = model.packed.mean[np.arange(len(root)), root]
    worth = model.money.lost_sale_usd * sales
    return (model.money.lost_sale_usd > 0) & (cost + paid > worth + 1e-9)


def without(model: NightModel, dropped: NDArray[np.bool_]) -> NightModel:
    """The model with nothing to gain from the dropped items, so that no level holds them."""
    packed = model.packed
    tables = replace(packed.tables, count=np.where(dropped[:, None], 0, packed.tables.count))
    gap = np.where(dropped[:, None], 0.0, packed.gap_usd)
    return replace(model, packed=replace(packed, tables=tables, gap_usd=gap))
