"""The main path: from packed item tables and capacity rows to a certified integer plan.

sample -> first prices -> one sweep: lower bound -> sweeps at perturbed prices -> master
       -> every item takes a stored answer -> trim and fill -> certificate

In large worlds that sweep says what the sample misjudges, and prices are found on it once more, at
which nearly all fits. Then, as from last night's prices and their curvature (a warm start), the
sweep for the bound keeps its plans, and only some of the blocks are solved at other prices.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.core.ascent import Start, climb, newton_step, sample_dual
from pipeline.core.certificate import Certificate, PriceBound, certify
from pipeline.core.columns import MARGIN, Answers, Search, search, search_some
from pipeline.core.evaluate import evaluate
from pipeline.core.exact import ExactParams, exact_plan
from pipeline.core.horizon import relax_horizon
from pipeline.core.item import ItemTables, concatenate
from pipeline.core.network import Forest
from pipeline.core.one_way import tried_ways
from pipeline.core.prices import Capacity, Sample, stratified
from pipeline.core.programme import Relaxed, relax
from pipeline.core.rounded import whole_plan
from pipeline.core.rounding import Plans, integer_plan
from pipeline.core.serve import joined, serve
from pipeline.core.shards import Blocks, Engine, Parts, Threads, cut
from pipeline.core.size import potential
from pipeline.core.trace import Trace


@dataclass(frozen=True)
class SolveParams:
    """Parameters of the solver.

    coarse_items, sample_items: samples on which first prices are found, one after the other; the
    second has sample_root times the square root of all items at least; worse prices cost sweeps.
    climbs: evaluations of each, at most; warm_climbs: of the second, from last night's prices.
    enough_climb: promised gain, as a share of the cost, at which the climb ends.
    large: items, in samples, of a world where a sweep says what the sample misjudges: the first
        climb ends at enough_large, the one that knows it at enough_again.
    perturbed_items: items there, about, that a sweep solves at other prices; every most_share-th
        block at least.
    blocks: blocks of items that get their own perturbed prices; heavy_items: blocks of one item.
    target_gap: stop when the mix of answers is this close to the lower bound.
    most_sweeps: over all items; warm_share, warm_sweeps: from a warm start every warm_share-th
        block is perturbed, so often at most, before all are; warm_gap: the target_gap then.
    attempts: roundings tried until the plan is within enough_gap of the mix of answers.
    exact: of the search in small worlds.
    pool_items: items among which units are trimmed and filled; warm_pool_items: from a warm start.
    threads: threads of the sweeps. seed: of the sample and the perturbations.
    """

    coarse_items: int = 1_000
    sample_items: int = 5_000
    sample_root: float = 25.0
    climbs: int = 60
    warm_climbs: int = 4
    enough_climb: float = 2e-6
    large: int = 4
    enough_large: float = 1e-5
    enough_again: float = 2e-8
    perturbed_items: int = 40_000
    most_share: int = 12
    blocks: int = 200
    heavy_items: int = 100
    target_gap: float = 3e-4
    most_sweeps: int = 24
    warm_gap: float = 8e-4
    warm_share: int = 6
    warm_sweeps: int = 8
    attempts: int = 6
    enough_gap: float = 3e-4
    exact: ExactParams = field(default_factory=ExactParams)
    pool_items: int = 20_000
    warm_pool_items: int = 5_000
    threads: int = 1
    seed: int = 0

    def sampled(self, n_items: int) -> int:
        """Items of the second sample, about, of so many."""
        fine = max(self.sample_items, int(self.sample_root * n_items**0.5))
        return min(fine, max(n_items // 4, 2000))


@dataclass(frozen=True)
class Plan:
    """placed: per part, levels and what is served of them; price, usage, overflow: [rows]; start:
    where another
    night may begin; kept: the rows that no other implies, which the answers are about; relaxed: the
    optimum at prices, of the kept rows, where the world is small enough to find it, with or without
    answers; bound: what prices alone prove, which the certificate's may exceed by branch and
    bound."""

    placed: Plans
    price: NDArray[np.float64]
    start: Start
    usage: NDArray[np.float64]
    overflow: NDArray[np.float64]
    kept: NDArray[np.int64]
    answers: Answers | None
    relaxed: Relaxed | None
    certificate: Certificate
    bound: PriceBound
    trace: Trace

    @property
    def position(self) -> list[NDArray[np.int32]]:
        """Levels per part, [items, nodes] units."""
        return [part.position for part in self.placed]


def solve(
    woods: Forest,
    parts: Parts,
    capacity: Capacity,
    params: SolveParams | None = None,
    guess: Start | None = None,
    engine: Engine | None = None,
) -> Plan:
    """Certified integer plan for all items of the parts; ``guess``: another night's Plan.start."""
    params = params or SolveParams()
    engine = engine or Threads(parts, params.threads)
    trace = Trace()
    kept = capacity.essential()
    rows = capacity.take(kept)
    sizes = engine.each(lambda part, items: potential(woods, items))
    known = _known(guess, kept, rows)
    start, sample = first_prices(woods, parts, sizes, rows, params, known, trace)
    trace.close("prices")
    cells = sum(map(len, sizes)) * woods.n_nodes / capacity.shape[0]
    is_small = sum(map(len, sizes)) <= params.exact.items * capacity.shape[0]
    is_small &= cells * woods.n_nodes <= params.exact.moves
    is_flow_small = is_small and cells <= params.exact.flow_cells
    if is_flow_small and (rows.is_on_flows & (start.price > 0)).any():
        return _over_horizon(woods, parts, engine, capacity, kept, start, params, trace)
    blocks = cut(woods, parts, sizes, params.blocks, params.heavy_items)
    found = _answers(blocks, engine, rows, start, sample, params, guess is not None, trace)
    is_flowing = bool((rows.is_on_flows & (found.mix.price > 0)).any())
    if is_flow_small and is_flowing:
        return _over_horizon(woods, parts, engine, capacity, kept, start, params, trace)
    overflow = np.full(len(capacity), np.inf)  # what an exceeded row implied is paid for, too
    overflow[kept] = found.mix.overflow
    pool = params.pool_items if guess is None else params.warm_pool_items
    best: Finished | None = None
    for attempt in range(params.attempts):
        plans = integer_plan(blocks, parts, engine, rows, found, pool, attempt)
        trace.close("recovery")
        done = finish(woods, engine, capacity, plans, overflow, found.lower, trace)
        best = done if best is None or done.rank < best.rank else best
        missed = best.proof.upper - max(found.mix.value, best.proof.lower)
        if best.proof.violation == 0 and missed <= params.enough_gap * abs(best.proof.upper):
            break
    if best is None:
        raise ValueError("attempts must be at least one")
    if is_small and is_flowing and best.proof.gap > params.exact.poor_gap:
        whole = _over_horizon(woods, parts, engine, capacity, kept, start, params, trace)
        if (whole.certificate.violation, whole.certificate.upper) < best.rank:
            return whole
    relaxed: Relaxed | None = None
    levels = np.setdiff1d(kept, np.flatnonzero(capacity.is_on_flows))
    if is_small and len(levels) and not is_flowing:
        exact, bound = _exactly(woods, parts, engine, capacity, levels, best, params, trace)
        if exact.rank <= best.rank:  # no flow has become too much
            best, relaxed, kept = exact, bound, levels
    price, bound_price = np.zeros(len(capacity)), np.zeros(len(capacity))
    price[kept] = relaxed.price if relaxed else found.mix.price
    bound_price[kept] = relaxed.price if relaxed else found.price
    again = Start(bound_price, start.curvature)
    toll: NDArray[np.float64] | None = None
    if not relaxed and (rows.is_on_flows & (found.price > 0)).any():
        toll = np.concatenate(found.toll)
    return Plan(
        best.placed, price, again, best.usage, best.overflow, kept, found, relaxed, best.proof,
        PriceBound(relaxed.lower if relaxed else found.lower, bound_price, toll), trace,
    )  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """An integer plan by part, row usage, paid overflow [rows], and its certificate."""

    placed: Plans
    usage: NDArray[np.float64]
    overflow: NDArray[np.float64]
    proof: Certificate

    @property
    def rank(self) -> tuple[float, float]:
        """Less is better."""
        return self.proof.violation, self.proof.upper


