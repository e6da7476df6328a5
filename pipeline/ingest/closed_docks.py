"""Closing days of nodes as capacity: on them a dock takes nothing in.

`closures` names the days on which a node receives nothing; the table node_capacity that the night
publishes says so as capacities of no units, which all later stages plan by.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.contracts.columns import NO_LIMIT
from pipeline.ingest.closing_days import coming_days, declared

INBOUND = "inbound_units_per_day"


def with_closed_docks(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> pd.DataFrame:
    """The table node_capacity, in which docks take nothing on closing days after `as_of`; one
    without a stated capacity takes NO_LIMIT on the days between."""
    capacity, closures = tables["node_capacity"], tables.get("closures")
    if closures is None or not closures["node_id"].notna().any():
        return capacity
    days = coming_days(as_of)
    nodes = tables["nodes"]["node_id"].astype("str")
    closed = declared(closures, "node_id", nodes, days)
    is_inbound = capacity["resource"].astype("str") == INBOUND
    replaced, added = np.zeros(len(capacity), dtype=bool), []
    for name, shut in zip(nodes, closed, strict=True):
        if not shut.any():
            continue
        mine = (is_inbound & (capacity["node_id"].astype("str") == name)).to_numpy()
        rows = capacity[mine].sort_values("start_date", kind="stable")
        at = rows["start_date"].searchsorted(days, side="right") - 1
        stated = np.append(rows["capacity"].to_numpy(np.float64), NO_LIMIT)[at]  # -1: none yet
        units = np.where(shut, 0.0, stated)
        changes = np.flatnonzero(np.diff(units, prepend=np.nan) != 0)
        replaced |= mine & (capacity["start_date"] > as_of).to_numpy()
        added.append(pd.DataFrame({
            "node_id": name, "resource": INBOUND, "start_date": days[changes],
            "capacity": units[changes],
        }))  # fmt: skip
    if not added:
        return capacity
    found = pd.concat([capacity[~replaced].astype({"node_id": "str", "resource": "str"}), *added])
    return found.sort_values(["node_id", "resource", "start_date"], kind="stable",
                             ignore_index=True)  # fmt: skip
