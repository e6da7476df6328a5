"""Capacity rows by node, resource and week.

Every week has its own rows: storage limits the levels of the week and what waits there for later
ones; docks, lanes and the budget limit what enters or leaves in the week, which is what is served
and what levels rise by (core.flow). Where less may be stored than a week or more before, levels
must fall in time, and no faster than sales drain them: what is left of an earlier week's level must
fit, too (a row that stands at the later week).

Stock swings around its level (optimize.stock_spread), and a node that is full on average overflows
half of the time. What uncertain use x costs above a capacity C, c E(x + e - C)+ with e of standard
deviation s, is convex in x; it is taken at as many equally likely swings e as SWINGS has: a row for
each, with its share of c. Space then costs c times the chance that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.stats import norm

from pipeline.contracts.columns import NO_LIMIT
from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import product
from pipeline.core.flow import ENTERING, HELD, LEAVING
from pipeline.core.prices import Capacity
from pipeline.optimize.network_model import NetworkModel

ENTERS, OVER_LANE, BOUGHT = ENTERING, ENTERING + 1, ENTERING + 2
"""Kinds of what enters in core's tables: units, cubic feet over the lane, usd to the vendor."""
KINDS = 5
CELL = {
    "storage_cuft": HELD,
    "inbound_units_per_day": ENTERS,
    "outbound_units_per_day": LEAVING,
    "lane_cuft_per_day": OVER_LANE,
    "budget_usd_per_day": BOUGHT,
}
"""Kind that a row of each resource limits."""
_WIDE = NO_LIMIT / 8.0
"""Mean of a week in which a dock without a limit is open on a day is above it."""
SWINGS = (0.0, -3.0 * norm.pdf(norm.ppf(2.0 / 3.0)), 3.0 * norm.pdf(norm.ppf(2.0 / 3.0)))
"""Means of the thirds of a standard normal swing of what stands at a node; none first."""
LEAST_SPREAD = 0.01
"""Of a capacity: what swings less is taken to be certain."""
NETWORK = -1
"""Node index of a row that is about the whole network."""

Row = tuple[int, str, int, float]
"""Node, resource, week, capacity."""


@dataclass(frozen=True)
class CapacityModel:
    """Rows for core, and their keys: node (index, or NETWORK), resource, week (from 0), capacity as
    stated, swing: what stands there above the plan. A lane's row stands at the node that the lane
    leads to. Rows from ``stated_rows`` on are about what is left of levels of weeks before, or
    about swings."""

    rows: Capacity
    node: NDArray[np.int64]
    resource: NDArray[np.str_]
    week: NDArray[np.int64]
    week_start: list[date]
    stated: NDArray[np.float64]
    swing: NDArray[np.float64]
    stated_rows: int


def capacity_model(
    network: NetworkModel,
    capacity: pd.DataFrame,
    lanes: pd.DataFrame,
    kept_share: NDArray[np.float64],
    overstock: NDArray[np.float64],
    reserve: NDArray[np.float64],
    spread: NDArray[np.float64],
    as_of: date,
    settings: Settings,
    most_usd: float = np.inf,
) -> CapacityModel:
    """Rows from node_capacity, the lanes' capacities and the budget of a night; a budget of at
    least `most_usd`, more than could ever be spent, limits nothing and is no row.

    kept_share: [nodes, weeks] of a week's levels that is left at its end if nothing comes in;
    overstock: [nodes, weeks] cubic feet of stock above any level; reserve: [nodes] inbound units a
    day kept free for uneven arrivals, half of the capacity at most; spread: [nodes, weeks] standard
    deviation of the cubic feet that stand at the node.
    """
    weeks = [as_of + timedelta(days=1 + 7 * t) for t in range(overstock.shape[1])]
    found = _stated(network, capacity, weeks) + _lanes(network, lanes, len(weeks))
    budget = settings.buy.budget_usd
    if budget is not None and budget < most_usd:
        found += [(NETWORK, "budget_usd_per_day", t, budget) for t in range(len(weeks))]
    found.sort()
    node = np.array([row[0] for row in found], int)
    resource = np.array([row[1] for row in found], str)
    week = np.array([row[2] for row in found], int)
    stated = np.array([row[3] for row in found], float)
    is_storage = resource == "storage_cuft"
    limit = stated - np.where(is_storage, overstock[node, week], 0.0) if found else stated
    kept = np.minimum(reserve[node], stated / 2)
    limit = limit - np.where(resource == "inbound_units_per_day", kept, 0.0)
    usd = settings.optimize
    overflow = {
        "storage_cuft": usd.storage_overflow_usd_per_cuft_week,
        "lane_cuft_per_day": usd.lane_overflow_usd_per_cuft * 7.0,
        "budget_usd_per_day": usd.budget_overflow_usd_per_usd * 7.0,
    }
    flow = usd.flow_overflow_usd_per_unit * 7.0
    left = _left_over(node, resource, week, limit, kept_share)
    of = np.where(is_storage, spread[node, week], 0.0)
    swings = np.flatnonzero(of > LEAST_SPREAD * stated)
    apart = [(row, float(swing)) for swing in SWINGS[1:] for row in swings.tolist()]
    matrix, size = _cells(network, found, left, [row for row, _ in apart], len(weeks))
    stands_for = [*range(len(found)), *(row for row, _, _ in left), *(row for row, _ in apart)]
    key = np.array(stands_for, int)
    swing = np.zeros(len(key))
    swing[len(found) + len(left) :] = [of[row] * each for row, each in apart]
    usd_each = np.array([overflow.get(str(name), flow) for name in resource[key]], float)
    is_step = np.isin(np.arange(len(key)), swings) | (swing != 0.0)
    rows = Capacity(
        matrix, size, limit[key] - swing,
        usd_each / np.where(is_step, len(SWINGS), 1), is_step,
    )  # fmt: skip
    return CapacityModel(
        rows, node[key], resource[key], week[key], weeks, stated[key], swing, len(found)
    )


