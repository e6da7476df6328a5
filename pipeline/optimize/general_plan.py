"""Levels of size classes whose node sets do not nest, by the general model.

The nested model finds first prices and positions. From there the dual of the real problem is
climbed, its items moving unit by unit to their best positions of the general model; so they do at
prices perturbed around the best ones. Every item takes one of these positions, chosen for all by a
mixed-integer programme, and units that gain most fill what is left. The certificate is the general
model's own: a lower bound from dual prices of every item, and the plan valued by exact recourse.
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
from pipeline.core.certificate import certify, lower_bound
from pipeline.core.evaluate import evaluate
from pipeline.core.general import Recourse, climb_position, recourse, solve_general
from pipeline.core.item import positions, sweep
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
    """The night's items in the general model: their index, and their problems without capacity
    prices. Empty where every class nests."""

    index: NDArray[np.int64]
    items: list[NightItem]

    def cost(self, model: NightModel, position: NDArray[np.int32]) -> tuple[float, Floats]:
        """Usd of positions [items, nodes], each item by its own model, and what they use
        [profiles, resources, nodes]."""
        used = evaluate(
            model.network.woods, model.packed.tables, position, model.capacity.rows.shape[0]
        )[1]
        return float(self.costs(model, position).sum()), used

    def costs(self, model: NightModel, position: NDArray[np.int32]) -> Floats:
        """Usd [items] of positions, each item by its own model."""
        tables, n_profiles = model.packed.tables, model.capacity.rows.shape[0]
        found, _ = evaluate(model.network.woods, tables, position, n_profiles)
        for k, one in zip(self.index, self.items, strict=True):
            found[k] = one.cost(position[k])
        return found

    def gain_usd(self, position: NDArray[np.int32], gain: Floats) -> Floats:
        """Usd [items, nodes] of one unit more, those of the nested model given."""
        found = gain.copy()
        for k, one in zip(self.index, self.items, strict=True):
            more = recourse(one.item, position[k, one.nodes].astype(np.int64)).gain
            found[k, one.nodes] = more - one.item.place_usd
        return found


def general_items(model: NightModel, settings: Settings) -> GeneralItems:
    """Items of the classes that do not nest."""
    index = model.general.crossing(model.packed.tables.tree, settings)
    if not len(index):
        return GeneralItems(index, [])
    items = night_items(
        model.network, model.general, model.cube, model.money, model.cycle_days, index,
        model.worth_usd[index],
        model.packed.tables.place_usd[index].astype(float),
        scenario_ranks(model.general, settings, 0),
    )  # fmt: skip
    return GeneralItems(index, items)


def replanned(model: NightModel, plan: Plan, general: GeneralItems) -> Plan:
    """The plan with the general items' own prices, positions, usage and certificate."""
    if not len(general.index):
        return plan
    rows = model.capacity.rows
    position, price = _best_priced(model, plan, general)
    bound_usd, used = _nested_optima(model, general, price)
    priced = _priced(model, general, rows.on_items(price))
    for k, one, usd in zip(general.index, general.items, priced, strict=True):
        problem = replace(one.item, place_usd=usd)
        start = position[k, one.nodes].astype(np.int64)
        bound_usd += one.nothing_usd - solve_general(problem, ROUNDS, start=start).bound
    lower = lower_bound(bound_usd, price, rows)
    position = _chosen(model, plan, general, price, position)
    limit = np.maximum(rows.limit, rows.usage(general.cost(model, position)[1]))
    fill(model, general, position, limit)
    cost, used = general.cost(model, position)
    usage = rows.usage(used)
    paid = np.maximum(usage - rows.limit, 0.0)
    proof = certify(lower, cost, usage, paid, rows)
    plan.trace.add("general plan", proof.lower, proof.upper, proof.violation)
    start = Start(price, plan.start.curvature)
    return replace(
        plan, position=[position], price=price, start=start, usage=usage, overflow=paid,
        certificate=proof,
    )  # fmt: skip


def _best_priced(
    model: NightModel, plan: Plan, general: GeneralItems
) -> tuple[NDArray[np.int32], Floats]:
    """Positions of all items, the general ones at the best prices found, and those prices."""
    rows = model.capacity.rows
    kept = rows.take(plan.kept)
    position = plan.position[0].copy()

    def dual(price: Floats) -> Point:
        whole = np.zeros(len(rows))
        whole[plan.kept] = price
        value, used = _move(model, general, position, whole)
        return Point(value - dot(price, kept.limit), used.ravel())

    best, _ = climb(dual, kept, None, CLIMBS, ENOUGH)  # the nested curvature would mislead
    dual(best.price)
    price = np.zeros(len(rows))
    price[plan.kept] = best.price
    return position, price


