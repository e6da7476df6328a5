"""A sample world's past, day by day: sales under finite stock, orders, late receipts, transfers.

The rule that runs it is a plain order-up-to rule with a forecast by moving average, so that stock
runs out now and then: those days censor the sales, as in real data.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.ingest.sample_demand import Assortment

_REVIEW_DAYS = 7
_SMOOTHING = 0.05
_SPARE_ROOM = 1.18


@dataclass(frozen=True)
class HistoryPlan:
    """What the past is made of: network tables, assortment, days, number of snapshots."""

    network: dict[str, pd.DataFrame]
    assortment: Assortment
    days: pd.DatetimeIndex
    snapshot_days: int


@dataclass
class _Order:
    """A line on its way: to one node, in one lot, or in two when the vendor splits it."""

    number: str
    vendor: int
    item: int
    node: int
    placed: int
    arrives: int
    units: int
    quoted: int


@dataclass
class _Log:
    """Rows gathered while the days go by; stock by item and node, flows by node."""

    stock_sum: np.ndarray
    received: np.ndarray
    shipped: np.ndarray
    sales: list[np.ndarray] = field(default_factory=list)
    short: list[np.ndarray] = field(default_factory=list)
    receipts: list[_Order] = field(default_factory=list)
    stock: dict[int, np.ndarray] = field(default_factory=dict)
    open_orders: dict[int, list[_Order]] = field(default_factory=dict)
    open_transfers: dict[int, list[tuple[int, int, int, int, int, int]]] = field(
        default_factory=dict
    )


class _World:
    """Positions and pipelines of a sample world; arrays are items x nodes."""

    def __init__(self, rng: np.random.Generator, plan: HistoryPlan) -> None:
        self.rng, self.plan = rng, plan
        nodes = plan.network["nodes"]
        self.names = nodes["node_id"].tolist()
        self.parent = [
            self.names.index(name) if isinstance(name, str) else -1
            for name in nodes["parent_node_id"]
        ]  # fmt: skip
        self.tier = nodes["tier"].tolist()
        items = plan.assortment.items
        bulky = (items["size_class"] == "non_sortable").to_numpy()
        accepts = nodes["accepts"].to_numpy()
        self.may_hold = (accepts == "any") | np.where(
            bulky[:, None], accepts == "non_sortable", accepts == "sortable"
        )
        self.regions = plan.network["regions"]["region_id"].tolist()
        self.serving = _serving_order(plan.network, self.names)
        self.rate = plan.assortment.daily_rate.copy()
        self.stock = np.zeros((len(items), len(self.names)), dtype=np.int64)
        self.orders: list[_Order] = []
        self.transfers: list[tuple[int, int, int, int, int, int]] = []
        self.count = 0
        self.vendor_items = plan.assortment.vendor_items.groupby("item_id", sort=True)
        self.choices = [self.vendor_items.get_group(name) for name in items["item_id"]]
        self.demand_share = self._demand_share()

    def _demand_share(self) -> np.ndarray:
        """Share of an item's demand below each node, by tier, among the nodes that may hold it."""
        share = np.zeros(self.stock.shape)
        weight = np.sqrt(self.plan.network["regions"]["population"].to_numpy())
        weight = weight / weight.sum()
        for region in range(len(self.regions)):
            for item in range(len(share)):
                told: set[str] = set()
                for node in self.serving[region]:
                    if self.may_hold[item, node] and self.tier[node] not in told:
                        share[item, node] += weight[region]
                        told.add(self.tier[node])
        return share

    def start(self) -> None:
        """Stock of the first day: some weeks of cover by tier, and none before a launch."""
        cover = np.array([{"distribution_center": 16, "fulfillment_center": 9,
                           "same_day_site": 4}[tier] for tier in self.tier])  # fmt: skip
        units = np.round(self.rate[:, None] * self.demand_share * cover).astype(np.int64)
        launched = (self.plan.assortment.items["launch_date"] <= self.plan.days[0]).to_numpy()
        self.stock = np.where(launched[:, None], units, 0)


def run_history(
    rng: np.random.Generator, plan: HistoryPlan, demand: np.ndarray
) -> dict[str, pd.DataFrame]:
    """Raw tables sales, availability, stock, open orders, open transfers, receipts, capacity."""
    world = _World(rng, plan)
    world.start()
    nodes = world.stock.shape[1]
    log = _Log(np.zeros(world.stock.shape), np.zeros(nodes), np.zeros(nodes))
    for day in range(len(plan.days)):
        _arrive(world, log, day)
        _sell(world, log, demand[:, :, day])
        _order(world, day)
        _move(world, log, day)
        log.stock_sum += world.stock * (day >= len(plan.days) - 60)
        if day >= len(plan.days) - plan.snapshot_days:
            log.stock[day] = world.stock.copy()
            log.open_orders[day] = list(world.orders)
            log.open_transfers[day] = list(world.transfers)
    return _tables(world, log)


