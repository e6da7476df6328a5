"""The world: stock, shipments and a ledger; it answers each night's decisions with a day.

A day runs: arrivals are received, tonight's transfers leave (never more than there is), tonight's
orders go to their vendors, customers' orders are served, costs are counted, and every unit is
accounted for. Nothing here knows how decisions are made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.world import kernel
from pipeline.simulate.world.choice import Recaptured, TrueChain, walk
from pipeline.simulate.world.law import Law, Refusals, uphold
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.returns import return_nodes, sent_back, split_usd
from pipeline.simulate.world.state import Decisions, State
from pipeline.simulate.world.supply import Ints, LeadTimes, Shipments, confirmed_units, dispatch

MONEY = (
    "revenue_usd", "cost_of_goods_usd", "shipping_usd", "missed_speed_usd", "goodwill_usd",
    "handling_usd", "transport_usd", "holding_usd", "storage_usd", "price_variance_usd",
    "overflow_usd",
)  # fmt: skip
"""Columns of a day's money by item; profit is the first less all others."""


_SEED_STEP = 1_000_000_007
"""Between the seeds of a customer's tries."""


@dataclass(frozen=True)
class Back:
    """units: [items, nodes] that customers sent back; refund_usd: [items], at today's price."""

    units: Ints
    refund_usd: NDArray[np.float64]


class LedgerError(RuntimeError):
    """Units appeared or vanished: a bug in the world, never the user's."""


@dataclass(frozen=True)
class Day:
    """What a day brought.

    sold, in_stock_share: [items, regions]; count: [items, 5] (kernel's columns); money: [items,
    MONEY] usd; speed_units: [speeds, 2] asked for and kept; usage, overflow: [nodes, resources],
    overflow of flows being what the day adds to its week's; received: the shipments that arrived;
    lawful: the decisions that were carried out, orders as vendors confirmed them; overdue,
    kept_back: [items] units late at vendors, and waiting for a lane; refused: decisions that were
    not carried out, None without a law; recaptured: units whose customers took another item, None
    where customers do not substitute. What an item sold to others' customers is among its sold;
    units lost are an item's own customers who went without.
    """

    day: int
    sold: Ints
    in_stock_share: NDArray[np.float64]
    count: Ints
    money: NDArray[np.float64]
    speed_units: Ints
    usage: NDArray[np.float64]
    overflow: NDArray[np.float64]
    received: Shipments
    orders_units: int
    order_lines: int
    lawful: Decisions
    overdue: Ints
    kept_back: Ints
    refused: Refusals | None
    recaptured: Recaptured | None = None

    @property
    def item_profit_usd(self) -> NDArray[np.float64]:
        """Profit of each item."""
        return self.money[:, 0] - self.money[:, 1:].sum(axis=1)


