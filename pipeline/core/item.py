"""One item over its tree of node sets: the best integer position at given prices, exactly.

    min over integer y >= 0 of  sum_j w_j y_j + sum_S g_S E[(D_S - stock_S - Y_S)+],  Y_S = y(S)

The n-th unit put into set S saves ``g_S P(D_S - stock_S >= n)``, a falling step function of n. Up
the tree, the children's lists of marginal values are merged by value, cut where putting the unit
at the set's own cheapest node is at least as good, and raised by the set's own steps. A list entry
(units, value, node) is a segment of equal marginal value. At the root all segments worth more than
zero are taken. Sup-convolution of concave functions is the merge of their slopes, so this is
optimal; all breakpoints are integers, so the answer is integer. Work: O(nodes x knots).

Prices of what flows (core.flow) only lower the gaps g_S: a knot of a set saves ``share_S`` of its
usd. A row of the tables is an item in one week of the horizon.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from pipeline.core.merge import item_segments, own_nodes, spread
from pipeline.core.network import Forest
from pipeline.kernels import njit

Array = NDArray[Any]


@dataclass(frozen=True)
class ItemTables:
    """Packed problem data of many items, in float32 (about 1 kB an item).

    tree: [items] index of the item's tree; week: [items] that the row plans, from 0.
    start: [items + 1] first knot of the item; count: [items, sets] knots of each set.
    knots: [knots, 2] (units, usd a unit): the next ``units`` units in the set each save ``usd``;
        units are whole, usd falls within a set.
    place_usd: [items, nodes] cost of one more unit at the node; inf where not eligible.
    use: [items, kinds] what a unit uses of each kind of resource: HELD one that stands at a node,
        LEAVING one that leaves it, all others one that enters it.
    gap_usd: [items, sets] cost of serving from outside the set: usd of a knot that is always asked.
    turn: [items] units that a week's flow has for one of the cycle that ``knots`` cover.
    rise: [items, nodes] what must enter for each unit of level, because levels rise from the week
        before, as flow of a cycle.
    """

    tree: NDArray[np.uint8]
    week: NDArray[np.uint8]
    start: NDArray[np.int64]
    count: NDArray[np.uint8]
    knots: NDArray[np.float32]
    place_usd: NDArray[np.float32]
    use: NDArray[np.float32]
    gap_usd: NDArray[np.float32]
    turn: NDArray[np.float32]
    rise: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.tree)

    @property
    def profile(self) -> NDArray[np.uint8]:
        """[items] what a unit uses by kind goes to: the cells of this week."""
        return self.week

    @property
    def n_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(getattr(self, name).nbytes for name in self.__dataclass_fields__)

    def first(self, n: int) -> "ItemTables":
        """The first n items, without copying."""
        return ItemTables(
            self.tree[:n], self.week[:n], self.start[: n + 1], self.count[:n], self.knots,
            self.place_usd[:n], self.use[:n], self.gap_usd[:n], self.turn[:n], self.rise[:n],
        )  # fmt: skip

    def take(self, items: NDArray[np.int64]) -> "ItemTables":
        """The tables of the given items, in their order."""
        length = self.start[items + 1] - self.start[items]
        start = np.concatenate([[0], np.cumsum(length)])
        source = np.repeat(self.start[items] - start[:-1], length) + np.arange(start[-1])
        return ItemTables(
            self.tree[items],
            self.week[items],
            start,
            self.count[items],
            self.knots[source],
            self.place_usd[items],
            self.use[items],
            self.gap_usd[items],
            self.turn[items],
            self.rise[items],
        )


def concatenate(parts: list[ItemTables]) -> ItemTables:
    """All items of the parts, in order."""
    knots = [part.knots[part.start[0] : part.start[-1]] for part in parts]
    offsets = np.cumsum([0] + [len(part) for part in knots])
    start = [
        part.start[:-1] - part.start[0] + offset
        for part, offset in zip(parts, offsets[:-1], strict=True)
    ]
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("tree", "week", "count", "place_usd", "use", "gap_usd", "turn", "rise")
    }
    return ItemTables(
        start=np.concatenate([*start, offsets[-1:]]), knots=np.concatenate(knots), **joined
    )


@njit(nogil=True, cache=True)
def _sweep(
    n_sets: Array, n_children: Array, parent: Array, above: Array, home: Array, feeder: Array,
    order: Array, tree: Array, week: Array, start: Array, count: Array, knots: Array,
    place_usd: Array, use: Array, gap_usd: Array, turn: Array, rise: Array, bounds: Array,
    tolls: Array, wanted: Array, price: Array, saved: Array, used: Array,
) -> None:  # fmt: skip
    n_nodes, width = place_usd.shape[1], count.shape[1] + 2
    room = 64 + 2 * width
    for b in range(len(bounds) - 1):
        for k in range(bounds[b], bounds[b + 1]):
            room = max(room, 64 + 2 * (start[k + 1] - start[k]) + 2 * width)
    stack, merged = np.empty((room, 2)), np.empty((room, 2))
    stack_node, merged_node = np.empty(room, np.int64), np.empty(room, np.int64)
    best, node = np.empty(width), np.empty(width, np.int64)
    begin, head = np.zeros(width + 1, np.int64), np.zeros(width + 1, np.int64)
    worth, y = np.empty(n_nodes), np.zeros(n_nodes)
    low, share, gate = np.empty(width), np.ones(width), np.zeros(width, np.int64)
    usd, held, served = np.empty(n_nodes), np.zeros(width), np.zeros(n_nodes)
    cover, toll = np.zeros(width), np.zeros(n_nodes)
    way, flow = np.zeros((price.shape[1], n_nodes)), np.zeros((price.shape[1], n_nodes))
    waits = np.zeros((price.shape[1], n_nodes), np.bool_)
    flows = use.shape[1] > LEAVING
    for b in range(len(bounds) - 1):
        priced = wanted[b] and flows and is_priced(price[b])
        for k in range(bounds[b], bounds[b + 1] if wanted[b] else bounds[b]):
            t = tree[k]
            if flows:
                ways(week[k], turn[k], place_usd[k], use[k], price[b], priced, feeder, order, way,
                     waits)  # fmt: skip
            unit_worth(week[k], place_usd[k], use[k], rise[k], price[b], way, worth)
            if flows:
                if len(tolls):
                    credit(tolls[k], worth, toll)
                gates(n_sets[t], parent[t], home[t], week[k], place_usd[k], use[k], price[b],
                      gap_usd[k], way, priced, toll, usd, low, share, gate)  # fmt: skip
            y[:] = 0.0
            own_nodes(n_sets[t], home[t], worth, 0.0, best, node)
            item_segments(
                n_sets[t], n_children[t], above[t], count[k], knots, start[k], best, node,
                share, begin, head, stack, stack_node, merged, merged_node,
            )  # fmt: skip
            gain = spread(begin[1], stack, stack_node, y)
            if gain <= 0.0:
                continue
            saved[b] += gain
            each = np.float64(use[k, HELD])
            for j in range(n_nodes):
                used[b, week[k], HELD, j] += each * y[j]
            if flows:
                first_served(n_sets[t], parent[t], home[t], start[k], count[k], knots, gap_usd[k],
                             share, gate, y, held, cover, served)  # fmt: skip
                book(week[k], turn[k], rise[k], use[k], y, served, feeder, order, waits, flow,
                     used[b])  # fmt: skip


@njit(nogil=True, cache=True)
def _positions(
    n_sets: Array, n_children: Array, parent: Array, above: Array, home: Array, feeder: Array,
    order: Array, tree: Array, week: Array, start: Array, count: Array, knots: Array,
    place_usd: Array, use: Array, gap_usd: Array, turn: Array, rise: Array, first: int, last: int,
    choice: Array, price: Array, position: Array,
) -> float:  # fmt: skip
    n_nodes, width = place_usd.shape[1], count.shape[1] + 2
    room = 64 + 2 * width
    for k in range(first, last):
        room = max(room, 64 + 2 * (start[k + 1] - start[k]) + 2 * width)
    stack, merged = np.empty((room, 2)), np.empty((room, 2))
    stack_node, merged_node = np.empty(room, np.int64), np.empty(room, np.int64)
    best, node = np.empty(width), np.empty(width, np.int64)
    begin, head = np.zeros(width + 1, np.int64), np.zeros(width + 1, np.int64)
    worth, y = np.empty(n_nodes), np.zeros(n_nodes)
    low, share, gate = np.empty(width), np.ones(width), np.zeros(width, np.int64)
    usd, way = np.empty(n_nodes), np.zeros((price.shape[1], n_nodes))
    waits = np.zeros((price.shape[1], n_nodes), np.bool_)
    none, saved = np.zeros(n_nodes), 0.0
    for k in range(first, last):
        t, own = tree[k], price[choice[k - first]]
        if use.shape[1] > LEAVING:
            priced = is_priced(own)
            ways(week[k], turn[k], place_usd[k], use[k], own, priced, feeder, order, way, waits)
            gates(n_sets[t], parent[t], home[t], week[k], place_usd[k], use[k], own, gap_usd[k],
                  way, priced, none, usd, low, share, gate)  # fmt: skip
        unit_worth(week[k], place_usd[k], use[k], rise[k], own, way, worth)
        y[:] = 0.0
        own_nodes(n_sets[t], home[t], worth, 0.0, best, node)
        item_segments(
            n_sets[t], n_children[t], above[t], count[k], knots, start[k], best, node,
            share, begin, head, stack, stack_node, merged, merged_node,
        )  # fmt: skip
        gain = spread(begin[1], stack, stack_node, y)
        if gain > 0.0:
            saved += gain
            for j in range(n_nodes):
                position[k - first, j] = np.int32(y[j])
    return saved


@njit(nogil=True, cache=True)
def _curves(
    n_sets: Array, n_children: Array, parent: Array, above: Array, home: Array, feeder: Array,
    order: Array, tree: Array, week: Array, start: Array, count: Array, knots: Array,
    place_usd: Array, use: Array, gap_usd: Array, turn: Array, rise: Array, price: Array,
    curve_start: Array, curve: Array, tail_usd: Array,
) -> None:  # fmt: skip
    n_nodes, width = place_usd.shape[1], count.shape[1] + 2
    room = 64 + 2 * width
    for k in range(len(tree)):
        room = max(room, 64 + 2 * (start[k + 1] - start[k]) + 2 * width)
    stack, merged = np.empty((room, 2)), np.empty((room, 2))
    stack_node, merged_node = np.empty(room, np.int64), np.empty(room, np.int64)
    best, node = np.empty(width), np.empty(width, np.int64)
    begin, head = np.zeros(width + 1, np.int64), np.zeros(width + 1, np.int64)
    worth, none = np.empty(n_nodes), np.zeros(n_nodes)
    low, share, gate = np.empty(width), np.ones(width), np.zeros(width, np.int64)
    usd, way = np.empty(n_nodes), np.zeros((price.shape[0], n_nodes))
    waits = np.zeros((price.shape[0], n_nodes), np.bool_)
    for k in range(len(tree)):
        t = tree[k]
        if use.shape[1] > LEAVING:
            priced = is_priced(price)
            ways(week[k], turn[k], place_usd[k], use[k], price, priced, feeder, order, way, waits)
            gates(n_sets[t], parent[t], home[t], week[k], place_usd[k], use[k], price, gap_usd[k],
                  way, priced, none, usd, low, share, gate)  # fmt: skip
        unit_worth(week[k], place_usd[k], use[k], rise[k], price, way, worth)
        own_nodes(n_sets[t], home[t], worth, -np.inf, best, node)
        item_segments(
            n_sets[t], n_children[t], above[t], count[k], knots, start[k], best, node,
            share, begin, head, stack, stack_node, merged, merged_node,
        )  # fmt: skip
        at = curve_start[k]
        for i in range(min(begin[1], len(curve) - at)):
            curve[at + i] = stack[i]
        curve_start[k + 1] = min(at + begin[1], len(curve))
        tail_usd[k] = best[n_sets[t] - 1]


def value_curves(
    woods: Forest, items: ItemTables, price: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Best value of x units in the network, W_k(x), as slopes: concave, from x = 0 on.

    price: [weeks, kinds, nodes]. Returns start [items + 1] into segments [n, 2] of
    (units, usd a unit), and the usd a unit [items] beyond the last segment.
    """
    start = np.zeros(len(items) + 1, np.int64)
    tail = np.empty(len(items))
    curve = np.empty((int(2 * (items.start[-1] - items.start[0])) + 64 * len(items), 2))
    _curves(*kernel_arrays(woods, items), price, start, curve, tail)
    return start, curve[: start[-1]], tail


