"""From the mix of stored answers to whole positions of every item.

Every item takes one stored answer of its block, evenly by the shares of the mix (answers are stored
as prices; solving again is cheaper than keeping positions), then what is exceeded is trimmed.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.core.columns import Answers
from pipeline.core.item import Answer, ItemTables, answer, concatenate
from pipeline.core.prices import Capacity
from pipeline.core.recover import GOLDEN, choose, fill, trim
from pipeline.core.shards import Blocks, Engine, Parts

Positions = list[NDArray[np.int32]]


def integer_plan(
    blocks: Blocks,
    parts: Parts,
    engine: Engine,
    capacity: Capacity,
    found: Answers,
    pool_items: int,
    held: Positions | None = None,
    attempt: int = 0,
) -> Positions:
    """Positions of every part: each item takes a stored answer, then units are trimmed and added.

    held: positions of the first answers, which need no solving. Later attempts draw the answers of
    fractional blocks anew; with few items that matters.
    """
    share, price = found.mix.share, found.on_items
    is_held = np.zeros(len(blocks), np.bool_) if held is None else share[:, 0] > 1 - 1e-9

    def work(part: int, items: ItemTables) -> list[Answer | None]:
        return take(blocks, part, items, share, price, is_held, attempt)

    taken = engine.each(work)
    n = len(blocks.heavy)
    usage = found.usage[n:][is_held[n:], 0].sum(axis=0)
    position = []
    for part, pieces in enumerate(taken):
        stored = [held[part][a:b] if held else None for a, b in pairwise(blocks.bounds[part])]
        own = [kept if piece is None else piece.position
               for piece, kept in zip(pieces, stored, strict=True)]  # fmt: skip
        position.append(np.concatenate([rows for rows in own if rows is not None]))
        usage = usage + capacity.usage(sum((p.used for p in pieces if p), np.zeros(capacity.shape)))
    drawn = [choose(share[b], 1, lottery(b, attempt))[0] for b in range(n)]
    chosen = np.array(drawn, np.int64) * len(blocks) + np.arange(n)
    flat = price.reshape(-1, *capacity.shape)
    heavy = answer(blocks.woods, blocks.heavy, 0, n, chosen, flat)
    usage = usage + capacity.usage(heavy.used)
    repair(blocks, parts, position, heavy.position, capacity, usage, found, pool_items)
    first = 0
    for part, rows in enumerate(blocks.heavy_at):
        position[part][rows] = heavy.position[first : first + len(rows)]
        first += len(rows)
    return position


def lottery(block: int, attempt: int) -> float:
    """Number in (0, 1) for a block's draw in an attempt; zero in the first."""
    return (block * GOLDEN + attempt * np.sqrt(2.0)) % 1.0 if attempt else 0.0


def take(
    blocks: Blocks,
    part: int,
    items: ItemTables,
    share: NDArray[np.float64],
    price: NDArray[np.float64],
    is_held: NDArray[np.bool_],
    attempt: int,
) -> list[Answer | None]:
    """By block of a part: each item at one of its block's stored prices; None where held."""
    items = blocks.light(part, items)
    mine = blocks.of_part(part)
    found: list[Answer | None] = []
    for b, (first, last) in zip(
        range(mine.start, mine.stop), pairwise(blocks.bounds[part]), strict=True
    ):
        if is_held[b]:
            found.append(None)
            continue
        choice = choose(share[b], int(last - first), lottery(b, attempt))
        found.append(answer(blocks.woods, items, int(first), int(last), choice, price[:, b]))
    return found


def repair(
    blocks: Blocks,
    parts: Parts,
    position: Positions,
    heavy: NDArray[np.int32],
    capacity: Capacity,
    usage: NDArray[np.float64],
    found: Answers,
    pool_items: int,
) -> None:
    """Trim and fill in place the heavy and the first light items, until nothing is violated."""
    pool: list[ItemTables] = []
    left = pool_items
    while left > 0 and len(pool) < len(position):
        light = blocks.light(len(pool), parts[len(pool)])
        pool.append(light.first(left))
        left -= len(pool[-1])
    items = concatenate([blocks.heavy, *pool])
    joined = np.concatenate(
        [heavy, *(mine[: len(part)] for mine, part in zip(position, pool, strict=False))]
    )
    limit = capacity.limit + found.mix.overflow
    limit = limit - 1e-10 * np.abs(limit)  # sums in another order must not exceed it either
    usage = trim(blocks.woods, items, joined, capacity, usage, limit)
    fill(blocks.woods, items, joined, capacity, usage, limit, found.mix.price)
    heavy[:] = joined[: len(heavy)]
    at = len(heavy)
    for i, part in enumerate(pool):
        position[i][: len(part)] = joined[at : at + len(part)]
        at += len(part)
