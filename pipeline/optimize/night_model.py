"""The night's whole problem: network, items and capacity rows, built from the night's tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import product
from pipeline.core.demand import Ranks
from pipeline.core.item import ItemTables, positions
from pipeline.core.size import largest_demand
from pipeline.errors import UsageError
from pipeline.optimize.arrival_reserve import reserve_units
from pipeline.optimize.capacity_model import (
    CapacityModel,
    capacity_model,
    left_over,
    on_the_way,
    stock_on_hand,
    storage_cuft,
)
from pipeline.optimize.general_model import GeneralModel, general_model
from pipeline.optimize.item_model import (
    DemandCube,
    Economics,
    PackedItems,
    days_ordered_early,
    demand_cube,
    economics,
    item_tables,
    joint_ranks,
    no_earlier,
    place_usd,
)
from pipeline.optimize.network_model import NetworkModel, build_network
from pipeline.optimize.recapture import with_substitution
from pipeline.optimize.service_scopes import Scopes, service_scopes
from pipeline.optimize.sold_out import sold_out_units
from pipeline.optimize.stock_spread import swing_cuft
from pipeline.optimize.targets import Vendors, vendor_rows
from pipeline.optimize.weekly_demand import arriving, horizon, in_week, ratios

Tables = dict[str, pd.DataFrame]

MOST_UNITS = 2**31 - 1
"""Units from which on a level no longer fits into the tables' whole numbers."""


@dataclass(frozen=True)
class NightModel:
    """All that the optimizer needs of a night.

    drawn: the items' tables of the cycle that their demand is drawn from; packed: of tonight's;
    ahead: tables of all weeks, tonight's first; arriving: by row of `vendors`, of the cycle that
    begins when an order of tonight comes; unpriced: [items, nodes] best positions if capacity
    were free; cycle_days: days that a position must last; early_days: [items] days by which the
    next order comes sooner than that; sold_out: units by row of `vendors` of demand that is lost
    before an order can come; overrides: those of base stock in force tomorrow; general: the items'
    other model; scopes: what service targets are about; premium_usd: [items, sets] what they add to
    the cost of serving from outside a set.
    """

    network: NetworkModel
    cube: DemandCube
    money: Economics
    drawn: PackedItems
    packed: PackedItems
    ahead: ItemTables
    arriving: ItemTables
    unpriced: NDArray[np.int32]
    ranks: Ranks
    capacity: CapacityModel
    vendors: Vendors
    cycle_days: float
    early_days: NDArray[np.float64]
    sold_out: NDArray[np.float64]
    overrides: pd.DataFrame
    general: GeneralModel
    scopes: Scopes
    premium_usd: NDArray[np.float64]

    def ratios(self) -> Iterator[NDArray[np.float64]]:
        """By week [items, sets]: demand inside a set against that of the drawn cycle."""
        tree = self.drawn.tables.tree
        weeks = len(self.ahead) // len(tree)
        return ratios(self.network, self.cube, tree, weeks, self.cycle_days)

    @property
    def worth_usd(self) -> NDArray[np.float64]:
        """[items] usd of a sale; nothing where the item is not to be held."""
        root = self.network.woods.n_sets[self.packed.tables.tree] - 1
        usd = self.money.lost_sale_usd + self.premium_usd[np.arange(len(root)), root]
        return np.where(self.packed.gap_usd.any(axis=1), usd, 0.0)


