"""Plans of items at prices, with what their levels can serve, and bounds that know it, too.

An item's levels start from the relaxation of core.item and are improved by moves of units
(core.capped); where no node would serve more than its level the relaxation is exact and nothing is
left to do. The bound is that relaxation with *tolls*: multipliers of "no node serves more than its
level", first those of the plan, then a few steps of the subgradient method towards the plan's own
value (B. T. Polyak, USSR Computational Mathematics and Mathematical Physics 9, 1969).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bare import bare, copy
from pipeline.core.capped import climb
from pipeline.core.flow import (
    HELD,
    LEAVING,
    book,
    credit,
    first_served,
    gates,
    is_priced,
    unit_worth,
    ways,
)
from pipeline.core.item import ItemTables, kernel_arrays
from pipeline.core.merge import item_segments, own_nodes, spread
from pipeline.core.network import Forest
from pipeline.core.serve import Placed, entry_weeks

Array = NDArray[Any]

NEAR = 1e-4
"""Distance of an item's bound from its plan, as a share, from which on tolls are good enough."""
SOME = 1e-9


@bare
def _relaxed(
    n_sets: int, children: Array, parent: Array, above: Array, home: Array, week: int, p: int,
    count: Array, knots: Array, place_usd: Array, use: Array, gap_usd: Array, price: Array,
    way: Array, priced: bool, level: Array, wanted: Array, worth: Array, toll: Array, usd: Array,
    y: Array, served: Array, sets: Array, whole: Array, stack: Array, merged: Array,
    stack_node: Array, merged_node: Array,
) -> float:  # fmt: skip
    """Most usd that the item saves if the cheapest node of a set may serve whatever stands in it,
    with tolls as wanted [nodes]; fills toll (as far as it is credited), y and served."""
    for j in range(len(y)):
        worth[j] = -level[j]
        y[j] = 0.0
    credit(wanted, worth, toll)
    low, share, best, held, cover = sets[0], sets[1], sets[2], sets[3], sets[4]
    gate, node, begin, head = whole[0], whole[1], whole[2], whole[3]
    gates(n_sets, parent, home, week, place_usd, use, price, gap_usd, way, priced, toll, usd,
          low, share, gate)  # fmt: skip
    own_nodes(n_sets, home, worth, 0.0, best, node)
    begin[0] = 0
    item_segments(
        n_sets, children, above, count, knots, p, best, node, share, begin, head, stack,
        stack_node, merged, merged_node,
    )  # fmt: skip
    gain = spread(begin[1], stack, stack_node, y)
    first_served(n_sets, parent, home, p, count, knots, gap_usd, share, gate, y, held, cover,
                 served)  # fmt: skip
    return gain


@bare
def _step(
    gain: float, aim: float, y: Array, served: Array, toll: Array, wanted: Array
) -> bool:  # fmt: skip
    """The next tolls, a step along served - y that would reach the aim; whether there is one."""
    norm = 0.0
    for j in range(len(y)):
        served[j] -= y[j]
        if served[j] < 0.0 and toll[j] <= 0.0:
            served[j] = 0.0
        norm += served[j] * served[j]
    if norm <= 1e-18:
        return False
    for j in range(len(y)):
        wanted[j] = max(toll[j] + (gain - aim) / norm * served[j], 0.0)
    return True


@bare
def _exceeds(
    n_sets: int, parent: Array, y: Array, served: Array, share: Array, cover: Array, inside: Array
) -> bool:
    """Whether a node would serve more than its level, or the parts of a set more than all of it
    covers: knots join units, and joined ones of a set may cover less than its parts do."""
    found = False
    for j in range(len(y)):
        found |= served[j] > y[j] + SOME
    inside[:n_sets] = 0.0
    for s in range(n_sets):
        found |= share[s] > 0.0 and inside[s] > cover[s] + SOME
        if parent[s] >= 0:
            inside[parent[s]] += cover[s]
    return found


