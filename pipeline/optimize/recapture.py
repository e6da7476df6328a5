"""What a lost sale really costs when others win part of it back.

A customer who finds item k out turns to j with probability ρ_kj; what she brings there is v_j, the
sale if j is in stock (share a_j of the time) or else what she is worth onward:
v_j = a_j m_j + (1 − a_j) Σ ρ_jl v_l. The shortage cost of k is m_k − Σ_j ρ_kj v_j, never below a
floor, so that an item keeps some stock unless the settings let it be dropped. Of ρ only what data
say counts: where no stock-out has shown where customers turn, a lost sale costs all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.columns import LEAVES
from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import product
from pipeline.optimize.item_model import DemandCube, Economics

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
    return shifted(cube, money, net, substitution), net


def net_of_recapture(
    money: Economics, items: list[str], substitution: pd.DataFrame, first_choice: pd.DataFrame,
    settings: Settings,
) -> Economics:  # fmt: skip
    """The economics with lost sales net of recapture; items of no group keep theirs."""
    onward = transitions(items, substitution, proven=True)
    share = first_choice.groupby(first_choice["item_id"].astype(str))["stocked_share"].mean()
    there = share.reindex(items).fillna(0.0).to_numpy(float)
    worth = money.lost_sale_usd
    value = there * worth
    for _ in range(_ROUNDS):
        value = there * worth + (1.0 - there) * product(onward, value)
    floor = 0.0 if settings.assort.drops_items else settings.assort.least_lost_share
    lost = np.maximum(worth - product(onward, value), floor * worth)
    return replace(money, lost_sale_usd=lost)


def shifted(
    cube: DemandCube, before: Economics, after: Economics, substitution: pd.DataFrame
) -> DemandCube:
    """Demand of items no longer worth stocking, passed on to those that are.

    Their own demand becomes none; a receiver's quantiles grow in proportion to its mean.
    """
    dropped = (before.lost_sale_usd > 0) & (after.lost_sale_usd <= 0)
    if not dropped.any():
        return cube
    onward = transitions(cube.items, substitution)
    moving = np.where(dropped[:, None, None], cube.mean, 0.0)
    gained = np.zeros(cube.mean.shape)
    for _ in range(_ROUNDS):
        moved = np.einsum("ij,iwr->jwr", onward, moving)
        gained += np.where(dropped[:, None, None], 0.0, moved)
        moving = np.where(dropped[:, None, None], moved, 0.0)
        if not moving.any():
            break
    factor = np.where(cube.mean > 0, 1.0 + gained / np.maximum(cube.mean, 1e-9), 1.0)
    factor = np.where(dropped[:, None, None], 0.0, factor)
    quantiles = (cube.quantiles * factor[..., None]).astype(np.float32)
    return replace(cube, quantiles=quantiles, mean=cube.mean * factor)


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
