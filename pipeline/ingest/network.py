"""A declared network (configs/networks/*.yaml) as raw tables: distances become days, costs, hours.

Nodes form one tree: same-day sites under a fulfillment center under a distribution center. What a
region can be promised nests in that tree: its site, its area, its territory, the whole network.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import SettingsError
from pipeline.project import project_file

_EARTH_MILES = 3958.8
Tier = Literal["distribution_center", "fulfillment_center", "same_day_site"]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NodeDeclaration(_Declared):
    """A node, with its capacities where they are declared (a generated world computes its own)."""

    node_id: str
    node_name: str
    tier: Tier
    accepts: Literal["sortable", "non_sortable", "any"]
    parent_node_id: str | None = None
    latitude: float
    longitude: float
    is_vendor_receiving: bool = False
    storage_cuft: float | None = None
    inbound_units_per_day: float | None = None
    outbound_units_per_day: float | None = None


class RegionDeclaration(_Declared):
    """A region, its same-day site and the fulfillment centers of its area."""

    region_id: str
    region_name: str
    latitude: float
    longitude: float
    population: int
    same_day_site: str
    fulfillment_centers: tuple[str, ...]


class SpeedDeclaration(_Declared):
    """A delivery speed: who can meet it (reach), until which hour, and what a delivery costs."""

    speed: str
    promise_days: int
    demand_share: float
    missed_speed_usd_per_unit: float
    reach: Literal["site", "area", "territory", "network"]
    cutoff_hour: dict[Tier, float]
    cutoff_hours_lost_per_100_miles: float
    ship_usd_per_unit: float
    ship_usd_per_unit_100_miles: float


class TierCosts(_Declared):
    """What handling and space cost in the nodes of a tier."""

    handling_usd_per_unit: float
    storage_usd_per_cuft_day: float


class LaneCosts(_Declared):
    """How distance becomes days and dollars on the lanes between tiers."""

    miles_per_day: float = Field(gt=0)
    usd_per_cuft: float
    usd_per_cuft_100_miles: float


class Network(_Declared):
    """Everything that a configs/networks file declares about the network."""

    regions: tuple[RegionDeclaration, ...]
    nodes: tuple[NodeDeclaration, ...]
    speeds: tuple[SpeedDeclaration, ...]
    tier_costs: dict[Tier, TierCosts]
    lanes: LaneCosts
    orders_by_hour: tuple[float, ...] = Field(min_length=24, max_length=24)

    def first_regions(self, count: int) -> Network:
        """The same network with its first `count` regions and without sites that then idle."""
        if not 1 <= count <= len(self.regions):
            raise SettingsError(f"the network declares {len(self.regions)} regions, not {count}.")
        regions = self.regions[:count]
        sites = {region.same_day_site for region in regions}
        nodes = tuple(n for n in self.nodes if n.tier != "same_day_site" or n.node_id in sites)
        return self.model_copy(update={"regions": regions, "nodes": nodes})


def load_network(name: str, section: str = "network") -> Network:
    """The network that configs/networks/<name>.yaml declares; SettingsError names every problem."""
    path = project_file(f"configs/networks/{name}.yaml")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Network.model_validate(content[section])
    except (OSError, KeyError, yaml.YAMLError, ValidationError) as error:
        raise SettingsError(f"network file {path}: {error}") from error


def network_tables(network: Network) -> dict[str, pd.DataFrame]:
    """Raw tables regions, nodes, lanes, delivery_options, delivery_speeds and order_hours."""
    hours = np.array(network.orders_by_hour) / sum(network.orders_by_hour)
    return {
        "regions": _regions(network),
        "nodes": _nodes(network),
        "lanes": _lanes(network),
        "delivery_options": _delivery_options(network),
        "delivery_speeds": _delivery_speeds(network),
        "order_hours": pd.DataFrame({"hour": range(24), "demand_share": np.round(hours, 6)}),
    }


def great_circle_miles(
    lat_a: np.ndarray, lon_a: np.ndarray, lat_b: np.ndarray, lon_b: np.ndarray
) -> np.ndarray:
    """Haversine distance in miles between points in degrees; shapes broadcast."""
    a, b = np.radians(lat_a), np.radians(lat_b)
    half_lat, half_lon = (b - a) / 2, np.radians(np.subtract(lon_b, lon_a)) / 2
    chord = np.sin(half_lat) ** 2 + np.cos(a) * np.cos(b) * np.sin(half_lon) ** 2
    return 2 * _EARTH_MILES * np.arcsin(np.sqrt(chord))


def _regions(network: Network) -> pd.DataFrame:
    columns = ["region_id", "region_name", "latitude", "longitude", "population"]
    return pd.DataFrame([region.model_dump(include=set(columns)) for region in network.regions])[
        columns
    ]


def _nodes(network: Network) -> pd.DataFrame:
    capacities = {"storage_cuft", "inbound_units_per_day", "outbound_units_per_day"}
    frame = pd.DataFrame([node.model_dump(exclude=capacities) for node in network.nodes])
    costs = [network.tier_costs[node.tier] for node in network.nodes]
    frame["handling_usd_per_unit"] = [cost.handling_usd_per_unit for cost in costs]
    frame["storage_usd_per_cuft_day"] = [cost.storage_usd_per_cuft_day for cost in costs]
    return frame


def _lanes(network: Network) -> pd.DataFrame:
    nodes = {node.node_id: node for node in network.nodes}
    rows = []
    for node in network.nodes:
        if node.parent_node_id is None:
            continue
        miles = _miles(nodes[node.parent_node_id], node)
        cost = network.lanes.usd_per_cuft + network.lanes.usd_per_cuft_100_miles * miles / 100
        rows.append({
            "from_node_id": node.parent_node_id, "to_node_id": node.node_id,
            "transit_days": max(1, int(np.ceil(miles / network.lanes.miles_per_day))),
            "lane_usd_per_cuft": round(cost, 3), "lane_capacity_cuft_per_day": None,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _delivery_options(network: Network) -> pd.DataFrame:
    rows = []
    for region in network.regions:
        reaches = _reaches(network, region)
        for speed in network.speeds:
            for node in network.nodes:
                if node.node_id not in reaches[speed.reach]:
                    continue
                miles = _miles(region, node)
                lost = speed.cutoff_hours_lost_per_100_miles * miles / 100
                cutoff = np.clip(speed.cutoff_hour[node.tier] - lost, 4, 24)
                cost = speed.ship_usd_per_unit + speed.ship_usd_per_unit_100_miles * miles / 100
                rows.append({
                    "region_id": region.region_id, "speed": speed.speed, "node_id": node.node_id,
                    "cutoff_hour": float(np.round(cutoff * 2) / 2),
                    "ship_usd_per_unit": round(cost, 2),
                })  # fmt: skip
    return pd.DataFrame(rows)


def _reaches(network: Network, region: RegionDeclaration) -> dict[str, set[str]]:
    """The nested sets of nodes that a region's promises may draw on."""
    parents = {node.node_id: node.parent_node_id for node in network.nodes}
    centers = {parents[center] for center in region.fulfillment_centers}
    below = {node for node, parent in parents.items() if parent in centers}
    below |= {node for node, parent in parents.items() if parent in below}
    area = set(region.fulfillment_centers) | {region.same_day_site}
    area |= {node for node, parent in parents.items() if parent in region.fulfillment_centers}
    return {
        "site": {region.same_day_site},
        "area": area,
        "territory": below | {center for center in centers if center},
        "network": set(parents),
    }


def _delivery_speeds(network: Network) -> pd.DataFrame:
    columns = ["speed", "promise_days", "demand_share", "missed_speed_usd_per_unit"]
    speeds = pd.DataFrame([speed.model_dump(include=set(columns)) for speed in network.speeds])
    regions = pd.DataFrame({"region_id": [region.region_id for region in network.regions]})
    return regions.merge(speeds, how="cross")[["region_id", *columns]]


def _miles(a: NodeDeclaration | RegionDeclaration, b: NodeDeclaration) -> float:
    point = (np.array(x) for x in (a.latitude, a.longitude, b.latitude, b.longitude))
    return float(great_circle_miles(*point))