def night_model(tables: Tables, as_of: date, settings: Settings) -> NightModel:
    """Model of the night from its tables."""
    items = _still_there(tables, as_of)
    items = items.sort_values("item_id", key=lambda ids: ids.astype(str), kind="stable")
    names = items["item_id"].astype(str).tolist()
    regions = sorted(tables["regions"]["region_id"].astype(str))
    cube = demand_cube(tables["demand_quantiles"], names, regions)
    by_region = cube.mean[:, -1].sum(axis=0) + 1e-9
    share = pd.Series(by_region / by_region.sum(), index=regions)
    network = build_network(
        tables["nodes"], tables["lanes"], tables["delivery_options"], tables["delivery_speeds"],
        tables["order_hours"], share, items["unit_cube_cuft"],
    )  # fmt: skip
    served = network.transit_days[network.parent >= 0]
    cycle_days = float(settings.planning.review_period_days)
    cycle_days += float(np.rint(served.mean())) if len(served) else 0.0
    money = economics(items, tables["vendor_items"], tables["prices"], network, as_of, settings)
    cube, money = with_substitution(cube, money, tables, settings)
    ranks = joint_ranks(cube, tables["demand_dependence"], settings)
    holding = place_usd(network, money, cycle_days, settings)
    overrides = _in_force(tables["overrides"], as_of)
    _block(holding, overrides, names, network.names)
    drawn = item_tables(network, cube, ranks, money, holding, cycle_days)
    tree, weeks = drawn.tables.tree, settings.planning.horizon_weeks
    ratio = list(ratios(network, cube, tree, weeks, cycle_days))
    packed = in_week(drawn, ratio[0])
    unpriced = free_positions(network, packed.tables)
    root = network.woods.n_sets[tree] - 1
    demand = packed.mean[np.arange(len(root)), root]
    ahead = horizon(network, drawn.tables, ratio, cycle_days)
    _refuse_endless(network, ahead, names)
    through, by_week = network.through(tree, drawn.mean, ratio)
    weekly = through * 7.0 / cycle_days
    level = unpriced if packed is drawn else free_positions(network, drawn.tables)
    stock = stock_on_hand(network, tables["stock"], names, as_of)
    asked = [drawn.mean[np.arange(len(root)), root] * one[np.arange(len(root)), root]
             for one in ratio]  # fmt: skip
    overstock, kept_share = left_over(
        stock, on_the_way(network, tables, names, as_of, weeks), level, weekly,
        np.stack(asked, axis=1) * 7.0 / cycle_days, by_week, money.cube_cuft,
    )  # fmt: skip
    reserve = reserve_units(
        network, money, names, tables, weekly * (level.sum(axis=1) > 0)[:, None], settings
    )
    vendors = vendor_rows(
        tables["vendor_items"], tables["lead_times"], names, money, tables.get("vendor_calendar"),
        settings.planning.review_period_days,
    )  # fmt: skip
    lead_days = vendors.cheapest_lead_days(len(names)) + settings.planning.review_period_days / 2.0
    swing = swing_cuft(
        cube, ranks, drawn.bank, money.cube_cuft, lead_days, level, np.isfinite(holding), by_week,
        storage_cuft(network, tables["node_capacity"], as_of, weeks),
    )  # fmt: skip
    # All that stock could ever be filled up to, and weeks of demand besides, bought in one night.
    ever = unpriced.sum(axis=1) + weeks * 7.0 / cycle_days * demand
    capacity = capacity_model(
        network, tables["node_capacity"], tables["lanes"], kept_share, overstock, reserve, swing,
        as_of, settings, float(product(money.unit_cost_usd, ever)),
    )  # fmt: skip
    early_days = days_ordered_early(demand / cycle_days, money, settings)
    early_days = no_earlier(early_days, tables, names, settings.planning.review_period_days)
    comes = arriving(network, cube, drawn.tables, ahead, vendors, cycle_days, early_days)
    return NightModel(
        network, cube, money, drawn, packed, ahead, comes, unpriced, ranks, capacity, vendors,
        cycle_days,
        early_days, sold_out_units(cube, vendors, tables, as_of), overrides,
        general_model(network, tables, share),
        service_scopes(network, cube, packed, tables, share, cycle_days),
        np.zeros(packed.gap_usd.shape),
    )  # fmt: skip


