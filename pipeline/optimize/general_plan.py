"""Levels of size classes whose node sets do not nest, by the general model.

The nested model finds first prices and the plan of all weeks. From there the dual of the real
problem is climbed, its items moving unit by unit to their best levels of tonight in the general
model; so they do at prices perturbed around the best ones. Every such item takes one of these
levels, chosen for all by a mixed-integer programme, and units that gain most fill what is left; all
else stays as the nested plan has it. The certificate is the general model's own: a lower bound from
dual prices of every item, and the plan valued by exact recourse. What flows through each node is
taken from the nested model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import dot, first_of_best
from pipeline.core.ascent import Point, Start, climb
from pipeline.core.certificate import PriceBound, certify, lower_bound
from pipeline.core.evaluate import evaluate
from pipeline.core.general import (
    GeneralItem,
    Recourse,
    climb_position,
    recourse,
    solve_general,
)
from pipeline.core.item import sweep
from pipeline.core.serve import Placed, node_usd, serve
from pipeline.core.size import empty_cost
from pipeline.core.solve import Plan
from pipeline.optimize.general_model import NightItem, night_items, scenario_ranks
from pipeline.optimize.night_model import NightModel

CLIMBS, ENOUGH = 20, 1e-5
"""Evaluations of the dual at most, and the promised gain, as a share, at which its climb ends."""
COLUMNS, SPREADS, NODES = 24, (0.1, 0.3, 1.0), 50
"""Perturbed prices, their spread relative to the price, and nodes of branch and bound."""
ROUNDS = 12
"""Restarts of the general solver for an item's bound."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GeneralItems:
    """The night's items in the general model: their index, their problems without capacity prices,
    cycles in a week, and how many more stay nested, their network being too wide. Empty where every
    class nests."""

    index: NDArray[np.int64]
    items: list[NightItem]
    turn: float
    skipped: int

    def cost(self, model: NightModel, placed: Placed) -> tuple[float, Floats]:
        """Usd of a plan of all weeks, each item by its own model, and what it uses
        [weeks, kinds, nodes]."""
        woods, weeks = model.network.woods, model.capacity.rows.shape[0]
        found, used = evaluate(woods, model.ahead, placed, weeks)
        for k, one in zip(self.index, self.items, strict=True):
            found[k] = self.turn * one.cost(placed.position[k])
        return float(found.sum()), used

    def own_usd(self, placed: Placed) -> float:
        """Of it, usd of the general items' levels of tonight."""
        return sum(
            self.turn * one.cost(placed.position[k])
            for k, one in zip(self.index, self.items, strict=True)
        )

    def gain_usd(self, position: NDArray[np.int32], gain: Floats) -> Floats:
        """Usd a week [items, nodes] of one unit more tonight, those of the nested model given."""
        found = gain.copy()
        for k, one in zip(self.index, self.items, strict=True):
            more = recourse(one.item, position[k, one.nodes].astype(np.int64)).gain
            found[k, one.nodes] = self.turn * (more - one.item.place_usd)
        return found

    def priced(self, model: NightModel, on_items: Floats) -> list[GeneralItem]:
        """The problems at capacity prices [weeks, kinds, nodes]."""
        tables = model.ahead.take(self.index)
        level, serving = node_usd(model.network.woods, tables, on_items)
        return [
            replace(
                one.item,
                place_usd=one.item.place_usd + level[i, one.nodes] / self.turn,
                reward=one.item.reward - serving[i, one.nodes, None] / self.turn,
            )
            for i, one in enumerate(self.items)
        ]


def general_items(model: NightModel, settings: Settings) -> GeneralItems:
    """Items of the classes that do not nest, but for those whose network is too wide."""
    tree = model.packed.tables.tree
    crossing = model.general.crossing(tree, settings)
    is_too_wide = model.general.is_too_wide(tree[crossing])
    index, skipped = crossing[~is_too_wide], int(is_too_wide.sum())
    turn = 7.0 / model.cycle_days
    if not len(index):
        return GeneralItems(index, [], turn, skipped)
    items = night_items(
        model.network, model.general, model.cube, model.money, model.cycle_days, index,
        model.worth_usd[index],
        model.packed.tables.place_usd[index].astype(float),
        scenario_ranks(model.general, model.cube.windows, settings, 0),
    )  # fmt: skip
    return GeneralItems(index, items, turn, skipped)


