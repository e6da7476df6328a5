"""Exhaustive twin of core.allocation for one item: every combination of lots on the lanes."""

from __future__ import annotations

import itertools

import numpy as np

from pipeline.core.allocation import Holding, Network


def plan_value(
    units: tuple[int, ...], start: np.ndarray, holding: Holding, network: Network, item: int = 0
) -> float:
    """Value (usd) of moving `units` over the lanes from positions `start`, against not moving."""
    after = start.astype(float).copy()
    cost = 0.0
    for lane, moved in enumerate(units):
        after[network.source[lane]] -= moved
        after[network.target[lane]] += moved
        cost += network.usd[item, lane] * moved
    gain = 0.0
    for node in range(len(start)):
        at = (np.array(item), np.array(node))
        gain += float(holding.value(*at, after[node]) - holding.value(*at, start[node]))
    return gain - cost


def best_transfers(
    fixed: np.ndarray, movable: np.ndarray, holding: Holding, network: Network
) -> float:
    """Largest value over all admitted integer transfers of the (only) item."""
    choices = [
        range(0, int(movable[0, i]) + 1, int(network.lot[0, lane]))
        for lane, i in enumerate(network.source)
    ]
    best = 0.0
    for units in itertools.product(*choices):
        if is_admitted(units, movable, network):
            best = max(best, plan_value(units, (fixed + movable)[0], holding, network))
    return best


def is_admitted(units: tuple[int, ...], movable: np.ndarray, network: Network) -> bool:
    """Whether no node gives more than it has and no row is above its room."""
    out = np.zeros(movable.shape[1])
    for lane, moved in enumerate(units):
        out[network.source[lane]] += moved
    use = network.row_of @ (np.array(units) * 1.0) * network.weight[:, 0]
    return bool((out <= movable[0]).all() and (use <= network.room + 1e-9).all())
