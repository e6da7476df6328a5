"""Which nodes receive an order line: cases split so that every territory lasts equally long.

The line's units are poured over the receiving nodes until all those that got some stand at the same
ratio of what their territory has to what it needs (water-filling), then rounded to whole cases.
Nodes with a full row of capacity pass cases on, first those that unbalance least.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import product

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def split_cases(cases: Ints, case: Ints, have: Floats, need: Floats) -> Ints:
    """Cases [lines, nodes] of lines of `cases` cases of `case` units, rows summing to `cases`.

    have, need: [lines, nodes] units that the node's territory has and needs; need is zero where
    the node cannot receive the line, and positive somewhere in every row.
    """
    units = _pour(cases * case, have, need)
    got = np.floor(units / case[:, None] + 1e-9).astype(np.int64)
    got[need <= 0] = 0
    safe = np.where(need > 0, need, 1.0)
    for _ in range(got.shape[1]):  # flooring leaves less than a case for each node
        missing = got.sum(axis=1) < cases
        if not missing.any():
            break
        next_ratio = (have + (got + 0.5) * case[:, None]) / safe
        best = np.where(need > 0, next_ratio, np.inf).argmin(axis=1)
        got[missing, best[missing]] += 1
    return got


def _pour(units: Ints, have: Floats, need: Floats) -> Floats:
    """Units [lines, nodes], not negative, that raise the lowest ratios have / need to one level."""
    ratio = np.where(need > 0, have / np.where(need > 0, need, 1.0), np.inf)
    order = np.argsort(ratio, axis=1, kind="stable")
    low = np.take_along_axis(ratio, order, axis=1)
    weight = np.cumsum(np.take_along_axis(need, order, axis=1), axis=1)
    stock = np.cumsum(np.take_along_axis(np.where(need > 0, have, 0.0), order, axis=1), axis=1)
    level = (units[:, None] + stock) / np.where(weight > 0, weight, 1.0)
    # The level with the first n nodes holds if the next node already stands above it.
    following = np.concatenate([low[:, 1:], np.full((len(low), 1), np.inf)], axis=1)
    at = (level <= following).argmax(axis=1)
    height = level[np.arange(len(level)), at]
    return np.asarray(np.where(need > 0, np.maximum(height[:, None] * need - have, 0.0), 0.0))


def keep_room(
    got: Ints, case: Ints, use: Floats, room: Floats, balance: tuple[Floats, Floats]
) -> Ints:
    """Cases [lines, nodes] with overfull rows of capacity relieved as far as other nodes have room.

    use: [lines, rows] what a case uses of each row (a resource in a week) of the node that it goes
    to; room: [rows, nodes] for what still comes, inf for no limit; balance: (have, need) as in
    split_cases, in units. A case moves only to where all its rows have room. What fits nowhere
    stays where it is: an order must arrive.
    """
    have, need = balance
    got = got.copy()
    left = room - product(use.T, got)
    safe = np.where(need > 0, need, 1.0)
    ratio = np.where(need > 0, (have + got * case[:, None]) / safe, np.inf)
    for row, j in zip(*np.nonzero(left < 0), strict=True):
        lines = np.flatnonzero((use[:, row] > 0) & (got[:, j] > 0))
        others = np.flatnonzero(np.arange(room.shape[1]) != j)
        line, to = np.meshgrid(lines, others, indexing="ij")
        able = need[line, to] > 0
        line, to = line[able], to[able]
        # What unbalances least for the room that it makes moves first.
        harm = (ratio[line, to] - ratio[line, j]) / use[line, row]
        for at in np.lexsort((to, line, harm)):
            k, h = line[at], to[at]
            if left[row, j] >= 0:
                break
            wanted = int(np.ceil(-left[row, j] / use[k, row]))
            used = use[k] > 0
            spare = np.floor((left[used, h] / use[k, used]).min() + 1e-9)
            moved = min(wanted, int(got[k, j]), int(max(min(spare, got[k, j]), 0)))
            got[k, j] -= moved
            got[k, h] += moved
            left[:, j] += moved * use[k]
            left[:, h] -= moved * use[k]
    return got
