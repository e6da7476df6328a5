"""Items as the optimizer sees them: quantile tensors, costs, occupancy, packed tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.columns import (
    DEPENDENCE_GROUPS,
    QUANTILE_COLUMNS,
    QUANTILE_LEVELS,
    SIZE_CLASSES,
)
from pipeline.contracts.settings import Settings
from pipeline.core.demand import ItemDemand, Ranks, demand_tables, ranks_of_groups
from pipeline.core.item import ItemTables
from pipeline.core.lots import band_units
from pipeline.dependence import dependence_of
from pipeline.optimize.network_model import NetworkModel

LEVELS = np.array(QUANTILE_LEVELS)
_LATER_RATE, _LEAST_UNITS = 2.0, 1.0
"""A later week of so many times the first one's units, at least so many, gives a cycle's shape."""


@dataclass(frozen=True)
class DemandCube:
    """Forecasts as arrays: items and regions in order of id, windows in days from tomorrow.

    quantiles: float32 [items, windows, regions, levels]; mean: [items, windows, regions]; group:
    [items], place in DEPENDENCE_GROUPS. cycle_…: the same of what cycles are drawn from, windows
    from tomorrow, or, of what sells much more in a later week than in the first, windows at that
    week's rate.
    """

    items: list[str]
    regions: list[str]
    windows: NDArray[np.float64]
    quantiles: NDArray[np.float32]
    mean: NDArray[np.float64]
    group: NDArray[np.int64]
    cycle_quantiles: NDArray[np.float32]
    cycle_mean: NDArray[np.float64]

    def take(self, items: NDArray[np.int64], names: list[str] | None = None) -> DemandCube:
        """The cube of some items, by other names where these are given."""
        own = [self.items[k] for k in items] if names is None else names
        return DemandCube(
            own, self.regions, self.windows, self.quantiles[items], self.mean[items],
            self.group[items], self.cycle_quantiles[items], self.cycle_mean[items],
        )  # fmt: skip

    def scaled(self, factor: NDArray[np.float64]) -> DemandCube:
        """The cube with demand times a factor [items, windows, regions]."""
        quantiles, cycle = ((one * factor[..., None]).astype(np.float32)
                            for one in (self.quantiles, self.cycle_quantiles))  # fmt: skip
        return replace(self, quantiles=quantiles, mean=self.mean * factor, cycle_quantiles=cycle,
                       cycle_mean=self.cycle_mean * factor)  # fmt: skip

    def mean_over(self, days: NDArray[np.floating]) -> NDArray[np.float64]:
        """Expected network demand [items, days] from tomorrow over each number of days."""
        return self._mean(np.broadcast_to(days, (len(self.mean), len(days))))

    def mean_at(self, days: NDArray[np.floating]) -> NDArray[np.float64]:
        """Expected network demand [items] from tomorrow over each item's own days [items]."""
        return self._mean(days[:, None])[:, 0]

    def _mean(self, days: NDArray[np.floating]) -> NDArray[np.float64]:
        total = self.mean.sum(axis=2)
        known = np.concatenate([[0.0], self.windows])
        grown = np.concatenate([np.zeros((len(total), 1)), total], axis=1)
        rate = (grown[:, -1] - grown[:, -2]) / (known[-1] - known[-2])
        found = np.zeros(days.shape)
        for k, row in enumerate(grown):
            found[k] = np.interp(days[k], known, row)
        return found + np.maximum(days - known[-1], 0.0) * rate[:, None]


def demand_cube(quantiles: pd.DataFrame, items: list[str], regions: list[str]) -> DemandCube:
    """Quantile table as arrays; items or regions without a forecast have no demand."""
    rows = quantiles[quantiles["window_start_day"] == 1]
    days = np.unique(rows["window_days"].to_numpy())
    k = pd.Index(items).get_indexer(rows["item_id"].astype(str))
    r = pd.Index(regions).get_indexer(rows["region_id"].astype(str))
    w = np.searchsorted(days, rows["window_days"].to_numpy())
    known = (k >= 0) & (r >= 0)
    shape = (len(items), len(days), len(regions))
    cube = np.zeros((*shape, len(QUANTILE_COLUMNS)), np.float32)
    cube[k[known], w[known], r[known]] = rows[list(QUANTILE_COLUMNS)].to_numpy()[known]
    mean = np.zeros(shape)
    mean[k[known], w[known], r[known]] = rows["mean_units"].to_numpy(float)[known]
    group = np.zeros(len(items), np.int64)
    code = pd.Index(DEPENDENCE_GROUPS).get_indexer(rows["dependence_group"].astype(str))
    group[k[known]] = code[known]
    cycle, cycle_mean = _of_the_busiest_week(quantiles, items, regions, days, cube, mean)
    return DemandCube(items, regions, days.astype(float), cube, mean, group, cycle, cycle_mean)


