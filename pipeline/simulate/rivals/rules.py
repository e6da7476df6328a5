"""Rules that planners run today: order up to a level, fill nodes toward targets.

All see the same forecasts as the plan, the same vendors' terms, docks and space; they
differ in levels and targets. What they share (`_Rule.decide`) is what a good practitioner does:
orders go straight to the nodes that vendors supply and that lack most, the most urgent first where
a vendor or a dock is full; sites are filled before anything stays upstream; targets are cut to
space.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.rivals.demand_view import DemandView, Floats, demand_view, gamma_quantile
from pipeline.simulate.rivals.replenish import (
    Supply,
    home_shares,
    orders_up_to,
    supply_terms,
    transfers_to_targets,
)
from pipeline.simulate.rivals.room import fit_to_space
from pipeline.simulate.rivals.situation import Plan, Situation
from pipeline.simulate.rivals.worth import critical_ratio, sale_usd
from pipeline.simulate.world.model import capacities, parents
from pipeline.simulate.world.supply import Ints

Targets = Callable[[Floats], Floats]
_READS = (
    "items", "nodes", "lanes", "vendors", "vendor_items", "lead_times", "demand_quantiles",
    "node_capacity",
)  # fmt: skip
_PUSH_DAYS = 3.0  # from the plan's night until what a node is sent can be sold, in the mean


@dataclass(frozen=True)
class Levels:
    """What a rule wants: order_up_to, order_below: [items] network position in units; need: [items,
    nodes] the same spread over nodes, by which orders are sent there."""

    order_up_to: Floats
    order_below: Floats
    need: Floats


@dataclass(frozen=True)
class _Outlook:
    """What a rule keeps while its forecast is the newest; kept: [items] those that it stocks."""

    supply: Supply
    parent: Ints
    view: DemandView
    homes: Floats
    levels: Levels
    kept: NDArray[np.bool_]


@dataclass(frozen=True)
class _Rule(ABC):
    """Parameters of all rules, which `tune` sets on weeks before the test.

    node_days: days of demand that a node holds beyond its own way; fill_share: share of a node's
    space that targets may fill; dock_share: share of a dock's capacity that is kept busy.
    """

    name: str
    stages: tuple[str, ...] = ("ingest", "forecast")
    every_days: int = 7
    reads: tuple[str, ...] = _READS
    node_days: float = 7.0
    fill_share: float = 0.95
    dock_share: float = 1.0

    def decide(self, situation: Situation) -> Plan:
        """Orders toward the network levels; transfers toward the node targets."""
        model = situation.model
        if self.name not in situation.worked:
            situation.worked[self.name] = self._outlook(situation)
        out: _Outlook = situation.worked[self.name]
        wanted = self.targets(situation, out.view, out.homes)
        room = capacities(situation.tables, model.nodes, situation.tomorrow)[0]
        target = fit_to_space(wanted, model.cube_cuft, room[:, 0] * self.fill_share)
        dock, levels = room[:, 1] * self.dock_share, out.levels
        return Plan(
            orders_up_to(situation, out.supply, levels.order_up_to, levels.order_below, out.parent,
                         levels.need, dock, self.reviews_daily),
            transfers_to_targets(situation, target * out.kept[:, None], out.parent),
        )  # fmt: skip

    def _outlook(self, situation: Situation) -> _Outlook:
        """What the rule makes of the newest forecast; stock does not enter."""
        model = situation.model
        supply, homes = supply_terms(situation), home_shares(model)
        view = demand_view(situation.tables["demand_quantiles"], model)
        levels = self.levels(situation, view, homes, supply)
        kept = np.ones(len(model.items), dtype=bool)
        if situation.settings.planning.drops_losing_items:
            kept = sale_usd(situation) > 0
            levels = Levels(levels.order_up_to * kept, levels.order_below * kept,
                            levels.need * kept[:, None])  # fmt: skip
        return _Outlook(supply, parents(situation.tables["nodes"], model), view, homes, levels,
                        kept)  # fmt: skip

    @property
    def reviews_daily(self) -> bool:
        """Whether every vendor is looked at each night, or once a review period."""
        return False

    @abstractmethod
    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, supply: Supply
    ) -> Levels:
        """What to order."""

    def targets(self, situation: Situation, view: DemandView, homes: Floats) -> Targets:
        """What nodes should hold: mean demand over the way and node_days, the same share of days
        off every item where space is short."""

        def at(tightness: Floats) -> Floats:
            mean, _ = view.over(np.full(len(situation.model.items), self.node_days + _PUSH_DAYS))
            home = np.einsum("kr,krj->kj", mean, homes)
            return np.floor(home * (1 - tightness) + 0.5)

        return at


@dataclass(frozen=True)
class WeeksOfSupply(_Rule):
    """Weeks of supply by ABC class: items by revenue, A the first 80 %, B the next 15 %.

    weeks_a, weeks_b, weeks_c: stock beyond lead time and review, in weeks of mean demand.
    """

    name: str = "weeks_of_supply"
    weeks_a: float = 2.0
    weeks_b: float = 2.0
    weeks_c: float = 2.0

    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, supply: Supply
    ) -> Levels:
        """Means times days."""
        rows = situation.tables["items"]
        listed = rows.set_index(rows["item_id"].astype("str"))["list_price_usd"]
        price = listed.loc[situation.model.items].to_numpy(float)
        month, _ = view.over(np.full(len(price), 28.0))
        usd = price * month.sum(axis=1)
        order = np.argsort(-usd, kind="stable")
        before = np.empty_like(usd)
        before[order] = np.cumsum(usd[order]) - usd[order]
        kind = np.searchsorted([0.8, 0.95], before / max(usd.sum(), 1e-9), side="right")
        weeks = np.array([self.weeks_a, self.weeks_b, self.weeks_c])[kind]
        mean, _ = view.over(supply.cover_days + 7 * weeks)
        level = mean.sum(axis=1)
        return Levels(level, level, np.einsum("kr,krj->kj", mean, homes))


@dataclass(frozen=True)
class Newsvendor(_Rule):
    """Every node a newsvendor of its own over its own cover; the network buys their sum."""

    name: str = "newsvendor"
    doubt: float = 1.0

    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, supply: Supply
    ) -> Levels:
        """Newsvendor quantiles by node over the whole cover."""
        need = node_quantile(view, homes, supply.cover_days, _service(situation, self.doubt))
        level = need.sum(axis=1)
        return Levels(level, level, need)


@dataclass(frozen=True)
class BaseStock(_Rule):
    """Base stock by pooled demand and lead-time variance; nodes hold newsvendor quantiles, cut to
    space where a cubic foot earns least.

    doubt: multiplies 1 - the critical ratio; below 1 holds more.
    """

    name: str = "base_stock"
    doubt: float = 1.0

    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, supply: Supply
    ) -> Levels:
        """The quantile of demand over lead time and review, E L = lead, variance of both: m2 =
        Var D(L) + (E D / day)^2 Var L (Silver, Pyke & Thomas 2017, section 6.10)."""
        return _pooled(situation, view, homes, supply, supply.cover_days, self.doubt)

    def targets(self, situation: Situation, view: DemandView, homes: Floats) -> Targets:
        """Newsvendor quantiles; a full node's space has a price, which takes the critical ratio
        down by the cubic foot."""
        days = np.full(len(situation.model.items), self.node_days + _PUSH_DAYS)
        ratio = _service(situation, self.doubt)
        size = situation.model.cube_cuft / max(situation.model.cube_cuft.max(), 1e-9)

        def at(tightness: Floats) -> Floats:
            price = tightness / np.maximum(1 - tightness, 1e-6)
            cut = ratio[:, None] - size[:, None] * price
            found = node_quantile(view, homes, days, np.clip(cut, 0.0, 1.0))
            return np.where(cut > 0, found, 0.0)

        return at


@dataclass(frozen=True)
class SingleEchelon(BaseStock):
    """One pooled base-stock level by item, its stock spread over nodes in proportion to demand."""

    name: str = "single_echelon"

    def targets(self, situation: Situation, view: DemandView, homes: Floats) -> Targets:
        """Means over the way and node_days, as for simple rules."""
        return _Rule.targets(self, situation, view, homes)


@dataclass(frozen=True)
class MinMax(BaseStock):
    """(s, S): every night each item below s is ordered up to S.

    lot_days: S - s in days of mean demand.
    """

    name: str = "min_max"
    lot_days: float = 7.0

    @property
    def reviews_daily(self) -> bool:
        """Every night."""
        return True

    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, supply: Supply
    ) -> Levels:
        """s: the quantile over lead time and a day; S: a lot above it."""
        least = _pooled(situation, view, homes, supply, supply.lead_days + 1, self.doubt)
        lot, _ = view.over(np.full(len(supply.lead_days), self.lot_days))
        need = least.need + np.einsum("kr,krj->kj", lot, homes)
        return Levels(least.order_up_to + lot.sum(axis=1), least.order_up_to, need)


@dataclass(frozen=True)
class Drp(_Rule):
    """Distribution requirements planning with forward placement: time-phased needs of every node,
    netted against what it has, exploded up the network; all that arrives is pushed forward.

    safety_days: days of mean demand that the network holds beyond lead time and review.
    """

    name: str = "drp"
    safety_days: float = 10.0

    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, supply: Supply
    ) -> Levels:
        """Gross requirements over lead time, review and safety time."""
        mean, _ = view.over(supply.cover_days + self.safety_days)
        need = np.einsum("kr,krj->kj", mean, homes)
        return Levels(np.ceil(need.sum(axis=1)), need.sum(axis=1), need)

    def targets(self, situation: Situation, view: DemandView, homes: Floats) -> Targets:
        """All stock is placed forward: needs of node_days or, where the network has more, of as
        many days as it lasts."""
        model = situation.model
        days = np.full(len(model.items), self.node_days + _PUSH_DAYS)
        mean, _ = view.over(days)
        home = np.einsum("kr,krj->kj", mean, homes)
        lasts = situation.on_hand.sum(axis=1) / np.maximum(home.sum(axis=1), 1e-9)
        forward = home * np.clip(lasts, 1.0, 3.0)[:, None]
        return lambda tightness: np.floor(forward * (1 - tightness) + 0.5)


def _service(situation: Situation, doubt: float) -> Floats:
    """[items] the critical ratio over a review period, 1 - it multiplied by `doubt`."""
    return np.asarray(np.clip(1 - doubt * (1 - critical_ratio(situation)), 0.05, 0.999))


def _pooled(
    situation: Situation, view: DemandView, homes: Floats, supply: Supply, cover_days: Floats,
    doubt: float,
) -> Levels:  # fmt: skip
    by_region, variance = view.over(cover_days)
    mean = by_region.sum(axis=1)
    late = (mean / np.maximum(cover_days, 1.0)) ** 2 * supply.lead_variance
    level = np.ceil(gamma_quantile(mean, variance.sum(axis=1) + late, _service(situation, doubt)))
    share = level / np.maximum(mean, 1e-9)
    need = np.einsum("kr,krj->kj", by_region, homes) * np.minimum(share, 9.0)[:, None]
    return Levels(level, level, need)


def node_quantile(view: DemandView, homes: Floats, days: Floats, ratio: Floats) -> Floats:
    """[items, nodes] quantile at `ratio` ([items] or [items, nodes]) of what nodes' homes ask over
    the days; a region's demand falls on nodes by their home shares, order by order."""
    mean, variance = view.over(days)
    node_mean = np.einsum("kr,krj->kj", mean, homes)
    node_variance = np.einsum("kr,krj->kj", variance, homes**2) + np.einsum(
        "kr,krj->kj", mean, homes * (1 - homes)
    )
    level = ratio if ratio.ndim == 2 else ratio[:, None]
    return np.ceil(gamma_quantile(node_mean, node_variance, level))
