"""Prices by quasi-Newton ascent of the dual function.

What items use falls with the prices they see, pi = A' price, so the curvature lives in the space of
``cells`` (week, kind, node), not of rows: several rows may act on the same cells. One matrix B
[cells, cells] is learned by BFGS updates; each step maximizes the model

    slope d - d' (A B A') d / 2     over 0 <= price + d <= overflow_usd

by coordinate ascent. The dual is piecewise linear, but over thousands of items it is smooth enough.
A step that falls short of the model makes the next one shorter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import dot, product
from pipeline.core.item import sweep
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity, Sample
from pipeline.kernels import njit

Array = NDArray[Any]


MANY_CELLS = 1_500
"""Cells from which on the curvature is kept by cell alone: a matrix of them would not fit."""


@dataclass(frozen=True)
class Point:
    """The dual function at a price: value in usd, and what items use there [cells]."""

    value: float
    used: NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """Where an ascent ended and another may begin: price [rows]; curvature [cells, cells], what use
    falls by for a unit of price; of many cells [cells], each by itself."""

    price: NDArray[np.float64]
    curvature: NDArray[np.float64]


@njit(nogil=True, cache=True)
def box_ascent(bend: Array, slope: Array, low: Array, high: Array, passes: int) -> Array:
    """Step in [low, high] that maximizes slope d - d' bend d / 2, by coordinate ascent."""
    step, left = np.zeros(len(slope)), slope.copy()
    for _ in range(passes):
        largest = 0.0
        for i in range(len(slope)):
            new = min(max(step[i] + left[i] / bend[i, i], low[i]), high[i])
            change = new - step[i]
            if change != 0.0:
                step[i] = new
                for j in range(len(slope)):
                    left[j] -= bend[i, j] * change
                largest = max(largest, change * change * bend[i, i])
        if largest < 1e-18:
            break
    return step


def newton_step(
    capacity: Capacity,
    curvature: NDArray[np.float64],
    price: NDArray[np.float64],
    used: NDArray[np.float64],
    damping: float = 1.0,
) -> tuple[NDArray[np.float64], float]:
    """The next price and the gain that the model promises, from the use [cells] at the price."""
    rows = capacity.rows
    slope = rows @ used - capacity.limit
    if curvature.ndim == 1:
        alone = damping * (rows.power(2) @ curvature)
        step = slope / (alone + 1e-12 * (alone.max(initial=0.0) + 1e-12))
        step = np.clip(step, -price, capacity.overflow_usd - price)
        gain = dot(slope, step) - dot(alone * step, step) / 2.0
        return np.clip(price + step, 0.0, capacity.overflow_usd), gain
    bend = damping * np.asarray(rows @ np.asarray(rows @ curvature).T)
    at = np.arange(len(price))
    bend[at, at] = bend[at, at] * (1.0 + 1e-6) + 1e-12 * (bend[at, at].max(initial=0.0) + 1e-12)
    step = box_ascent(bend, slope, -price, capacity.overflow_usd - price, 200)
    gain = dot(slope, step) - dot(product(bend, step), step) / 2.0
    return np.clip(price + step, 0.0, capacity.overflow_usd), gain


def climb(
    dual: Callable[[NDArray[np.float64]], Point],
    capacity: Capacity,
    start: Start | None,
    most: int,
    enough: float,
) -> tuple[Start, int]:
    """Prices near the dual's maximum, and how often it was evaluated, at most ``most`` times.

    Stops when the model promises less than the share ``enough`` of the value.
    """
    if start is None:
        price, curvature, best = _first(dual, capacity)
        done = 2
    else:
        price, curvature, best, done = start.price, start.curvature, dual(start.price), 1
    damping = 1.0
    while done < most:
        tried, promised = newton_step(capacity, curvature, price, best.used, damping)
        if promised <= enough * abs(best.value):
            break
        found = dual(tried)
        done += 1
        step = capacity.rows.T @ (tried - price)
        curvature = _updated(curvature, step, best.used - found.used)
        gained = (found.value - best.value) / promised
        if gained < 0.1:
            damping = min(2.0 * damping, 64.0)
        elif gained > 0.5:
            damping = max(damping / 2.0, 1.0)
        if found.value > best.value:
            price, best = tried, found
    return Start(price, curvature), done


def _first(
    dual: Callable[[NDArray[np.float64]], Point], capacity: Capacity
) -> tuple[NDArray[np.float64], NDArray[np.float64], Point]:
    """A first price, and the curvature cell by cell from what use falls by when all is priced."""
    free = dual(np.zeros(len(capacity)))
    width = np.maximum(np.abs(capacity.limit), capacity.rows @ free.used)
    probe = np.minimum(abs(free.value) / np.maximum(width, 1e-9) / 100.0, capacity.overflow_usd)
    priced = dual(probe)
    price = capacity.rows.T @ probe
    typical = float(np.median(price[price > 0])) if (price > 0).any() else 1.0
    fall = np.where(price > 0, (free.used - priced.used) / np.where(price > 0, price, 1.0), 0.0)
    alone = np.maximum(fall, 0.02 * free.used / typical + 1e-12)
    curvature = alone if len(alone) > MANY_CELLS else np.diag(alone)
    if priced.value > free.value:
        return probe, curvature, priced
    return np.zeros(len(capacity)), curvature, free


def _updated(
    curvature: NDArray[np.float64], step: NDArray[np.float64], fall: NDArray[np.float64]
) -> NDArray[np.float64]:
    """BFGS update, left out where it would not be positive; cell by cell, what use fell by for a
    unit of price, as far as it did."""
    if curvature.ndim == 1:
        seen = np.where(np.abs(step) > 1e-12, fall / np.where(step == 0.0, 1.0, step), 0.0)
        moved = np.clip(seen, curvature / 4.0, curvature * 4.0)
        return np.where(seen > 0.0, np.sqrt(curvature * moved), curvature)
    along = dot(step, fall)
    if along <= 1e-12 * float(np.sqrt(dot(step, step) * dot(fall, fall))):
        return curvature
    bent = product(curvature, step)
    lowered = curvature - np.outer(bent, bent) / dot(step, bent)
    return np.asarray(lowered + np.outer(fall, fall) / along)


def sample_dual(
    woods: Forest,
    sample: Sample,
    capacity: Capacity,
    missing: NDArray[np.float64] | None = None,
) -> Callable[[NDArray[np.float64]], Point]:
    """The weighted dual function of a sample: sum of item optima less price times limit.

    missing: [cells] what all items use beyond what the sample says, taken as used at any price.
    """
    blocks = len(sample.weight)
    beyond = np.zeros(capacity.rows.shape[1]) if missing is None else missing
    limit = capacity.limit - capacity.rows @ beyond

    def dual(price: NDArray[np.float64]) -> Point:
        on_items = np.broadcast_to(capacity.on_items(price), (blocks, *capacity.shape))
        saved, used = sweep(woods, sample.items, sample.bounds, np.ascontiguousarray(on_items))
        cost = dot(sample.weight, sample.empty_usd - saved)
        spread = product(sample.weight, used.reshape(blocks, -1))
        return Point(cost - dot(price, limit), spread + beyond)

    return dual
