"""One item over its tree of node sets: the best integer position at given prices, exactly.

    min over integer y >= 0 of  sum_j w_j y_j + sum_S g_S E[(D_S - stock_S - Y_S)+],  Y_S = y(S)

The n-th unit put into set S saves ``g_S P(D_S - stock_S >= n)``, a falling step function of n. Up
the tree, the children's lists of marginal values are merged by value, cut where putting the unit
at the set's own cheapest node is at least as good, and raised by the set's own steps. A list entry
(units, value, node) is a segment of equal marginal value. At the root all segments worth more than
zero are taken. Sup-convolution of concave functions is the merge of their slopes, so this is
optimal; all breakpoints are integers, so the answer is integer. Work: O(nodes x knots).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.core.network import Forest

Array = NDArray[Any]


@dataclass(frozen=True)
class ItemTables:
    """Packed problem data of many items, in float32 (about 1 kB an item).

    tree: [items] index of the item's tree; profile: [items] index of its occupancy profile.
    start: [items + 1] first knot of the item; count: [items, sets] knots of each set.
    knots: [knots, 2] (units, usd a unit): the next ``units`` units in the set each save ``usd``;
        units are whole, usd falls within a set.
    place_usd: [items, nodes] cost of one more unit at the node; inf where not eligible.
    use: [items, resources] what one unit uses of each kind of resource (cubic feet, units, usd).
    """

    tree: NDArray[np.uint8]
    profile: NDArray[np.uint8]
    start: NDArray[np.int64]
    count: NDArray[np.uint8]
    knots: NDArray[np.float32]
    place_usd: NDArray[np.float32]
    use: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.tree)

    @property
    def n_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(getattr(self, name).nbytes for name in self.__dataclass_fields__)

    def first(self, n: int) -> "ItemTables":
        """The first n items, without copying."""
        return ItemTables(
            self.tree[:n], self.profile[:n], self.start[: n + 1], self.count[:n], self.knots,
            self.place_usd[:n], self.use[:n],
        )  # fmt: skip

    def take(self, items: NDArray[np.int64]) -> "ItemTables":
        """The tables of the given items, in their order."""
        length = self.start[items + 1] - self.start[items]
        start = np.concatenate([[0], np.cumsum(length)])
        source = np.repeat(self.start[items] - start[:-1], length) + np.arange(start[-1])
        return ItemTables(
            self.tree[items],
            self.profile[items],
            start,
            self.count[items],
            self.knots[source],
            self.place_usd[items],
            self.use[items],
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
        for name in ("tree", "profile", "count", "place_usd", "use")
    }
    return ItemTables(
        start=np.concatenate([*start, offsets[-1:]]), knots=np.concatenate(knots), **joined
    )


@njit(nogil=True, cache=True, inline="always")
def _merge(
    first: int, last: int, begin: Array, stack: Array, stack_node: Array, floor: float, out: Array,
    out_node: Array,
) -> int:  # fmt: skip
    """Merge lists first..last-1 by falling value, keep values above floor; returns the length.

    Insertion list by list: the lists are short once cut.
    """
    n = 0
    for c in range(first, last):
        at = 0
        for i in range(begin[c], begin[c + 1]):
            value = stack[i, 1]
            if value <= floor:
                break
            while at < n and out[at, 1] >= value:
                at += 1
            for m in range(n, at, -1):
                out[m, 0], out[m, 1], out_node[m] = out[m - 1, 0], out[m - 1, 1], out_node[m - 1]
            out[at, 0], out[at, 1], out_node[at] = stack[i, 0], value, stack_node[i]
            n += 1
            at += 1
    return n


@njit(nogil=True, cache=True, inline="always")
def _overlay(
    merged: Array, merged_node: Array, n: int, tail: float, tail_node: Array, knots: Array, p: int,
    q: int, floor: float, stack: Array, stack_node: Array, at: int,
) -> int:  # fmt: skip
    """Raise a merged list by the set's own knots p..q-1, keep values above floor; returns the end.

    Past its end the merged list goes on forever with value ``tail`` at node ``tail_node``.
    """
    i = 0
    left = merged[0, 0] if n else 0.0
    while p < q:
        own, units = knots[p, 1], knots[p, 0] * 1.0
        while units > 0.0:
            if i < n:
                value, node, step = merged[i, 1] + own, merged_node[i], min(left, units)
            else:
                value, node, step = tail + own, tail_node, units
            if value <= floor:
                return at
            stack[at, 0], stack[at, 1], stack_node[at] = step, value, node
            at += 1
            units -= step
            if i < n:
                left -= step
                if left <= 0.0:
                    i += 1
                    left = merged[i, 0] if i < n else 0.0
        p += 1
    while i < n and merged[i, 1] > floor:
        stack[at, 0], stack[at, 1], stack_node[at] = left, merged[i, 1], merged_node[i]
        at += 1
        i += 1
        left = merged[i, 0] if i < n else 0.0
    return at


@njit(nogil=True, cache=True, inline="always")
def _own_nodes(
    n_sets: int, home: Array, worth: Array, root_floor: float, best: Array, node: Array,
) -> None:  # fmt: skip
    """Cheapest own node of every set, and root_floor as the bar that the network must clear."""
    for s in range(n_sets):
        best[s], node[s] = -np.inf, -1
    best[n_sets] = root_floor
    for j in range(len(worth)):
        s = home[j]
        if s >= 0 and worth[j] > best[s]:
            best[s], node[s] = worth[j], j


@njit(nogil=True, cache=True, inline="always")
def _item(
    n_sets: int, children: Array, above: Array, count: Array, knots: Array, p: int, best: Array,
    node: Array, begin: Array, head: Array, stack: Array, stack_node: Array, merged: Array,
    merged_node: Array,
) -> None:  # fmt: skip
    """Leave the network's segments worth more than best[n_sets] in stack[: begin[1]].

    best, node: by set its cheapest own node, here overwritten by the cheapest one in it. Beyond the
    segments every unit is worth best[n_sets - 1], at node[n_sets - 1].
    """
    top = 0
    begin[0] = 0
    for s in range(n_sets):
        first = top - children[s]
        n = 0
        if first < top:
            for c in range(first, top):
                if best[head[c]] > best[s]:
                    best[s], node[s] = best[head[c]], node[head[c]]
            if begin[first] < begin[top]:
                n = _merge(first, top, begin, stack, stack_node, best[s], merged, merged_node)
        q = p + count[s]
        # the nodes of the set above will cut there in any case
        begin[first + 1] = _overlay(
            merged, merged_node, n, best[s], node[s], knots, p, q, best[above[s]], stack,
            stack_node, begin[first],
        )  # fmt: skip
        p = q
        head[first] = s
        top = first + 1


@njit(nogil=True, cache=True, inline="always")
def _spread(n: int, stack: Array, stack_node: Array, y: Array) -> float:
    """Add n segments to the position y; returns what they save."""
    saved = 0.0
    for i in range(n):
        y[stack_node[i]] += stack[i, 0]
        saved += stack[i, 0] * stack[i, 1]
    return saved


@njit(nogil=True, cache=True, inline="always")
def _price(place_usd: Array, use: Array, price: Array, worth: Array) -> None:
    """Minus the priced cost of a unit at each node."""
    for j in range(len(worth)):
        worth[j] = -np.float64(place_usd[j])
    for r in range(len(use)):
        each = np.float64(use[r])
        for j in range(len(worth)):
            worth[j] -= each * price[r, j]


@njit(nogil=True, cache=True)
def _sweep(
    n_sets: Array, n_children: Array, above: Array, home: Array, tree: Array, profile: Array,
    start: Array, count: Array, knots: Array, place_usd: Array, use: Array, bounds: Array,
    wanted: Array, price: Array, saved: Array, used: Array,
) -> None:  # fmt: skip
    n_nodes = place_usd.shape[1]
    width = count.shape[1] + 2
    room = 64 + 2 * width
    for b in range(len(bounds) - 1):
        for k in range(bounds[b], bounds[b + 1]):
            room = max(room, 64 + 2 * (start[k + 1] - start[k]) + 2 * width)
    stack, merged = np.empty((room, 2)), np.empty((room, 2))
    stack_node, merged_node = np.empty(room, np.int64), np.empty(room, np.int64)
    best, node = np.empty(width), np.empty(width, np.int64)
    begin, head = np.zeros(width + 1, np.int64), np.zeros(width + 1, np.int64)
    worth, y = np.empty(n_nodes), np.zeros(n_nodes)
    for b in range(len(bounds) - 1):
        for k in range(bounds[b], bounds[b + 1] if wanted[b] else bounds[b]):
            t, f = tree[k], profile[k]
            _price(place_usd[k], use[k], price[b, f], worth)
            y[:] = 0.0
            _own_nodes(n_sets[t], home[t], worth, 0.0, best, node)
            _item(
                n_sets[t], n_children[t], above[t], count[k], knots, start[k], best, node,
                begin, head, stack, stack_node, merged, merged_node,
            )  # fmt: skip
            gain = _spread(begin[1], stack, stack_node, y)
            if gain > 0.0:
                saved[b] += gain
                for r in range(use.shape[1]):
                    each = np.float64(use[k, r])
                    for j in range(n_nodes):
                        used[b, f, r, j] += each * y[j]


@njit(nogil=True, cache=True)
def _positions(
    n_sets: Array, n_children: Array, above: Array, home: Array, tree: Array, profile: Array,
    start: Array, count: Array, knots: Array, place_usd: Array, use: Array, first: int, last: int,
    choice: Array, price: Array, position: Array, used: Array,
) -> float:  # fmt: skip
    n_nodes = place_usd.shape[1]
    width = count.shape[1] + 2
    room = 64 + 2 * width
    for k in range(first, last):
        room = max(room, 64 + 2 * (start[k + 1] - start[k]) + 2 * width)
    stack, merged = np.empty((room, 2)), np.empty((room, 2))
    stack_node, merged_node = np.empty(room, np.int64), np.empty(room, np.int64)
    best, node = np.empty(width), np.empty(width, np.int64)
    begin, head = np.zeros(width + 1, np.int64), np.zeros(width + 1, np.int64)
    worth, y = np.empty(n_nodes), np.zeros(n_nodes)
    saved = 0.0
    for k in range(first, last):
        t, f = tree[k], profile[k]
        _price(place_usd[k], use[k], price[choice[k - first], f], worth)
        y[:] = 0.0
        _own_nodes(n_sets[t], home[t], worth, 0.0, best, node)
        _item(
            n_sets[t], n_children[t], above[t], count[k], knots, start[k], best, node,
            begin, head, stack, stack_node, merged, merged_node,
        )  # fmt: skip
        gain = _spread(begin[1], stack, stack_node, y)
        if gain > 0.0:
            saved += gain
            for j in range(n_nodes):
                position[k - first, j] = np.int32(y[j])
                for r in range(use.shape[1]):
                    used[f, r, j] += np.float64(use[k, r]) * y[j]
    return saved


@njit(nogil=True, cache=True)
def _curves(
    n_sets: Array, n_children: Array, above: Array, home: Array, tree: Array, profile: Array,
    start: Array, count: Array, knots: Array, place_usd: Array, use: Array, price: Array,
    curve_start: Array, curve: Array, tail_usd: Array,
) -> None:  # fmt: skip
    width = count.shape[1] + 2
    room = 64 + 2 * width
    for k in range(len(tree)):
        room = max(room, 64 + 2 * (start[k + 1] - start[k]) + 2 * width)
    stack, merged = np.empty((room, 2)), np.empty((room, 2))
    stack_node, merged_node = np.empty(room, np.int64), np.empty(room, np.int64)
    best, node = np.empty(width), np.empty(width, np.int64)
    begin, head = np.zeros(width + 1, np.int64), np.zeros(width + 1, np.int64)
    worth = np.empty(place_usd.shape[1])
    for k in range(len(tree)):
        t = tree[k]
        _price(place_usd[k], use[k], price[profile[k]], worth)
        _own_nodes(n_sets[t], home[t], worth, -np.inf, best, node)
        _item(
            n_sets[t], n_children[t], above[t], count[k], knots, start[k], best, node,
            begin, head, stack, stack_node, merged, merged_node,
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

    price: [profiles, resources, nodes]. Returns start [items + 1] into segments [n, 2] of
    (units, usd a unit), and the usd a unit [items] beyond the last segment.
    """
    start = np.zeros(len(items) + 1, np.int64)
    tail = np.empty(len(items))
    curve = np.empty((int(2 * (items.start[-1] - items.start[0])) + 64 * len(items), 2))
    _curves(*_arrays(woods, items), price, start, curve, tail)
    return start, curve[: start[-1]], tail


