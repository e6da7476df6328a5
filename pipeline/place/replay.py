"""Orders replayed against a night's plan: which node serves each line, and what that costs.

Lines are served in the order of the file by core.assignment, the function by which the simulated
world serves its customers. Given what another shipment costs, the lines of an order stay together
where that costs less than the split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.assignment import assign
from pipeline.core.fulfillment import Offers
from pipeline.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEEDED = ("order_id", "item_id", "region_id", "speed", "order_hour", "units")
READS = ("assignment_offers", "assignment_worth", "protection_levels")


@dataclass(frozen=True)
class Situation:
    """What decides: offers of cells; stock, worth [items, nodes]; keep [items, speeds, nodes]."""

    items: pd.Index
    nodes: pd.Index
    regions: pd.Index
    speeds: pd.Index
    hours: Ints
    offers: Offers
    stock: Ints
    worth_usd: Floats
    keep: Ints

    def cells(self, orders: pd.DataFrame) -> Ints:
        """Cell of each order line."""
        region = self.regions.get_indexer(orders["region_id"])
        speed = self.speeds.get_indexer(orders["speed"])
        hour = np.searchsorted(self.hours, orders["order_hour"].to_numpy(), side="right") - 1
        by_speed = region * len(self.speeds) + speed
        return np.asarray(by_speed * len(self.hours) + hour, dtype=np.int64)


def situation(tables: Mapping[str, pd.DataFrame]) -> Situation:
    """The night's published tables as arrays."""
    offers, worth = tables["assignment_offers"], tables["assignment_worth"]
    text = offers.astype({"region_id": "str", "speed": "str", "node_id": "str"})
    items = pd.Index(sorted(worth["item_id"].astype("str").unique()))
    nodes = pd.Index(sorted({*worth["node_id"].astype("str"), *text["node_id"]}))
    regions, speeds = (pd.Index(sorted(text[name].unique())) for name in ("region_id", "speed"))
    hours = np.sort(text["from_hour"].unique()).astype(np.int64)
    r, s = regions.get_indexer(text["region_id"]), speeds.get_indexer(text["speed"])
    cell = (r * len(speeds) + s) * len(hours) + np.searchsorted(hours, text["from_hour"])
    order = np.lexsort((text["offer_rank"].to_numpy(), cell))
    cells = len(regions) * len(speeds) * len(hours)
    start = np.searchsorted(cell[order], np.arange(cells + 1))
    in_time = np.bincount(cell, text["keeps_promise"].to_numpy(float), cells).astype(np.int64)
    shape = (len(items), len(nodes))
    k = items.get_indexer(worth["item_id"].astype("str"))
    j = nodes.get_indexer(worth["node_id"].astype("str"))
    stock, usd = np.zeros(shape, np.int64), np.zeros(shape)
    stock[k, j], usd[k, j] = worth["assignable_units"], worth["unit_worth_usd"]
    keep = np.zeros((len(items), len(speeds), len(nodes)), np.int64)
    kept = tables["protection_levels"]
    at = [index.get_indexer(kept[name].astype("str")) for index, name in
          ((items, "item_id"), (speeds, "speed"), (nodes, "node_id"))]  # fmt: skip
    keep[tuple(at)] = kept["protected_units"]
    return Situation(
        items, nodes, regions, speeds, hours,
        Offers(
            len(regions), len(speeds), len(hours), start, start[:-1] + in_time,
            nodes.get_indexer(text["node_id"])[order].astype(np.int64),
            text["ship_usd_per_unit"].to_numpy(float)[order],
            text["missed_speed_usd_per_unit"].to_numpy(float)[order],
        ),
        stock, usd, keep,
    )  # fmt: skip


def read_orders(path: Path, known: Situation) -> pd.DataFrame:
    """Order lines of a CSV file with the columns NEEDED; UsageError tells all that is wrong."""
    if not path.is_file():
        raise UsageError(f"{path} is no file. Next: name a CSV file of order lines.")
    frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise UsageError(f"{path.name} lacks the columns {', '.join(missing)}. Next: add them.")
    found = frame[list(NEEDED)].copy()
    wrong = []
    for name, low, high in (("order_hour", 0, 23), ("units", 1, 10**9)):
        values = pd.to_numeric(found[name], errors="coerce")
        bad = ~(values.between(low, high) & (values == values.round()))
        wrong += [f"row {i + 1}: {name} {found[name][i]!r} is no whole number from {low} to "
                  f"{high:,}" for i in np.flatnonzero(bad)]  # fmt: skip
        found[name] = values.where(~bad, low).astype("int64")
    for name, index in (("item_id", known.items), ("region_id", known.regions),
                        ("speed", known.speeds)):  # fmt: skip
        bad = index.get_indexer(found[name]) < 0
        wrong += [f"row {i + 1}: {name} {found[name][i]!r} is not in the night's plan"
                  for i in np.flatnonzero(bad)]  # fmt: skip
    if wrong:
        shown = "\n".join(f"  - {line}" for line in wrong[:20])
        raise UsageError(f"{path.name}: {len(wrong)} value(s) cannot be used:\n{shown}\n"
                         "Next: correct them, or name the night that knows them.")  # fmt: skip
    return found