def finish(
    woods: Forest,
    engine: Engine,
    capacity: Capacity,
    placed: Plans,
    overflow: NDArray[np.float64],
    lower: float,
    trace: Trace,
) -> Finished:
    """The plan with its certificate; overflow: [rows] what it may pay for at most."""
    usage, paid, proof = audit(woods, engine, capacity, placed, overflow, lower)
    trace.add("integer plan", lower, proof.upper, proof.violation)
    trace.close("certificate")
    return Finished(placed, usage, paid, proof)


def _over_horizon(
    woods: Forest,
    parts: Parts,
    engine: Engine,
    capacity: Capacity,
    kept: NDArray[np.int64],
    start: Start,
    params: SolveParams,
    trace: Trace,
) -> Plan:
    """The plan of a small world in which flows bind, from the programme of all weeks."""
    tables = [parts[i] for i in range(len(parts))]
    items, rows = concatenate(tables), capacity.take(kept)
    found = relax_horizon(woods, items, rows)
    lower = found.relaxed.lower
    trace.add("horizon", lower)
    trace.close("prices")
    edges = np.cumsum([0] + [len(part) for part in tables])
    needed = np.full(len(capacity), np.inf)
    needed[kept] = np.where(found.relaxed.overflow > 0, np.inf, 0.0)
    exact, tried = params.exact, []
    is_few = len(items) * woods.n_nodes <= exact.few_cells * capacity.shape[0]
    nodes = exact.few_whole_nodes if is_few else exact.whole_nodes
    for entered in tried_ways(woods, items, rows, found, exact.waiting_shares, params.seed):
        placed = whole_plan(woods, items, rows, found, entered, exact.whole_gap, nodes)
        whole = [placed.take(slice(int(a), int(b))) for a, b in pairwise(edges)]
        trace.close("recovery")
        tried.append(finish(woods, engine, capacity, whole, needed, lower, trace))
        if tried[-1].proof.violation == 0 and tried[-1].proof.gap <= exact.fair_gap:
            break
    best = min(tried, key=lambda done: done.rank)
    price = np.zeros(len(capacity))
    price[kept] = found.relaxed.price
    again = Start(price, start.curvature)
    return Plan(
        best.placed, price, again, best.usage, best.overflow, kept, None, found.relaxed,
        best.proof, PriceBound(lower, price, found.toll), trace,
    )  # fmt: skip