def _of_the_busiest_week(
    quantiles: pd.DataFrame, items: list[str], regions: list[str], days: NDArray[np.int64],
    cube: NDArray[np.float32], mean: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:  # fmt: skip
    """Quantiles and means that cycles are drawn from: what hardly sells in the first week says
    nothing of the shape of later demand (a launch, a season, a region that is closed for a week).
    """
    rows = quantiles[(quantiles["window_start_day"] > 1) & (quantiles["window_days"] == days[0])]
    k = pd.Index(items).get_indexer(rows["item_id"].astype(str))
    r = pd.Index(regions).get_indexer(rows["region_id"].astype(str))
    units = rows["mean_units"].to_numpy(float)
    known = (k >= 0) & (r >= 0)
    first = np.zeros(len(rows))
    first[known] = mean[k[known], 0, r[known]]
    late = np.flatnonzero(known & (units >= _LEAST_UNITS) & (units > _LATER_RATE * first))
    if not len(late):
        return cube, mean
    late = late[np.lexsort((rows["window_start_day"].to_numpy()[late], -units[late]))]
    key = k[late] * len(regions) + r[late]
    late = late[np.unique(key, return_index=True)[1]]
    found, found_mean = cube.copy(), mean.copy()
    weekly = rows[list(QUANTILE_COLUMNS)].to_numpy(np.float32)[late]
    for w, length in enumerate(days):
        found[k[late], w, r[late]] = weekly * np.float32(length / days[0])
        found_mean[k[late], w, r[late]] = units[late] * (length / days[0])
    return found, found_mean


@dataclass(frozen=True)
class Economics:
    """Per item: unit cost of the cheapest vendor, value of a sale, cube, and what of the value is
    no income, goodwill kept or a loss that planners chose to make; arrays [items]."""

    unit_cost_usd: NDArray[np.float64]
    lost_sale_usd: NDArray[np.float64]
    cube_cuft: NDArray[np.float64]
    size_class: NDArray[np.uint8]
    goodwill_usd: NDArray[np.float64]


def economics(
    items: pd.DataFrame,
    vendor_items: pd.DataFrame,
    prices: pd.DataFrame,
    network: NetworkModel,
    as_of: date,
    settings: Settings,
) -> Economics:
    """What a unit costs and what a lost sale costs: margin at tomorrow's price after handling and
    delivery, at least nothing unless losing items are dropped, and goodwill."""
    ids = items["item_id"].astype(str)
    cost = vendor_items.groupby(vendor_items["item_id"].astype(str))["unit_cost_usd"].min()
    tomorrow = prices[prices["start_date"] <= pd.Timestamp(as_of + timedelta(days=1))]
    keys = [tomorrow["item_id"].astype(str), tomorrow["region_id"].astype(str)]
    latest = tomorrow.sort_values("start_date", kind="stable").groupby(keys)["price_usd"].last()
    price = latest.groupby(level=0).mean().reindex(ids)
    paid = np.where(price.isna(), items["list_price_usd"], price)
    unit_cost = cost.reindex(ids).to_numpy(float)
    unit_cost = np.where(np.isnan(unit_cost), paid, unit_cost)
    classes = {name: i for i, name in enumerate(SIZE_CLASSES)}
    size = items["size_class"].astype(str).map(classes).to_numpy().astype(np.uint8)
    cube = items["unit_cube_cuft"].to_numpy(float)
    kept = margin = paid - unit_cost - network.serving_usd(size, cube)
    if not settings.planning.drops_losing_items:  # to sell it is the planners' choice, not ours
        kept = np.maximum(kept, 0.0)
    lost = np.maximum(kept + settings.planning.goodwill_share * paid, 0.0)
    goodwill = np.where(lost > 0.0, lost - margin, 0.0)
    return Economics(unit_cost, lost, cube, size, goodwill)


def place_usd(
    network: NetworkModel, money: Economics, cycle_days: float, settings: Settings
) -> NDArray[np.float64]:
    """Cost of holding a unit at each node over the cycle [items, nodes]: capital and storage.

    Handling and lanes are paid by units that are served, wherever they are left over, so they are
    part of what it costs to serve from outside a set (network_model).
    """
    capital = settings.planning.holding_rate_per_year / 365.0 * money.unit_cost_usd
    storage = network.nodes["storage_usd_per_cuft_day"].to_numpy(float)
    usd = cycle_days * (capital[:, None] + money.cube_cuft[:, None] * storage[None, :])
    usd[~network.eligible[money.size_class]] = np.inf
    return usd


def lot_units(
    daily: NDArray[np.float64], money: Economics, settings: Settings
) -> NDArray[np.float64]:
    """Units [items] that an item is ordered at a time, minimums and cases apart."""
    most_days = settings.buy.dead_band_share * settings.planning.review_period_days
    holding = settings.planning.holding_rate_per_year / 365.0 * money.unit_cost_usd
    return band_units(daily, holding, settings.buy.order_line_usd, most_days)


def days_ordered_early(
    daily: NDArray[np.float64], money: Economics, settings: Settings
) -> NDArray[np.float64]:
    """Days [items] by which an item is ordered again before a review period is over.

    Plans are made every night, so what sells fast is ordered as soon as it lacks an economic lot.
    """
    review = float(settings.planning.review_period_days)
    lot = lot_units(daily, money, settings)
    wait = np.where(daily > 0, lot / np.maximum(daily, 1e-12), review)
    return np.asarray(review - np.clip(wait, 1.0, review))


def no_earlier(
    early_days: NDArray[np.float64], tables: dict[str, pd.DataFrame], items: list[str],
    review_days: int,
) -> NDArray[np.float64]:  # fmt: skip
    """The days [items] by which items are ordered early where their vendors take orders so soon;
    below zero where the soonest of an item's vendors takes its next order after a review period."""
    calendar = tables.get("vendor_calendar")
    if calendar is None:  # a world without calendars: every night is an order day
        return early_days
    gap = calendar.set_index(calendar["vendor_id"].astype(str))["order_gap_days"]
    offers = tables["vendor_items"]
    days = offers["vendor_id"].astype(str).map(gap).groupby(offers["item_id"].astype(str)).min()
    return np.minimum(early_days, review_days - days.reindex(items).fillna(1).to_numpy(float))


def joint_ranks(cube: DemandCube, dependence: pd.DataFrame, settings: Settings) -> Ranks:
    """Banks of joint ranks of the regions for the groups of tonight's items, the same every
    night."""
    groups = DEPENDENCE_GROUPS[: cube.group.max(initial=0) + 1]
    return ranks_of_groups(
        [dependence_of(dependence, cube.regions, group) for group in groups],
        cube.windows,
        LEVELS,
        settings.optimize.rank_banks,
        settings.optimize.scenarios,
        settings.planning.seed,
    )


def item_seeds(items: list[str]) -> NDArray[np.uint64]:
    """A number from each item's name, so that an item's draws do not depend on the others."""
    text = np.frombuffer(b"".join(name.encode().ljust(64)[:64] for name in items), np.uint8)
    powers = np.cumprod(np.full(64, 1099511628211, np.uint64))
    return (text.reshape(-1, 64).astype(np.uint64) * powers).sum(axis=1, dtype=np.uint64)


@dataclass(frozen=True)
class PackedItems:
    """Packed tables; mean: expected demand [items, sets] over the cycle; gap_usd: [items, sets]
    cost of serving from outside the set; bank: [items] bank of ranks."""

    tables: ItemTables
    mean: NDArray[np.float64]
    gap_usd: NDArray[np.float64]
    bank: NDArray[np.int64]

    def take(self, items: NDArray[np.int64]) -> PackedItems:
        """Some of the items."""
        return PackedItems(
            self.tables.take(items), self.mean[items], self.gap_usd[items], self.bank[items]
        )


def item_tables(
    network: NetworkModel,
    cube: DemandCube,
    ranks: Ranks,
    money: Economics,
    holding_usd: NDArray[np.float64],
    cycle_days: float,
    premium_usd: NDArray[np.float64] | None = None,
) -> PackedItems:
    """Packed tables of all items over the cycle, with empty nodes, all of profile 0.

    premium_usd: [items, sets] what service targets add to the cost of serving from outside.
    """
    seeds = item_seeds(cube.items)
    bank = ranks.bank((seeds >> np.uint64(33)).astype(np.int64), cube.group)
    gap = np.empty((len(cube.items), network.woods.parent.shape[1]))
    for t, tree in enumerate(network.woods.trees):
        mine = money.size_class == t
        for s in range(gap.shape[1]):
            gap[mine, s] = np.interp(
                money.cube_cuft[mine], network.cube_cuft, network.gap_usd[t, :, s]
            )
        for s in np.flatnonzero(network.lost_share[t, : tree.n_sets]).tolist():
            paid = np.interp(money.cube_cuft[mine], network.cube_cuft, network.spilt_usd[t, :, s])
            gap[mine, s] += network.lost_share[t, s] * np.maximum(
                money.lost_sale_usd[mine] - paid, 0.0
            )
    spilt = network.spilling_usd(money.size_class, money.cube_cuft)  # paid before a sale is lost
    # To be near is worth no more than the sale: levels fall to nothing with it, without a jump.
    worth = np.divide(money.lost_sale_usd, spilt, out=np.ones(len(gap)), where=spilt > 0.0)
    worth[money.lost_sale_usd <= 0.0] = 0.0
    gap *= np.clip(worth, 0.0, 1.0)[:, None]
    if premium_usd is not None:
        gap += premium_usd
    demand = ItemDemand(
        tree=money.size_class,
        quantiles=cube.cycle_quantiles,
        windows=cube.windows,
        intervals=np.array([cycle_days]),
        chances=np.ones((len(cube.items), 1)),
        bank=bank,
        seeds=seeds,
        gap_usd=gap,
    )
    units = np.full(len(cube.items), 1.0 / cycle_days)  # what is served in a cycle flows daily
    use = np.column_stack(
        [money.cube_cuft, units, units, money.cube_cuft * units, money.unit_cost_usd * units]
    )
    tables, mean = demand_tables(
        network.woods, network.shares, ranks, demand, holding_usd, use, most_knots=24
    )
    return PackedItems(tables, mean, gap, bank)