def _serving_order(network: dict[str, pd.DataFrame], names: list[str]) -> list[list[int]]:
    """For each region its nodes, the cheapest at its fastest speed first."""
    options = network["delivery_options"]
    order = []
    for region in network["regions"]["region_id"]:
        best = options[options["region_id"] == region].sort_values(
            "ship_usd_per_unit", kind="stable"
        )
        own = best[best["speed"].isin(["same_day", "one_day", "two_day"])]["node_id"]
        chosen = list(dict.fromkeys([*own, *best["node_id"]]))
        order.append([names.index(node) for node in chosen])
    return order


def _arrive(world: _World, log: _Log, day: int) -> None:
    for order in [order for order in world.orders if order.arrives == day]:
        world.stock[order.item, order.node] += order.units
        log.receipts.append(order)
    world.orders = [order for order in world.orders if order.arrives > day]
    for item, _, to, _, due, moved in world.transfers:
        if due == day:
            world.stock[item, to] += moved
    world.transfers = [move for move in world.transfers if move[4] > day]


def _sell(world: _World, log: _Log, wanted: np.ndarray) -> None:
    """Serve each region from its nodes in turn; what none has is lost and was never a sale."""
    left = wanted.copy()
    for region, nodes in enumerate(world.serving):
        for node in nodes:
            taken = np.minimum(left[:, region], world.stock[:, node])
            world.stock[:, node] -= taken
            left[:, region] -= taken
            log.shipped[node] += taken.sum()
    log.sales.append(wanted - left)
    with np.errstate(invalid="ignore"):
        log.short.append(np.where(left > 0, np.round((wanted - left) / wanted, 2), 1.0))
    world.rate += _SMOOTHING * (wanted.sum(axis=1) - left.sum(axis=1) - world.rate)
    # A day without stock tells nothing of demand; do not let the rate decay to zero on it.
    world.rate = np.maximum(world.rate, 0.3 * world.plan.assortment.daily_rate)


def _order(world: _World, day: int) -> None:
    items = world.plan.assortment.items
    today = world.plan.days[day]
    coming = np.zeros(len(items), dtype=np.int64)
    for order in world.orders:
        coming[order.item] += order.units
    for item, _, _, _, _, units in world.transfers:
        coming[item] += units
    for item in range(day % _REVIEW_DAYS, len(items), _REVIEW_DAYS):
        choice = world.choices[item]
        row = choice.iloc[int(world.rng.random() < 0.25) % len(choice)]
        quoted, case = int(row["quoted_lead_time_days"]), int(row["case_pack_units"])
        launch, end = items["launch_date"].iloc[item], items["end_date"].iloc[item]
        gone = pd.notna(end) and today + pd.Timedelta(days=quoted) > end
        if gone or today < launch - pd.Timedelta(days=quoted + 7):
            continue
        cover = quoted + _REVIEW_DAYS
        level = world.rate[item] * cover * 1.12 + 1.2 * np.sqrt(world.rate[item] * cover * 2.5)
        need = level - world.stock[item].sum() - coming[item]
        if need <= 0:
            continue
        units = int(np.ceil(max(need, row["moq_units"]) / case) * case)
        _place_order(world, item, str(row["vendor_id"]), quoted, day, units, case)


def _place_order(
    world: _World, item: int, vendor: str, quoted: int, day: int, units: int, case: int
) -> None:
    """One order number, split by territory in whole cases; a vendor's lines may come late."""
    number = int(vendor.split("-")[1]) - 1
    late = world.plan.assortment.lateness[number]
    receiving = [node for node, parent in enumerate(world.parent)
                 if parent < 0 and world.may_hold[item, node]]  # fmt: skip
    share = world.demand_share[item, receiving]
    lots = np.floor(units / case * np.cumsum(share / share.sum()) + 0.5).astype(np.int64)
    world.count += 1
    for node, cases in zip(receiving, np.diff(lots, prepend=0), strict=True):
        if cases == 0:
            continue
        is_late = world.rng.random() < 0.55
        delay = world.rng.poisson(late) if is_late else -int(world.rng.random() < 0.2)
        world.orders.append(_Order(
            f"PO-{world.count:06d}", number, item, node, day, day + max(1, quoted + int(delay)),
            int(cases) * case, quoted,
        ))  # fmt: skip


def _move(world: _World, log: _Log, day: int) -> None:
    """Refill the lower tiers toward some days of cover: centers twice a week, sites daily."""
    lanes = world.plan.network["lanes"].set_index(["from_node_id", "to_node_id"])["transit_days"]
    going = np.zeros(world.stock.shape, dtype=np.int64)
    for item, _, to, _, _, moving in world.transfers:
        going[item, to] += moving
    for node, parent in enumerate(world.parent):
        if parent < 0 or (world.tier[node] == "fulfillment_center" and day % 3):
            continue
        days = {"fulfillment_center": 9.0, "same_day_site": 3.5}[world.tier[node]]
        target = np.ceil(world.rate * world.demand_share[:, node] * days)
        need = np.maximum(target - world.stock[:, node] - going[:, node], 0).astype(np.int64)
        units = np.where(world.may_hold[:, node], np.minimum(need, world.stock[:, parent]), 0)
        world.stock[:, parent] -= units
        arrives = day + int(lanes[world.names[parent], world.names[node]])
        for row in np.flatnonzero(units):
            world.transfers.append((int(row), parent, node, day, arrives, int(units[row])))
        log.received[node] += units.sum()
        log.shipped[parent] += units.sum()


