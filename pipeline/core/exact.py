"""Small worlds: plans within the rows, and a bound that branch and bound raises where it must.

With few items the whole units of each weigh much: a plan rounded from prices may lie percents above
the bound. So HiGHS looks for a plan whose units are next to those of the relaxed programme, and
moves of units improve it (core.polish). Where they still leave a gap, the best plan itself may lie
above the relaxation's value; then branch and bound over all plans raises the bound.

Where rows on what flows bind, core.horizon and core.rounded do this instead. A row may overflow
only where the relaxed programme's does: a hundredth of a cubic foot beyond the limit is cheap to
pay for, but nothing that a planner can do. A search ends at a gap or at a number of nodes, never at
a time, so the same night gives the same plan on any machine.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import vstack

from pipeline.core.arithmetic import dot
from pipeline.core.evaluate import evaluate
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.polish import polish
from pipeline.core.prices import Capacity
from pipeline.core.programme import Programme, Relaxed, programme
from pipeline.core.recover import trim
from pipeline.core.serve import serve

TOLERANCE = 1e-6
"""Share of a limit that is left free, so that HiGHS' tolerance exceeds none."""


@dataclass(frozen=True)
class ExactParams:
    """Parameters of the search in small worlds.

    items: worlds of no more in each week are searched, and of no more moves of a unit from node to
    node in each week than moves; where flows bind, only those of no more
    item-nodes a week than flow_cells; gap: relative, at which a search ends;
    near_nodes: of branch and bound next to the relaxed plan; kicks: new beginnings of the moves;
    nodes: of branch and bound over all plans, few_nodes: of that in worlds of no more than
    few_items; whole_gap, whole_nodes: of branch and bound where flows bind (core.rounded),
    few_whole_nodes: of that in worlds of no more item-nodes a week than few_cells;
    waiting_shares: where the programme splits what a node needs and the ways that core.one_way
    chooses leave more than fair_gap, all of it waits from the week before where more than such a
    share does; tried in turn;
    poor_gap: a plan from prices with a wider gap is tried by the programme of the horizon, too.
    """

    items: int = 150
    moves: int = 100_000
    flow_cells: int = 1_000
    gap: float = 9e-4
    near_nodes: int = 5
    kicks: int = 60
    nodes: int = 100
    few_items: int = 16
    few_nodes: int = 20_000
    whole_gap: float = 5e-4
    whole_nodes: int = 1
    few_cells: int = 500
    few_whole_nodes: int = 100
    waiting_shares: tuple[float, ...] = (0.5, 0.2, 0.8, 1e-6)
    fair_gap: float = 1e-3
    poor_gap: float = 1e-2


@dataclass(frozen=True)
class Exact:
    """position: [items, nodes] units; lower: usd, a bound on any plan that overflows only where the
    relaxed programme does."""

    position: NDArray[np.int32]
    lower: float


def exact_plan(
    woods: Forest,
    items: ItemTables,
    capacity: Capacity,
    relaxed: Relaxed,
    start: NDArray[np.int32],
    params: ExactParams,
    seed: int,
) -> Exact:
    """The best plan found from ``start`` on, and the better bound."""
    tight = capacity.limit - TOLERANCE * np.maximum(np.abs(capacity.limit), 1.0)
    room = replace(capacity, limit=np.where(relaxed.overflow > 0, capacity.limit, tight))
    needed = replace(room, limit=room.limit + relaxed.overflow)
    rough = start.copy()
    trim(woods, items, rough, capacity, cost_of(woods, items, capacity, rough)[1], needed.limit)
    whole = programme(woods, items, room)
    near = np.maximum(np.floor(relaxed.units + 1e-6) - 1.0, 0.0), np.ceil(relaxed.units - 1e-6) + 1
    enough = relaxed.lower * (1.0 + params.gap / 2.0)
    best, cost, lower = rough, cost_of(woods, items, capacity, rough)[0], relaxed.lower
    beside, _ = branch(whole, items, room, relaxed, params.gap, params.near_nodes, near)
    for begin in (beside, rough):
        if begin is None or cost - lower <= params.gap * abs(cost):
            continue
        plan = polish(woods, items, needed, begin, relaxed.price, enough, params.kicks, seed)
        usd = cost_of(woods, items, capacity, plan)[0]
        best, cost = (plan, usd) if usd < cost else (best, cost)
    if cost - lower > params.gap * abs(cost):
        nodes = params.few_nodes if len(items) <= params.few_items else params.nodes
        found, bound = branch(whole, items, room, relaxed, params.gap / 2.0, nodes)
        lower = max(lower, bound)
        if found is not None and cost_of(woods, items, capacity, found)[0] < cost:
            best = found
    return Exact(best, lower)


def branch(
    whole: Programme,
    items: ItemTables,
    capacity: Capacity,
    relaxed: Relaxed,
    gap: float,
    nodes: int,
    near: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> tuple[NDArray[np.int32] | None, float]:
    """Best plan of so many branch-and-bound nodes, if one is found, and the bound in usd.

    near: [items, nodes] least and most units; the bound then says nothing of other plans: -inf.
    """
    n_y, n_o = len(whole.item), len(capacity)
    low, high = np.zeros(len(whole.most)), whole.most.copy()
    high[len(high) - n_o :] = np.where(relaxed.overflow > 0, np.inf, 0.0)
    if near is not None:
        low[:n_y], high[:n_y] = (edge[whole.item, whole.node] for edge in near)
    found = milp(
        whole.cost,
        constraints=LinearConstraint(
            vstack([whole.covers, whole.usage]).tocsr(),
            np.concatenate([whole.demand, np.full(n_o, -np.inf)]),
            np.concatenate([np.full(len(whole.demand), np.inf), capacity.limit]),
        ),
        bounds=Bounds(low, high),
        integrality=(np.arange(len(low)) < n_y).astype(int),
        options={"mip_rel_gap": gap, "node_limit": nodes},
    )
    lower = -np.inf
    if near is None and found.mip_dual_bound is not None:
        lower = float(found.mip_dual_bound) - TOLERANCE * abs(found.mip_dual_bound)
    if found.x is None:
        return None, lower
    position = np.zeros(items.place_usd.shape, np.int32)
    position[whole.item, whole.node] = np.rint(found.x[:n_y])
    return position, lower


def cost_of(
    woods: Forest, items: ItemTables, capacity: Capacity, position: NDArray[np.int32]
) -> tuple[float, NDArray[np.float64]]:
    """Usd that a plan costs with its overflow, and the row usage."""
    placed = serve(woods, items, position, np.zeros(capacity.shape))
    cost, used = evaluate(woods, items, placed, capacity.shape[0])
    usage = capacity.usage(used)
    over = np.maximum(usage - capacity.limit, 0.0)
    return float(cost.sum()) + dot(capacity.overflow_usd, over), usage