Left = list[tuple[int, int, float]]


def _left_over(
    node: NDArray[np.int64], resource: NDArray[np.str_], week: NDArray[np.int64],
    limit: NDArray[np.float64], kept_share: NDArray[np.float64],
) -> Left:  # fmt: skip
    """Storage rows that must hold what is left of an earlier week's level: (row, earlier week,
    share), where that says more than the earlier week's own row."""
    storage = {(j, t): i for i, (j, t, name) in enumerate(zip(node, week, resource, strict=True))
               if name == "storage_cuft"}  # fmt: skip
    found = []
    for (j, t), row in storage.items():
        for before in range(t):
            share = float(kept_share[j, before:t].prod())
            own = storage.get((j, before))
            if own is None or limit[row] < share * limit[own] * (1 - 1e-9):
                found.append((row, before, share))
    return found


def _cells(
    network: NetworkModel, found: list[Row], left: Left, again: list[int], weeks: int
) -> tuple[csr_matrix, tuple[int, int, int]]:
    """The cells that every row limits, and the shape of all cells; again: rows that are counted
    once more, after those about what is left."""
    size = (weeks, KINDS, len(network.parent))
    row_of, column_of, share = [], [], []
    bought = np.flatnonzero(network.woods.feeder < 0)
    whole = [*range(len(found)), *again]
    places = [*range(len(found)), *range(len(found) + len(left), len(whole) + len(left))]
    for row, at in zip(places, whole, strict=True):
        j, resource, t, _ = found[at]
        for i in bought if j == NETWORK else [j]:
            row_of.append(row)
            column_of.append(int(np.ravel_multi_index((t, CELL[resource], i), size)))
            share.append(1.0)
    for extra, (row, before, kept) in enumerate(left):
        row_of.append(len(found) + extra)
        column_of.append(int(np.ravel_multi_index((before, HELD, found[row][0]), size)))
        share.append(kept)
    shape = (len(whole) + len(left), int(np.prod(size)))
    return coo_matrix((share, (row_of, column_of)), shape=shape).tocsr(), size


def _lanes(network: NetworkModel, lanes: pd.DataFrame, weeks: int) -> list[Row]:
    """Capacities of the lanes that replenish a node, by the node they lead to."""
    index = {name: i for i, name in enumerate(network.names)}
    direct = network.nodes["is_vendor_receiving"].to_numpy(bool)
    ends = zip(lanes["from_node_id"].astype(str), lanes["to_node_id"].astype(str), strict=True)
    found: list[Row] = []
    for (source, target), room in zip(ends, lanes["lane_capacity_cuft_per_day"], strict=True):
        j = index[target]
        if not pd.isna(room) and network.parent[j] == index[source] and not direct[j]:
            found += [(j, "lane_cuft_per_day", t, float(room)) for t in range(weeks)]
    return found


