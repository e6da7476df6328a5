"""Standing rules of planners (stock_limits, item_blocks) as overrides of the night.

A minimum or maximum by node, an item not held at a node, not sold in a region, or frozen (not
ordered) acts exactly like an override that says so, so the plan, its reasons and its cost treat
them alike; `planner` names the raw table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from pipeline.contracts.tables import TABLES

LIMITS, BLOCKS = "stock_limits", "item_blocks"
_EVER = pd.Timestamp("2200-01-01")


def with_standing_rules(tables: Mapping[str, pd.DataFrame], as_of: date) -> pd.DataFrame:
    """The table overrides with a row for each limit and block in force after `as_of`."""
    own = tables["overrides"]
    added = pd.concat([_limits(tables[LIMITS], as_of), _blocks(tables[BLOCKS], as_of)])
    if added.empty:
        return own
    plain = own.astype({n: "str" for n in own if isinstance(own[n].dtype, pd.CategoricalDtype)})
    parts = [part for part in (plain, added) if len(part)]
    return pd.concat(parts, ignore_index=True)[list(TABLES["overrides"].columns)]


def _rows(frame: pd.DataFrame, **columns: object) -> pd.DataFrame:
    empty = {"item_group": None, "event_name": None, "node_id": None, "region_id": None}
    return pd.DataFrame({**empty, **columns}, index=frame.index)


def _limits(limits: pd.DataFrame, as_of: date) -> pd.DataFrame:
    parts = []
    key = limits["item_id"].astype("str") + "/" + limits["node_id"].astype("str")
    for column, kind, word in (
        ("least_units", "at_least", "at least"), ("most_units", "at_most", "at most"),
    ):  # fmt: skip
        mine = limits[column].notna().to_numpy()
        units = limits.loc[mine, column].astype("int64")
        parts.append(_rows(
            limits[mine], override_id=f"{LIMITS}/{kind}/" + key[mine],
            item_id=limits.loc[mine, "item_id"].astype("str"),
            node_id=limits.loc[mine, "node_id"].astype("str"),
            override_target="base_stock_units", override_kind=kind,
            override_value=units.astype("float64"), start_date=pd.Timestamp(as_of),
            expiry_date=_EVER, planner=LIMITS, why=word + " " + units.astype("str") + " here",
        ))  # fmt: skip
    return pd.concat(parts)


def _blocks(blocks: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Rows of blocks: at a node, in a region, or of ordering where neither is named."""
    ends = blocks["expiry_date"].fillna(_EVER)
    blocks = blocks.assign(expiry_date=ends, start_date=blocks["start_date"].fillna(
        pd.Timestamp(as_of)))[(ends > pd.Timestamp(as_of)).to_numpy()]  # fmt: skip
    has_node, has_region = blocks["node_id"].notna(), blocks["region_id"].notna()
    parts = []
    for mine, target, kind, why in (
        (has_node, "base_stock_units", "block", "not held here"),
        (has_region, "demand", "multiply", "not sold here"),
        (~has_node & ~has_region, "order_units", "block", "frozen: not ordered"),
    ):  # fmt: skip
        own = blocks[mine.to_numpy()]
        named = {
            name: own[name].astype("object").where(own[name].notna(), None)
            for name in ("item_id", "node_id", "region_id")
        }
        if target != "base_stock_units":
            named["node_id"] = None
        if target != "demand":
            named["region_id"] = None
        parts.append(_rows(
            own, **named, override_id=f"{BLOCKS}/{target}/" + own["block_id"].astype("str"),
            override_target=target, override_kind=kind, override_value=0.0,
            start_date=own["start_date"], expiry_date=own["expiry_date"], planner=BLOCKS, why=why,
        ))  # fmt: skip
    return pd.concat(parts)
