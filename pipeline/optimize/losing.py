"""Items whose whole plan costs more than losing all of their sales.

A sale's margin after delivery from the best node says nothing of stock, of orders served from
further away, and of the capacity that an item takes from others. Spilling is costed in full, as a
seller with stock anywhere must serve, so that doing without is no small step from any plan: it is
weighed here, item by item, against tonight's plan at its prices of space and of what flows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.evaluate import evaluate
from pipeline.core.item import ItemTables
from pipeline.core.serve import Placed, node_usd
from pipeline.optimize.night_model import NightModel


def losing_items(
    model: NightModel, placed: Placed, row_price: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Items that lose under tonight's plan; row_price: [rows] usd, of all rows."""
    tables = model.ahead.first(len(model.packed.tables))
    on_items = model.capacity.rows.on_items(row_price)
    cost, _ = evaluate(model.network.woods, tables, placed, len(on_items))
    level, serving = node_usd(model.network.woods, tables, on_items)
    cost += (level * placed.position + serving * placed.served).sum(axis=1)
    root = model.network.woods.n_sets[tables.tree] - 1
    each = np.arange(len(cost))
    worth = model.money.lost_sale_usd * model.packed.mean[each, root] * tables.turn
    return (model.money.lost_sale_usd > 0) & (cost > worth + 1e-9)


def without(model: NightModel, dropped: NDArray[np.bool_]) -> NightModel:
    """The model with nothing to gain from the dropped items, so that no level holds them."""
    gap = np.where(dropped[:, None], 0.0, model.packed.gap_usd)
    drawn, packed = (replace(one, tables=_emptied(one.tables, dropped), gap_usd=gap)
                     for one in (model.drawn, model.packed))  # fmt: skip
    weeks = len(model.ahead) // len(dropped)
    ahead = _emptied(model.ahead, np.tile(dropped, weeks))
    arriving = _emptied(model.arriving, dropped[model.vendors.item])
    return replace(model, drawn=drawn, packed=packed, ahead=ahead, arriving=arriving)


def _emptied(tables: ItemTables, dropped: NDArray[np.bool_]) -> ItemTables:
    """The tables without the knots of the dropped rows."""
    count = np.where(dropped[:, None], 0, tables.count).astype(tables.count.dtype)
    kept = np.repeat(~dropped, np.diff(tables.start))
    start = np.concatenate([[0], np.cumsum(count.sum(axis=1, dtype=np.int64))])
    return replace(
        tables, count=count, knots=tables.knots[kept], start=start.astype(tables.start.dtype)
    )
