"""A warm start does less work, certifies as much, and its shortcuts change no bytes of meaning."""

import numpy as np

from pipeline.core.ascent import Start
from pipeline.core.item import positions, sweep
from pipeline.core.shards import Threads, cut, views
from pipeline.core.size import potential
from pipeline.core.solve import SolveParams, solve
from tests.core.instances import random_items, storage_rows, woods


def tight(n: int, seed: int, parts: int = 3):
    items = random_items(n, seed)
    free = sweep(woods(), items, np.array([0, n]), np.zeros((1, 1, 2, 4)))[1][0, 0, 0]
    return items, views(items, parts), storage_rows(0.6 * free)


def test_warm_start_takes_fewer_sweeps_and_is_certified():
    _, parts, capacity = tight(6000, 1)
    cold = solve(woods(), parts, capacity)
    warm = solve(woods(), parts, capacity, guess=cold.start)
    assert warm.trace.sweeps < 0.6 * cold.trace.sweeps
    assert warm.certificate.gap < 1e-3
    assert warm.certificate.violation == 0.0


def test_warm_plan_does_not_depend_on_threads():
    _, parts, capacity = tight(3000, 2)
    start = solve(woods(), parts, capacity).start
    one, two = (
        solve(woods(), parts, capacity, guess=start, engine=Threads(parts, n)) for n in (1, 2)
    )
    assert all((a == b).all() for a, b in zip(one.position, two.position, strict=True))
    assert one.certificate == two.certificate


def test_held_positions_are_those_of_solving_again():
    items, parts, capacity = tight(500, 3)
    sizes = [potential(woods(), part) for part in parts]
    blocks = cut(woods(), parts, sizes, 20, 5)
    on_items = capacity.on_items(np.full(4, 0.4))
    whole = blocks.sweep_whole(Threads(parts, 1), on_items, 0, keeps=True)
    again = positions(woods(), items, on_items)
    light = np.ones(500, bool)
    offset = 0
    for part, rows in zip(parts, blocks.heavy_at, strict=True):
        light[offset + rows] = False
        offset += len(part)
    assert (np.concatenate([part.position for part in whole.placed])[light] == again[light]).all()
    total, all_used = sweep(woods(), items, np.array([0, 500]), on_items[None])
    assert np.isclose(whole.swept.saved.sum(), total[0])
    assert np.allclose(whole.swept.used.sum(axis=0)[0, 0], all_used[0, 0, 0])


def test_start_that_is_far_off_still_ends_within_the_gap():
    _, parts, capacity = tight(4000, 4)
    cold = solve(woods(), parts, capacity)
    far = Start(3.0 * cold.start.price + 0.2, cold.start.curvature)
    warm = solve(woods(), parts, capacity, SolveParams(), guess=far)
    assert warm.certificate.gap < 1e-3
    assert warm.certificate.violation == 0.0