@bare
def _cheapest(n_sets: int, parent: Array, home: Array, serving: Array, cheapest: Array) -> None:
    """Least usd of a unit served within each set."""
    cheapest[:n_sets] = np.inf
    for j in range(len(home)):
        if home[j] >= 0:
            cheapest[home[j]] = min(cheapest[home[j]], serving[j])
    for s in range(n_sets - 1):
        cheapest[parent[s]] = min(cheapest[parent[s]], cheapest[s])


@bare
def _tolls(home: Array, level: Array, serving: Array, cost: Array, wanted: Array) -> None:
    """What a unit more that a node could serve is worth by a plan's multipliers ``cost`` [sets]."""
    for j in range(len(home)):
        wanted[j] = 0.0
        if home[j] >= 0 and level[j] < np.inf:
            wanted[j] = max(cost[home[j]] - serving[j], 0.0)


@bare
def _hold(cube: float, plan: Array, held: Array) -> None:
    """Add what a plan takes to what stands at nodes."""
    for j in range(len(plan)):
        held[j] += cube * plan[j]


@bare
def _plans(
    n_sets: Array, n_children: Array, parent: Array, above: Array, home: Array, feeder: Array,
    order: Array, tree: Array, week: Array, start: Array, count: Array, knots: Array,
    place_usd: Array, use: Array, gap_usd: Array, turn: Array, rise: Array, first: int, last: int,
    choice: Array, price: Array, steps: int, saved: Array, most: Array, used: Array,
    position: Array, flows: Array, entered: Array, tolls: Array, lists: Array, list_node: Array,
    sets: Array, whole: Array, nodes: Array, weeks: Array, waits: Array,
) -> None:  # fmt: skip
    n_nodes = place_usd.shape[1]
    stack, merged, stack_node, merged_node = lists[0], lists[1], list_node[0], list_node[1]
    cheapest, way, flow = sets[10], weeks[0], weeks[1]
    level, serving, usd, y, served = nodes[5], nodes[6], nodes[7], nodes[8], nodes[9]
    toll, worth, spare, plan, out = nodes[10], nodes[11], nodes[12], nodes[13], nodes[14]
    wanted = nodes[15]
    for k in range(first, last):
        if choice[k - first] < 0:
            continue
        t, own, b = tree[k], price[choice[k - first]], choice[k - first]
        priced = is_priced(own)
        ways(week[k], turn[k], place_usd[k], use[k], own, priced, feeder, order, way, waits)
        unit_worth(week[k], place_usd[k], use[k], rise[k], own, way, level)
        wanted[:] = 0.0
        for j in range(n_nodes):
            level[j] = -level[j]
        gain = _relaxed(
            n_sets[t], n_children[t], parent[t], above[t], home[t], week[k], start[k], count[k],
            knots, place_usd[k], use[k], gap_usd[k], own, way, priced, level, wanted, worth, toll,
            usd, y, served, sets, whole, stack, merged, stack_node, merged_node,
        )  # fmt: skip
        value, bound = gain, gain
        copy(y, plan)
        copy(served, out)
        copy(usd, serving)
        if _exceeds(n_sets[t], parent[t], y, served, sets[1], sets[4], sets[5]):
            _cheapest(n_sets[t], parent[t], home[t], serving, cheapest)
            value = climb(n_sets[t], parent[t], home[t], start[k], count[k], knots, gap_usd[k],
                          level, serving, cheapest, gain, plan, out, sets, nodes,
                          whole[4])  # fmt: skip
            _tolls(home[t], level, serving, sets[0], wanted)
            kept = tolls[k - first] if len(tolls) else spare
            for _ in range(steps):
                if bound - value <= NEAR * bound:
                    break
                gain = _relaxed(
                    n_sets[t], n_children[t], parent[t], above[t], home[t], week[k], start[k],
                    count[k], knots, place_usd[k], use[k], gap_usd[k], own, way, priced, level,
                    wanted, worth, toll, usd, y, served, sets, whole, stack, merged, stack_node,
                    merged_node,
                )  # fmt: skip
                if gain < bound:
                    bound = gain
                    copy(toll, kept)
                if not _step(gain, value, y, served, toll, wanted):
                    break
        if value > 0.0:
            saved[b] += value
            _hold(np.float64(use[k, HELD]), plan, used[b, week[k], HELD])
            if use.shape[1] > LEAVING:
                book(week[k], turn[k], rise[k], use[k], plan, out, feeder, order, waits, flow,
                     used[b])  # fmt: skip
        most[b] += max(bound, 0.0)
        if len(position):
            entry_weeks(week[k], feeder, waits, entered[k - first])
            if value > 0.0:
                copy(plan, position[k - first])
                copy(out, flows[k - first])