def _exactly(
    woods: Forest,
    parts: Parts,
    engine: Engine,
    capacity: Capacity,
    kept: NDArray[np.int64],
    best: Finished,
    params: SolveParams,
    trace: Trace,
) -> tuple[Finished, Relaxed]:
    """The plan, or what a search of the small world makes of it, with the better bound."""
    tables = [parts[i] for i in range(len(parts))]
    items, rows = concatenate(tables), capacity.take(kept)
    relaxed = relax(woods, items, rows)
    placed, lower = joined(best.placed), max(best.proof.lower, relaxed.lower)
    if best.proof.violation > 0 or best.proof.upper - lower > params.exact.gap * best.proof.upper:
        found = exact_plan(woods, items, rows, relaxed, placed.position, params.exact, params.seed)
        placed = serve(woods, items, found.position, np.zeros(capacity.shape))
        lower = max(lower, found.lower)
    trace.close("recovery")
    edges = np.cumsum([0] + [len(part) for part in tables])
    whole = [placed.take(slice(int(a), int(b))) for a, b in pairwise(edges)]
    needed = np.full(len(capacity), np.inf)
    needed[kept] = np.where(relaxed.overflow > 0, np.inf, 0.0)
    return finish(woods, engine, capacity, whole, needed, lower, trace), relaxed


def _known(guess: Start | None, kept: NDArray[np.int64], rows: Capacity) -> Start | None:
    """The guess in terms of the rows that are kept."""
    if guess is None:
        return None
    return Start(np.clip(guess.price[kept], 0.0, rows.overflow_usd), guess.curvature)


