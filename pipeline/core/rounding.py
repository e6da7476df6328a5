"""From the mix of stored answers to whole positions of every item.

Every item takes one stored answer of its block, evenly by the shares of the mix (answers are stored
as prices; solving again is cheaper than keeping positions), then what is exceeded is trimmed, and
what is served of the levels settled.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.core.columns import Answers
from pipeline.core.evaluate import evaluate
from pipeline.core.item import ItemTables, concatenate
from pipeline.core.planned import plans_at
from pipeline.core.prices import Capacity
from pipeline.core.recover import GOLDEN, choose, fill, trim
from pipeline.core.serve import Placed, joined
from pipeline.core.settle import settle
from pipeline.core.shards import Blocks, Engine, Parts

Plans = list[Placed]

MANY_UNITS = 50
"""Units at a node from which a part of one is small."""
SOME = 1e-9
"""Share of an answer that is some."""


def integer_plan(
    blocks: Blocks,
    parts: Parts,
    engine: Engine,
    capacity: Capacity,
    found: Answers,
    pool_items: int,
    held: Plans | None = None,
    attempt: int = 0,
) -> Plans:
    """Plans of every part: each item takes a stored answer, then units are trimmed and added.

    held: plans at the first answers, which need no solving. Later attempts draw the answers of
    fractional blocks anew; with few items that matters.
    """
    share = found.mix.share
    is_held = np.zeros(len(blocks), np.bool_) if held is None else share[:, 0] > 1 - 1e-9

    def work(part: int, items: ItemTables) -> tuple[Placed, NDArray[np.float64]]:
        own = None if held is None else held[part]
        light = blocks.light(part, items)
        placed = take(blocks, part, light, found, is_held, own, attempt)
        return placed, evaluate(blocks.woods, light, placed, capacity.shape[0])[1]

    taken = engine.each(work)
    plans = [placed.copy() for placed, _ in taken]
    used = sum((used for _, used in taken), np.zeros(capacity.shape))
    n = len(blocks.heavy)
    drawn = [choose(share[b], 1, lottery(b, attempt))[0] for b in range(n)]
    chosen = np.array(drawn, np.int64) * len(blocks) + np.arange(n)
    flat = found.on_items.reshape(-1, *capacity.shape)
    heavy = plans_at(blocks.woods, blocks.heavy, 0, n, chosen, flat)
    _blend(blocks, found, capacity, heavy)
    used = used + evaluate(blocks.woods, blocks.heavy, heavy, capacity.shape[0])[1]
    repair(blocks, parts, plans, heavy, capacity, capacity.usage(used), found, pool_items)
    first = 0
    for part, rows in enumerate(blocks.heavy_at):
        plans[part].put(rows, heavy.take(slice(first, first + len(rows))))
        first += len(rows)
    return plans


def _blend(blocks: Blocks, found: Answers, capacity: Capacity, heavy: Placed) -> None:
    """Give heavy items of many units, in place, the rounded mix of their answers instead of one of
    them: their cost is convex in the levels, so that it costs no more than the mix, but for what
    half a unit at a node is worth."""
    n = len(blocks.heavy)
    share = found.mix.share[:n]
    level, served = np.zeros(heavy.position.shape), np.zeros(heavy.served.shape)
    for column in range(share.shape[1]):
        mine = np.flatnonzero(share[:, column] > SOME)
        if len(mine):
            price = np.ascontiguousarray(found.on_items[column, mine])
            items, choice = blocks.heavy.take(mine), np.arange(len(mine))
            one = plans_at(blocks.woods, items, 0, len(mine), choice, price)
            level[mine] += share[mine, column, None] * one.position
            served[mine] += share[mine, column, None] * one.served
    many = (level.max(axis=1, initial=0.0) >= MANY_UNITS) & (share.max(axis=1) < 1.0 - SOME)
    heavy.position[many] = np.rint(level[many]).astype(np.int32)
    heavy.served[many] = np.minimum(served[many], heavy.position[many])


def lottery(block: int, attempt: int) -> float:
    """Number in (0, 1) for a block's draw in an attempt; zero in the first."""
    return (block * GOLDEN + attempt * np.sqrt(2.0)) % 1.0 if attempt else 0.0


def take(
    blocks: Blocks,
    part: int,
    light: ItemTables,
    found: Answers,
    is_held: NDArray[np.bool_],
    held: Placed | None,
    attempt: int,
) -> Placed:
    """A part's light items, each at one of its block's stored prices, or as held."""
    mine = blocks.of_part(part)
    plans: list[Placed] = []
    for b, (first, last) in zip(
        range(mine.start, mine.stop), pairwise(blocks.bounds[part]), strict=True
    ):
        if is_held[b] and held is not None:
            plans.append(held.take(slice(int(first), int(last))))
            continue
        choice = choose(found.mix.share[b], int(last - first), lottery(b, attempt))
        price = found.on_items[:, b]
        plans.append(plans_at(blocks.woods, light, int(first), int(last), choice, price))
    return joined(plans)


def repair(
    blocks: Blocks,
    parts: Parts,
    plans: Plans,
    heavy: Placed,
    capacity: Capacity,
    usage: NDArray[np.float64],
    found: Answers,
    pool_items: int,
) -> None:
    """Trim and fill in place the heavy and the first light items, until nothing is violated."""
    pool: list[ItemTables] = []
    left = pool_items
    while left > 0 and len(pool) < len(plans):
        light = blocks.light(len(pool), parts[len(pool)])
        pool.append(light.first(left))
        left -= len(pool[-1])
    items = concatenate([blocks.heavy, *pool])
    one = joined(
        [heavy, *(mine.take(slice(len(part))) for mine, part in zip(plans, pool, strict=False))]
    )
    limit = capacity.limit + found.mix.overflow
    limit = limit - 1e-10 * np.abs(limit)  # sums in another order must not exceed it either
    woods, price = blocks.woods, found.mix.price
    before = evaluate(woods, items, one, capacity.shape[0])[1]
    rest = usage - capacity.usage(before)
    trim(woods, items, one.position, capacity, usage, limit, capacity.on_items(price))
    for _ in range(2):  # what serving less gives back of a level's room may be used again
        usage = rest + capacity.usage(evaluate(woods, items, one, capacity.shape[0])[1])
        usage = settle(woods, items, one, capacity, usage, limit, price)
        fill(woods, items, one.position, capacity, usage, limit, price)
    usage = rest + capacity.usage(evaluate(woods, items, one, capacity.shape[0])[1])
    settle(woods, items, one, capacity, usage, limit, price)
    heavy.put(slice(None), one.take(slice(len(heavy))))
    at = len(heavy)
    for mine, part in zip(plans, pool, strict=False):
        mine.put(slice(len(part)), one.take(slice(at, at + len(part))))
        at += len(part)
