"""Levels of size classes whose node sets do not nest, by the general model.

The nested model finds first prices and positions. From there the dual of the real problem is
climbed, its items moving unit by unit to their best positions of the general model. Then units that
lose least leave the rows that are exceeded, and units that gain most fill what is left. The
certificate is the general model's own: a lower bound from dual prices of every item, and the plan
valued by the exact recourse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.settings import Settings
from pipeline.core.ascent import Point, Start, climb
from pipeline.core.certificate import certify, lower_bound
from pipeline.core.evaluate import evaluate
from pipeline.core.general import Recourse, climb_position, recourse, solve_general
from pipeline.core.item import sweep
from pipeline.core.size import empty_cost
from pipeline.core.solve import Plan
from pipeline.optimize.general_model import NightItem, night_items, scenario_ranks
from pipeline.optimize.night_model import NightModel

CLIMBS, ENOUGH = 20, 1e-5
"""Evaluations of the dual at most, and the promised gain, as a share, at which its climb ends."""
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
        tables, n_profiles = model.packed.tables, model.capacity.rows.shape[0]
        nested, used = evaluate(model.network.woods, tables, position, n_profiles)
        nested[self.index] = 0.0
        own = [one.cost(position[k]) for k, one in zip(self.index, self.items, strict=True)]
        return float(nested.sum() + sum(own)), used

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
    limit = rows.limit + plan.overflow
    fit(model, general, position, limit - 1e-9 * np.abs(limit))
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
    rows, tables = model.capacity.rows, model.packed.tables
    kept = rows.take(plan.kept)
    position = plan.position[0].copy()

    def dual(price: Floats) -> Point:
        whole = np.zeros(len(rows))
        whole[plan.kept] = price
        value, used = _nested_optima(model, general, whole)
        priced = _priced(model, general, rows.on_items(whole))
        for k, one, usd in zip(general.index, general.items, priced, strict=True):
            problem = replace(one.item, place_usd=usd)
            found, reward = climb_position(problem, position[k, one.nodes].astype(np.int64))
            position[k, one.nodes] = found
            value += one.nothing_usd - reward
        mine = position[general.index]
        few = tables.take(general.index)
        used = used + evaluate(model.network.woods, few, mine, rows.shape[0])[1]
        return Point(value - float(price @ kept.limit), used.ravel())

    begin = Start(plan.start.price[plan.kept], plan.start.curvature)
    best, _ = climb(dual, kept, begin, CLIMBS, ENOUGH)
    dual(best.price)
    price = np.zeros(len(rows))
    price[plan.kept] = best.price
    return position, price


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


def fit(
    model: NightModel, general: GeneralItems, position: NDArray[np.int32], limit: Floats
) -> None:
    """Move units of the general items in place until no row exceeds its limit, then add those that
    still pay and fit."""
    rows, tables = model.capacity.rows, model.packed.tables
    by_cell = rows.rows.toarray().reshape(len(rows), *rows.shape)
    each = [  # [nodes, rows] what a unit uses
        np.einsum("Rrj,r->jR", by_cell[:, tables.profile[k]], tables.use[k].astype(float))[
            one.nodes
        ]
        for k, one in zip(general.index, general.items, strict=True)
    ]
    usage = rows.usage(evaluate(model.network.woods, tables, position, rows.shape[0])[1])
    now = [recourse(one.item, position[k, one.nodes].astype(np.int64))
           for k, one in zip(general.index, general.items, strict=True)]  # fmt: skip
    while (usage > limit).any():
        row = int(np.argmax((usage - limit) / np.maximum(np.abs(limit), 1.0)))
        found = _least_loss(general, now, each, row)
        if found is None:
            break
        _step(general, position, now, found, -1)
        usage -= each[found[0]][found[1]]
    while (found := _most_gain(general, now, each, limit - usage)) is not None:
        _step(general, position, now, found, 1)
        usage += each[found[0]][found[1]]


def _least_loss(
    general: GeneralItems, now: list[Recourse], each: list[Floats], row: int
) -> tuple[int, int] | None:
    """Item and node whose last unit loses least for what it uses of the row."""
    best, where = np.inf, None
    for i, one in enumerate(general.items):
        use = each[i][:, row]
        usd = (now[i].loss - one.item.place_usd) / np.where(use > 0, use, np.nan)
        usd = np.where(np.isfinite(usd), usd, np.inf)
        j = int(usd.argmin())
        if usd[j] < best:
            best, where = float(usd[j]), (i, j)
    return where


def _most_gain(
    general: GeneralItems, now: list[Recourse], each: list[Floats], room: Floats
) -> tuple[int, int] | None:
    """Item and node where one unit more gains most and fits."""
    best, where = 1e-9, None
    for i, one in enumerate(general.items):
        fits = ((each[i] <= room) | (each[i] <= 0.0)).all(axis=1)
        usd = np.where(fits, now[i].gain - one.item.place_usd, -np.inf)
        j = int(usd.argmax())
        if usd[j] > best:
            best, where = float(usd[j]), (i, j)
    return where


def _step(
    general: GeneralItems, position: NDArray[np.int32], now: list[Recourse],
    where: tuple[int, int], units: int,
) -> None:  # fmt: skip
    """Put units of an item at one of its nodes, and value it again."""
    i, j = where
    one, k = general.items[i], general.index[i]
    position[k, one.nodes[j]] += units
    now[i] = recourse(one.item, position[k, one.nodes].astype(np.int64))