def _scratch(woods: Forest, items: ItemTables, weeks: int) -> tuple[Array, ...]:
    """Room in which _plans works: lists of marginal values and their nodes; by set, values and
    whole numbers; by node; by week and node, values and flags."""
    n_nodes, width = woods.n_nodes, items.count.shape[1] + 2
    room = 64 + 2 * width + 2 * int(np.diff(items.start).max(initial=0))
    return (
        np.empty((2, room, 2)), np.empty((2, room), np.int64), np.zeros((11, width)),
        np.zeros((5, width + 1), np.int64), np.zeros((16, n_nodes)), np.zeros((2, weeks, n_nodes)),
        np.zeros((weeks, n_nodes), np.bool_),
    )  # fmt: skip


@dataclass(frozen=True)
class Swept:
    """By block, at its prices: saved: usd that its plans save against empty nodes; most: usd that
    no plan could exceed; used: [blocks, weeks, kinds, nodes] what the plans use."""

    saved: NDArray[np.float64]
    most: NDArray[np.float64]
    used: NDArray[np.float64]


def sweep_plans(
    woods: Forest,
    items: ItemTables,
    bounds: NDArray[np.int64],
    price: NDArray[np.float64],
    wanted: NDArray[np.bool_],
    steps: int,
    placed: Placed | None = None,
    toll: NDArray[np.float64] | None = None,
) -> Swept:
    """Plans of blocks of consecutive items, each block at its own prices [blocks, weeks, kinds,
    nodes]; zero for blocks that are not wanted. steps: of the tolls that tighten ``most``.

    placed: no_plans of all items from bounds[0] on, becomes the plans that are counted; toll:
    zeros [items, nodes], becomes the tolls of the bound."""
    saved, most = np.zeros((2, len(bounds) - 1))
    used = np.zeros(price.shape)
    choice = np.repeat(np.where(wanted, np.arange(len(saved)), -1), np.diff(bounds))
    placed = no_plans(woods, 0) if placed is None else placed
    _plans(
        *kernel_arrays(woods, items), int(bounds[0]), int(bounds[-1]), choice,
        np.ascontiguousarray(price), steps, saved, most, used, placed.position, placed.served,
        placed.entered, np.zeros((0, woods.n_nodes)) if toll is None else toll,
        *_scratch(woods, items, price.shape[1]),
    )  # fmt: skip
    return Swept(saved, most, used)


def plans_at(
    woods: Forest, items: ItemTables, first: int, last: int, choice: NDArray[np.int64],
    price: NDArray[np.float64],
) -> Placed:  # fmt: skip
    """The plans that sweep_plans counts, of items first..last-1, item k at price[choice[k]]."""
    saved, most = np.zeros((2, len(price)))
    found = no_plans(woods, last - first)
    price = np.ascontiguousarray(price)
    _plans(
        *kernel_arrays(woods, items), first, last, choice, price, 0, saved, most,
        np.zeros(price.shape), found.position, found.served, found.entered,
        np.zeros((0, woods.n_nodes)),
        *_scratch(woods, items, price.shape[1]),
    )  # fmt: skip
    return found


def no_plans(woods: Forest, n: int) -> Placed:
    """Room for the plans of n items: nothing stands anywhere."""
    return Placed(
        np.zeros((n, woods.n_nodes), np.int32), np.zeros((n, woods.n_nodes)),
        np.zeros((n, woods.n_nodes, woods.depth), np.uint8),
    )  # fmt: skip
