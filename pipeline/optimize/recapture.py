"""What a lost sale really costs when others win part of it back.

A customer who finds item k out turns to j with probability ρ_kj; what she brings there is v_j, the
sale if j is in stock (share a_j of the time) or else what she is worth onward:
v_j = a_j m_j + (1 − a_j) Σ ρ_jl v_l, with a_k = 0 for the item that she just found out. The
shortage cost of k is m_k − Σ_j ρ_kj v_j, never below a floor, so that an item keeps some stock
unless the settings let it be dropped. Of ρ only what data say counts: where no stock-out has shown
where customers turn, a lost sale costs all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pipeline.contracts.columns import LEAVES
from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import product
from pipeline.optimize.item_model import DemandCube, Economics

Floats = NDArray[np.float64]
_ROUNDS = 60


def with_substitution(
    cube: DemandCube, money: Economics, tables: Mapping[str, pd.DataFrame], settings: Settings
) -> tuple[DemandCube, Economics]:
    """Demand and economics as groups of substitutes change them; without groups the same objects.

    This is all that the optimizer knows of substitution.
    """
    substitution, first = tables.get("substitution"), tables.get("first_choice")
    if substitution is None or first is None or substitution.empty:
        return cube, money
    net = net_of_recapture(money, cube.items, substitution, first, settings)
    return shifted(cube, money, net, substitution, _owned(tables, cube.items)), net


def _owned(tables: Mapping[str, pd.DataFrame], items: list[str]) -> NDArray[np.float64]:
    """[items] units on hand and on order: what a dropped item still sells."""
    total = np.zeros(len(items))
    for name, column in (("stock", "on_hand_units"), ("open_orders", "open_units")):
        frame = tables.get(name)
        if frame is not None and len(frame):
            units = frame.groupby(frame["item_id"].astype(str))[column].sum()
            total += units.reindex(items).fillna(0.0).to_numpy(float)
    return total


def net_of_recapture(
    money: Economics, items: list[str], substitution: pd.DataFrame, first_choice: pd.DataFrame,
    settings: Settings,
) -> Economics:  # fmt: skip
    """The economics with lost sales net of recapture; items of no group keep theirs."""
    onward = transitions(items, substitution, proven=True)
    share = first_choice.groupby(first_choice["item_id"].astype(str))["stocked_share"].mean()
    there = share.reindex(items).fillna(0.0).to_numpy(float)
    worth = money.lost_sale_usd
    lost = worth.copy()
    drops, floor = settings.assort.drops_items, settings.assort.least_lost_share
    for group in _groups(onward):
        own, known = onward[np.ix_(group, group)], there[group]
        if drops:
            lost[group] = _after_drops(own, known, worth[group])
        else:
            lost[group] = np.maximum(_shortage_usd(own, known, worth[group]), floor * worth[group])
    return replace(money, lost_sale_usd=lost)


def _groups(onward: Floats) -> list[NDArray[np.int64]]:
    """Items that customers move between, group by group; items alone are in none."""
    count, label = connected_components(csr_array(onward > 0), directed=False)
    sizes = np.bincount(label, minlength=count)
    return [np.flatnonzero(label == g) for g in np.flatnonzero(sizes > 1)]


def _shortage_usd(onward: Floats, there: Floats, worth: Floats) -> Floats:
    """[items] usd lost with a customer who finds the item out. She finds it out again whenever she
    comes back to it: the values of others, [out, items], are those with it out."""
    found = np.tile(there, (len(there), 1))
    np.fill_diagonal(found, 0.0)
    value = found * worth
    for _ in range(_ROUNDS):
        value = found * worth + (1.0 - found) * product(value, np.ascontiguousarray(onward.T))
    return worth - (onward * value).sum(axis=1)


def _after_drops(onward: Floats, there: Floats, worth: Floats) -> Floats:
    """[items] shortage cost, 0 for what is dropped: one at a time, whose customers bring most
    elsewhere for what it earns, since the next one can no longer count on it."""
    there, is_dropped = there.copy(), np.zeros(len(worth), dtype=bool)
    while True:
        lost = np.where(is_dropped, 0.0, _shortage_usd(onward, there, worth))
        worst = int(np.argmin(lost))
        if lost[worst] >= 0:
            return lost
        is_dropped[worst], there[worst] = True, 0.0


def shifted(
    cube: DemandCube, before: Economics, after: Economics, substitution: pd.DataFrame,
    owned: NDArray[np.float64],
) -> DemandCube:  # fmt: skip
    """Demand of items no longer worth stocking, passed on to those that are.

    owned: [items] units that there are. They are paid for and sell first: of a window's demand
    only what goes beyond them is passed on. A receiver's quantiles grow in proportion to its mean.
    """
    dropped = (before.lost_sale_usd > 0) & (after.lost_sale_usd <= 0)
    if not dropped.any():
        return cube
    onward = transitions(cube.items, substitution)
    total = cube.mean.sum(axis=2, keepdims=True)
    beyond = np.clip(1.0 - owned[:, None, None] / np.maximum(total, 1e-9), 0.0, 1.0)
    moving = np.where(dropped[:, None, None], beyond * cube.mean, 0.0)
    gained = np.zeros(cube.mean.shape)
    for _ in range(_ROUNDS):
        moved = np.einsum("ij,iwr->jwr", onward, moving)
        gained += np.where(dropped[:, None, None], 0.0, moved)
        moving = np.where(dropped[:, None, None], moved, 0.0)
        if not moving.any():
            break
    factor = np.where(cube.mean > 0, 1.0 + gained / np.maximum(cube.mean, 1e-9), 1.0)
    factor = np.where(dropped[:, None, None], 1.0 - beyond, factor)
    return cube.scaled(factor)


def transitions(
    items: list[str], substitution: pd.DataFrame, proven: bool = False
) -> NDArray[np.float64]:
    """Probabilities [items, items] that a customer of the one turns to the other.

    proven: only the share of them that data say; what nobody has seen wins nothing back.
    """
    rows = substitution[substitution["to_item_id"].astype(str) != LEAVES]
    place = pd.Index(items)
    start = place.get_indexer(rows["item_id"].astype(str))
    end = place.get_indexer(rows["to_item_id"].astype(str))
    known = (start >= 0) & (end >= 0)
    found = np.zeros((len(items), len(items)))
    chance = rows["probability"].to_numpy(float)
    if proven:
        chance = chance * rows["share_from_data"].to_numpy(float)
    found[start[known], end[known]] = chance[known]
    return found
