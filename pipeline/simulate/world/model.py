"""The world's arrays, made once from tables in the raw contract: who, where, which orders, costs.

Pure: frames in, arrays out. What the world does with them is in `world`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from pipeline.contracts.columns import RESOURCES
from pipeline.contracts.settings import Section
from pipeline.core.fulfillment import Offers
from pipeline.delivery import by_two, delivery
from pipeline.simulate.world.randomness import keys

Tables = Mapping[str, pd.DataFrame]
CHUNKS = 64
"""Items are worked off in so many chunks; a constant, so that sums do not depend on threads."""


class WorldRules(Section):
    """How the world behaves beyond what the tables say."""

    accept_late_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Customers who take a unit that misses its promised speed; others are lost.",
    )
    lets_wait: bool = Field(False, description="Unserved customers wait instead of being lost.")
    assignment: Literal["nearest", "replacement", "scarcity"] = Field(
        "nearest",
        description="Where orders are served from, whoever plans. nearest: the cheapest delivery; "
        "replacement: also what bringing the next unit there costs, less the overflow that it "
        "spares; scarcity: also what the unit is worth to next week's orders.",
    )
    partial_receipt_share: float = Field(
        0.15, ge=0, le=1, description="Order lines of which 10-50 % of the units come later."
    )
    short_share: float = Field(
        0.0, ge=0, le=1, description="Order lines that vendors confirm with 5-30 % fewer units."
    )
    over_share: float = Field(
        0.0, ge=0, le=1, description="Order lines that vendors confirm with 5-10 % more units."
    )
    receiving_days: int = Field(
        0, ge=0, le=14, description="Days from a vendor's truck at the dock to units that can be "
        "sold; planners count on none.",
    )  # fmt: skip
    return_share: float = Field(
        0.0, ge=0, lt=1, description="Units sold that come back, can be sold again and are paid "
        "back; they come to the region's cheapest node, and planners are told of none.",
    )  # fmt: skip
    return_days: int = Field(14, ge=1, le=90, description="Days until they are back.")
    order_units: float = Field(
        1.0, ge=1, le=50, description="Units of an order, of different items: what lies at several "
        "nodes goes in several parcels.",
    )  # fmt: skip
    split_usd: float = Field(
        0.0, ge=0, description="Cost of each parcel of an order beyond its first."
    )
    partial_delay_days: int = Field(10, ge=1, le=90, description="Most days that they are later.")
    goodwill_share: float = Field(0.1, ge=0, le=5, description="Goodwill lost, share of the price.")
    holding_rate_per_year: float = Field(0.25, ge=0, le=2, description="Capital cost of stock.")
    overflow_usd: tuple[float, float, float] = Field(
        (0.5, 0.5, 0.5),
        description="Charge beyond capacity: a cubic foot and day stored, a unit received or "
        "shipped in a week.",
    )  # fmt: skip


@dataclass(frozen=True)
class WorldModel:
    """What does not change while the world runs; item, region, node and vendor by position.

    cumulative: [regions, buckets * speeds] cumulative shares of demand; reach: uint64 [regions,
    words], nodes that serve the region; bounds: [chunks + 1] first items; lane_usd_per_cuft,
    lane_days, lane_cuft_per_day: [nodes, nodes], a day at least and inf cubic feet unless the
    lanes say otherwise; may_hold: [items, nodes].
    """

    items: pd.Index
    regions: pd.Index
    nodes: pd.Index
    vendors: pd.Index
    speeds: pd.Index
    item_key: NDArray[np.uint64]
    region_key: NDArray[np.uint64]
    vendor_key: NDArray[np.uint64]
    offers: Offers
    first_hour: NDArray[np.int64]
    cumulative: NDArray[np.float64]
    bucket_share: NDArray[np.float64]
    reach: NDArray[np.uint64]
    bounds: NDArray[np.int64]
    cube_cuft: NDArray[np.float64]
    unit_cost_usd: NDArray[np.float64]
    handling_usd: NDArray[np.float64]
    storage_usd: NDArray[np.float64]
    lane_usd_per_cuft: NDArray[np.float64]
    lane_days: NDArray[np.int64]
    lane_cuft_per_day: NDArray[np.float64]
    tier: NDArray[np.str_]
    may_hold: NDArray[np.bool_]
    rules: WorldRules

    @property
    def shape(self) -> tuple[int, int, int]:
        """Items, regions, nodes."""
        return len(self.items), len(self.regions), len(self.nodes)


def world_model(tables: Tables, rules: WorldRules) -> WorldModel:
    """The model of a network; standard cost of an item = its cheapest vendor's."""
    items = pd.Index(sorted(tables["items"]["item_id"].astype("str")))
    regions = pd.Index(sorted(tables["regions"]["region_id"].astype("str")))
    nodes = pd.Index(sorted(tables["nodes"]["node_id"].astype("str")))
    vendors = pd.Index(sorted(tables["vendors"]["vendor_id"].astype("str")))
    found = delivery(dict(tables), regions, nodes)
    cells = (found.bucket_share[None, :, None] * found.share[:, None, :]).reshape(len(regions), -1)
    item_rows = tables["items"].set_index(tables["items"]["item_id"].astype("str")).loc[items]
    node_rows = tables["nodes"].set_index(tables["nodes"]["node_id"].astype("str")).loc[nodes]
    accepts = node_rows["accepts"].astype("str").to_numpy()
    size = item_rows["size_class"].astype("str").to_numpy()
    cost = tables["vendor_items"].groupby("item_id", observed=True)["unit_cost_usd"].min()
    cost.index = cost.index.astype("str")
    return WorldModel(
        items=items, regions=regions, nodes=nodes, vendors=vendors, speeds=found.speeds,
        item_key=keys(items), region_key=keys(regions), vendor_key=keys(vendors),
        offers=found.offers, first_hour=found.first_hour, cumulative=np.cumsum(cells, axis=1),
        bucket_share=found.bucket_share,
        reach=_reach(np.asarray(np.isfinite(found.ship_usd).any(axis=1))),
        bounds=np.linspace(0, len(items), CHUNKS + 1).astype(np.int64),
        cube_cuft=item_rows["unit_cube_cuft"].to_numpy(float),
        unit_cost_usd=cost.reindex(items).to_numpy(float),
        handling_usd=node_rows["handling_usd_per_unit"].to_numpy(float),
        storage_usd=node_rows["storage_usd_per_cuft_day"].to_numpy(float),
        lane_usd_per_cuft=by_two(
            tables["lanes"], "lane_usd_per_cuft", nodes, nodes, 0.0, "from_node_id", "to_node_id"
        ),
        lane_days=_lane_days(tables["lanes"], nodes),
        lane_cuft_per_day=_lane_room(tables["lanes"], nodes),
        tier=node_rows["tier"].astype("str").to_numpy().astype(np.str_),
        may_hold=(accepts[None, :] == "any") | (accepts[None, :] == size[:, None]),
        rules=rules,
    )  # fmt: skip


