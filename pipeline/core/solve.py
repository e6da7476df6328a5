"""The main path: from packed item tables and capacity rows to a certified integer plan.

sample -> first prices -> one sweep: lower bound -> sweeps at perturbed prices -> master
       -> every item takes a stored answer -> trim and fill -> certificate
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.core.certificate import Certificate, certify, lower_bound
from pipeline.core.evaluate import evaluate
from pipeline.core.item import ItemTables, concatenate, positions
from pipeline.core.master import Mix, mix
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity, Sample, first_prices, stratified
from pipeline.core.recover import GOLDEN, choose, fill, trim
from pipeline.core.shards import Blocks, Engine, Parts, Threads, cut, potential
from pipeline.core.trace import Trace


@dataclass(frozen=True)
class SolveParams:
    """Parameters of the solver.

    sample_items: largest sample that first prices are found on; at most a quarter of all items,
        but no fewer than 2,000.
    sample_iterations: L-BFGS iterations on the sample; warm_iterations: from last night's prices.
    blocks: blocks of items that get their own perturbed prices; heavy_items: blocks of one item.
    perturbations: spread of the prices in each sweep after the first, relative to the price.
    target_gap: stop when the mix of answers is this close to the lower bound.
    fair_gap: perturb the mix's prices once it is this close. trusting_sweeps: sweeps that perturb
        the sample's prices before they are doubted. most_sweeps: over all items.
    attempts: roundings tried until the plan is within enough_gap of the bound.
    pool_items: items among which units are trimmed and filled.
    threads: threads of the sweeps. seed: of the sample and the perturbations.
    """

    sample_items: int = 16_000
    sample_iterations: int = 20
    warm_iterations: int = 8
    blocks: int = 200
    heavy_items: int = 100
    perturbations: tuple[float, ...] = (0.3, 0.1, 0.05, 0.03, 0.02)
    target_gap: float = 5e-4
    fair_gap: float = 5e-3
    trusting_sweeps: int = 3
    most_sweeps: int = 24
    attempts: int = 6
    enough_gap: float = 1e-3
    pool_items: int = 60_000
    threads: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Answers:
    """Stored answers of all blocks, their best mix, and the best lower bound with its prices.

    on_items: [columns, blocks, profiles, resources, nodes] the prices each was found at;
    cost: [blocks, columns] usd without capacity prices; usage: [blocks, columns, rows].
    """

    on_items: NDArray[np.float64]
    cost: NDArray[np.float64]
    usage: NDArray[np.float64]
    mix: Mix
    lower: float
    price: NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """position: per part [items, nodes] units; price, usage, overflow: [rows]; bound_price: [rows]
    prices of the lower bound, the better start for another night; kept: the rows that no other
    implies, which the answers are about."""

    position: list[NDArray[np.int32]]
    price: NDArray[np.float64]
    bound_price: NDArray[np.float64]
    usage: NDArray[np.float64]
    overflow: NDArray[np.float64]
    kept: NDArray[np.int64]
    answers: Answers
    certificate: Certificate
    trace: Trace


def solve(
    woods: Forest,
    parts: Parts,
    capacity: Capacity,
    params: SolveParams | None = None,
    guess: NDArray[np.float64] | None = None,
    engine: Engine | None = None,
) -> Plan:
    """Certified integer plan for all items of the parts; ``guess``: a night's bound_price."""
    params = params or SolveParams()
    engine = engine or Threads(parts, params.threads)
    trace = Trace()
    kept = capacity.essential()
    rows = capacity.take(kept)
    sizes = engine.each(lambda part, items: potential(woods, items))
    sample = draw(parts, sizes, params)
    start = np.clip(0.0 if guess is None else guess[kept], 0.0, rows.overflow_usd)
    iterations = params.sample_iterations if guess is None else params.warm_iterations
    price, sweeps = first_prices(woods, sample, rows, start, iterations)
    trace.sweeps += sweeps * len(sample.items) / sum(len(size) for size in sizes)
    trace.close("prices")
    blocks = cut(woods, parts, sizes, params.blocks, params.heavy_items)
    found = answers(blocks, engine, rows, price, params, trace)
    overflow = np.zeros(len(capacity))
    overflow[kept] = found.mix.overflow
    best = None
    for attempt in range(params.attempts):
        position = integer_plan(blocks, parts, engine, rows, found, params, attempt)
        trace.close("recovery")
        usage, paid, proof = audit(woods, engine, capacity, position, overflow, found.lower)
        trace.add("integer plan", found.lower, proof.upper, proof.violation)
        trace.close("certificate")
        rank = (proof.violation, proof.upper)
        if best is None or rank < best[0]:
            best = rank, position, usage, paid, proof
        if best[4].violation == 0 and best[4].gap <= params.enough_gap:
            break
    if best is None:
        raise ValueError("attempts must be at least one")
    _, position, usage, paid, proof = best
    price, bound_price = np.zeros(len(capacity)), np.zeros(len(capacity))
    price[kept], bound_price[kept] = found.mix.price, found.price
    return Plan(position, price, bound_price, usage, paid, kept, found, proof, trace)