def _still_there(tables: Tables, as_of: date) -> pd.DataFrame:
    """Items that are on sale, or of which something stands or is on its way: what is over and gone
    has no level, and changes none."""
    today = tables["stock"]["date"] == pd.Timestamp(as_of)
    standing = tables["stock"][today & (tables["stock"]["on_hand_units"] > 0)]
    held = [frame["item_id"].astype(str)
            for frame in (standing, tables["open_orders"], tables["open_transfers"])]  # fmt: skip
    items = tables["items"]
    if "end_date" not in items:  # a world in which nothing ends
        return items
    is_over = items["end_date"].notna() & (items["end_date"] <= pd.Timestamp(as_of))
    return items[~is_over | items["item_id"].astype(str).isin(pd.concat(held))]


def raised(model: NightModel, premium_usd: NDArray[np.float64]) -> NightModel:
    """The model in which serving from outside a set costs premium_usd [items, sets] more."""
    holding = model.packed.tables.place_usd.astype(np.float64)
    drawn = item_tables(
        model.network, model.cube, model.ranks, model.money, holding, model.cycle_days, premium_usd
    )
    ratio = list(model.ratios())
    packed = in_week(drawn, ratio[0])
    ahead = horizon(model.network, drawn.tables, ratio, model.cycle_days)
    comes = arriving(
        model.network, model.cube, drawn.tables, ahead, model.vendors, model.cycle_days,
        model.early_days,
    )  # fmt: skip
    return replace(
        model, drawn=drawn, packed=packed, ahead=ahead, arriving=comes, premium_usd=premium_usd
    )


def _refuse_endless(network: NetworkModel, ahead: ItemTables, names: list[str]) -> None:
    """Raise UsageError where an item may be asked for more units than levels can count."""
    if not names:
        return
    most = largest_demand(network.woods, ahead).reshape(-1, len(names)).max(axis=0, initial=0.0)
    wrong = np.flatnonzero(most >= MOST_UNITS)
    if len(wrong):
        told = ", ".join(f"{names[k]} ({most[k]:,.0f} units)" for k in wrong[:5].tolist())
        raise UsageError(
            f"table demand_quantiles: {len(wrong)} items may sell {MOST_UNITS:,.0f} units or more "
            f"in a cycle, which levels cannot count: {told}. Count them in larger units, such as "
            "cases, or correct their sales and plan the night again."
        )


def free_positions(network: NetworkModel, tables: ItemTables) -> NDArray[np.int32]:
    """Best positions [items, nodes] if capacity were free."""
    price = np.zeros((1, tables.use.shape[1], network.woods.n_nodes))
    return positions(network.woods, tables, price)


def _in_force(overrides: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Overrides of base stock that apply tomorrow, in order of id."""
    tomorrow = pd.Timestamp(as_of + timedelta(days=1))
    chosen = overrides[
        (overrides["override_target"].astype(str) == "base_stock_units")
        & (overrides["start_date"] <= tomorrow)
        & (overrides["expiry_date"] >= tomorrow)
    ]
    return chosen.sort_values("override_id", kind="stable")


def scope(
    override: pd.Series, items: pd.Index, nodes: pd.Index
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the items and nodes that an override means; a null item or node means all."""
    places = []
    for name, ids in ((override["item_id"], items), (override["node_id"], nodes)):
        at = np.arange(len(ids)) if pd.isna(name) else ids.get_indexer([str(name)])
        places.append(at[at >= 0].astype(np.int64))
    return places[0], places[1]


def _block(
    holding: NDArray[np.float64], overrides: pd.DataFrame, items: list[str], nodes: list[str]
) -> None:
    """Make blocked nodes ineligible for the items that an override names."""
    blocks = overrides[overrides["override_kind"].astype(str) == "block"]
    item_ids, node_ids = pd.Index(items), pd.Index(nodes)
    for _, override in blocks.iterrows():
        mine, at = scope(override, item_ids, node_ids)
        holding[np.ix_(mine, at)] = np.inf