def replanned(model: NightModel, plan: Plan, general: GeneralItems) -> Plan:
    """The plan with the general items' own prices, positions, usage and certificate."""
    if not len(general.index):
        return plan
    rows = model.capacity.rows
    mine, price = _best_priced(model, plan, general)
    nested_usd, _ = _nested_optima(model, general, price)
    general_usd = 0.0
    problems = general.priced(model, rows.on_items(price))
    for i, (problem, one) in enumerate(zip(problems, general.items, strict=True)):
        start = mine[i, one.nodes].astype(np.int64)
        least = one.nothing_usd - solve_general(problem, ROUNDS, start=start).bound
        general_usd += general.turn * least
    lower = lower_bound(nested_usd + general_usd, price, rows)
    placed = plan.placed[0].copy()
    _put(model, general, placed, _chosen(model, plan, general, price, mine))
    limit = np.maximum(rows.limit, rows.usage(general.cost(model, placed)[1]))
    fill(model, general, placed, limit)
    cost, used = general.cost(model, placed)
    usage = rows.usage(used)
    paid = np.maximum(usage - rows.limit, 0.0)
    proof = certify(lower, cost, usage, paid, rows)
    plan.trace.add("general plan", proof.lower, proof.upper, proof.violation)
    start = Start(price, plan.start.curvature)
    return replace(
        plan, placed=[placed], price=price, start=start, usage=usage, overflow=paid,
        certificate=proof, bound=PriceBound(lower, price, None, general_usd),
    )  # fmt: skip


def _put(
    model: NightModel, general: GeneralItems, placed: Placed, position: NDArray[np.int32]
) -> None:
    """Give the general items tonight's positions [general items, nodes], which serve all they can
    in the nested model."""
    tables = model.ahead.take(general.index)
    free = np.zeros(model.capacity.rows.shape)
    placed.put(general.index, serve(model.network.woods, tables, position, free))


def _used(model: NightModel, general: GeneralItems, position: NDArray[np.int32]) -> list[Floats]:
    """What each general item uses at its position, [weeks, kinds, nodes]."""
    woods, rows = model.network.woods, model.capacity.rows
    free = np.zeros(rows.shape)
    found = []
    for i, k in enumerate(general.index):
        tables = model.ahead.take(np.array([k]))
        placed = serve(woods, tables, position[i : i + 1], free)
        found.append(evaluate(woods, tables, placed, rows.shape[0])[1])
    return found


def _best_priced(
    model: NightModel, plan: Plan, general: GeneralItems
) -> tuple[NDArray[np.int32], Floats]:
    """Positions of the general items at the best prices found, and those prices."""
    rows = model.capacity.rows
    tonight = plan.kept[model.capacity.week[plan.kept] == 0]
    kept = rows.take(tonight)
    fixed = np.where(np.isin(np.arange(len(rows)), tonight), 0.0, plan.price)
    mine = plan.placed[0].position[general.index].copy()

    def dual(price: Floats) -> Point:
        whole = fixed.copy()
        whole[tonight] = price
        rest_usd, rest = _nested_optima(model, general, whole)
        value = _move(model, general, mine, whole)
        used = sum(_used(model, general, mine), rest)
        return Point(rest_usd + value - dot(whole, rows.limit), used.ravel())

    best, _ = climb(dual, kept, None, CLIMBS, ENOUGH)  # the nested curvature would mislead
    dual(best.price)
    price = fixed.copy()
    price[tonight] = best.price
    return mine, price


def _move(
    model: NightModel, general: GeneralItems, mine: NDArray[np.int32], price: Floats
) -> float:
    """Move the general items in place to positions that are good at prices [rows]; returns their
    priced usd."""
    total = 0.0
    problems = general.priced(model, model.capacity.rows.on_items(price))
    for i, (problem, one) in enumerate(zip(problems, general.items, strict=True)):
        start = mine[i, one.nodes].astype(np.int64)
        mine[i, one.nodes], value = climb_position(problem, start)
        total += general.turn * (one.nothing_usd - value)
    return total