def first_prices(
    woods: Forest,
    parts: Parts,
    sizes: list[NDArray[np.float64]],
    capacity: Capacity,
    params: SolveParams,
    start: Start | None,
    trace: Trace,
) -> tuple[Start, Sample]:
    """Prices that maximize the dual of a sample, from those of a smaller one or of last night; and
    the sample."""
    n_items = sum(len(size) for size in sizes)
    fine, enough = params.sampled(n_items), params.enough_climb
    if start is None and n_items > params.large * fine:
        enough = params.enough_large
    stages = [(fine, params.climbs if start is None else params.warm_climbs)]
    if start is None and n_items > 4 * params.coarse_items:
        stages.insert(0, (params.coarse_items, params.climbs))
    for wanted, climbs in stages:
        sample = draw(parts, sizes, min(wanted, fine), params.seed)
        dual = sample_dual(woods, sample, capacity)
        start, evaluations = climb(dual, capacity, start, climbs, enough)
        trace.sweeps += evaluations * len(sample.items) / n_items
    if start is None:
        raise ValueError("climbs must be at least one")
    return start, sample


def draw(parts: Parts, sizes: list[NDArray[np.float64]], wanted: int, seed: int) -> Sample:
    """Stratified sample over all parts, loading one part after the other."""
    strata = stratified(np.concatenate(sizes), wanted, seed)
    order = np.sort(strata.rows)
    edges = np.concatenate([[0], np.cumsum([len(size) for size in sizes])])
    found = []
    for i, (first, last) in enumerate(pairwise(edges)):
        mine = order[(order >= first) & (order < last)]
        if len(mine):
            found.append(parts[i].take(mine - first))
    items = concatenate(found).take(np.searchsorted(order, strata.rows))
    return Sample(items, strata.bounds, strata.weight)


def _answers(
    blocks: Blocks,
    engine: Engine,
    capacity: Capacity,
    start: Start,
    sample: Sample,
    params: SolveParams,
    is_warm: bool,
    trace: Trace,
) -> Answers:
    """The blocks' answers; from a warm start and in large worlds with the plans of most blocks."""
    found = Search(blocks, engine, capacity, trace, params.seed)
    items = int(sum(bounds[-1] for bounds in blocks.bounds))
    share, target, most = params.warm_share, params.warm_gap, params.warm_sweeps
    used = found.bound(start.price, keeps=is_warm)
    if not is_warm and items > params.large * params.sampled(items):
        start = _corrected(blocks.woods, sample, capacity, start, used, items, params, trace)
        used = found.bound(start.price, keeps=True)
        share = min(max(items // params.perturbed_items, 1), params.most_share)
        target = params.target_gap
    if found.keeps:
        search_some(found, start, used, target, share, most)
        if found.gap <= target:
            return found.answers()
    centre, _ = newton_step(capacity, start.curvature, start.price, MARGIN * used)
    return search(found, start, centre, params.target_gap, params.most_sweeps)


def _corrected(
    woods: Forest,
    sample: Sample,
    capacity: Capacity,
    start: Start,
    used: NDArray[np.float64],
    items: int,
    params: SolveParams,
    trace: Trace,
) -> Start:
    """Prices of a sample that is told what it misjudges: at start.price all items, so many, use
    ``used``."""
    missing = used - sample_dual(woods, sample, capacity)(start.price).used
    dual = sample_dual(woods, sample, capacity, missing)
    better, evaluations = climb(dual, capacity, start, params.climbs, params.enough_again)
    trace.sweeps += evaluations * len(sample.items) / items
    trace.close("prices")
    return better


def audit(
    woods: Forest,
    engine: Engine,
    capacity: Capacity,
    placed: Plans,
    overflow: NDArray[np.float64],
    lower: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Certificate]:
    """Row usage, paid overflow, and the certificate of the finished plan."""

    def work(part: int, items: ItemTables) -> tuple[float, NDArray[np.float64]]:
        cost, used = evaluate(woods, items, placed[part], capacity.shape[0])
        return float(cost.sum()), used

    found = engine.each(work)
    usage = capacity.usage(sum((used for _, used in found), np.zeros(capacity.shape)))
    paid = np.minimum(overflow, np.maximum(usage - capacity.limit, 0.0))
    cost = sum(cost for cost, _ in found)
    return usage, paid, certify(lower, cost, usage, paid, capacity)
