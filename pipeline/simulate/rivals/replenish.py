"""What the simple policies share: homes of demand, order-up-to orders, transfers to targets.

Positions are arrays [items, nodes]; nothing here forecasts or optimizes.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.simulate.rivals.situation import ORDER_COLUMNS, TRANSFER_COLUMNS, Situation
from pipeline.simulate.world.model import WorldModel, grid
from pipeline.simulate.world.supply import Ints

Floats = NDArray[np.float64]


def home_shares(model: WorldModel) -> Floats:
    """[items, regions, nodes] share of a region's orders whose first offer is the node."""
    offers = model.offers
    cell_share = np.diff(np.concatenate(
        [np.zeros((offers.n_regions, 1)), model.cumulative], axis=1
    ))  # fmt: skip
    classes, kind = np.unique(model.may_hold, axis=0, return_inverse=True)
    found = np.zeros((len(classes), offers.n_regions, len(model.nodes)))
    for which, may in enumerate(classes):
        for r in range(offers.n_regions):
            for s in range(offers.n_speeds):
                for b in range(offers.n_buckets):
                    cell = (r * offers.n_speeds + s) * offers.n_buckets + b
                    able = [
                        j
                        for j in offers.node[offers.start[cell] : offers.start[cell + 1]]
                        if may[j]
                    ]
                    if able:
                        share = cell_share[r, b * offers.n_speeds + s]
                        found[which, r, able[0]] += share
    return found[np.ravel(kind)]


def tree_sums(values: Floats, parent: Ints) -> Floats:
    """[items, nodes] each node's value plus those of all that it supplies."""
    found = values.copy()
    for j in _bottom_up(parent):
        if parent[j] >= 0:
            found[:, parent[j]] += found[:, j]
    return found


def cheapest_vendor(vendor_items: pd.DataFrame, lead_times: pd.DataFrame) -> pd.DataFrame:
    """One row an item: its cheapest vendor's terms with mean_lead_time_days (quoted if unknown)."""
    means = lead_times.drop_duplicates(["vendor_id", "item_id"])
    terms = vendor_items.astype({"vendor_id": "str", "item_id": "str"}).merge(
        means.astype({"vendor_id": "str", "item_id": "str"})[
            ["vendor_id", "item_id", "mean_lead_time_days"]
        ],
        how="left", on=["vendor_id", "item_id"],
    )  # fmt: skip
    terms["mean_lead_time_days"] = terms["mean_lead_time_days"].fillna(
        terms["quoted_lead_time_days"]
    )
    order = ["item_id", "unit_cost_usd", "mean_lead_time_days", "vendor_id"]
    return terms.sort_values(order).drop_duplicates("item_id", ignore_index=True)