class World:
    """A network, its state and its luck (seed); `live` moves it on by one day."""

    def __init__(
        self, model: WorldModel, times: LeadTimes, state: State, seed: int, law: Law | None = None,
        chain: TrueChain | None = None,
    ) -> None:  # fmt: skip
        self.model, self.times, self.state, self.seed = model, times, state, seed
        self.law, self.chain = law, chain
        n_items, _, n_nodes = model.shape
        self.none_kept = np.zeros((n_items, model.offers.n_speeds, n_nodes), dtype=np.int64)
        self.keep = self.none_kept
        self.return_node = return_nodes(model)

    def live(
        self, day: int, demand: Ints, price_usd: NDArray[np.float64], decisions: Decisions,
        capacity: NDArray[np.float64] | None = None,
        opportunity_usd: NDArray[np.float64] | None = None, keep: Ints | None = None,
    ) -> Day:  # fmt: skip
        """One day under the decisions of the night before it.

        demand, price_usd: [items, regions]; capacity: [nodes, resources] of this day, None = no
        limits; storage is held to it daily, flows to its sum over the planning week;
        opportunity_usd: [items, nodes], what a unit is worth to later orders (protected only);
        keep: [items, speeds, nodes] units that an order of the speed leaves for dearer ones.
        Raises LedgerError if a unit is lost or made.
        """
        state, (n_items, n_regions, n_nodes) = self.state, self.model.shape
        self.keep = self.none_kept if keep is None else keep
        owned = _owned(state, n_items)
        waiting = state.waiting.sum(axis=1)
        is_here = state.on_the_way.arrival_day <= day
        received = state.on_the_way.where(is_here)
        state.on_the_way = state.on_the_way.where(~is_here)
        inbound = np.zeros((n_items, n_nodes), dtype=np.int64)
        np.add.at(inbound, (received.item, received.node), received.units)
        back = self._take_back(price_usd)
        inbound += back.units
        state.on_hand += inbound
        refused = None
        if self.law is not None:
            decisions, refused = uphold(self.law, self.model, decisions, state.on_hand, day)
        decisions = replace(decisions, units=confirmed_units(
            self.model, self.seed, decisions.vendor, decisions.item, decisions.units, day
        ))  # fmt: skip
        outbound, transport_usd, kept_back = self._transfer(decisions, day)
        ordered = self._order(decisions, day)
        shipped = np.zeros((n_items, n_nodes), dtype=np.int64)
        sold = np.zeros((n_items, n_regions), dtype=np.int64)
        in_stock = np.zeros((n_items, n_regions))
        count, money = np.zeros((n_items, 5), dtype=np.int64), np.zeros((n_items, 4))
        speed = np.zeros((len(self.model.bounds) - 1, len(self.model.speeds), 2), dtype=np.int64)
        served = np.zeros((len(self.model.bounds) - 1, n_regions, n_nodes), dtype=np.int64)
        self._trade(day, demand, price_usd, opportunity_usd, sold, shipped, in_stock, count, money,
                    speed, served)  # fmt: skip
        recaptured = None
        if self.chain is not None:
            recaptured = self._trade_on(self.chain, day, demand - sold, price_usd, opportunity_usd,
                                        sold, shipped, count, money, served)  # fmt: skip
        if len(state.returning):
            state.returning[-1] = sent_back(self.model, self.seed, day, sold)
        self._check(
            owned + back.units.sum(axis=1),
            waiting,
            ordered,
            demand,
            sold,
            shipped,
            count,
            recaptured,
        )
        usage = np.stack(
            [_sum_over(state.on_hand, self.model.cube_cuft), inbound.sum(axis=0),
             (shipped + outbound).sum(axis=0)], axis=1,
        ).astype(float)  # fmt: skip
        excess = np.zeros_like(usage)
        if capacity is not None:
            excess[:, 0] = np.maximum(usage[:, 0] - capacity[:, 0], 0.0)
            excess[:, 1:] = _flow_excess(state.flow, day, usage[:, 1:], capacity[:, 1:])
        costs = self._costs(count, money, inbound, outbound, shipped, usage, excess)
        np.add.at(costs[:, 9], decisions.item,
                  decisions.units * (decisions.unit_cost_usd
                                     - self.model.unit_cost_usd[decisions.item]))  # fmt: skip
        costs[:, 6] = transport_usd
        costs[:, 0] -= back.refund_usd
        costs[:, 1] -= back.units.sum(axis=1) * self.model.unit_cost_usd
        costs[:, 2] += split_usd(served.sum(axis=0), sold, self.model.rules)
        return Day(
            day, sold, in_stock, count, costs, speed.sum(axis=0), usage, excess, received,
            int(decisions.units.sum()), int((decisions.units > 0).sum()), decisions,
            self._overdue(day), kept_back, refused, recaptured,
        )  # fmt: skip

    def _take_back(self, price_usd: NDArray[np.float64]) -> Back:
        """What customers sent back arrives; the day that is due makes room for today's."""
        state, (n_items, _, n_nodes) = self.state, self.model.shape
        back = Back(np.zeros((n_items, n_nodes), dtype=np.int64), np.zeros(n_items))
        if len(state.returning):
            due = state.returning[0].copy()
            state.returning[:-1] = state.returning[1:]
            np.add.at(back.units, (np.arange(n_items)[:, None], self.return_node), due)
            back.refund_usd[:] = (due * price_usd).sum(axis=1)
        return back

    def _transfer(self, decisions: Decisions, day: int) -> tuple[Ints, NDArray[np.float64], Ints]:
        """Let transfers leave, each up to what is there and what its lane takes; what is left over
        waits at its node for the next plan. Returns units out, transport in usd, and units that
        lanes kept back, by item."""
        state, (n_items, _, n_nodes) = self.state, self.model.shape
        outbound = np.zeros((n_items, n_nodes), dtype=np.int64)
        usd = np.zeros(n_items)
        kept_back = np.zeros(n_items, dtype=np.int64)
        if not len(decisions.transfer_units):
            return outbound, usd, kept_back
        item, source = decisions.transfer_item, decisions.transfer_source
        units = decisions.transfer_units.copy()
        np.add.at(outbound, (item, source), units)
        if (outbound > state.on_hand).any():  # less arrived than was planned with
            left = state.on_hand.copy()
            for i in range(len(units)):
                units[i] = min(units[i], left[item[i], source[i]])
                left[item[i], source[i]] -= units[i]
        asked, units = units, self._within_lanes(units, item, source, decisions.transfer_node)
        np.add.at(kept_back, item, asked - units)
        outbound[:] = 0
        np.add.at(outbound, (item, source), units)
        state.on_hand -= outbound
        rate = self.model.lane_usd_per_cuft[source, decisions.transfer_node]
        np.add.at(usd, item, units * rate * self.model.cube_cuft[item])
        sent, none = np.full(len(units), day, dtype=np.int64), np.full(len(units), -1)
        arrival = day + self.model.lane_days[source, decisions.transfer_node]
        expected = np.maximum(decisions.transfer_arrival_day, arrival)
        number = state.next_number + np.arange(len(units))
        state.next_number += len(units)
        moved = Shipments(
            number, none, item, source, decisions.transfer_node, sent, expected, arrival, units
        )
        state.on_the_way = state.on_the_way.plus(moved.where(units > 0))
        return outbound, usd, kept_back

    def _within_lanes(self, units: Ints, item: Ints, source: Ints, target: Ints) -> Ints:
        """Units that fit a lane's day: on a lane that is asked for too much, the same share of each
        transfer, in whole units."""
        room = self.model.lane_cuft_per_day
        asked = np.zeros(room.shape)
        np.add.at(asked, (source, target), units * self.model.cube_cuft[item])
        if not (asked > room).any():
            return units
        share = np.minimum(1.0, room / np.maximum(asked, 1e-12))[source, target]
        return np.where(share < 1, np.floor(units * share + 1e-9).astype(np.int64), units)

    def _overdue(self, day: int) -> Ints:
        """[items] units that vendors promised for the day or before and that are not there."""
        ways, found = self.state.on_the_way, np.zeros(len(self.model.items), dtype=np.int64)
        is_late = (ways.vendor >= 0) & (ways.expected_day <= day)
        np.add.at(found, ways.item[is_late], ways.units[is_late])
        return found

    def _order(self, decisions: Decisions, day: int) -> Ints:
        """Send tonight's orders to their vendors; returns units ordered by item."""
        ordered = np.zeros(len(self.model.items), dtype=np.int64)
        if len(decisions.units):
            placed = dispatch(
                self.model, self.times, self.seed, decisions.vendor, decisions.item,
                decisions.node, decisions.units, decisions.expected_day, day,
                self.state.next_number,
            )  # fmt: skip
            self.state.next_number += len(decisions.units)
            self.state.on_the_way = self.state.on_the_way.plus(placed)
            np.add.at(ordered, decisions.item, decisions.units)
        return ordered

    def _trade(
        self, day: int, demand: Ints, price_usd: NDArray[np.float64],
        opportunity_usd: NDArray[np.float64] | None, *outputs: NDArray, attempt: int = 0,
    ) -> None:  # fmt: skip
        """Serve `demand`; attempt: 0 for the day's own customers, else that of those who try on,
        whose hours and speeds are drawn anew."""
        model, offers, rules = self.model, self.model.offers, self.model.rules
        price = np.zeros(self.state.on_hand.shape) if opportunity_usd is None else opportunity_usd
        kernel.trade_day(
            self.seed + attempt * _SEED_STEP, day, model.bounds, model.item_key, model.region_key,
            demand, price_usd, self.state.on_hand, self.state.waiting, price, model.cumulative,
            model.bucket_share, model.reach, offers.n_speeds, offers.start, offers.late,
            offers.node, offers.ship_usd, offers.missed_usd, opportunity_usd is not None,
            self.keep, rules.accept_late_share, rules.lets_wait, *outputs,
        )  # fmt: skip

    def _trade_on(
        self, chain: TrueChain, day: int, lost: Ints, price_usd: NDArray[np.float64],
        opportunity_usd: NDArray[np.float64] | None, sold: Ints, shipped: Ints, count: Ints,
        money: NDArray[np.float64], served: Ints,
    ) -> Recaptured:  # fmt: skip
        """Let the customers of `lost` [items, regions] units turn to other items; adds what they
        buy to the day's outputs and takes it off what was lost."""
        model = self.model

        def serve(attempt: int, asked: Ints) -> Ints:
            own, tally = np.zeros_like(sold), np.zeros_like(count)
            usd, unseen = np.zeros_like(money), np.zeros(price_usd.shape)
            speed = np.zeros((len(model.bounds) - 1, len(model.speeds), 2), dtype=np.int64)
            self._trade(day, asked, price_usd, opportunity_usd, own, shipped, unseen, tally, usd,
                        speed, served, attempt=attempt)  # fmt: skip
            count[:, [kernel.KEPT, kernel.LATE]] += tally[:, [kernel.KEPT, kernel.LATE]]
            usd[:, kernel.LOST_VALUE] = 0.0  # it is a loss of the item that was wanted first
            money[:] += usd
            sold[:] += own
            return own

        found = walk(chain, self.seed, day, model.item_key, model.region_key, lost, serve)
        count[:, kernel.LOST] -= found.passed_on.sum(axis=1)
        money[:, kernel.LOST_VALUE] -= (found.passed_on * price_usd).sum(axis=1)
        return found

    def _costs(
        self, count: Ints, money: NDArray[np.float64], inbound: Ints, outbound: Ints,
        shipped: Ints, usage: NDArray[np.float64], excess: NDArray[np.float64],
    ) -> NDArray[np.float64]:  # fmt: skip
        """[items, MONEY]; what a node pays for overflow is shared by use of the resource."""
        model, rules, state = self.model, self.model.rules, self.state
        transit = state.on_the_way.where(state.on_the_way.vendor < 0)
        owned = state.on_hand.sum(axis=1)
        np.add.at(owned, transit.item, transit.units)
        sold = count[:, kernel.KEPT] + count[:, kernel.LATE]
        found = np.zeros((len(model.items), len(MONEY)))
        found[:, 0] = money[:, kernel.REVENUE]
        found[:, 1] = sold * model.unit_cost_usd
        found[:, 2] = money[:, kernel.SHIPPING]
        found[:, 3] = money[:, kernel.MISSED]
        found[:, 4] = money[:, kernel.LOST_VALUE] * rules.goodwill_share
        found[:, 5] = _weighted(inbound, model.handling_usd)
        found[:, 7] = owned * model.unit_cost_usd * (rules.holding_rate_per_year / 365.0)
        found[:, 8] = _weighted(state.on_hand, model.storage_usd) * model.cube_cuft
        uses = (state.on_hand, inbound, shipped + outbound)
        for resource, use in enumerate(uses):
            over = np.flatnonzero(excess[:, resource] > 0)
            if len(over):
                rate = rules.overflow_usd[resource] * excess[over, resource] / usage[over, resource]
                weight = model.cube_cuft if resource == 0 else 1.0
                found[:, 10] += _weighted(use[:, over], rate) * weight
        return found

    def _check(
        self, owned: Ints, waiting: Ints, ordered: Ints, demand: Ints, sold: Ints, shipped: Ints,
        count: Ints, recaptured: Recaptured | None,
    ) -> None:  # fmt: skip
        """Every unit is where the books say, item by item."""
        state = self.state
        now = _owned(state, len(owned))
        won = 0 if recaptured is None else (recaptured.sold - recaptured.passed_on).sum(axis=1)
        balance = {
            "stock and shipments": owned + ordered - shipped.sum(axis=1) - now,
            "sales and deliveries": sold.sum(axis=1) - shipped.sum(axis=1),
            "demand": demand.sum(axis=1) + won + waiting - state.waiting.sum(axis=1)
            - count[:, [kernel.KEPT, kernel.LATE, kernel.LOST]].sum(axis=1),
        }  # fmt: skip
        for what, difference in balance.items():
            if difference.any():
                k = int(np.flatnonzero(difference)[0])
                name = self.model.items[k]
                raise LedgerError(f"{what} of {name} is off by {difference[k]} units")
        if (state.on_hand < 0).any():
            raise LedgerError("negative stock")


