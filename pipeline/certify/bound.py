"""A lower bound on the cost of any plan, from published prices: every item solved alone.

At prices of what stands, leaves and enters, items and weeks come apart (docs/formulation.md). Here
an item's least cost is found by adding marginal values: those of the sets inside a set are sorted
together, none worth less than a unit at the set's own cheapest node is kept, the set's own knots
are added. All items of a size class are worked on side by side, as padded arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.certify.problem import HELD, LEAVING, USES, Floats, Problem, SizeClass

CHUNK = 2_000
"""Items worked on at once."""


def lower_bound(problem: Problem) -> float:
    """Usd that no plan's cost lies below: least priced costs of all items and weeks, less price
    times capacity. Items of the general model are left out of its week, tonight."""
    price = price_tensor(problem)
    total = -float(problem.rows.price @ problem.rows.limit)
    for sizes in problem.classes:
        for t in range(len(problem.weeks)):
            nested = np.arange(len(sizes.items))
            if t == 0:
                nested = nested[~problem.is_general[sizes.items]]
            for first in range(0, len(nested), CHUNK):
                total += _least_usd(problem, sizes, nested[first : first + CHUNK], t, price)
    return total


def price_tensor(problem: Problem) -> Floats:
    """Row prices as usd [weeks, kinds, nodes] of a unit of use there."""
    rows = problem.rows
    found = np.zeros((len(problem.weeks), len(USES), len(problem.node_ids)))
    for r in range(len(rows.price)):
        found[rows.week[r], rows.kind[r], rows.nodes[r]] += rows.share[r] * rows.price[r]
    return found


def scaled_units(sizes: SizeClass, part: NDArray[np.int64], t: int) -> Floats:
    """Knots [items, sets, knots] of week t: running sums times the week's ratio, whole."""
    reached = np.floor(np.cumsum(sizes.units[part], axis=2) * sizes.ratio[t, part, :, None] + 0.5)
    return np.diff(reached, axis=2, prepend=0.0)


def _least_usd(
    problem: Problem, sizes: SizeClass, part: NDArray[np.int64], t: int, price: Floats
) -> float:
    """Sum of the least priced costs of some items of a class in week t."""
    k = sizes.items[part]
    way = _way_usd(problem, k, t, price)
    level_usd = (
        problem.holding_usd[k] + problem.use[k, HELD, None] * price[t, HELD]
        + problem.rise[t, k] * way
    )  # fmt: skip
    toll = np.minimum(problem.toll[t, k], np.where(np.isfinite(level_usd), level_usd, 0.0))
    level_usd = level_usd - toll
    serving = way + problem.use[k, LEAVING, None] * price[t, LEAVING] + toll
    serving = np.where(np.isfinite(level_usd), serving, np.inf)
    share = _kept_shares(sizes, sizes.gap_usd[part], serving)
    units = scaled_units(sizes, part, t)
    usd = sizes.usd[part]
    saved = _saved_usd(sizes, units, usd * share[:, :, None], level_usd)
    return float((units * usd).sum() - saved.sum())


def _way_usd(problem: Problem, k: NDArray[np.int64], t: int, price: Floats) -> Floats:
    """Usd [items, nodes] of having a unit enter each node for week t, by the cheapest way: on
    time, or a week earlier and then held there."""
    before = np.full((len(k), len(problem.node_ids)), np.inf)
    use = problem.use[k]
    for week in range(t + 1):
        now = np.einsum("kr,rj->kj", use[:, LEAVING + 1 :], price[week, LEAVING + 1 :])
        if week > 0:
            held = problem.holding_usd[k] + use[:, HELD, None] * price[week - 1, HELD]
            before = before + problem.turn * held
        for j in _from_the_top(problem.feeder):
            above = problem.feeder[j]
            if above >= 0:
                now[:, j] += use[:, LEAVING] * price[week, LEAVING, above] + now[:, above]
            now[:, j] = np.minimum(now[:, j], before[:, j])
        before = now
    return before


def _from_the_top(feeder: NDArray[np.int64]) -> list[int]:
    """Nodes, each after the one that feeds it."""
    found: list[int] = []
    while len(found) < len(feeder):
        found += [j for j in range(len(feeder))
                  if j not in found and (feeder[j] < 0 or int(feeder[j]) in found)]  # fmt: skip
    return found


def _kept_shares(sizes: SizeClass, gap_usd: Floats, serving: Floats) -> Floats:
    """Share [items, sets] of a set's gap that a unit which it serves still saves, what serving
    costs deducted: from its cheapest node, or spilling on if that is cheaper."""
    cost = np.empty_like(gap_usd)
    share = np.zeros_like(gap_usd)
    for s in reversed(range(len(sizes.members))):
        inside = serving[:, sizes.members[s]].min(axis=1)
        beyond = cost[:, sizes.parent[s]] if sizes.parent[s] >= 0 else np.zeros(len(gap_usd))
        gap = gap_usd[:, s]
        cost[:, s] = np.minimum(inside, gap + beyond)
        saves = gap - (cost[:, s] - beyond)
        share[:, s] = np.where(gap > 0, saves / np.where(gap > 0, gap, 1.0), 0.0)
    return np.maximum(share, 0.0)


def _saved_usd(sizes: SizeClass, units: Floats, usd: Floats, level_usd: Floats) -> Floats:
    """[items] most that levels save, net of what they cost."""
    lists: list[tuple[Floats, Floats, Floats]] = []
    for s, members in enumerate(sizes.members):
        inside = [o for o in range(s) if sizes.parent[o] == s]
        own = members & ~sizes.members[inside].any(axis=0) if inside else members
        cheapest = -level_usd[:, own].min(axis=1, initial=np.inf)
        endless = np.maximum.reduce([cheapest, *(lists[o][2] for o in inside)])
        length = np.concatenate([lists[o][0] for o in inside] or [np.zeros((len(usd), 1))], axis=1)
        value = np.concatenate([lists[o][1] for o in inside] or [endless[:, None]], axis=1)
        value = np.maximum(value, endless[:, None])
        order = np.argsort(-value, axis=1, kind="stable")
        length = np.take_along_axis(length, order, axis=1)
        value = np.take_along_axis(value, order, axis=1)
        lists.append((*_sum_of_steps(length, value, endless, units[:, s], usd[:, s]), endless))
    length, value, _ = lists[-1]
    return np.asarray((length * np.maximum(value, 0.0)).sum(axis=1))


def _sum_of_steps(
    length: Floats, value: Floats, endless: Floats, units: Floats, usd: Floats
) -> tuple[Floats, Floats]:
    """Steps (length, value) [items, steps] that go on as ``endless``, plus (units, usd) [items,
    knots] that go on as nothing: where either ends, a step of the sum ends."""
    ends = np.concatenate([np.cumsum(length, axis=1), np.cumsum(units, axis=1)], axis=1)
    is_first = np.arange(ends.shape[1]) < length.shape[1]
    order = np.argsort(ends, axis=1, kind="stable")
    ends = np.take_along_axis(ends, order, axis=1)
    from_first = is_first[order]
    i = np.cumsum(from_first, axis=1) - from_first
    q = np.cumsum(~from_first, axis=1) - ~from_first
    value = np.concatenate([value, endless[:, None]], axis=1)
    usd = np.concatenate([usd, np.zeros((len(usd), 1))], axis=1)
    total = np.take_along_axis(value, i, axis=1) + np.take_along_axis(usd, q, axis=1)
    steps = np.diff(ends, axis=1, prepend=0.0)
    return steps, np.where(steps > 0, total, -np.inf)