def _chosen(
    model: NightModel,
    plan: Plan,
    general: GeneralItems,
    price: Floats,
    mine: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Positions of the general items, each one of several, that together cost least within what the
    others leave of the rows.

    The nested plan is among them, so that there is always an answer.
    """
    rows = model.capacity.rows
    rng = np.random.default_rng(0)
    pool = [plan.placed[0].position[general.index], mine.copy()]
    for c in range(COLUMNS):
        spread = SPREADS[c % len(SPREADS)]
        noise = np.abs(1.0 + spread * rng.standard_normal(len(price)))
        lift = spread * price.mean() * np.abs(rng.standard_normal(len(price)))
        tried = np.minimum(price * noise + lift, rows.overflow_usd)
        tried[price == 0.0] *= np.isin(np.flatnonzero(price == 0.0), plan.kept)
        _move(model, general, mine, tried)
        pool.append(mine.copy())
    cost = np.array([
        [general.turn * one.cost(column[i]) for column in pool]
        for i, one in enumerate(general.items)
    ])  # fmt: skip
    usage = np.stack([rows.usage(np.stack(_used(model, general, one))) for one in pool], axis=1)
    others = plan.usage - usage[:, 0].sum(axis=0)
    limit = np.maximum(rows.limit - others, usage[:, 0].sum(axis=0))[plan.kept]
    choice = choose_one(cost, usage[:, :, plan.kept], limit, plan.certificate.lower)
    return np.stack(pool)[choice, np.arange(len(choice))]


def choose_one(cost: Floats, usage: Floats, limit: Floats, scale: float) -> NDArray[np.int64]:
    """One of the columns of each item, cost [items, columns] and usage [items, columns, rows]; the
    first of all must fit."""
    items, columns = cost.shape
    n = items * columns
    each = csr_matrix((np.ones(n), np.arange(n), np.arange(0, n + 1, columns)), shape=(items, n))
    room = limit - 1e-9 * np.abs(limit)
    room = np.maximum(room, usage[:, 0].sum(axis=0))
    found = milp(
        cost.ravel() / max(abs(scale), 1e-9),
        constraints=[
            LinearConstraint(each, 1.0, 1.0),
            LinearConstraint(csr_matrix(usage.reshape(n, -1).T), -np.inf, room),
        ],
        bounds=Bounds(0.0, 1.0),
        integrality=np.ones(n),
        options={"mip_rel_gap": 1e-3, "node_limit": NODES},
    )
    if found.x is None:
        return np.zeros(items, np.int64)
    return np.asarray(found.x.reshape(items, columns).argmax(axis=1))


def _nested_optima(model: NightModel, general: GeneralItems, price: Floats) -> tuple[float, Floats]:
    """Least priced usd of all other rows, and what they use then."""
    rows = model.capacity.rows
    rest = np.setdiff1d(np.arange(len(model.ahead)), general.index)
    items, everything = model.ahead.take(rest), np.array([0, len(rest)])
    saved, used = sweep(model.network.woods, items, everything, rows.on_items(price)[None])
    return float((empty_cost(items, everything) - saved)[0]), used[0]


def fill(model: NightModel, general: GeneralItems, placed: Placed, limit: Floats) -> None:
    """Add units of the general items in place that pay and fit, those that gain most first."""
    rows = model.capacity.rows
    each = _unit_use(model, general)
    usage = rows.usage(general.cost(model, placed)[1])
    position = placed.position[general.index]
    now = [recourse(one.item, position[i, one.nodes].astype(np.int64))
           for i, one in enumerate(general.items)]  # fmt: skip
    room = limit - 1e-9 * np.abs(limit)
    while (found := _most_gain(general, now, each, room - usage)) is not None:
        i, j = found
        one = general.items[i]
        position[i, one.nodes[j]] += 1
        now[i] = recourse(one.item, position[i, one.nodes].astype(np.int64))
        usage += each[i][j]
    _put(model, general, placed, position)


def _unit_use(model: NightModel, general: GeneralItems) -> list[Floats]:
    """[nodes of the item, rows] what a unit more of each general item uses, taken as served."""
    woods, rows = model.network.woods, model.capacity.rows
    found = []
    for k, one in zip(general.index, general.items, strict=True):
        tables = model.ahead.take(np.repeat(k, len(one.nodes)))
        position = np.zeros((len(one.nodes), woods.n_nodes), np.int32)
        position[np.arange(len(one.nodes)), one.nodes] = 1
        entered = np.zeros((*position.shape, woods.depth), np.uint8)
        placed = Placed(position, position.astype(float), entered)
        used = [
            evaluate(woods, tables.take(np.array([i])), placed.take(np.array([i])), rows.shape[0])[
                1
            ]
            for i in range(len(one.nodes))
        ]
        found.append(rows.usage(np.stack(used)))
    return found


def _most_gain(
    general: GeneralItems, now: list[Recourse], each: list[Floats], room: Floats
) -> tuple[int, int] | None:
    """Item and node where one unit more gains most and fits."""
    best, where = 1e-9, None
    for i, one in enumerate(general.items):
        fits = ((each[i] <= room) | (each[i] <= 0.0)).all(axis=1)
        usd = np.where(fits, now[i].gain - one.item.place_usd, -np.inf)
        j = first_of_best(usd)
        if usd[j] > best + 1e-9 * max(abs(best), 1.0):
            best, where = float(usd[j]), (i, j)
    return where