def days_left_in_week(day: int) -> int:
    """Days of the planning week (Monday to Sunday) from `day`, counted from 1970, on: 7 to 1."""
    return 7 - (day + 3) % 7  # 1970-01-01 was a Thursday


def _flow_excess(
    flow: NDArray[np.float64], day: int, units: NDArray[np.float64], capacity: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[nodes, 2] units by which the day takes the week's flow further above its capacity.

    A week has the capacity of its days gone and, for those to come, today's; docks and shifts can
    be moved within it. Updates `flow` (see State).
    """
    left = days_left_in_week(day)
    if left == 7:
        flow[:] = 0.0
    flow[0] += units
    over = np.maximum(flow[0] - (flow[1] + left * capacity), 0.0)
    excess = np.clip(over - flow[2], 0.0, units)
    flow[1] += capacity
    flow[2] += excess
    return excess


def _weighted(units: Ints, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Row sums of units times weight of the column, in a fixed order (no threaded BLAS)."""
    return np.einsum("kj,j->k", units, weight)


def _sum_over(units: Ints, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Column sums of units times weight of the row, in a fixed order."""
    return np.einsum("kj,k->j", units, weight)


def _owned(state: State, n_items: int) -> Ints:
    total = state.on_hand.sum(axis=1)
    np.add.at(total, state.on_the_way.item, state.on_the_way.units)
    return total