def orders_up_to(
    situation: Situation, terms: pd.DataFrame, level: Floats, parent: Ints, echelon_need: Floats
) -> pd.DataFrame:
    """Orders of the vendors reviewed tonight: up to `level` [items] on the network's position.

    A vendor is reviewed every review period, on a night given by its place in the list. Quantities
    are whole cases of at least the minimum; an order below the vendor's least value waits for its
    next review. Units go to the receiving node whose echelon (echelon_need [items, nodes], targets
    of each node's subtree) is shortest, case by case in proportion.
    """
    model, period = situation.model, situation.settings.planning.review_period_days
    item = model.items.get_indexer(terms["item_id"])
    vendor = model.vendors.get_indexer(terms["vendor_id"])
    due = (vendor + situation.as_of.toordinal()) % period == 0
    position = (situation.on_hand + situation.coming).sum(axis=1)
    need = np.maximum(np.ceil(level[item] - position[item]), 0)
    case = terms["case_pack_units"].to_numpy(float)
    units = np.ceil(np.maximum(need, terms["moq_units"].to_numpy(float)) / case) * case
    units = np.where(due & (need > 0), units, 0).astype(np.int64)
    value = pd.Series(units * terms["unit_cost_usd"].to_numpy(float)).groupby(vendor).sum()
    least = situation.tables["vendors"].set_index(
        situation.tables["vendors"]["vendor_id"].astype("str")
    )["order_minimum_usd"]
    too_small = value.to_numpy() < least.loc[model.vendors[value.index]].to_numpy(float)
    units[np.isin(vendor, value.index[too_small])] = 0
    rows = []
    short = tree_sums(echelon_need, parent) - tree_sums(
        (situation.on_hand + situation.coming).astype(float), parent
    )
    roots = _receiving(situation, parent)
    for i in np.flatnonzero(units):
        able = roots[model.may_hold[item[i], roots]]
        line = terms.iloc[i]
        arrival = situation.as_of + timedelta(1 + int(line["quoted_lead_time_days"]))
        shares = _split(int(units[i] // case[i]), short[item[i], able])
        rows += [
            (line["vendor_id"], line["item_id"], model.nodes[node], int(cases * case[i]),
             line["unit_cost_usd"], arrival)
            for node, cases in zip(able, shares, strict=True) if cases
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(ORDER_COLUMNS))


def transfers_to_targets(situation: Situation, target: Floats, parent: Ints) -> pd.DataFrame:
    """Transfers that fill each node toward `target` [items, nodes] from its parent's stock.

    A parent gives what it holds beyond its own target; if that is too little, in proportion.
    """
    model = situation.model
    transit = grid(situation.tables["lanes"], "transit_days", model.nodes, model.nodes, np.nan,
                   "from_node_id", "to_node_id")  # fmt: skip
    lack = np.maximum(np.ceil(target) - situation.on_hand - situation.coming, 0).astype(np.int64)
    frames = []
    for up in reversed(_bottom_up(parent)):
        below = [j for j in np.flatnonzero(parent == up) if np.isfinite(transit[up, j])]
        if not below:
            continue
        free = np.maximum(situation.on_hand[:, up] - np.ceil(target[:, up]), 0)
        ask = lack[:, below] * model.may_hold[:, below]
        total = ask.sum(axis=1)
        share = np.minimum(1.0, free / np.maximum(total, 1))
        give = np.floor(ask * share[:, None] + 1e-9).astype(np.int64)
        k, i = np.nonzero(give)
        to = np.array(below)[i]
        frames.append(pd.DataFrame({
            "item_id": model.items[k], "from_node_id": model.nodes[up],
            "to_node_id": model.nodes[to], "transfer_units": give[k, i],
            "expected_arrival_date": pd.Timestamp(situation.as_of)
            + pd.to_timedelta(1 + transit[up, to], unit="D"),
        }))  # fmt: skip
    if not frames:
        return pd.DataFrame(columns=list(TRANSFER_COLUMNS))
    return pd.concat(frames, ignore_index=True)[list(TRANSFER_COLUMNS)]


def _receiving(situation: Situation, parent: Ints) -> Ints:
    rows = situation.tables["nodes"]
    rows = rows.set_index(rows["node_id"].astype("str")).loc[situation.model.nodes]
    receives = rows["is_vendor_receiving"].to_numpy(bool)
    top = receives & (parent < 0)
    return np.flatnonzero(top if top.any() else receives)


def _split(cases: int, short: Floats) -> list[int]:
    """Cases by largest remainder in proportion to the shortages (evenly if nobody is short)."""
    weight = np.maximum(short, 0.0)
    weight = weight if weight.sum() > 0 else np.ones(len(short))
    exact = cases * weight / weight.sum()
    found = np.floor(exact).astype(int)
    for j in np.argsort(-(exact - found), kind="stable")[: cases - found.sum()]:
        found[j] += 1
    return [int(n) for n in found]


def _bottom_up(parent: Ints) -> list[int]:
    """Nodes such that each comes before the node that supplies it."""
    depth = np.zeros(len(parent), dtype=np.int64)
    for j in range(len(parent)):
        up = parent[j]
        while up >= 0:
            depth[j] += 1
            up = parent[up]
    return [int(j) for j in np.argsort(-depth, kind="stable")]
