"""The item kernel finds the optimum of the nested model, in integers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.item import ItemTables, answer, concatenate, positions, sweep
from pipeline.core.network import Forest, forest, laminar_tree
from pipeline.core.size import empty_cost
from tests.oracles.item_search import best_plan, plan_cost

THREE_TIERS = [frozenset({0}), frozenset({0, 1}), frozenset({2}), frozenset({0, 1, 2, 3})]
FLAT = [frozenset({j}) for j in range(4)]


def tables(steps: list[list[tuple[int, float]]], cost: np.ndarray, tree: int = 0) -> ItemTables:
    """One item; steps[s] lists (units, usd) of set s."""
    knots = [knot for group in steps for knot in group]
    return ItemTables(
        tree=np.array([tree], np.uint8),
        week=np.zeros(1, np.uint8),
        start=np.array([0, len(knots)]),
        count=np.array([[len(group) for group in steps]], np.uint8),
        knots=np.array(knots, np.float32).reshape(-1, 2),
        place_usd=cost[None, :].astype(np.float32),
        use=np.ones((1, 1), np.float32),
        gap_usd=np.full((1, len(steps)), 40.0, np.float32),
        turn=np.ones(1, np.float32),
        rise=np.zeros((1, len(cost)), np.float32),
    )


def solve(woods: Forest, items: ItemTables, price: np.ndarray) -> tuple[float, np.ndarray]:
    """Priced cost and position of the first item."""
    bounds = np.array([0, 1])
    saved, _ = sweep(woods, items, bounds, price[None, None, None, :])
    y = positions(woods, items, price[None, None, :])[0]
    return float(empty_cost(items, bounds)[0] - saved[0]), y


step_lists = st.lists(
    st.lists(st.tuples(st.integers(1, 2), st.integers(1, 40)), max_size=2).map(
        lambda group: sorted(group, key=lambda knot: -knot[1])
    ),
    min_size=5,
    max_size=5,
)
costs = st.lists(st.integers(0, 30), min_size=4, max_size=4)


@settings(max_examples=60, deadline=None)
@given(step_lists, costs, costs, st.sampled_from([THREE_TIERS, FLAT]))
def test_position_is_as_good_as_exhaustive_search(steps, cost, price, family):
    tree = laminar_tree(family, 4)
    steps = [group[:2] for group in steps[: tree.n_sets]]
    woods = forest([tree])
    cost, price = np.array(cost, float), np.array(price, float)
    value, y = solve(woods, tables(steps, cost), price)
    best, _ = best_plan(tree.members, steps, -(cost + price), most=4)
    assert np.isclose(value, best)
    assert np.isclose(plan_cost(tree.members, steps, -(cost + price), y), best)


def test_ineligible_node_gets_nothing():
    woods = forest([laminar_tree(THREE_TIERS, 4)])
    cost = np.array([np.inf, 1.0, np.inf, 2.0])
    _, y = solve(woods, tables([[(3, 9.0)]] * 4, cost), np.zeros(4))
    assert y[0] == y[2] == 0
    assert y.sum() > 0


def test_blocks_and_trees_are_solved_each_at_their_own_prices():
    woods = forest([laminar_tree(THREE_TIERS, 4), laminar_tree(FLAT, 4)])
    one = tables([[(2, 5.0)]] * 4 + [[]], np.ones(4), tree=0)
    two = tables([[(2, 5.0)]] * 5, np.ones(4), tree=1)
    both = concatenate([one, two])
    price = np.zeros((2, 1, 1, 4))
    price[1] += 0.5
    saved, used = sweep(woods, both, np.array([0, 1, 2]), price)
    for b, item in enumerate([one, two]):
        alone, use = sweep(woods, item, np.array([0, 1]), price[b : b + 1])
        assert saved[b] == alone[0]
        assert (used[b] == use[0]).all()
        y = answer(woods, both, b, b + 1, np.array([b]), price)[0][0]
        assert y.sum() == used[b].sum()
    swapped = both.take(np.array([1, 0]))
    again, _ = sweep(woods, swapped, np.array([0, 1, 2]), price[::-1])
    assert (again == saved[::-1]).all()