def parents(nodes: pd.DataFrame, model: WorldModel) -> NDArray[np.int64]:
    """[nodes] position of the node that replenishes each, -1 for those that vendors supply."""
    rows = nodes.set_index(nodes["node_id"].astype("str")).loc[model.nodes]
    names = rows["parent_node_id"].astype("object").where(rows["parent_node_id"].notna(), "")
    return model.nodes.get_indexer(names).astype(np.int64)


def capacities(tables: Tables, nodes: pd.Index, days: pd.DatetimeIndex) -> NDArray[np.float64]:
    """[days, nodes, resources] capacity on each day; infinite where none is given."""
    found = np.full((len(days), len(nodes), len(RESOURCES)), np.inf)
    frame = tables["node_capacity"].sort_values("start_date", kind="stable")
    node = nodes.get_indexer(frame["node_id"].astype("str"))
    resource = [RESOURCES.index(name) for name in frame["resource"].astype("str")]
    first = days.searchsorted(frame["start_date"].to_numpy())
    for row in zip(first, node, resource, frame["capacity"].to_numpy(float), strict=True):
        found[row[0] :, row[1], row[2]] = row[3]
    return found


def selling_prices(
    tables: Tables, model: WorldModel, days: pd.DatetimeIndex
) -> NDArray[np.float64]:
    """[days, items, regions] price in force on each day; the list price before the first."""
    listed = tables["items"].set_index(tables["items"]["item_id"].astype("str"))["list_price_usd"]
    base = np.repeat(listed.loc[model.items].to_numpy(float)[:, None], len(model.regions), axis=1)
    frame = tables["prices"].sort_values("start_date", kind="stable")
    frame = frame[frame["start_date"] <= days[-1]]
    k = model.items.get_indexer(frame["item_id"].astype("str"))
    r = model.regions.get_indexer(frame["region_id"].astype("str"))
    step = np.clip(days.searchsorted(frame["start_date"].to_numpy()), 0, None)
    usd = frame["price_usd"].to_numpy(float)
    found = np.empty((len(days), *base.shape))
    order = np.argsort(step, kind="stable")
    cuts = np.searchsorted(step[order], np.arange(len(days) + 1), side="left")
    for t in range(len(days)):
        rows = order[cuts[t] : cuts[t + 1]]
        rows = rows[(k[rows] >= 0) & (r[rows] >= 0)]
        base[k[rows], r[rows]] = usd[rows]
        found[t] = base
    return found


def _lane_days(lanes: pd.DataFrame, nodes: pd.Index) -> NDArray[np.int64]:
    ends = ("from_node_id", "to_node_id")
    days = (
        by_two(lanes, "transit_days", nodes, nodes, 1.0, *ends) if "transit_days" in lanes else 1.0
    )
    return np.broadcast_to(np.maximum(days, 1), (len(nodes),) * 2).astype(np.int64)


def _lane_room(lanes: pd.DataFrame, nodes: pd.Index) -> NDArray[np.float64]:
    found = np.full((len(nodes),) * 2, np.inf)
    if "lane_capacity_cuft_per_day" not in lanes:
        return found
    limited = lanes[lanes["lane_capacity_cuft_per_day"].notna()]
    return by_two(limited, "lane_capacity_cuft_per_day", nodes, nodes, np.inf, "from_node_id",
                "to_node_id")  # fmt: skip


def _reach(serves: NDArray[np.bool_]) -> NDArray[np.uint64]:
    n_regions, n_nodes = serves.shape
    found = np.zeros((n_regions, (n_nodes + 63) // 64), dtype=np.uint64)
    for r, j in zip(*np.nonzero(serves), strict=True):
        found[r, j // 64] |= np.uint64(1) << np.uint64(j % 64)
    return found
