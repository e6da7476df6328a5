"""Transfers where capacity rows bind: whole plans of items, of which one each is chosen.

At prices of the rows, items come apart (core.allocation), so every price gives each item a plan.
The best mix of the plans seen so far (a linear programme: one plan an item, no row above its room)
tells the next prices, and no mix of whatever plans is better than these once no new plan pays
(Dantzig and Wolfe, 1960). Whole plans are then chosen by branch and bound among those seen, a
bounded number of nodes. Plans at prices are those of a concave hull; what they leave of the room
is filled by single lots (core.lot_moves).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix, vstack

from pipeline.core.arithmetic import product

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Planner = Callable[[Floats], Ints]
"""Units [items, lanes] of every item's best plan at prices [rows]."""
Worth = Callable[[Ints], Floats]
"""Usd [items] of plans [items, lanes] against moving nothing."""

_ROUNDS, _PERTURBED = 10, 24
_FEW, _MANY = 2_000, 10_000
"""Items times lanes from which on no prices are perturbed, and from which on less is searched:
among many, the few items that take no whole share of their plans are no matter."""
_MANY_ROUNDS = 4
_ENOUGH = 1e-4
_NODES, _MANY_NODES = 2_000, 20


class Plans:
    """Plans seen of all items, each once; worth and use of rows [rows] with each."""

    def __init__(self, worth: Worth, weight: Floats, row_of: NDArray[np.bool_]) -> None:
        """weight: [rows, items] what a unit uses; row_of: [rows, lanes] lanes that a row counts."""
        self._worth, self._weight, self._row_of = worth, weight, row_of.astype(float)
        self._seen: set[tuple[int, bytes]] = set()
        self.item: list[int] = []
        self.units: list[Ints] = []
        self.usd: list[float] = []
        self.use: list[Floats] = []

    def add(self, moved: Ints) -> None:
        """The plans [items, lanes] of all items."""
        usd = self._worth(moved)
        use = self._weight * product(self._row_of, moved.T.astype(float))
        for k, row in enumerate(moved):
            key = (k, row.tobytes())
            if key not in self._seen:
                self._seen.add(key)
                self.item.append(k)
                self.units.append(row.copy())
                self.usd.append(float(usd[k]))
                self.use.append(use[:, k])

    def programme(self, items: int) -> tuple[Floats, csr_matrix]:
        """Cost of every plan and its column: use of the rows, and one plan an item."""
        count = len(self.item)
        owner = csr_matrix((np.ones(count), (self.item, np.arange(count))), (items, count))
        return -np.array(self.usd), vstack([csr_matrix(np.array(self.use).T), owner]).tocsr()


def chosen_plans(
    start: Ints, planner: Planner, worth: Worth, weight: Floats, row_of: NDArray[np.bool_],
    room: Floats, price: Floats,
) -> tuple[Ints, Floats]:  # fmt: skip
    """Units [items, lanes] of one plan an item, worth no less than the plan `start`, and prices
    [rows] of the best mix of plans; price: where the search for them begins."""
    items, rows = len(start), len(room)
    plans = Plans(worth, weight, row_of)
    plans.add(np.zeros_like(start))
    plans.add(start)
    plans.add(planner(np.zeros(rows)))
    rng = np.random.default_rng(0)
    bound = np.inf
    for _ in range(_ROUNDS if start.size <= _MANY else _MANY_ROUNDS):
        new = planner(price)
        plans.add(new)
        use = weight * product(row_of.astype(float), new.T.astype(float))
        earned = np.maximum(worth(new) - product(use.T, price), 0.0).sum()
        bound = min(bound, float(earned + (price * np.maximum(room, 0.0)).sum()))
        best, price = _mixed(plans, items, room)
        if bound - best <= _ENOUGH * max(best, 1e-9):
            break
    if start.size <= _FEW:
        for _ in range(_PERTURBED):
            plans.add(planner(price * np.exp(rng.normal(0.0, 0.7, rows))))
    return _whole(plans, items, room, start), price


def _mixed(plans: Plans, items: int, room: Floats) -> tuple[float, Floats]:
    """Worth of the best mix of the plans seen, and prices of the rows."""
    cost, columns = plans.programme(items)
    limit = np.concatenate([np.maximum(room, 0.0), np.ones(items)])
    found = linprog(cost, A_ub=columns, b_ub=limit, bounds=(0.0, 1.0), method="highs")
    if found.x is None:
        raise ArithmeticError(f"mix of transfer plans: {found.message}")
    return float(-found.fun), np.maximum(-found.ineqlin.marginals[: len(room)], 0.0)


def _whole(plans: Plans, items: int, room: Floats, start: Ints) -> Ints:
    """One plan an item by branch and bound over those seen, or the start where that finds less."""
    cost, columns = plans.programme(items)
    limit = np.concatenate([np.maximum(room, 0.0), np.ones(items)])
    found = milp(
        cost, constraints=LinearConstraint(columns, -np.inf, limit),
        bounds=Bounds(0.0, 1.0), integrality=np.ones(len(cost)),
        options={
            "node_limit": _NODES if start.size <= _MANY else _MANY_NODES,
            "mip_rel_gap": 1e-4 if start.size <= _MANY else 1e-3,
        },
    )  # fmt: skip
    if found.x is None:
        return start
    moved = np.zeros_like(start)
    for at in np.flatnonzero(found.x > 0.5):
        moved[plans.item[at]] = plans.units[at]
    return moved
