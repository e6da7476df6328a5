"""What is planned at given prices of service targets, worked out on a part of the night's items.

A target is a row of the optimizer: of what is short in its scope no more than (1 - target) of what
is asked for. The row's price is added to the cost of serving from outside the sets that count
(service_scopes), so that at given prices of space items stay apart and all that follows from these
costs follows it: levels of nodes, order-up-to levels, the values by which orders are weighed.

What a level serves and holds is lived for some thousand days (core.losses); what the network lacks
is lacked by all its sets alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import product
from pipeline.core.evaluate import shortage
from pipeline.core.item import positions
from pipeline.core.losses import Losses, Review, daily_demand, losses
from pipeline.core.serve import node_usd
from pipeline.core.service import Cover, cover, levels_at
from pipeline.optimize.item_model import (
    Economics,
    days_ordered_early,
)
from pipeline.optimize.night_model import NightModel, raised
from pipeline.optimize.service_scopes import Scopes
from pipeline.optimize.targets import Vendors, curves_at

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """What is planned at prices [targets]: share [targets] served, and cost_usd [targets] a week
    above the plan without prices, of the items in scope."""

    price: Floats
    share: Floats
    cost_usd: Floats


@dataclass(frozen=True)
class _Planned:
    """short: [items, sets] units of a cycle; in usd a cycle and without prices of targets, network
    and nodes: [items] of what the order-up-to level holds and loses, of the nodes' levels."""

    short: Floats
    network_usd: Floats
    nodes_usd: Floats


@dataclass(frozen=True)
class Searched:
    """Some of the night's items, each with its cheapest vendor: their model without prices of
    targets, weight [items] that each stands for, demand of the cover, what levels lose, prices of
    space."""

    model: NightModel
    weight: Floats
    cover: Cover
    losses: Losses
    on_items: Floats
    most_usd: Floats

    @property
    def scopes(self) -> Scopes:
        """The targets, of these items."""
        return self.model.scopes

    @cached_property
    def _base(self) -> _Planned:
        """What is planned without prices."""
        return self._planned(np.zeros(len(self.scopes)))

    @cached_property
    def _unit_usd(self) -> tuple[Floats, Floats]:
        """Usd [items] of holding a unit for a cycle, where it is cheapest at the prices of space,
        and of losing a sale, without prices of targets."""
        model = self.model
        curves = curves_at(model.network, model.arriving, model.cycle_days, self.on_items)
        sale = np.maximum(model.money.lost_sale_usd - model.vendors.extra_usd, 0.0)
        return np.maximum(-curves.tail_usd, 0.0), sale

    def answer(self, price: Floats) -> Answer:
        """What is planned at prices [targets]."""
        model, scopes, base = self.model, self.scopes, self._base
        at = self._planned(price) if (price > 0).any() else base
        asked = product(scopes.asked, self.weight)
        short = (scopes.part * at.short * self.weight[:, None]).sum(axis=(1, 2))
        dearer = np.maximum(at.network_usd - base.network_usd, 0.0)
        misplaced = np.maximum(at.nodes_usd - base.nodes_usd, dearer)
        each = np.where(scopes.is_of_promises[:, None], misplaced, dearer)
        week = 7.0 / model.cycle_days
        cost = ((scopes.asked > 0) * each * self.weight).sum(axis=1) * week
        return Answer(price, np.clip(1.0 - short / np.maximum(asked, 1e-12), 0.0, 1.0), cost)

    def _planned(self, price: Floats) -> _Planned:
        model, woods = self.model, self.model.network.woods
        if (price > 0).any():
            model = raised(model, self.scopes.premium_usd(price))
        curves = curves_at(model.network, model.arriving, model.cycle_days, self.on_items)
        level = levels_at(curves, self.cover, model.vendors.extra_usd)
        mean, root = model.packed.mean, woods.n_sets[model.packed.tables.tree] - 1
        each = np.arange(len(root))
        share, units = self.losses.at(level)
        hold_usd, sale_usd = self._unit_usd
        network_usd = hold_usd * units + sale_usd * share * mean[each, root]
        network = model.network
        of_nodes = self.scopes.is_of_promises.any() or network.loses_apart
        if not of_nodes:  # levels of nodes decide nothing
            return _Planned(share[:, None] * mean, network_usd, np.zeros(len(level)))
        tonight = model.ahead.first(len(level))
        y = positions(woods, tonight, self.on_items)
        short = shortage(woods, model.packed.tables, y, model.packed.gap_usd, mean)
        lost = network.lost_share[model.packed.tables.tree] * short
        lacking = lost.sum(axis=1) / np.maximum(mean[each, root], 1e-12)
        everywhere = mean * np.maximum(share - lacking, 0.0)[:, None]
        short_sets = np.minimum(short + everywhere, mean)
        short_sets[each, root] = share * mean[each, root]
        plain = self.model.packed
        held = np.where(y > 0, plain.tables.place_usd.astype(float), 0.0)
        held += node_usd(woods, tonight, self.on_items)[0] * model.cycle_days / 7.0
        spilt = (plain.gap_usd * short).sum(axis=1)
        return _Planned(short_sets, network_usd, (held * y).sum(axis=1) + spilt)