def _stated(network: NetworkModel, capacity: pd.DataFrame, weeks: list[date]) -> list[Row]:
    """Capacity of each week by node and resource: least space in effect in it, mean of what may
    flow on its days; none where nothing is limited."""
    index = {name: i for i, name in enumerate(network.names)}
    found: list[Row] = []
    keys = [capacity["node_id"].astype(str), capacity["resource"].astype(str)]
    for (name, resource), rows in capacity.sort_values("start_date", kind="stable").groupby(keys):
        start = rows["start_date"].to_numpy("datetime64[D]")
        amount = rows["capacity"].to_numpy(float)
        for t, first in enumerate(weeks):
            days = np.datetime64(first) + np.arange(7)
            at = np.searchsorted(start, days, side="right") - 1
            daily = amount[at[at >= 0]]
            if len(daily):
                whole = daily.min() if resource == "storage_cuft" else daily.mean()
                if whole < _WIDE:
                    found.append((index[name], str(resource), t, float(whole)))
    return found


def storage_cuft(
    network: NetworkModel, capacity: pd.DataFrame, as_of: date, weeks: int
) -> NDArray[np.float64]:
    """Least storage [nodes, weeks] in effect during each week; inf where none is stated."""
    starts = [as_of + timedelta(days=1 + 7 * t) for t in range(weeks)]
    found = np.full((len(network.parent), weeks), np.inf)
    for j, resource, t, stated in _stated(network, capacity, starts):
        if resource == "storage_cuft":
            found[j, t] = stated
    return found


def left_over(
    stock: NDArray[np.float64], coming: list[NDArray[np.float64]], level: NDArray[np.int32],
    weekly: NDArray[np.float64], asked: NDArray[np.float64], ratio: list[NDArray[np.float64]],
    cube_cuft: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Cubic feet [nodes, weeks] of stock above any level, as demand through the node drains it, and
    share [nodes, weeks] of a week's levels that is left at its end if nothing comes in.

    What is on the way fills levels anywhere in the network first, less what is asked for before the
    week; what it brings beyond them all stands where it comes. stock, level, weekly: [items, nodes]
    units on hand, unpriced levels, and demand of a week that enters in the node's set; coming: by
    week [items, nodes] units on the way that are there by then; asked: [items, weeks] units of the
    week anywhere; ratio: by week [items, nodes] of weekly, and of levels, to these.
    """
    left, above, kept = stock, [], []
    free = stock.sum(axis=1)
    for t, now in enumerate(ratio):
        held = level * now
        over = np.maximum(left - held, 0.0)
        comes = coming[t].sum(axis=1)
        beyond = np.maximum(free + comes - held.sum(axis=1) - over.sum(axis=1), 0.0)
        over += (np.minimum(beyond, comes) / np.maximum(comes, 1e-9))[:, None] * coming[t]
        above.append(product(cube_cuft, over))
        drained = product(cube_cuft, np.minimum(weekly * now, held))
        kept.append(1.0 - drained / np.maximum(product(cube_cuft, held), 1e-9))
        left, free = left - weekly * now, free - asked[:, t]
    return np.stack(above, axis=1), np.stack(kept, axis=1)


def on_the_way(
    network: NetworkModel, tables: dict[str, pd.DataFrame], items: list[str], as_of: date,
    weeks: int,
) -> list[NDArray[np.float64]]:  # fmt: skip
    """By week units [items, nodes] of open orders and transfers, each for the share of the week
    that it is there for; what is overdue comes tomorrow."""
    found = [np.zeros((len(items), len(network.parent))) for _ in range(weeks)]
    for name in ("open_orders", "open_transfers"):
        lines = tables[name]
        lines = lines[lines["date"] == pd.Timestamp(as_of)]
        to = "node_id" if name == "open_orders" else "to_node_id"
        k = pd.Index(items).get_indexer(pd.Index(lines["item_id"].astype(str)))
        j = pd.Index(network.names).get_indexer(pd.Index(lines[to].astype(str)))
        days = (pd.to_datetime(lines["expected_arrival_date"]) - pd.Timestamp(as_of)).dt.days
        units, known = lines["open_units"].to_numpy(float), (k >= 0) & (j >= 0)
        for t in range(weeks):
            share = np.clip((7 * t + 8 - days.to_numpy(float)) / 7.0, 0.0, 1.0)
            np.add.at(found[t], (k[known], j[known]), (units * share)[known])
    return found


def stock_on_hand(
    network: NetworkModel, stock: pd.DataFrame, items: list[str], as_of: date
) -> NDArray[np.float64]:
    """Units [items, nodes] on hand at the end of as_of."""
    today = stock[stock["date"] == pd.Timestamp(as_of)]
    k = pd.Index(items).get_indexer(pd.Index(today["item_id"].astype(str)))
    j = pd.Index(network.names).get_indexer(pd.Index(today["node_id"].astype(str)))
    known = (k >= 0) & (j >= 0)
    units = np.zeros((len(items), len(network.parent)))
    np.add.at(units, (k[known], j[known]), today["on_hand_units"].to_numpy(float)[known])
    return units
