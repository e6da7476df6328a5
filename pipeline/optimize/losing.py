"""Items whose whole plan costs more than losing all of their sales.

A sale's margin after delivery from the best node says nothing of stock, of orders served from
further away, and of the capacity that an item takes from others. Spilling is costed in full, as a
seller with stock anywhere must serve, so that doing without is no small step from any plan: it is
weighed here, item by item, against the plan of all: at its prices of space, and, where the flow
into a node is short, at what a unit costs whose place another takes, the gap to the nodes outside.
(The price itself is that of a unit of level, few of which are the last to be sold.)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.evaluate import evaluate
from pipeline.optimize.night_model import NightModel


def losing_items(
    model: NightModel, position: NDArray[np.int32], row_price: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Items that lose under the positions [items, nodes]; row_price: [rows] usd, of all rows."""
    items, rows = model.packed.tables, model.capacity
    is_flow = rows.resource == "inbound_units_per_day"
    price = rows.rows.on_items(np.where(is_flow, 0.0, row_price))
    cost, _ = evaluate(model.network.woods, items, position, len(price))
    cost += np.einsum("krj,kr,kj->k", price[items.profile], items.use.astype(float), position)
    each = np.arange(len(cost))
    for node in np.unique(rows.node[is_flow & (row_price > 0)]):
        inside = model.network.woods.home[items.tree, node]
        held = inside >= 0
        turned_away = (model.packed.gap_usd * model.packed.mean)[each, np.maximum(inside, 0)]
        cost += np.where(held, turned_away, 0.0)
    root = model.network.woods.n_sets[items.tree] - 1
    worth = model.money.lost_sale_usd * model.packed.mean[each, root]
    return (model.money.lost_sale_usd > 0) & (cost > worth + 1e-9)


def without(model: NightModel, dropped: NDArray[np.bool_]) -> NightModel:
    """The model with nothing to gain from the dropped items, so that no level holds them."""
    packed = model.packed
    count = np.where(dropped[:, None], 0, packed.tables.count).astype(packed.tables.count.dtype)
    kept = np.repeat(~dropped, np.diff(packed.tables.start))
    start = np.concatenate([[0], np.cumsum(count.sum(axis=1, dtype=np.int64))])
    tables = replace(
        packed.tables, count=count, knots=packed.tables.knots[kept],
        start=start.astype(packed.tables.start.dtype),
    )  # fmt: skip
    gap = np.where(dropped[:, None], 0.0, packed.gap_usd)
    return replace(model, packed=replace(packed, tables=tables, gap_usd=gap))
