"""The small world as a center and its shops, each of which serves its own region."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.optimize.network_model import NetworkModel
from tests.optimize.world import START, tables
from tests.optimize.world import _forecast as forecast

Tables = dict[str, pd.DataFrame]
SHOPS = ("S0", "S1", "S2")
REGIONS = ("R0", "R1", "R2")


def shops(online_share: float = 0.0, is_sent_on: bool = False) -> Tables:
    """Customers of each region go to its own shop; a share of them orders online, which the center
    serves; is_sent_on: who finds nothing in the shop is served by it as well, later."""
    raw = tables(items=6)
    raw["items"]["size_class"] = "sortable"
    node, lane = raw["nodes"].iloc[[0]], raw["lanes"].iloc[[0]]
    raw["nodes"] = pd.concat([
        node.assign(node_id=name, accepts="any", parent_node_id="DC" if name != "DC" else None,
                    is_vendor_receiving=name == "DC")
        for name in ("DC", *SHOPS)
    ])  # fmt: skip
    raw["lanes"] = pd.concat([lane.assign(from_node_id="DC", to_node_id=name) for name in SHOPS])
    raw["regions"] = pd.DataFrame({"region_id": REGIONS})
    own = [(region, "walk", shop, 24.0, 0.0) for region, shop in zip(REGIONS, SHOPS, strict=True)]
    sent = [(f"{region}{'' if is_sent_on else '-online'}", "online", "DC", 24.0, 1.0)
            for region in REGIONS]  # fmt: skip
    speeds = [(region, "walk", 0, 1.0 - online_share * is_sent_on, 0.0) for region in REGIONS]
    if online_share:
        own += sent
        speeds += [(region, "online", 3, online_share if is_sent_on else 1.0, 0.0)
                   for region, *_ in sent]  # fmt: skip
    raw["delivery_options"] = pd.DataFrame(
        own, columns=["region_id", "speed", "node_id", "cutoff_hour", "ship_usd_per_unit"]
    )
    raw["delivery_speeds"] = pd.DataFrame(
        speeds, columns=["region_id", "speed", "promise_days", "demand_share",
                         "missed_speed_usd_per_unit"],
    )  # fmt: skip
    regions = sorted(raw["delivery_speeds"]["region_id"].unique())
    raw["regions"] = pd.DataFrame({"region_id": regions})
    ids = raw["items"]["item_id"].tolist()
    raw["demand_quantiles"] = forecast(ids, regions, np.random.default_rng(1))
    raw["demand_dependence"] = pd.DataFrame(
        [("all", a, b, 0.3, 0.0) for a in regions for b in regions if a < b],
        columns=raw["demand_dependence"].columns,
    )
    raw["prices"] = raw["prices"].assign(region_id=REGIONS[0])
    raw["node_capacity"] = pd.DataFrame(
        [(name, kind, START, 1e6) for name in ("DC", *SHOPS)
         for kind in ("storage_cuft", "inbound_units_per_day")],
        columns=["node_id", "resource", "start_date", "capacity"],
    )  # fmt: skip
    return raw


def set_of(network: NetworkModel, *names: str) -> int:
    """Number of the set that holds just these nodes."""
    wanted = np.isin(network.names, names)
    return int(np.flatnonzero((network.woods.trees[0].members == wanted).all(axis=1))[0])
