"""Guaranteed service on trees: where safety stock stands when every stage promises a service time.

A stage j needs T_j periods once its inputs are there, is promised them within SI_j, and promises
its customers within S_j. It holds what demand may need, at most, over the time that it must cover,
τ_j = SI_j + T_j - S_j: z σ_j √τ_j units at h_j each and period. Inputs come within the longest
promise of those who feed the stage, SI_j >= S_i; stages that face customers promise no later than
these accept. Cost is concave in every S_j and whole times are enough, so a dynamic programme over
the tree is exact (S. C. Graves and S. P. Willems, Manufacturing & Service Operations Management 2,
2000, 68-83; L. V. Snyder and Z.-J. M. Shen, Fundamentals of Supply Chain Theory, 2019, sec. 6.3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Stage:
    """time: whole periods that it takes; holding: cost of a unit and period; sd: of what it is
    asked for in a period by its own customers; inbound: periods within which it is supplied from
    outside; promise: most periods that its own customers wait, None without such customers."""

    time: int
    holding: float
    sd: float = 0.0
    inbound: int = 0
    promise: int | None = None


@dataclass(frozen=True)
class ServiceTimes:
    """Periods within which each stage serves, and within which it is supplied; safety stock in
    units; cost a period."""

    outbound: dict[str, int]
    inbound: dict[str, int]
    safety_stock_units: dict[str, float]
    cost: float


def guaranteed_service(
    stages: Mapping[str, Stage], edges: Sequence[tuple[str, str]], factor: float = 1.0
) -> ServiceTimes:
    """Cheapest service times of a tree whose edges lead from supplier to customer.

    factor: z, standard deviations that the stock covers. Raises ValueError where the edges are no
    tree over the stages, or a promise or time is negative.
    """
    names = list(stages)
    order, towards = _leaves_first(names, edges)
    sd = _pooled_sd(stages, edges)
    longest = _longest(stages, edges)
    cost: dict[str, NDArray[np.float64]] = {}
    best: dict[str, NDArray[np.float64]] = {}
    for name in order:
        cost[name] = _own_cost(stages[name], sd[name] * factor, longest[name])
        for other in order[: order.index(name)]:
            if towards[other] == name:  # what its subtree costs at these times of this stage
                is_supplier = (other, name) in edges
                cost[name] += _seen(best[other], is_supplier, cost[name].shape)
        if towards[name] is not None:
            is_supplier = (name, towards[name]) in edges
            best[name] = cost[name].min(axis=1) if is_supplier else cost[name].min(axis=0)
    times = _read_back(order, towards, edges, cost)
    stock = {
        name: factor * sd[name] * math.sqrt(times[name][1] + stages[name].time - times[name][0])
        for name in names
    }
    total = sum(stages[name].holding * stock[name] for name in names)
    return ServiceTimes(
        {name: times[name][0] for name in names}, {name: times[name][1] for name in names},
        stock, total,
    )  # fmt: skip


def _own_cost(stage: Stage, sd: float, longest: int) -> NDArray[np.float64]:
    """Cost [outbound, inbound] of a stage; inf where its times cannot be."""
    outbound = np.arange(longest + 1)[:, None]
    inbound = np.arange(longest - stage.time + 1)[None, :]
    covered = inbound + stage.time - outbound
    is_possible = (covered >= 0) & (inbound >= stage.inbound)
    if stage.promise is not None:
        is_possible &= outbound <= stage.promise
    cost = stage.holding * sd * np.sqrt(np.maximum(covered, 0).astype(float))
    return np.where(is_possible, cost, np.inf)


def _seen(
    best: NDArray[np.float64], is_supplier: bool, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """What a neighbour's subtree costs at each [outbound, inbound] time of a stage: a supplier may
    promise at most the inbound time, a customer's inbound time is at least the outbound one."""
    if is_supplier:
        least = np.minimum.accumulate(best)
        return np.broadcast_to(_reach(least, shape[1])[None, :], shape)
    least = np.minimum.accumulate(best[::-1])[::-1]
    padded = np.full(shape[0], np.inf)
    padded[: len(least)] = least[: shape[0]]
    return np.broadcast_to(padded[:, None], shape)


def _reach(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """The first so many values, the last one going on."""
    return np.asarray(values[np.minimum(np.arange(length), len(values) - 1)])


def _read_back(
    order: list[str], towards: Mapping[str, str | None], edges: Sequence[tuple[str, str]],
    cost: Mapping[str, NDArray[np.float64]],
) -> dict[str, tuple[int, int]]:  # fmt: skip
    """Best (outbound, inbound) of every stage, from the last one out; shorter times of equals."""
    found: dict[str, tuple[int, int]] = {}
    for name in reversed(order):
        table, next_one = cost[name].copy(), towards[name]
        if next_one is not None and (name, next_one) in edges:
            table[found[next_one][1] + 1 :] = np.inf
        elif next_one is not None:
            table[:, : found[next_one][0]] = np.inf
        if not np.isfinite(table).any():
            raise ValueError(f"no service times are possible for stage {name}")
        at = np.unravel_index(int(np.argmin(table)), table.shape)
        found[name] = int(at[0]), int(at[1])
    return found


def _leaves_first(
    names: list[str], edges: Sequence[tuple[str, str]]
) -> tuple[list[str], dict[str, str | None]]:
    """Stages such that at most one neighbour of each comes after it, and which."""
    near: dict[str, set[str]] = {name: set() for name in names}
    for one, other in edges:
        near[one].add(other)
        near[other].add(one)
    order: list[str] = []
    towards: dict[str, str | None] = {}
    while len(order) < len(names):
        ready = [n for n in names if n not in towards and len(near[n] - towards.keys()) <= 1]
        if not ready or len(edges) != len(names) - 1:
            raise ValueError("the stages and edges are no tree")
        left = near[ready[0]] - towards.keys()
        towards[ready[0]] = min(left) if left else None
        order.append(ready[0])
    if sum(one is None for one in towards.values()) != 1:
        raise ValueError("the stages and edges are no tree")
    return order, towards


def _topological(stages: Mapping[str, Stage], edges: Sequence[tuple[str, str]]) -> list[str]:
    order: list[str] = []
    while len(order) < len(stages):
        order += [n for n in stages if n not in order
                  and all(a in order for a, b in edges if b == n)]  # fmt: skip
    return order


def _pooled_sd(stages: Mapping[str, Stage], edges: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Standard deviation of what each stage is asked for, customers being independent."""
    variance = {name: stage.sd**2 for name, stage in stages.items()}
    for name in reversed(_topological(stages, edges)):
        variance[name] += sum(variance[b] for a, b in edges if a == name)
    return {name: math.sqrt(value) for name, value in variance.items()}


def _longest(stages: Mapping[str, Stage], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Longest time that a stage may take from the first input on."""
    found: dict[str, int] = {}
    for name in _topological(stages, edges):
        before = [found[a] for a, b in edges if b == name]
        found[name] = stages[name].time + max([stages[name].inbound, *before])
    return found
