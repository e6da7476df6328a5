"""Worlds much larger than the sample on which first prices are found."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.core import solve as solver
from pipeline.core.ascent import Start
from pipeline.core.columns import TOLL_STEPS, search_some
from pipeline.core.item import ItemTables, concatenate, sweep
from pipeline.core.planned import no_plans, plans_at, sweep_plans
from pipeline.core.prices import Capacity
from pipeline.core.rounding import repair
from pipeline.core.shards import Threads, cut, views
from pipeline.core.size import potential
from pipeline.core.solve import SolveParams, solve
from pipeline.core.trace import Trace
from tests.core.instances import random_items, storage_rows, woods
from tests.core.test_planned import prices
from tests.core.test_weeks import WEEKS, ahead, network

SMALL_SAMPLE = SolveParams(coarse_items=50, sample_items=200, sample_root=2.0, perturbed_items=500)


def tight(n: int, seed: int):
    items = random_items(n, seed)
    free = sweep(woods(), items, np.array([0, n]), np.zeros((1, 1, 2, 4)))[1][0, 0, 0]
    return items, storage_rows(0.6 * free)


def used_at(price: np.ndarray, items: ItemTables, capacity: Capacity) -> np.ndarray:
    """What all items use at prices [rows] of capacity, [cells]."""
    on_items = capacity.on_items(price)[None]
    return sweep(woods(), items, np.array([0, len(items)]), on_items)[1][0].ravel()


def off_capacity(price: np.ndarray, items: ItemTables, capacity: Capacity) -> float:
    """By what shares use at these prices differs from capacity, at the nodes below the network's
    own, which takes what no other does."""
    usage = capacity.rows @ used_at(price, items, capacity)
    return float(np.abs(usage / capacity.limit - 1.0)[:3].sum())


def test_prices_of_a_sample_that_is_told_what_it_misjudges_fit_all_items():
    params = SolveParams(coarse_items=50, sample_items=800, sample_root=2.0)
    first, then = 0.0, 0.0
    for seed in range(1, 5):
        items, capacity = tight(8000, seed)
        sizes = [potential(woods(), items)]
        start, sample = solver.first_prices(
            woods(), [items], sizes, capacity, params, None, Trace()
        )
        told = used_at(start.price, items, capacity)
        better = solver._corrected(woods(), sample, capacity, start, told, 8000, params, Trace())
        first += off_capacity(start.price, items, capacity)
        then += off_capacity(better.price, items, capacity)
    assert then < 0.4 * first


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_large_world_is_certified_with_most_of_its_items_at_one_price(seed):
    items, capacity = tight(4000, seed)
    plan = solve(woods(), views(items, 3), capacity, SMALL_SAMPLE)
    assert plan.certificate.violation == 0.0
    assert plan.certificate.gap < 1e-3
    assert plan.answers is not None
    held = (plan.answers.mix.share * plan.answers.is_held).sum(axis=1) > 1.0 - 1e-9
    assert held.any()
    for b in range(len(held)):
        same = plan.answers.is_held[b]
        assert (plan.answers.usage[b, same] == plan.answers.usage[b, same][0]).all()
        assert (plan.answers.cost[b, same] == plan.answers.cost[b, same][0]).all()
    threads = solve(woods(), views(items, 3), capacity, SMALL_SAMPLE, None,
                    Threads(views(items, 3), 2))  # fmt: skip
    assert all((a == b).all() for a, b in zip(plan.position, threads.position, strict=True))


def test_a_sweep_that_keeps_plans_and_tolls_finds_what_single_sweeps_do():
    forest, items, price = network(), ahead(40, 13), prices(5)
    parts = views(items, 2)
    blocks = cut(forest, parts, [potential(forest, part) for part in parts], 6, 5)
    whole = blocks.sweep_whole(Threads(parts, 1), price, TOLL_STEPS, keeps=True)
    n = len(items)
    bounds, every = np.array([0, n]), np.ones(1, bool)
    swept = sweep_plans(forest, items, bounds, price[None], every, TOLL_STEPS)
    assert whole.swept.saved.sum() == pytest.approx(swept.saved[0], rel=1e-12)
    assert whole.swept.most.sum() == pytest.approx(swept.most[0], rel=1e-12)
    toll = np.concatenate(whole.toll)
    assert (toll > 0.0).any()
    relaxed, _ = sweep(forest, items, bounds, price[None], toll=toll)
    assert relaxed[0] == pytest.approx(swept.most[0], rel=1e-9)
    again = plans_at(forest, items, 0, n, np.zeros(n, np.int64), price[None])
    edges = np.cumsum([0] + [len(part) for part in parts])
    for a, b, placed, heavy in zip(edges, edges[1:], whole.placed, blocks.heavy_at, strict=False):
        light = np.setdiff1d(np.arange(b - a), heavy)
        assert (placed.position[light] == again.position[a:b][light]).all()
        assert (placed.served[light] == again.served[a:b][light]).all()


def test_a_week_whose_items_come_last_is_trimmed_too():
    """All items of the first week, then all of the last one, whose storage alone is exceeded."""
    forest = network()
    items = ahead(60, 3)
    items = concatenate([items.take(np.flatnonzero(items.week == t)) for t in range(WEEKS)])
    blocks = cut(forest, [items], [potential(forest, items)], 4, 0)
    n, shape = len(items), (WEEKS, 3, 4)
    choice, free = np.zeros(n, np.int64), np.zeros((1, *shape))
    placed = plans_at(forest, items, 0, n, choice, free)
    used = sweep_plans(forest, items, np.array([0, n]), free, np.ones(1, bool), 0).used[0]
    cells = [np.ravel_multi_index((WEEKS - 1, 0, j), shape) for j in range(4)]
    rows = csr_matrix((np.ones(4), (np.arange(4), cells)), shape=(4, int(np.prod(shape))))
    limit = 0.95 * (rows @ used.ravel())
    capacity = Capacity(rows, shape, limit, np.full(4, 100.0))
    assert (capacity.usage(used) > limit).any()
    plans = [placed]
    heavy = no_plans(forest, 0)
    # What repair reads of the answers: prices, and no overflow that is paid for.
    found = SimpleNamespace(mix=SimpleNamespace(overflow=np.zeros(4), price=np.zeros(4)))
    repair(blocks, [items], plans, heavy, capacity, capacity.usage(used), found, n // 3)
    held = np.zeros(shape)
    for k in range(n):
        held[items.week[k], 0] += items.use[k, 0] * plans[0].position[k]
    assert (capacity.usage(held) <= limit).all()


def test_the_search_goes_on_while_its_mix_overflows():
    """As long as answers still to come might spare the overflow, though the gap is small."""

    class Overflowing:
        """A search within its gap whose mix overflows until the third sweep of some blocks."""

        gap, mixed, sweeps = 0.0, SimpleNamespace(price=np.ones(1)), 0

        @property
        def overflows(self) -> bool:
            return self.sweeps < 3

        def perturb(self, *_: object) -> None:
            self.sweeps += 1

    class Blocks(list):
        heavy = ()

    start = Start(np.ones(1), np.eye(1))
    for most, sweeps in ((8, 3), (2, 2)):
        found = Overflowing()
        found.blocks = Blocks(range(12))
        search_some(found, start, np.zeros(1), 1e-3, 6, most)
        assert found.sweeps == sweeps
