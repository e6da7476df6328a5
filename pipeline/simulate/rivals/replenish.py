"""What the rules share: homes of demand, vendors' terms, order-up-to orders, transfers to targets.

Positions are arrays [items, nodes]; nothing here forecasts or optimizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.delivery import by_two
from pipeline.simulate.rivals.room import within_limit
from pipeline.simulate.rivals.situation import ORDER_COLUMNS, TRANSFER_COLUMNS, Situation
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.supply import Ints, day_number
from pipeline.simulate.world.vendor_days import order_days

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Supply:
    """Terms of the vendor that supplies each item; all arrays [items], vendor -1 where nobody does.

    lead_days, lead_variance: mean and variance of its lead time; cover_days: lead time and review.
    """

    vendor: Ints
    unit_cost_usd: Floats
    case_units: Floats
    least_units: Floats
    quoted_days: Ints
    lead_days: Floats
    lead_variance: Floats
    cover_days: Floats


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


def supply_terms(situation: Situation) -> Supply:
    """Each item's vendor of least landed cost: the price and the capital on its way; means and
    variances of lead times as ingest fitted them, the quoted time where it knows none."""
    model, planning = situation.model, situation.settings.planning
    ids = {"vendor_id": "str", "item_id": "str"}
    fitted = situation.tables["lead_times"].drop_duplicates([*ids]).astype(ids)
    known = [name for name in ("mean_lead_time_days", "sd_lead_time_days") if name in fitted]
    terms = situation.tables["vendor_items"].astype(ids)
    terms = terms.merge(fitted[[*ids, *known]], how="left", on=[*ids])
    terms["lead"] = terms["mean_lead_time_days"].fillna(terms["quoted_lead_time_days"])
    terms["variance"] = terms["sd_lead_time_days"].fillna(0.0) ** 2 if len(known) == 2 else 0.0
    capital = 1 + planning.holding_rate_per_year * terms["lead"] / 365.0
    terms["landed"] = terms["unit_cost_usd"] * capital
    terms = terms.sort_values(["item_id", "landed", "lead", "vendor_id"])
    rows = terms.drop_duplicates("item_id").set_index("item_id").reindex(model.items)
    lead = rows["lead"].fillna(0.0).to_numpy(float)
    return Supply(
        model.vendors.get_indexer(rows["vendor_id"]).astype(np.int64),
        rows["unit_cost_usd"].to_numpy(float), rows["case_pack_units"].fillna(1).to_numpy(float),
        rows["moq_units"].fillna(0).to_numpy(float),
        rows["quoted_lead_time_days"].fillna(0).to_numpy(np.int64), lead,
        rows["variance"].fillna(0.0).to_numpy(float), lead + planning.review_period_days,
    )  # fmt: skip


def orders_up_to(
    situation: Situation, supply: Supply, level: Floats, below: Floats, parent: Ints,
    need: Floats, dock_units: Floats | None = None, is_daily: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Orders of the vendors reviewed tonight: items whose network position is under `below` [items]
    are ordered up to `level` [items].

    A vendor is reviewed every review period, on a night given by its place in the list, or each
    night. Quantities are whole cases of at least the minimum. Units go to the nodes that vendors
    supply in proportion to what their territories lack of `need` [items, nodes], case by case.
    What takes a vendor above its capacity, or a dock above dock_units [nodes] a day of mean lead
    time, is left out, the least urgent first; an order below the vendor's least value waits.
    """
    model, period = situation.model, situation.settings.planning.review_period_days
    vendor, case = np.maximum(supply.vendor, 0), supply.case_units
    due = (vendor + situation.as_of.toordinal()) % period == 0
    calendar = order_days(
        situation.tables["vendors"], situation.tables.get("closures"), model.vendors
    )
    # A vendor with order days is reviewed on each of them: its turn may never be one.
    has_days = np.asarray(~calendar.weekdays.all(axis=1))
    due = (due | is_daily | has_days[vendor]) & (supply.vendor >= 0)
    due &= calendar.takes(day_number(situation.as_of) + 1)[vendor]
    position = (situation.on_hand + situation.coming).sum(axis=1)
    lack = np.where(position < below, np.maximum(np.ceil(level - position), 0), 0)
    lots = np.ceil(np.maximum(lack, supply.least_units) / case) * case
    wanted: Ints = np.where(due & (lack > 0), lots, 0).astype(np.int64)
    urgency = lack / np.maximum(level, 1e-9)
    units = wanted * within_limit(wanted, vendor, _vendor_limits(situation), urgency)
    split, nodes = _split_to_docks(situation, units, case, parent, need)
    if dock_units is not None:
        split = _within_docks(situation, supply, split, nodes, dock_units, urgency)
    units = split.sum(axis=1)
    usd = np.bincount(vendor, units * np.nan_to_num(supply.unit_cost_usd), len(model.vendors))
    split[usd[vendor] < _vendor_minimums(situation)[vendor]] = 0
    k, j = np.nonzero(split)
    arrival = pd.Timestamp(situation.as_of + timedelta(1))
    return pd.DataFrame({
        "vendor_id": model.vendors[vendor[k]], "item_id": model.items[k],
        "node_id": model.nodes[nodes[j]], "units": split[k, j],
        "unit_cost_usd": supply.unit_cost_usd[k],
        "expected_arrival_date": arrival + pd.to_timedelta(supply.quoted_days[k], unit="D"),
    })[list(ORDER_COLUMNS)]  # fmt: skip


