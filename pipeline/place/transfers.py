"""Tonight's transfers: stock on hand moved toward the base-stock levels."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.core.allocation import Holding, Network, allocate, allocate_at
from pipeline.core.arithmetic import product
from pipeline.place.capacity import capacity_at, held_cuft, transfer_rows
from pipeline.place.grid import Grid
from pipeline.place.relief import Crowding, most_taken, relief, room_left

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
RowPrices = dict[str, float]
"""Row of capacity, as capacity.Rows names it, and the usd that a unit of it is worth tonight."""
_VARIANCE_TO_MEAN = 1.5
_FORECAST_ERROR = 0.3
"""Spread of demand at a node: counts with some clumping, and an error of the mean."""
_ROOM_SHARE = 0.9
"""Share of the room that is left which crowded nodes may use: tomorrow's needs want some."""


def plan_transfers(
    grid: Grid, saved: Floats, tables: dict[str, pd.DataFrame], as_of: date, settings: Settings,
    prices: RowPrices | None = None,
) -> tuple[pd.DataFrame, RowPrices]:  # fmt: skip
    """Table transfers, and the prices of the rows of capacity; `saved` as from service.saved_usd.

    needed_units is what the receiving node lacks of its level after what it ships on tonight, and
    what the sending one will have no space for. prices: given ones, with which no room is asked.
    """
    lanes = _lanes(grid, tables["lanes"])
    flow_usd = settings.optimize.flow_overflow_usd_per_unit
    rows = transfer_rows(grid, lanes, tables, as_of, flow_usd)
    source, target = lanes["source"].to_numpy(), lanes["target"].to_numpy()
    # Ineligible targets have level 0 and so take nothing; what lies there by mistake may leave.
    level = np.where(grid.eligible, grid.level, 0)
    network = Network(
        source=source, target=target, usd=_detour_usd(grid, lanes), lot=_lots(grid, level, lanes),
        case=grid.case, row_of=rows.row_of, weight=rows.weight, room=rows.room,
    )  # fmt: skip
    stays = np.minimum(grid.kept, grid.on_hand)
    asked = (
        grid.soon + stays, grid.on_hand - stays, holding(grid, level, saved), network,
        settings.place.transfer_line_usd,
    )  # fmt: skip
    if prices is None:
        found = allocate(*asked)
    else:
        given = np.array([prices.get(name, 0.0) for name in rows.name], dtype=np.float64)
        found = allocate_at(given, *asked)
    moved, usd = np.zeros(network.usd.shape, dtype=np.int64), np.zeros(network.usd.shape)
    moved[found.item, found.lane], usd[found.item, found.lane] = found.units, found.value_usd
    freed, spared_usd = _relief(
        grid, level, network, rows.over_usd, moved, lanes, tables, as_of, settings
    )
    item, lane = np.nonzero(moved + freed)
    units = (moved + freed)[item, lane]
    names, nodes = np.array(grid.items, dtype=object), np.array(grid.nodes, dtype=object)
    ship = pd.Timestamp(as_of + timedelta(days=1))
    passed_on = np.zeros(level.shape, dtype=np.int64)
    np.add.at(passed_on, (item, source[lane]), units)
    needed = np.maximum(level - grid.position + passed_on, 0)[item, target[lane]]
    transit = lanes["transit_days"].to_numpy(dtype=np.int64)[lane]
    frame = pd.DataFrame({
        "item_id": names[item], "from_node_id": nodes[source[lane]],
        "to_node_id": nodes[target[lane]], "transfer_units": units,
        "cases": -(-units // grid.case[item]), "ship_date": ship,
        "expected_arrival_date": ship + pd.to_timedelta(transit, unit="D"),
        "needed_units": needed + freed[item, lane], "relief_units": freed[item, lane],
        "value_gained_usd": (usd + spared_usd)[item, lane],
    })  # fmt: skip
    parts = [frame["item_id"], frame["from_node_id"], frame["to_node_id"]]
    key = parts[0].str.cat(parts[1:], sep="/") if len(frame) else parts[0]
    frame = frame.assign(transfer_id=as_of.isoformat() + "/" + key.astype("str"))
    return frame, dict(zip(rows.name, found.row_price.tolist(), strict=True))


def _relief(
    grid: Grid, level: Ints, network: Network, over_usd: Floats, moved: Ints, lanes: pd.DataFrame,
    tables: dict[str, pd.DataFrame], as_of: date, settings: Settings,
) -> tuple[Ints, Floats]:  # fmt: skip
    """Units [items, lanes] that crowded nodes send on beyond levels, and what they gain."""
    days = int(grid.protection_days.max())
    excess = held_cuft(grid, tables, as_of, days)
    into, out = np.zeros_like(grid.level), np.zeros_like(grid.level)
    np.add.at(into.T, network.target, moved.T)
    np.add.at(out.T, network.source, moved.T)
    after = grid.position + into - out
    excess += product(grid.cube, (into - out).astype(float))
    excess -= [
        capacity_at(tables["node_capacity"], "storage_cuft", grid.nodes, as_of + timedelta(days=d))
        for d in range(1, days + 1)
    ]
    names = tables["nodes"]["node_id"].astype("str")
    handling = tables["nodes"].set_index(names)["handling_usd_per_unit"].reindex(grid.nodes)
    way = grid.cube[:, None] * lanes["lane_usd_per_cuft"].to_numpy(np.float64)[None, :]
    way = way + handling.to_numpy(np.float64)[network.target][None, :]
    stays = np.minimum(grid.kept, grid.on_hand)
    left = np.minimum(grid.on_hand - stays - out, after - level)
    rate = settings.optimize.storage_overflow_usd_per_cuft_week / 7.0
    return relief(
        Crowding(np.maximum(excess, 0.0), rate, way, grid.cube, over_usd), network,
        _ROOM_SHARE * room_left(network, moved), np.maximum(left, 0),
        most_taken(grid.demand, after, grid.eligible), settings.place.transfer_line_usd,
    )  # fmt: skip


def holding(grid: Grid, level: npt.NDArray[np.int64], saved: Floats) -> Holding:
    """What units are worth where. A level far above expected demand (a planner's, or for a very
    dear shortage) is taken to mean a demand of half of it, so that it is filled like others."""
    mean = np.maximum(grid.demand, level / 2)
    return Holding(
        level=level.astype(np.float64),
        mean=mean,
        sd=np.sqrt(_VARIANCE_TO_MEAN * mean + (_FORECAST_ERROR * mean) ** 2),
        saved_usd=saved,
        keeps_surplus=grid.position > level,
    )


def _lanes(grid: Grid, lanes: pd.DataFrame) -> pd.DataFrame:
    """The lanes between known nodes with the nodes' indices, in order of the nodes' ids."""
    index = pd.Index(grid.nodes)
    rows = lanes.assign(
        source=index.get_indexer(pd.Index(lanes["from_node_id"].astype("str"))),
        target=index.get_indexer(pd.Index(lanes["to_node_id"].astype("str"))),
    )
    rows = rows[(rows["source"] >= 0) & (rows["target"] >= 0) & (rows["source"] != rows["target"])]
    return rows.sort_values(["source", "target"], ignore_index=True)


def _detour_usd(grid: Grid, lanes: pd.DataFrame) -> Floats:
    """Usd a unit [items, lanes] above the cheapest lane into the node, which levels already pay."""
    usd = lanes["lane_usd_per_cuft"].astype("float64")
    extra = (usd - usd.groupby(lanes["target"]).transform("min")).to_numpy()
    return np.asarray(grid.cube[:, None] * extra[None, :])


def _lots(grid: Grid, level: npt.NDArray[np.int64], lanes: pd.DataFrame) -> Ints:
    """Units that move together [items, lanes]: whole cases out of a distribution center.

    A node whose level is below a case is sent single units, as are same-day sites: they pick from
    open cases.
    """
    source, target = lanes["source"].to_numpy(), lanes["target"].to_numpy()
    is_case_lane = grid.tier[source] == "distribution_center"
    is_case_lane &= grid.tier[target] != "same_day_site"
    whole = is_case_lane[None, :] & (level[:, target] >= grid.case[:, None])
    return np.where(whole, grid.case[:, None], 1)
