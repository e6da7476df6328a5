"""The nested item problem by exhaustive search, straight from its definition."""

from itertools import product

import numpy as np


def shortage(knots: list[tuple[float, float]], units: float) -> float:
    """Cost left of a step list (units, usd a unit) after the first ``units`` are covered."""
    cost = 0.0
    for length, usd in knots:
        covered = min(length, units)
        units -= covered
        cost += (length - covered) * usd
    return cost


def plan_cost(
    members: np.ndarray, steps: list[list[tuple[float, float]]], worth: np.ndarray, y: np.ndarray
) -> float:
    """Priced cost of position y: worth[j] is minus the cost of a unit at node j."""
    cost = float(-(worth[y > 0] * y[y > 0]).sum())
    return cost + sum(shortage(steps[s], float(y[members[s]].sum())) for s in range(len(members)))


def best_plan(
    members: np.ndarray, steps: list[list[tuple[float, float]]], worth: np.ndarray, most: int
) -> tuple[float, np.ndarray]:
    """Cheapest y with 0 <= y_j <= most, by trying all."""
    tried = (np.array(y) for y in product(range(most + 1), repeat=members.shape[1]))
    costs = [(plan_cost(members, steps, worth, y), tuple(y)) for y in tried]
    cost, y = min(costs)
    return cost, np.array(y)
