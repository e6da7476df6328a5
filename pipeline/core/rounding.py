"""From the mix of stored answers to whole positions of every item.

Every item takes one stored answer of its block, evenly by the shares of the mix (answers are stored
as prices; solving again is cheaper than keeping positions), then what is exceeded is trimmed, and
what is served of the levels settled.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.core.columns import Answers
from pipeline.core.evaluate import evaluate
from pipeline.core.fitting import fitted
from pipeline.core.flow import LEAVING
from pipeline.core.item import ItemTables, concatenate
from pipeline.core.planned import plans_at
from pipeline.core.prices import Capacity
from pipeline.core.recover import GOLDEN, choose, fill, trim
from pipeline.core.serve import Placed, joined, serve
from pipeline.core.settle import settle
from pipeline.core.shards import Blocks, Engine, Parts

Plans = list[Placed]

MANY_UNITS = 50
"""Units at a node from which a part of one is small."""
SOME = 1e-9
"""Share of an answer that is some."""
FITTED = 3_000
"""Items, about, whose answers are chosen anew so that all together fit."""


def integer_plan(
    blocks: Blocks,
    parts: Parts,
    engine: Engine,
    capacity: Capacity,
    found: Answers,
    pool_items: int,
    attempt: int = 0,
) -> Plans:
    """Plans of every part: each item takes a stored answer, then units are trimmed and added.

    Plans that the answers hold need no solving. Later attempts draw the answers of fractional
    blocks anew; with few items that matters.
    """
    share = found.mix.share
    is_held = (share * found.is_held).sum(axis=1) > 1.0 - SOME

    def work(part: int, items: ItemTables) -> tuple[Placed, NDArray[np.int64], NDArray]:
        own = found.held[part] if found.held else None
        light = blocks.light(part, items)
        placed, choice = take(blocks, part, light, found, is_held, own, attempt)
        return placed, choice, evaluate(blocks.woods, light, placed, capacity.shape[0])[1]

    taken = engine.each(work)
    plans = [placed.writable() for placed, _, _ in taken]
    used = sum((used for _, _, used in taken), np.zeros(capacity.shape))
    n = len(blocks.heavy)
    drawn = [choose(share[b], 1, lottery(b, attempt))[0] for b in range(n)]
    chosen = np.array(drawn, np.int64) * len(blocks) + np.arange(n)
    flat = found.on_items.reshape(-1, *capacity.shape)
    heavy = plans_at(blocks.woods, blocks.heavy, 0, n, chosen, flat)
    is_blend = _blend(blocks, found, capacity, heavy)
    used = used + evaluate(blocks.woods, blocks.heavy, heavy, capacity.shape[0])[1]
    usage = capacity.usage(used)
    choices = [choice for _, choice, _ in taken]
    refit = _fitting(blocks, parts, found, share, choices, np.array(drawn, np.int64), is_blend)
    usage = _fit(blocks, capacity, found, refit, plans, heavy, usage)
    repair(blocks, parts, plans, heavy, capacity, usage, found, pool_items)
    first = 0
    for part, rows in enumerate(blocks.heavy_at):
        plans[part].put(rows, heavy.take(slice(first, first + len(rows))))
        first += len(rows)
    return plans


@dataclass(frozen=True)
class Refit:
    """Items whose answers may be chosen anew: tables, blocks, answers; part (-1: heavy) and
    row of each."""

    items: ItemTables
    block: NDArray[np.int64]
    choice: NDArray[np.int64]
    part: NDArray[np.int64]
    row: NDArray[np.int64]


def _fitting(
    blocks: Blocks, parts: Parts, found: Answers, share: NDArray[np.float64],
    choices: list[NDArray[np.int64]], drawn: NDArray[np.int64], is_blend: NDArray[np.bool_],
) -> Refit:  # fmt: skip
    """Heavy items, and the first of every block that mixes answers."""
    mixes = np.flatnonzero(share.max(axis=1) < 1.0 - SOME)
    each = max(FITTED // max(len(mixes), 1), 1)
    own = np.flatnonzero(~is_blend)
    tables, places = (
        [blocks.heavy.take(own)],
        [np.column_stack([own, drawn[own], own * 0 - 1, own])],
    )
    for part, choice in enumerate(choices):
        mine, edges = blocks.of_part(part), blocks.bounds[part]
        rows, block = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for b in mixes[(mixes >= mine.start) & (mixes < mine.stop)].tolist():
            first, last = int(edges[b - mine.start]), int(edges[b - mine.start + 1])
            some = np.arange(first, min(first + each, last))
            rows.append(some)
            block.append(np.full(len(some), b))
        at = np.concatenate(rows)
        tables.append(blocks.light(part, parts[part]).take(at))
        places.append(np.column_stack([np.concatenate(block), choice[at], at * 0 + part, at]))
    block, chosen, part_of, row = np.concatenate(places).T
    return Refit(concatenate(tables), block, chosen, part_of, row)


def _fit(
    blocks: Blocks, capacity: Capacity, found: Answers, refit: Refit, plans: Plans, heavy: Placed,
    usage: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """Let items take the answers that fit best, in place; returns the usage [rows]."""
    woods, items, weeks = blocks.woods, refit.items, capacity.shape[0]
    if not len(items):
        return usage
    choice = fitted(woods, items, refit.block, refit.choice, found, capacity, usage)
    flat = found.on_items.reshape(-1, *capacity.shape)
    n = len(items)
    before, after = (
        plans_at(woods, items, 0, n, of * len(blocks) + refit.block, flat)
        for of in (refit.choice, choice)
    )
    for part in np.unique(refit.part).tolist():
        mine = np.flatnonzero(refit.part == part)
        (heavy if part < 0 else plans[part]).put(refit.row[mine], after.take(mine))
    change = evaluate(woods, items, after, weeks)[1] - evaluate(woods, items, before, weeks)[1]
    return usage + capacity.usage(change)


def _blend(blocks: Blocks, found: Answers, capacity: Capacity, heavy: Placed) -> NDArray[np.bool_]:
    """Give heavy items of many units, in place, the rounded mix of their answers instead of one of
    them: their cost is convex in the levels, so that it costs no more than the mix, but for what
    half a unit at a node is worth. Returns which."""
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
    return many


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
) -> tuple[Placed, NDArray[np.int64]]:
    """A part's light items, each at one of its block's stored prices, or as held; which."""
    mine = blocks.of_part(part)
    plans: list[Placed] = []
    choices = np.zeros(len(light), np.int64)
    for b, (first, last) in zip(
        range(mine.start, mine.stop), pairwise(blocks.bounds[part]), strict=True
    ):
        if is_held[b] and held is not None:
            plans.append(held.take(slice(int(first), int(last))))
            continue
        choice = choose(found.mix.share[b], int(last - first), lottery(b, attempt))
        choices[first:last] = choice
        price = found.on_items[:, b]
        plans.append(plans_at(blocks.woods, light, int(first), int(last), choice, price))
    return joined(plans), choices


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
    """Trim and fill in place the heavy items and about pool_items of all others, of every week,
    until nothing is violated."""
    every = max(-(-sum(map(len, plans)) // pool_items), 1)
    pool = [np.arange(0, len(mine), every) for mine in plans]
    tables = [blocks.light(part, parts[part]).take(rows) for part, rows in enumerate(pool)]
    items = concatenate([blocks.heavy, *tables])
    one = joined([heavy, *(mine.take(rows) for mine, rows in zip(plans, pool, strict=True))])
    limit = capacity.limit + found.mix.overflow
    limit = limit - 1e-10 * np.abs(limit)  # sums in another order must not exceed it either
    woods, price = blocks.woods, found.mix.price
    before = evaluate(woods, items, one, capacity.shape[0])[1]
    rest = usage - capacity.usage(before)
    on_items = capacity.on_items(price)
    levels = one.position.copy()
    trim(woods, items, one.position, capacity, usage, limit, on_items)
    changed = np.flatnonzero((one.position != levels).any(axis=1))
    kept = serve(woods, items.take(changed), one.position[changed], on_items)
    one.served[changed] = kept.served
    usage = rest + capacity.usage(evaluate(woods, items, one, capacity.shape[0])[1])
    usage = settle(woods, items, one, capacity, usage, limit, price)
    if not (on_items[:, LEAVING:] > 0.0).any():  # else a unit more need not be served
        fill(woods, items, one.position, capacity, usage, limit, price)
        usage = rest + capacity.usage(evaluate(woods, items, one, capacity.shape[0])[1])
        settle(woods, items, one, capacity, usage, limit, price)
    heavy.put(slice(None), one.take(slice(len(heavy))))
    at = len(heavy)
    for mine, rows in zip(plans, pool, strict=True):
        mine.put(rows, one.take(slice(at, at + len(rows))))
        at += len(rows)
