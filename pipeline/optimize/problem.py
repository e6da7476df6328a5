"""The problem that was solved, and its proof, as tables from which an outsider recomputes both.

Items over the trees of sets (`problem_sets`, `problem_items`): holding by node (`problem_holding`),
what units save by set in a cycle (`problem_knots`), and what each week asks for against it
(`problem_demand`);
capacity rows net of what is there, with the prices that prove the bound (`problem_rows`,
`problem_tolls`); and when units come in that wait for their week (`weekly_entries`). Numbers of the
solver's single-precision tables are published as they are, so that nothing is lost on the way.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.columns import SIZE_CLASSES
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.core.item import ItemTables
from pipeline.core.serve import Placed
from pipeline.core.solve import Plan
from pipeline.optimize.capacity_model import CapacityModel
from pipeline.optimize.general_plan import GeneralItems
from pipeline.optimize.network_model import NetworkModel
from pipeline.optimize.night_model import NightModel
from pipeline.optimize.weekly_demand import horizon

Tables = dict[str, pd.DataFrame]
NAMES = ("problem_sets", "problem_items", "problem_holding", "problem_knots", "problem_demand",
         "problem_rows", "problem_tolls", "weekly_entries")  # fmt: skip
USES = ("held_cuft", "leaving_units_per_day", "entering_units_per_day", "entering_cuft_per_day",
        "entering_usd_per_day")  # fmt: skip
"""What a unit uses of each kind of resource, in the order of core's tables."""


def problem_tables(
    model: NightModel, plan: Plan, general: GeneralItems, settings: Settings
) -> Tables:
    """The eight tables; empty where the world has more items than `optimize.certified_items`."""
    if len(model.cube.items) > settings.optimize.certified_items:
        return {name: pd.DataFrame(columns=list(TABLES[name].columns)) for name in NAMES}
    plain = [np.ones(model.drawn.mean.shape)]
    drawn = horizon(model.network, model.drawn.tables, plain, model.cycle_days)
    ids = np.array(model.cube.items, object)
    starts = pd.to_datetime(model.capacity.week_start)
    return {
        "problem_sets": _sets(model.network),
        "problem_items": _items(model, general, ids, starts),
        "problem_holding": _holding(model.network, drawn, ids),
        "problem_knots": _knots(model.network, drawn, ids),
        "problem_demand": _demand(model, ids, starts),
        "problem_rows": _rows(model.network, model.capacity, plan, starts),
        "problem_tolls": _tolls(model.network, plan, ids, starts),
        "weekly_entries": _entries(model.network, model.ahead, plan.placed[0], ids, starts),
    }


def _sets(network: NetworkModel) -> pd.DataFrame:
    found = []
    for name, tree in zip(SIZE_CLASSES, network.woods.trees, strict=True):
        s, j = np.nonzero(tree.members)
        nodes = np.array(network.names, object)[j]
        found.append(pd.DataFrame({"size_class": name, "set_number": s, "node_id": nodes}))
    return pd.concat(found, ignore_index=True)


def _items(
    model: NightModel, general: GeneralItems, ids: NDArray[np.object_], starts: pd.DatetimeIndex
) -> pd.DataFrame:
    n, weeks = len(ids), len(starts)
    ahead, is_general = model.ahead, np.zeros(len(ids), np.bool_)
    is_general[general.index] = True
    classes = np.array(SIZE_CLASSES, object)[ahead.tree]
    use = {name: ahead.use[:, r].astype(np.float64) for r, name in enumerate(USES)}
    return pd.DataFrame(
        {
            "item_id": np.tile(ids, weeks),
            "week_start": starts[ahead.week],
            "size_class": classes,
            "is_general": np.tile(is_general, weeks),
            **use,
        }
    ).iloc[: n * weeks]


def _demand(model: NightModel, ids: NDArray[np.object_], starts: pd.DatetimeIndex) -> pd.DataFrame:
    tables = model.drawn.tables
    k, s = np.nonzero(
        np.arange(tables.count.shape[1]) < model.network.woods.n_sets[tables.tree, None]
    )
    return pd.concat([
        pd.DataFrame({"item_id": ids[k], "week_start": start, "set_number": s,
                      "demand_ratio": ratio[k, s]})
        for start, ratio in zip(starts, model.ratios(), strict=True)
    ], ignore_index=True)  # fmt: skip