def _arrays(
    woods: Forest, items: ItemTables
) -> tuple[
    Array, Array, Array, Array, Array, Array, Array, Array, Array, Array, Array
]:  # fmt: skip
    """What every kernel over items takes first."""
    return (
        woods.n_sets, woods.n_children, woods.above, woods.home,
        items.tree, items.profile, items.start, items.count, items.knots, items.place_usd,
        items.use,
    )  # fmt: skip


def sweep(
    woods: Forest,
    items: ItemTables,
    bounds: NDArray[np.int64],
    price: NDArray[np.float64],
    wanted: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Solve blocks of consecutive items, each block at its own prices.

    bounds: [blocks + 1] first items; price: [blocks, profiles, resources, nodes] usd per unit of
    resource; wanted: [blocks] those to solve, or all. Returns saved: [blocks] priced usd saved
    against empty nodes, and used: [blocks, profiles, resources, nodes], the resources that the
    best positions use. Releases the interpreter lock.
    """
    saved = np.zeros(len(bounds) - 1)
    used = np.zeros(price.shape)
    wanted = np.ones(len(saved), np.bool_) if wanted is None else wanted
    _sweep(*_arrays(woods, items), bounds, wanted, price, saved, used)
    return saved, used


@dataclass(frozen=True)
class Answer:
    """Best positions [items, nodes], priced usd saved, and used [profiles, resources, nodes]."""

    position: NDArray[np.int32]
    saved: float
    used: NDArray[np.float64]


def answer(
    woods: Forest, items: ItemTables, first: int, last: int,
    choice: NDArray[np.int64], price: NDArray[np.float64],
) -> Answer:  # fmt: skip
    """Best positions of items first..last-1, item k at price[choice[k]]."""
    found = np.zeros((last - first, woods.n_nodes), dtype=np.int32)
    used = np.zeros(price.shape[1:])
    price = np.ascontiguousarray(price)  # one compiled version
    saved = _positions(*_arrays(woods, items), first, last, choice, price, found, used)
    return Answer(found, saved, used)


def positions(woods: Forest, items: ItemTables, price: NDArray[np.float64]) -> NDArray[np.int32]:
    """Best positions [items, nodes] at prices [profiles, resources, nodes] of what items use."""
    return answer(woods, items, 0, len(items), np.zeros(len(items), np.int64), price[None]).position