def _tables(world: _World, log: _Log) -> dict[str, pd.DataFrame]:
    items = world.plan.assortment.items["item_id"].to_numpy()
    regions, days = np.array(world.regions), world.plan.days
    sold, short = np.stack(log.sales, axis=2), np.stack(log.short, axis=2)
    i, r, d = np.nonzero(sold)
    sales = pd.DataFrame({"item_id": items[i], "region_id": regions[r], "date": days[d],
                          "units": sold[i, r, d]})  # fmt: skip
    i, r, d = np.nonzero(short < 1)
    availability = pd.DataFrame({"item_id": items[i], "region_id": regions[r], "date": days[d],
                                 "in_stock_share": short[i, r, d]})  # fmt: skip
    return {
        "sales": sales,
        "availability": availability,
        "stock": _stock(world, log),
        "open_orders": pd.concat(
            [_order_rows(world, orders).assign(date=days[day], open_units=_units(orders))
             for day, orders in log.open_orders.items()]),
        "open_transfers": _transfer_rows(world, log),
        "receipts": _order_rows(world, log.receipts).assign(units=_units(log.receipts)),
        "node_capacity": _capacity(world, log),
    }  # fmt: skip


def _units(orders: list[_Order]) -> list[int]:
    return [order.units for order in orders]


def _order_rows(world: _World, orders: list[_Order]) -> pd.DataFrame:
    """Order lines; a vendor confirms after two days, and a late line keeps its quoted arrival."""
    items, days = world.plan.assortment.items["item_id"].to_numpy(), world.plan.days
    vendors = world.plan.assortment.vendors["vendor_id"].to_numpy()
    start = days[0]
    placed = start + pd.to_timedelta([order.placed for order in orders], unit="D")
    confirmed = placed + pd.Timedelta(days=2)
    arrives = start + pd.to_timedelta([order.arrives for order in orders], unit="D")
    return pd.DataFrame({
        "order_id": [order.number for order in orders],
        "vendor_id": vendors[[order.vendor for order in orders]],
        "item_id": items[[order.item for order in orders]],
        "node_id": np.array(world.names)[[order.node for order in orders]],
        "order_date": placed, "confirmed_date": np.minimum(confirmed, arrives),
        "expected_arrival_date": placed
        + pd.to_timedelta([order.quoted for order in orders], unit="D"),
        "arrival_date": arrives,
    })  # fmt: skip


def _stock(world: _World, log: _Log) -> pd.DataFrame:
    items, names = world.plan.assortment.items["item_id"].to_numpy(), np.array(world.names)
    parts = []
    for day, stock in log.stock.items():
        told = stock > 0
        # An empty node says so in a row of 0 units: without one its export would be missing.
        told[world.may_hold.argmax(axis=0), np.arange(len(names))] |= ~told.any(axis=0)
        i, n = np.nonzero(told)
        parts.append(pd.DataFrame({"date": world.plan.days[day], "item_id": items[i],
                                   "node_id": names[n], "on_hand_units": stock[i, n]}))  # fmt: skip
    return pd.concat(parts)


def _transfer_rows(world: _World, log: _Log) -> pd.DataFrame:
    items, names = world.plan.assortment.items["item_id"].to_numpy(), world.names
    days = world.plan.days
    rows = [
        {"date": days[day], "item_id": items[item], "from_node_id": names[start],
         "to_node_id": names[end], "ship_date": days[ships],
         "expected_arrival_date": days[0] + pd.Timedelta(days=arrives), "open_units": units}
        for day, moves in log.open_transfers.items()
        for item, start, end, ships, arrives, units in moves
    ]  # fmt: skip
    columns = ["date", "item_id", "from_node_id", "to_node_id", "ship_date",
               "expected_arrival_date", "open_units"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _capacity(world: _World, log: _Log) -> pd.DataFrame:
    """Storage and flows by node: most with room to spare, every third one tight."""
    cube = world.plan.assortment.items["unit_cube_cuft"].to_numpy()
    used = (log.stock_sum * cube[:, None]).sum(axis=0) / 60
    rows = []
    for node, name in enumerate(world.names):
        received = log.received[node] + sum(o.units for o in log.receipts if o.node == node)
        spare = _SPARE_ROOM if node % 3 == 0 else 1.8
        amounts = {
            "storage_cuft": used[node] * spare,
            "inbound_units_per_day": received / len(world.plan.days) * (spare + 0.25),
            "outbound_units_per_day": log.shipped[node] / len(world.plan.days) * 2.5,
        }
        rows += [(name, resource, world.plan.days[0], float(np.ceil(amount)))
                 for resource, amount in amounts.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["node_id", "resource", "start_date", "capacity"])