def replay(known: Situation, orders: pd.DataFrame, split_usd: float = 0.0) -> pd.DataFrame:
    """Every line's node: a row for each node that serves a part of it, and one without node for
    what nothing serves. The situation's stock is left as it was.

    Columns: those of the order, line (its place in the file), node_id, assigned_units, is_in_time,
    delivery_usd, missed_speed_usd, worth_usd (what later orders lose), shipment.
    """
    stock = known.stock.copy()
    item = known.items.get_indexer(orders["item_id"]).astype(np.int64)
    cell, units = known.cells(orders), orders["units"].to_numpy(np.int64)
    if split_usd <= 0:
        taken = _served(known, item, cell, units, stock)
    else:
        taken = np.zeros((len(item), int(np.diff(known.offers.start).max(initial=1))), np.int64)
        turns = np.flatnonzero(orders["order_id"] != orders["order_id"].shift())
        for first, last in pairwise([*turns, len(orders)]):
            lines = slice(int(first), int(last))
            taken[lines] = _together(known, item[lines], cell[lines], units[lines], stock,
                                     split_usd)  # fmt: skip
    return _rows(known, orders, item, cell, units, taken)


def _served(known: Situation, item: Ints, cell: Ints, units: Ints, stock: Ints) -> Ints:
    return assign(item, cell, units, stock, known.offers, known.worth_usd, known.keep)


def _usd(known: Situation, item: Ints, cell: Ints, taken: Ints) -> tuple[float, int]:
    """Usd of lines as taken, worth included, and the number of their shipments."""
    total, nodes = 0.0, set[int]()
    for k, c, row in zip(item, cell, taken, strict=True):
        for at in np.flatnonzero(row):
            o = known.offers.start[c] + at
            usd = known.offers.ship_usd[o] + known.offers.missed_usd[o]
            total += row[at] * (usd + known.worth_usd[k, known.offers.node[o]])
            nodes.add(int(known.offers.node[o]))
    return float(total), len(nodes)


def _together(
    known: Situation, item: Ints, cell: Ints, units: Ints, stock: Ints, split_usd: float
) -> Ints:
    """An order's lines from one node where that is no dearer than from several; lowers stock."""
    left = stock[item].copy()
    best = _served(known, item, cell, units, stock)
    total, shipments = _usd(known, item, cell, best)
    if shipments < 2 or best.sum() < units.sum():
        return best
    least = total + split_usd * (shipments - 1)
    alone: Ints | None = None
    for node in range(len(known.nodes)):
        trial = _from_one(known, item, cell, units, left, node, best.shape[1])
        if trial is None:
            continue
        usd, _ = _usd(known, item, cell, trial)
        if usd < least - 1e-9:
            least, alone = usd, trial
    if alone is None:
        return best
    stock[item] = left
    for i, (k, c) in enumerate(zip(item, cell, strict=True)):
        at = int(np.flatnonzero(alone[i])[0])
        stock[k, known.offers.node[known.offers.start[c] + at]] -= units[i]
    return alone


def _from_one(
    known: Situation, item: Ints, cell: Ints, units: Ints, left: Ints, node: int, width: int
) -> Ints | None:
    """The lines all from one node, or None where it lacks one or would be late with it."""
    found = np.zeros((len(item), width), dtype=np.int64)
    speed = cell // known.offers.n_buckets % known.offers.n_speeds
    asked: dict[int, int] = {}
    for i, (k, c) in enumerate(zip(item, cell, strict=True)):
        offers = known.offers.node[known.offers.start[c] : known.offers.late[c]]
        at = np.flatnonzero(offers == node)
        asked[int(k)] = asked.get(int(k), 0) + int(units[i])
        if not len(at) or left[i, node] - known.keep[k, speed[i], node] < asked[int(k)]:
            return None
        found[i, at[0]] = units[i]
    return found


def _rows(
    known: Situation, orders: pd.DataFrame, item: Ints, cell: Ints, units: Ints, taken: Ints
) -> pd.DataFrame:
    line, at = np.nonzero(taken)
    offer = known.offers.start[cell[line]] + at
    node, got = known.offers.node[offer], taken[line, at]
    short = units - taken.sum(axis=1)
    unserved = np.flatnonzero(short)
    served = orders.iloc[line].assign(
        line=line + 1, node_id=known.nodes.to_numpy(object)[node], assigned_units=got,
        is_in_time=offer < known.offers.late[cell[line]],
        delivery_usd=got * known.offers.ship_usd[offer],
        missed_speed_usd=got * known.offers.missed_usd[offer],
        worth_usd=got * known.worth_usd[item[line], node],
    )  # fmt: skip
    none = orders.iloc[unserved].assign(
        line=unserved + 1, node_id="", assigned_units=short[unserved], is_in_time=False,
        delivery_usd=0.0, missed_speed_usd=0.0, worth_usd=0.0,
    )  # fmt: skip
    rows = pd.concat([served, none], ignore_index=True)
    rows = rows.sort_values("line", kind="stable", ignore_index=True)
    first = rows[rows["node_id"] != ""].drop_duplicates(["order_id", "node_id"])
    number = first.groupby("order_id", sort=False).cumcount() + 1
    keys = pd.MultiIndex.from_frame(first[["order_id", "node_id"]])
    place = pd.Series(number.to_numpy(), index=keys)
    both = pd.MultiIndex.from_frame(rows[["order_id", "node_id"]])
    return rows.assign(shipment=place.reindex(both).fillna(0).to_numpy().astype(np.int64))