def _holding(network: NetworkModel, drawn: ItemTables, ids: NDArray[np.object_]) -> pd.DataFrame:
    k, j = np.nonzero(np.isfinite(drawn.place_usd))
    return pd.DataFrame(
        {
            "item_id": ids[k],
            "node_id": np.array(network.names, object)[j],
            "holding_usd_per_week": drawn.place_usd[k, j].astype(np.float64),
        }
    )


def _knots(network: NetworkModel, drawn: ItemTables, ids: NDArray[np.object_]) -> pd.DataFrame:
    """Every knot; a set without knots that is dearer to leave has one of no units."""
    inside = np.arange(drawn.count.shape[1]) < network.woods.n_sets[drawn.tree][:, None]
    count = drawn.count.astype(np.int64)
    bare = inside & (count == 0) & (drawn.gap_usd > 0)
    shown = np.where(inside, np.where(bare, 1, count), 0).ravel()
    cell = np.repeat(np.arange(shown.size), shown)
    first = np.cumsum(shown) - shown
    number = np.arange(len(cell)) - first[cell]
    before = np.cumsum(count, axis=1) - count
    source = (drawn.start[:-1, None] + before).ravel()[cell] + number
    is_knot = ~bare.ravel()[cell]
    knot = np.zeros((len(cell), 2))
    knot[is_knot] = drawn.knots[source[is_knot]].astype(np.float64)
    k, s = np.divmod(cell, drawn.count.shape[1])
    return pd.DataFrame(
        {
            "item_id": ids[k],
            "set_number": s,
            "knot_number": number,
            "set_gap_usd": drawn.gap_usd[k, s].astype(np.float64),
            "knot_units": knot[:, 0].astype(np.int64),
            "knot_usd": knot[:, 1],
        }
    )


def _rows(
    network: NetworkModel, capacity: CapacityModel, plan: Plan, starts: pd.DatetimeIndex
) -> pd.DataFrame:
    """Rows, those about what is left of an earlier week's level with that week, those about swings
    of what stands at a node with the swing."""
    rows, n = capacity.rows, capacity.stated_rows
    of_week = capacity.week.copy()
    share = np.ones(len(rows))
    for row in range(n, len(rows)):  # one cell each
        part = rows.rows.indptr[row]
        of_week[row] = rows.rows.indices[part] // (rows.shape[1] * rows.shape[2])
        share[row] = rows.rows.data[part]
    return pd.DataFrame(
        {
            "node_id": np.array([*network.names, "network"], object)[capacity.node],
            "resource": capacity.resource.astype(object),
            "week_start": starts[capacity.week],
            "level_week_start": starts[of_week],
            "level_share": share,
            "swing_units": capacity.swing,
            "net_capacity": rows.limit,
            "overflow_usd_per_unit": rows.overflow_usd,
            "bound_price_usd": plan.bound.price,
            "plan_usage": plan.usage,
            "overflow": plan.overflow,
        }
    )


def _tolls(
    network: NetworkModel, plan: Plan, ids: NDArray[np.object_], starts: pd.DatetimeIndex
) -> pd.DataFrame:
    toll = plan.bound.toll
    toll = np.zeros((0, len(network.names))) if toll is None else toll
    row, j = np.nonzero(toll > 0.0)
    return pd.DataFrame(
        {
            "item_id": ids[row % len(ids)],
            "node_id": np.array(network.names, object)[j],
            "week_start": starts[row // len(ids)],
            "toll_usd": toll[row, j],
        }
    )


def _entries(
    network: NetworkModel, ahead: ItemTables, placed: Placed, ids: NDArray[np.object_],
    starts: pd.DatetimeIndex,
) -> pd.DataFrame:  # fmt: skip
    """Places on the way into nodes that are to hold something, entered before its week."""
    length = network.way_length
    on_way = np.arange(placed.entered.shape[2]) < length[:, None]
    early = placed.entered < ahead.week[:, None, None]
    row, j, d = np.nonzero(early & on_way & (placed.position > 0)[:, :, None])
    return pd.DataFrame(
        {
            "item_id": ids[row % len(ids)],
            "node_id": np.array(network.names, object)[j],
            "week_start": starts[row // len(ids)],
            "place_number": d,
            "entered_week_start": starts[placed.entered[row, j, d].astype(np.int64)],
        }
    )
