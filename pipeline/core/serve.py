"""A plan of items: units at nodes, what each node serves of them, and when that entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.capped import cover_of, serve_best
from pipeline.core.flow import LEAVING, is_priced, ways
from pipeline.core.item import ItemTables, kernel_arrays
from pipeline.core.network import Forest
from pipeline.kernels import njit

Array = NDArray[Any]


@dataclass(frozen=True)
class Placed:
    """position: int32 [items, nodes] units of level; served: [items, nodes] expected units of the
    cycle that the node serves, at most the level; entered: uint8 [items, nodes, depth] week in
    which they entered the node, the one that feeds it, and so on up to where vendors deliver.
    """

    position: NDArray[np.int32]
    served: NDArray[np.float64]
    entered: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.position)

    def take(self, rows: slice | NDArray[np.int64]) -> Placed:
        """The plan of some items."""
        return Placed(self.position[rows], self.served[rows], self.entered[rows])

    def put(self, rows: slice | NDArray[np.int64], other: Placed) -> None:
        """Overwrite the plan of some items."""
        self.position[rows] = other.position
        self.served[rows] = other.served
        self.entered[rows] = other.entered

    def copy(self) -> Placed:
        """A plan that can be changed on its own."""
        return Placed(self.position.copy(), self.served.copy(), self.entered.copy())

    def writable(self) -> Placed:
        """The plan if it can be changed, or a copy: what another process sent cannot."""
        is_writable = self.position.flags.writeable
        return self if is_writable else self.copy()


def joined(parts: Sequence[Placed]) -> Placed:
    """The plans one after the other."""
    return Placed(
        np.concatenate([part.position for part in parts]),
        np.concatenate([part.served for part in parts]),
        np.concatenate([part.entered for part in parts]),
    )


@njit(nogil=True, cache=True, inline="always")
def entry_weeks(week: int, feeder: Array, waits: Array, entered: Array) -> None:
    """Weeks [nodes, depth] in which what is needed in a week enters each place on its way."""
    for j in range(len(feeder)):
        at, since, d = j, week, 0
        while at >= 0:
            while waits[since, at]:
                since -= 1
            entered[j, d] = since
            at, d = feeder[at], d + 1


@njit(nogil=True, cache=True)
def _serve(
    n_sets: Array, n_children: Array, parent: Array, above: Array, home: Array, feeder: Array,
    order: Array, tree: Array, week: Array, start: Array, count: Array, knots: Array,
    place_usd: Array, use: Array, gap_usd: Array, turn: Array, rise: Array, choice: Array,
    price: Array, position: Array, served: Array, entered: Array,
) -> None:  # fmt: skip
    n_nodes, width = position.shape[1], count.shape[1] + 2
    sets, serving, y = np.zeros((6, width)), np.empty(n_nodes), np.zeros(n_nodes)
    gain = np.empty(n_nodes)
    way = np.zeros((price.shape[1], n_nodes))
    waits = np.zeros((price.shape[1], n_nodes), np.bool_)
    for k in range(len(position)):
        t, own = tree[k], price[choice[k]]
        priced = use.shape[1] > LEAVING and is_priced(own)
        ways(week[k], turn[k], place_usd[k], use[k], own, priced, feeder, order, way, waits)
        for j in range(n_nodes):
            serving[j] = way[week[k], j]
            if priced:
                serving[j] += use[k, LEAVING] * own[week[k], LEAVING, j]
        entry_weeks(week[k], feeder, waits, entered[k])
        y[:] = position[k]
        cover_of(n_sets[t], parent[t], home[t], start[k], count[k], knots, gap_usd[k], y, sets[0],
                 sets[1], sets[2], sets[3])  # fmt: skip
        serve_best(n_sets[t], parent[t], home[t], gap_usd[k], y, serving, sets[1], served[k],
                   sets[4], sets[5], gain)  # fmt: skip


def serve(
    woods: Forest,
    items: ItemTables,
    position: NDArray[np.int32],
    price: NDArray[np.float64],
    choice: NDArray[np.int64] | None = None,
) -> Placed:
    """What positions [items, nodes] serve best.

    price: [weeks, kinds, nodes] usd of what items use; with choice [items], one of several.
    """
    price = price[None] if choice is None else price
    choice = np.zeros(len(items), np.int64) if choice is None else choice
    served = np.zeros(position.shape)
    entered = np.zeros((*position.shape, woods.depth), np.uint8)
    price = np.ascontiguousarray(price)
    _serve(*kernel_arrays(woods, items), choice, price, position, served, entered)
    return Placed(position, served, entered)


@njit(nogil=True, cache=True)
def _node_usd(
    n_sets: Array, n_children: Array, parent: Array, above: Array, home: Array, feeder: Array,
    order: Array, tree: Array, week: Array, start: Array, count: Array, knots: Array,
    place_usd: Array, use: Array, gap_usd: Array, turn: Array, rise: Array, price: Array,
    level: Array, serving: Array,
) -> None:  # fmt: skip
    n_nodes = level.shape[1]
    way = np.zeros((price.shape[0], n_nodes))
    waits = np.zeros((price.shape[0], n_nodes), np.bool_)
    flows = use.shape[1] > LEAVING
    priced = flows and is_priced(price)
    for k in range(len(tree)):
        ways(week[k], turn[k], place_usd[k], use[k], price, priced, feeder, order, way, waits)
        for j in range(n_nodes):
            level[k, j] = use[k, 0] * price[week[k], 0, j] + rise[k, j] * way[week[k], j]
            if flows:
                serving[k, j] = way[week[k], j] + use[k, LEAVING] * price[week[k], LEAVING, j]


def node_usd(
    woods: Forest, items: ItemTables, price: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What capacity prices [weeks, kinds, nodes] add, both [items, nodes]: to the cost of a unit of
    level, and of a unit that is served from the node."""
    level, serving = np.zeros((2, len(items), woods.n_nodes))
    _node_usd(*kernel_arrays(woods, items), price, level, serving)
    return level, serving
