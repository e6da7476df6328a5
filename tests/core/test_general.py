"""The general model certifies itself and agrees with an exact programme."""

import numpy as np
import pytest
from scipy.optimize import linprog

from pipeline.core import general
from pipeline.core.general import GeneralItem, recourse, solve_general


def overlapping(seed: int) -> GeneralItem:
    """Three nodes, four cells of which each is served by two neighbours."""
    rng = np.random.default_rng(seed)
    reward = np.full((3, 4), -np.inf)
    for cell in range(4):
        for j in {cell % 3, (cell + 1) % 3}:
            reward[j, cell] = rng.uniform(2, 8)
    return GeneralItem(reward, rng.poisson(1.2, (8, 4)).astype(float), rng.uniform(0.3, 1.5, 3))


def best_by_search(item: GeneralItem) -> float:
    """Best integer position up to 6 units a node, every one valued by the exact recourse."""
    grid = np.stack(np.meshgrid(*[np.arange(7)] * 3), axis=-1).reshape(-1, 3)
    return max(recourse(item, y).reward - item.place_usd @ y for y in grid)


def test_value_is_near_the_best_found_by_search_and_below_the_bound():
    item = overlapping(0)
    answer, best = solve_general(item, rounds=25), best_by_search(item)
    assert answer.value <= best + 1e-9 <= answer.bound + 1e-6
    assert answer.value >= 0.99 * best


@pytest.mark.parametrize("seed", range(4))
def test_bound_holds_even_after_few_iterations(seed):
    item = overlapping(seed)
    assert solve_general(item, rounds=1, length=5).bound >= solve_general(item).value


def test_recourse_is_the_transportation_problem():
    item = overlapping(1)
    y = np.array([3, 1, 4])
    total = 0.0
    for demand in item.demand:
        usd = np.where(np.isfinite(item.reward), item.reward, -1e6)
        supply = np.kron(np.eye(3), np.ones((1, 4)))
        asked = np.kron(np.ones((1, 3)), np.eye(4))
        limit = np.concatenate([y, demand])
        total -= linprog(-usd.ravel(), A_ub=np.vstack([supply, asked]), b_ub=limit).fun
    assert recourse(item, y).reward == pytest.approx(total / len(item.demand))


def test_worthless_item_is_not_held():
    item = overlapping(2)
    nothing = GeneralItem(item.reward, item.demand, np.full(3, 50.0))
    assert solve_general(nothing).position.sum() == 0


def test_an_item_that_sells_a_thousand_times_as_much_takes_few_more_moves(monkeypatch):
    small = overlapping(0)
    moves = []
    monkeypatch.setattr(general, "recourse", lambda *one: moves.append(1) or recourse(*one))
    found = solve_general(small, rounds=25)
    few = len(moves)
    huge = GeneralItem(small.reward, small.demand * 1000.0, small.place_usd)
    more = solve_general(huge, rounds=0, start=1000 * found.position + 400)
    assert len(moves) - few < 300  # unit by unit it would be more than a thousand
    assert more.value >= 1000.0 * found.value * 0.999