def draw(parts: Parts, sizes: list[NDArray[np.float64]], params: SolveParams) -> Sample:
    """Stratified sample over all parts, loading one part after the other."""
    n_items = sum(len(size) for size in sizes)
    wanted = min(params.sample_items, max(n_items // 4, 2000))
    strata = stratified(np.concatenate(sizes), wanted, params.seed)
    order = np.sort(strata.rows)
    edges = np.concatenate([[0], np.cumsum([len(size) for size in sizes])])
    found = []
    for i, (first, last) in enumerate(pairwise(edges)):
        mine = order[(order >= first) & (order < last)]
        if len(mine):
            found.append(parts[i].take(mine - first))
    items = concatenate(found).take(np.searchsorted(order, strata.rows))
    return Sample(items, strata.bounds, strata.weight)


def answers(
    blocks: Blocks,
    engine: Engine,
    capacity: Capacity,
    price: NDArray[np.float64],
    params: SolveParams,
    trace: Trace,
) -> Answers:
    """Column generation until the mix of stored answers is close to the lower bound.

    A sweep at one price for all blocks gives a bound; while the bound is poor, prices are halfway
    between the best ones and the master's (in-out separation). Once it is good, every block gets
    its own perturbed prices, because answers at a single price stall short of the capacity.
    """
    rng = np.random.default_rng(params.seed + 1)
    empty = blocks.empty_cost(engine)
    unit = price.mean()  # free rows need some answers that spare them, too
    lower, best, centre, mixed = -np.inf, price, price, None
    prices, costs, usages = [], [], []
    spreads = iter(params.perturbations[2:])
    for sweep in range(params.most_sweeps):
        spread = 0.0
        if 1 <= sweep <= params.trusting_sweeps:
            spread = params.perturbations[0]
            if mixed is not None and mixed.value - lower <= params.fair_gap * abs(mixed.value):
                spread, centre = params.perturbations[1], mixed.price
        elif mixed is not None:
            is_fair = mixed.value - lower <= params.fair_gap * abs(mixed.value)
            spread = next(spreads, 0.0) if is_fair and sweep % 4 else 0.0
            centre = mixed.price if spread else (best + mixed.price) / 2.0
        noise = 1.0 + spread * rng.standard_normal((len(blocks), len(capacity)))
        lift = spread * unit * np.abs(rng.standard_normal(noise.shape))
        perturbed = np.clip(centre * noise + lift, 0.0, capacity.overflow_usd)
        on_items = capacity.on_items(perturbed)
        saved, used = blocks.sweep(engine, on_items)
        trace.sweeps += 1
        if not spread:
            bound = lower_bound(float((empty - saved).sum()), centre, capacity)
            lower, best = max((lower, best), (bound, centre), key=lambda pair: pair[0])
        prices.append(on_items)
        costs.append(empty - saved - (on_items * used).sum(axis=(1, 2, 3)))
        usages.append(capacity.usage(used))
        if sweep:
            mixed = mix(np.stack(costs, axis=1), np.stack(usages, axis=1), capacity)
        trace.add("perturbed sweep" if spread else "sweep", lower, mixed.value if mixed else np.nan)
        if mixed is not None and mixed.value - lower <= params.target_gap * abs(mixed.value):
            break
    if mixed is None:
        raise ValueError("most_sweeps must be at least two")
    stored = np.stack(costs, axis=1), np.stack(usages, axis=1)
    return Answers(np.stack(prices), *stored, mixed, lower, best)


def integer_plan(
    blocks: Blocks,
    parts: Parts,
    engine: Engine,
    capacity: Capacity,
    found: Answers,
    params: SolveParams,
    attempt: int = 0,
) -> list[NDArray[np.int32]]:
    """Positions of every part: each item takes a stored answer, then units are trimmed and added.

    Later attempts draw the answers of fractional blocks anew; with few items that matters.
    """
    woods = blocks.woods
    mixed, price = found.mix, found.on_items

    def work(part: int, items: ItemTables) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        return take(blocks, part, items, mixed.share, price, attempt)

    taken = engine.each(work)
    position = [mine for mine, _ in taken]
    n = len(blocks.heavy)
    drawn = [choose(mixed.share[b], 1, lottery(b, attempt))[0] for b in range(n)]
    share = np.array(drawn, np.int64) * len(blocks) + np.arange(n)
    flat = price.reshape(-1, *capacity.shape)
    heavy = positions(woods, blocks.heavy, 0, n, share, flat)
    heavy_used = evaluate(woods, blocks.heavy, heavy, capacity.shape[0])[1]
    usage = capacity.usage(heavy_used + sum(used for _, used in taken))
    repair(blocks, parts, position, heavy, capacity, usage, mixed, params)
    first = 0
    for part, rows in enumerate(blocks.heavy_at):
        position[part][rows] = heavy[first : first + len(rows)]
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
    attempt: int,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Positions of a part, each item at one of its block's stored prices, and what they use."""
    items = blocks.light(part, items)
    mine = blocks.of_part(part)
    bounds = blocks.bounds[part]
    position = np.empty((len(items), blocks.woods.n_nodes), np.int32)
    for b, first, last in zip(range(mine.start, mine.stop), bounds[:-1], bounds[1:], strict=True):
        choice = choose(share[b], int(last - first), lottery(b, attempt))
        position[first:last] = positions(
            blocks.woods, items, int(first), int(last), choice, price[:, b]
        )
    return position, evaluate(blocks.woods, items, position, price.shape[2])[1]


def repair(
    blocks: Blocks,
    parts: Parts,
    position: list[NDArray[np.int32]],
    heavy: NDArray[np.int32],
    capacity: Capacity,
    usage: NDArray[np.float64],
    mixed: Mix,
    params: SolveParams,
) -> None:
    """Trim and fill in place the heavy items and the first parts, until nothing is violated."""
    pool: list[ItemTables] = []
    n = 0
    while n < params.pool_items and len(pool) < len(position):
        pool.append(blocks.light(len(pool), parts[len(pool)]))
        n += len(pool[-1])
    items = concatenate([blocks.heavy, *pool])
    joined = np.concatenate([heavy, *position[: len(pool)]])
    limit = capacity.limit + mixed.overflow
    limit = limit - 1e-10 * np.abs(limit)  # sums in another order must not exceed it either
    usage = trim(blocks.woods, items, joined, capacity, usage, limit)
    fill(blocks.woods, items, joined, capacity, usage, limit, mixed.price)
    heavy[:] = joined[: len(heavy)]
    at = len(heavy)
    for i, part in enumerate(pool):
        position[i][:] = joined[at : at + len(part)]
        at += len(part)


def audit(
    woods: Forest,
    engine: Engine,
    capacity: Capacity,
    position: list[NDArray[np.int32]],
    overflow: NDArray[np.float64],
    lower: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Certificate]:
    """Row usage, paid overflow, and the certificate of the finished plan."""

    def work(part: int, items: ItemTables) -> tuple[float, NDArray[np.float64]]:
        cost, used = evaluate(woods, items, position[part], capacity.shape[0])
        return float(cost.sum()), used

    found = engine.each(work)
    usage = capacity.usage(sum((used for _, used in found), np.zeros(capacity.shape)))
    paid = np.minimum(overflow, np.maximum(usage - capacity.limit, 0.0))
    cost = sum(cost for cost, _ in found)
    return usage, paid, certify(lower, cost, usage, paid, capacity)
