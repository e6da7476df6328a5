"""Weeks with rows on what flows: bounded by, and near, the programme of the whole horizon."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.evaluate import evaluate
from pipeline.core.exact import ExactParams
from pipeline.core.flow import ENTERING, HELD
from pipeline.core.horizon import horizon_slopes, relax_horizon
from pipeline.core.item import ItemTables, concatenate, sweep
from pipeline.core.network import Forest, forest, laminar_tree
from pipeline.core.prices import Capacity
from pipeline.core.rounded import entries, whole_plan
from pipeline.core.serve import Placed, serve
from pipeline.core.size import empty_cost
from pipeline.core.solve import SolveParams, solve
from tests.core.instances import FAMILY
from tests.oracles.weeks_lp import exact_cost

WEEKS = 3


def network() -> Forest:
    """Site 0 fed by 1, which is fed by 3; site 2 fed by 3, where vendors deliver."""
    return forest([laminar_tree(FAMILY, 4)], np.array([1, 3, 3, -1]))


def ahead(n: int, seed: int) -> ItemTables:
    """Items in every week, with levels that rise in the second; demand of a set holds that of the
    sets within it."""
    rng = np.random.default_rng(seed)
    tree, gap = network().trees[0], np.array([1.0, 2.0, 1.5, 9.0])
    knots, count = [], []
    for _ in range(n):
        own = rng.poisson(rng.lognormal(0.3, 0.7, 4), (40, 4))
        for s in range(4):
            asked = own[:, [i for i in range(4) if s in tree.path(i)]].sum(axis=1)
            chance = [(asked >= unit).mean() for unit in range(1, asked.max() + 1)]
            knots += [(1.0, gap[s] * share) for share in chance]
            count.append(len(chance))
    start = np.concatenate([[0], np.cumsum(np.reshape(count, (n, 4)).sum(axis=1))])
    rise = np.where(np.arange(WEEKS) == 1, 0.3, 0.0)
    use = np.column_stack([rng.uniform(0.2, 3.0, n), np.ones((n, 2))]).astype(np.float32)
    place = rng.uniform(0.1, 0.3, (n, 4)).astype(np.float32)
    return concatenate([
        ItemTables(
            np.zeros(n, np.uint8), np.full(n, t, np.uint8), start,
            np.reshape(count, (n, 4)).astype(np.uint8), np.array(knots, np.float32), place, use,
            np.tile(gap, (n, 1)).astype(np.float32), np.ones(n, np.float32),
            np.full((n, 4), rise[t], np.float32),
        )
        for t in range(WEEKS)
    ])  # fmt: skip


def rows(cells: dict[tuple[int, int, int], float], overflow_usd: float = 8.0) -> Capacity:
    """A row for each (week, kind, node) with its limit."""
    shape = (WEEKS, 3, 4)
    columns = [int(np.ravel_multi_index(cell, shape)) for cell in cells]
    matrix = csr_matrix(
        (np.ones(len(cells)), (np.arange(len(cells)), columns)), (len(cells), int(np.prod(shape)))
    )
    return Capacity(
        matrix, shape, np.array(list(cells.values())), np.full(len(cells), overflow_usd)
    )


def free_use(woods: Forest, items: ItemTables) -> np.ndarray:
    everything = np.array([0, len(items)])
    return sweep(woods, items, everything, np.zeros((1, WEEKS, 3, 4)))[1][0]


CASES = {
    "a dock at the top": lambda use: {
        (t, ENTERING, 3): 0.7 * use[t, ENTERING, 3] for t in range(WEEKS)
    },
    "a dock that closes": lambda use: {(1, ENTERING, 1): 0.0},
    "a short dock, a full node": lambda use: {
        (1, ENTERING, 3): 0.5 * use[1, ENTERING, 3], (0, HELD, 3): 0.9 * use[0, HELD, 3],
        (1, ENTERING, 2): 0.6 * use[1, ENTERING, 2],
    },
    "everything short": lambda use: {
        (t, kind, j): 0.7 * use[t, kind, j]
        for t in range(WEEKS) for kind in (HELD, ENTERING) for j in range(4)
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bound_and_plan_hold_the_programmes_optimum_between_them(case):
    woods, items = network(), ahead(40, 1)
    capacity = rows(CASES[case](free_use(woods, items)))
    exact, _ = exact_cost(woods, items, capacity)
    plan = solve(woods, [items], capacity, SolveParams())
    assert plan.certificate.violation == 0.0
    assert plan.certificate.lower <= exact * (1 + 1e-6)
    assert plan.certificate.lower >= exact * (1 - 1e-5)
    assert plan.certificate.upper >= exact * (1 - 1e-6)
    assert plan.certificate.upper <= exact * 1.006  # whole units in a world of 40 items


@pytest.mark.parametrize(("seed", "most"), [(1, 1e-3), (3, 3e-3)])
def test_ways_are_chosen_so_that_docks_fill_where_the_programme_splits_what_comes_in(seed, most):
    woods, items = network(), ahead(20, seed)
    use = free_use(woods, items)
    part = {(1, 3): 0.5, (2, 3): 0.7, (1, 1): 0.5, (2, 2): 0.5}
    capacity = rows(
        {(t, ENTERING, j): share * use[t, ENTERING, j] for (t, j), share in part.items()}
    )
    found = relax_horizon(woods, items, capacity)
    assert ((found.waiting[:, :-1] > 1e-3) & (found.entering[:, 1:] > 1e-3)).any()
    plan = solve(woods, [items], capacity, SolveParams())
    assert plan.certificate.violation == 0.0
    assert plan.certificate.gap <= most
    by_share = [
        whole_plan(woods, items, capacity, found, entries(woods, items, found, share), 5e-4, 1)
        for share in ExactParams.waiting_shares
    ]
    cost = [evaluate(woods, items, placed, WEEKS)[0].sum() for placed in by_share]
    assert plan.certificate.upper < min(cost) - 2e-3 * found.relaxed.lower


def test_any_prices_of_flows_bound_the_programme_from_below():
    woods, items = network(), ahead(8, 2)
    capacity = rows(CASES["a short dock, a full node"](free_use(woods, items)))
    exact, _ = exact_cost(woods, items, capacity)
    everything = np.array([0, len(items)])
    for price in np.random.default_rng(0).uniform(0.0, 3.0, (10, len(capacity))):
        saved, _ = sweep(woods, items, everything, capacity.on_items(price)[None])
        least = float((empty_cost(items, everything) - saved)[0])
        assert least - price @ capacity.limit <= exact + 1e-6


def test_what_items_use_is_the_slope_of_their_optimum_in_the_prices():
    woods, items = network(), ahead(30, 3)
    everything = np.array([0, len(items)])
    price = np.random.default_rng(1).uniform(0.1, 0.4, (1, WEEKS, 3, 4))
    saved, used = sweep(woods, items, everything, price)
    for cell in [(0, ENTERING, 3), (1, ENTERING, 1), (1, HELD, 3), (2, 1, 3)]:
        more = price.copy()
        more[(0, *cell)] += 1e-7
        slope = (saved[0] - sweep(woods, items, everything, more)[0][0]) / 1e-7
        assert slope == pytest.approx(used[(0, *cell)], rel=1e-3, abs=1e-3)


def test_a_closed_dock_is_built_ahead_of_and_leaves_the_week_before_no_less():
    woods, items = network(), ahead(40, 4)
    free = free_use(woods, items)
    capacity = rows({(2, ENTERING, 3): 0.0})
    plan = solve(woods, [items], capacity, SolveParams())
    placed = plan.placed[0]
    last = slice(80, 120)
    early = placed.entered[last, :, :].min(axis=2) < 2
    assert (placed.served[last][early] > 0).any()
    used = evaluate(woods, items, placed, WEEKS)[1]
    assert used[2, ENTERING, 3] <= 1e-9
    assert used[:2, ENTERING, 3].sum() > free[:2, ENTERING, 3].sum()
    tonight = solve(woods, [items], rows({(2, ENTERING, 3): 1e6}), SolveParams()).position[0][:40]
    assert (placed.position[:40] == tonight).all()


def test_evaluator_books_what_waits_to_the_weeks_that_it_waits_in():
    """One item, one unit served from site 0 in week 2, in at 3 in week 0, at 1 and 0 in week 1."""
    woods = network()
    one = ahead(1, 5).take(np.array([2]))
    position = np.array([[1, 0, 0, 0]], np.int32)
    entered = np.zeros((1, 4, 3), np.uint8)
    entered[0, 0] = 1, 1, 0
    cost, used = evaluate(woods, one, Placed(position, position.astype(float), entered), WEEKS)
    cube, place = float(one.use[0, 0]), one.place_usd[0].astype(float)
    assert used[0, ENTERING, 3] == used[1, ENTERING, 1] == used[1, ENTERING, 0] == 1.0
    assert used[0, 1, 3] == 0.0
    assert used[1, 1, 3] == used[1, 1, 1] == used[2, 1, 0] == 1.0
    assert used[0, HELD, 3] == pytest.approx(cube)  # waits at 3 in week 0, at 0 in week 1
    assert used[1, HELD, 0] == used[2, HELD, 0] == pytest.approx(cube)
    early = Placed(position, position.astype(float), np.full((1, 4, 3), 2, np.uint8))
    wait = cost[0] - evaluate(woods, one, early, WEEKS)[0][0]
    assert wait == pytest.approx(float(one.turn[0]) * (place[3] + place[0]))


def test_what_is_not_served_is_paid_for_as_short():
    woods, items = network(), ahead(6, 6)
    free = np.zeros((WEEKS, 3, 4))
    placed = serve(woods, items, np.full((18, 4), 3, np.int32), free)
    none = Placed(placed.position, np.zeros_like(placed.served), placed.entered)
    holding = (items.place_usd * placed.position).sum(axis=1)
    asked = empty_cost(items, np.arange(19))
    assert evaluate(woods, items, none, WEEKS)[0] == pytest.approx(asked + holding, rel=1e-6)
    assert (evaluate(woods, items, placed, WEEKS)[0] < asked + holding).any()


def test_tolls_of_any_size_bound_the_programme_and_its_own_ones_reach_it():
    woods, items = network(), ahead(12, 7)
    capacity = rows(CASES["everything short"](free_use(woods, items)))
    exact, _ = exact_cost(woods, items, capacity)
    found = relax_horizon(woods, items, capacity)
    everything = np.array([0, len(items)])
    price = capacity.on_items(found.relaxed.price)[None]
    rng = np.random.default_rng(2)

    def bound(toll: np.ndarray | None) -> float:
        saved, _ = sweep(woods, items, everything, price, toll=toll)
        least = float((empty_cost(items, everything) - saved)[0])
        return least - float(found.relaxed.price @ capacity.limit)

    assert bound(found.toll) == pytest.approx(exact, rel=1e-5)
    assert bound(None) < exact * (1 - 1e-4)
    for most in (0.01, 0.3, 3.0):
        assert bound(rng.uniform(0.0, most, found.toll.shape)) <= exact * (1 + 1e-6)


def test_slopes_of_a_small_world_are_what_a_rerun_finds_on_both_sides():
    woods, items = network(), ahead(12, 8)
    cells = CASES["a short dock, a full node"](free_use(woods, items))
    capacity = rows(cells)
    value, _ = exact_cost(woods, items, capacity)
    price = relax_horizon(woods, items, capacity).relaxed.price
    left, right = horizon_slopes(woods, items, capacity, price)
    for row, (cell, limit) in enumerate(cells.items()):
        step = 1e-5 * limit
        less = exact_cost(woods, items, rows({**cells, cell: limit - step}))[0] - value
        more = value - exact_cost(woods, items, rows({**cells, cell: limit + step}))[0]
        assert left[row] == pytest.approx(less / step, rel=0.01, abs=0.01)
        assert right[row] == pytest.approx(more / step, rel=0.01, abs=0.01)
        assert left[row] >= price[row] >= right[row] >= 0.0


def test_where_the_value_has_a_kink_the_slopes_are_those_of_its_two_sides():
    woods, items = network(), ahead(12, 8)
    cell = (1, ENTERING, 3)
    use = free_use(woods, items)[cell]

    def at(limit: float) -> tuple[float, float]:
        capacity = rows({cell: limit})
        return exact_cost(woods, items, capacity)[0], float(
            relax_horizon(woods, items, capacity).relaxed.price[0]
        )

    low, high = 0.3 * use, 0.8 * use  # tangents meet between them, at last in a kink
    for _ in range(40):
        (below, steep), (above, flat) = at(low), at(high)
        kink = (below - above + steep * low - flat * high) / (steep - flat)
        value, price = at(kink)
        if value <= below - steep * (kink - low) + 1e-7:
            break
        low, high = (kink, high) if price > 0.5 * (steep + flat) else (low, kink)
    capacity = rows({cell: kink})
    assert steep > flat * 1.01
    for dual in (steep, flat):  # whichever of its dual values the solver gave
        left, right = horizon_slopes(woods, items, capacity, np.array([dual]))
        assert left[0] == pytest.approx(steep, rel=1e-3)
        assert right[0] == pytest.approx(flat, rel=1e-3)