def _move(
    model: NightModel, general: GeneralItems, position: NDArray[np.int32], price: Floats
) -> tuple[float, Floats]:
    """Move all items in place to positions that are good at prices [rows]; returns their priced usd
    and what they use."""
    rows, tables = model.capacity.rows, model.packed.tables
    on_items = rows.on_items(price)
    found = positions(model.network.woods, tables, on_items)
    found[general.index] = position[general.index]
    position[:] = found
    priced = _priced(model, general, on_items)
    for k, one, usd in zip(general.index, general.items, priced, strict=True):
        problem = replace(one.item, place_usd=usd)
        start = position[k, one.nodes].astype(np.int64)
        position[k, one.nodes] = climb_position(problem, start)[0]
    cost, used = general.cost(model, position)
    return cost + dot(price, rows.usage(used)), used


def _chosen(
    model: NightModel,
    plan: Plan,
    general: GeneralItems,
    price: Floats,
    position: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Positions of all items, each one of several, that together cost least within the rows.

    The nested plan is among them, so that there is always an answer.
    """
    rows = model.capacity.rows
    rng = np.random.default_rng(0)
    pool = [plan.position[0], position.copy()]
    for c in range(COLUMNS):
        spread = SPREADS[c % len(SPREADS)]
        noise = np.abs(1.0 + spread * rng.standard_normal(len(price)))
        lift = spread * price.mean() * np.abs(rng.standard_normal(len(price)))
        tried = np.minimum(price * noise + lift, rows.overflow_usd)
        tried[np.setdiff1d(np.arange(len(price)), plan.kept)] = 0.0
        _move(model, general, position, tried)
        pool.append(position.copy())
    cost = np.stack([general.costs(model, one) for one in pool], axis=1)
    each = rows.unit_use(model.packed.tables)
    usage = np.stack([np.einsum("kjR,kj->kR", each, one) for one in pool], axis=1)
    limit = np.maximum(rows.limit, usage[:, 0].sum(axis=0))[plan.kept]
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


def _priced(model: NightModel, general: GeneralItems, on_items: Floats) -> list[Floats]:
    """Usd of a unit at each of an item's nodes, capacity included."""
    tables = model.packed.tables
    paid = np.einsum("krj,kr->kj", on_items[tables.profile], tables.use.astype(float))
    return [
        one.item.place_usd + paid[k, one.nodes]
        for k, one in zip(general.index, general.items, strict=True)
    ]


def _nested_optima(model: NightModel, general: GeneralItems, price: Floats) -> tuple[float, Floats]:
    """Least priced usd of all other items, and what they use then."""
    rows = model.capacity.rows
    rest = np.setdiff1d(np.arange(len(model.packed.tables)), general.index)
    if not len(rest):
        return 0.0, np.zeros(rows.shape)
    items, everything = model.packed.tables.take(rest), np.array([0, len(rest)])
    saved, used = sweep(model.network.woods, items, everything, rows.on_items(price)[None])
    return float((empty_cost(items, everything) - saved)[0]), used[0]


def fill(
    model: NightModel, general: GeneralItems, position: NDArray[np.int32], limit: Floats
) -> None:
    """Add units of the general items in place that pay and fit, those that gain most first."""
    tables, rows = model.packed.tables, model.capacity.rows
    use = rows.unit_use(tables)
    each = [use[k, one.nodes] for k, one in zip(general.index, general.items, strict=True)]
    usage = rows.usage(evaluate(model.network.woods, tables, position, rows.shape[0])[1])
    now = [recourse(one.item, position[k, one.nodes].astype(np.int64))
           for k, one in zip(general.index, general.items, strict=True)]  # fmt: skip
    room = limit - 1e-9 * np.abs(limit)
    while (found := _most_gain(general, now, each, room - usage)) is not None:
        i, j = found
        one, k = general.items[i], general.index[i]
        position[k, one.nodes[j]] += 1
        now[i] = recourse(one.item, position[k, one.nodes].astype(np.int64))
        usage += each[i][j]


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
