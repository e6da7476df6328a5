"""By which way what a node serves comes in, where the programme of the horizon splits it.

At an optimum of core.horizon a few items fill the last units of a dock and the rest of what they
need waits for the next week; a plan brings all that a node serves of an item in a week in by one
way. Plans with one way for single items and weeks, found at prices around the programme's (its own
are near the optimal ones of these, too), mixed by the master, cost hardly more than the programme:
its columns are the candidates. A mixed-integer programme over those that cost little more than the
best at the mix's prices gives every item and week one of them (the restricted master heuristic of
column generation: Joncour et al., Electronic Notes in Discrete Mathematics 36, 2010). Only its ways
are kept; levels follow in core.rounded.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix, hstack, identity

from pipeline.core.arithmetic import product
from pipeline.core.columns import SPREADS, Answers, Search
from pipeline.core.horizon import Horizon
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.planned import plans_at
from pipeline.core.prices import Capacity
from pipeline.core.rounded import entries
from pipeline.core.shards import Blocks, Threads
from pipeline.core.trace import Trace

ROUNDS = 4
"""Sweeps at each spread of perturbed prices."""
FAIR_GAP = 1e-3
"""Gap of the mix from which its prices are better than the programme's."""
NEAR = 1e-4
"""Share of the bound by which a plan may cost more than the best of its item to be a candidate."""
GAP, NODES = 1e-4, 1
"""Of the programme that chooses among them."""
SOME = 1e-6
"""Units that are some."""
SAME_DIGITS = 7
"""Plans that cost and use the same to so many digits are one."""
Floats = NDArray[np.float64]


def tried_ways(
    woods: Forest, items: ItemTables, capacity: Capacity, found: Horizon,
    shares: tuple[float, ...], seed: int,
) -> Iterator[NDArray[np.uint8]]:  # fmt: skip
    """Weeks [items, nodes, depth] in which what is needed enters, as Placed.entered, to be tried in
    turn: the programme's where it splits nothing, else those that fit together best, then by
    shares of what waits. A single item that fills docks by itself has no plan that fits."""
    waiting, entering = found.waiting[:, :-1], found.entering[:, 1:]
    if not ((waiting > SOME) & (entering > SOME)).any():
        yield entries(woods, items, found, 0.5)
        return
    yield one_way(woods, items, capacity, found, seed)
    for share in shares:
        yield entries(woods, items, found, share)


def one_way(
    woods: Forest, items: ItemTables, capacity: Capacity, found: Horizon, seed: int
) -> NDArray[np.uint8]:
    """Weeks [items, nodes, depth] in which what is needed enters in plans of single items that cost
    least together."""
    search = _searched(woods, items, capacity, found, seed)
    answers = search.answers()
    chosen = _chosen(answers, capacity, abs(found.relaxed.lower))
    n = len(items)
    flat = answers.on_items.reshape(-1, *capacity.shape)
    return plans_at(woods, items, 0, n, chosen * n + np.arange(n), flat).entered


def _searched(
    woods: Forest, items: ItemTables, capacity: Capacity, found: Horizon, seed: int
) -> Search:
    """Plans of every item by itself, at prices around the programme's, then around the mix's."""
    none = np.zeros(0, np.int64)
    blocks = Blocks(woods, items.take(none), (none,), (np.arange(len(items) + 1),), (0,))
    search = Search(blocks, Threads([items], 1), capacity, Trace(), seed)
    search.bound(found.relaxed.price)
    for spread in SPREADS * ROUNDS:
        mixed = search.mixed if search.gap <= FAIR_GAP else None
        search.perturb(mixed.price if mixed else found.relaxed.price, spread)
    return search


def _chosen(answers: Answers, capacity: Capacity, lower_usd: float) -> NDArray[np.int64]:
    """Column [items] of every item's plan, so that all together cost least. Any row may overflow:
    what is served of the levels can still be less than here."""
    priced = answers.cost + product(answers.usage, answers.mix.price)
    more_usd = priced - priced.min(axis=1, keepdims=True)
    item, column = _candidates(answers, more_usd, lower_usd)
    m, rows = len(item), len(capacity)
    usage = csr_matrix(answers.usage[item, column].T)
    of_item = csr_matrix((np.ones(m), (item, np.arange(m))), (len(priced), m))
    choice = milp(
        np.concatenate([answers.cost[item, column], capacity.overflow_usd]),
        constraints=[
            LinearConstraint(hstack([usage, -identity(rows)]).tocsr(), -np.inf, capacity.limit),
            LinearConstraint(hstack([of_item, csr_matrix((len(priced), rows))]).tocsr(), 1.0, 1.0),
        ],
        bounds=Bounds(np.zeros(m + rows), np.concatenate([np.ones(m), np.full(rows, np.inf)])),
        integrality=(np.arange(m + rows) < m).astype(int),
        options={"mip_rel_gap": GAP, "node_limit": NODES},
    )
    if choice.x is None:  # the one with the largest part of the mix
        return np.asarray(answers.mix.share.argmax(axis=1))
    weight = np.zeros(priced.shape)
    weight[item, column] = choice.x[:m]
    return np.asarray(weight.argmax(axis=1))


def _candidates(
    answers: Answers, more_usd: Floats, lower_usd: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Items and columns of the plans that are mixed or cost little more than an item's best, each
    once."""
    item, column = np.nonzero((more_usd <= NEAR * lower_usd) | (answers.mix.share > 0.0))
    key: NDArray[Any] = np.column_stack(
        [item, answers.cost[item, column], answers.usage[item, column]]
    )
    _, first = np.unique(np.round(key, SAME_DIGITS), axis=0, return_index=True)
    return item[first], column[first]