Arrays17 = tuple[
    Array, Array, Array, Array, Array, Array, Array, Array, Array, Array, Array, Array, Array,
    Array, Array, Array, Array,
]  # fmt: skip


def kernel_arrays(woods: Forest, items: ItemTables) -> Arrays17:
    """What every kernel over items takes first."""
    return (
        woods.n_sets, woods.n_children, woods.parent, woods.above, woods.home, woods.feeder,
        woods.order, items.tree, items.week, items.start, items.count, items.knots,
        items.place_usd, items.use, items.gap_usd, items.turn, items.rise,
    )  # fmt: skip


def sweep(
    woods: Forest,
    items: ItemTables,
    bounds: NDArray[np.int64],
    price: NDArray[np.float64],
    wanted: NDArray[np.bool_] | None = None,
    toll: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Solve blocks of consecutive items, each block at its own prices, for a bound.

    toll: [items, nodes] usd that serving a unit from a node is charged with, and a unit of level
    there credited: multipliers of "no node serves more than its level", of any size, by default
    none.

    bounds: [blocks + 1] first items; price: [blocks, weeks, kinds, nodes] usd per unit of
    resource; wanted: [blocks] those to solve, or all. Returns saved: [blocks] priced usd saved
    against empty nodes, and used: [blocks, weeks, kinds, nodes], the resources that the
    best positions use. Releases the interpreter lock.
    """
    saved = np.zeros(len(bounds) - 1)
    used = np.zeros(price.shape)
    price = np.require(price, requirements=["C", "W"])  # one compiled version
    wanted = np.ones(len(saved), np.bool_) if wanted is None else wanted
    tolls = np.zeros((0, woods.n_nodes)) if toll is None else toll
    _sweep(*kernel_arrays(woods, items), bounds, tolls, wanted, price, saved, used)
    return saved, used


def answer(
    woods: Forest, items: ItemTables, first: int, last: int,
    choice: NDArray[np.int64], price: NDArray[np.float64],
) -> tuple[NDArray[np.int32], float]:  # fmt: skip
    """Best positions of items first..last-1, item k at price[choice[k]]: positions [items, nodes]
    and priced usd saved, both of the relaxation where flows have prices."""
    found = np.zeros((last - first, woods.n_nodes), dtype=np.int32)
    price = np.ascontiguousarray(price)  # one compiled version
    saved = _positions(*kernel_arrays(woods, items), first, last, choice, price, found)
    return found, saved


def positions(woods: Forest, items: ItemTables, price: NDArray[np.float64]) -> NDArray[np.int32]:
    """Best positions [items, nodes] at prices [weeks, kinds, nodes] of what items use."""
    return answer(woods, items, 0, len(items), np.zeros(len(items), np.int64), price[None])[0]
