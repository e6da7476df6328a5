"""Small worlds exactly: the whole plan as one mixed-integer programme, by HiGHS.

    min  sum w y + sum v z + sum overflow_usd o
    s.t. sum_{j in S} y_kj + sum_i z_kSi >= all steps of (k, S),  0 <= z_kSi <= length of step i,
         usage(y) - o <= limit,   y whole

With few items the whole units of each weigh much: the best plan may lie a percent above the bound
that prices give, and no rounding can show it. Branch and bound does. The search ends at a gap or at
a number of nodes, not at a time, so the same night gives the same plan on any machine; then groups
of items are solved again while the others stay, which finds better plans sooner than more nodes.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix, hstack, identity, vstack

from pipeline.core.evaluate import evaluate
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity


@dataclass(frozen=True)
class Exact:
    """position: [items, nodes] units, None if none was found; lower: usd, bound of branch and
    bound, lowered by the solver's tolerance."""

    position: NDArray[np.int32] | None
    lower: float


def exact_plan(
    woods: Forest, items: ItemTables, capacity: Capacity, gap: float, nodes: int
) -> Exact:
    """Best plan within the relative gap, or the best of so many branch-and-bound nodes."""
    k_of, j_of = np.nonzero(np.isfinite(items.place_usd))
    covers, demand = _covers(woods, items, k_of, j_of)
    n_y, n_z, n_o = len(k_of), covers.shape[1] - len(k_of), len(capacity)
    usage = _usage(items, capacity, k_of, j_of)
    matrix = vstack([
        hstack([covers, csr_matrix((covers.shape[0], n_o))]),
        hstack([usage, csr_matrix((n_o, n_z)), -identity(n_o)]),
    ])  # fmt: skip
    low = np.concatenate([demand, np.full(n_o, -np.inf)])
    high = np.concatenate([np.full(len(demand), np.inf), capacity.limit])
    knots = items.knots[items.start[0] : items.start[-1]].astype(float)
    place = items.place_usd[k_of, j_of].astype(float)
    most = np.concatenate([np.full(n_y, np.inf), knots[:, 0], np.full(n_o, np.inf)])
    found = milp(
        np.concatenate([place, knots[:, 1], capacity.overflow_usd]),
        constraints=LinearConstraint(matrix.tocsr(), low, high),
        bounds=Bounds(0.0, most),
        integrality=np.concatenate([np.ones(n_y), np.zeros(n_z + n_o)]),
        options={"mip_rel_gap": gap, "node_limit": nodes},
    )
    lower = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound)
    lower -= 1e-6 * abs(lower) if np.isfinite(lower) else 0.0
    if found.x is None:
        return Exact(None, lower)
    position = np.zeros(items.place_usd.shape, np.int32)
    position[k_of, j_of] = np.rint(found.x[:n_y])
    return Exact(position, lower)


def cost_of(
    woods: Forest, items: ItemTables, capacity: Capacity, position: NDArray[np.int32]
) -> tuple[float, NDArray[np.float64]]:
    """Usd that a plan costs with its overflow, and the row usage."""
    cost, used = evaluate(woods, items, position, capacity.shape[0])
    usage = capacity.usage(used)
    over = np.maximum(usage - capacity.limit, 0.0)
    return float(cost.sum() + capacity.overflow_usd @ over), usage


def improve(
    woods: Forest,
    items: ItemTables,
    capacity: Capacity,
    position: NDArray[np.int32],
    enough: float,
    group: int,
    rounds: int,
    nodes: int,
    seed: int,
) -> NDArray[np.int32]:
    """A plan that costs no more: random groups of items solved again, the others fixed, until it
    costs ``enough`` or so many rounds are over (large neighbourhood search)."""
    rng = np.random.default_rng(seed)
    best, usage = cost_of(woods, items, capacity, position)
    for _ in range(rounds):
        if best <= enough:
            break
        mine = np.sort(rng.choice(len(items), min(group, len(items)), replace=False))
        few = items.take(mine)
        own = capacity.usage(evaluate(woods, few, position[mine], capacity.shape[0])[1])
        left = replace(capacity, limit=capacity.limit - (usage - own))
        again = exact_plan(woods, few, left, 1e-5, nodes).position
        if again is None:
            continue
        tried = position.copy()
        tried[mine] = again
        cost, used = cost_of(woods, items, capacity, tried)
        if cost < best:
            position, best, usage = tried, cost, used
    return position


def _covers(
    woods: Forest, items: ItemTables, k_of: NDArray[np.int64], j_of: NDArray[np.int64]
) -> tuple[csr_matrix, NDArray[np.float64]]:
    """Rows (item, set): what units in the set and unserved steps must add up to."""
    width = items.count.shape[1]
    member = np.zeros((len(items), width, woods.n_nodes), np.bool_)
    for t, tree in enumerate(woods.trees):
        member[np.ix_(items.tree == t, np.arange(tree.n_sets))] = tree.members
    row, column = np.nonzero(member[k_of, :, j_of].reshape(len(k_of), width).T)
    steps = items.count.astype(np.int64).ravel()
    owner = np.repeat(np.arange(len(steps)), steps)  # knots stand by item and set
    total = np.zeros(len(steps))
    np.add.at(total, owner, items.knots[items.start[0] : items.start[-1], 0].astype(float))
    asked: NDArray[np.bool_] = steps > 0
    inside = csr_matrix(
        (np.ones(len(row)), (k_of[column] * width + row, column)), shape=(len(steps), len(k_of))
    )
    unserved = csr_matrix(
        (np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(len(steps), len(owner))
    )
    return hstack([inside, unserved]).tocsr()[asked], total[asked]


def _usage(
    items: ItemTables, capacity: Capacity, k_of: NDArray[np.int64], j_of: NDArray[np.int64]
) -> csr_matrix:
    """What a unit of each item at each node uses of each row."""
    _, resources, nodes = capacity.shape
    by_cell = capacity.rows.tocsc()
    total = csr_matrix((len(capacity), len(k_of)))
    for r in range(resources):
        cell = (items.profile[k_of].astype(np.int64) * resources + r) * nodes + j_of
        total = total + by_cell[:, cell].multiply(items.use[k_of, r].astype(float)[None, :])
    return total.tocsr()
