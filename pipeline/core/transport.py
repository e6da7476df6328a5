"""Serving one demand scenario from stock at best, and what one unit more or less would change.

    max { sum_jl reward_jl x_jl : sum_l x_jl <= stock_j,  sum_j x_jl <= demand_l,  x >= 0 }

Successive best paths: all demand begins unserved, and units move along the path that gains most,
from one node to another until one has free stock (a unit that moves from i to j takes the cell that
gains most by it). Every step leaves no cycle that gains, so the last flow is optimal, and the best
paths that remain are the exact one-sided derivatives in the stock of every node.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels import njit

Array = NDArray[Any]


@njit(nogil=True, cache=True, inline="always")
def _moves_from(i: int, reward: Array, flow: Array, best: Array, cell: Array) -> None:
    """Most that a unit gains when it moves from i to each node, and the cell that it serves."""
    nodes, cells = flow.shape
    for j in range(nodes):
        best[i, j] = -np.inf
    for c in range(cells):
        if flow[i, c] > 0.0:
            for j in range(nodes):
                gained = reward[j, c] - reward[i, c]
                if gained > best[i, j]:
                    best[i, j], cell[i, j] = gained, c


@njit(nogil=True, cache=True, inline="always")
def _paths(best: Array, gain: Array, before: Array) -> None:
    """Most that a path from unserved demand (the last node) to each node gains."""
    nodes = len(gain)
    for j in range(nodes):
        gain[j], before[j] = best[nodes - 1, j], nodes - 1
    gain[nodes - 1], before[nodes - 1] = 0.0, -1
    for _ in range(nodes):
        changed = False
        for i in range(nodes - 1):
            if gain[i] == -np.inf:
                continue
            for j in range(nodes - 1):
                if j != i and gain[i] + best[i, j] > gain[j] + 1e-9:
                    gain[j], before[j] = gain[i] + best[i, j], i
                    changed = True
        if not changed:
            break


@njit(nogil=True, cache=True, inline="always")
def _one_more(best: Array, gain: Array) -> None:
    """What a unit more at each node gains: an unserved order takes it, or one from another node,
    whose unit may stay free."""
    nodes = len(gain)
    for j in range(nodes):
        gain[j] = max(best[nodes - 1, j], 0.0) if j < nodes - 1 else 0.0
    for _ in range(nodes):
        changed = False
        for i in range(nodes - 1):
            for j in range(nodes - 1):
                if j != i and gain[i] + best[i, j] > gain[j] + 1e-9:
                    gain[j] = gain[i] + best[i, j]
                    changed = True
        if not changed:
            break


@njit(nogil=True, cache=True, inline="always")
def _one_less(best: Array, free: Array, loss: Array) -> None:
    """What the loss of a unit at each node costs: its cell moves on, or goes unserved."""
    nodes = len(free)
    for j in range(nodes):
        loss[j] = 0.0 if free[j] > 0.0 or j == nodes - 1 else np.inf
    for _ in range(nodes):
        changed = False
        for i in range(nodes - 1):
            for j in range(nodes):
                if j != i and loss[j] - best[i, j] < loss[i] - 1e-9:
                    loss[i] = loss[j] - best[i, j]
                    changed = True
        if not changed:
            break


@njit(nogil=True, cache=True)
def serve(reward: Array, stock: Array, demand: Array, gain: Array, loss: Array) -> float:
    """Reward of the best flow; fills gain and loss [nodes], of one unit more and one less.

    reward: [nodes + 1, cells] usd, the last row zero: unserved; -inf where a node cannot serve;
    stock: [nodes] and demand: [cells] units.
    """
    nodes, cells = len(stock) + 1, len(demand)
    flow = np.zeros((nodes, cells))
    flow[nodes - 1] = demand
    free = np.zeros(nodes)
    free[: nodes - 1] = stock
    best, cell = np.empty((nodes, nodes)), np.zeros((nodes, nodes), np.int64)
    length, before = np.empty(nodes), np.empty(nodes, np.int64)
    for i in range(nodes):
        _moves_from(i, reward, flow, best, cell)
    total = 0.0
    while True:
        _paths(best, length, before)
        end = -1
        for j in range(nodes - 1):
            if free[j] > 0.0 and (end < 0 or length[j] > length[end]):
                end = j
        if end < 0 or length[end] <= 1e-9:
            break
        amount, j = free[end], end
        while before[j] >= 0:
            amount = min(amount, flow[before[j], cell[before[j], j]])
            j = before[j]
        total += amount * length[end]
        free[end] -= amount
        j = end
        while before[j] >= 0:
            i = before[j]
            c = cell[i, j]
            flow[i, c] -= amount
            flow[j, c] += amount
            j = i
        j = end
        while j >= 0:
            _moves_from(j, reward, flow, best, cell)
            j = before[j]
    _one_less(best, free, length)
    for j in range(nodes - 1):
        loss[j] = length[j] if stock[j] > 0.0 else np.inf
    _one_more(best, length)
    gain[:] = length[: nodes - 1]
    return total


@njit(nogil=True, cache=True)
def serve_all(reward: Array, stock: Array, demand: Array, gain: Array, loss: Array) -> float:
    """Mean reward over scenarios; fills mean gain and loss [nodes]. demand: [scenarios, cells]."""
    one_more, one_less = np.empty(len(stock)), np.empty(len(stock))
    gain[:], loss[:] = 0.0, 0.0
    total = 0.0
    for w in range(len(demand)):
        total += serve(reward, stock, demand[w], one_more, one_less)
        gain += one_more
        loss += one_less
    gain /= len(demand)
    loss /= len(demand)
    return total / len(demand)
