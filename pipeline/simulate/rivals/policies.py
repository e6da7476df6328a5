"""The policies that are compared: three that planners use today, and the production plan itself.

Each is a small class (see `situation.Policy`); add yours to POLICIES to compare it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from pipeline.simulate.rivals.demand_view import DemandView, Floats, demand_view, gamma_quantile
from pipeline.simulate.rivals.replenish import (
    cheapest_vendor,
    home_shares,
    orders_up_to,
    transfers_to_targets,
)  # fmt: skip
from pipeline.simulate.rivals.situation import (
    ORDER_COLUMNS,
    TRANSFER_COLUMNS,
    Plan,
    Policy,
    Situation,
)
from pipeline.simulate.world.model import parents
from pipeline.simulate.world.opportunity import replacement_usd

_FORECAST = ("ingest", "forecast")
_RULE_READS = (
    "items", "nodes", "lanes", "vendors", "vendor_items", "lead_times", "demand_quantiles",
)  # fmt: skip


@dataclass(frozen=True)
class _Rule(ABC):
    """A rule with targets by node and one order-up-to level by item."""

    name: str
    stages: tuple[str, ...] = _FORECAST
    every_days: int = 7
    reads: tuple[str, ...] = _RULE_READS

    def decide(self, situation: Situation) -> Plan:
        """Orders up to the network level; transfers toward the node targets."""
        terms = cheapest_vendor(situation.tables["vendor_items"], situation.tables["lead_times"])
        parent = parents(situation.tables["nodes"], situation.model)
        view = demand_view(situation.tables["demand_quantiles"], situation.model)
        lead = np.zeros(len(situation.model.items))
        lead[situation.model.items.get_indexer(terms["item_id"])] = terms["mean_lead_time_days"]
        homes = home_shares(situation.model)
        cover = lead + situation.settings.planning.review_period_days
        target, level = self.levels(situation, view, homes, cover)
        if situation.settings.planning.drops_losing_items:
            kept = sale_usd(situation) > 0
            target, level = target * kept[:, None], level * kept
        return Plan(
            orders_up_to(situation, terms, level, parent, target),
            transfers_to_targets(situation, target, parent),
        )

    @abstractmethod
    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, cover: Floats
    ) -> tuple[Floats, Floats]:
        """Targets [items, nodes] and order-up-to levels [items]."""


@dataclass(frozen=True)
class WeeksOfSupply(_Rule):
    """So many weeks of mean demand, whatever the item: the planners' rule of thumb.

    weeks: stock beyond lead time and review; node_days: days of demand held at each node.
    """

    name: str = "weeks_of_supply"
    weeks: float = 2.0
    node_days: float = 10.0

    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, cover: Floats
    ) -> tuple[Floats, Floats]:
        """Means times days."""
        node, _ = view.over(np.full(len(cover), self.node_days))
        network, _ = view.over(cover + 7 * self.weeks)
        return np.einsum("kr,krj->kj", node, homes), network.sum(axis=1)


@dataclass(frozen=True)
class IndependentNewsvendor(_Rule):
    """Every node a newsvendor of its own over its own cover; the network buys their sum."""

    name: str = "newsvendor"

    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, cover: Floats
    ) -> tuple[Floats, Floats]:
        """Newsvendor quantiles by node over transit and a week, and over the whole cover."""
        ratio = critical_ratio(situation, cover)
        week = np.full(len(cover), 10.0)
        target = _node_quantile(view, homes, week, ratio)
        return target, _node_quantile(view, homes, cover, ratio).sum(axis=1)


@dataclass(frozen=True)
class SingleEchelon(_Rule):
    """One pooled base-stock level by item, its stock spread over nodes in proportion to demand."""

    name: str = "single_echelon"

    def levels(
        self, situation: Situation, view: DemandView, homes: Floats, cover: Floats
    ) -> tuple[Floats, Floats]:
        """The pooled quantile over the cover; nodes get their share of its over-a-week part."""
        ratio = critical_ratio(situation, cover)
        mean, variance = (x.sum(axis=1) for x in view.over(cover))
        level = np.ceil(gamma_quantile(mean, variance, ratio))
        week, _ = view.over(np.full(len(cover), 10.0))
        node = np.einsum("kr,krj->kj", week, homes)
        share = level / np.maximum(mean, 1e-9)
        return node * np.minimum(share, 3.0)[:, None], level


@dataclass(frozen=True)
class Echelon:
    """The production plan: every stage of the night up to placement, as it runs for real.

    is_protected: orders are assigned with the price of replacing the unit (opportunity), which
    keeps the stock of sites for the orders that need it, less the overflow that it spares where a
    node is overfull; else to the nearest, as for the rules.
    """

    name: str = "echelon"
    stages: tuple[str, ...] = ("ingest", "forecast", "optimize", "buy", "place")
    every_days: int = 1
    reads: tuple[str, ...] = (
        "purchase_orders", "inbound_assignments", "transfers", "demand_quantiles",
    )  # fmt: skip
    sees_capacity: bool = True
    is_protected: bool = False

    def decide(self, situation: Situation) -> Plan:
        """The published orders, sent where place assigned them, and the published transfers."""
        lines = situation.tables["purchase_orders"].set_index("order_line_id")
        parts = situation.tables["inbound_assignments"]
        parts = parts[parts["assigned_units"] > 0].rename(columns={"assigned_units": "units"})
        parts = parts.join(lines[["unit_cost_usd", "expected_arrival_date"]], on="order_line_id")
        transfers = situation.tables["transfers"]
        return Plan(
            parts[list(ORDER_COLUMNS)].reset_index(drop=True), transfers[list(TRANSFER_COLUMNS)]
        )


def critical_ratio(situation: Situation, cover: Floats) -> Floats:
    """[items] underage / (underage + overage) of a unit over a review period.

    Underage: list margin and goodwill; overage: capital and mean storage cost over the period.
    """
    model, planning = situation.model, situation.settings.planning
    rows = situation.tables["items"]
    price = rows.set_index(rows["item_id"].astype("str")).loc[model.items, "list_price_usd"]
    under = price.to_numpy(float) * (1 + planning.goodwill_share) - model.unit_cost_usd
    daily = model.unit_cost_usd * planning.holding_rate_per_year / 365.0
    daily = daily + model.cube_cuft * model.storage_usd.mean()
    over = daily * planning.review_period_days
    return np.clip(under / np.maximum(under + over, 1e-9), 0.5, 0.995)


def sale_usd(situation: Situation) -> Floats:
    """[items] what a sale brings and saves: list price and goodwill, less cost and the mean cost of
    the best way to serve an order, handling and lanes included."""
    model = situation.model
    best = np.zeros(len(model.items))
    offers = model.offers
    usd = offers.ship_usd + offers.missed_usd
    way = replacement_usd(model, situation.tables["nodes"])
    share = np.diff(model.cumulative, axis=1, prepend=0.0)
    for r in range(offers.n_regions):
        for cell in range(offers.n_speeds * offers.n_buckets):
            first = r * offers.n_speeds * offers.n_buckets + cell
            span = slice(offers.start[first], offers.start[first + 1])
            cost = usd[span] + way[:, offers.node[span]]
            cost = np.where(model.may_hold[:, offers.node[span]], cost, np.inf)
            speed, bucket = divmod(cell, offers.n_buckets)
            weight = share[r, bucket * offers.n_speeds + speed] / offers.n_regions
            best += weight * cost.min(axis=1)
    rows = situation.tables["items"]
    price = rows.set_index(rows["item_id"].astype("str")).loc[model.items, "list_price_usd"]
    worth = price.to_numpy(float) * (1 + situation.settings.planning.goodwill_share)
    return np.asarray(worth - model.unit_cost_usd - best)


def _node_quantile(view: DemandView, homes: Floats, days: Floats, ratio: Floats) -> Floats:
    mean, variance = view.over(days)
    node_mean = np.einsum("kr,krj->kj", mean, homes)
    node_variance = np.einsum("kr,krj->kj", variance, homes**2) + np.einsum(
        "kr,krj->kj", mean, homes * (1 - homes)
    )
    return np.ceil(gamma_quantile(node_mean, node_variance, ratio[:, None]))


POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        WeeksOfSupply(), IndependentNewsvendor(), SingleEchelon(), Echelon(),
        Echelon(name="echelon_unpriced", sees_capacity=False),
        Echelon(name="echelon_protected", is_protected=True),
    )
}  # fmt: skip