def searched(
    model: NightModel, on_items: Floats, settings: Settings, dropped: NDArray[np.bool_]
) -> Searched:
    """The items that targets are about, the largest and a sample where they are many; on_items:
    prices [weeks, kinds, nodes] of space. Items without a vendor, or dropped
    [items], are left out; one that is not worth selling is sold for the target's sake."""
    vendors = model.vendors
    first = vendors.cheapest(len(model.cube.items))
    asked = model.scopes.asked.sum(axis=0) * (first >= 0) * ~dropped
    items = np.flatnonzero(asked > 0)
    kept, weight = _sample(asked[items], settings.service.searched_items)
    items = items[kept]
    rows = first[items]
    part = _part(model, items, rows)
    demand = cover(
        part.vendors.supply(model.cycle_days, part.early_days), part.cube.quantiles,
        part.cube.cycle_quantiles, part.cube.windows, model.ranks, part.packed.bank,
    )  # fmt: skip
    dearest = np.where(part.scopes.asked > 0, part.money.unit_cost_usd, 0.0).max(
        axis=1, initial=0.0
    )
    most = settings.service.most_price_per_cost * dearest
    return Searched(part, weight, demand, _lived(part, settings), on_items, most)


def _lived(model: NightModel, settings: Settings) -> Losses:
    """What levels of the items lose and hold. Every night may order as soon as an economic lot is
    lacking, but where the vendor's order days come less often than that is due."""
    vendors, cube = model.vendors, model.cube
    root = model.network.woods.n_sets[model.packed.tables.tree] - 1
    daily = model.packed.mean[np.arange(len(root)), root] / model.cycle_days
    review = settings.planning.review_period_days
    interval = np.maximum(review - model.early_days, 1.0)
    is_held_up = model.early_days < days_ordered_early(daily, model.money, settings) - 1e-9
    transit = round(model.cycle_days - review)
    nights = np.where(is_held_up, np.rint(interval), 1.0)
    days = (vendors.chances * vendors.lead_days).sum(axis=1) + transit + nights
    mean = cube.mean_at(days) / days
    demand = daily_demand(
        vendors.item, mean, cube.quantiles, cube.windows, cube.mean.sum(axis=2), model.ranks,
        model.packed.bank,
    )  # fmt: skip
    lot = np.where(is_held_up, 0.0, daily * interval)
    order = Review(nights.astype(np.int64), lot, transit)
    return losses(demand, vendors.lead_days, vendors.chances, order, model.packed.bank)


def _sample(size: Floats, most: int) -> tuple[NDArray[np.int64], Floats]:
    """Places of at most about `most` items and what each stands for: the larger half of these as
    themselves, and every n-th of all others."""
    if len(size) <= most:
        return np.arange(len(size)), np.ones(len(size))
    order = np.argsort(-size, kind="stable")
    large, rest = order[: most // 2], order[most // 2 :]
    step = -(-len(rest) // (most - most // 2))
    drawn = rest[step // 2 :: step]
    places = np.concatenate([large, drawn])
    weight = np.concatenate([np.ones(len(large)), np.full(len(drawn), len(rest) / len(drawn))])
    by_place = np.argsort(places, kind="stable")
    return places[by_place], weight[by_place]


def _part(model: NightModel, items: NDArray[np.int64], rows: NDArray[np.int64]) -> NightModel:
    """The model of these items alone, each with one vendor row."""
    cube, money, vendors = model.cube, model.money, model.vendors
    weeks = len(model.ahead) // len(cube.items)
    every = (np.arange(weeks)[:, None] * len(cube.items) + items).ravel()
    scopes = replace(
        model.scopes, asked=model.scopes.asked[:, items], part=model.scopes.part[:, items]
    )
    return replace(
        model,
        cube=cube.take(items),
        money=Economics(
            money.unit_cost_usd[items], money.lost_sale_usd[items], money.cube_cuft[items],
            money.size_class[items], money.goodwill_usd[items],
        ),
        drawn=model.drawn.take(items),
        packed=model.packed.take(items),
        ahead=model.ahead.take(every),
        arriving=model.arriving.take(rows),
        vendors=Vendors(
            [vendors.vendor[row] for row in rows], np.arange(len(items)), vendors.lead_days,
            vendors.chances[rows], vendors.extra_usd[rows], vendors.most_early_days[rows],
        ),
        early_days=model.early_days[items],
        scopes=scopes,
        premium_usd=model.premium_usd[items],
    )  # fmt: skip
