"""Inbound capacity kept free at nodes that vendors deliver to, because arrivals are uneven.

Levels are planned at mean flow, but orders come in lots and late: a node that is full on average is
overfull every other week. The reserve is a newsvendor's: a unit more of flow overflows with the
chance that the week's arrivals exceed capacity, and what is turned away for it is served from
outside the node's set. So capacity is planned up to where chance times overflow cost equals that
gap.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from pipeline.contracts.settings import Settings
from pipeline.core.lots import arrival_variance
from pipeline.optimize.item_model import Economics, lot_units
from pipeline.optimize.network_model import CUBE_GRID, NetworkModel

Floats = NDArray[np.float64]
WEEK_DAYS = 7.0


def reserve_units(
    network: NetworkModel,
    money: Economics,
    items: list[str],
    tables: dict[str, pd.DataFrame],
    weekly: Floats,
    settings: Settings,
) -> Floats:
    """Units a day [nodes] of inbound capacity that no level is to count on; 0 where vendors do not
    deliver.

    weekly: [items, nodes] units of a week that enter in the node's set.
    """
    receives = network.nodes["is_vendor_receiving"].to_numpy(bool)
    flow = weekly * (receives & network.eligible[money.size_class])
    for j in np.flatnonzero(receives):
        above = network.parent[j]
        while above >= 0 and not receives[above]:
            above = network.parent[above]
        if above >= 0:  # what a node in the territory receives itself
            flow[:, above] -= flow[:, j]
    flow = np.maximum(flow, 0.0)
    total = flow.sum(axis=1, keepdims=True)
    lot, sd_days = _lots(items, tables, total[:, 0] / WEEK_DAYS, money, settings)
    at_node = lot[:, None] * flow / np.maximum(total, 1e-9)
    spread = np.sqrt(arrival_variance(flow, at_node, sd_days[:, None], WEEK_DAYS).sum(axis=0))
    return _spreads(network, settings) * spread / WEEK_DAYS


def _lots(
    items: list[str],
    tables: dict[str, pd.DataFrame],
    daily: Floats,
    money: Economics,
    settings: Settings,
) -> tuple[Floats, Floats]:
    """Units of an order, and standard deviation of its lead time; [items], cheapest vendor."""
    offers = tables["vendor_items"].astype({"item_id": "str", "vendor_id": "str"})
    offers = offers.sort_values(["item_id", "unit_cost_usd", "vendor_id"], kind="stable")
    offers = offers.drop_duplicates("item_id")
    ids = ["vendor_id", "item_id"]
    times = tables["lead_times"].astype(dict.fromkeys(ids, "str")).drop_duplicates(ids)
    offers = offers.merge(times[[*ids, "sd_lead_time_days"]], on=ids, how="left")
    offers = offers.set_index("item_id").reindex(items)
    least = offers[["moq_units", "case_pack_units"]].max(axis=1).fillna(1).to_numpy(float)
    lot = lot_units(daily, money, settings)
    return np.maximum(lot, least), offers["sd_lead_time_days"].fillna(0.0).to_numpy(float)


def _spreads(network: NetworkModel, settings: Settings) -> Floats:
    """Standard deviations [nodes] to keep free."""
    gap = np.zeros(len(network.parent))
    for t, home in enumerate(network.woods.home):
        held = home >= 0
        mean = network.gap_usd[t, CUBE_GRID // 2]
        gap[held] = np.maximum(gap[held], mean[home[held]])
    chance = np.clip(gap / settings.optimize.flow_overflow_usd_per_unit, 0.01, 0.5)
    return np.asarray(norm.ppf(1.0 - chance))
