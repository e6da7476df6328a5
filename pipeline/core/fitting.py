"""Which stored answer every item takes, so that all together use what capacity allows.

The master mixes answers by block; items take whole ones. In blocks that mix several, the choice of
some items is changed, one after the other, as long as that lowers

    sum_k cost_k + sum_r penalty_r (usage_r - limit_r)+

At the master's prices a block's answers cost the same, so what is lowered is what is left unused,
at its price, and what is exceeded.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import product
from pipeline.core.columns import Answers
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.planned import sweep_plans
from pipeline.core.prices import Capacity
from pipeline.core.size import empty_cost
from pipeline.kernels import njit

Array = NDArray[Any]

NEAR = 6
"""Answers of a block, at least, that its items choose from: the cheapest at the master's prices."""
PASSES = 40
"""Passes over the items, at most."""
PENALTY = 2.0
"""Cost of what exceeds a row, in prices; rows without a price cost their overflow."""


@njit(nogil=True, cache=True)
def _fit(
    cost: Array, usage: Array, choice: Array, total: Array, limit: Array, penalty: Array
) -> None:
    """Change choice [items] in place; cost [items, answers], usage [items, answers, rows]; total:
    [rows] usage of everything."""
    n, answers, rows = usage.shape
    for _ in range(PASSES):
        is_changed = False
        for k in range(n):
            now, best, least = choice[k], choice[k], -1e-9
            for c in range(answers):
                if c == now:
                    continue
                change = cost[k, c] - cost[k, now]
                for r in range(rows):
                    before = total[r] - limit[r]
                    after = before + usage[k, c, r] - usage[k, now, r]
                    change += penalty[r] * (max(after, 0.0) - max(before, 0.0))
                if change < least:
                    best, least = c, change
            if best != now:
                for r in range(rows):
                    total[r] += usage[k, best, r] - usage[k, now, r]
                choice[k] = best
                is_changed = True
        if not is_changed:
            break


def fitted(
    woods: Forest,
    items: ItemTables,
    block: NDArray[np.int64],
    choice: NDArray[np.int64],
    found: Answers,
    capacity: Capacity,
    usage: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Answers [items] of their blocks that items take; choice: [items] those that they took when
    everything used usage [rows]."""
    mix, n = found.mix, len(items)
    blocks, of = np.unique(block, return_inverse=True)
    share, cost = mix.share[blocks], found.cost[blocks]
    priced = np.where(share > 0, -np.inf, cost + product(found.usage[blocks], mix.price))
    answers = min(max(NEAR, int((share > 0).sum(axis=1).max(initial=0))), cost.shape[1])
    near = np.argsort(priced, axis=1, kind="stable")[:, :answers][of]
    each, empty = np.arange(n + 1), empty_cost(items, np.arange(n + 1))
    usd, used = np.empty((n, answers)), np.empty((n, answers, len(capacity)))
    for a in range(answers):
        price = np.ascontiguousarray(found.on_items[near[:, a], block])
        swept = sweep_plans(woods, items, each, price, np.ones(n, np.bool_), 0)
        usd[:, a] = empty - swept.saved - (price * swept.used).sum(axis=(1, 2, 3))
        used[:, a] = capacity.usage(swept.used)
    at = (near == choice[:, None]).argmax(axis=1)
    limit = capacity.limit + mix.overflow
    matter = (mix.price > 0) | (usage + used.max(axis=1).sum(axis=0) > limit)
    penalty = np.where(mix.price > 0, PENALTY * mix.price, capacity.overflow_usd)[matter]
    _fit(usd, used[:, :, matter], at, usage[matter].copy(), limit[matter], penalty)
    return np.take_along_axis(near, at[:, None], axis=1)[:, 0]
