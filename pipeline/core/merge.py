"""The best segments of one item: lists of marginal values merged up the tree (see core.item)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels import njit

Array = NDArray[Any]


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
    q: int, share: float, floor: float, stack: Array, stack_node: Array, at: int,
) -> int:  # fmt: skip
    """Raise a merged list by ``share`` of the set's own knots p..q-1, keep values above floor;
    returns the end.

    Past its end the merged list goes on forever with value ``tail`` at node ``tail_node``.
    """
    i = 0
    left = merged[0, 0] if n else 0.0
    while p < q:
        own, units = share * knots[p, 1], knots[p, 0] * 1.0
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
def own_nodes(
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
def item_segments(
    n_sets: int, children: Array, above: Array, count: Array, knots: Array, p: int, best: Array,
    node: Array, share: Array, begin: Array, head: Array, stack: Array, stack_node: Array,
    merged: Array, merged_node: Array,
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
            merged, merged_node, n, best[s], node[s], knots, p, q, share[s], best[above[s]],
            stack, stack_node, begin[first],
        )  # fmt: skip
        p = q
        head[first] = s
        top = first + 1


@njit(nogil=True, cache=True, inline="always")
def spread(n: int, stack: Array, stack_node: Array, y: Array) -> float:
    """Add n segments to the position y; returns what they save."""
    saved = 0.0
    for i in range(n):
        y[stack_node[i]] += stack[i, 0]
        saved += stack[i, 0] * stack[i, 1]
    return saved