def transfers_to_targets(situation: Situation, target: Floats, parent: Ints) -> pd.DataFrame:
    """Transfers that fill each node and all below it toward `target` [items, nodes] from its
    parent's stock: sites first, for a parent gives all it holds; where that is too little, in
    proportion to what is lacking.
    """
    model = situation.model
    transit = by_two(situation.tables["lanes"], "transit_days", model.nodes, model.nodes, np.nan,
                   "from_node_id", "to_node_id")  # fmt: skip
    has = (situation.on_hand + situation.coming).astype(float)
    lack = np.maximum(np.ceil(tree_sums(target, parent)) - tree_sums(has, parent), 0)
    parts = [np.zeros((0, 4), dtype=np.int64)]
    for up in reversed(_bottom_up(parent)):
        below = [j for j in np.flatnonzero(parent == up) if np.isfinite(transit[up, j])]
        if not below:
            continue
        ask = lack[:, below] * model.may_hold[:, below]
        total = ask.sum(axis=1)
        share = np.minimum(1.0, situation.on_hand[:, up] / np.maximum(total, 1))
        give = np.floor(ask * share[:, None] + 1e-9).astype(np.int64)
        k, i = np.nonzero(give)
        parts.append(np.stack([k, np.full_like(k, up), np.array(below)[i], give[k, i]], axis=1))
    item, start, to, units = np.concatenate(parts).T
    return pd.DataFrame({
        "item_id": model.items[item], "from_node_id": model.nodes[start],
        "to_node_id": model.nodes[to], "transfer_units": units,
        "expected_arrival_date": pd.Timestamp(situation.as_of)
        + pd.to_timedelta(1 + transit[start, to], unit="D"),
    })[list(TRANSFER_COLUMNS)]  # fmt: skip


def _split_to_docks(
    situation: Situation, units: Ints, case: Floats, parent: Ints, need: Floats
) -> tuple[Ints, Ints]:
    """[items, docks] units and the docks' nodes: a dock's territory is its tree down to the next
    dock, so that goods come as near as vendors bring them."""
    model = situation.model
    rows = situation.tables["nodes"]
    rows = rows.set_index(rows["node_id"].astype("str")).loc[model.nodes]
    receives = rows["is_vendor_receiving"].to_numpy(bool)
    nodes = np.flatnonzero(receives)
    own = np.where(receives, -1, parent)
    has = (situation.on_hand + situation.coming).astype(float)
    short = tree_sums(need, own) - tree_sums(has, own)
    split = np.zeros((len(units), len(nodes)), dtype=np.int64)
    for k in np.flatnonzero(units):
        able = np.flatnonzero(model.may_hold[k, nodes])
        if len(able):
            cases = _split(int(units[k] // case[k]), short[k, nodes[able]])
            split[k, able] = np.array(cases) * int(case[k])
    return split, nodes


def _within_docks(
    situation: Situation, supply: Supply, split: Ints, nodes: Ints, dock_units: Floats,
    urgency: Floats,
) -> Ints:  # fmt: skip
    """[items, docks] what docks can take, the most urgent first: what will have come by the day on
    which a line comes should not exceed what the dock receives until then. Of what is on the way
    with a longer lead time, the part L / lead of it has come after L days (Little's law)."""
    item, dock = np.nonzero(split)
    if not len(item):
        return split
    lead = np.maximum(supply.lead_days, 1.0)
    come = np.minimum(1.0, lead[item][:, None] / lead[None, :])
    coming = situation.coming[:, nodes].astype(float)
    room = dock_units[nodes][dock] * (lead[item] + 1.0)
    room -= np.einsum("li,il->l", come, coming[:, dock])
    found, taken = np.zeros_like(split), np.zeros(len(nodes))
    for line in np.argsort(-urgency[item], kind="stable"):
        k, j = item[line], dock[line]
        if taken[j] + split[k, j] <= room[line]:
            found[k, j] = split[k, j]
            taken[j] += split[k, j]
    found[found.sum(axis=1) < supply.least_units] = 0
    return found


def _vendor_limits(situation: Situation) -> Floats:
    rows = situation.tables["vendors"]
    if "vendor_capacity_units_per_order" not in rows:
        return np.full(len(situation.model.vendors), np.inf)
    limit = rows.set_index(rows["vendor_id"].astype("str"))["vendor_capacity_units_per_order"]
    found = limit.reindex(situation.model.vendors).astype("float64").fillna(np.inf)
    return found.to_numpy(float)


def _vendor_minimums(situation: Situation) -> Floats:
    rows = situation.tables["vendors"]
    least = rows.set_index(rows["vendor_id"].astype("str"))["order_minimum_usd"]
    return least.reindex(situation.model.vendors).fillna(0.0).to_numpy(float)


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
