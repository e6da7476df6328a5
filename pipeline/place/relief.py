"""Stock that leaves a node which will be too full for one below it that has space to spare.

`core.allocation` moves stock toward levels, and what is beyond them stays: in a plan there is
nothing beyond. But where more comes than was planned (an order of before the plan, a late one, a
demand that fell), a node pays for each cubic foot above its capacity, day by day, while nodes below
it stand half empty. Sending a unit there costs its lane and its handling, once.

Greedy and exact for one node with room enough below: units go in order of what a cubic foot's way
costs, as long as the days on which a foot less is above capacity are worth it; first where docks
have room, then where they have none. What a unit gains by
lying nearer to customers is not counted: levels have said that it does not pay by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.allocation import Network
from pipeline.core.arithmetic import product

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_COVERS = 3.0
"""No node is sent so more of an item than it sells in so many protection intervals."""


@dataclass(frozen=True)
class Crowding:
    """excess_cuft: [days, nodes] above capacity at the ends of the coming days, before relief;
    usd_per_cuft_day: what a foot above costs a day; way_usd: [items, lanes] what moving a unit
    costs; cube_cuft: [items]; over_usd: [rows] of the network, what each unit above a row's room
    costs, inf where none goes."""

    excess_cuft: Floats
    usd_per_cuft_day: float
    way_usd: Floats
    cube_cuft: Floats
    over_usd: Floats


def relief(
    crowding: Crowding, network: Network, room: Floats, surplus: Ints, takes: Ints, line_usd: float
) -> tuple[Ints, Floats]:
    """Units [items, lanes] that leave crowded nodes, and the usd that each line gains.

    room: [rows] of the network that tonight's other transfers leave; surplus: [items, nodes] on
    hand and beyond the level; takes: [items, nodes] most that each may be sent. Whole lots, no row
    above its room unless that pays, no line that gains less than line_usd.
    """
    surplus, takes, room = surplus.copy(), takes.copy(), np.maximum(room, 0.0)
    moved = np.zeros((len(surplus), len(network.source)), dtype=np.int64)
    gained = np.zeros(moved.shape)
    per_cuft = crowding.way_usd / np.maximum(crowding.cube_cuft, 1e-9)[:, None]
    for node in np.flatnonzero(crowding.excess_cuft.max(axis=0, initial=0.0) > 0):
        profile = np.maximum(crowding.excess_cuft[:, node], 0.0)
        lanes = np.flatnonzero(network.source == node)
        worth = int((profile > 0).sum()) * crowding.usd_per_cuft_day
        can = (surplus[:, [node]] > 0) & (takes[:, network.target[lanes]] > 0)
        items, which = np.nonzero(can & (per_cuft[:, lanes] < worth))
        order = np.argsort(per_cuft[items, lanes[which]], kind="stable")
        items, which = items[order], which[order]
        for is_hard in (np.ones(len(room), dtype=bool), np.isinf(crowding.over_usd)):
            for k, lane in zip(items, lanes[which], strict=True):
                days = int((profile > 0).sum())
                if days * crowding.usd_per_cuft_day <= per_cuft[k, lane]:
                    break  # and no later way is cheaper
                use = network.weight[:, k] * network.row_of[:, lane]
                most = min(int(surplus[k, node]), int(takes[k, network.target[lane]]))
                most = min(most, _fitting(use, room, is_hard))
                units, usd = _paying_units(profile, crowding, network, int(k), int(lane), most, use,
                                           room)  # fmt: skip
                if not units or usd < line_usd:
                    continue
                moved[k, lane] += units
                gained[k, lane] += usd
                surplus[k, node] -= units
                takes[k, network.target[lane]] -= units
                room = np.maximum(room - use * units, 0.0)
                profile = np.maximum(profile - crowding.cube_cuft[k] * units, 0.0)
    return moved, gained


def room_left(network: Network, moved: Ints) -> Floats:
    """[rows] what the transfers leave of the rows' room."""
    use = network.weight * product(network.row_of.astype(float), moved.T.astype(float))
    return np.asarray(network.room - use.sum(axis=1))


def most_taken(demand: Floats, position: Ints, eligible: npt.NDArray[np.bool_]) -> Ints:
    """[items, nodes] units that a node may be sent beyond its level: what it sells in some
    protection intervals, less what it has; demand: [items, nodes] units of one interval."""
    most = np.floor(_COVERS * demand).astype(np.int64) - position
    return np.where(eligible, np.maximum(most, 0), 0)


def _fitting(use: Floats, room: Floats, is_hard: npt.NDArray[np.bool_]) -> int:
    """Units for which every row has room that must not be exceeded; use: [rows] of a unit."""
    used = (use > 0) & is_hard
    if not used.any():
        return np.iinfo(np.int64).max
    return int(np.floor(np.min(room[used] / use[used]) + 1e-9))


def _paying_units(
    profile: Floats, crowding: Crowding, network: Network, item: int, lane: int, most: int,
    use: Floats, room: Floats,
) -> tuple[int, float]:  # fmt: skip
    """Whole lots up to `most`, as long as the next one gains, and what they gain together; what a
    unit uses above a row's room costs over_usd."""
    lot, cube = int(network.lot[item, lane]), float(crowding.cube_cuft[item])
    lots = min(most // lot, int(np.ceil(profile.max() / (cube * lot))))
    if lots <= 0:
        return 0, 0.0
    counts = np.arange(1, lots + 1) * lot
    spared = np.minimum(profile[None, :], counts[:, None] * cube).sum(axis=1)
    usd = crowding.usd_per_cuft_day * spared - crowding.way_usd[item, lane] * counts
    pays = (use > 0) & np.isfinite(crowding.over_usd)
    over = np.maximum(counts[:, None] * use[pays] - room[pays], 0.0)
    usd = usd - product(over, crowding.over_usd[pays])
    best = int(np.argmax(usd))  # concave in the number of lots: the first of the greatest
    return int(counts[best]), float(usd[best])
